#include "media_reader.h"
#include "../verify/medium_error.h"
#include "../verify/split_set.h"
#include "media_find.h"
#include "media_jail.h"
#include "media_verdict.h"
#include "offer.h"
#include <fcntl.h>
#include <satchel/media.h>
#include <satchel/tuf_client.h>

enum { ARG_WORD = 1, ARG_USER, ARG_PATH, ARG_APP_WORK, ARG_CONFIG };

/* Until who links the library says that it can be one; looked for in PATH. */
static const char *reader_program = "satchel-installer";

const char *
satchel_media_reader_get_program(void)
{
	return reader_program;
}

/* ---- trust */

gboolean
satchel_media_trust_load(SatchelMediaTrust *self, SatchelDevice *device, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelTrustStore) store = satchel_device_open_store(device, NULL, &local_error);

	self->first_root =
		store == NULL && device->settings->trust_on_first_use &&
		g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
	if (store == NULL && !self->first_root) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	self->store = store != NULL ? satchel_trust_store_copy(store, error)
				    : satchel_trust_store_open(NULL, SATCHEL_TRUST_STORE_READ_ONLY,
							       error);
	return self->store != NULL &&
	       satchel_device_get_profile(device, store != NULL ? store : self->store,
					  &self->profile, error);
}

void
satchel_media_trust_clear(SatchelMediaTrust *self)
{
	g_clear_pointer(&self->store, satchel_trust_store_free);
}

/* ---- a search */

static char *
find_all(void)
{
	g_autoptr(GString) lines = g_string_new(NULL);
	g_auto(SatchelMediaFound) found = {0};
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (here < 0 || !satchel_media_find(here, &found, NULL))
		return NULL;
	for (guint i = 0; found.paths[i] != NULL; i++) {
		g_autofree char *escaped = g_strescape(found.paths[i], NULL);

		g_string_append_printf(lines, "%s\n", escaped);
	}
	g_string_append(lines, found.more ? SATCHEL_MEDIA_MORE_LINE : SATCHEL_MEDIA_ALL_LINE);
	return g_string_free(g_steal_pointer(&lines), FALSE);
}

/* ---- one candidate */

/* The first part is missing: what lies there are later ones. */
static gboolean
check_first_part(const char *path, GError **error)
{
	g_autofree char *base = satchel_split_set_base(path);

	return base == NULL || g_file_test(path, G_FILE_TEST_EXISTS) ||
	       satchel_medium_error_set(error, SATCHEL_MEDIUM_MISSING, path, 0, NULL);
}

static gboolean
trust_first(SatchelTrustStore *store, SatchelBundleReader *bundle, GError **error)
{
	g_autoptr(GBytes) root = satchel_device_read_first_root(bundle, error);

	return root != NULL && satchel_tuf_client_init(store, root, error);
}

/* NULL: @error says why the candidate is refused, *@version of what, as far as that was found. */
static SatchelMediaVerdict *
examine(SatchelDevice *device, const SatchelMediaTrust *trust, const char *app_work,
	const char *path, gint64 *version, GError **error)
{
	g_autoptr(SatchelBundleReader) bundle = NULL;
	g_autoptr(SatchelOffer) offer = NULL;
	g_auto(SatchelTargetChoice) choice = {0};

	if (!check_first_part(path, error))
		return NULL;
	bundle = satchel_bundle_reader_open(path, error);
	if (bundle == NULL || (trust->first_root && !trust_first(trust->store, bundle, error)))
		return NULL;
	offer = satchel_offer_preview(device, g_steal_pointer(&bundle), trust->store,
				      &trust->profile, app_work, error);
	if (offer == NULL || !satchel_offer_choose(offer, device, NULL, &choice, error))
		return NULL;
	if (choice.selected != NULL)
		*version = satchel_ostree_target_get_version(choice.selected);
	if (!satchel_target_choice_check(&choice, error))
		return NULL;
	if (!satchel_offer_is_update(offer, &choice))
		return satchel_media_verdict_new(path, SATCHEL_MEDIA_NOTHING_NEW,
						 SATCHEL_ERROR_FAILED, NULL, *version, choice.text);
	return satchel_media_verdict_new(path, SATCHEL_MEDIA_INSTALLABLE, SATCHEL_ERROR_FAILED,
					 satchel_ostree_target_get_name(choice.selected), *version,
					 choice.text);
}

static char *
examine_to_line(SatchelDevice *device, const SatchelMediaTrust *trust, const char *app_work,
		const char *path)
{
	g_autoptr(GError) error = NULL;
	gint64 version = -1;
	g_autoptr(SatchelMediaVerdict) verdict =
		examine(device, trust, app_work, path, &version, &error);

	if (verdict == NULL) {
		verdict = satchel_media_verdict_new_refused(path, error);
		verdict->version = version;
	}
	return satchel_media_verdict_to_line(verdict);
}

/* Because of what is wrong with the device. */
static void G_GNUC_NORETURN
refuse(const char *path, const GError *error)
{
	g_autoptr(SatchelMediaVerdict) verdict = satchel_media_verdict_new_refused(path, error);
	g_autofree char *line = satchel_media_verdict_to_line(verdict);

	satchel_media_jail_stay_out(line);
}

static void G_GNUC_NORETURN
run_examination(const char *user, const char *path, const char *app_work,
		const char *const *config_paths)
{
	g_autoptr(GError) error = NULL;
	g_auto(SatchelMediaTrust) trust = {0};
	g_autoptr(SatchelDevice) device = satchel_device_open(
		*config_paths != NULL ? config_paths : NULL, SATCHEL_DEVICE_READ_ONLY, &error);

	if (device == NULL || !satchel_media_trust_load(&trust, device, &error))
		refuse(path, error);
	if (!satchel_media_jail_enter(user, SATCHEL_MEDIA_READER_LIMIT_S))
		satchel_media_jail_leave(NULL);
	satchel_media_jail_leave(examine_to_line(device, &trust, app_work, path));
}

static void G_GNUC_NORETURN
run_search(const char *user)
{
	if (!satchel_media_jail_enter(user, SATCHEL_MEDIA_READER_LIMIT_S))
		satchel_media_jail_leave(NULL);
	satchel_media_jail_leave(find_all());
}

void
satchel_media_begin(int argc, char **argv)
{
	reader_program = "/proc/self/exe";
	if (argc < ARG_CONFIG || !g_str_equal(argv[ARG_WORD], SATCHEL_MEDIA_READER_WORD))
		return;
	satchel_media_jail_prepare();
	if (*argv[ARG_PATH] == '\0')
		run_search(argv[ARG_USER]);
	run_examination(argv[ARG_USER], argv[ARG_PATH],
			*argv[ARG_APP_WORK] != '\0' ? argv[ARG_APP_WORK] : NULL,
			(const char *const *)&argv[ARG_CONFIG]);
}
