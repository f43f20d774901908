#include "../support/fixtures.h"
#include "../support/signing.h"

static SatchelRoleKeys *
role_keys(const json_t *keys, const json_t *role, SatchelDialect dialect)
{
	g_autoptr(GError) error = NULL;
	SatchelRoleKeys *got = satchel_role_keys_new(keys, role, dialect, &error);

	g_assert_no_error(error);
	return got;
}

static void
assert_verified(const SatchelRoleKeys *keys, const json_t *signatures)
{
	g_autoptr(GBytes) message = message_bytes();
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_role_keys_verify(keys, signatures, message, &error));
	g_assert_no_error(error);
}

static void
assert_not_verified(const SatchelRoleKeys *keys, const json_t *signatures, const char *why)
{
	g_autoptr(GBytes) message = message_bytes();
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_role_keys_verify(keys, signatures, message, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_nonnull(strstr(error->message, why));
}

static void
test_enough_distinct_keys_verify(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 2);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	assert_not_verified(keys, signatures, "1 of 2 signatures");
	json_array_append_new(signatures, tuf_signature(&two.pairs[1], two.keyids[1]));
	assert_verified(keys, signatures);
}

static void
test_nothing_beyond_the_threshold_is_asked(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[1], two.keyids[1]));
	assert_verified(keys, signatures);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	assert_verified(keys, signatures);
}

static void
test_no_signature_is_too_few(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	assert_not_verified(keys, signatures, "0 of 1 signatures");
}

static void
test_a_keyid_that_signs_twice_is_refused(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	assert_not_verified(keys, signatures, "stands twice");
}

/* Also where the repeated one is unknown, and where the threshold was reached before it. */
static void
test_an_unknown_keyid_that_stands_twice_is_refused(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	json_array_append_new(signatures, tuf_signature(&two.pairs[1], "unknown\n"));
	json_array_append_new(signatures, tuf_signature(&two.pairs[1], "unknown\n"));
	assert_not_verified(keys, signatures,
			    "keyid 'unknown\\x0a' stands twice in the signatures");
}

static void
test_an_unknown_keyid_does_not_count_and_does_no_harm(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[1], "unknown"));
	assert_not_verified(keys, signatures, "0 of 1 signatures");
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	assert_verified(keys, signatures);
}

/* The keyid says whose signature it claims to be, not whose it is. */
static void
test_a_signature_under_another_keyid_does_not_count(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[1]));
	assert_not_verified(keys, signatures, "0 of 1 signatures");
}

static void
test_unreadable_signatures_do_not_count_and_do_no_harm(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autofree char *long_hex = g_strnfill(8192, 'a');
	const char *const texts[] = {"", "a", "zz", "00", long_hex, "aGVsbG8="};

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(SatchelJson) signatures =
			json_pack("[{s:s, s:s}]", "keyid", two.keyids[0], "sig", texts[i]);

		assert_not_verified(keys, signatures, "0 of 1 signatures");
		json_array_append_new(signatures, tuf_signature(&two.pairs[1], two.keyids[1]));
		assert_verified(keys, signatures);
	}
}

static void
test_an_entry_without_a_signature_does_not_count(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) absent = NULL;
	g_autoptr(SatchelJson) number = NULL;

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	absent = json_pack("[{s:s}]", "keyid", two.keyids[0]);
	number = json_pack("[{s:s, s:i}]", "keyid", two.keyids[0], "sig", 1);
	assert_not_verified(keys, absent, "0 of 1 signatures");
	assert_not_verified(keys, number, "0 of 1 signatures");
}

static void
test_signatures_of_a_wrong_form_are_refused(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) object = json_object();
	g_autoptr(SatchelJson) text = json_pack("[s]", "x");
	g_autoptr(SatchelJson) no_keyid = json_pack("[{s:s}]", "sig", "00");
	g_autoptr(SatchelJson) number = json_pack("[{s:i, s:s}]", "keyid", 1, "sig", "00");

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	assert_not_verified(keys, object, "member 'signatures' is not an array");
	assert_not_verified(keys, NULL, "member 'signatures' is not an array");
	assert_not_verified(keys, text, "signature: no member 'keyid'");
	assert_not_verified(keys, no_keyid, "signature: no member 'keyid'");
	assert_not_verified(keys, number, "signature: member 'keyid' is not a string");
}

/* A wrong form anywhere sinks the file, also behind enough good signatures. */
static void
test_a_wrong_form_behind_good_signatures_is_refused(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	json_array_append_new(signatures, json_integer(1));
	assert_not_verified(keys, signatures, "signature: no member 'keyid'");
}

static void
test_the_number_of_signatures_is_bounded(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	for (guint i = 1; i < SATCHEL_LIMIT_SIGNATURES; i++) {
		g_autofree char *keyid = g_strdup_printf("%u", i);

		json_array_append_new(signatures, json_pack("{s:s}", "keyid", keyid));
	}
	assert_verified(keys, signatures);
	json_array_append_new(signatures, json_pack("{s:s}", "keyid", "one more"));
	assert_not_verified(keys, signatures, "more than 1024 signatures");
}

static void
test_the_length_of_a_keyid_is_bounded(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();
	g_autofree char *longest = g_strnfill(SATCHEL_LIMIT_NAME_BYTES, 'x');
	g_autofree char *longer = g_strnfill(SATCHEL_LIMIT_NAME_BYTES + 1, 'x');

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	json_array_append_new(signatures, json_pack("{s:s}", "keyid", longest));
	assert_verified(keys, signatures);
	json_array_append_new(signatures, json_pack("{s:s}", "keyid", longer));
	assert_not_verified(keys, signatures, "signature: keyid is too long");
}

/* An extra member gives the same key another keyid; it stays one key. */
static void
test_one_key_under_two_keyids_counts_once(void)
{
	Pair pair;
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) map = json_object();
	g_autoptr(SatchelJson) role = NULL;
	g_autoptr(SatchelJson) signatures = json_array();
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;
	json_t *other;

	make_pair(&pair, 1);
	first = add_key(map, key_json(&pair, SATCHEL_DIALECT_TUF));
	other = key_json(&pair, SATCHEL_DIALECT_TUF);
	json_object_set_new(other, "x", json_integer(1));
	second = add_key(map, other);
	g_assert_cmpstr(first, !=, second);
	role = json_pack("{s:[s,s], s:i}", "keyids", first, second, "threshold", 2);
	keys = role_keys(map, role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&pair, first));
	json_array_append_new(signatures, tuf_signature(&pair, second));
	assert_not_verified(keys, signatures, "1 of 2 signatures");
}

static void
test_a_keyid_listed_twice_counts_once(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 2);
	json_array_append_new(json_object_get(two.role, "keyids"), json_string(two.keyids[0]));
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	g_assert_cmpuint(g_strv_length((GStrv)(gintptr)satchel_role_keys_get_keyids(keys)), ==, 2);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	assert_not_verified(keys, signatures, "1 of 2 signatures");
}

/* Keys that are in the file but not the role's must not count for it. */
static void
test_a_key_that_the_role_does_not_list_does_not_count(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 1);
	json_array_remove(json_object_get(two.role, "keyids"), 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[1], two.keyids[1]));
	assert_not_verified(keys, signatures, "0 of 1 signatures");
}

static void
test_tuf_keyids_must_be_the_digest_of_the_key(void)
{
	Pair pair;
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) map = NULL;
	g_autoptr(SatchelJson) role = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	make_pair(&pair, 1);
	map = json_pack("{s:o}", "any id", key_json(&pair, SATCHEL_DIALECT_TUF));
	role = json_pack("{s:[s], s:i}", "keyids", "any id", "threshold", 1);
	keys = role_keys(map, role, SATCHEL_DIALECT_TUF);
	g_assert_null(satchel_role_keys_lookup(keys, "any id"));
	json_array_append_new(signatures, tuf_signature(&pair, "any id"));
	assert_not_verified(keys, signatures, "0 of 1 signatures");
}

/* The id is listed, so that a reader can tell who should have signed; the key is not there. */
static void
test_unusable_and_absent_keys_are_listed_and_do_no_harm(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();
	g_autofree char *unusable = NULL;
	const char *const *listed;

	two_keys_init(&two, 1);
	unusable = add_key(two.keys, json_pack("{s:s}", "keytype", "sphincs"));
	json_array_append_new(json_object_get(two.role, "keyids"), json_string(unusable));
	json_array_append_new(json_object_get(two.role, "keyids"), json_string("absent"));
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	listed = satchel_role_keys_get_keyids(keys);
	g_assert_cmpstr(listed[0], ==, two.keyids[0]);
	g_assert_cmpstr(listed[1], ==, two.keyids[1]);
	g_assert_cmpstr(listed[2], ==, unusable);
	g_assert_cmpstr(listed[3], ==, "absent");
	g_assert_null(listed[4]);
	g_assert_nonnull(satchel_role_keys_lookup(keys, two.keyids[0]));
	g_assert_null(satchel_role_keys_lookup(keys, unusable));
	g_assert_null(satchel_role_keys_lookup(keys, "absent"));
	json_array_append_new(signatures, json_pack("{s:s, s:s}", "keyid", unusable, "sig", "00"));
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	assert_verified(keys, signatures);
}

static void
assert_role_refused(const json_t *keys, json_t *role, const char *why)
{
	g_autoptr(SatchelJson) owned = role;
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelRoleKeys) got =
		satchel_role_keys_new(keys, owned, SATCHEL_DIALECT_TUF, &error);

	g_assert_null(got);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_nonnull(strstr(error->message, why));
}

static void
test_roles_of_a_wrong_form_are_refused(void)
{
	g_autoptr(SatchelJson) keys = json_object();
	g_autoptr(SatchelJson) array = json_array();

	assert_role_refused(array, json_pack("{s:[], s:i}", "keyids", "threshold", 1),
			    "member 'keys' is not an object");
	assert_role_refused(NULL, json_pack("{s:[], s:i}", "keyids", "threshold", 1),
			    "member 'keys' is not an object");
	assert_role_refused(keys, json_pack("{s:i}", "threshold", 1), "no member 'keyids'");
	assert_role_refused(keys, json_pack("{s:{}, s:i}", "keyids", "threshold", 1),
			    "member 'keyids' is not an array");
	assert_role_refused(keys, json_pack("{s:[i], s:i}", "keyids", 1, "threshold", 1),
			    "element 0 of 'keyids' is not a string");
	assert_role_refused(keys, json_pack("{s:[]}", "keyids"), "no member 'threshold'");
	assert_role_refused(keys, json_pack("{s:[], s:s}", "keyids", "threshold", "1"),
			    "member 'threshold' is not an integer");
	assert_role_refused(keys, json_string("x"), "no member 'threshold'");
}

static void
test_a_threshold_below_one_is_refused(void)
{
	g_autoptr(SatchelJson) keys = json_object();

	assert_role_refused(keys, json_pack("{s:[], s:i}", "keyids", "threshold", 0),
			    "member 'threshold' is 0");
	assert_role_refused(keys, json_pack("{s:[], s:i}", "keyids", "threshold", -1),
			    "member 'threshold' is -1");
	assert_role_refused(
		keys, json_pack("{s:[], s:I}", "keyids", "threshold", (json_int_t)G_MAXUINT32 + 2),
		"member 'threshold' is 4294967297");
}

static void
test_a_threshold_above_the_number_of_keys_is_never_reached(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = json_array();

	two_keys_init(&two, 3);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	g_assert_cmpuint(satchel_role_keys_get_threshold(keys), ==, 3);
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	json_array_append_new(signatures, tuf_signature(&two.pairs[1], two.keyids[1]));
	assert_not_verified(keys, signatures, "2 of 3 signatures");
}

static json_t *
many_ids(guint n)
{
	json_t *ids = json_array();

	for (guint i = 0; i < n; i++) {
		g_autofree char *id = g_strdup_printf("%u", i);

		json_array_append_new(ids, json_string(id));
	}
	return ids;
}

static void
test_the_number_of_keyids_is_bounded(void)
{
	g_autoptr(SatchelJson) keys = json_object();
	g_autoptr(SatchelJson) most =
		json_pack("{s:o, s:i}", "keyids", many_ids(SATCHEL_LIMIT_KEYS), "threshold", 1);
	g_autoptr(SatchelRoleKeys) got = role_keys(keys, most, SATCHEL_DIALECT_TUF);

	g_assert_nonnull(got);
	assert_role_refused(
		keys,
		json_pack("{s:o, s:i}", "keyids", many_ids(SATCHEL_LIMIT_KEYS + 1), "threshold", 1),
		"more than 1024 keyids");
}

static void
test_the_number_of_keys_is_bounded(void)
{
	g_autoptr(SatchelJson) keys = json_object();
	g_autoptr(SatchelJson) role = json_pack("{s:[], s:i}", "keyids", "threshold", 1);
	g_autoptr(SatchelRoleKeys) got = NULL;

	for (guint i = 0; i < SATCHEL_LIMIT_KEYS; i++) {
		g_autofree char *id = g_strdup_printf("%u", i);

		json_object_set_new(keys, id, json_object());
	}
	got = role_keys(keys, role, SATCHEL_DIALECT_TUF);
	g_assert_nonnull(got);
	json_object_set_new(keys, "one more", json_object());
	assert_role_refused(keys, json_incref(role), "more than 1024 keys");
}

/* An uptane role of one ed25519 key under the id "any id". */
static SatchelRoleKeys *
uptane_role(const Pair *pair)
{
	g_autoptr(SatchelJson) map =
		json_pack("{s:o}", "any id", key_json(pair, SATCHEL_DIALECT_UPTANE));
	g_autoptr(SatchelJson) role = json_pack("{s:[s], s:i}", "keyids", "any id", "threshold", 1);

	return role_keys(map, role, SATCHEL_DIALECT_UPTANE);
}

static void
test_uptane_signatures_are_base64_with_a_method(void)
{
	static const char *const good[] = {"ed25519", "ED25519"};
	static const char *const bad[] = {"rsassa-pss-sha256", "rsassa-pss", "", "ecdsa"};
	Pair pair;
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) none = json_array();

	make_pair(&pair, 7);
	keys = uptane_role(&pair);
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(SatchelJson) signatures =
			json_pack("[o]", uptane_signature(&pair, "any id", good[i]));

		assert_verified(keys, signatures);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(SatchelJson) signatures =
			json_pack("[o]", uptane_signature(&pair, "any id", bad[i]));

		assert_not_verified(keys, signatures, "0 of 1 signatures");
	}
	json_array_append_new(none, uptane_signature(&pair, "any id", "ed25519"));
	json_object_del(json_array_get(none, 0), "method");
	assert_not_verified(keys, none, "0 of 1 signatures");
}

/* GLib's decoder skips what is no base64; one signature must not have many spellings. */
static void
test_uptane_signatures_are_strict_base64(void)
{
	Pair pair;
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelJson) signatures = NULL;
	json_t *entry;
	g_autofree char *good = NULL;
	g_autoptr(GPtrArray) bad = NULL;

	make_pair(&pair, 7);
	keys = uptane_role(&pair);
	signatures = json_pack("[o]", uptane_signature(&pair, "any id", "ed25519"));
	entry = json_array_get(signatures, 0);
	good = g_strdup(json_string_value(json_object_get(entry, "sig")));
	g_assert_true(g_str_has_suffix(good, "=="));
	bad = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(bad, g_strconcat(good, "\n", NULL));
	g_ptr_array_add(bad, g_strconcat(" ", good, NULL));
	g_ptr_array_add(bad, g_strconcat("*", good, NULL));
	g_ptr_array_add(bad, g_strndup(good, strlen(good) - 1));
	g_ptr_array_add(bad, g_strndup(good, strlen(good) - 2));
	for (guint i = 0; i < bad->len; i++) {
		json_object_set_new(entry, "sig", json_string(bad->pdata[i]));
		assert_not_verified(keys, signatures, "0 of 1 signatures");
	}
	json_object_set_new(entry, "sig", json_string(""));
	assert_not_verified(keys, signatures, "0 of 1 signatures");
}

/* Each dialect has its own encoding and takes no other. */
static void
test_encodings_are_not_mixed(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) tuf = NULL;
	g_autoptr(SatchelRoleKeys) uptane = NULL;
	g_autoptr(SatchelJson) base64 = NULL;
	g_autoptr(SatchelJson) hex = NULL;

	two_keys_init(&two, 1);
	tuf = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	uptane = uptane_role(&two.pairs[0]);
	base64 = json_pack("[o]", uptane_signature(&two.pairs[0], two.keyids[0], "ed25519"));
	assert_not_verified(tuf, base64, "0 of 1 signatures");
	hex = json_pack("[o]", tuf_signature(&two.pairs[0], "any id"));
	json_object_set_new(json_array_get(hex, 0), "method", json_string("ed25519"));
	assert_not_verified(uptane, hex, "0 of 1 signatures");
}

static SatchelRoleKeys *
role_of_seeds(guint8 first, guint8 second, int threshold)
{
	Pair pairs[2];
	g_autoptr(SatchelJson) map = json_object();
	g_autoptr(SatchelJson) role = NULL;
	g_autofree char *a = NULL;
	g_autofree char *b = NULL;

	make_pair(&pairs[0], first);
	make_pair(&pairs[1], second);
	a = add_key(map, key_json(&pairs[0], SATCHEL_DIALECT_TUF));
	b = add_key(map, key_json(&pairs[1], SATCHEL_DIALECT_TUF));
	role = json_pack("{s:[s,s], s:i}", "keyids", a, b, "threshold", threshold);
	return role_keys(map, role, SATCHEL_DIALECT_TUF);
}

static void
test_roles_are_equal_by_threshold_and_material(void)
{
	g_autoptr(SatchelRoleKeys) one = role_of_seeds(1, 2, 1);
	g_autoptr(SatchelRoleKeys) turned = role_of_seeds(2, 1, 1);
	g_autoptr(SatchelRoleKeys) two = role_of_seeds(1, 2, 2);
	g_autoptr(SatchelRoleKeys) other = role_of_seeds(1, 3, 1);
	g_autoptr(SatchelRoleKeys) fewer = role_of_seeds(1, 1, 1);

	g_assert_true(satchel_role_keys_equal(one, one));
	g_assert_true(satchel_role_keys_equal(one, turned));
	g_assert_false(satchel_role_keys_equal(one, two));
	g_assert_false(satchel_role_keys_equal(one, other));
	g_assert_false(satchel_role_keys_equal(one, fewer));
	g_assert_false(satchel_role_keys_equal(fewer, one));
}

static void
test_good_keyids_are_told_each_once(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(GBytes) message = message_bytes();
	g_autoptr(SatchelJson) signatures = json_array();
	g_auto(GStrv) good = NULL;
	g_auto(GStrv) none = NULL;

	two_keys_init(&two, 2);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	json_array_append_new(signatures, tuf_signature(&two.pairs[1], two.keyids[1]));
	json_array_append_new(signatures, json_integer(1));
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], "unknown"));
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[1]));
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	good = satchel_role_keys_good_keyids(keys, signatures, message);
	g_assert_cmpuint(g_strv_length(good), ==, 2);
	g_assert_cmpstr(good[0], ==, two.keyids[1]);
	g_assert_cmpstr(good[1], ==, two.keyids[0]);
	none = satchel_role_keys_good_keyids(keys, NULL, message);
	g_assert_cmpuint(g_strv_length(none), ==, 0);
}

static void
test_no_more_entries_are_looked_at_than_are_allowed(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(GBytes) message = message_bytes();
	g_autoptr(SatchelJson) signatures = json_array();
	g_auto(GStrv) good = NULL;

	two_keys_init(&two, 1);
	keys = role_keys(two.keys, two.role, SATCHEL_DIALECT_TUF);
	for (guint i = 1; i < SATCHEL_LIMIT_SIGNATURES; i++)
		json_array_append_new(signatures, json_null());
	json_array_append_new(signatures, tuf_signature(&two.pairs[0], two.keyids[0]));
	json_array_append_new(signatures, tuf_signature(&two.pairs[1], two.keyids[1]));
	good = satchel_role_keys_good_keyids(keys, signatures, message);
	g_assert_cmpuint(g_strv_length(good), ==, 1);
	g_assert_cmpstr(good[0], ==, two.keyids[0]);
}

static void
test_a_reference_keeps_the_role(void)
{
	SatchelRoleKeys *keys = role_of_seeds(1, 2, 2);
	g_autoptr(SatchelRoleKeys) again = satchel_role_keys_ref(keys);

	satchel_role_keys_unref(keys);
	g_assert_cmpuint(satchel_role_keys_get_threshold(again), ==, 2);
}

/* The RSA key and a signature of it over the message of fixtures/signatures. */
static void
assert_rsa_method(const char *method, gboolean counts)
{
	g_autofree char *key_folder = fixture_path("keys/valid/uptane/rsa-2048");
	g_autofree char *folder = fixture_path("signatures/valid/rsa-pss-salt-32");
	g_autoptr(GBytes) key = fixture_bytes(key_folder, "key.json");
	g_autoptr(GBytes) message = fixture_bytes(folder, "message");
	g_autofree char *hex = fixture_text(folder, "signature");
	g_autoptr(GBytes) raw = satchel_hex_decode(hex);
	g_autofree char *base64 =
		g_base64_encode(g_bytes_get_data(raw, NULL), g_bytes_get_size(raw));
	g_autoptr(SatchelJson) map = json_pack("{s:o}", "id", satchel_json_parse(key, NULL));
	g_autoptr(SatchelJson) role = json_pack("{s:[s], s:i}", "keyids", "id", "threshold", 1);
	g_autoptr(SatchelJson) signatures =
		json_pack("[{s:s, s:s, s:s}]", "keyid", "id", "method", method, "sig", base64);
	g_autoptr(SatchelRoleKeys) keys = role_keys(map, role, SATCHEL_DIALECT_UPTANE);

	g_assert_cmpint(satchel_role_keys_verify(keys, signatures, message, NULL), ==, counts);
}

static void
test_uptane_rsa_has_two_names_of_its_method(void)
{
	assert_rsa_method("rsassa-pss-sha256", TRUE);
	assert_rsa_method("RSASSA-PSS-SHA256", TRUE);
	assert_rsa_method("rsassa-pss", TRUE);
	assert_rsa_method("ed25519", FALSE);
	assert_rsa_method("rsassa-pkcs1v15", FALSE);
}

/* Its text is as long as one of a key that is small enough can be. */
static void
test_the_longest_signature_counts(void)
{
	g_autofree char *folder = fixture_path("signatures/valid/rsa-pss-of-almost-16384-bits");
	g_autoptr(GBytes) key = fixture_bytes(folder, "key.json");
	g_autoptr(GBytes) message = fixture_bytes(folder, "message");
	g_autofree char *hex = fixture_text(folder, "signature");
	g_autoptr(SatchelJson) map = json_object();
	g_autofree char *keyid = add_key(map, satchel_json_parse(key, NULL));
	g_autoptr(SatchelJson) role = json_pack("{s:[s], s:i}", "keyids", keyid, "threshold", 1);
	g_autoptr(SatchelJson) signatures = json_pack("[{s:s, s:s}]", "keyid", keyid, "sig", hex);
	g_autoptr(SatchelRoleKeys) keys = role_keys(map, role, SATCHEL_DIALECT_TUF);

	g_assert_cmpuint(strlen(hex), ==, 4096);
	g_assert_true(satchel_role_keys_verify(keys, signatures, message, NULL));
}

/* A tree that no parser made; such a key has no keyid in the tuf dialect. */
static void
test_a_key_without_canonical_form_does_not_count(void)
{
	Pair pair;
	g_autoptr(SatchelJson) map = NULL;
	g_autoptr(SatchelJson) role = json_pack("{s:[s], s:i}", "keyids", "id", "threshold", 1);
	g_autoptr(SatchelRoleKeys) keys = NULL;
	json_t *key;

	make_pair(&pair, 1);
	key = key_json(&pair, SATCHEL_DIALECT_TUF);
	json_object_set_new(key, "x", json_real(1.5));
	map = json_pack("{s:o}", "id", key);
	keys = role_keys(map, role, SATCHEL_DIALECT_TUF);
	g_assert_null(satchel_role_keys_lookup(keys, "id"));
}

static void
test_roles_of_one_table_share_its_keys(void)
{
	g_auto(TwoKeys) two = {0};
	g_autoptr(SatchelRoleKeyTable) table = NULL;
	g_autoptr(SatchelRoleKeys) first = NULL;
	g_autoptr(SatchelRoleKeys) second = NULL;
	g_autoptr(GError) error = NULL;

	two_keys_init(&two, 1);
	json_object_set_new(two.keys, "unusable", json_object());
	json_array_append_new(json_object_get(two.role, "keyids"), json_string("unusable"));
	table = satchel_role_key_table_new(two.keys, SATCHEL_DIALECT_TUF, &error);
	g_assert_no_error(error);
	first = satchel_role_keys_new_from_table(table, two.role, &error);
	g_assert_no_error(error);
	second = satchel_role_keys_new_from_table(table, two.role, &error);
	g_assert_no_error(error);
	g_assert_nonnull(satchel_role_keys_lookup(first, two.keyids[0]));
	g_assert_true(satchel_role_keys_lookup(first, two.keyids[0]) ==
		      satchel_role_keys_lookup(second, two.keyids[0]));
	g_assert_null(satchel_role_keys_lookup(second, "unusable"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/threshold/enough-distinct-keys-verify", test_enough_distinct_keys_verify);
	g_test_add_func("/threshold/nothing-beyond-the-threshold-is-asked",
			test_nothing_beyond_the_threshold_is_asked);
	g_test_add_func("/threshold/no-signature-is-too-few", test_no_signature_is_too_few);
	g_test_add_func("/threshold/a-keyid-that-signs-twice-is-refused",
			test_a_keyid_that_signs_twice_is_refused);
	g_test_add_func("/threshold/an-unknown-keyid-that-stands-twice-is-refused",
			test_an_unknown_keyid_that_stands_twice_is_refused);
	g_test_add_func("/threshold/an-unknown-keyid-does-not-count-and-does-no-harm",
			test_an_unknown_keyid_does_not_count_and_does_no_harm);
	g_test_add_func("/threshold/a-signature-under-another-keyid-does-not-count",
			test_a_signature_under_another_keyid_does_not_count);
	g_test_add_func("/threshold/unreadable-signatures-do-not-count-and-do-no-harm",
			test_unreadable_signatures_do_not_count_and_do_no_harm);
	g_test_add_func("/threshold/an-entry-without-a-signature-does-not-count",
			test_an_entry_without_a_signature_does_not_count);
	g_test_add_func("/threshold/signatures-of-a-wrong-form-are-refused",
			test_signatures_of_a_wrong_form_are_refused);
	g_test_add_func("/threshold/a-wrong-form-behind-good-signatures-is-refused",
			test_a_wrong_form_behind_good_signatures_is_refused);
	g_test_add_func("/threshold/the-number-of-signatures-is-bounded",
			test_the_number_of_signatures_is_bounded);
	g_test_add_func("/threshold/the-length-of-a-keyid-is-bounded",
			test_the_length_of_a_keyid_is_bounded);
	g_test_add_func("/threshold/one-key-under-two-keyids-counts-once",
			test_one_key_under_two_keyids_counts_once);
	g_test_add_func("/threshold/a-keyid-listed-twice-counts-once",
			test_a_keyid_listed_twice_counts_once);
	g_test_add_func("/threshold/a-key-that-the-role-does-not-list-does-not-count",
			test_a_key_that_the_role_does_not_list_does_not_count);
	g_test_add_func("/threshold/tuf-keyids-must-be-the-digest-of-the-key",
			test_tuf_keyids_must_be_the_digest_of_the_key);
	g_test_add_func("/threshold/unusable-and-absent-keys-are-listed-and-do-no-harm",
			test_unusable_and_absent_keys_are_listed_and_do_no_harm);
	g_test_add_func("/threshold/roles-of-a-wrong-form-are-refused",
			test_roles_of_a_wrong_form_are_refused);
	g_test_add_func("/threshold/a-threshold-below-one-is-refused",
			test_a_threshold_below_one_is_refused);
	g_test_add_func("/threshold/a-threshold-above-the-number-of-keys-is-never-reached",
			test_a_threshold_above_the_number_of_keys_is_never_reached);
	g_test_add_func("/threshold/the-number-of-keyids-is-bounded",
			test_the_number_of_keyids_is_bounded);
	g_test_add_func("/threshold/the-number-of-keys-is-bounded",
			test_the_number_of_keys_is_bounded);
	g_test_add_func("/threshold/uptane-signatures-are-base64-with-a-method",
			test_uptane_signatures_are_base64_with_a_method);
	g_test_add_func("/threshold/uptane-signatures-are-strict-base64",
			test_uptane_signatures_are_strict_base64);
	g_test_add_func("/threshold/encodings-are-not-mixed", test_encodings_are_not_mixed);
	g_test_add_func("/threshold/roles-are-equal-by-threshold-and-material",
			test_roles_are_equal_by_threshold_and_material);
	g_test_add_func("/threshold/good-keyids-are-told-each-once",
			test_good_keyids_are_told_each_once);
	g_test_add_func("/threshold/no-more-entries-are-looked-at-than-are-allowed",
			test_no_more_entries_are_looked_at_than_are_allowed);
	g_test_add_func("/threshold/a-reference-keeps-the-role", test_a_reference_keeps_the_role);
	g_test_add_func("/threshold/uptane-rsa-has-two-names-of-its-method",
			test_uptane_rsa_has_two_names_of_its_method);
	g_test_add_func("/threshold/the-longest-signature-counts",
			test_the_longest_signature_counts);
	g_test_add_func("/threshold/a-key-without-canonical-form-does-not-count",
			test_a_key_without_canonical_form_does_not_count);
	g_test_add_func("/threshold/roles-of-one-table-share-its-keys",
			test_roles_of_one_table_share_its_keys);
	return g_test_run();
}
