#include "receipt_store.h"
#include "../verify/json.h"
#include "../verify/safe_read.h"
#include "../verify/write_all.h"
#include "receipt.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_NUMBER 999999u
#define MAX_BYTES (1024u * 1024u)
/* Of a folder that are looked at: a stick may have any number. A receipt whose number was there all
 * the same takes the next one. */
#define MAX_ENTRIES 4096u
#define MAX_TRIES 64u

static gboolean
fail(const char *name, int problem, GError **error)
{
	g_set_error(error, SATCHEL_ERROR,
		    problem == ENOSPC || problem == EDQUOT ? SATCHEL_ERROR_NO_SPACE
							   : SATCHEL_ERROR_FAILED,
		    "receipt %s: %s", name, g_strerror(problem));
	return FALSE;
}

static int
write_synced(int fd, const char *text)
{
	return satchel_write_all(fd, text, strlen(text)) && fsync(fd) == 0 ? 0 : errno;
}

/* A file system that cannot rename without replacing is asked before; nobody else writes there. */
static int
move_into_place(int dir_fd, const char *temp, const char *name)
{
	if (renameat2(dir_fd, temp, dir_fd, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL)
		return errno;
	if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return EEXIST;
	return renameat(dir_fd, temp, dir_fd, name) == 0 ? 0 : errno;
}

/* 0 or an errno; EEXIST where @name is there. Killed anywhere, @name is whole or not there. */
static int
write_new(int dir_fd, const char *name, const char *text)
{
	g_autofree char *temp = g_strconcat(name, ".tmp", NULL);
	int problem;
	int fd;

	/* Of a process that was killed; nobody else writes here. */
	if (unlinkat(dir_fd, temp, 0) != 0 && errno != ENOENT)
		return errno;
	fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	problem = write_synced(fd, text);
	if (close(fd) != 0 && problem == 0)
		problem = errno;
	if (problem == 0)
		problem = move_into_place(dir_fd, temp, name);
	if (problem != 0)
		(void)unlinkat(dir_fd, temp, 0);
	else if (fsync(dir_fd) != 0)
		problem = errno;
	return problem;
}

static gboolean
is_there(int dir_fd, const char *name, const char *ending)
{
	g_autofree char *file = g_strconcat(name, ending, NULL);

	return faccessat(dir_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

gboolean
satchel_receipt_store_add_named(int dir_fd, const char *name, const json_t *document,
				GError **error)
{
	g_autofree char *text_file = g_strconcat(name, ".txt", NULL);
	g_autofree char *json_file = g_strconcat(name, ".json", NULL);
	g_autofree char *text = satchel_receipt_json_to_text(json_object_get(document, "signed"));
	char *dumped = json_dumps(document, JSON_INDENT(2) | JSON_SORT_KEYS);
	g_autofree char *json = g_strconcat(dumped, "\n", NULL);
	int problem;

	free(dumped);
	if (is_there(dir_fd, name, ".txt") || is_there(dir_fd, name, ".json"))
		return FALSE;
	problem = write_new(dir_fd, text_file, text);
	if (problem == 0)
		problem = write_new(dir_fd, json_file, json);
	if (problem == EEXIST)
		return FALSE;
	return problem == 0 || fail(name, problem, error);
}

static int
compare_ages(gconstpointer a, gconstpointer b)
{
	const char *left = *(const char *const *)a;
	const char *right = *(const char *const *)b;
	guint dates[2] = {0};
	guint numbers[2] = {0};

	(void)satchel_receipt_name_parse(left, &dates[0], &numbers[0]);
	(void)satchel_receipt_name_parse(right, &dates[1], &numbers[1]);
	if (numbers[0] != numbers[1])
		return numbers[0] < numbers[1] ? -1 : 1;
	if (dates[0] != dates[1])
		return dates[0] < dates[1] ? -1 : 1;
	return strcmp(left, right);
}

GStrv
satchel_receipt_store_list(int dir_fd)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry = NULL;
	guint date = 0;
	guint number = 0;

	for (guint n = 0; entries != NULL && n < MAX_ENTRIES && (entry = readdir(entries)) != NULL;
	     n++) {
		if (satchel_receipt_name_parse(entry->d_name, &date, &number))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	if (entries != NULL)
		(void)closedir(entries);
	g_ptr_array_sort(names, compare_ages);
	for (guint i = 0; i < names->len; i++) {
		char *name = names->pdata[i];

		name[strlen(name) - strlen(".json")] = '\0';
	}
	g_ptr_array_add(names, NULL);
	return (GStrv)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

/* 0: there is none. */
static guint
find_last_number(int dir_fd)
{
	g_auto(GStrv) names = satchel_receipt_store_list(dir_fd);
	guint n = g_strv_length(names);
	g_autofree char *file = n > 0 ? g_strconcat(names[n - 1], ".json", NULL) : NULL;
	guint date = 0;
	guint number = 0;

	return file != NULL && satchel_receipt_name_parse(file, &date, &number) ? number : 0;
}

char *
satchel_receipt_store_add(int dir_fd, const char *stem, const json_t *document, GError **error)
{
	guint last = find_last_number(dir_fd);

	for (guint n = last + 1; n <= MIN(MAX_NUMBER, last + MAX_TRIES); n++) {
		g_autofree char *name = g_strdup_printf("%s%u", stem, n);
		g_autoptr(GError) local_error = NULL;

		if (satchel_receipt_store_add_named(dir_fd, name, document, &local_error))
			return g_steal_pointer(&name);
		if (local_error != NULL) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return NULL;
		}
	}
	(void)fail(stem, EEXIST, error);
	return NULL;
}

json_t *
satchel_receipt_store_read(int dir_fd, const char *name, GError **error)
{
	g_autofree char *file = g_strconcat(name, ".json", NULL);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) document = satchel_safe_read(dir_fd, file, MAX_BYTES, &local_error);
	json_t *value = document != NULL ? satchel_json_parse(document, &local_error) : NULL;

	if (value != NULL && json_is_object(json_object_get(value, "signed")))
		return value;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "receipt %s: %s", name,
		    local_error != NULL ? local_error->message : "it is none");
	json_decref(value);
	return NULL;
}

void
satchel_receipt_store_prune(int dir_fd)
{
	g_auto(GStrv) names = satchel_receipt_store_list(dir_fd);
	guint n = g_strv_length(names);

	for (guint i = 0; i + SATCHEL_RECEIPT_MAX_KEPT < n; i++) {
		g_autofree char *text = g_strconcat(names[i], ".txt", NULL);
		g_autofree char *json = g_strconcat(names[i], ".json", NULL);

		(void)unlinkat(dir_fd, text, 0);
		(void)unlinkat(dir_fd, json, 0);
	}
}
