#include "tar_layout.h"
#include <string.h>

#define USTAR_NAME_BYTES 100u
#define USTAR_PREFIX_BYTES 155u

static gboolean
is_ascii(const char *path)
{
	for (const char *c = path; *c != '\0'; c++) {
		if ((guint8)*c >= 0x80)
			return FALSE;
	}
	return TRUE;
}

/* A name that is too long for its field is cut at the first slash that leaves a short enough rest,
 * and nowhere else. */
static gboolean
fits_ustar(const char *path)
{
	gsize n_bytes = strlen(path);
	const char *slash;

	if (n_bytes <= USTAR_NAME_BYTES)
		return TRUE;
	slash = strchr(path + n_bytes - USTAR_NAME_BYTES - 1, '/');
	if (slash == path)
		slash = strchr(slash + 1, '/');
	return slash != NULL && slash[1] != '\0' && (gsize)(slash - path) <= USTAR_PREFIX_BYTES;
}

SatchelTarExtension
satchel_tar_layout_extension(const char *path, guint64 size_bytes)
{
	SatchelTarExtension extension = {0};
	gboolean ascii = is_ascii(path);

	extension.charset = !ascii && !g_utf8_validate(path, -1, NULL);
	extension.path = !ascii || !fits_ustar(path);
	extension.size = size_bytes > SATCHEL_TAR_USTAR_MAX_BYTES;
	return extension;
}

static guint64
count_digits(guint64 number)
{
	guint64 n_digits = 1;

	for (; number >= 10; number /= 10)
		n_digits++;
	return n_digits;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts its own digits. */
static guint64
record_bytes(const char *key, guint64 n_value_bytes)
{
	guint64 rest = strlen(" =\n") + strlen(key) + n_value_bytes;
	guint64 n_bytes = rest + count_digits(rest);

	return rest + count_digits(n_bytes);
}

static guint64
round_up(guint64 n_bytes, guint64 unit)
{
	return (n_bytes + unit - 1) / unit * unit;
}

guint64
satchel_tar_layout_header_bytes(const char *path, guint64 size_bytes)
{
	SatchelTarExtension extension = satchel_tar_layout_extension(path, size_bytes);
	guint64 n_bytes = 0;

	if (extension.charset)
		n_bytes += record_bytes("hdrcharset", strlen("BINARY"));
	if (extension.path)
		n_bytes += record_bytes("path", strlen(path));
	if (extension.size)
		n_bytes += record_bytes("size", count_digits(size_bytes));
	if (n_bytes == 0)
		return SATCHEL_TAR_BLOCK_BYTES;
	return 2 * SATCHEL_TAR_BLOCK_BYTES + round_up(n_bytes, SATCHEL_TAR_BLOCK_BYTES);
}

gboolean
satchel_tar_layout_place(guint64 *at_bytes, const char *path, guint64 size_bytes,
			 guint64 *content_at_bytes)
{
	guint64 header_bytes = satchel_tar_layout_header_bytes(path, size_bytes);

	/* Each term alone is far from where the sum could wrap. */
	if (*at_bytes > G_MAXINT64 / 2 || size_bytes > G_MAXINT64 / 2 - header_bytes - 511)
		return FALSE;
	*content_at_bytes = *at_bytes + header_bytes;
	*at_bytes = *content_at_bytes + round_up(size_bytes, SATCHEL_TAR_BLOCK_BYTES);
	return TRUE;
}

guint64
satchel_tar_layout_total_bytes(guint64 at_bytes)
{
	return round_up(at_bytes + SATCHEL_TAR_END_BYTES, SATCHEL_TAR_RECORD_BYTES);
}
