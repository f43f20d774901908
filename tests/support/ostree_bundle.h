#pragma once
#include "../../verify/digest.h"
#include "../../verify/ostree_object.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/*
 * A bundle in a temporary folder with a repository that the real ostree program made, for unit
 * tests. Functions fail the test that calls them.
 */
typedef struct {
	char *dir; /* the temporary folder */
	char *bundle;
	char *commit;
} OstreeBundle;

static inline char *
ostree_bundle_run(const char *const *argv)
{
	g_autofree char *out = NULL;
	g_autofree char *err = NULL;
	g_autoptr(GError) error = NULL;
	int status = 0;

	g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
		     &err, &status, &error);
	g_assert_no_error(error);
	if (status != 0)
		g_error("%s: %s", argv[0], err);
	return g_strstrip(g_steal_pointer(&out));
}

static inline void
ostree_bundle_write(const char *dir, const char *name, const char *content, gsize n_bytes,
		    mode_t mode)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
	g_file_set_contents(path, content, (gssize)n_bytes, &error);
	g_assert_no_error(error);
	g_assert_cmpint(chmod(path, mode), ==, 0);
}

/* A tree with all that a file can be: empty, large, deep, setuid, non-ASCII, linked. */
static inline void
ostree_bundle_fill(const char *tree)
{
	g_autofree char *big = g_malloc(300000);
	guint32 state = 1;
	g_autofree char *link = g_build_filename(tree, "usr/bin/sh", NULL);
	g_autofree char *attributed = g_build_filename(tree, "usr/attributed", NULL);
	g_autofree char *empty_folder = g_build_filename(tree, "var", NULL);

	/* Does not compress, so that it takes many reads. */
	for (guint i = 0; i < 300000; i++) {
		state = state * 1664525u + 1013904223u;
		big[i] = (char)(state >> 24);
	}
	ostree_bundle_write(tree, "usr/bin/su", "su\n", 3, 04755);
	ostree_bundle_write(tree, "usr/bin/true", "true\n", 5, 0755);
	ostree_bundle_write(tree, "usr/lib/big", big, 300000, 0644);
	ostree_bundle_write(tree, "usr/lib/empty", "", 0, 0600);
	ostree_bundle_write(tree, "usr/share/caf\xc3\xa9/\xe6\x97\xa5", "x", 1, 0644);
	ostree_bundle_write(tree, "a/b/c/d/e/f/g/h/i/j/k", "deep", 4, 0644);
	ostree_bundle_write(tree, "usr/copy-of-true", "true\n", 5, 0755);
	ostree_bundle_write(tree, "usr/attributed", "with an attribute", 17, 0644);
	if (setxattr(attributed, "user.satchel", "value", 5, 0) != 0)
		g_assert_cmpint(errno, ==, ENOTSUP);
	g_assert_cmpint(symlink("true", link), ==, 0);
	g_assert_cmpint(g_mkdir(empty_folder, 0755), ==, 0);
}

/* Next to the build, because /tmp may have no extended attributes. */
static inline char *
ostree_bundle_temp_dir(void)
{
	const char *build = g_getenv("SATCHEL_BUILD");
	g_autofree char *template =
		g_build_filename(build != NULL ? build : g_get_tmp_dir(), "test-XXXXXX", NULL);

	g_assert_nonnull(g_mkdtemp(template));
	return g_steal_pointer(&template);
}

/* FALSE, and the test is skipped, where the file system has no extended attributes. */
static inline gboolean
ostree_bundle_can_have_attributes(void)
{
	g_autofree char *dir = ostree_bundle_temp_dir();
	gboolean can = setxattr(dir, "user.satchel", "value", 5, 0) == 0;

	g_assert_cmpint(rmdir(dir), ==, 0);
	if (!can)
		g_test_skip("no extended attributes");
	return can;
}

static inline OstreeBundle
ostree_bundle_new(const char *mode)
{
	OstreeBundle self = {0};
	g_autofree char *tree = NULL;
	g_autofree char *repo = NULL;
	g_autofree char *tuf = NULL;
	g_autofree char *repo_option = NULL;
	g_autofree char *mode_option = g_strconcat("--mode=", mode, NULL);
	g_autofree char *unused = NULL;

	self.dir = ostree_bundle_temp_dir();
	self.bundle = g_build_filename(self.dir, "bundle", NULL);
	tree = g_build_filename(self.dir, "tree", NULL);
	repo = g_build_filename(self.bundle, "ostree_repo", NULL);
	tuf = g_build_filename(self.bundle, "tuf", NULL);
	repo_option = g_strconcat("--repo=", repo, NULL);
	g_assert_cmpint(g_mkdir_with_parents(tuf, 0755), ==, 0);
	ostree_bundle_fill(tree);
	unused = ostree_bundle_run(
		(const char *const[]){"ostree", repo_option, "init", mode_option, NULL});
	self.commit = ostree_bundle_run((const char *const[]){
		"ostree", repo_option, "commit", "--branch=x", "--timestamp=@1700000000",
		strcmp(mode, "bare-user-only") == 0 ? "--canonical-permissions" : "--subject=test",
		tree, NULL});
	return self;
}

static inline void
ostree_bundle_clear(OstreeBundle *self)
{
	g_free(ostree_bundle_run((const char *const[]){"rm", "-rf", self->dir, NULL}));
	g_free(self->dir);
	g_free(self->bundle);
	g_free(self->commit);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OstreeBundle, ostree_bundle_clear)

/* Where an object of the bundle is on disk. (transfer full) */
static inline char *
ostree_bundle_object(const OstreeBundle *self, SatchelObjectType type, const char *checksum)
{
	g_autofree char *path = satchel_object_path(type, checksum, TRUE);

	return g_build_filename(self->bundle, "ostree_repo/objects", path, NULL);
}
