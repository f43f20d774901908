#include "media_turn.h"
#include "../verify/digest.h"
#include "media_rate.h"
#include <string.h>

gint64
satchel_media_turn_take(const SatchelMediaDevice *device, const char *run_dir)
{
	/* Of any length and any characters. */
	g_autofree char *name = satchel_digest_sha256_hex(device->place, strlen(device->place));
	g_autofree char *path = g_strdup_printf("%s/starts-%.16s", run_dir, name);
	/* Of the time since the boot: the folder is empty then, too. */
	gint64 now_s = g_get_monotonic_time() / G_USEC_PER_SEC;
	g_autofree char *record = NULL;
	g_autofree char *next = NULL;
	gint64 wait_s;

	if (!g_file_get_contents(path, &record, NULL, NULL))
		record = g_strdup("");
	wait_s = satchel_media_rate_wait_s(record, now_s);
	if (wait_s > 0)
		return wait_s;
	next = satchel_media_rate_add(record, now_s);
	/* Without a record there is no limit; that is no reason not to serve it. */
	if (g_mkdir_with_parents(run_dir, 0755) != 0 || !g_file_set_contents(path, next, -1, NULL))
		return 0;
	return 0;
}
