#include "target_author.h"
#include "../verify/hex.h"
#include "../verify/json.h"
#include "../verify/path_safety.h"
#include "../verify/utc_time.h"
#include <string.h>

#define NAME_MAX_BYTES 128

static void
set_usage(GError **error, const char *what, const char *text, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(text);

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE, "%s '%s': %s", what, quoted, reason);
}

gboolean
satchel_target_author_check_name(const char *what, const char *name, GError **error)
{
	gsize n_bytes = strlen(name);

	if (n_bytes == 0 || n_bytes > NAME_MAX_BYTES) {
		set_usage(error, what, name, "a name has 1 to 128 characters");
		return FALSE;
	}
	if (name[0] == '.' || name[0] == '-') {
		set_usage(error, what, name, "a name does not start with '.' or '-'");
		return FALSE;
	}
	for (gsize i = 0; i < n_bytes; i++) {
		if (!g_ascii_isgraph(name[i]) || strchr("/,\"\\", name[i]) != NULL) {
			set_usage(error, what, name,
				  "a name is printable ASCII without blanks, '/', ',', '\"', '\\'");
			return FALSE;
		}
	}
	return TRUE;
}

/* One component of an app's URI: what registries allow in names, and a port behind the host. */
static gboolean
is_uri_component(const char *text, gboolean is_host)
{
	gsize n_bytes = strlen(text);

	if (n_bytes == 0 || !g_ascii_isalnum(text[0]) || !g_ascii_isalnum(text[n_bytes - 1]))
		return FALSE;
	for (gsize i = 0; i < n_bytes; i++)
		if (!g_ascii_isalnum(text[i]) && strchr(is_host ? ".-:" : "._-", text[i]) == NULL)
			return FALSE;
	return TRUE;
}

static gboolean
is_app_uri(const char *uri)
{
	g_auto(GStrv) at = g_strsplit(uri, "@", -1);
	g_auto(GStrv) path = NULL;

	if (g_strv_length(at) != 2 || !g_str_has_prefix(at[1], "sha256:") ||
	    !satchel_hex_is_sha256(at[1] + strlen("sha256:")))
		return FALSE;
	path = g_strsplit(at[0], "/", -1);
	return g_strv_length(path) == 3 && is_uri_component(path[0], TRUE) &&
	       is_uri_component(path[1], FALSE) && is_uri_component(path[2], FALSE);
}

SatchelAppDraft *
satchel_target_author_parse_app(const char *text, GError **error)
{
	const char *equals = strchr(text, '=');
	g_autofree char *name = NULL;
	SatchelAppDraft *app;

	if (equals == NULL) {
		set_usage(error, "--app", text, "NAME=URI is wanted");
		return NULL;
	}
	name = g_strndup(text, (gsize)(equals - text));
	if (!satchel_target_author_check_name("--app", name, error))
		return NULL;
	if (!is_app_uri(equals + 1)) {
		set_usage(error, "--app", text,
			  "the URI must be HOST/FACTORY/APP@sha256: and 64 lower-case hex digits");
		return NULL;
	}
	app = g_new0(SatchelAppDraft, 1);
	app->name = g_steal_pointer(&name);
	app->uri = g_strdup(equals + 1);
	return app;
}

void
satchel_target_author_free_app(SatchelAppDraft *app)
{
	g_free(app->name);
	g_free(app->uri);
	g_free(app);
}

static gboolean
check_draft(const SatchelTargetDraft *draft, GError **error)
{
	if (!satchel_target_author_check_name("--name", draft->name, error) ||
	    !satchel_target_author_check_name("--hardware-id", draft->hardware_id, error))
		return FALSE;
	for (const char *const *tag = draft->tags; *tag != NULL; tag++)
		if (!satchel_target_author_check_name("--tag", *tag, error))
			return FALSE;
	if (draft->tags[0] == NULL) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
				    "at least one --tag is needed: devices select targets by it");
		return FALSE;
	}
	if (draft->version < 1) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
				    "--version must be 1 or more");
		return FALSE;
	}
	if (draft->lowest_version < 0 || draft->lowest_version > draft->version) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
				    "--lowest-version must be 1 to the target's own --version");
		return FALSE;
	}
	if (!satchel_hex_is_sha256(draft->commit)) {
		set_usage(error, "--commit", draft->commit,
			  "an OSTree commit has 64 lower-case hex digits");
		return FALSE;
	}
	return TRUE;
}

static json_t *
apps_new(GPtrArray *apps, GError **error)
{
	g_autoptr(SatchelJson) object = json_object();

	for (guint i = 0; i < apps->len; i++) {
		const SatchelAppDraft *app = g_ptr_array_index(apps, i);

		if (json_object_get(object, app->name) != NULL) {
			set_usage(error, "--app", app->name, "this app was given twice");
			return NULL;
		}
		json_object_set_new(object, app->name, json_pack("{s:s}", "uri", app->uri));
	}
	return g_steal_pointer(&object);
}

static json_t *
custom_new(const SatchelTargetDraft *draft, GError **error)
{
	g_autofree char *now = satchel_utc_time_format(draft->now_s);
	g_autofree char *version = g_strdup_printf("%" G_GINT64_FORMAT, draft->version);
	g_autoptr(SatchelJson) apps = apps_new(draft->apps, error);
	json_t *tags;
	json_t *custom;

	if (apps == NULL)
		return NULL;
	tags = json_array();
	for (const char *const *tag = draft->tags; *tag != NULL; tag++)
		json_array_append_new(tags, json_string(*tag));
	custom = json_pack("{s:s, s:s, s:[s], s:s, s:o, s:s, s:s}", "name", draft->name, "version",
			   version, "hardwareIds", draft->hardware_id, "targetFormat", "OSTREE",
			   "tags", tags, "createdAt", now, "updatedAt", now);
	if (json_object_size(apps) > 0)
		json_object_set(custom, "docker_compose_apps", apps);
	if (draft->lowest_version > 0)
		json_object_set_new(
			custom, "x-satchel",
			json_pack("{s:I}", "lowest-version", (json_int_t)draft->lowest_version));
	return custom;
}

/* What --custom adds may not change what the other options say. */
static gboolean
merge_custom(json_t *custom, json_t *more, GError **error)
{
	const char *name;
	json_t *value;

	json_object_foreach(more, name, value)
	{
		if (json_object_get(custom, name) != NULL ||
		    strcmp(name, "docker_compose_apps") == 0 || strcmp(name, "x-satchel") == 0) {
			set_usage(error, "--custom", name,
				  "this member is set by the command's own options");
			return FALSE;
		}
		json_object_set_new(custom, name, json_deep_copy(value));
	}
	return TRUE;
}

char *
satchel_target_author_add(json_t *targets, const SatchelTargetDraft *draft, GError **error)
{
	g_autofree char *full = NULL;
	g_autoptr(SatchelJson) custom = NULL;
	json_t *all = satchel_json_get_object(targets, "targets", error);
	json_t *entry;

	if (all == NULL || !check_draft(draft, error))
		return NULL;
	full = g_strdup_printf("%s-%" G_GINT64_FORMAT, draft->name, draft->version);
	if (json_object_get(all, full) != NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "there is a target '%s' already; a release never changes, give it a "
			    "new --version",
			    full);
		return NULL;
	}
	custom = custom_new(draft, error);
	if (custom == NULL ||
	    (draft->custom != NULL && !merge_custom(custom, draft->custom, error)))
		return NULL;
	if (!satchel_role_author_check_ascii(custom, "custom", error))
		return NULL;
	entry = json_pack("{s:O, s:{s:s}, s:i}", "custom", custom, "hashes", "sha256",
			  draft->commit, "length", 0);
	json_object_set_new(all, full, entry);
	return g_steal_pointer(&full);
}
