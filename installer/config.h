#pragma once
#include <satchel/error.h>
#include <satchel/limits.h>

/*
 * The TOML subset of aktualizr-lite's configuration: `[section]`, `key = value` with a quoted
 * string, a whole number, true or false, comments from # or ; to the end of the line. Other
 * features of TOML are refused, so that nobody believes that they work. Pure: bytes come in, values
 * go out.
 */
typedef struct SatchelConfig SatchelConfig;

/* An empty configuration. (transfer full) */
SatchelConfig *satchel_config_new(void);

/**
 * satchel_config_merge:
 * @file: its name, for messages, borrowed
 * @text: its content, at most SATCHEL_LIMIT_CONFIG_BYTES, borrowed
 *
 * Adds the values of one file; those of files merged before it are replaced key by key. A key or
 * section that stands twice in one file is refused. After an error nothing of this file was added.
 *
 * Errors: SATCHEL_ERROR_USAGE, `FILE:LINE: what is wrong; what was expected`.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_config_merge(SatchelConfig *self, const char *file, GBytes *text, GError **error);

/* @key is "section.key". A value of any type as text, or @fallback where it is not set. Borrowed
 * from @self or the caller. */
const char *satchel_config_get_text(const SatchelConfig *self, const char *key,
				    const char *fallback);

/* true, false, 1, 0, quoted or not; @fallback where it is not set.
 * Errors: SATCHEL_ERROR_USAGE, with file and line. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_config_get_bool(const SatchelConfig *self, const char *key, gboolean fallback,
				 gboolean *value, GError **error);

/* A whole number from @min to @max in decimal digits, quoted or not; @fallback where it is not set.
 * Errors: SATCHEL_ERROR_USAGE, with file and line. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_config_get_number(const SatchelConfig *self, const char *key, guint64 min,
				   guint64 max, guint64 fallback, guint64 *value, GError **error);

/* A list, separated by commas or blanks; NULL where it is not set. (transfer full) */
GStrv satchel_config_get_list(const SatchelConfig *self, const char *key);

/* An error SATCHEL_ERROR_USAGE that names where @key was set: `FILE:LINE: KEY is "VALUE"; expected
 * EXPECTED`. */
void satchel_config_set_value_error(const SatchelConfig *self, const char *key,
				    const char *expected, GError **error);

void satchel_config_free(SatchelConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelConfig, satchel_config_free)
