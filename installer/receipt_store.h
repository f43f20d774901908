#pragma once
#include <jansson.h>
#include <satchel/error.h>

/* Receipts in a folder: on the device, and on a stick. None is ever overwritten. */

/* As many are kept on the device; the oldest go first. */
#define SATCHEL_RECEIPT_MAX_KEPT 256u

/**
 * satchel_receipt_store_add:
 * @dir_fd: the folder, open for reading
 * @stem: of satchel_receipt_stem()
 * @document: with "signed" and "signatures"
 *
 * Writes STEM<n>.txt and STEM<n>.json, each whole and durably; n is above that of all receipts that
 * are there, whatever their date: a clock may have been ahead, or be behind.
 *
 * Errors: SATCHEL_ERROR_NO_SPACE, SATCHEL_ERROR_FAILED.
 *
 * Returns: (transfer full): the name without its ending, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
char *satchel_receipt_store_add(int dir_fd, const char *stem, const json_t *document,
				GError **error);

/* The same under a name that is given; FALSE without error where it is there already. */
gboolean satchel_receipt_store_add_named(int dir_fd, const char *name, const json_t *document,
					 GError **error);

/* Names without their ending, oldest first, which their numbers tell. (transfer full) */
GStrv satchel_receipt_store_list(int dir_fd);
/* Errors: SATCHEL_ERROR_FAILED. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
json_t *satchel_receipt_store_read(int dir_fd, const char *name, GError **error);

/* Removes the oldest beyond SATCHEL_RECEIPT_MAX_KEPT. */
void satchel_receipt_store_prune(int dir_fd);
