#include "app_folder.h"
#include "../verify/app_archive.h"
#include "../verify/atomic_write.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "../verify/write_all.h"
#include "file_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line for each file and folder of two versions, at most. */
#define MAX_LIST_BYTES (64u * 1024u * 1024u)
#define PIECE_BYTES (64u * 1024u)
/* Of our own files beside the app's. */
#define OWN_PREFIX ".satchel"

/* A version that is put aside. */
typedef struct {
	int fd; /* its top */
	GString *list;
	GHashTable *folders; /* that the list has */
} Staging;

static void
staging_clear(Staging *self)
{
	if (self->fd >= 0)
		close(self->fd);
	if (self->list != NULL)
		g_string_free(self->list, TRUE);
	g_clear_pointer(&self->folders, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Staging, staging_clear)

static gboolean
folder_fail(const char *path, int problem, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR,
		    problem == ENOSPC || problem == EDQUOT ? SATCHEL_ERROR_NO_SPACE
							   : SATCHEL_ERROR_FAILED,
		    "app folder: %s: %s", quoted, g_strerror(problem));
	return FALSE;
}

gboolean
satchel_app_folder_is_name(const char *app)
{
	return *app != '.' && strchr(app, '/') == NULL && satchel_path_check(app, NULL);
}

static char *
staged_name(const char *app)
{
	return g_strdup_printf(".%s.new", app);
}

char *
satchel_app_folder_staged_path(const char *root, const char *app)
{
	g_autofree char *name = staged_name(app);

	return g_build_filename(root, name, NULL);
}

/* ---- staging */

static gboolean
write_content(int fd, SatchelAppArchive *archive, const char *path, GError **error)
{
	g_autofree guint8 *piece = g_malloc(PIECE_BYTES);
	gssize n = 0;

	while ((n = satchel_app_archive_read(archive, piece, PIECE_BYTES, error)) > 0) {
		if (!satchel_write_all(fd, piece, (gsize)n))
			return folder_fail(path, errno, error);
	}
	return n == 0;
}

static gboolean
stage_file(const Staging *self, const SatchelAppEntry *entry, SatchelAppArchive *archive,
	   GError **error)
{
	int fd = satchel_file_tree_create(self->fd, entry->path, entry->mode);
	gboolean good = FALSE;

	if (fd < 0)
		return folder_fail(entry->path, errno, error);
	good = write_content(fd, archive, entry->path, error);
	if (close(fd) != 0 && good)
		return folder_fail(entry->path, errno, error);
	return good;
}

static void
list_folder(Staging *self, const char *path)
{
	if (g_hash_table_add(self->folders, g_strdup(path)))
		g_string_append_printf(self->list, "d %s\n", path);
}

/* With the folders above it, of which an archive need not tell. */
static void
list_entry(Staging *self, const SatchelAppEntry *entry)
{
	for (const char *slash = strchr(entry->path, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		g_autofree char *above = g_strndup(entry->path, (gsize)(slash - entry->path));

		list_folder(self, above);
	}
	if (entry->kind == SATCHEL_APP_ENTRY_FOLDER)
		list_folder(self, entry->path);
	else
		g_string_append_printf(self->list, "f %s\n", entry->path);
}

static gboolean
refuse(const char *path, const char *why, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(path);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, "app folder: %s: %s",
		    quoted, why);
	return FALSE;
}

static gboolean
stage_entry(const SatchelAppEntry *entry, SatchelAppArchive *archive, gpointer user_data,
	    GError **error)
{
	Staging *self = user_data;
	gboolean good = TRUE;

	if (g_str_has_prefix(entry->path, OWN_PREFIX))
		return refuse(entry->path, "names that begin so are satchel's own", error);
	list_entry(self, entry);
	/* Half, because the lists of two versions become one while one follows the other. */
	if (self->list->len > MAX_LIST_BYTES / 2)
		return refuse(entry->path, "the archive's names are too long together", error);
	switch (entry->kind) {
	case SATCHEL_APP_ENTRY_FILE:
		return stage_file(self, entry, archive, error);
	case SATCHEL_APP_ENTRY_FOLDER:
		good = satchel_file_tree_make_folder(self->fd, entry->path, entry->mode);
		break;
	case SATCHEL_APP_ENTRY_LINK:
		good = satchel_file_tree_link(self->fd, entry->path, entry->link_target);
		break;
	}
	return good || folder_fail(entry->path, errno, error);
}

static gboolean
stage_own(const Staging *self, const char *name, const void *data, gsize n_bytes, GError **error)
{
	int fd = satchel_file_tree_create(self->fd, name, 0644);
	gboolean good = FALSE;

	if (fd < 0)
		return folder_fail(name, errno, error);
	good = satchel_write_all(fd, data, n_bytes);
	if (close(fd) == 0 && good)
		return TRUE;
	return folder_fail(name, errno, error);
}

static gboolean
stage_all(int root_fd, const char *staged, GBytes *archive, const char *name, GBytes *content,
	  GError **error)
{
	g_auto(Staging) self = {.fd = -1};

	if (mkdirat(root_fd, staged, 0755) == 0)
		self.fd = openat(root_fd, staged, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (self.fd < 0)
		return folder_fail(staged, errno, error);
	self.list = g_string_new(NULL);
	self.folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return stage_own(&self, name, g_bytes_get_data(content, NULL), g_bytes_get_size(content),
			 error) &&
	       satchel_app_archive_walk(archive, stage_entry, &self, error) &&
	       stage_own(&self, SATCHEL_APP_FOLDER_LIST, self.list->str, self.list->len, error);
}

gboolean
satchel_app_folder_stage(int root_fd, const char *app, GBytes *archive, const char *name,
			 GBytes *content, GError **error)
{
	g_autofree char *staged = staged_name(app);

	satchel_file_tree_remove(root_fd, staged);
	if (stage_all(root_fd, staged, archive, name, content, error))
		return TRUE;
	/* A disk that is full has room again. */
	satchel_file_tree_remove(root_fd, staged);
	return FALSE;
}

/* ---- placing */

/* The lines of the list in a folder: "f PATH" or "d PATH". (transfer full) */
static GStrv
read_list(int dir_fd)
{
	g_autoptr(GBytes) text =
		satchel_safe_read(dir_fd, SATCHEL_APP_FOLDER_LIST, MAX_LIST_BYTES, NULL);
	g_autofree char *copy = NULL;

	if (text == NULL)
		return NULL;
	copy = g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
	return g_strsplit(copy, "\n", -1);
}

static gboolean
is_entry(const char *line)
{
	return (*line == 'f' || *line == 'd') && line[1] == ' ' &&
	       satchel_path_check(line + 2, NULL);
}

static gboolean
place_entry(int staged_fd, int app_fd, const char *line, GError **error)
{
	const char *path = line + 2;
	gboolean good = *line == 'd' ? satchel_file_tree_copy_folder(staged_fd, app_fd, path)
				     : satchel_file_tree_move(staged_fd, app_fd, path);

	return good || folder_fail(path, errno, error);
}

/* Deepest first, so that a folder that is left empty goes after what was in it. */
static void
remove_listed(int app_fd, char **lines, GHashTable *kept)
{
	for (guint i = g_strv_length(lines); i > 0; i--) {
		if (is_entry(lines[i - 1]) &&
		    (kept == NULL || !g_hash_table_contains(kept, lines[i - 1])))
			satchel_file_tree_unlink(app_fd, lines[i - 1] + 2);
	}
}

/* Both lists in one, so that whatever is in the folder while one version follows the other is known
 * as ours. @before: (nullable). (transfer full) */
static GBytes *
join_lists(char **before, char **lines)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	GString *joined = g_string_new(NULL);
	char **lists[] = {before, lines};

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		for (char **line = lists[i]; line != NULL && *line != NULL; line++) {
			if (is_entry(*line) && g_hash_table_add(seen, *line))
				g_string_append_printf(joined, "%s\n", *line);
		}
	}
	return g_string_free_to_bytes(joined);
}

/* From here on the folder is of no version, and of both. @own: our file that tells its version. */
static gboolean
begin_place(int app_fd, const char *own, char **before, char **lines, GError **error)
{
	g_autoptr(GBytes) joined = join_lists(before, lines);
	g_autoptr(GError) local_error = NULL;

	satchel_atomic_write_sweep(app_fd);
	if (!satchel_atomic_write(app_fd, SATCHEL_APP_FOLDER_LIST, joined, 0644, &local_error)) {
		if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE))
			local_error->code = SATCHEL_ERROR_FAILED;
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	return unlinkat(app_fd, own, 0) == 0 || errno == ENOENT || folder_fail(own, errno, error);
}

/* What only the version before had goes first: a file may stand where a folder is to be. */
static gboolean
place_listed(int staged_fd, int app_fd, char **before, char **lines, GError **error)
{
	g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);

	for (char **line = lines; *line != NULL; line++)
		g_hash_table_add(kept, *line);
	if (before != NULL)
		remove_listed(app_fd, before, kept);
	for (char **line = lines; *line != NULL; line++) {
		if (is_entry(*line) && !place_entry(staged_fd, app_fd, *line, error))
			return FALSE;
	}
	return TRUE;
}

/* They come last: they say that all the others are there. */
static gboolean
place_own(int staged_fd, int app_fd, const char *own, GError **error)
{
	const char *names[] = {own, SATCHEL_APP_FOLDER_LIST};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		if (!satchel_file_tree_move(staged_fd, app_fd, names[i]))
			return folder_fail(names[i], errno, error);
	}
	return TRUE;
}

static gboolean
place_all(int staged_fd, int app_fd, const char *own, GError **error)
{
	g_auto(GStrv) lines = read_list(staged_fd);
	g_auto(GStrv) before = read_list(app_fd);

	if (lines == NULL)
		return folder_fail(SATCHEL_APP_FOLDER_LIST, ENOENT, error);
	/* A name must not reach the disk before what it names. */
	if (syncfs(staged_fd) != 0)
		return folder_fail(SATCHEL_APP_FOLDER_LIST, errno, error);
	return begin_place(app_fd, own, before, lines, error) &&
	       place_listed(staged_fd, app_fd, before, lines, error) &&
	       place_own(staged_fd, app_fd, own, error);
}

gboolean
satchel_app_folder_place(int root_fd, const char *app, const char *name, GError **error)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	g_autofree char *staged = staged_name(app);
	int staged_fd = openat(root_fd, staged, flags);
	int app_fd = -1;
	gboolean good = FALSE;

	if (staged_fd < 0)
		return folder_fail(staged, errno, error);
	if (mkdirat(root_fd, app, 0755) == 0 || errno == EEXIST)
		app_fd = openat(root_fd, app, flags);
	if (app_fd < 0)
		folder_fail(app, errno, error);
	else
		good = place_all(staged_fd, app_fd, name, error);
	close(staged_fd);
	if (app_fd >= 0)
		close(app_fd);
	if (!good)
		return FALSE;
	satchel_file_tree_remove(root_fd, staged);
	return syncfs(root_fd) == 0 || folder_fail(app, errno, error);
}

GBytes *
satchel_app_folder_read(int root_fd, const char *app, const char *name, gsize max_bytes)
{
	int app_fd = openat(root_fd, app, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	GBytes *content = app_fd >= 0 ? satchel_safe_read(app_fd, name, max_bytes, NULL) : NULL;

	if (app_fd >= 0)
		close(app_fd);
	return content;
}

/* ---- removing */

void
satchel_app_folder_remove(int root_fd, const char *app)
{
	g_autofree char *staged = staged_name(app);
	int app_fd = openat(root_fd, app, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	g_auto(GStrv) lines = app_fd >= 0 ? read_list(app_fd) : NULL;
	g_auto(GStrv) names = NULL;

	satchel_file_tree_remove(root_fd, staged);
	if (app_fd < 0)
		return;
	if (lines != NULL)
		remove_listed(app_fd, lines, NULL);
	/* Cut off before this, the folder is still one of ours. */
	names = satchel_file_tree_list(app_fd);
	for (char **name = names; *name != NULL; name++) {
		if (g_str_has_prefix(*name, OWN_PREFIX))
			(void)unlinkat(app_fd, *name, 0);
	}
	close(app_fd);
	(void)unlinkat(root_fd, app, AT_REMOVEDIR);
}

GStrv
satchel_app_folder_list(int root_fd)
{
	g_auto(GStrv) names = satchel_file_tree_list(root_fd);
	g_autoptr(GStrvBuilder) apps = g_strv_builder_new();

	for (char **name = names; *name != NULL; name++) {
		g_autofree char *list = g_build_filename(*name, SATCHEL_APP_FOLDER_LIST, NULL);

		if (satchel_app_folder_is_name(*name) &&
		    faccessat(root_fd, list, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			g_strv_builder_add(apps, *name);
	}
	return g_strv_builder_end(apps);
}
