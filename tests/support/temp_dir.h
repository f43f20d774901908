#pragma once
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

/* A folder of a unit test's own. What cannot be aborts. */

/* (transfer full) */
static inline char *
temp_dir_new(void)
{
	char *path = g_dir_make_tmp("satchel-test-XXXXXX", NULL);

	g_assert_nonnull(path);
	return path;
}

static inline gboolean
temp_dir_is_folder(const char *path)
{
	return g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

/* Removes it with all that is in it, and frees @path. */
static inline void
temp_dir_free(char *path)
{
	g_autoptr(GDir) dir = temp_dir_is_folder(path) ? g_dir_open(path, 0, NULL) : NULL;

	for (const char *name = dir != NULL ? g_dir_read_name(dir) : NULL; name != NULL;
	     name = g_dir_read_name(dir))
		temp_dir_free(g_build_filename(path, name, NULL));
	g_remove(path);
	g_free(path);
}

static inline gint
temp_dir_compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static inline void
temp_dir_collect(const char *path, const char *prefix, GPtrArray *names)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

	for (const char *name = dir != NULL ? g_dir_read_name(dir) : NULL; name != NULL;
	     name = g_dir_read_name(dir)) {
		g_autofree char *child = g_build_filename(path, name, NULL);
		char *relative = g_strconcat(prefix, name, NULL);

		if (temp_dir_is_folder(child)) {
			g_autofree char *below = g_strconcat(relative, "/", NULL);

			temp_dir_collect(child, below, names);
			g_free(relative);
		} else {
			g_ptr_array_add(names, relative);
		}
	}
}

/* All files below it, sorted, with spaces between; "" where it is not there. (transfer full) */
static inline char *
temp_dir_list(const char *path)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	temp_dir_collect(path, "", names);
	g_ptr_array_sort(names, temp_dir_compare);
	g_ptr_array_add(names, NULL);
	return g_strjoinv(" ", (char **)names->pdata);
}

/* (transfer full) */
static inline GBytes *
temp_dir_read(const char *path, const char *name)
{
	g_autofree char *file = g_build_filename(path, name, NULL);
	char *content = NULL;
	gsize n_bytes = 0;

	g_assert_true(g_file_get_contents(file, &content, &n_bytes, NULL));
	return g_bytes_new_take(content, n_bytes);
}

static inline void
temp_dir_write(const char *path, const char *name, const char *text)
{
	g_autofree char *file = g_build_filename(path, name, NULL);

	g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

/* Takes the second half of a file away, as a power cut may. */
static inline void
temp_dir_truncate(const char *path, const char *name)
{
	g_autofree char *file = g_build_filename(path, name, NULL);
	g_autoptr(GBytes) content = temp_dir_read(path, name);

	g_assert_true(g_file_set_contents(file, g_bytes_get_data(content, NULL),
					  (gssize)g_bytes_get_size(content) / 2, NULL));
}
