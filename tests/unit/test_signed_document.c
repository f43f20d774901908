#include "../../verify/digest.h"
#include "../../verify/signed_document.h"

#define TUF_HEAD "{\"signatures\":[],\"signed\":{\"_type\":\"targets\",\"spec_version\":\"1.0.31\","
#define TUF_GOOD TUF_HEAD "\"version\":3,\"expires\":\"2090-01-01T00:00:00Z\"}}"
#define UPTANE_HEAD "{\"signatures\":[],\"signed\":{\"_type\":\"Targets\","
#define UPTANE_GOOD UPTANE_HEAD "\"version\":3,\"expires\":\"2090-01-01T00:00:00Z\"}}"

static SatchelSignedDocument *
try_parse(const char *text, const char *role, SatchelDialect dialect, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));

	return satchel_signed_document_parse(bytes, role, dialect, error);
}

static SatchelSignedDocument *
parse(const char *text, const char *role, SatchelDialect dialect)
{
	g_autoptr(GError) error = NULL;
	SatchelSignedDocument *document = try_parse(text, role, dialect, &error);

	g_assert_no_error(error);
	return document;
}

static void
assert_refused(const char *text, SatchelDialect dialect, const char *message)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSignedDocument) document = try_parse(text, "targets", dialect, &error);

	g_assert_null(document);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpstr(error->message, ==, message);
}

static void
assert_bytes(GBytes *bytes, const char *expected)
{
	g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), expected,
			strlen(expected));
}

static void
test_envelope_is_read(void)
{
	g_autoptr(SatchelSignedDocument) document = parse(TUF_GOOD, "targets", SATCHEL_DIALECT_TUF);

	g_assert_cmpint(document->version, ==, 3);
	g_assert_cmpint(document->expires_s, ==, 3786912000);
	g_assert_true(document->signed_ == json_object_get(document->tree, "signed"));
	g_assert_true(document->signatures == json_object_get(document->tree, "signatures"));
	assert_bytes(document->bytes, TUF_GOOD);
}

/* What is signed is all of it: TUF 4.2 asks to keep members that nobody knows. */
static void
test_message_is_canonical_with_unknown_members(void)
{
	g_autoptr(SatchelSignedDocument) document =
		parse(TUF_HEAD "\"version\":3,\"x\":[1],\"expires\":\"2090-01-01T00:00:00Z\"}}",
		      "targets", SATCHEL_DIALECT_TUF);

	assert_bytes(document->message,
		     "{\"_type\":\"targets\",\"expires\":\"2090-01-01T00:00:00Z\","
		     "\"spec_version\":\"1.0.31\",\"version\":3,\"x\":[1]}");
}

static void
test_message_is_in_the_form_of_the_dialect(void)
{
	g_autoptr(SatchelSignedDocument) document = parse(
		UPTANE_HEAD "\"version\":3,\"x\":\"\\n\",\"expires\":\"2090-01-01T00:00:00Z\"}}",
		"targets", SATCHEL_DIALECT_UPTANE);

	assert_bytes(document->message,
		     "{\"_type\":\"Targets\",\"expires\":\"2090-01-01T00:00:00Z\","
		     "\"version\":3,\"x\":\"\\n\"}");
}

static void
test_each_role_has_its_type(void)
{
	static const struct {
		const char *role;
		const char *tuf;
		const char *uptane;
	} cases[] = {
		{"root", "root", "Root"},
		{"timestamp", "timestamp", "Timestamp"},
		{"snapshot", "snapshot", "Snapshot"},
		{"targets", "targets", "Targets"},
	};
	static const char rest[] = "\"version\":1,\"expires\":\"2090-01-01T00:00:00Z\"}}";

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *tuf = g_strdup_printf("{\"signatures\":[],\"signed\":{\"_type\":"
						       "\"%s\",\"spec_version\":\"1.0\",%s",
						       cases[i].tuf, rest);
		g_autofree char *uptane =
			g_strdup_printf("{\"signatures\":[],\"signed\":{\"_type\":\"%s\",%s",
					cases[i].uptane, rest);
		g_autoptr(SatchelSignedDocument) of_tuf =
			parse(tuf, cases[i].role, SATCHEL_DIALECT_TUF);
		g_autoptr(SatchelSignedDocument) of_uptane =
			parse(uptane, cases[i].role, SATCHEL_DIALECT_UPTANE);
		g_autoptr(GError) error = NULL;

		g_assert_nonnull(of_tuf);
		g_assert_nonnull(of_uptane);
		g_assert_null(try_parse(uptane, cases[i].role, SATCHEL_DIALECT_TUF, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	}
}

static void
test_another_type_is_refused(void)
{
	assert_refused("{\"signatures\":[],\"signed\":{\"_type\":\"root\",\"spec_version\":\"1.0\","
		       "\"version\":1,\"expires\":\"2090-01-01T00:00:00Z\"}}",
		       SATCHEL_DIALECT_TUF, "'_type' is 'root', not 'targets'");
	assert_refused(TUF_GOOD, SATCHEL_DIALECT_UPTANE, "'_type' is 'targets', not 'Targets'");
	assert_refused(UPTANE_GOOD, SATCHEL_DIALECT_TUF, "'_type' is 'Targets', not 'targets'");
	assert_refused("{\"signatures\":[],\"signed\":{\"_type\":\"\\u001b\"}}",
		       SATCHEL_DIALECT_UPTANE, "'_type' is '\\x1b', not 'Targets'");
	assert_refused("{\"signatures\":[],\"signed\":{\"_type\":1}}", SATCHEL_DIALECT_TUF,
		       "member '_type' is not a string");
}

static void
test_envelope_of_a_wrong_form_is_refused(void)
{
	assert_refused("{", SATCHEL_DIALECT_TUF,
		       "line 1, column 2: the document ends where a member's name is expected");
	assert_refused("{\"signed\":{}}", SATCHEL_DIALECT_TUF, "no member 'signatures'");
	assert_refused("{\"signed\":{},\"signatures\":{}}", SATCHEL_DIALECT_TUF,
		       "member 'signatures' is not an array");
	assert_refused("{\"signatures\":[]}", SATCHEL_DIALECT_TUF, "no member 'signed'");
	assert_refused("{\"signatures\":[],\"signed\":[]}", SATCHEL_DIALECT_TUF,
		       "member 'signed' is not an object");
	assert_refused("{\"signatures\":[],\"signed\":{}}", SATCHEL_DIALECT_TUF,
		       "no member '_type'");
}

static void
assert_spec_version_refused(const char *version)
{
	g_autofree char *text = g_strdup_printf(
		"{\"signatures\":[],\"signed\":{\"_type\":\"targets\",\"spec_version\":\"%s\","
		"\"version\":1,\"expires\":\"2090-01-01T00:00:00Z\"}}",
		version);
	g_autofree char *message = g_strdup_printf("'spec_version' is '%s', not 1.x", version);

	assert_refused(text, SATCHEL_DIALECT_TUF, message);
}

static void
test_another_specification_is_refused(void)
{
	static const char *const bad[] = {"", "1", "1.", "1.x", "2.0.0", "10.0", "0.9", " 1.0"};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_spec_version_refused(bad[i]);
	assert_refused("{\"signatures\":[],\"signed\":{\"_type\":\"targets\",\"version\":1,"
		       "\"expires\":\"2090-01-01T00:00:00Z\"}}",
		       SATCHEL_DIALECT_TUF, "no member 'spec_version'");
}

static void
test_a_version_below_one_is_refused(void)
{
	assert_refused(TUF_HEAD "\"version\":0,\"expires\":\"2090-01-01T00:00:00Z\"}}",
		       SATCHEL_DIALECT_TUF,
		       "member 'version' is 0, not from 1 to 9223372036854775807");
	assert_refused(UPTANE_HEAD "\"version\":-1,\"expires\":\"2090-01-01T00:00:00Z\"}}",
		       SATCHEL_DIALECT_UPTANE,
		       "member 'version' is -1, not from 1 to 9223372036854775807");
	assert_refused(TUF_HEAD "\"version\":\"1\",\"expires\":\"2090-01-01T00:00:00Z\"}}",
		       SATCHEL_DIALECT_TUF, "member 'version' is not an integer");
	assert_refused(TUF_HEAD "\"expires\":\"2090-01-01T00:00:00Z\"}}", SATCHEL_DIALECT_TUF,
		       "no member 'version'");
}

static void
test_another_form_of_expiry_is_refused(void)
{
	assert_refused(TUF_HEAD "\"version\":1,\"expires\":\"2090-01-01T00:00:00.5Z\"}}",
		       SATCHEL_DIALECT_TUF,
		       "member 'expires': '2090-01-01T00:00:00.5Z' is not a time of the form "
		       "YYYY-MM-DDTHH:MM:SSZ");
	assert_refused(TUF_HEAD "\"version\":1}}", SATCHEL_DIALECT_TUF, "no member 'expires'");
}

static void
assert_hash(const SatchelSignedDocument *document, SatchelDialect dialect, const char *hashed)
{
	g_autofree char *expected = satchel_digest_sha256_hex(hashed, strlen(hashed));
	g_autoptr(GError) error = NULL;
	guint64 length_bytes = 0;
	g_autofree char *got =
		satchel_signed_document_hash(document, dialect, "sha256", &length_bytes, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(got, ==, expected);
	g_assert_cmpuint(length_bytes, ==, strlen(hashed));
}

static void
test_tuf_hashes_the_bytes_as_received(void)
{
	g_autoptr(SatchelSignedDocument) document =
		parse(TUF_GOOD "\n", "targets", SATCHEL_DIALECT_TUF);

	assert_hash(document, SATCHEL_DIALECT_TUF, TUF_GOOD "\n");
}

static void
test_uptane_hashes_the_canonical_form_of_the_file(void)
{
	g_autoptr(SatchelSignedDocument) document =
		parse(" " UPTANE_GOOD "\n", "targets", SATCHEL_DIALECT_UPTANE);

	assert_hash(document, SATCHEL_DIALECT_UPTANE,
		    "{\"signatures\":[],\"signed\":{\"_type\":\"Targets\",\"expires\":"
		    "\"2090-01-01T00:00:00Z\",\"version\":3}}");
}

static void
test_sha512_is_known_too(void)
{
	g_autoptr(SatchelSignedDocument) document = parse(TUF_GOOD, "targets", SATCHEL_DIALECT_TUF);
	g_autofree char *expected = g_compute_checksum_for_string(G_CHECKSUM_SHA512, TUF_GOOD, -1);
	guint64 length_bytes = 0;
	g_autofree char *got = satchel_signed_document_hash(document, SATCHEL_DIALECT_TUF, "sha512",
							    &length_bytes, NULL);

	g_assert_cmpstr(got, ==, expected);
	g_assert_cmpuint(length_bytes, ==, strlen(TUF_GOOD));
}

static void
test_unknown_hash_algorithms_are_refused(void)
{
	g_autoptr(SatchelSignedDocument) document = parse(TUF_GOOD, "targets", SATCHEL_DIALECT_TUF);
	g_autoptr(GError) error = NULL;
	guint64 length_bytes = 0;

	g_assert_null(satchel_signed_document_hash(document, SATCHEL_DIALECT_TUF, "md5\n",
						   &length_bytes, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpstr(error->message, ==, "hash algorithm 'md5\\x0a' is not known");
	g_assert_cmpuint(length_bytes, ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/signed-document/envelope-is-read", test_envelope_is_read);
	g_test_add_func("/signed-document/message-is-canonical-with-unknown-members",
			test_message_is_canonical_with_unknown_members);
	g_test_add_func("/signed-document/message-is-in-the-form-of-the-dialect",
			test_message_is_in_the_form_of_the_dialect);
	g_test_add_func("/signed-document/each-role-has-its-type", test_each_role_has_its_type);
	g_test_add_func("/signed-document/another-type-is-refused", test_another_type_is_refused);
	g_test_add_func("/signed-document/envelope-of-a-wrong-form-is-refused",
			test_envelope_of_a_wrong_form_is_refused);
	g_test_add_func("/signed-document/another-specification-is-refused",
			test_another_specification_is_refused);
	g_test_add_func("/signed-document/a-version-below-one-is-refused",
			test_a_version_below_one_is_refused);
	g_test_add_func("/signed-document/another-form-of-expiry-is-refused",
			test_another_form_of_expiry_is_refused);
	g_test_add_func("/signed-document/tuf-hashes-the-bytes-as-received",
			test_tuf_hashes_the_bytes_as_received);
	g_test_add_func("/signed-document/uptane-hashes-the-canonical-form-of-the-file",
			test_uptane_hashes_the_canonical_form_of_the_file);
	g_test_add_func("/signed-document/sha512-is-known-too", test_sha512_is_known_too);
	g_test_add_func("/signed-document/unknown-hash-algorithms-are-refused",
			test_unknown_hash_algorithms_are_refused);
	return g_test_run();
}
