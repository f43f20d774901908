#include "aktualizr_target.h"
#include "../verify/hex.h"
#include "../verify/json.h"
#include "../verify/path_safety.h"
#include <string.h>

/* Decimal, in a string as a rule; anything else is -1. */
static gint64
get_version(const json_t *custom)
{
	const json_t *value = json_object_get(custom, "version");
	const char *text = json_string_value(value);
	guint64 number = 0;

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		return json_integer_value(value);
	if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &number, NULL))
		return -1;
	return (gint64)number;
}

static void
add_apps(SatchelStateTarget *target, const json_t *custom)
{
	json_t *apps = json_object_get(custom, "docker_compose_apps");
	const char *name = NULL;
	json_t *entry = NULL;

	json_object_foreach(apps, name, entry)
	{
		const char *uri = json_string_value(json_object_get(entry, "uri"));

		if (uri == NULL || strchr(name, '/') != NULL || !satchel_path_check(name, NULL) ||
		    !satchel_path_check(uri, NULL))
			continue;
		if (target->apps->len < SATCHEL_AKTUALIZR_MAX_APPS)
			satchel_state_target_add_app(target, name, uri);
	}
}

static gint
compare_apps(gconstpointer a, gconstpointer b)
{
	const SatchelStateApp *const *one = a;
	const SatchelStateApp *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

/* @custom: (nullable). */
static SatchelStateTarget *
target_new(const char *name, const char *commit, const json_t *custom)
{
	SatchelStateTarget *target = NULL;

	if (!satchel_path_check(name, NULL) || strlen(name) > SATCHEL_LIMIT_NAME_BYTES ||
	    !satchel_hex_is_sha256(commit))
		return NULL;
	target = satchel_state_target_new_from_parts(name, get_version(custom), commit);
	add_apps(target, custom);
	g_ptr_array_sort(target->apps, compare_apps);
	return target;
}

SatchelStateTarget *
satchel_aktualizr_target_new(const char *name, const char *commit, GBytes *custom)
{
	g_autoptr(SatchelJson) json = NULL;

	if (custom != NULL)
		json = satchel_json_parse(custom, NULL);
	return target_new(name, commit, json);
}

SatchelStateTarget *
satchel_aktualizr_target_find_imported(GBytes *document, const char *commit, GError **error)
{
	g_autoptr(SatchelJson) root = satchel_json_parse(document, error);
	const char *name = NULL;
	json_t *entry = NULL;

	if (root == NULL)
		return NULL;
	if (!json_is_object(root)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID,
			    "not a JSON object");
		return NULL;
	}
	json_object_foreach(root, name, entry)
	{
		const json_t *hashes = json_object_get(entry, "hashes");
		const char *sha256 = json_string_value(json_object_get(hashes, "sha256"));

		if (json_is_true(json_object_get(entry, "is_current")) &&
		    g_strcmp0(sha256, commit) == 0)
			return target_new(name, sha256, json_object_get(entry, "custom"));
	}
	return NULL;
}
