#pragma once
#include <satchel/error.h>

/*
 * The documents of OCI images (image-spec 1.1) and of Docker's schema 2, as far as their content
 * has to be found: indexes and manifests. Bounded and strict; pure. They are parsed only after
 * their hash was found right, so an error says that whoever made them made them wrong:
 * SATCHEL_ERROR_CONTENT_INVALID.
 */

/* Operating system, architecture, variant. An empty variant is the architecture's own. */
typedef struct {
	char *os;
	char *architecture;
	char *variant;
} SatchelOciPlatform;

/* `OS/ARCHITECTURE[/VARIANT]`, as in linux/arm64, linux/arm/v7. Error: SATCHEL_ERROR_USAGE.
 * (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelOciPlatform *satchel_oci_platform_parse(const char *text, GError **error);

/* That of a machine as uname() calls it, with Linux on it; NULL for one that is not known.
 * (transfer full) */
SatchelOciPlatform *satchel_oci_platform_of_machine(const char *machine);

/* (transfer full) */
char *satchel_oci_platform_format(const SatchelOciPlatform *self);

/* Strictly: an image for arm/v7 is not taken for arm64. */
gboolean satchel_oci_platform_equal(const SatchelOciPlatform *one, const SatchelOciPlatform *other);

void satchel_oci_platform_free(SatchelOciPlatform *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelOciPlatform, satchel_oci_platform_free)

typedef struct {
	char sha256[65];
	guint64 size_bytes;
	char *media_type;	      /* empty where none is given */
	SatchelOciPlatform *platform; /* (nullable) */
} SatchelOciDescriptor;

void satchel_oci_descriptor_free(SatchelOciDescriptor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelOciDescriptor, satchel_oci_descriptor_free)

typedef enum { SATCHEL_OCI_INDEX, SATCHEL_OCI_MANIFEST } SatchelOciKind;

typedef struct {
	SatchelOciKind kind;
	char *media_type;	      /* empty where the document does not say */
	SatchelOciDescriptor *config; /* of a manifest; NULL of an index */
	GPtrArray *parts; /* of SatchelOciDescriptor: a manifest's layers, an index's manifests */
} SatchelOciDocument;

/**
 * satchel_oci_document_parse:
 * @document: at most SATCHEL_LIMIT_IMAGE_MANIFEST_BYTES, borrowed
 *
 * An index is what has `manifests`, a manifest what has `config` and `layers`; one that has both,
 * or whose mediaType is the other's, is refused, so that no two readers take it for two things.
 *
 * Returns: (transfer full): the document, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelOciDocument *satchel_oci_document_parse(GBytes *document, GError **error);

void satchel_oci_document_free(SatchelOciDocument *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelOciDocument, satchel_oci_document_free)
