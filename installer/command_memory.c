#include "command_memory.h"
#include "../verify/cli.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

/* A stick that is read in spite of its damage wears out, and so does who waits for it. */
#define DAMAGED_FOR_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)
/* Of a folder that may hold anything. */
#define MAX_ENTRIES 256

void
satchel_command_memory_say(SatchelCommandMemory *self, SatchelCommandNews kind, const char *text)
{
	if (g_strcmp0(self->said[kind], text) == 0)
		return;
	g_free(self->said[kind]);
	self->said[kind] = g_strdup(text);
	satchel_cli_note("%s", text);
}

void
satchel_command_memory_forget(SatchelCommandMemory *self, SatchelCommandNews kind)
{
	g_clear_pointer(&self->said[kind], g_free);
}

static void
mark_file(GString *mark, int dir_fd, const char *name)
{
	struct stat info = {0};

	if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	g_string_append_printf(mark, "%s %ju %ju %jd %jd.%09ld\n", name, (uintmax_t)info.st_dev,
			       (uintmax_t)info.st_ino, (intmax_t)info.st_size,
			       (intmax_t)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

/* A folder that did not change gives its entries in the same order. */
static void
mark_folder(GString *mark, const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry = NULL;

	if (folder == NULL)
		return;
	for (guint n = 0; n < MAX_ENTRIES && (entry = readdir(folder)) != NULL; n++) {
		if (!g_str_equal(entry->d_name, ".."))
			mark_file(mark, dirfd(folder), entry->d_name);
	}
	closedir(folder);
}

char *
satchel_command_memory_mark(const char *source, const char *commit)
{
	GString *mark = g_string_new(commit);
	g_autofree char *roles = g_build_filename(source, "tuf", NULL);

	g_string_append_c(mark, '\n');
	mark_file(mark, AT_FDCWD, source);
	mark_folder(mark, source);
	mark_folder(mark, roles);
	return g_string_free(mark, FALSE);
}

void
satchel_command_memory_note_damaged(SatchelCommandMemory *self, const char *mark)
{
	g_free(self->damaged);
	self->damaged = g_strdup(mark);
	self->try_again_us = g_get_monotonic_time() + DAMAGED_FOR_US;
}

gboolean
satchel_command_memory_is_damaged(const SatchelCommandMemory *self, const char *mark)
{
	return g_strcmp0(self->damaged, mark) == 0 && g_get_monotonic_time() < self->try_again_us;
}

void
satchel_command_memory_clear(SatchelCommandMemory *self)
{
	for (guint i = 0; i < SATCHEL_COMMAND_N_NEWS; i++)
		g_free(self->said[i]);
	g_free(self->pulled);
	g_free(self->damaged);
}
