#pragma once
#include <satchel/error.h>
#include <satchel/limits.h>

/*
 * manifest.mtree: every file of a bundle with size and SHA-256, in the packed form's order, except
 * itself and tuf/bundle-targets.json, which carries its hash. Held in one piece of memory, about
 * two thirds of the text. Pure; not thread-safe while it is filled.
 */
typedef struct SatchelManifest SatchelManifest;

#define SATCHEL_MANIFEST_SHA256_BYTES 32u

/* Borrowed from the manifest until the next addition. */
typedef struct {
	const char *path; /* relative to the bundle's top */
	guint64 size_bytes;
	const guint8 *sha256; /* SATCHEL_MANIFEST_SHA256_BYTES raw bytes */
} SatchelManifestMember;

/* Empty. (transfer full) */
SatchelManifest *satchel_manifest_new(void);

/* Appends a member; a path that is unsafe or there already is SATCHEL_ERROR_BUNDLE_INVALID.
 * @sha256: lower-case hex. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_manifest_add(SatchelManifest *self, const char *path, guint64 size_bytes,
			      const char *sha256, GError **error);

guint satchel_manifest_get_n_members(const SatchelManifest *self);
gsize satchel_manifest_get_memory_bytes(const SatchelManifest *self);
/* In the order of the file. */
SatchelManifestMember satchel_manifest_get_member(const SatchelManifest *self, guint index);
/* @index: (out): FALSE where there is no such member. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_manifest_lookup(const SatchelManifest *self, const char *path, guint *index);

/* mtree(5) text. Same members, same bytes. (transfer full) */
GBytes *satchel_manifest_to_bytes(const SatchelManifest *self);

/**
 * satchel_manifest_parse:
 * @text: at most SATCHEL_LIMIT_MANIFEST_BYTES, borrowed
 *
 * Accepts the subset of mtree(5) that satchel_manifest_to_bytes() writes and nothing else.
 * Errors: SATCHEL_ERROR_BUNDLE_INVALID, with the line.
 *
 * Returns: (transfer full): the manifest, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelManifest *satchel_manifest_parse(GBytes *text, GError **error);

/*
 * The same for a text that comes in pieces of any size. @sha256: of the whole text, or what else
 * nobody who writes one can choose; @n_lines: how many there are, 0 where that is unknown, and
 * @n_text_bytes of the whole, for the memory alone. (transfer full)
 */
typedef struct SatchelManifestParser SatchelManifestParser;
SatchelManifestParser *satchel_manifest_parser_new(const guint8 *sha256, guint n_lines,
						   gsize n_text_bytes);
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_manifest_parser_feed(SatchelManifestParser *self, const char *text, gsize n_bytes,
				      GError **error);
/* Once, after all pieces. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelManifest *satchel_manifest_parser_finish(SatchelManifestParser *self, GError **error);
void satchel_manifest_parser_free(SatchelManifestParser *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelManifestParser, satchel_manifest_parser_free)

void satchel_manifest_free(SatchelManifest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelManifest, satchel_manifest_free)
