#pragma once
#include <satchel/device.h>

/*
 * What lies on a stick, and what this device thinks of it. All parsing happens in readers
 * (media_reader.h), one for the search and one for each candidate, so that one that kills its
 * reader spares the others. All of them together have five minutes.
 *
 * Where the line runs. The reader walks the stick's folders, reads tar headers, TUF metadata, the
 * manifest and commits, and gives a verdict for each candidate. Of that only the path and the
 * version decide anything: which one is judged again, by the caller, from the same trusted root.
 * So a reader that was taken over can hide a bundle or praise a bad one, which is then refused; it
 * cannot get anything installed. The caller parses again what cannot be had from anybody else's
 * word: the head of the packed form and the JSON of the roles, both bounded and fuzzed. Where the
 * bundle has a signed manifest, everything else is hashed before any parser or decompressor sees
 * it; without one the objects of the field's older bundles are inflated first, and then hashed.
 * A stick without a bundle that a trusted key has signed never gets as far as that.
 */
typedef struct {
	GPtrArray *verdicts; /* of SatchelMediaVerdict (media_verdict.h), by path */
	gboolean more;	     /* not everything was looked at */
} SatchelMediaScan;

/**
 * satchel_media_scan:
 * @device: opened for update; nothing of it changes
 * @config_paths: (nullable): with which it was opened
 * @root_fd: the stick's root folder, open for reading
 *
 * Errors: SATCHEL_ERROR_DOWNLOAD_FAILED where the stick is unreadable; those of the trust store.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_scan(SatchelDevice *device, const char *const *config_paths, int root_fd,
			    GCancellable *cancellable, SatchelMediaScan *scan, GError **error);

void satchel_media_scan_clear(SatchelMediaScan *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelMediaScan, satchel_media_scan_clear)
