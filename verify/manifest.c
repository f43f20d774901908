#include "manifest.h"
#include "digest.h"
#include "hex.h"
#include "path_safety.h"
#include <satchel/bundle_layout.h>
#include <sodium.h>
#include <string.h>

#define FIRST_LINE "#mtree\n"
#define TYPE_AND_SIZE " type=file size="
#define DIGEST " sha256digest="
#define SHA256_BYTES SATCHEL_MANIFEST_SHA256_BYTES
#define FEWEST_SLOTS 64u
/* A path all of octal, and what stands around it. */
#define MAX_LINE_BYTES (4u * SATCHEL_LIMIT_PATH_BYTES + 256u)

/*
 * libarchive's mtree writer sorts members by folder, which would lose the order that the packed
 * form and its readers live from; so the text is written here, line by line as libarchive writes
 * them. Its reader takes any file that somebody calls mtree, settings and all, and looks at the
 * disk; what is read here was written by satchel_manifest_to_bytes() or is refused.
 *
 * A record is the hash, the size, and the path with its NUL; nothing is allocated for a member.
 */
struct SatchelManifest {
	GByteArray *records;
	GArray *offsets; /* of guint32, into records */
	guint32 *slots;	 /* open addressing by path: index + 1, 0 is free */
	guint n_slots;	 /* a power of two, more than the members are by half */
	/* Of the text's own hash, so that no text can be made whose paths meet in one slot. */
	guint8 key[crypto_shorthash_KEYBYTES];
};

/* What an array that grows moves, it moves for nothing. */
static SatchelManifest *
manifest_new_sized(guint n_members, guint n_record_bytes)
{
	SatchelManifest *self = g_new0(SatchelManifest, 1);

	self->records = g_byte_array_sized_new(n_record_bytes);
	self->offsets = g_array_sized_new(FALSE, FALSE, sizeof(guint32), n_members);
	self->n_slots = FEWEST_SLOTS;
	self->slots = g_new0(guint32, self->n_slots);
	return self;
}

SatchelManifest *
satchel_manifest_new(void)
{
	return manifest_new_sized(0, 0);
}

static gboolean
manifest_error(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID, reason);
	return FALSE;
}

gsize
satchel_manifest_get_memory_bytes(const SatchelManifest *self)
{
	return self->records->len + self->offsets->len * sizeof(guint32) +
	       self->n_slots * sizeof *self->slots;
}

guint
satchel_manifest_get_n_members(const SatchelManifest *self)
{
	return self->offsets->len;
}

static const guint8 *
manifest_record(const SatchelManifest *self, guint index)
{
	return self->records->data + g_array_index(self->offsets, guint32, index);
}

static const char *
manifest_path(const SatchelManifest *self, guint index)
{
	return (const char *)manifest_record(self, index) + SHA256_BYTES + sizeof(guint64);
}

SatchelManifestMember
satchel_manifest_get_member(const SatchelManifest *self, guint index)
{
	SatchelManifestMember member;

	g_assert(index < self->offsets->len);
	member.sha256 = manifest_record(self, index);
	member.path = manifest_path(self, index);
	memcpy(&member.size_bytes, member.sha256 + SHA256_BYTES, sizeof member.size_bytes);
	return member;
}

/* The slot in which @path stands, or the free one in which it would. */
static guint
manifest_find_slot(const SatchelManifest *self, const char *path)
{
	guint64 hash;
	guint slot;

	crypto_shorthash((guint8 *)&hash, (const guint8 *)path, strlen(path), self->key);
	slot = (guint)hash & (self->n_slots - 1);
	while (self->slots[slot] != 0 &&
	       strcmp(manifest_path(self, self->slots[slot] - 1), path) != 0)
		slot = (slot + 1) & (self->n_slots - 1);
	return slot;
}

gboolean
satchel_manifest_lookup(const SatchelManifest *self, const char *path, guint *index)
{
	guint found = self->slots[manifest_find_slot(self, path)];

	if (found == 0)
		return FALSE;
	*index = found - 1;
	return TRUE;
}

/* Room for so many members in all. */
static void
manifest_reserve(SatchelManifest *self, guint n_members)
{
	guint n_slots = self->n_slots;

	while (n_slots / 2 < n_members + n_members / 4)
		n_slots *= 2;
	if (n_slots == self->n_slots)
		return;
	g_free(self->slots);
	self->slots = g_new0(guint32, n_slots);
	self->n_slots = n_slots;
	for (guint i = 0; i < self->offsets->len; i++)
		self->slots[manifest_find_slot(self, manifest_path(self, i))] = i + 1;
}

static gboolean
manifest_check_path(const char *path, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (!satchel_path_check(path, &local_error))
		return manifest_error(error, local_error->message);
	if (strcmp(path, SATCHEL_BUNDLE_MANIFEST) == 0 || strcmp(path, SATCHEL_BUNDLE_META) == 0)
		return manifest_error(error,
				      "a manifest cannot list itself or the bundle metadata");
	return TRUE;
}

static gboolean
manifest_append(SatchelManifest *self, const char *path, guint64 size_bytes, const guint8 *sha256,
		GError **error)
{
	guint32 offset = self->records->len;
	guint slot;

	if (!manifest_check_path(path, error))
		return FALSE;
	if (self->offsets->len >= SATCHEL_LIMIT_MANIFEST_MEMBERS ||
	    offset > SATCHEL_LIMIT_MANIFEST_BYTES) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
			    "more than %u members, or more than %u bytes of names",
			    SATCHEL_LIMIT_MANIFEST_MEMBERS, SATCHEL_LIMIT_MANIFEST_BYTES);
		return FALSE;
	}
	manifest_reserve(self, self->offsets->len + 1);
	slot = manifest_find_slot(self, path);
	if (self->slots[slot] != 0)
		return manifest_error(error, "a member is listed twice");
	g_byte_array_append(self->records, sha256, SHA256_BYTES);
	g_byte_array_append(self->records, (const guint8 *)&size_bytes, sizeof size_bytes);
	g_byte_array_append(self->records, (const guint8 *)path, (guint)strlen(path) + 1);
	g_array_append_val(self->offsets, offset);
	self->slots[slot] = self->offsets->len;
	return TRUE;
}

gboolean
satchel_manifest_add(SatchelManifest *self, const char *path, guint64 size_bytes,
		     const char *sha256, GError **error)
{
	guint8 digest[SHA256_BYTES];

	if (!satchel_hex_to_sha256(sha256, digest))
		return manifest_error(error, "a digest is not a SHA-256 in lower-case hex");
	return manifest_append(self, path, size_bytes, digest, error);
}

/* All else has a meaning somewhere (white space, `#`, `=`, `\`, globs, non-ASCII) and is written in
 * octal. */
static gboolean
manifest_is_plain(char c)
{
	return g_ascii_isalnum(c) || (c != '\0' && strchr("._/-+,:@~%", c) != NULL);
}

static void
manifest_append_escaped(GString *text, const char *path)
{
	for (const char *c = path; *c != '\0'; c++) {
		if (manifest_is_plain(*c))
			g_string_append_c(text, *c);
		else
			g_string_append_printf(text, "\\%03o", (guint8)*c);
	}
}

GBytes *
satchel_manifest_to_bytes(const SatchelManifest *self)
{
	GString *text = g_string_new(FIRST_LINE);

	for (guint i = 0; i < self->offsets->len; i++) {
		SatchelManifestMember member = satchel_manifest_get_member(self, i);
		g_autofree char *sha256 = satchel_hex_encode(member.sha256, SHA256_BYTES);

		g_string_append(text, "./");
		manifest_append_escaped(text, member.path);
		g_string_append_printf(text, TYPE_AND_SIZE "%" G_GUINT64_FORMAT DIGEST "%s\n",
				       member.size_bytes, sha256);
	}
	return g_string_free_to_bytes(text);
}

/* ---- reading; a cursor moves over one line, which ends with its newline ---- */

static gboolean
line_skip(const char **at, const char *end, const char *words)
{
	gsize n_bytes = strlen(words);

	if ((gsize)(end - *at) < n_bytes || memcmp(*at, words, n_bytes) != 0)
		return FALSE;
	*at += n_bytes;
	return TRUE;
}

/* One byte behind a backslash. One text for one content: what could stand plainly may not stand in
 * octal. */
static gboolean
line_read_octal(const char **at, const char *end, char *byte)
{
	guint value = 0;

	if (end - *at < 4)
		return FALSE;
	for (gsize i = 1; i <= 3; i++) {
		if ((*at)[i] < '0' || (*at)[i] > '7')
			return FALSE;
		value = value * 8 + (guint)((*at)[i] - '0');
	}
	if (value == 0 || value > 0xff || manifest_is_plain((char)value))
		return FALSE;
	*byte = (char)value;
	*at += 4;
	return TRUE;
}

/* Up to what is neither plain nor octal. */
static gboolean
line_read_path(const char **at, const char *end, char path[SATCHEL_LIMIT_PATH_BYTES + 1],
	       GError **error)
{
	gsize n_bytes = 0;

	while (*at < end && (**at == '\\' || manifest_is_plain(**at))) {
		if (n_bytes == SATCHEL_LIMIT_PATH_BYTES)
			return manifest_error(error, "the path is too long");
		if (**at != '\\')
			path[n_bytes++] = *(*at)++;
		else if (!line_read_octal(at, end, &path[n_bytes++]))
			return manifest_error(error,
					      "the path is not written as Satchel writes it");
	}
	path[n_bytes] = '\0';
	return TRUE;
}

static gboolean
line_read_size(const char **at, const char *end, guint64 *size_bytes, GError **error)
{
	const char *first = *at;
	guint64 value = 0;

	for (; *at < end && g_ascii_isdigit(**at); (*at)++) {
		if (value > (G_MAXINT64 - 9) / 10)
			return manifest_error(error, "the size is too large");
		value = value * 10 + (guint64)(**at - '0');
	}
	if (*at == first)
		return manifest_error(error, "the size is not a number of bytes");
	if (*first == '0' && *at != first + 1)
		return manifest_error(error, "the size is not written as Satchel writes it");
	*size_bytes = value;
	return TRUE;
}

static gboolean
line_read_digest(const char **at, const char *end, guint8 sha256[SHA256_BYTES])
{
	if ((gsize)(end - *at) < 2 * SHA256_BYTES)
		return FALSE;
	*at += 2 * SHA256_BYTES;
	return satchel_hex_read_sha256(*at - 2 * SHA256_BYTES, sha256);
}

/* ./PATH type=file size=N sha256digest=HEX */
static gboolean
manifest_parse_line(SatchelManifest *self, const char *at, const char *end, GError **error)
{
	char path[SATCHEL_LIMIT_PATH_BYTES + 1];
	guint8 sha256[SHA256_BYTES];
	guint64 size_bytes = 0;
	static const char form[] = "not './PATH type=file size=N sha256digest=HEX'";

	if (!line_skip(&at, end, "./"))
		return manifest_error(error, form);
	if (!line_read_path(&at, end, path, error))
		return FALSE;
	if (!line_skip(&at, end, TYPE_AND_SIZE))
		return manifest_error(error, form);
	if (!line_read_size(&at, end, &size_bytes, error))
		return FALSE;
	if (!line_skip(&at, end, DIGEST) || !line_read_digest(&at, end, sha256) || at != end)
		return manifest_error(error, form);
	return manifest_append(self, path, size_bytes, sha256, error);
}

/* ---- a text that comes in pieces ---- */

struct SatchelManifestParser {
	SatchelManifest *manifest;
	GByteArray *begun; /* of a line that goes on in the next piece */
	guint64 n_lines;   /* that were read */
};

/* Around a path, a line has more bytes than a record. */
static gsize
most_record_bytes(guint n_lines, gsize n_text_bytes)
{
	gsize n_saved = (gsize)n_lines *
			(strlen("./" TYPE_AND_SIZE "0" DIGEST) + SHA256_BYTES - sizeof(guint64));

	return MIN(n_text_bytes - MIN(n_text_bytes, n_saved), SATCHEL_LIMIT_MANIFEST_BYTES);
}

SatchelManifestParser *
satchel_manifest_parser_new(const guint8 *sha256, guint n_lines, gsize n_text_bytes)
{
	SatchelManifestParser *self = g_new0(SatchelManifestParser, 1);

	self->manifest = manifest_new_sized(MIN(n_lines, SATCHEL_LIMIT_MANIFEST_MEMBERS),
					    (guint)most_record_bytes(n_lines, n_text_bytes));
	self->begun = g_byte_array_new();
	memcpy(self->manifest->key, sha256, sizeof self->manifest->key);
	manifest_reserve(self->manifest, MIN(n_lines, SATCHEL_LIMIT_MANIFEST_MEMBERS));
	return self;
}

/* A whole line, its newline included. */
static gboolean
parser_take_line(SatchelManifestParser *self, const char *line, gsize n_bytes, GError **error)
{
	if (self->n_lines++ == 0)
		return (n_bytes == strlen(FIRST_LINE) && memcmp(line, FIRST_LINE, n_bytes) == 0) ||
		       manifest_error(error, SATCHEL_BUNDLE_MANIFEST " line 1: not '#mtree'");
	if (manifest_parse_line(self->manifest, line, line + n_bytes - 1, error))
		return TRUE;
	g_prefix_error(error, SATCHEL_BUNDLE_MANIFEST " line %" G_GUINT64_FORMAT ": ",
		       self->n_lines);
	return FALSE;
}

/* The first line of a piece may have begun in the one before. */
static gboolean
parser_end_begun(SatchelManifestParser *self, const char *rest, gsize n_bytes, GError **error)
{
	gboolean good;

	g_byte_array_append(self->begun, (const guint8 *)rest, (guint)n_bytes);
	good = parser_take_line(self, (const char *)self->begun->data, self->begun->len, error);
	g_byte_array_set_size(self->begun, 0);
	return good;
}

static gboolean
parser_keep_begun(SatchelManifestParser *self, const char *line, gsize n_bytes, GError **error)
{
	if (n_bytes > MAX_LINE_BYTES - MIN(self->begun->len, MAX_LINE_BYTES)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
			    SATCHEL_BUNDLE_MANIFEST " line %" G_GUINT64_FORMAT ": it is too long",
			    self->n_lines + 1);
		return FALSE;
	}
	if (n_bytes > 0)
		g_byte_array_append(self->begun, (const guint8 *)line, (guint)n_bytes);
	return TRUE;
}

gboolean
satchel_manifest_parser_feed(SatchelManifestParser *self, const char *text, gsize n_bytes,
			     GError **error)
{
	const char *end;
	const char *newline;

	/* No bytes may have no address. */
	if (n_bytes == 0)
		return TRUE;
	end = text + n_bytes;
	while ((newline = memchr(text, '\n', (gsize)(end - text))) != NULL) {
		gsize n_line = (gsize)(newline + 1 - text);

		if (!(self->begun->len > 0 ? parser_end_begun(self, text, n_line, error)
					   : parser_take_line(self, text, n_line, error)))
			return FALSE;
		text = newline + 1;
	}
	return parser_keep_begun(self, text, (gsize)(end - text), error);
}

SatchelManifest *
satchel_manifest_parser_finish(SatchelManifestParser *self, GError **error)
{
	if (self->begun->len == 0 && self->n_lines > 0)
		return g_steal_pointer(&self->manifest);
	/* No line, or not even all of the first one. */
	if (self->n_lines == 0)
		(void)manifest_error(error, SATCHEL_BUNDLE_MANIFEST " line 1: not '#mtree'");
	else
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
			    SATCHEL_BUNDLE_MANIFEST " line %" G_GUINT64_FORMAT
						    ": the last line is cut short",
			    self->n_lines + 1);
	return NULL;
}

void
satchel_manifest_parser_free(SatchelManifestParser *self)
{
	g_clear_pointer(&self->manifest, satchel_manifest_free);
	g_byte_array_unref(self->begun);
	g_free(self);
}

SatchelManifest *
satchel_manifest_parse(GBytes *text, GError **error)
{
	/* Of libcrypto: several times as fast as libsodium's, and a manifest has megabytes. */
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autoptr(SatchelManifestParser) parser = NULL;
	guint8 hash[SHA256_BYTES];
	gsize n_bytes = 0;
	const char *data = g_bytes_get_data(text, &n_bytes);

	if (n_bytes > SATCHEL_LIMIT_MANIFEST_BYTES) {
		manifest_error(error, SATCHEL_BUNDLE_MANIFEST " is too large");
		return NULL;
	}
	satchel_digest_update(digest, data, n_bytes);
	satchel_digest_finish_raw(digest, hash);
	parser = satchel_manifest_parser_new(hash, 0, n_bytes);
	if (!satchel_manifest_parser_feed(parser, data, n_bytes, error))
		return NULL;
	return satchel_manifest_parser_finish(parser, error);
}

void
satchel_manifest_free(SatchelManifest *self)
{
	if (self == NULL)
		return;
	g_byte_array_unref(self->records);
	g_array_unref(self->offsets);
	g_free(self->slots);
	g_free(self);
}
