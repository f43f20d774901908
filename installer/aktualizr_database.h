#pragma once
#include "state.h"

/*
 * The database of aktualizr-lite (`sql.db`), read once and never written: neither it nor anything
 * beside it. What is in it is believed as little as a medium is: sizes, types and names are checked
 * here, and what it says of the device is for the caller to compare with the sysroot. Older and
 * newer forms are read as far as they go. Not thread-safe.
 */
typedef struct SatchelAktualizrDatabase SatchelAktualizrDatabase;

/* A longer file is not read. */
#define SATCHEL_AKTUALIZR_MAX_BYTES (256u * 1024u * 1024u)
/* Rows that one question is answered with. */
#define SATCHEL_AKTUALIZR_MAX_ROWS 256u

/**
 * satchel_aktualizr_database_open:
 * @path: borrowed
 *
 * A database with a log or journal that has not been merged is read through a private copy.
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND: there is none; SATCHEL_ERROR_METADATA_INVALID: it can
 * not be read, whoever tries; SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_FAILED: it could be, but not
 * now.
 *
 * Returns: (transfer full): the database, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelAktualizrDatabase *satchel_aktualizr_database_open(const char *path, GError **error);

/* A row of the log of installed versions. */
typedef struct {
	gint64 id;
	SatchelStateTarget *target;
} SatchelAktualizrVersion;

/* What is asked of the log; each answer has the newest first. */
typedef enum {
	SATCHEL_AKTUALIZR_CURRENT,
	SATCHEL_AKTUALIZR_PENDING,
	SATCHEL_AKTUALIZR_OF_COMMIT,	 /* those of a commit */
	SATCHEL_AKTUALIZR_WORKED_BEFORE, /* before a row, of another commit, and they have run */
	SATCHEL_AKTUALIZR_FAILING, /* of another commit, and no row of that name has ever run */
} SatchelAktualizrQuestion;

/**
 * satchel_aktualizr_database_ask:
 * @commit: (nullable): the commit, or the other one
 * @id: the row, where the question has one
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID: the database is damaged, or has no such table.
 *
 * Returns: (transfer full) (element-type SatchelAktualizrVersion): at most
 *   SATCHEL_AKTUALIZR_MAX_ROWS; rows that make no sense are left out
 */
G_GNUC_WARN_UNUSED_RESULT
GPtrArray *satchel_aktualizr_database_ask(SatchelAktualizrDatabase *self,
					  SatchelAktualizrQuestion question, const char *commit,
					  gint64 id, GError **error);

/* Whether a reboot is waited for; -1: it does not say. */
gint64 satchel_aktualizr_database_get_need_reboot(SatchelAktualizrDatabase *self);

/* Rows of the log that made no sense, so far. */
guint satchel_aktualizr_database_get_n_odd(const SatchelAktualizrDatabase *self);

/* Metadata by the numbers that they have in the database. */
typedef enum {
	SATCHEL_AKTUALIZR_ROOT = 0,
	SATCHEL_AKTUALIZR_SNAPSHOT = 1,
	SATCHEL_AKTUALIZR_TARGETS = 2,
	SATCHEL_AKTUALIZR_TIMESTAMP = 3,
} SatchelAktualizrRole;

/**
 * satchel_aktualizr_database_get_meta:
 * @version: 0: the newest; -1: the oldest
 *
 * Errors: SATCHEL_ERROR_METADATA_NOT_FOUND; SATCHEL_ERROR_METADATA_INVALID (longer than @max_bytes,
 * or the database is damaged).
 *
 * Returns: (transfer full): the document, not verified; or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_aktualizr_database_get_meta(SatchelAktualizrDatabase *self,
					    SatchelAktualizrRole role, gint64 version,
					    gsize max_bytes, GError **error);

void satchel_aktualizr_database_free(SatchelAktualizrDatabase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelAktualizrDatabase, satchel_aktualizr_database_free)
