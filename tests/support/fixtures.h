#pragma once
#include <glib.h>

/*
 * Cases that are folders below fixtures/. Only for unit tests, where what cannot be read is a fault
 * of the tree: it aborts.
 */

static inline char *
fixture_path(const char *name)
{
	const char *root = g_getenv("SATCHEL_FIXTURES");

	return g_build_filename(root != NULL ? root : "fixtures", name, NULL);
}

/* (transfer full) */
static inline GBytes *
fixture_bytes(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autoptr(GError) error = NULL;
	char *content = NULL;
	gsize n_bytes = 0;

	if (!g_file_get_contents(path, &content, &n_bytes, &error))
		g_error("%s", error->message);
	return g_bytes_new_take(content, n_bytes);
}

/* The text of a file without white space at its end. (transfer full) */
static inline char *
fixture_text(const char *folder, const char *name)
{
	g_autoptr(GBytes) bytes = fixture_bytes(folder, name);

	return g_strchomp(g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)));
}

/* Adds @function once for each folder in fixtures/@name, with the folder's path as its data. */
static inline void
fixture_add_cases(const char *name, GTestDataFunc function)
{
	g_autofree char *path = fixture_path(name);
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) folder = g_dir_open(path, 0, &error);
	guint n_cases = 0;
	const char *entry;

	if (folder == NULL)
		g_error("%s", error->message);
	while ((entry = g_dir_read_name(folder)) != NULL) {
		g_autofree char *test = g_strdup_printf("/%s/%s", name, entry);

		g_test_add_data_func_full(test, g_build_filename(path, entry, NULL), function,
					  g_free);
		n_cases++;
	}
	if (n_cases == 0)
		g_error("%s has no cases", path);
}
