#include "media_scan.h"
#include "../verify/cancel.h"
#include "../verify/medium_error.h"
#include "../verify/path_safety.h"
#include "../verify/split_set.h"
#include "media_find.h"
#include "media_jail.h"
#include "media_verdict.h"
#include "offer.h"
#include <fcntl.h>
#include <satchel/tuf_client.h>

/* A slow stick with a long manifest takes seconds. */
#define READER_LIMIT_S 300u

/* The last line of a list of paths, none of which is that short and of that kind. */
#define ALL_LINE "\t"
#define MORE_LINE "\t\t"

/* What the reader of one candidate needs; all of it was read before. */
typedef struct {
	SatchelDevice *device;
	SatchelTrustStore *store; /* (owned): in memory */
	SatchelDeviceProfile profile;
	gboolean first_root; /* the store has none, and the bundle's may be believed */
	const char *path;
} Examination;

static void
examination_clear(Examination *self)
{
	g_clear_pointer(&self->store, satchel_trust_store_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Examination, examination_clear)

/* ---- in the child */

static char *
find_in_child(gpointer user_data)
{
	g_autoptr(GString) lines = g_string_new(NULL);
	g_auto(SatchelMediaFound) found = {0};
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)user_data;
	if (here < 0 || !satchel_media_find(here, &found, NULL))
		return NULL;
	for (guint i = 0; found.paths[i] != NULL; i++) {
		g_autofree char *escaped = g_strescape(found.paths[i], NULL);

		g_string_append_printf(lines, "%s\n", escaped);
	}
	g_string_append(lines, found.more ? MORE_LINE : ALL_LINE);
	return g_string_free(g_steal_pointer(&lines), FALSE);
}

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
examine(const Examination *self, gint64 *version, GError **error)
{
	g_autoptr(SatchelBundleReader) bundle = NULL;
	g_autoptr(SatchelOffer) offer = NULL;
	g_auto(SatchelTargetChoice) choice = {0};

	if (!check_first_part(self->path, error))
		return NULL;
	bundle = satchel_bundle_reader_open(self->path, error);
	if (bundle == NULL || (self->first_root && !trust_first(self->store, bundle, error)))
		return NULL;
	offer = satchel_offer_preview(self->device, g_steal_pointer(&bundle), self->store,
				      &self->profile, error);
	if (offer == NULL || !satchel_offer_choose(offer, self->device, NULL, &choice, error))
		return NULL;
	if (choice.selected != NULL)
		*version = satchel_ostree_target_get_version(choice.selected);
	if (!satchel_target_choice_check(&choice, error))
		return NULL;
	if (!satchel_offer_is_update(offer, &choice))
		return satchel_media_verdict_new(self->path, SATCHEL_MEDIA_NOTHING_NEW,
						 SATCHEL_ERROR_FAILED, NULL, *version, choice.text);
	return satchel_media_verdict_new(
		self->path, SATCHEL_MEDIA_INSTALLABLE, SATCHEL_ERROR_FAILED,
		satchel_ostree_target_get_name(choice.selected), *version, choice.text);
}

static char *
examine_in_child(gpointer user_data)
{
	const Examination *self = user_data;
	g_autoptr(GError) error = NULL;
	gint64 version = -1;
	g_autoptr(SatchelMediaVerdict) verdict = examine(self, &version, &error);

	if (verdict == NULL) {
		verdict = satchel_media_verdict_new_refused(self->path, error);
		verdict->version = version;
	}
	return satchel_media_verdict_to_line(verdict);
}

/* ---- in the caller */

/* The trust store as it is, in memory: the child could not read it, and need not. */
static gboolean
prepare(Examination *self, SatchelDevice *device, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelTrustStore) store = satchel_device_open_store(device, NULL, &local_error);

	self->device = device;
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

static gboolean
fail_list(GError **error)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the stick is unreadable: its reader gave no list");
	return FALSE;
}

/* What was said by somebody who may have been taken over. */
static gboolean
take_paths(const char *text, GPtrArray *paths, gboolean *more, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", SATCHEL_MEDIA_MAX_CANDIDATES + 2);
	guint n = g_strv_length(lines);

	*more = n > 0 && g_str_equal(lines[n - 1], MORE_LINE);
	if (n == 0 || (!*more && !g_str_equal(lines[n - 1], ALL_LINE)))
		return fail_list(error);
	for (guint i = 0; i + 1 < n; i++) {
		char *path = g_strcompress(lines[i]);

		g_ptr_array_add(paths, path);
		/* It is a name for the caller, too, which no link and no `..` shall lead astray. */
		if (!g_str_equal(path, ".") && !satchel_path_check(path, NULL))
			return fail_list(error);
	}
	return TRUE;
}

static SatchelMediaVerdict *
examine_shut_in(Examination *self, const SatchelMediaJail *jail, const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *line = NULL;
	SatchelMediaVerdict *verdict = NULL;

	self->path = path;
	line = satchel_media_jail_run(jail, examine_in_child, self, &error);
	if (line != NULL)
		verdict = satchel_media_verdict_from_line(line, path, &error);
	return verdict != NULL ? verdict : satchel_media_verdict_new_refused(path, error);
}

gboolean
satchel_media_scan(SatchelDevice *device, int root_fd, GCancellable *cancellable,
		   SatchelMediaScan *scan, GError **error)
{
	SatchelMediaJail jail = {root_fd, device->settings->media->user, READER_LIMIT_S};
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_auto(Examination) examination = {0};
	g_autofree char *found = NULL;

	scan->verdicts = g_ptr_array_new_with_free_func((GDestroyNotify)satchel_media_verdict_free);
	found = satchel_media_jail_run(&jail, find_in_child, NULL, error);
	if (found == NULL || !take_paths(found, paths, &scan->more, error))
		return FALSE;
	if (paths->len > 0 && !prepare(&examination, device, error))
		return FALSE;
	for (guint i = 0; i < paths->len; i++) {
		if (!satchel_cancel_check(cancellable, error))
			return FALSE;
		g_ptr_array_add(scan->verdicts,
				examine_shut_in(&examination, &jail, paths->pdata[i]));
	}
	return TRUE;
}

void
satchel_media_scan_clear(SatchelMediaScan *self)
{
	g_clear_pointer(&self->verdicts, g_ptr_array_unref);
}
