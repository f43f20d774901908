#pragma once
#include "ostree_object.h"

/*
 * One OSTree object that is held in memory, from the bytes of a medium to content that is trusted:
 * the bytes as they are stored are hashed against the signed manifest, if there is one, before
 * anything parses or inflates them; then what the object's name is the hash of. Pure; one verifier
 * a thread.
 */
typedef struct SatchelObjectVerifier SatchelObjectVerifier;

/* An object as a medium gives it. All borrowed. */
typedef struct {
	SatchelObjectType type;
	const guint8 *checksum;	     /* 32 bytes: its name */
	const guint8 *signed_sha256; /* (nullable): what the signed manifest says of @data */
	const guint8 *data;	     /* as it is stored */
	gsize n_bytes;
	const SatchelFileHeader *header; /* of a file in one of the bare modes; NULL: `.filez` */
} SatchelStoredObject;

/* What was verified: borrowed, until the next call. Both parts, one after the other, are what the
 * checksum is of. */
typedef struct {
	const guint8 *header; /* of a file, in the form in which it is hashed; NULL for others */
	gsize n_header_bytes;
	const guint8 *content;
	gsize n_content_bytes;
	/* (nullable): a descriptor of memory that begins with the content, for who copies from one
	 * to another; its position is the taker's to choose. */
	const int *content_fd;
} SatchelVerifiedObject;

typedef enum {
	SATCHEL_VERIFY_GOOD,
	SATCHEL_VERIFY_TOO_LARGE, /* its content is more than fits; nothing is known of it */
	SATCHEL_VERIFY_BAD,
} SatchelVerifyOutcome;

/* @max_content_bytes: the most that is allocated for one content, kept for the next. (transfer
 * full) */
SatchelObjectVerifier *satchel_object_verifier_new(gsize max_content_bytes);

/* SATCHEL_VERIFY_BAD comes with @error, SATCHEL_ERROR_DOWNLOAD_FAILED, that says what is wrong and
 * not of which file; @verified is filled in for SATCHEL_VERIFY_GOOD alone. */
G_GNUC_WARN_UNUSED_RESULT
SatchelVerifyOutcome satchel_object_verifier_check(SatchelObjectVerifier *self,
						   const SatchelStoredObject *stored,
						   SatchelVerifiedObject *verified, GError **error);

/* TRUE where the SHA-256 of @data is @sha256 (32 bytes). */
gboolean satchel_object_verifier_matches(SatchelObjectVerifier *self, gconstpointer data,
					 gsize n_bytes, const guint8 *sha256);

void satchel_object_verifier_free(SatchelObjectVerifier *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelObjectVerifier, satchel_object_verifier_free)
