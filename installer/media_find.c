#include "media_find.h"
#include "../verify/path_safety.h"
#include "../verify/split_set.h"
#include "media_name.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <satchel/bundle_layout.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	GHashTable *paths;    /* of char *: candidates */
	GHashTable *partial;  /* of char *: paths of downloads that still run */
	GPtrArray *folders;   /* of char *: to be looked into */
	const char *below;    /* (nullable): the folder that is read now */
	gboolean root_is_one; /* tuf/ lies in the root */
	guint n_entries;
	gboolean more;
} Search;

static void
search_clear(Search *self)
{
	g_hash_table_unref(self->paths);
	g_hash_table_unref(self->partial);
	g_ptr_array_unref(self->folders);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Search, search_clear)

static gboolean
is_folder(int dir_fd, const char *name)
{
	struct stat info;

	return fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

static gboolean
is_file(int dir_fd, const char *name)
{
	struct stat info;

	return fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
}

/* (transfer full) */
static char *
path_of(const Search *self, const char *name)
{
	return self->below == NULL ? g_strdup(name) : g_build_filename(self->below, name, NULL);
}

/* @path: (transfer full) */
static void
add_candidate(Search *self, char *path)
{
	/* A name that nobody can be told is no bundle's. */
	if (!g_str_equal(path, ".") && !satchel_path_check(path, NULL)) {
		g_free(path);
		return;
	}
	if (g_hash_table_size(self->paths) < SATCHEL_MEDIA_MAX_CANDIDATES ||
	    g_hash_table_contains(self->paths, path)) {
		g_hash_table_add(self->paths, path);
		return;
	}
	self->more = TRUE;
	g_free(path);
}

static void
add_folder(Search *self, int dir_fd, const char *name)
{
	g_autofree char *tuf = g_strconcat(name, "/" SATCHEL_BUNDLE_TUF, NULL);

	if (self->below == NULL && g_str_equal(name, SATCHEL_BUNDLE_TUF)) {
		self->root_is_one = TRUE;
		return;
	}
	if (is_folder(dir_fd, tuf))
		add_candidate(self, path_of(self, name));
	else if (self->below == NULL && self->folders->len < SATCHEL_MEDIA_MAX_FOLDERS)
		g_ptr_array_add(self->folders, g_strdup(name));
	else if (self->below == NULL)
		self->more = TRUE;
}

static void
add_file(Search *self, int dir_fd, const char *name)
{
	SatchelSplitSetKind kind = satchel_split_set_classify(name);
	g_autofree char *first = NULL;

	if (kind == SATCHEL_SPLIT_SET_NOTHING || !is_file(dir_fd, name))
		return;
	first = kind == SATCHEL_SPLIT_SET_LATER_PART
			? g_strdup_printf("%.*s000", (int)strlen(name) - 3, name)
			: g_strdup(name);
	add_candidate(self, path_of(self, first));
}

static void
consider(Search *self, int dir_fd, const char *name)
{
	char *whole = satchel_media_name_of_partial(name);

	if (whole != NULL) {
		g_hash_table_add(self->partial, path_of(self, whole));
		g_free(whole);
	}
	if (satchel_media_name_is_ignored(name))
		return;
	if (is_folder(dir_fd, name))
		add_folder(self, dir_fd, name);
	else
		add_file(self, dir_fd, name);
}

/* @dir_fd: (transfer full). FALSE with errno where the folder cannot be read to its end. */
static gboolean
read_folder(Search *self, int dir_fd)
{
	DIR *entries = dir_fd >= 0 ? fdopendir(dir_fd) : NULL;
	const struct dirent *entry = NULL;
	int failure = 0;

	if (entries == NULL) {
		failure = errno;
		if (dir_fd >= 0)
			close(dir_fd);
		errno = failure;
		return FALSE;
	}
	do {
		errno = 0;
		entry = readdir(entries);
		failure = errno;
		if (entry != NULL)
			consider(self, dirfd(entries), entry->d_name);
	} while (entry != NULL && ++self->n_entries < SATCHEL_MEDIA_MAX_ENTRIES);
	if (entry != NULL)
		self->more = TRUE;
	(void)closedir(entries);
	errno = failure;
	return failure == 0;
}

/* What a bundle in the root is made of is no place for another one. */
static gboolean
is_part_of_bundle(const Search *self, const char *name)
{
	return self->root_is_one && (g_str_equal(name, SATCHEL_BUNDLE_OSTREE_REPO) ||
				     g_str_equal(name, SATCHEL_BUNDLE_APPS));
}

static void
read_below(Search *self, int root_fd)
{
	for (guint i = 0; i < self->folders->len; i++) {
		const char *name = self->folders->pdata[i];

		if (self->n_entries >= SATCHEL_MEDIA_MAX_ENTRIES)
			return;
		if (is_part_of_bundle(self, name))
			continue;
		self->below = name;
		/* A folder that cannot be read holds nothing that could be. */
		(void)read_folder(self, openat(root_fd, name,
					       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	}
	self->below = NULL;
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* (transfer full) */
static GStrv
list_paths(Search *self)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
	GHashTableIter iter;
	gpointer path = NULL;

	g_hash_table_iter_init(&iter, self->paths);
	while (g_hash_table_iter_next(&iter, &path, NULL)) {
		if (!g_hash_table_contains(self->partial, path))
			g_ptr_array_add(list, g_strdup(path));
	}
	g_ptr_array_sort(list, compare_paths);
	g_ptr_array_add(list, NULL);
	return (GStrv)g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

gboolean
satchel_media_find(int root_fd, SatchelMediaFound *found, GError **error)
{
	g_auto(Search) self = {
		.paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.partial = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.folders = g_ptr_array_new_with_free_func(g_free),
	};

	if (!read_folder(&self, openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the stick is unreadable: its root folder: %s", g_strerror(errno));
		return FALSE;
	}
	if (self.root_is_one)
		add_candidate(&self, g_strdup("."));
	read_below(&self, root_fd);
	found->paths = list_paths(&self);
	found->more = self.more;
	return TRUE;
}

void
satchel_media_found_clear(SatchelMediaFound *self)
{
	g_clear_pointer(&self->paths, g_strfreev);
}
