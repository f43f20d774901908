#include "state_file.h"
#include "../verify/atomic_write.h"
#include "../verify/safe_read.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_NAME "state.json"
#define MAX_DAMAGED 1000u

SatchelState *
satchel_state_file_load(int dir_fd, gboolean *absent, char **damage, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) document =
		satchel_safe_read(dir_fd, STATE_NAME, SATCHEL_LIMIT_STATE_BYTES, &local_error);
	SatchelState *state = NULL;
	gint64 format = 0;

	*damage = NULL;
	*absent = g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
	if (*absent)
		return satchel_state_new();
	if (document == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "the device's state: %s; move the file away to begin anew",
			    local_error->message);
		return NULL;
	}
	state = satchel_state_parse(document, &local_error);
	if (state != NULL)
		return state;
	format = satchel_state_read_format(document);
	if (format > SATCHEL_STATE_FORMAT) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "the device's state was written by a newer version of this "
			    "program: " STATE_NAME " has the format %" G_GINT64_FORMAT
			    " and this version knows none above %d; use the newer one, or move the "
			    "file away to begin anew",
			    format, SATCHEL_STATE_FORMAT);
		return NULL;
	}
	*damage = g_strdup(local_error->message);
	return satchel_state_new();
}

char *
satchel_state_file_keep_damaged(int dir_fd, GError **error)
{
	for (guint n = 1; n <= MAX_DAMAGED; n++) {
		g_autofree char *name = g_strdup_printf(STATE_NAME ".damaged-%u", n);

		/* A link replaces no older evidence, and leaves the name to the state that follows:
		 * killed in between, the device would otherwise look like one without a past. */
		if (linkat(dir_fd, STATE_NAME, dir_fd, name, 0) == 0)
			return g_steal_pointer(&name);
		if (errno != EEXIST)
			break;
	}
	g_set_error(error, SATCHEL_ERROR,
		    errno == ENOSPC || errno == EDQUOT ? SATCHEL_ERROR_NO_SPACE
						       : SATCHEL_ERROR_FAILED,
		    "the damaged " STATE_NAME " cannot be kept: %s", g_strerror(errno));
	return NULL;
}

gboolean
satchel_state_file_save(int dir_fd, const SatchelState *state, GError **error)
{
	g_autoptr(GBytes) document = satchel_state_serialize(state);
	g_autoptr(GError) local_error = NULL;
	gint code = SATCHEL_ERROR_FAILED;

	if (g_bytes_get_size(document) > SATCHEL_LIMIT_STATE_BYTES) {
		g_set_error(error, SATCHEL_ERROR, code,
			    "the device's state cannot be kept: it would be longer than %u bytes",
			    SATCHEL_LIMIT_STATE_BYTES);
		return FALSE;
	}
	if (satchel_atomic_write(dir_fd, STATE_NAME, document, 0600, &local_error))
		return TRUE;
	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE))
		code = SATCHEL_ERROR_NO_SPACE;
	g_set_error(error, SATCHEL_ERROR, code, "the device's state cannot be kept: %s",
		    local_error->message);
	return FALSE;
}
