#include "../../installer/app_folder.h"
#include "../support/app_builder.h"
#include "../support/temp_dir.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN ".satchel.json"
#define COMPOSE                                                                                    \
	{                                                                                          \
		.path = "docker-compose.yml", .content = "services: {}\n"                          \
	}

/* The folder of all apps, and that of the app "web" in it. */
typedef struct {
	char *path;
	char *app;
	int fd;
} Root;

static void
root_init(Root *self)
{
	self->path = temp_dir_new();
	self->app = g_build_filename(self->path, "web", NULL);
	self->fd = open(self->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(self->fd, >=, 0);
}

static void
root_clear(Root *self)
{
	close(self->fd);
	g_free(self->app);
	temp_dir_free(self->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Root, root_clear)

static gboolean
stage(const Root *root, const AppTarEntry *entries, const char *own, GError **error)
{
	g_autoptr(GBytes) archive = app_tar_new(entries);
	g_autoptr(GBytes) content = g_bytes_new(own, strlen(own));

	return satchel_app_folder_stage(root->fd, "web", archive, OWN, content, error);
}

static void
put(const Root *root, const AppTarEntry *entries, const char *own)
{
	g_autoptr(GError) error = NULL;
	gboolean good = stage(root, entries, own, &error) &&
			satchel_app_folder_place(root->fd, "web", OWN, &error);

	g_assert_no_error(error);
	g_assert_true(good);
}

static void
assert_files(const Root *root, const char *expected)
{
	g_autofree char *names = temp_dir_list(root->app);

	g_assert_cmpstr(names, ==, expected);
}

static void
assert_content(const Root *root, const char *name, const char *expected)
{
	g_autoptr(GBytes) content = temp_dir_read(root->app, name);

	g_assert_cmpmem(g_bytes_get_data(content, NULL), g_bytes_get_size(content), expected,
			strlen(expected));
}

static void
test_hidden_names_are_placed(void)
{
	g_auto(Root) root = {0};
	const AppTarEntry entries[] = {COMPOSE,
				       {.path = ".config/", .type = AE_IFDIR},
				       {.path = ".config/x", .content = "x"},
				       {.path = ".env", .content = "A=1\n"},
				       {0}};

	root_init(&root);
	put(&root, entries, "one");
	put(&root, entries, "two");
	assert_files(&root, ".config/x .env .satchel-files " OWN " docker-compose.yml");
	assert_content(&root, ".config/x", "x");
	assert_content(&root, OWN, "two");
}

static void
test_a_file_may_become_a_folder_and_come_back(void)
{
	g_auto(Root) root = {0};
	const AppTarEntry flat[] = {COMPOSE,
				    {.path = "a", .content = "file"},
				    {.path = "b/", .type = AE_IFDIR},
				    {.path = "b/c/d", .content = "deep"},
				    {.path = "link", .type = AE_IFLNK, .link = "a"},
				    {0}};
	const AppTarEntry deep[] = {COMPOSE,
				    {.path = "a/below/x", .content = "x"},
				    {.path = "b", .content = "file"},
				    {.path = "link/", .type = AE_IFDIR},
				    {0}};

	root_init(&root);
	put(&root, flat, "flat");
	put(&root, deep, "deep");
	assert_files(&root, ".satchel-files " OWN " a/below/x b docker-compose.yml");
	put(&root, flat, "flat");
	assert_files(&root, ".satchel-files " OWN " a b/c/d docker-compose.yml link");
}

static void
test_folders_that_no_entry_names_go_with_their_files(void)
{
	g_auto(Root) root = {0};
	const AppTarEntry entries[] = {COMPOSE, {.path = "conf/sub/x", .content = "x"}, {0}};
	const AppTarEntry fewer[] = {COMPOSE, {0}};
	g_autofree char *conf = NULL;

	root_init(&root);
	conf = g_build_filename(root.app, "conf", NULL);
	put(&root, entries, "one");
	put(&root, fewer, "two");
	g_assert_false(g_file_test(conf, G_FILE_TEST_EXISTS));
	put(&root, entries, "one");
	satchel_app_folder_remove(root.fd, "web");
	g_assert_false(g_file_test(root.app, G_FILE_TEST_EXISTS));
}

static void
test_what_a_service_has_written_stays(void)
{
	g_auto(Root) root = {0};
	const AppTarEntry entries[] = {COMPOSE, {.path = "data/", .type = AE_IFDIR}, {0}};
	const AppTarEntry fewer[] = {COMPOSE, {0}};

	root_init(&root);
	put(&root, entries, "one");
	temp_dir_write(root.app, "data/mine", "x");
	put(&root, fewer, "two");
	assert_files(&root, ".satchel-files " OWN " data/mine docker-compose.yml");
	satchel_app_folder_remove(root.fd, "web");
	assert_files(&root, "data/mine");
}

/* What a service has put in the way of a new file stands for a power cut in the middle. */
static void
test_cut_off_the_folder_is_of_no_version_and_all_is_listed(void)
{
	g_auto(Root) root = {0};
	const AppTarEntry old[] = {COMPOSE, {.path = "old", .content = "x"}, {0}};
	const AppTarEntry new[] = {
		{.path = "early", .content = "x"}, {.path = "taken", .content = "x"}, COMPOSE, {0}};
	g_autofree char *taken = NULL;
	g_autoptr(GBytes) own = NULL;
	g_autoptr(GError) error = NULL;

	root_init(&root);
	put(&root, old, "old");
	taken = g_build_filename(root.app, "taken/mine", NULL);
	g_assert_cmpint(g_mkdir_with_parents(taken, 0755), ==, 0);
	g_assert_true(stage(&root, new, "new", NULL));
	g_assert_false(satchel_app_folder_place(root.fd, "web", OWN, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, "taken"));
	assert_files(&root, ".satchel-files docker-compose.yml early");
	own = satchel_app_folder_read(root.fd, "web", OWN, 100);
	g_assert_null(own);
	assert_content(&root, SATCHEL_APP_FOLDER_LIST,
		       "f docker-compose.yml\nf old\nf early\nf taken\n");

	put(&root, old, "old");
	assert_files(&root, ".satchel-files " OWN " docker-compose.yml old");
	own = satchel_app_folder_read(root.fd, "web", OWN, 100);
	g_assert_cmpuint(g_bytes_get_size(own), ==, 3);
}

static void
test_our_own_names_are_refused(void)
{
	static const char *const names[] = {OWN, SATCHEL_APP_FOLDER_LIST, ".satchel-x/y"};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_auto(Root) root = {0};
		const AppTarEntry entries[] = {COMPOSE, {.path = names[i], .content = "x"}, {0}};
		g_autoptr(GError) error = NULL;

		root_init(&root);
		g_assert_false(stage(&root, entries, "one", &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
		g_assert_nonnull(strstr(error->message, "satchel's own"));
	}
}

static void
test_folders_of_ours_are_told_from_others(void)
{
	g_auto(Root) root = {0};
	const AppTarEntry entries[] = {COMPOSE, {0}};
	g_autofree char *other = NULL;
	g_auto(GStrv) apps = NULL;

	root_init(&root);
	put(&root, entries, "one");
	g_assert_true(stage(&root, entries, "two", NULL));
	other = g_build_filename(root.path, "other", NULL);
	g_assert_cmpint(g_mkdir(other, 0755), ==, 0);
	apps = satchel_app_folder_list(root.fd);
	g_assert_cmpuint(g_strv_length(apps), ==, 1);
	g_assert_cmpstr(apps[0], ==, "web");
	g_assert_false(satchel_app_folder_is_name(".web.new"));
	g_assert_false(satchel_app_folder_is_name("a/b"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/app_folder/hidden", test_hidden_names_are_placed);
	g_test_add_func("/app_folder/kinds", test_a_file_may_become_a_folder_and_come_back);
	g_test_add_func("/app_folder/implied",
			test_folders_that_no_entry_names_go_with_their_files);
	g_test_add_func("/app_folder/kept", test_what_a_service_has_written_stays);
	g_test_add_func("/app_folder/cut",
			test_cut_off_the_folder_is_of_no_version_and_all_is_listed);
	g_test_add_func("/app_folder/own", test_our_own_names_are_refused);
	g_test_add_func("/app_folder/list", test_folders_of_ours_are_told_from_others);
	return g_test_run();
}
