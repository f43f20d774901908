#pragma once
#include <satchel/error.h>
#pragma GCC visibility push(default)

/*
 * The two dialects of TUF metadata that exist. The trusted root decides which one holds, for itself
 * and for all it vouches for; a repository never mixes them.
 */
typedef enum {
	SATCHEL_DIALECT_TUF,	/* TUF 1.0: `root`, hex signatures, OLPC canonical JSON */
	SATCHEL_DIALECT_UPTANE, /* aktualizr: `Root`, base64 signatures, jsoncpp's compact form */
} SatchelDialect;

/**
 * satchel_canonical_json:
 * @document: JSON text, borrowed
 * @dialect: whose canonical form
 *
 * TUF: OLPC canonical JSON, where only `"` and `\` are escaped and all else is raw UTF-8.
 * UPTANE: jsoncpp 1.9.5 compact output: \b \f \n \r \t, other controls as \u00xx, non-ASCII as
 * lower-case \uXXXX. In both: members sorted by code point, no white space, integers only.
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID, with line and column.
 * Pure; callable from any thread.
 *
 * Returns: (transfer full): canonical bytes, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_canonical_json(GBytes *document, SatchelDialect dialect, GError **error);

#pragma GCC visibility pop
