#include "settings.h"
#include <string.h>

/* Long enough for a program that asks a person; a day at most, so that no update hangs for good. */
#define CALLBACK_DEFAULT_S 300
#define CALLBACK_MAX_S 86400

/* Where aktualizr-lite locks. */
#define FOREIGN_LOCK "/var/lock/aklite.lock"

/* As aktualizr-lite documents it. */
#define DEFAULT_POLLING_S 300u
/* A day: who waits longer wants no daemon. */
#define MAX_POLLING_S 86400u

/* A path of the configuration: relative ones stand below storage.path. (transfer full) */
static char *
path_below(const char *storage_path, const char *path)
{
	return g_path_is_absolute(path) ? g_strdup(path)
					: g_build_filename(storage_path, path, NULL);
}

/* A value that must not be empty. (transfer full) */
static char *
get_filled(const SatchelConfig *config, const char *key, const char *fallback, const char *expected,
	   GError **error)
{
	const char *text = satchel_config_get_text(config, key, fallback);

	if (*text != '\0')
		return g_strdup(text);
	satchel_config_set_value_error(config, key, expected, error);
	return NULL;
}

/* One component: it becomes a file or folder name. (transfer full) */
static char *
get_name(const SatchelConfig *config, const char *key, const char *fallback, GError **error)
{
	g_autofree char *text = get_filled(config, key, fallback, "a name", error);

	if (text == NULL)
		return NULL;
	if (strchr(text, '/') == NULL && *text != '.')
		return g_steal_pointer(&text);
	satchel_config_set_value_error(config, key, "a name without / that begins with no dot",
				       error);
	return NULL;
}

static char *
get_absolute(const SatchelConfig *config, const char *key, const char *fallback, GError **error)
{
	const char *text = satchel_config_get_text(config, key, fallback);

	if (g_path_is_absolute(text))
		return g_strdup(text);
	satchel_config_set_value_error(config, key, "an absolute path", error);
	return NULL;
}

static gboolean
read_storage(SatchelSettings *self, const SatchelConfig *config, GError **error)
{
	const char *roots =
		satchel_config_get_text(config, "storage.uptane_metadata_path", "metadata");
	const char *cert =
		satchel_config_get_text(config, "storage.tls_clientcert_path", "client.pem");
	const char *key = satchel_config_get_text(config, "storage.tls_pkey_path", "pkey.pem");
	const char *database = satchel_config_get_text(config, "storage.sqldb_path", "sql.db");
	const char *import = satchel_config_get_text(config, "import.base_path", "import");

	self->storage_path = get_absolute(config, "storage.path", "/var/sota", error);
	if (self->storage_path == NULL)
		return FALSE;
	/* aktualizr's default names a folder of its own; the roots come with the image. */
	self->root_dir = g_str_equal(roots, "metadata") ? g_strdup("/usr/lib/sota/tuf")
							: path_below(self->storage_path, roots);
	self->client_cert = path_below(self->storage_path, cert);
	self->client_key = path_below(self->storage_path, key);
	self->database_path = path_below(self->storage_path, database);
	self->import_dir = path_below(self->storage_path, import);
	return TRUE;
}

static gboolean
read_booted(SatchelSettings *self, const SatchelConfig *config, GError **error)
{
	const char *booted = satchel_config_get_text(config, "pacman.booted", "1");

	self->booted = g_str_equal(booted, "1") || g_str_equal(booted, "true") ||
		       g_str_equal(booted, "booted");
	if (self->booted || g_str_equal(booted, "0") || g_str_equal(booted, "false") ||
	    g_str_equal(booted, "staged"))
		return TRUE;
	satchel_config_set_value_error(config, "pacman.booted", "\"1\", \"0\" or \"staged\"",
				       error);
	return FALSE;
}

/* To install the system and leave its apps behind without a word would be worse than to refuse. */
static gboolean
read_type(SatchelSettings *self, const SatchelConfig *config, GError **error)
{
	const char *type = satchel_config_get_text(config, "pacman.type", "ostree");

	if (g_str_equal(type, "ostree"))
		return TRUE;
	if (g_str_equal(type, "ostree+compose_apps")) {
		self->apps = satchel_apps_settings_new(config, error);
		return self->apps != NULL;
	}
	satchel_config_set_value_error(config, "pacman.type",
				       "\"ostree\" or \"ostree+compose_apps\"", error);
	return FALSE;
}

static gboolean
read_pacman(SatchelSettings *self, const SatchelConfig *config, GError **error)
{
	if (!read_type(self, config, error))
		return FALSE;
	/* aktualizr's default, an empty one, is the running system's. */
	self->sysroot = *satchel_config_get_text(config, "pacman.sysroot", "") == '\0'
				? g_strdup("/")
				: get_absolute(config, "pacman.sysroot", "/", error);
	if (self->sysroot == NULL)
		return FALSE;
	self->os = get_name(config, "pacman.os", "lmp", error);
	if (self->os == NULL)
		return FALSE;
	self->tags = satchel_config_get_list(config, "pacman.tags");
	return satchel_config_get_bool(config, "pacman.ostree_update_block", TRUE,
				       &self->ostree_update_block, error) &&
	       satchel_config_get_number(config, "pacman.sysroot_ostree_reserved_space_percentage",
					 3, 50, 0, &self->reserved_percent, error) &&
	       read_booted(self, config, error);
}

/* Quotes keep blanks together; nothing else has a meaning, for there is no shell. */
static gboolean
read_reboot_command(SatchelSettings *self, const SatchelConfig *config, GError **error)
{
	const char *text =
		satchel_config_get_text(config, "bootloader.reboot_command", "/sbin/reboot");

	if (g_shell_parse_argv(text, NULL, &self->reboot_command, NULL))
		return TRUE;
	satchel_config_set_value_error(config, "bootloader.reboot_command",
				       "a program and its arguments", error);
	return FALSE;
}

static gboolean
read_rollback_mode(SatchelSettings *self, const SatchelConfig *config, GError **error)
{
	const char *mode = satchel_config_get_text(config, "bootloader.rollback_mode", "none");

	if (satchel_rollback_mode_parse(mode, &self->rollback_mode))
		return TRUE;
	satchel_config_set_value_error(config, "bootloader.rollback_mode",
				       "\"none\", \"uboot_generic\", \"uboot_masked\", "
				       "\"fiovb\" or \"fioefi\"",
				       error);
	return FALSE;
}

static gboolean
read_bootloader(SatchelSettings *self, const SatchelConfig *config, GError **error)
{
	self->reboot_sentinel_dir = get_absolute(config, "bootloader.reboot_sentinel_dir",
						 "/var/run/aktualizr-session", error);
	if (self->reboot_sentinel_dir == NULL)
		return FALSE;
	self->reboot_sentinel_name =
		get_name(config, "bootloader.reboot_sentinel_name", "need_reboot", error);
	if (self->reboot_sentinel_name == NULL)
		return FALSE;
	return read_reboot_command(self, config, error) && read_rollback_mode(self, config, error);
}

static gboolean
read_daemon(SatchelSettings *self, const SatchelConfig *config, GError **error)
{
	if (*satchel_config_get_text(config, "satchel.source", "") != '\0') {
		self->source = get_absolute(config, "satchel.source", "", error);
		if (self->source == NULL)
			return FALSE;
	}
	return satchel_config_get_number(config, "uptane.polling_sec", 1, MAX_POLLING_S,
					 DEFAULT_POLLING_S, &self->polling_s, error);
}

static gboolean
read_callback(SatchelSettings *self, const SatchelConfig *config, GError **error)
{
	if (*satchel_config_get_text(config, "pacman.callback_program", "") != '\0') {
		self->callback_program = get_absolute(config, "pacman.callback_program", "", error);
		if (self->callback_program == NULL)
			return FALSE;
	}
	return satchel_config_get_number(config, "satchel.callback_timeout_s", 1, CALLBACK_MAX_S,
					 CALLBACK_DEFAULT_S, &self->callback_limit_s, error) &&
	       satchel_config_get_bool(config, "satchel.callback_veto", FALSE, &self->callback_veto,
				       error);
}

static gboolean
read_satchel(SatchelSettings *self, const SatchelConfig *config, GError **error)
{
	/* Whoever updates the running system from here is no rival of one that does not run. */
	const char *fallback = self->booted ? FOREIGN_LOCK : "";
	const char *lock = satchel_config_get_text(config, "satchel.foreign_lock", fallback);

	if (*lock != '\0') {
		self->foreign_lock = get_absolute(config, "satchel.foreign_lock", fallback, error);
		if (self->foreign_lock == NULL)
			return FALSE;
	}
	self->secondary_hardware_ids =
		satchel_config_get_list(config, "satchel.secondary_hardware_ids");
	return satchel_config_get_bool(config, "satchel.auto_downgrade", FALSE,
				       &self->auto_downgrade, error) &&
	       satchel_config_get_number(config, "satchel.lowest_version", 0, G_MAXINT64, 0,
					 &self->lowest_version, error) &&
	       satchel_config_get_bool(config, "satchel.trust_on_first_use", FALSE,
				       &self->trust_on_first_use, error) &&
	       satchel_config_get_bool(config, "satchel.require_bundle_metadata", TRUE,
				       &self->require_bundle_metadata, error);
}

SatchelSettings *
satchel_settings_new(const SatchelConfig *config, const char *host_name, GError **error)
{
	g_autoptr(SatchelSettings) self = g_new0(SatchelSettings, 1);
	const char *hardware_id =
		satchel_config_get_text(config, "provision.primary_ecu_hardware_id", "");

	self->hardware_id = g_strdup(*hardware_id != '\0' ? hardware_id : host_name);
	if (!read_storage(self, config, error) || !read_pacman(self, config, error) ||
	    !read_bootloader(self, config, error) || !read_callback(self, config, error) ||
	    !read_satchel(self, config, error) || !read_daemon(self, config, error))
		return NULL;
	self->media = satchel_media_settings_new(config, error);
	if (self->media == NULL)
		return NULL;
	self->signals = satchel_signal_settings_new(config, error);
	return self->signals != NULL ? g_steal_pointer(&self) : NULL;
}

void
satchel_settings_free(SatchelSettings *self)
{
	g_free(self->hardware_id);
	g_free(self->storage_path);
	g_free(self->root_dir);
	g_free(self->client_cert);
	g_free(self->client_key);
	g_free(self->database_path);
	g_free(self->import_dir);
	g_free(self->sysroot);
	g_free(self->os);
	g_strfreev(self->tags);
	g_free(self->callback_program);
	g_strfreev(self->secondary_hardware_ids);
	g_free(self->reboot_sentinel_dir);
	g_free(self->reboot_sentinel_name);
	g_strfreev(self->reboot_command);
	g_free(self->source);
	g_free(self->foreign_lock);
	g_clear_pointer(&self->media, satchel_media_settings_free);
	g_clear_pointer(&self->signals, satchel_signal_settings_free);
	g_clear_pointer(&self->apps, satchel_apps_settings_free);
	g_free(self);
}
