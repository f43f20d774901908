#include "bundle_choice.h"
#include "medium_error.h"
#include "path_safety.h"
#include "split_set.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <satchel/bundle_layout.h>
#include <string.h>
#include <sys/stat.h>

/* A folder that holds more is no place for a bundle; nobody reads more names than these. */
#define MAX_ENTRIES 10000u
#define MAX_NAMES 8u

typedef struct {
	GPtrArray *names;
	char *orphan; /* (nullable): a later part, seen first */
} Candidates;

static void
candidates_clear(Candidates *self)
{
	g_clear_pointer(&self->names, g_ptr_array_unref);
	g_clear_pointer(&self->orphan, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Candidates, candidates_clear)

static gboolean
choice_error(GError **error, const char *folder, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(folder);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND, "no bundle at '%s': %s",
		    quoted, reason);
	return FALSE;
}

static gboolean
is_bundle_folder(int dir_fd, const char *name)
{
	g_autofree char *tuf = g_strconcat(name, "/" SATCHEL_BUNDLE_TUF, NULL);
	struct stat info;

	return fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode) &&
	       fstatat(dir_fd, tuf, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

static void
consider(Candidates *self, int dir_fd, const char *name)
{
	SatchelSplitSetKind kind = satchel_split_set_classify(name);
	struct stat info;

	if (name[0] == '.')
		return;
	if (is_bundle_folder(dir_fd, name)) {
		g_ptr_array_add(self->names, g_strdup(name));
		return;
	}
	if (kind == SATCHEL_SPLIT_SET_NOTHING ||
	    fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
		return;
	if (kind != SATCHEL_SPLIT_SET_LATER_PART)
		g_ptr_array_add(self->names, g_strdup(name));
	else if (self->orphan == NULL)
		self->orphan = g_strdup(name);
}

static gboolean
consider_all(Candidates *self, const char *folder, GError **error)
{
	DIR *entries = opendir(folder);
	const struct dirent *entry = NULL;
	guint n_entries = 0;
	int failure = 0;

	if (entries == NULL)
		return choice_error(error, folder, g_strerror(errno));
	do {
		errno = 0;
		entry = readdir(entries);
		failure = errno;
		if (entry != NULL)
			consider(self, dirfd(entries), entry->d_name);
	} while (entry != NULL && ++n_entries <= MAX_ENTRIES);
	(void)closedir(entries);
	if (failure != 0)
		return choice_error(error, folder, g_strerror(failure));
	return n_entries <= MAX_ENTRIES ||
	       choice_error(error, folder, "the folder holds too much to search: name the bundle");
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
fail_several(const char *folder, GPtrArray *names, GError **error)
{
	g_autoptr(GString) list = g_string_new("there are several, name one of them: ");

	g_ptr_array_sort(names, compare_names);
	for (guint i = 0; i < names->len && i < MAX_NAMES; i++) {
		g_autofree char *quoted = satchel_path_quote(names->pdata[i]);

		g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", quoted);
	}
	if (names->len > MAX_NAMES)
		g_string_append(list, ", ...");
	choice_error(error, folder, list->str);
}

static void
fail_none(const char *folder, const Candidates *found, GError **error)
{
	g_autofree char *first = NULL;

	if (found->orphan == NULL) {
		choice_error(error, folder,
			     "it has no folder " SATCHEL_BUNDLE_TUF " and holds no packed bundle");
		return;
	}
	first = g_strdup_printf("%.*s000", (int)strlen(found->orphan) - 3, found->orphan);
	satchel_medium_error_set(error, SATCHEL_MEDIUM_MISSING, first, 0, NULL);
}

char *
satchel_bundle_choice_in(const char *folder, GError **error)
{
	g_auto(Candidates) found = {.names = g_ptr_array_new_with_free_func(g_free)};

	if (!consider_all(&found, folder, error))
		return NULL;
	if (found.names->len == 1)
		return g_build_filename(folder, found.names->pdata[0], NULL);
	if (found.names->len == 0)
		fail_none(folder, &found, error);
	else
		fail_several(folder, found.names, error);
	return NULL;
}
