#include "aktualizr_database.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "aktualizr_target.h"
#include "private_copy.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The longest value: a targets role. */
#define MAX_VALUE_BYTES ((int)SATCHEL_LIMIT_TARGETS_BYTES + 1024)
/* The longest statement, those of the schema included. */
#define MAX_SQL_BYTES 8192
/* The processor time that it may take, and the steps of SQLite's machine after which it asks. */
#define MAX_TIME_S 10
#define STEPS_AT_ONCE 100

struct SatchelAktualizrDatabase {
	sqlite3 *db;
	SatchelPrivateCopy *copy; /* NULL: read where it is */
	struct timespec deadline; /* by the thread's clock */
	guint n_odd;
};

static void
version_free(gpointer data)
{
	SatchelAktualizrVersion *version = data;

	satchel_state_target_free(version->target);
	g_free(version);
}

static gboolean
invalid(GError **error, const char *reason)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, "%s", reason);
	return FALSE;
}

static gboolean
sql_fail(const SatchelAktualizrDatabase *self, GError **error)
{
	if (sqlite3_errcode(self->db) == SQLITE_NOMEM) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "%s",
			    sqlite3_errmsg(self->db));
		return FALSE;
	}
	return invalid(error, sqlite3_errmsg(self->db));
}

/* ---- opening */

/* On a device that starts and is busy with other things all takes longer, and is no worse. */
static struct timespec
time_taken(void)
{
	struct timespec taken = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &taken);
	return taken;
}

static int
is_too_late(void *data)
{
	const SatchelAktualizrDatabase *self = data;
	const struct timespec taken = time_taken();

	return taken.tv_sec > self->deadline.tv_sec ||
	       (taken.tv_sec == self->deadline.tv_sec && taken.tv_nsec > self->deadline.tv_nsec);
}

/* What a hostile schema could have SQLite do: views, triggers and functions of its own. */
static gboolean
harden(SatchelAktualizrDatabase *self, GError **error)
{
	static const char pragmas[] = "PRAGMA query_only=ON; PRAGMA cell_size_check=ON;"
				      "PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;";

	self->deadline = time_taken();
	self->deadline.tv_sec += MAX_TIME_S;
	sqlite3_limit(self->db, SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES);
	sqlite3_limit(self->db, SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES);
	sqlite3_limit(self->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_progress_handler(self->db, STEPS_AT_ONCE, is_too_late, self);
	if (sqlite3_db_config(self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(self->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(self->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(self->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) != SQLITE_OK ||
	    sqlite3_exec(self->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		return sql_fail(self, error);
	return TRUE;
}

static gboolean
open_file(SatchelAktualizrDatabase *self, const char *path, GError **error)
{
	g_autofree char *uri = g_filename_to_uri(path, NULL, NULL);
	g_autofree char *full = g_strconcat(uri, self->copy == NULL ? "?immutable=1" : "", NULL);
	int mode = self->copy == NULL ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;

	if (sqlite3_open_v2(full, &self->db, mode | SQLITE_OPEN_URI | SQLITE_OPEN_PRIVATECACHE,
			    NULL) != SQLITE_OK)
		return sql_fail(self, error);
	return harden(self, error);
}

/* TRUE where there is something in the file @name. */
static gboolean
is_filled(int dir_fd, const char *name)
{
	guint64 size_bytes = 0;
	int fd = satchel_safe_open(dir_fd, name, &size_bytes, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && size_bytes > 0;
}

/* A journal that ends so names a file that SQLite removes when it is done: on the word of a
 * database that would be any file. */
static gboolean
names_a_file(int dir_fd, const char *name)
{
	static const guint8 mark[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	guint8 end[sizeof mark];
	guint64 size_bytes = 0;
	int fd = satchel_safe_open(dir_fd, name, &size_bytes, NULL);
	gboolean found = FALSE;

	if (fd < 0)
		return FALSE;
	found = size_bytes >= sizeof end &&
		pread(fd, end, sizeof end, (off_t)(size_bytes - sizeof end)) == sizeof end &&
		memcmp(end, mark, sizeof end) == 0;
	close(fd);
	return found;
}

/* In place where nothing is to be merged, without a lock, a journal or a file of its own beside it;
 * else a copy, in which SQLite may merge. */
static gboolean
open_in(SatchelAktualizrDatabase *self, int dir_fd, const char *path, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *wal = g_strconcat(name, "-wal", NULL);
	g_autofree char *journal = g_strconcat(name, "-journal", NULL);
	const char *const names[] = {name, wal, journal, NULL};
	g_autofree char *copied = NULL;
	guint64 size_bytes = 0;
	int fd = satchel_safe_open(dir_fd, name, &size_bytes, error);

	if (fd < 0)
		return FALSE;
	close(fd);
	if (size_bytes > SATCHEL_AKTUALIZR_MAX_BYTES)
		return invalid(error, "too long to be read");
	if (!is_filled(dir_fd, wal) && !is_filled(dir_fd, journal))
		return open_file(self, path, error);
	if (names_a_file(dir_fd, journal))
		return invalid(error, "its journal names a file of somebody else");
	self->copy = satchel_private_copy_new(dir_fd, names, SATCHEL_AKTUALIZR_MAX_BYTES, error);
	if (self->copy == NULL)
		return FALSE;
	copied = g_build_filename(satchel_private_copy_get_dir(self->copy), name, NULL);
	return open_file(self, copied, error);
}

/* What cannot be read has no use to anybody, however it is tried. */
static void
recode(GError **error, const char *path)
{
	g_autofree char *quoted = satchel_path_quote(path);

	if (error == NULL || *error == NULL)
		return;
	if ((*error)->code == SATCHEL_ERROR_DOWNLOAD_FAILED)
		(*error)->code = SATCHEL_ERROR_METADATA_INVALID;
	g_prefix_error(error, "%s: ", quoted);
}

SatchelAktualizrDatabase *
satchel_aktualizr_database_open(const char *path, GError **error)
{
	g_autoptr(SatchelAktualizrDatabase) self = g_new0(SatchelAktualizrDatabase, 1);
	g_autofree char *dir = g_path_get_dirname(path);
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	gboolean good = FALSE;

	if (dir_fd < 0)
		g_set_error(error, SATCHEL_ERROR,
			    errno == ENOENT ? SATCHEL_ERROR_METADATA_NOT_FOUND
					    : SATCHEL_ERROR_FAILED,
			    "%s", g_strerror(errno));
	else
		good = open_in(self, dir_fd, path, error);
	if (dir_fd >= 0)
		close(dir_fd);
	if (good)
		return g_steal_pointer(&self);
	recode(error, path);
	return NULL;
}

/* ---- asking */

/* A table that is one: views and virtual tables, which would run code of their own, have no page.
 */
static gboolean
has_table(const SatchelAktualizrDatabase *self, const char *table)
{
	sqlite3_stmt *statement = NULL;
	gboolean found = FALSE;

	if (sqlite3_prepare_v2(self->db,
			       "SELECT 1 FROM sqlite_schema WHERE name = ?1 AND rootpage > 0", -1,
			       &statement, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC) == SQLITE_OK)
		found = sqlite3_step(statement) == SQLITE_ROW;
	(void)sqlite3_finalize(statement);
	return found;
}

static gboolean
need_table(const SatchelAktualizrDatabase *self, const char *table, GError **error)
{
	int code = SQLITE_OK;

	if (has_table(self, table))
		return TRUE;
	code = sqlite3_errcode(self->db);
	if (code != SQLITE_OK && code != SQLITE_DONE)
		return sql_fail(self, error);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
		    "the database has no table %s", table);
	return FALSE;
}

static gboolean
has_column(const SatchelAktualizrDatabase *self, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(self->db, NULL, table, column, NULL, NULL, NULL, NULL,
					     NULL) == SQLITE_OK;
}

/* A text without NUL that is UTF-8, at most @max_bytes long. (transfer full): NULL: it is not */
static char *
get_text(sqlite3_stmt *statement, int column, gsize max_bytes)
{
	const char *text = NULL;
	gsize n_bytes = 0;

	if (sqlite3_column_type(statement, column) != SQLITE_TEXT)
		return NULL;
	text = (const char *)sqlite3_column_text(statement, column);
	n_bytes = (gsize)sqlite3_column_bytes(statement, column);
	if (text == NULL || n_bytes > max_bytes || !g_utf8_validate(text, (gssize)n_bytes, NULL))
		return NULL;
	return g_strndup(text, n_bytes);
}

/* (transfer full): NULL: there is none, or it is longer than @max_bytes */
static GBytes *
get_bytes(sqlite3_stmt *statement, int column, gsize max_bytes)
{
	const void *data = sqlite3_column_blob(statement, column);
	gsize n_bytes = (gsize)sqlite3_column_bytes(statement, column);

	if (data == NULL || n_bytes > max_bytes)
		return NULL;
	return g_bytes_new(data, n_bytes);
}

static void
take_row(SatchelAktualizrDatabase *self, sqlite3_stmt *statement, GPtrArray *versions)
{
	g_autofree char *commit = get_text(statement, 1, 64);
	g_autofree char *name = get_text(statement, 2, SATCHEL_LIMIT_NAME_BYTES);
	g_autoptr(GBytes) custom = get_bytes(statement, 3, SATCHEL_LIMIT_JSON_STRING_BYTES);
	SatchelStateTarget *target = NULL;
	SatchelAktualizrVersion *version = NULL;

	if (commit != NULL && name != NULL)
		target = satchel_aktualizr_target_new(name, commit, custom);
	if (target == NULL) {
		self->n_odd++;
		return;
	}
	version = g_new0(SatchelAktualizrVersion, 1);
	version->id = sqlite3_column_int64(statement, 0);
	version->target = target;
	g_ptr_array_add(versions, version);
}

/* The columns as this database has them. Older ones have no history: what is current has run. */
static char *
write_question(const SatchelAktualizrDatabase *self, SatchelAktualizrQuestion question)
{
	static const char *const conditions[] = {
		[SATCHEL_AKTUALIZR_CURRENT] = "is_current = 1",
		[SATCHEL_AKTUALIZR_PENDING] = "pending = 1",
		[SATCHEL_AKTUALIZR_OF_COMMIT] = "sha256 = ?1",
		[SATCHEL_AKTUALIZR_WORKED_BEFORE] = "worked = 1 AND id < ?2 AND sha256 <> ?1",
		[SATCHEL_AKTUALIZR_FAILING] =
			("sha256 <> ?1 AND id IN (SELECT max(id) FROM log GROUP BY name "
			 "HAVING max(worked) = 0)"),
	};
	gboolean tells_past = has_column(self, "installed_versions", "was_installed");

	/* Nothing is known to have failed where nobody wrote down what has run. */
	return g_strdup_printf(
		"WITH log AS (SELECT %s AS id, sha256, name, %s AS custom, is_current, "
		"%s AS pending, %s AS worked FROM installed_versions %s) "
		"SELECT id, sha256, name, custom FROM log WHERE %s ORDER BY id DESC LIMIT %u",
		has_column(self, "installed_versions", "id") ? "id" : "rowid",
		has_column(self, "installed_versions", "custom_meta") ? "custom_meta" : "NULL",
		has_column(self, "installed_versions", "is_pending") ? "is_pending" : "0",
		tells_past ? "was_installed" : "1",
		has_column(self, "installed_versions", "ecu_serial") && has_table(self, "ecus") &&
				has_column(self, "ecus", "serial") &&
				has_column(self, "ecus", "is_primary")
			? "WHERE ecu_serial = '' OR ecu_serial NOT IN "
			  "(SELECT serial FROM ecus WHERE serial IS NOT NULL AND is_primary = 0)"
			: "",
		conditions[question], SATCHEL_AKTUALIZR_MAX_ROWS);
}

GPtrArray *
satchel_aktualizr_database_ask(SatchelAktualizrDatabase *self, SatchelAktualizrQuestion question,
			       const char *commit, gint64 id, GError **error)
{
	g_autoptr(GPtrArray) versions = g_ptr_array_new_with_free_func(version_free);
	g_autofree char *sql = NULL;
	sqlite3_stmt *statement = NULL;
	int result = SQLITE_OK;

	if (!need_table(self, "installed_versions", error))
		return NULL;
	sql = write_question(self, question);
	result = sqlite3_prepare_v2(self->db, sql, -1, &statement, NULL);
	if (result == SQLITE_OK) {
		(void)sqlite3_bind_text(statement, 1, commit == NULL ? "" : commit, -1,
					SQLITE_TRANSIENT);
		(void)sqlite3_bind_int64(statement, 2, id);
		while ((result = sqlite3_step(statement)) == SQLITE_ROW)
			take_row(self, statement, versions);
	}
	if (result != SQLITE_DONE)
		(void)sql_fail(self, error);
	(void)sqlite3_finalize(statement);
	return result == SQLITE_DONE ? g_steal_pointer(&versions) : NULL;
}

gint64
satchel_aktualizr_database_get_need_reboot(SatchelAktualizrDatabase *self)
{
	sqlite3_stmt *statement = NULL;
	gint64 flag = -1;

	if (has_table(self, "need_reboot") &&
	    sqlite3_prepare_v2(self->db, "SELECT flag FROM need_reboot LIMIT 1", -1, &statement,
			       NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		flag = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return flag;
}

guint
satchel_aktualizr_database_get_n_odd(const SatchelAktualizrDatabase *self)
{
	return self->n_odd;
}

GBytes *
satchel_aktualizr_database_get_meta(SatchelAktualizrDatabase *self, SatchelAktualizrRole role,
				    gint64 version, gsize max_bytes, GError **error)
{
	g_autofree char *sql =
		g_strdup_printf("SELECT meta FROM meta WHERE repo = 0 AND meta_type = ?1 AND "
				"(?2 <= 0 OR version = ?2) ORDER BY version %s LIMIT 1",
				version < 0 ? "ASC" : "DESC");
	sqlite3_stmt *statement = NULL;
	GBytes *document = NULL;
	int result = SQLITE_OK;

	if (!need_table(self, "meta", error))
		return NULL;
	result = sqlite3_prepare_v2(self->db, sql, -1, &statement, NULL);
	if (result == SQLITE_OK) {
		(void)sqlite3_bind_int64(statement, 1, role);
		(void)sqlite3_bind_int64(statement, 2, version);
		result = sqlite3_step(statement);
	}
	if (result == SQLITE_ROW) {
		document = get_bytes(statement, 0, max_bytes);
		if (document == NULL)
			(void)invalid(error, "empty, or longer than such a role may be");
	} else if (result == SQLITE_DONE) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
			    "the database has none");
	} else {
		(void)sql_fail(self, error);
	}
	(void)sqlite3_finalize(statement);
	return document;
}

void
satchel_aktualizr_database_free(SatchelAktualizrDatabase *self)
{
	/* Closes what was not opened, too. */
	(void)sqlite3_close(self->db);
	g_clear_pointer(&self->copy, satchel_private_copy_free);
	g_free(self);
}
