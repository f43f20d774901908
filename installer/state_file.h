#pragma once
#include "state.h"

/* The device's state on disk: `state.json`, whole and atomic. */

/**
 * satchel_state_file_load:
 * @dir_fd: the folder of the state
 * @absent: (out): there is no such file
 * @damage: (out) (transfer full): why the file was of no use; NULL: it was good, or is not there
 *
 * A file that is not of our form gives an empty state and @damage: what runs can be seen in the
 * sysroot, and the rest is not worth a device that refuses to work. Nothing is written.
 *
 * Errors: SATCHEL_ERROR_FAILED where the file is there and cannot be read at all, or is of a later
 * form than this program knows.
 *
 * Returns: (transfer full): the state, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelState *satchel_state_file_load(int dir_fd, gboolean *absent, char **damage, GError **error);

/* Gives a damaged file the first free name `state.json.damaged-N` besides its own, which the next
 * save takes from it. Errors: SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_FAILED. (transfer full): that
 * name */
G_GNUC_WARN_UNUSED_RESULT
char *satchel_state_file_keep_damaged(int dir_fd, GError **error);

/* A failure leaves the old file. Errors: SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_FAILED. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_state_file_save(int dir_fd, const SatchelState *state, GError **error);
