#pragma once
#include <jansson.h>
#include <satchel/canonical_json.h>
#include <satchel/limits.h>

/*
 * Bounded, strict JSON for untrusted documents. Refused, with line and column: more than
 * SATCHEL_LIMIT_JSON_* of depth, values or string bytes; duplicate members; numbers that are not
 * integers of 64 bits in plain form (1.0, 1e3, -0); \u0000 and raw NUL; lone surrogates; invalid
 * UTF-8; anything but white space after the value. Pure. All errors are
 * SATCHEL_ERROR_METADATA_INVALID; callers with another code recode them.
 */
typedef json_t SatchelJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelJson, json_decref)

/* (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelJson *satchel_json_parse(GBytes *document, GError **error);

/* Canonical bytes of an already parsed value. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_json_canonicalize(const json_t *value, SatchelDialect dialect, GError **error);

/* Required members; NULL or FALSE with an error naming @member when absent or of another type.
 * Values are borrowed from @object. */
G_GNUC_WARN_UNUSED_RESULT
const char *satchel_json_get_string(const json_t *object, const char *member, GError **error);
G_GNUC_WARN_UNUSED_RESULT
json_t *satchel_json_get_object(const json_t *object, const char *member, GError **error);
G_GNUC_WARN_UNUSED_RESULT
json_t *satchel_json_get_array(const json_t *object, const char *member, GError **error);
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_json_get_int(const json_t *object, const char *member, gint64 min, gint64 max,
			      gint64 *value, GError **error);
/* An array of strings, NULL-terminated. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GStrv satchel_json_get_strv(const json_t *object, const char *member, GError **error);
/* Exactly `YYYY-MM-DDTHH:MM:SSZ`, a real date. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_json_get_time(const json_t *object, const char *member, gint64 *seconds,
			       GError **error);
