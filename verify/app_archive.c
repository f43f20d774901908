#include "app_archive.h"
#include "compose_file.h"
#include "path_safety.h"
#include <archive.h>
#include <archive_entry.h>
#include <satchel/limits.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE_BYTES (64u * 1024u)

struct SatchelAppArchive {
	struct archive *reader;
	GHashTable *seen; /* path to SatchelAppEntryKind + 1 */
	guint n_entries;
	guint64 unpacked_bytes;
};

static void
archive_clear(SatchelAppArchive *self)
{
	if (self->reader != NULL)
		(void)archive_read_free(self->reader);
	g_clear_pointer(&self->seen, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelAppArchive, archive_clear)

static gboolean
refuse(GError **error, const char *path, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(path != NULL ? path : "?");

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, "the app's archive: %s %s",
		    quoted, reason);
	return FALSE;
}

static gboolean
refuse_archive(SatchelAppArchive *self, GError **error)
{
	const char *reason = archive_error_string(self->reader);
	g_autofree char *quoted = satchel_path_quote(reason != NULL ? reason : "not a tar");

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
		    "the app's archive cannot be unpacked: %s", quoted);
	return FALSE;
}

static gboolean
archive_open(SatchelAppArchive *self, GBytes *bytes, GError **error)
{
	gsize n_bytes = 0;
	const void *data = g_bytes_get_data(bytes, &n_bytes);

	if (n_bytes > SATCHEL_LIMIT_APP_ARCHIVE_BYTES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
			    "the app's archive is larger than %u bytes",
			    SATCHEL_LIMIT_APP_ARCHIVE_BYTES);
		return FALSE;
	}
	self->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	self->reader = archive_read_new();
	g_assert(self->reader != NULL);
	/* Nothing but what composectl writes: every further format is a further parser. */
	return (archive_read_support_filter_gzip(self->reader) == ARCHIVE_OK &&
		archive_read_support_format_tar(self->reader) == ARCHIVE_OK &&
		archive_read_open_memory(self->reader, data, n_bytes) == ARCHIVE_OK) ||
	       refuse_archive(self, error);
}

/* The name without `./` before it and `/` behind it; empty for the top itself. (transfer full) */
static char *
plain_path(const char *path)
{
	gsize n_bytes;

	while (g_str_has_prefix(path, "./"))
		path += 2;
	n_bytes = strlen(path);
	while (n_bytes > 0 && path[n_bytes - 1] == '/')
		n_bytes--;
	return n_bytes == 1 && *path == '.' ? g_strdup("") : g_strndup(path, n_bytes);
}

/* `..` only at its beginning, where the folders above the link are known to be folders: behind a
 * link, `..` is not where it seems to be. */
static gboolean
link_stays_inside(const char *path, const char *target)
{
	guint n_folders = 0;

	if (target == NULL || *target == '\0' || *target == '/')
		return FALSE;
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
		n_folders++;
	while (g_str_has_prefix(target, "../") || strcmp(target, "..") == 0) {
		if (n_folders-- == 0)
			return FALSE;
		target += target[2] == '/' ? 3 : 2;
	}
	return *target == '\0' || satchel_path_check(target, NULL);
}

static gboolean
check_parents(SatchelAppArchive *self, const char *path, GError **error)
{
	g_autofree char *above = g_strdup(path);

	for (char *slash = strchr(above, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		gpointer kind;

		*slash = '\0';
		kind = g_hash_table_lookup(self->seen, above);
		if (kind != NULL && GPOINTER_TO_UINT(kind) != SATCHEL_APP_ENTRY_FOLDER + 1)
			return refuse(error, path, "lies below something that is no folder");
		/* From now on it can be nothing else. */
		if (kind == NULL)
			g_hash_table_insert(self->seen, g_strdup(above),
					    GUINT_TO_POINTER(SATCHEL_APP_ENTRY_FOLDER + 1));
		*slash = '/';
	}
	return TRUE;
}

static gboolean
check_entry(SatchelAppArchive *self, const SatchelAppEntry *entry, GError **error)
{
	gpointer kind = g_hash_table_lookup(self->seen, entry->path);

	if (!satchel_path_check(entry->path, NULL))
		return refuse(error, entry->path, "is no safe name");
	if (kind != NULL && (GPOINTER_TO_UINT(kind) != SATCHEL_APP_ENTRY_FOLDER + 1 ||
			     entry->kind != SATCHEL_APP_ENTRY_FOLDER))
		return refuse(error, entry->path, "stands there twice");
	if (!check_parents(self, entry->path, error))
		return FALSE;
	if (entry->kind == SATCHEL_APP_ENTRY_LINK &&
	    !link_stays_inside(entry->path, entry->link_target))
		return refuse(error, entry->path, "is a link that leads out of the app");
	g_hash_table_replace(self->seen, g_strdup(entry->path),
			     GUINT_TO_POINTER((guint)entry->kind + 1));
	return TRUE;
}

static gboolean
read_entry(SatchelAppArchive *self, struct archive_entry *header, const char *path,
	   SatchelAppEntry *entry, GError **error)
{
	gint64 size_bytes = archive_entry_size(header);
	guint32 mode = (guint32)archive_entry_mode(header);

	*entry = (SatchelAppEntry){.path = path, .mode = mode & 0777};
	if (archive_entry_hardlink(header) != NULL)
		return refuse(error, path, "is a hard link");
	if (S_ISREG(mode)) {
		entry->kind = SATCHEL_APP_ENTRY_FILE;
		entry->size_bytes = size_bytes > 0 ? (guint64)size_bytes : 0;
	} else if (S_ISDIR(mode)) {
		entry->kind = SATCHEL_APP_ENTRY_FOLDER;
	} else if (S_ISLNK(mode)) {
		entry->kind = SATCHEL_APP_ENTRY_LINK;
		entry->link_target = archive_entry_symlink(header);
	} else {
		return refuse(error, path, "is no file, folder or symbolic link");
	}
	if (++self->n_entries > SATCHEL_LIMIT_APP_FILES ||
	    entry->size_bytes > SATCHEL_LIMIT_APP_UNPACKED_BYTES - self->unpacked_bytes)
		return refuse(error, path, "goes beyond what an app may unpack to");
	self->unpacked_bytes += entry->size_bytes;
	return TRUE;
}

static gboolean
walk_one(SatchelAppArchive *self, struct archive_entry *header, SatchelAppArchiveVisit visit,
	 gpointer user_data, GError **error)
{
	const char *name = archive_entry_pathname(header);
	g_autofree char *path = name != NULL ? plain_path(name) : g_strdup("?");
	SatchelAppEntry entry;

	if (!read_entry(self, header, path, &entry, error))
		return FALSE;
	/* The top itself. */
	if (*path == '\0' && entry.kind == SATCHEL_APP_ENTRY_FOLDER)
		return TRUE;
	return check_entry(self, &entry, error) && visit(&entry, self, user_data, error);
}

gboolean
satchel_app_archive_walk(GBytes *archive, SatchelAppArchiveVisit visit, gpointer user_data,
			 GError **error)
{
	g_auto(SatchelAppArchive) self = {0};

	if (!archive_open(&self, archive, error))
		return FALSE;
	for (;;) {
		struct archive_entry *header = NULL;
		int status = archive_read_next_header(self.reader, &header);

		if (status == ARCHIVE_EOF)
			return TRUE;
		/* A warning is no success: what it is about, nobody has looked at. */
		if (status != ARCHIVE_OK)
			return refuse_archive(&self, error);
		if (!walk_one(&self, header, visit, user_data, error))
			return FALSE;
	}
}

gssize
satchel_app_archive_read(SatchelAppArchive *self, gpointer buffer, gsize n_bytes, GError **error)
{
	gssize n_read = archive_read_data(self->reader, buffer, n_bytes);

	if (n_read >= 0)
		return n_read;
	refuse_archive(self, error);
	return -1;
}

static gboolean
visit_compose(const SatchelAppEntry *entry, SatchelAppArchive *archive, gpointer user_data,
	      GError **error)
{
	GByteArray **content = user_data;
	guint8 piece[PIECE_BYTES];
	gssize n_read = 1;

	if (strcmp(entry->path, SATCHEL_COMPOSE_FILE) != 0)
		return TRUE;
	if (entry->kind != SATCHEL_APP_ENTRY_FILE || entry->size_bytes > SATCHEL_LIMIT_YAML_BYTES)
		return refuse(error, entry->path, "is too large or no file");
	*content = g_byte_array_new();
	while (n_read > 0) {
		n_read = satchel_app_archive_read(archive, piece, sizeof piece, error);
		if (n_read < 0)
			return FALSE;
		g_byte_array_append(*content, piece, (guint)n_read);
	}
	return TRUE;
}

GBytes *
satchel_app_archive_read_compose(GBytes *archive, GError **error)
{
	GByteArray *content = NULL;
	gboolean good = satchel_app_archive_walk(archive, visit_compose, &content, error);

	if (good && content != NULL)
		return g_byte_array_free_to_bytes(content);
	if (content != NULL)
		g_byte_array_unref(content);
	else if (good)
		refuse(error, SATCHEL_COMPOSE_FILE, "is not in it");
	return NULL;
}
