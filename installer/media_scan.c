#include "media_scan.h"
#include "../verify/cancel.h"
#include "../verify/path_safety.h"
#include "media_find.h"
#include "media_jail.h"
#include "media_reader.h"
#include "media_verdict.h"
#include "offer.h"

/* For all that lies on a stick: for so long other updaters wait for one that is slow on purpose. */
#define SCAN_LIMIT_S 300u

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

	*more = n > 0 && g_str_equal(lines[n - 1], SATCHEL_MEDIA_MORE_LINE);
	if (n == 0 || (!*more && !g_str_equal(lines[n - 1], SATCHEL_MEDIA_ALL_LINE)))
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

/* What all readers of one stick have in common. */
typedef struct {
	const SatchelDevice *device;
	const char *const *config_paths;
	SatchelMediaJail jail;
	gint64 end_us;
	char *app_work; /* (nullable): the engine is asked once */
} Scan;

static void
scan_clear(Scan *self)
{
	g_free(self->app_work);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scan, scan_clear)

/* @path: "" is a search. (transfer full) */
static char *
run_reader(Scan *self, const char *path, GError **error)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	gint64 limit_us = (gint64)SATCHEL_MEDIA_READER_LIMIT_S * G_USEC_PER_SEC;

	g_ptr_array_add(arguments, self->device->settings->media->user);
	g_ptr_array_add(arguments, (gpointer)(guintptr)path);
	g_ptr_array_add(arguments,
			(gpointer)(guintptr)(self->app_work != NULL ? self->app_work : ""));
	for (guint i = 0; self->config_paths != NULL && self->config_paths[i] != NULL; i++)
		g_ptr_array_add(arguments, (gpointer)(guintptr)self->config_paths[i]);
	g_ptr_array_add(arguments, NULL);
	self->jail.end_us = MIN(g_get_monotonic_time() + limit_us, self->end_us);
	return satchel_media_jail_run(&self->jail, (const char *const *)arguments->pdata, error);
}

static SatchelMediaVerdict *
examine(Scan *self, const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *line = run_reader(self, path, &error);
	SatchelMediaVerdict *verdict = NULL;

	if (line != NULL)
		verdict = satchel_media_verdict_from_line(line, path, &error);
	return verdict != NULL ? verdict : satchel_media_verdict_new_refused(path, error);
}

/* Where the device has nothing to judge by, that is no word about the stick. */
static gboolean
check_trust(SatchelDevice *device, GError **error)
{
	g_auto(SatchelMediaTrust) trust = {0};

	return satchel_media_trust_load(&trust, device, error);
}

gboolean
satchel_media_scan(SatchelDevice *device, const char *const *config_paths, int root_fd,
		   GCancellable *cancellable, SatchelMediaScan *scan, GError **error)
{
	g_auto(Scan) self = {
		.device = device,
		.config_paths = config_paths,
		.jail = {satchel_media_reader_get_program(), root_fd, 0, cancellable},
		.end_us = g_get_monotonic_time() + (gint64)SCAN_LIMIT_S * G_USEC_PER_SEC,
	};
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *found = NULL;

	scan->verdicts = g_ptr_array_new_with_free_func((GDestroyNotify)satchel_media_verdict_free);
	found = run_reader(&self, "", error);
	if (found == NULL || !take_paths(found, paths, &scan->more, error))
		return FALSE;
	if (paths->len > 0 && !check_trust(device, error))
		return FALSE;
	if (paths->len > 0)
		self.app_work = satchel_offer_find_app_work(device);
	for (guint i = 0; i < paths->len; i++) {
		g_ptr_array_add(scan->verdicts, examine(&self, paths->pdata[i]));
		/* Whom nobody waits for any more has judged nothing. */
		if (!satchel_cancel_check(cancellable, error))
			return FALSE;
	}
	return TRUE;
}

void
satchel_media_scan_clear(SatchelMediaScan *self)
{
	g_clear_pointer(&self->verdicts, g_ptr_array_unref);
}
