#include "hex.h"
#include "json.h"
#include "path_safety.h"
#include <satchel/ostree_target.h>

struct SatchelOstreeTarget {
	char *name;
	char *commit;
	gint64 version;
	gint64 lowest_version;
	GStrv hardware_ids;
	GStrv tags;
	GPtrArray *apps; /* SatchelTargetApp that own their strings, by name */
	GBytes *custom;
};

static gboolean
fail(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, reason);
	return FALSE;
}

static void
app_free(gpointer data)
{
	SatchelTargetApp *app = data;

	g_free((gpointer)(guintptr)app->name);
	g_free((gpointer)(guintptr)app->uri);
	g_free(app);
}

static gint
compare_apps(gconstpointer a, gconstpointer b)
{
	const SatchelTargetApp *const *one = a;
	const SatchelTargetApp *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

/* It names a folder, in bundles and on devices. */
static gboolean
app_name_is_safe(const char *name)
{
	return strchr(name, '/') == NULL && satchel_path_check(name, NULL);
}

/* HOST/FACTORY/APP@sha256:HEX: pinned by digest, so that its content is what was signed for. */
static gboolean
app_uri_is_pinned(const char *uri)
{
	static const char mark[] = "@sha256:";
	const char *at = strchr(uri, '@');
	gsize n_hex = 0;

	if (at == NULL || at == uri || !g_str_has_prefix(at, mark))
		return FALSE;
	at += strlen(mark);
	n_hex = strspn(at, "0123456789abcdefABCDEF");
	return n_hex == 64 && at[n_hex] == '\0';
}

/* `fetched-apps`, which Foundries.io puts into targets for offline bundles. @shortlist: (out)
 * (transfer full) (nullable): the apps that a bundle holds; NULL: all. */
static gboolean
parse_fetched_apps(const json_t *custom, GStrv *shortlist, GError **error)
{
	const json_t *fetched = json_object_get(custom, "fetched-apps");
	const char *uri = json_string_value(json_object_get(fetched, "uri"));
	const json_t *listed = json_object_get(fetched, "shortlist");

	*shortlist = NULL;
	if (!json_is_object(fetched))
		return TRUE;
	if (listed != NULL && !json_is_null(listed) && !json_is_string(listed))
		return fail(error, "'fetched-apps' has a 'shortlist' that is no text");
	/* Without a place to fetch them from, none was fetched. */
	if (uri == NULL || *uri == '\0')
		*shortlist = g_new0(char *, 1);
	else if (json_string_length(listed) > 0)
		*shortlist = g_strsplit_set(json_string_value(listed), ", ", -1);
	return TRUE;
}

static gboolean
ostree_target_parse_apps(SatchelOstreeTarget *self, const json_t *custom, GError **error)
{
	json_t *apps = json_object_get(custom, "docker_compose_apps");
	g_auto(GStrv) shortlist = NULL;
	const char *name;
	json_t *entry;

	if (apps == NULL || json_is_null(apps))
		return TRUE;
	if (!json_is_object(apps))
		return fail(error, "'docker_compose_apps' is no object");
	if (!parse_fetched_apps(custom, &shortlist, error))
		return FALSE;
	json_object_foreach(apps, name, entry)
	{
		const char *uri = json_string_value(json_object_get(entry, "uri"));
		SatchelTargetApp *app;

		if (!app_name_is_safe(name))
			return fail(error, "'docker_compose_apps' has a name that is no file name");
		if (uri == NULL || !app_uri_is_pinned(uri))
			return fail(error, "'docker_compose_apps' has an app whose 'uri' does not "
					   "end in @sha256:DIGEST");
		app = g_new0(SatchelTargetApp, 1);
		app->name = g_strdup(name);
		app->uri = g_strdup(uri);
		app->is_bundled =
			shortlist == NULL || g_strv_contains((const char *const *)shortlist, name);
		g_ptr_array_add(self->apps, app);
	}
	g_ptr_array_sort(self->apps, compare_apps);
	return TRUE;
}

/* Decimal, in a string as a rule; anything else is -1, as aktualizr-lite has it. */
static gint64
parse_version(const json_t *custom)
{
	const json_t *value = json_object_get(custom, "version");
	const char *text = json_string_value(value);
	guint64 number;

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		return json_integer_value(value);
	if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &number, NULL))
		return -1;
	return (gint64)number;
}

/* Satchel's own member. A floor above the target itself would bar every target that names it. */
static gboolean
ostree_target_parse_lowest(SatchelOstreeTarget *self, const json_t *custom, GError **error)
{
	const json_t *own = json_object_get(custom, "x-satchel");
	const json_t *lowest = json_object_get(own, "lowest-version");

	if (own != NULL && !json_is_object(own))
		return fail(error, "'x-satchel' is no object");
	if (lowest == NULL)
		return TRUE;
	self->lowest_version = json_integer_value(lowest);
	if (self->lowest_version >= 1 && self->lowest_version <= self->version)
		return TRUE;
	return fail(error, "'x-satchel' has a 'lowest-version' that is no whole number from 1 to "
			   "the target's version");
}

/* NULL-terminated, empty where it is left out. */
static GStrv
parse_optional_strv(const json_t *custom, const char *member, GError **error)
{
	if (json_object_get(custom, member) == NULL)
		return g_new0(char *, 1);
	return satchel_json_get_strv(custom, member, error);
}

static gboolean
ostree_target_parse(SatchelOstreeTarget *self, const SatchelTarget *target, const json_t *custom,
		    GError **error)
{
	const char *commit = satchel_target_get_hash(target, "sha256");

	if (commit == NULL)
		return fail(error, "no sha256, which would be the commit");
	self->commit = g_strdup(commit);
	self->version = parse_version(custom);
	self->hardware_ids = parse_optional_strv(custom, "hardwareIds", error);
	if (self->hardware_ids == NULL)
		return FALSE;
	self->tags = parse_optional_strv(custom, "tags", error);
	return self->tags != NULL && ostree_target_parse_lowest(self, custom, error) &&
	       ostree_target_parse_apps(self, custom, error);
}

static gboolean
format_is_ostree(const json_t *custom)
{
	const char *format = json_string_value(json_object_get(custom, "targetFormat"));

	return format != NULL && strcmp(format, "OSTREE") == 0;
}

static gpointer
refuse(GError **error, const SatchelTarget *target)
{
	g_autofree char *quoted = satchel_path_quote(satchel_target_get_name(target));

	g_prefix_error(error, "target %s: ", quoted);
	return NULL;
}

SatchelOstreeTarget *
satchel_ostree_target_new(const SatchelTarget *target, GError **error)
{
	g_autoptr(SatchelOstreeTarget) self = g_atomic_rc_box_new0(SatchelOstreeTarget);
	g_autoptr(SatchelJson) custom = NULL;
	GBytes *bytes = satchel_target_get_custom(target);

	self->name = g_strdup(satchel_target_get_name(target));
	self->apps = g_ptr_array_new_with_free_func(app_free);
	if (bytes != NULL) {
		self->custom = g_bytes_ref(bytes);
		custom = satchel_json_parse(bytes, error);
		if (custom == NULL)
			return refuse(error, target);
	}
	if (!format_is_ostree(custom)) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_MATCHING_TARGET,
				    "'targetFormat' is not OSTREE");
		return refuse(error, target);
	}
	if (!ostree_target_parse(self, target, custom, error))
		return refuse(error, target);
	return g_steal_pointer(&self);
}

static void
ostree_target_clear(gpointer data)
{
	SatchelOstreeTarget *self = data;

	g_free(self->name);
	g_free(self->commit);
	g_strfreev(self->hardware_ids);
	g_strfreev(self->tags);
	g_ptr_array_unref(self->apps);
	g_clear_pointer(&self->custom, g_bytes_unref);
}

SatchelOstreeTarget *
satchel_ostree_target_ref(const SatchelOstreeTarget *self)
{
	/* Counting changes nothing that a holder can see. */
	return g_atomic_rc_box_acquire((gpointer)(guintptr)self);
}

void
satchel_ostree_target_unref(SatchelOstreeTarget *self)
{
	g_atomic_rc_box_release_full(self, ostree_target_clear);
}

const char *
satchel_ostree_target_get_name(const SatchelOstreeTarget *self)
{
	return self->name;
}

gint64
satchel_ostree_target_get_version(const SatchelOstreeTarget *self)
{
	return self->version;
}

gint64
satchel_ostree_target_get_lowest_version(const SatchelOstreeTarget *self)
{
	return self->lowest_version;
}

const char *
satchel_ostree_target_get_commit(const SatchelOstreeTarget *self)
{
	return self->commit;
}

const char *const *
satchel_ostree_target_get_hardware_ids(const SatchelOstreeTarget *self)
{
	return (const char *const *)self->hardware_ids;
}

const char *const *
satchel_ostree_target_get_tags(const SatchelOstreeTarget *self)
{
	return (const char *const *)self->tags;
}

guint
satchel_ostree_target_get_n_apps(const SatchelOstreeTarget *self)
{
	return self->apps->len;
}

const SatchelTargetApp *
satchel_ostree_target_get_app(const SatchelOstreeTarget *self, guint index)
{
	return g_ptr_array_index(self->apps, index);
}

GBytes *
satchel_ostree_target_get_custom(const SatchelOstreeTarget *self)
{
	return self->custom;
}
