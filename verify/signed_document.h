#pragma once
#include "threshold.h"

/*
 * The envelope that all roles share: {"signatures": […], "signed": {"_type", "version", "expires",
 * …}}. Parsing one proves nothing; satchel_signed_document_verify() does. Pure.
 */
typedef struct {
	GBytes *bytes;	    /* as received */
	json_t *tree;	    /* the whole document */
	json_t *signed_;    /* borrowed from tree */
	json_t *signatures; /* borrowed from tree */
	GBytes *message;    /* canonical bytes of `signed` */
	gint64 version;
	gint64 expires_s;
} SatchelSignedDocument;

/**
 * satchel_signed_document_parse:
 * @role: "root", "timestamp", "snapshot" or "targets": what `_type` must say in this dialect
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelSignedDocument *satchel_signed_document_parse(GBytes *bytes, const char *role,
						     SatchelDialect dialect, GError **error);

/* Hex digest of the whole file as this dialect hashes it: of the received bytes (tuf), or of the
 * canonical form of the whole document (uptane). *@length_bytes is what `length` must say:
 * received bytes (tuf), canonical bytes (uptane). (transfer full) */
char *satchel_signed_document_hash(const SatchelSignedDocument *self, SatchelDialect dialect,
				   const char *algorithm, guint64 *length_bytes, GError **error);

void satchel_signed_document_free(SatchelSignedDocument *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelSignedDocument, satchel_signed_document_free)
