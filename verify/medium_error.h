#pragma once
#include <satchel/error.h>

/*
 * What a failing medium is told apart by, in the words that people act on: copy it again, or take
 * another stick. Pure.
 */
typedef enum {
	SATCHEL_MEDIUM_MISSING,	   /* a file that belongs to the bundle is not there */
	SATCHEL_MEDIUM_TOO_SHORT,  /* the file ends where the member goes on */
	SATCHEL_MEDIUM_UNREADABLE, /* the kernel could not read it */
	SATCHEL_MEDIUM_WRONG_HASH, /* as long as it should be, and something else */
} SatchelMediumFault;

/**
 * satchel_medium_error_set:
 * @member: as it stands on the medium; quoted here
 * @offset: where in the member, in bytes; not for SATCHEL_MEDIUM_MISSING
 * @detail: (nullable): what the kernel said, for SATCHEL_MEDIUM_UNREADABLE
 *
 * To be called when the second try, with the page cache dropped, has failed as well. The error is
 * SATCHEL_ERROR_DOWNLOAD_FAILED.
 *
 * Returns: FALSE
 */
gboolean satchel_medium_error_set(GError **error, SatchelMediumFault fault, const char *member,
				  guint64 offset, const char *detail);
