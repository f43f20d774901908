#include "../../verify/bundle_form.h"
#include "../../verify/digest.h"
#include "../support/temp_dir.h"
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A packed bundle that libarchive wrote. Content of a member is its path, over and over. */
typedef struct {
	char *dir;
	char *path;
	char *manifest;
	guint8 *bytes;
	gsize n_bytes;
	SatchelBundleReader *reader;
} Fixture;

#define BUFFER_BYTES (1024u * 1024u)

static const char *const roles[] = {"tuf/1.root.json", "tuf/bundle-targets.json",
				    "tuf/targets.json"};
static const struct {
	const char *path;
	gsize size_bytes;
} members[] = {{"ostree_repo/config", 100},
	       {"ostree_repo/objects/ff/b.commit", 512},
	       {"ostree_repo/objects/00/a.dirtree", 513},
	       {"empty", 0},
	       {"caf\xc3\xa9", 5000},
	       {"last", 1}};

static char *
content_of(const char *path, gsize n_bytes)
{
	char *content = g_malloc(n_bytes + 1);

	for (gsize i = 0; i < n_bytes; i++)
		content[i] = path[i % strlen(path)];
	content[n_bytes] = '\0';
	return content;
}

static void
list(GString *manifest, const char *path, gsize size_bytes)
{
	g_autofree char *content = content_of(path, size_bytes);
	g_autofree char *sha256 = satchel_digest_sha256_hex(content, size_bytes);

	g_string_append(manifest, "./");
	for (const char *c = path; *c != '\0'; c++) {
		if ((guint8)*c < 0x80)
			g_string_append_c(manifest, *c);
		else
			g_string_append_printf(manifest, "\\%03o", (guint8)*c);
	}
	g_string_append_printf(manifest, " type=file size=%" G_GSIZE_FORMAT " sha256digest=%s\n",
			       size_bytes, sha256);
}

static void
put(struct archive *writer, const char *path, const char *content, gsize n_bytes, mode_t kind)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, kind);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (gint64)n_bytes);
	archive_entry_set_mtime(entry, 0, 0);
	g_assert_cmpint(archive_write_header(writer, entry), ==, ARCHIVE_OK);
	g_assert_cmpint(archive_write_data(writer, content, n_bytes), ==, n_bytes);
	archive_entry_free(entry);
}

static void
put_member(struct archive *writer, const char *path, gsize size_bytes)
{
	g_autofree char *content = content_of(path, size_bytes);

	put(writer, path, content, size_bytes, AE_IFREG);
}

static void
fixture_write(const Fixture *self)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_set_contents(self->path, (const char *)self->bytes,
					  (gssize)self->n_bytes, &error));
}

static void
fixture_make(Fixture *self)
{
	g_autoptr(GString) manifest = g_string_new("#mtree\n");
	struct archive *writer = archive_write_new();

	memset(self, 0, sizeof *self);
	self->dir = temp_dir_new();
	self->path = g_build_filename(self->dir, "b.satchel", NULL);
	self->bytes = g_malloc0(BUFFER_BYTES);
	g_assert_cmpint(archive_write_set_format_pax_restricted(writer), ==, ARCHIVE_OK);
	g_assert_cmpint(
		archive_write_open_memory(writer, self->bytes, BUFFER_BYTES, &self->n_bytes), ==,
		ARCHIVE_OK);
	list(manifest, "tuf/1.root.json", 600);
	list(manifest, "tuf/targets.json", 600);
	for (guint i = 0; i < G_N_ELEMENTS(members); i++)
		list(manifest, members[i].path, members[i].size_bytes);
	for (guint i = 0; i < G_N_ELEMENTS(roles); i++)
		put_member(writer, roles[i], 600);
	put(writer, "ostree_repo/tmp", "", 0, AE_IFDIR);
	put(writer, "manifest.mtree", manifest->str, manifest->len, AE_IFREG);
	for (guint i = 0; i < G_N_ELEMENTS(members); i++)
		put_member(writer, members[i].path, members[i].size_bytes);
	archive_write_free(writer);
	/* In memory, it leaves the last record short. */
	self->n_bytes = (self->n_bytes + 10239) / 10240 * 10240;
	self->manifest = g_string_free(g_steal_pointer(&manifest), FALSE);
	fixture_write(self);
}

static gboolean
fixture_open(Fixture *self, GError **error)
{
	self->reader = satchel_bundle_reader_open(self->path, error);
	return self->reader != NULL;
}

static void
fixture_close(Fixture *self)
{
	g_clear_pointer(&self->reader, satchel_bundle_reader_free);
}

static gboolean
fixture_accept(Fixture *self, GError **error)
{
	gsize n_bytes = strlen(self->manifest);
	g_autofree char *sha256 = satchel_digest_sha256_hex(self->manifest, n_bytes);

	return satchel_bundle_reader_accept_manifest(self->reader, sha256, n_bytes, error);
}

static void
fixture_clear(Fixture *self)
{
	fixture_close(self);
	temp_dir_free(self->dir);
	g_free(self->path);
	g_free(self->manifest);
	g_free(self->bytes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static void
assert_reads(Fixture *self, const char *path, gsize size_bytes)
{
	g_autofree char *content = content_of(path, size_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) found =
		satchel_bundle_reader_read(self->reader, path, size_bytes, &error);

	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(found, NULL), g_bytes_get_size(found), content,
			size_bytes);
}

static void
assert_reads_all(Fixture *self)
{
	for (guint i = 0; i < G_N_ELEMENTS(roles); i++)
		assert_reads(self, roles[i], 600);
	for (guint i = 0; i < G_N_ELEMENTS(members); i++)
		assert_reads(self, members[i].path, members[i].size_bytes);
}

static void
test_all_members_are_where_the_manifest_says(void)
{
	for (gsize accepted = 0; accepted < 2; accepted++) {
		g_auto(Fixture) self;
		g_autoptr(GError) error = NULL;
		guint64 last = 0;

		fixture_make(&self);
		g_assert_true(fixture_open(&self, &error));
		g_assert_true(accepted == 0 || fixture_accept(&self, &error));
		assert_reads_all(&self);
		for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
			SatchelBundlePlace place;

			g_assert_true(satchel_bundle_reader_find(self.reader, members[i].path,
								 &place, &error));
			g_assert_cmpuint(place.place, >, last);
			last = place.place;
			g_assert_true((satchel_bundle_reader_get_signed_sha256(
					       self.reader, members[i].path) != NULL) ==
				      (accepted == 1));
		}
		g_assert_true(satchel_bundle_reader_check_layout(self.reader, &error));
		g_assert_no_error(error);
	}
}

static void
test_kinds_and_absence_are_told(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	SatchelBundleStat info;
	guint8 byte;

	fixture_make(&self);
	g_assert_true(fixture_open(&self, &error));
	g_assert_true(satchel_bundle_reader_stat(self.reader, "ostree_repo/tmp", &info, &error));
	g_assert_true(S_ISDIR(info.mode));
	g_assert_true(satchel_bundle_reader_stat(self.reader, "empty", &info, &error));
	g_assert_true(S_ISREG(info.mode));
	g_assert_cmpuint(info.size_bytes, ==, 0);
	for (guint i = 0; i < 3; i++) {
		static const char *const absent[] = {"tuf/2.root.json", "ostree_repo", "x/y"};

		g_assert_null(satchel_bundle_reader_read(self.reader, absent[i], 1, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
		g_clear_error(&error);
	}
	/* Not into the next member. */
	g_assert_false(satchel_bundle_reader_read_at(self.reader, "last", 1, &byte, 1, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	satchel_bundle_reader_will_need(self.reader, "last", 0, G_MAXUINT64);
	satchel_bundle_reader_drop_cache(self.reader, "last", 0, G_MAXUINT64);
	satchel_bundle_reader_will_need(self.reader, "absent", 0, 1);
	g_assert_null(self.reader->form->read_link);
}

static gboolean
count(const char *member, const SatchelBundleStat *info, gpointer user_data, GError **error)
{
	guint *n_left = user_data;

	if (--*n_left > 0)
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, member);
	return FALSE;
}

static void
test_a_walk_meets_every_member_once(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;
	guint n_left = 100;

	fixture_make(&self);
	g_assert_true(fixture_open(&self, &error));
	g_assert_true(satchel_bundle_reader_walk(self.reader, count, &n_left, &error));
	g_assert_cmpuint(100 - n_left, ==, G_N_ELEMENTS(roles) + 2 + G_N_ELEMENTS(members));
	n_left = 2;
	g_assert_false(satchel_bundle_reader_walk(self.reader, count, &n_left, &error));
	g_assert_cmpstr(error->message, ==, "tuf/bundle-targets.json");
	g_clear_error(&error);
	n_left = 6;
	g_assert_false(satchel_bundle_reader_walk(self.reader, count, &n_left, &error));
	g_assert_cmpstr(error->message, ==, "ostree_repo/config");
}

/* Everything that a reader believes about the bundle, as text. */
static char *
layout_of(Fixture *self)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(roles) + G_N_ELEMENTS(members); i++) {
		const char *path =
			i < G_N_ELEMENTS(roles) ? roles[i] : members[i - G_N_ELEMENTS(roles)].path;
		SatchelBundlePlace place = {0};

		g_assert_true(satchel_bundle_reader_find(self->reader, path, &place, &error));
		g_string_append_printf(text, "%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
				       path, place.place, place.size_bytes);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean
is_role_content(gsize at)
{
	return at < G_N_ELEMENTS(roles) * 1536 && at % 1536 >= 512;
}

/* Any changed byte up to the end of the manifest is refused, but those of roles, which are signed
 * themselves, and of what means nothing: the filling behind contents, and the end of a checksum. */
static void
test_every_changed_byte_of_the_head_is_seen(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) none = NULL;
	g_autofree char *good = NULL;
	gsize n_head, n_harmless = 0, manifest_at = G_N_ELEMENTS(roles) * 1536 + 1024;
	int fd;

	fixture_make(&self);
	n_head = manifest_at + (strlen(self.manifest) + 511) / 512 * 512;
	g_assert_true(fixture_open(&self, &none) && fixture_accept(&self, &none));
	good = layout_of(&self);
	fixture_close(&self);
	fd = open(self.path, O_WRONLY | O_CLOEXEC);
	for (gsize i = 0; i < n_head; i++) {
		g_autoptr(GError) error = NULL;
		guint8 changed = self.bytes[i] ^ (guint8)(1u << i % 8);

		if (is_role_content(i))
			continue;
		g_assert_cmpint(pwrite(fd, &changed, 1, (off_t)i), ==, 1);
		if (fixture_open(&self, &error) && fixture_accept(&self, &error)) {
			g_autofree char *found = layout_of(&self);

			g_assert_cmpstr(found, ==, good);
			n_harmless++;
		} else {
			g_assert_nonnull(error);
		}
		fixture_close(&self);
		g_assert_cmpint(pwrite(fd, self.bytes + i, 1, (off_t)i), ==, 1);
	}
	close(fd);
	/* The filling behind the manifest, and two bytes of each of five headers. */
	g_assert_cmpuint(n_harmless, <=, n_head - manifest_at - strlen(self.manifest) + 5 * 2);
}

/* The full check sees what the hashes do not protect: headers, and zeros between members. */
static void
test_the_layout_is_checked_byte_by_byte(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) none = NULL;
	guint n_unseen = 0;
	int fd;

	fixture_make(&self);
	g_assert_true(fixture_open(&self, &none) && fixture_accept(&self, &none));
	fd = open(self.path, O_WRONLY | O_CLOEXEC);
	for (gsize i = 0; i < self.n_bytes; i++) {
		g_autoptr(GError) error = NULL;
		guint8 changed = self.bytes[i] ^ (guint8)(1u << i % 7);

		g_assert_cmpint(pwrite(fd, &changed, 1, (off_t)i), ==, 1);
		n_unseen += satchel_bundle_reader_check_layout(self.reader, &error) ? 1 : 0;
		g_assert_cmpint(pwrite(fd, self.bytes + i, 1, (off_t)i), ==, 1);
	}
	close(fd);
	/* Contents, which have hashes; the headers of the head, which were read by then; the bytes
	 * behind each checksum. */
	g_assert_cmpuint(n_unseen, <=,
			 3 * 600 + strlen(self.manifest) + 100 + 512 + 513 + 5000 + 1 + 5 * 512 +
				 8 * 2 + 512);
}

static void
assert_refused(Fixture *self, gboolean accept, SatchelError code, const char *words)
{
	g_autoptr(GError) error = NULL;

	fixture_write(self);
	if (fixture_open(self, &error) && (!accept || fixture_accept(self, &error)))
		g_assert_null(satchel_bundle_reader_read(self->reader, "last", 1, &error));
	g_assert_error(error, SATCHEL_ERROR, (int)code);
	if (strstr(error->message, words) == NULL)
		g_error("'%s' is not in '%s'", words, error->message);
	fixture_close(self);
}

static void
test_a_length_that_is_not_the_sum_is_refused(void)
{
	g_auto(Fixture) self;
	gsize n_bytes;

	fixture_make(&self);
	n_bytes = self.n_bytes;
	for (gsize cut = 512; cut < n_bytes; cut += 512) {
		g_autoptr(GError) error = NULL;

		self.n_bytes = cut;
		fixture_write(&self);
		if (fixture_open(&self, &error) && fixture_accept(&self, &error)) {
			assert_reads_all(&self);
			g_assert_cmpuint(cut, >, n_bytes - 10240);
		} else {
			g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
			g_assert_nonnull(
				strstr(error->message, "the copy is incomplete: copy it again"));
		}
		fixture_close(&self);
	}
	self.n_bytes = n_bytes + 10241;
	memset(self.bytes + n_bytes, 0, 10241);
	assert_refused(&self, TRUE, SATCHEL_ERROR_BUNDLE_INVALID, "longer");
	assert_refused(&self, FALSE, SATCHEL_ERROR_DOWNLOAD_FAILED, "longer");
}

static void
test_what_grows_or_shrinks_while_it_is_read_is_an_error(void)
{
	g_auto(Fixture) self;
	g_autoptr(GError) error = NULL;

	fixture_make(&self);
	g_assert_true(fixture_open(&self, &error) && fixture_accept(&self, &error));
	g_assert_cmpint(truncate(self.path, 4096), ==, 0);
	g_assert_null(satchel_bundle_reader_read(self.reader, "last", 1, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_nonnull(strstr(error->message, "last, byte 0: it ends there"));
	g_assert_false(satchel_bundle_reader_check_layout(self.reader, NULL));
}

/* Writes the bytes as parts; returns their number. */
static guint
split(const Fixture *self, gsize part_bytes)
{
	guint n_parts = 0;

	for (gsize at = 0; at < self->n_bytes; at += part_bytes) {
		g_autofree char *name = g_strdup_printf("%s.%03u", self->path, n_parts++);
		g_autoptr(GError) error = NULL;

		g_assert_true(g_file_set_contents(name, (const char *)self->bytes + at,
						  (gssize)MIN(part_bytes, self->n_bytes - at),
						  &error));
	}
	return n_parts;
}

static void
test_a_set_may_be_cut_anywhere(void)
{
	for (gsize part_bytes = 100; part_bytes < 20000; part_bytes += 517) {
		g_auto(Fixture) self;
		g_autofree char *first = NULL;
		g_autoptr(GError) error = NULL;

		fixture_make(&self);
		(void)split(&self, part_bytes);
		first = g_strconcat(self.path, ".000", NULL);
		if (self.n_bytes / part_bytes < 1000) {
			self.reader = satchel_bundle_reader_open(first, &error);
			g_assert_no_error(error);
			g_assert_true(fixture_accept(&self, &error));
			assert_reads_all(&self);
			g_assert_true(satchel_bundle_reader_check_layout(self.reader, &error));
		}
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_assert_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	g_test_add_func("/bundle-packed/all-members-are-where-the-manifest-says",
			test_all_members_are_where_the_manifest_says);
	g_test_add_func("/bundle-packed/kinds-and-absence-are-told",
			test_kinds_and_absence_are_told);
	g_test_add_func("/bundle-packed/a-walk-meets-every-member-once",
			test_a_walk_meets_every_member_once);
	g_test_add_func("/bundle-packed/every-changed-byte-of-the-head-is-seen",
			test_every_changed_byte_of_the_head_is_seen);
	g_test_add_func("/bundle-packed/the-layout-is-checked-byte-by-byte",
			test_the_layout_is_checked_byte_by_byte);
	g_test_add_func("/bundle-packed/a-length-that-is-not-the-sum-is-refused",
			test_a_length_that_is_not_the_sum_is_refused);
	g_test_add_func("/bundle-packed/what-grows-or-shrinks-while-it-is-read-is-an-error",
			test_what_grows_or_shrinks_while_it_is_read_is_an_error);
	g_test_add_func("/bundle-packed/a-set-may-be-cut-anywhere", test_a_set_may_be_cut_anywhere);
	return g_test_run();
}
