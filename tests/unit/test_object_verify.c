#include "../../verify/digest.h"
#include "../../verify/hex.h"
#include "../../verify/object_verify.h"
#include <libdeflate.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_CONTENT 4096u

/* A `.filez` with this content, and its checksum. */
typedef struct {
	GByteArray *stored;
	gsize n_header_bytes;
	guint8 checksum[32];
	guint8 sha256[32]; /* of what is stored */
} Object;

static void
object_clear(Object *self)
{
	g_byte_array_unref(self->stored);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Object, object_clear)

static void
digest_of(gconstpointer data, gsize n_bytes, guint8 sha256[32])
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);

	satchel_digest_update(digest, data, n_bytes);
	satchel_digest_finish_raw(digest, sha256);
}

static void
append_header(GByteArray *stored, const char *link, gsize size_bytes)
{
	g_autoptr(GVariant) none =
		g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(ayay)"), NULL, 0));
	guint32 mode = link != NULL ? S_IFLNK | 0777 : S_IFREG | 0644;
	g_autoptr(GVariant) header = g_variant_ref_sink(
		g_variant_new("(tuuuus@a(ayay))", GUINT64_TO_BE((guint64)size_bytes), 0, 0,
			      GUINT32_TO_BE(mode), 0, link != NULL ? link : "", none));
	guint32 length = GUINT32_TO_BE((guint32)g_variant_get_size(header));
	static const guint8 padding[4] = {0};

	g_byte_array_append(stored, (const guint8 *)&length, sizeof length);
	g_byte_array_append(stored, padding, sizeof padding);
	g_byte_array_append(stored, g_variant_get_data(header), (guint)g_variant_get_size(header));
}

static void
append_deflated(GByteArray *stored, const guint8 *content, gsize n_bytes)
{
	struct libdeflate_compressor *deflater = libdeflate_alloc_compressor(6);
	gsize bound = libdeflate_deflate_compress_bound(deflater, n_bytes);
	g_autofree guint8 *deflated = g_malloc(bound);
	gsize n_made = libdeflate_deflate_compress(deflater, content, n_bytes, deflated, bound);

	g_assert_cmpuint(n_made, >, 0);
	g_byte_array_append(stored, deflated, (guint)n_made);
	libdeflate_free_compressor(deflater);
}

/* @claimed_bytes: what the header says of the content's size */
static Object
object_new(const char *link, const guint8 *content, gsize n_bytes, gsize claimed_bytes)
{
	Object self = {.stored = g_byte_array_new()};
	g_auto(SatchelFileHeader) header = {0};
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autoptr(GBytes) prefix = NULL;
	gsize consumed = 0;

	append_header(self.stored, link, claimed_bytes);
	self.n_header_bytes = self.stored->len;
	g_assert_true(satchel_file_header_parse_archive(self.stored->data, self.stored->len,
							&header, &consumed, NULL));
	prefix = satchel_file_header_to_checksum_prefix(&header);
	if (link == NULL)
		append_deflated(self.stored, content, n_bytes);
	satchel_digest_update(digest, g_bytes_get_data(prefix, NULL), g_bytes_get_size(prefix));
	satchel_digest_update(digest, content, n_bytes);
	satchel_digest_finish_raw(digest, self.checksum);
	digest_of(self.stored->data, self.stored->len, self.sha256);
	return self;
}

static SatchelVerifyOutcome
check_as(const Object *object, SatchelObjectType type, const guint8 *signed_sha256,
	 GByteArray *content, GError **error)
{
	g_autoptr(SatchelObjectVerifier) verifier = satchel_object_verifier_new(MAX_CONTENT);
	const SatchelStoredObject stored = {
		.type = type,
		.checksum = object->checksum,
		.signed_sha256 = signed_sha256,
		.data = object->stored->data,
		.n_bytes = object->stored->len,
	};
	SatchelVerifiedObject verified = {0};
	SatchelVerifyOutcome outcome =
		satchel_object_verifier_check(verifier, &stored, &verified, error);

	g_assert_true(outcome == SATCHEL_VERIFY_GOOD || verified.content == NULL);
	if (outcome == SATCHEL_VERIFY_GOOD && content != NULL)
		g_byte_array_append(content, verified.content, (guint)verified.n_content_bytes);
	return outcome;
}

static SatchelVerifyOutcome
check(const Object *object, GError **error)
{
	return check_as(object, SATCHEL_OBJECT_FILE, object->sha256, NULL, error);
}

/* Refused for this reason; the manifest agrees with what is stored. */
static void
assert_bad(Object *object, const char *reason)
{
	g_autoptr(GError) error = NULL;

	digest_of(object->stored->data, object->stored->len, object->sha256);
	g_assert_cmpint(check(object, &error), ==, SATCHEL_VERIFY_BAD);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_nonnull(strstr(error->message, reason));
}

static const guint8 text[] = "content content content content";

static void
test_good_file_gives_its_content(void)
{
	g_auto(Object) object = object_new(NULL, text, sizeof text, sizeof text);
	g_autoptr(GByteArray) content = g_byte_array_new();
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(check_as(&object, SATCHEL_OBJECT_FILE, object.sha256, content, &error), ==,
			SATCHEL_VERIFY_GOOD);
	g_assert_cmpmem(content->data, content->len, text, sizeof text);
	/* Without a manifest the content's hash is enough. */
	g_assert_cmpint(check_as(&object, SATCHEL_OBJECT_FILE, NULL, NULL, &error), ==,
			SATCHEL_VERIFY_GOOD);
}

static void
test_empty_file_and_link_are_good(void)
{
	g_auto(Object) empty = object_new(NULL, text, 0, 0);
	g_auto(Object) link = object_new("target", text, 0, 0);

	g_assert_cmpint(check(&empty, NULL), ==, SATCHEL_VERIFY_GOOD);
	g_assert_cmpint(check(&link, NULL), ==, SATCHEL_VERIFY_GOOD);
}

static void
test_manifest_has_the_first_word(void)
{
	g_auto(Object) object = object_new(NULL, text, sizeof text, sizeof text);
	g_autoptr(GError) error = NULL;

	/* Nothing that follows would be parsed: it is no header. */
	memset(object.stored->data, 0xff, object.stored->len);
	g_assert_cmpint(check(&object, &error), ==, SATCHEL_VERIFY_BAD);
	g_assert_nonnull(strstr(error->message, "manifest"));
}

static void
test_other_content_is_bad(void)
{
	g_auto(Object) object = object_new(NULL, text, sizeof text, sizeof text);

	object.checksum[31] ^= 1;
	assert_bad(&object, "does not match the object's hash");
}

static void
test_sizes_must_agree(void)
{
	g_auto(Object) longer = object_new(NULL, text, sizeof text, sizeof text - 1);
	g_auto(Object) shorter = object_new(NULL, text, sizeof text, sizeof text + 1);
	g_auto(Object) absurd = object_new(NULL, text, sizeof text, 1u << 30);

	assert_bad(&longer, "longer than its header says");
	assert_bad(&shorter, "shorter than its header says");
	assert_bad(&absurd, "claims more content");
}

static void
test_damaged_and_cut_data_are_bad(void)
{
	g_auto(Object) cut = object_new(NULL, text, sizeof text, sizeof text);
	g_auto(Object) headless = object_new(NULL, text, sizeof text, sizeof text);

	g_byte_array_set_size(cut.stored, cut.stored->len - 3);
	assert_bad(&cut, "damaged or cut short");
	g_byte_array_set_size(headless.stored, 5);
	assert_bad(&headless, "header");
}

static void
test_nothing_may_follow(void)
{
	g_auto(Object) file = object_new(NULL, text, sizeof text, sizeof text);
	g_auto(Object) link = object_new("target", text, 0, 0);

	g_byte_array_append(file.stored, text, 1);
	assert_bad(&file, "something follows the compressed data");
	g_byte_array_append(link.stored, text, 1);
	assert_bad(&link, "something follows the symbolic link");
}

static void
test_content_beyond_the_bound_is_neither(void)
{
	g_autofree guint8 *zeros = g_malloc0(MAX_CONTENT + 1);
	g_auto(Object) at = object_new(NULL, zeros, MAX_CONTENT, MAX_CONTENT);
	g_auto(Object) beyond = object_new(NULL, zeros, MAX_CONTENT + 1, MAX_CONTENT + 1);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(check(&at, &error), ==, SATCHEL_VERIFY_GOOD);
	g_assert_cmpint(check(&beyond, &error), ==, SATCHEL_VERIFY_TOO_LARGE);
	g_assert_no_error(error);
}

static void
test_metadata_is_hashed_as_it_is(void)
{
	Object tree = {.stored = g_byte_array_new()};
	g_autoptr(GByteArray) content = g_byte_array_new();
	guint8 other[32] = {0};

	g_byte_array_append(tree.stored, text, sizeof text);
	digest_of(text, sizeof text, tree.checksum);
	g_assert_cmpint(check_as(&tree, SATCHEL_OBJECT_DIR_TREE, tree.checksum, content, NULL), ==,
			SATCHEL_VERIFY_GOOD);
	g_assert_cmpmem(content->data, content->len, text, sizeof text);
	g_assert_cmpint(check_as(&tree, SATCHEL_OBJECT_DIR_TREE, other, NULL, NULL), ==,
			SATCHEL_VERIFY_BAD);
	tree.stored->data[0] ^= 1;
	g_assert_cmpint(check_as(&tree, SATCHEL_OBJECT_DIR_TREE, NULL, NULL, NULL), ==,
			SATCHEL_VERIFY_BAD);
	object_clear(&tree);
}

static void
test_bare_file_is_as_long_as_its_header(void)
{
	g_autoptr(SatchelObjectVerifier) verifier = satchel_object_verifier_new(MAX_CONTENT);
	g_auto(Object) object = object_new(NULL, text, sizeof text, sizeof text);
	g_autoptr(GVariant) none =
		g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(ayay)"), NULL, 0));
	SatchelFileHeader header = {
		.size_bytes = sizeof text, .mode = S_IFREG | 0644, .xattrs = none};
	SatchelStoredObject stored = {.type = SATCHEL_OBJECT_FILE,
				      .checksum = object.checksum,
				      .data = text,
				      .n_bytes = sizeof text,
				      .header = &header};
	SatchelVerifiedObject verified = {0};
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(satchel_object_verifier_check(verifier, &stored, &verified, &error), ==,
			SATCHEL_VERIFY_GOOD);
	g_assert_cmpuint(verified.n_content_bytes, ==, sizeof text);
	header.size_bytes++;
	g_assert_cmpint(satchel_object_verifier_check(verifier, &stored, &verified, &error), ==,
			SATCHEL_VERIFY_BAD);
}

/* A file whose content can be copied by the kernel, or NULL where there is no descriptor. */
static void
assert_content_behind_fd(SatchelObjectVerifier *verifier, gboolean expected)
{
	g_auto(Object) object = object_new(NULL, text, sizeof text, sizeof text);
	const SatchelStoredObject stored = {.type = SATCHEL_OBJECT_FILE,
					    .checksum = object.checksum,
					    .data = object.stored->data,
					    .n_bytes = object.stored->len};
	SatchelVerifiedObject verified = {0};
	guint8 found[sizeof text];

	g_assert_cmpint(satchel_object_verifier_check(verifier, &stored, &verified, NULL), ==,
			SATCHEL_VERIFY_GOOD);
	g_assert_cmpmem(verified.content, verified.n_content_bytes, text, sizeof text);
	g_assert_true((verified.content_fd != NULL) == expected);
	if (!expected)
		return;
	g_assert_cmpint(pread(*verified.content_fd, found, sizeof found, 0), ==, sizeof found);
	g_assert_cmpmem(found, sizeof found, text, sizeof text);
}

static void
test_content_stands_behind_its_descriptor(void)
{
	g_autoptr(SatchelObjectVerifier) verifier = satchel_object_verifier_new(MAX_CONTENT);

	assert_content_behind_fd(verifier, TRUE);
}

static void
test_no_descriptor_is_needed(void)
{
	g_autoptr(SatchelObjectVerifier) verifier = NULL;
	struct rlimit before, none;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	none = (struct rlimit){0, before.rlim_max};
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
	verifier = satchel_object_verifier_new(MAX_CONTENT);
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	assert_content_behind_fd(verifier, FALSE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/object-verify/good", test_good_file_gives_its_content);
	g_test_add_func("/object-verify/empty-and-link", test_empty_file_and_link_are_good);
	g_test_add_func("/object-verify/manifest-first", test_manifest_has_the_first_word);
	g_test_add_func("/object-verify/other-content", test_other_content_is_bad);
	g_test_add_func("/object-verify/sizes", test_sizes_must_agree);
	g_test_add_func("/object-verify/damaged", test_damaged_and_cut_data_are_bad);
	g_test_add_func("/object-verify/nothing-follows", test_nothing_may_follow);
	g_test_add_func("/object-verify/bound", test_content_beyond_the_bound_is_neither);
	g_test_add_func("/object-verify/metadata", test_metadata_is_hashed_as_it_is);
	g_test_add_func("/object-verify/bare", test_bare_file_is_as_long_as_its_header);
	g_test_add_func("/object-verify/descriptor", test_content_stands_behind_its_descriptor);
	g_test_add_func("/object-verify/no-descriptor", test_no_descriptor_is_needed);
	return g_test_run();
}
