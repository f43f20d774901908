#include "tar_header.h"
#include "path_safety.h"
#include "tar_layout.h"
#include <satchel/limits.h>
#include <string.h>

/* IEEE Std 1003.1, pax, "ustar Interchange Format". */
typedef struct {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link_name[100];
	char magic[6];
	char version[2];
	char owner[32];
	char group[32];
	char device_major[8];
	char device_minor[8];
	char prefix[155];
	char padding[12];
} UstarHeader;
G_STATIC_ASSERT(sizeof(UstarHeader) == SATCHEL_TAR_BLOCK_BYTES);

/* Records of one name, one size, one character set. */
#define MAX_RECORDS_BYTES (SATCHEL_LIMIT_PATH_BYTES + 128u)

/* What the records before a header say; they come before what the header says. */
typedef struct {
	char *path;
	gboolean has_size, has_charset;
	guint64 size_bytes;
	guint64 header_bytes; /* of the pax header and its records; 0 where there is none */
} PaxRecords;

static void
pax_records_clear(PaxRecords *self)
{
	g_clear_pointer(&self->path, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PaxRecords, pax_records_clear)

static gboolean
tar_error(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID, reason);
	return FALSE;
}

/* Octal digits up to a NUL or a space, or to the end of the field; at least one of them. */
static gboolean
parse_octal(const char *field, gsize n_bytes, guint64 *value)
{
	gsize n_digits = 0;

	*value = 0;
	for (; n_digits < n_bytes && field[n_digits] >= '0' && field[n_digits] <= '7'; n_digits++)
		*value = *value * 8 + (guint64)(field[n_digits] - '0');
	return n_digits > 0 &&
	       (n_digits == n_bytes || field[n_digits] == '\0' || field[n_digits] == ' ');
}

/* The sum of all bytes, where those of the sum itself count as spaces. */
static gboolean
check_sum(const UstarHeader *header)
{
	const guint8 *bytes = (const guint8 *)header;
	const guint8 *field = (const guint8 *)header->checksum;
	guint64 expected = 0, sum = 0;

	for (gsize i = 0; i < sizeof *header; i++)
		sum += bytes + i >= field && bytes + i < field + sizeof header->checksum ? ' '
											 : bytes[i];
	return parse_octal(header->checksum, sizeof header->checksum, &expected) && sum == expected;
}

static gboolean
is_zero(const void *data, gsize n_bytes)
{
	const guint8 *bytes = data;

	for (gsize i = 0; i < n_bytes; i++) {
		if (bytes[i] != 0)
			return FALSE;
	}
	return TRUE;
}

static const char *
type_problem(char type)
{
	switch (type) {
	case '0':
	case '5':
	case 'x':
		return NULL;
	case '1':
	case '2':
		return "a link, which a bundle has not";
	case '3':
	case '4':
	case '6':
		return "a device or a pipe, which a bundle has not";
	case 'L':
	case 'K':
		return "a long name of GNU tar, where a bundle has a pax header";
	default:
		return "of a kind that a bundle has not";
	}
}

static gboolean
check_header(const UstarHeader *header, GError **error)
{
	const char *problem;

	if (memcmp(header->magic, "ustar", 6) != 0 || memcmp(header->version, "00", 2) != 0)
		return tar_error(error, "no ustar header");
	if (!check_sum(header))
		return tar_error(error, "the header's checksum is wrong");
	problem = type_problem(header->type);
	return problem == NULL || tar_error(error, problem);
}

static gboolean
header_size(const UstarHeader *header, guint64 *size_bytes, GError **error)
{
	return parse_octal(header->size, sizeof header->size, size_bytes) ||
	       tar_error(error, "the size is no octal number");
}

/* ---- pax records: "LENGTH KEY=VALUE\n" ---- */

static gboolean
parse_decimal(const char *digits, gsize n_digits, guint64 *value)
{
	/* 18 digits cannot pass G_MAXINT64. */
	if (n_digits == 0 || n_digits > 18 || (digits[0] == '0' && n_digits > 1))
		return FALSE;
	*value = 0;
	for (gsize i = 0; i < n_digits; i++) {
		if (!g_ascii_isdigit(digits[i]))
			return FALSE;
		*value = *value * 10 + (guint64)(digits[i] - '0');
	}
	return TRUE;
}

static gboolean
pax_take_record(PaxRecords *self, const char *key, gsize n_key, const char *value, gsize n_value,
		GError **error)
{
	if (n_key == strlen("path") && memcmp(key, "path", n_key) == 0 && self->path == NULL) {
		if (n_value == 0 || memchr(value, '\0', n_value) != NULL)
			return tar_error(error, "the pax path is empty or has a NUL in it");
		self->path = g_strndup(value, n_value);
		return TRUE;
	}
	if (n_key == strlen("size") && memcmp(key, "size", n_key) == 0 && !self->has_size) {
		self->has_size = TRUE;
		return parse_decimal(value, n_value, &self->size_bytes) ||
		       tar_error(error, "the pax size is no number of bytes");
	}
	if (n_key == strlen("hdrcharset") && memcmp(key, "hdrcharset", n_key) == 0 &&
	    !self->has_charset) {
		self->has_charset = TRUE;
		return (n_value == strlen("BINARY") && memcmp(value, "BINARY", n_value) == 0) ||
		       tar_error(error, "the pax hdrcharset is not BINARY");
	}
	return tar_error(error, "a pax record that a bundle has not, or one that stands twice");
}

static gboolean
pax_parse_records(PaxRecords *self, const char *text, gsize n_bytes, GError **error)
{
	const char *end = text + n_bytes;

	while (text < end) {
		const char *space = memchr(text, ' ', (gsize)(end - text));
		const char *equals = NULL;
		guint64 n_record = 0;

		if (space == NULL || !parse_decimal(text, (gsize)(space - text), &n_record) ||
		    n_record > (gsize)(end - text) || n_record <= (gsize)(space - text) + 1 ||
		    text[n_record - 1] != '\n')
			return tar_error(error, "the length of a pax record is wrong");
		equals = memchr(space, '=', (gsize)(text + n_record - space));
		if (equals == NULL)
			return tar_error(error, "a pax record has no value");
		if (!pax_take_record(self, space + 1, (gsize)(equals - space) - 1, equals + 1,
				     (gsize)(text + n_record - equals) - 2, error))
			return FALSE;
		text += n_record;
	}
	return TRUE;
}

static gboolean
pax_read(PaxRecords *self, SatchelTarRead read, gpointer source, guint64 at_bytes,
	 const UstarHeader *header, GError **error)
{
	g_autofree char *text = NULL;
	guint64 n_bytes = 0, n_padded;

	if (!header_size(header, &n_bytes, error))
		return FALSE;
	if (n_bytes == 0 || n_bytes > MAX_RECORDS_BYTES)
		return tar_error(error, "the pax records are empty or too long");
	n_padded =
		(n_bytes + SATCHEL_TAR_BLOCK_BYTES - 1) & ~(guint64)(SATCHEL_TAR_BLOCK_BYTES - 1);
	text = g_malloc((gsize)n_padded);
	if (!read(source, at_bytes + SATCHEL_TAR_BLOCK_BYTES, text, (gsize)n_padded, error))
		return FALSE;
	if (!is_zero(text + n_bytes, (gsize)(n_padded - n_bytes)))
		return tar_error(error, "the pax records are not filled up with zeros");
	self->header_bytes = SATCHEL_TAR_BLOCK_BYTES + n_padded;
	return pax_parse_records(self, text, (gsize)n_bytes, error);
}

/* ---- a member ---- */

static char *
header_path(const UstarHeader *header)
{
	g_autofree char *name = g_strndup(header->name, sizeof header->name);

	if (header->prefix[0] == '\0')
		return g_steal_pointer(&name);
	return g_strdup_printf("%.*s/%s", (int)sizeof header->prefix, header->prefix, name);
}

/* The path without the slash that folders have. */
static gboolean
member_take_path(SatchelTarMember *member, char *path, GError **error)
{
	g_autofree char *taken = path;
	g_autoptr(GError) local_error = NULL;
	gsize n_bytes = strlen(taken);

	if (member->kind == SATCHEL_TAR_FOLDER && n_bytes > 0 && taken[n_bytes - 1] == '/')
		taken[n_bytes - 1] = '\0';
	if (!satchel_path_check(taken, &local_error))
		return tar_error(error, local_error->message);
	member->path = g_steal_pointer(&taken);
	return TRUE;
}

/* pax records stand where ustar cannot hold the name or the size, and nowhere else: one content,
 * one form of it, and the sum of sizes is right. */
static gboolean
member_check_form(const SatchelTarMember *member, const PaxRecords *pax, guint64 header_bytes,
		  GError **error)
{
	SatchelTarExtension needed = satchel_tar_layout_extension(member->path, member->size_bytes);

	if (member->kind == SATCHEL_TAR_FOLDER)
		return (member->size_bytes == 0 && !pax->has_size) ||
		       tar_error(error, "a folder with a size");
	return (needed.path == (pax->path != NULL) && needed.size == pax->has_size &&
		needed.charset == pax->has_charset &&
		header_bytes ==
			satchel_tar_layout_header_bytes(member->path, member->size_bytes)) ||
	       tar_error(error, "a pax header where none belongs, or none where one does");
}

static gboolean
member_fill(SatchelTarMember *member, const UstarHeader *header, PaxRecords *pax, guint64 at_bytes,
	    GError **error)
{
	guint64 header_bytes = pax->header_bytes + SATCHEL_TAR_BLOCK_BYTES;
	char *path = pax->path != NULL ? g_strdup(pax->path) : header_path(header);

	member->kind = header->type == '5' ? SATCHEL_TAR_FOLDER : SATCHEL_TAR_FILE;
	if (!member_take_path(member, path, error))
		return FALSE;
	member->size_bytes = pax->size_bytes;
	if (!pax->has_size && !header_size(header, &member->size_bytes, error))
		return FALSE;
	if (!member_check_form(member, pax, header_bytes, error))
		return FALSE;
	member->content_at_bytes = at_bytes + header_bytes;
	/* No size of 18 digits, and no place in a file, makes this wrap. */
	member->next_at_bytes =
		member->content_at_bytes + ((member->size_bytes + SATCHEL_TAR_BLOCK_BYTES - 1) &
					    ~(guint64)(SATCHEL_TAR_BLOCK_BYTES - 1));
	return TRUE;
}

static gboolean
member_read(SatchelTarRead read, gpointer source, guint64 at_bytes, SatchelTarMember *member,
	    GError **error)
{
	g_auto(PaxRecords) pax = {0};
	UstarHeader header;

	if (!read(source, at_bytes, &header, sizeof header, error))
		return FALSE;
	if (is_zero(&header, sizeof header)) {
		member->kind = SATCHEL_TAR_END;
		return TRUE;
	}
	if (!check_header(&header, error))
		return FALSE;
	if (header.type != 'x')
		return member_fill(member, &header, &pax, at_bytes, error);
	if (!pax_read(&pax, read, source, at_bytes, &header, error) ||
	    !read(source, at_bytes + pax.header_bytes, &header, sizeof header, error) ||
	    !check_header(&header, error))
		return FALSE;
	return header.type != 'x' ? member_fill(member, &header, &pax, at_bytes, error)
				  : tar_error(error, "a pax header for a pax header");
}

gboolean
satchel_tar_member_read(SatchelTarRead read, gpointer source, guint64 at_bytes,
			SatchelTarMember *member, GError **error)
{
	g_auto(SatchelTarMember) found = {0};
	g_autoptr(GError) local_error = NULL;

	if (at_bytes > G_MAXINT64 / 2)
		return tar_error(error, "the packed bundle is too large");
	if (member_read(read, source, at_bytes, &found, &local_error)) {
		*member = found;
		memset(&found, 0, sizeof found);
		return TRUE;
	}
	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID))
		g_prefix_error(&local_error, "the packed bundle, byte %" G_GUINT64_FORMAT ": ",
			       at_bytes);
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

void
satchel_tar_member_clear(SatchelTarMember *self)
{
	g_clear_pointer(&self->path, g_free);
}

gboolean
satchel_tar_header_is_likely(const guint8 *block, gsize n_bytes)
{
	return n_bytes >= sizeof(UstarHeader) &&
	       memcmp(block + G_STRUCT_OFFSET(UstarHeader, magic), "ustar", 5) == 0;
}
