#pragma once
#include <satchel/error.h>

/*
 * Makes the archive of an app, and the index of its files' hashes. The same files give the same
 * bytes: order, times, owners and modes are fixed.
 */
typedef struct {
	GBytes *archive;
	GBytes *index; /* JSON: path to sha256:HEX */
} SatchelAppArchiveFiles;

/**
 * satchel_app_archive_make:
 * @compose: becomes docker-compose.yml
 * @top: folder of the Compose file: names in the archive are relative to it
 * @paths: (nullable): further files and folders below it, NULL-terminated; folders with all in them
 * @files: (out): cleared by the caller
 *
 * Errors: SATCHEL_ERROR_USAGE for a path outside @top; SATCHEL_ERROR_CONTENT_INVALID where a device
 * would refuse it; SATCHEL_ERROR_FAILED.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_app_archive_make(GBytes *compose, const char *top, const char *const *paths,
				  SatchelAppArchiveFiles *files, GError **error);

void satchel_app_archive_files_clear(SatchelAppArchiveFiles *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelAppArchiveFiles, satchel_app_archive_files_clear)
