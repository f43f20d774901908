#pragma once
#include "private_key.h"

/**
 * satchel_key_archive_read:
 * @data: a gzip-compressed tar of pairs NAME.pub and NAME.sec, as fioctl makes them; borrowed
 *
 * Members are JSON: {"keytype":"ED25519","keyval":{"private":HEX}} or {"keytype":"RSA",
 * "keyval":{"private":PEM}}. Both halves of a pair must agree. Other members are passed over.
 * Pure: what is read is a buffer.
 *
 * Errors: SATCHEL_ERROR_FAILED, naming the member.
 *
 * Returns: (transfer full) (element-type SatchelPrivateKey): every private key in it
 */
G_GNUC_WARN_UNUSED_RESULT
GPtrArray *satchel_key_archive_read(gconstpointer data, gsize n_bytes, GError **error);
