#include "../support/temp_dir.h"
#include <satchel/tuf_source_bundle.h>
#include <satchel/tuf_source_http.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	char *dir;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
	g_autofree char *tuf = NULL;

	f->dir = temp_dir_new();
	tuf = g_build_filename(f->dir, "tuf", NULL);
	g_assert_cmpint(g_mkdir(tuf, 0755), ==, 0);
	temp_dir_write(tuf, "2.root.json", "root two");
	temp_dir_write(tuf, "timestamp.json", "timestamp");
	temp_dir_write(tuf, "snapshot.json", "snapshot");
	temp_dir_write(tuf, "7.snapshot.json", "snapshot seven");
	temp_dir_write(tuf, "file", "artifact");
}

static void
tear_down(Fixture *f, gconstpointer data)
{
	temp_dir_free(f->dir);
}

static SatchelTufSource *
directory_source(const Fixture *f)
{
	g_autofree char *tuf = g_build_filename(f->dir, "tuf", NULL);
	g_autoptr(GError) error = NULL;
	SatchelTufSource *source = satchel_tuf_source_directory_new(tuf, tuf, &error);

	g_assert_no_error(error);
	return source;
}

static GBytes *
fetch(SatchelTufSource *source, const char *role, gint64 version, GError **error)
{
	return source->klass->fetch_metadata(source, role, version, 100, error);
}

static void
assert_gives(SatchelTufSource *source, const char *role, gint64 version, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) document = fetch(source, role, version, &error);

	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(document, NULL), g_bytes_get_size(document), text,
			strlen(text));
}

static void
assert_fails(SatchelTufSource *source, const char *role, gint64 version, SatchelError code)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) document = fetch(source, role, version, &error);

	g_assert_error(error, SATCHEL_ERROR, (int)code);
	g_assert_null(document);
}

/* ---- bundle */

static void
test_bundle_has_versions_for_roots_only(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(f->dir, NULL);
	g_autoptr(SatchelTufSource) source = satchel_tuf_source_bundle_new(bundle);

	assert_gives(source, "root", 2, "root two");
	assert_gives(source, "timestamp", 0, "timestamp");
	assert_gives(source, "snapshot", 0, "snapshot");
	assert_gives(source, "snapshot", 7, "snapshot");
	assert_fails(source, "root", 3, SATCHEL_ERROR_METADATA_NOT_FOUND);
	g_assert_null(source->klass->fetch_artifact);
}

static void
test_bundle_with_what_cannot_be_read_is_not_without_it(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(f->dir, NULL);
	g_autoptr(SatchelTufSource) source = satchel_tuf_source_bundle_new(bundle);
	g_autofree char *link = g_build_filename(f->dir, "tuf", "3.root.json", NULL);
	g_autofree char *long_file = g_build_filename(f->dir, "tuf", NULL);
	g_autofree char *text = g_strnfill(101, ' ');

	g_assert_cmpint(symlink("2.root.json", link), ==, 0);
	assert_fails(source, "root", 3, SATCHEL_ERROR_METADATA_DOWNLOAD);
	temp_dir_write(long_file, "4.root.json", text);
	assert_fails(source, "root", 4, SATCHEL_ERROR_METADATA_INVALID);
}

/* ---- directory */

static void
test_directory_is_asked_by_version(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTufSource) source = directory_source(f);

	assert_gives(source, "root", 2, "root two");
	assert_gives(source, "snapshot", 0, "snapshot");
	assert_gives(source, "snapshot", 7, "snapshot seven");
	assert_fails(source, "snapshot", 8, SATCHEL_ERROR_METADATA_NOT_FOUND);
}

static void
test_directory_is_not_left(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTufSource) source = directory_source(f);

	temp_dir_write(f->dir, "outside.json", "outside");
	assert_fails(source, "../outside", 0, SATCHEL_ERROR_METADATA_DOWNLOAD);
}

static void
test_long_role_is_refused(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTufSource) source = directory_source(f);
	g_autofree char *tuf = g_build_filename(f->dir, "tuf", NULL);
	g_autofree char *text = g_strnfill(101, ' ');

	temp_dir_write(tuf, "timestamp.json", text);
	assert_fails(source, "timestamp", 0, SATCHEL_ERROR_METADATA_INVALID);
}

static void
test_missing_directory_is_not_found(Fixture *f, gconstpointer data)
{
	g_autofree char *missing = g_build_filename(f->dir, "missing", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_tuf_source_directory_new(missing, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(satchel_tuf_source_directory_new(f->dir, missing, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
}

static gboolean
collect(gconstpointer data, gsize n_bytes, gpointer user_data, GError **error)
{
	g_string_append_len(user_data, data, (gssize)n_bytes);
	return TRUE;
}

static gboolean
refuse(gconstpointer data, gsize n_bytes, gpointer user_data, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE, "full");
	return FALSE;
}

static void
test_directory_serves_artifacts(Fixture *f, gconstpointer data)
{
	g_autoptr(SatchelTufSource) source = directory_source(f);
	g_autoptr(GString) content = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(source->klass->fetch_artifact(source, "file", 8, collect, content, &error));
	g_assert_cmpstr(content->str, ==, "artifact");
	g_assert_false(source->klass->fetch_artifact(source, "file", 7, collect, content, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_clear_error(&error);
	g_assert_false(source->klass->fetch_artifact(source, "none", 8, collect, content, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_clear_error(&error);
	g_assert_false(source->klass->fetch_artifact(source, "file", 8, refuse, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE);
}

/* ---- HTTP: what is refused before anything is asked */

static void
assert_url(const char *metadata_url, const char *artifact_url, gboolean allow_plain_http,
	   gboolean good)
{
	SatchelTufSourceHttpOptions options = {
		.metadata_url = metadata_url,
		.artifact_url = artifact_url,
		.allow_plain_http = allow_plain_http,
	};
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelTufSource) source = satchel_tuf_source_http_new(&options, &error);

	if (good) {
		g_assert_no_error(error);
		g_assert_nonnull(source);
		return;
	}
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
	g_assert_null(source);
}

static void
test_urls_of_other_schemes_are_refused(void)
{
	assert_url("https://example.org/tuf", NULL, FALSE, TRUE);
	assert_url("HTTPS://example.org/@scope/tuf///", NULL, FALSE, TRUE);
	assert_url("http://example.org/tuf", NULL, FALSE, FALSE);
	assert_url("http://example.org/tuf", NULL, TRUE, TRUE);
	assert_url("https://example.org/", "http://example.org/", FALSE, FALSE);
	assert_url("file:///tuf", NULL, TRUE, FALSE);
	assert_url("ftp://example.org/", NULL, TRUE, FALSE);
	assert_url("/tuf", NULL, TRUE, FALSE);
	assert_url("", NULL, TRUE, FALSE);
	assert_url(NULL, NULL, TRUE, FALSE);
}

static void
test_urls_that_are_no_folder_are_refused(void)
{
	assert_url("https://example.org/tuf?a=b", NULL, FALSE, FALSE);
	assert_url("https://example.org/tuf#a", NULL, FALSE, FALSE);
	assert_url("https://user:word@example.org/", NULL, FALSE, FALSE);
}

#define ADD(path, function)                                                                        \
	g_test_add("/tuf-source/" path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("bundle/versions", test_bundle_has_versions_for_roots_only);
	ADD("bundle/unreadable", test_bundle_with_what_cannot_be_read_is_not_without_it);
	ADD("directory/versions", test_directory_is_asked_by_version);
	ADD("directory/not-left", test_directory_is_not_left);
	ADD("directory/long", test_long_role_is_refused);
	ADD("directory/missing", test_missing_directory_is_not_found);
	ADD("directory/artifacts", test_directory_serves_artifacts);
	g_test_add_func("/tuf-source/http/schemes", test_urls_of_other_schemes_are_refused);
	g_test_add_func("/tuf-source/http/no-folder", test_urls_that_are_no_folder_are_refused);
	return g_test_run();
}
