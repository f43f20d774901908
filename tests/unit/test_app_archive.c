#include "../../verify/app_archive.h"
#include "../support/app_builder.h"

#define COMPOSE                                                                                    \
	{                                                                                          \
		.path = "docker-compose.yml", .content = "services: {}\n"                          \
	}

static void
assert_refused(const AppTarEntry *entries, const char *message)
{
	g_autoptr(GBytes) archive = app_tar_new(entries);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) compose = satchel_app_archive_read_compose(archive, &error);

	g_assert_null(compose);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
	if (strstr(error->message, message) == NULL)
		g_error("'%s' is not in '%s'", message, error->message);
}

static void
test_the_compose_file_is_found_among_others(void)
{
	const AppTarEntry entries[] = {{.path = "./", .type = AE_IFDIR},
				       {.path = "conf/", .type = AE_IFDIR},
				       {.path = "conf/a", .content = "a"},
				       {.path = "conf/link", .type = AE_IFLNK, .link = "../conf/a"},
				       {.path = "./docker-compose.yml", .content = "x: 1\n"},
				       {0}};
	g_autoptr(GBytes) archive = app_tar_new(entries);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) compose = satchel_app_archive_read_compose(archive, &error);

	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(compose, NULL), g_bytes_get_size(compose), "x: 1\n", 5);
}

static void
test_names_that_lead_out_are_refused(void)
{
	static const char *const names[] = {"../evil", "/etc/passwd", "a/../../evil", "a//b",
					    "a/./b",   "..",	      "new\nline"};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		const AppTarEntry entries[] = {COMPOSE, {.path = names[i], .content = "x"}, {0}};

		assert_refused(entries, "is no safe name");
	}
}

static void
test_links_that_lead_out_are_refused(void)
{
	static const struct {
		const char *path;
		const char *target;
	} rows[] = {
		{"a", "/etc"}, {"a", "../evil"}, {"sub/a", "../../evil"},
		{"a", ".."},   {"a", "b/../.."}, {"sub/a", "../b/../../x"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const AppTarEntry entries[] = {
			COMPOSE,
			{.path = rows[i].path, .type = AE_IFLNK, .link = rows[i].target},
			{0}};

		assert_refused(entries, "leads out of the app");
	}
}

static void
test_nothing_lies_below_a_link_or_a_file(void)
{
	const AppTarEntry link[] = {COMPOSE,
				    {.path = "a", .type = AE_IFLNK, .link = "conf"},
				    {.path = "a/b", .content = "x"},
				    {0}};
	const AppTarEntry file[] = {
		COMPOSE, {.path = "a", .content = "x"}, {.path = "a/b", .content = "x"}, {0}};
	const AppTarEntry late[] = {COMPOSE,
				    {.path = "a/b", .content = "x"},
				    {.path = "a", .type = AE_IFLNK, .link = "conf"},
				    {0}};

	assert_refused(link, "no folder");
	assert_refused(file, "no folder");
	assert_refused(late, "stands there twice");
}

static void
test_other_kinds_are_refused(void)
{
	const AppTarEntry pipe[] = {COMPOSE, {.path = "p", .type = AE_IFIFO}, {0}};
	const AppTarEntry device[] = {COMPOSE, {.path = "d", .type = AE_IFCHR}, {0}};
	const AppTarEntry hard[] = {COMPOSE, {.path = "h", .hard = "docker-compose.yml"}, {0}};
	const AppTarEntry twice[] = {COMPOSE, COMPOSE, {0}};
	const AppTarEntry none[] = {{.path = "other", .content = "x"}, {0}};
	const AppTarEntry folder[] = {{.path = "docker-compose.yml", .type = AE_IFDIR}, {0}};

	assert_refused(pipe, "is no file, folder or symbolic link");
	assert_refused(device, "is no file, folder or symbolic link");
	assert_refused(hard, "is a hard link");
	assert_refused(twice, "stands there twice");
	assert_refused(none, "docker-compose.yml is not in it");
	assert_refused(folder, "docker-compose.yml is too large or no file");
}

static void
test_a_file_that_is_no_archive_is_refused(void)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static("hello, hello", 12);
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_app_archive_read_compose(bytes, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/app-archive/compose", test_the_compose_file_is_found_among_others);
	g_test_add_func("/app-archive/names", test_names_that_lead_out_are_refused);
	g_test_add_func("/app-archive/links", test_links_that_lead_out_are_refused);
	g_test_add_func("/app-archive/below", test_nothing_lies_below_a_link_or_a_file);
	g_test_add_func("/app-archive/kinds", test_other_kinds_are_refused);
	g_test_add_func("/app-archive/no-archive", test_a_file_that_is_no_archive_is_refused);
	return g_test_run();
}
