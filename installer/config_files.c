#include "config_files.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"

static const char *const default_paths[] = {"/usr/lib/sota/conf.d", "/var/sota/sota.toml",
					    "/etc/sota/conf.d", NULL};

static gboolean
usage_error(GError **error, const char *path, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE, "%s: %s; expected a configuration",
		    quoted, reason);
	return FALSE;
}

/* File names to paths, so that the tree sorts them. */
static void
add_file(GTree *files, const char *path)
{
	g_tree_replace(files, g_path_get_basename(path), g_strdup(path));
}

static gboolean
add_folder(GTree *files, const char *path, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GDir) dir = g_dir_open(path, 0, &local_error);
	const char *name = NULL;

	if (dir == NULL)
		return usage_error(error, path, local_error->message);
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		if (g_str_has_suffix(name, ".toml"))
			add_file(files, file);
	}
	return TRUE;
}

static gboolean
add_path(GTree *files, const char *path, gboolean required, GError **error)
{
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return add_folder(files, path, error);
	if (g_file_test(path, G_FILE_TEST_EXISTS)) {
		add_file(files, path);
		return TRUE;
	}
	return !required || usage_error(error, path, "no such file or folder");
}

typedef struct {
	SatchelConfig *config;
	GError *error;
} MergeRun;

static gboolean
merge_file(gpointer key, gpointer value, gpointer user_data)
{
	MergeRun *run = user_data;
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) text =
		satchel_safe_read_named(value, SATCHEL_LIMIT_CONFIG_BYTES, &local_error);

	if (text == NULL)
		g_set_error(&run->error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE, "%s",
			    local_error->message);
	return text == NULL || !satchel_config_merge(run->config, value, text, &run->error);
}

static gint
compare_names(gconstpointer a, gconstpointer b, gpointer user_data)
{
	return g_strcmp0(a, b);
}

SatchelConfig *
satchel_config_files_read(const char *const *paths, GError **error)
{
	g_autoptr(GTree) files = g_tree_new_full(compare_names, NULL, g_free, g_free);
	g_autoptr(SatchelConfig) config = satchel_config_new();
	gboolean chosen = paths != NULL && paths[0] != NULL;
	MergeRun run = {.config = config};

	if (!chosen)
		paths = default_paths;
	for (guint i = 0; paths[i] != NULL; i++) {
		if (!add_path(files, paths[i], chosen, error))
			return NULL;
	}
	g_tree_foreach(files, merge_file, &run);
	if (run.error != NULL) {
		g_propagate_error(error, run.error);
		return NULL;
	}
	return g_steal_pointer(&config);
}
