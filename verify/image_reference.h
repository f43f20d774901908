#pragma once
#include <satchel/error.h>

/*
 * References to images and apps in a registry, pinned by digest: HOST/PATH[:TAG]@sha256:HEX. A
 * reference comes from a Compose file or a signed target and becomes part of file names, so every
 * component is checked. Pure.
 */
typedef struct {
	char *host; /* with the port where one is given */
	char *path; /* the repository: one component or more */
	char sha256[65];
} SatchelImageReference;

/**
 * satchel_image_reference_parse:
 * @text: borrowed
 *
 * The host must be written out: no registry is implied. A tag before the digest is dropped.
 *
 * Errors: SATCHEL_ERROR_CONTENT_INVALID, which quotes @text.
 *
 * Returns: (transfer full): the reference, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelImageReference *satchel_image_reference_parse(const char *text, GError **error);

/* The same for an app's URI, whose path is FACTORY/APP and which has no tag. */
G_GNUC_WARN_UNUSED_RESULT
SatchelImageReference *satchel_app_uri_parse(const char *text, GError **error);

/* APP of an app's URI. Borrowed from it. */
const char *satchel_app_uri_get_app(const SatchelImageReference *self);

/* TRUE for what may stand before the digest: HOST/PATH of allowed components. */
gboolean satchel_image_reference_is_name(const char *text);

/* HOST/PATH@sha256:HEX. (transfer full) */
char *satchel_image_reference_format(const SatchelImageReference *self);

void satchel_image_reference_free(SatchelImageReference *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelImageReference, satchel_image_reference_free)
