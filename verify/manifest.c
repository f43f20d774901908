#include "manifest.h"
#include "hex.h"
#include "path_safety.h"
#include <satchel/bundle_layout.h>
#include <string.h>

#define FIRST_LINE "#mtree\n"
#define TYPE_AND_SIZE " type=file size="
#define DIGEST " sha256digest="

/*
 * libarchive's mtree writer sorts members by folder, which would lose the order that the packed
 * form and its readers live from; so the text is written here, line by line as libarchive writes
 * them. Its reader takes any file that somebody calls mtree, settings and all, and looks at the
 * disk; what is read here was written by satchel_manifest_to_bytes() or is refused.
 */
struct SatchelManifest {
	GArray *members;   /* of SatchelManifestMember, owning their paths */
	GHashTable *index; /* path, borrowed from the member, to its place + 1 */
};

static void
manifest_clear_member(gpointer member)
{
	g_free(((SatchelManifestMember *)member)->path);
}

SatchelManifest *
satchel_manifest_new(void)
{
	SatchelManifest *self = g_new0(SatchelManifest, 1);

	self->members = g_array_new(FALSE, TRUE, sizeof(SatchelManifestMember));
	g_array_set_clear_func(self->members, manifest_clear_member);
	self->index = g_hash_table_new(g_str_hash, g_str_equal);
	return self;
}

static gboolean
manifest_error(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID, reason);
	return FALSE;
}

static gboolean
manifest_check_path(const SatchelManifest *self, const char *path, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (!satchel_path_check(path, &local_error))
		return manifest_error(error, local_error->message);
	if (strcmp(path, SATCHEL_BUNDLE_MANIFEST) == 0 || strcmp(path, SATCHEL_BUNDLE_META) == 0)
		return manifest_error(error,
				      "a manifest cannot list itself or the bundle metadata");
	if (g_hash_table_contains(self->index, path))
		return manifest_error(error, "a member is listed twice");
	return self->members->len < SATCHEL_LIMIT_MANIFEST_MEMBERS ||
	       manifest_error(error, "too many members");
}

gboolean
satchel_manifest_add(SatchelManifest *self, const char *path, guint64 size_bytes,
		     const char *sha256, GError **error)
{
	SatchelManifestMember member = {.size_bytes = size_bytes};

	if (!manifest_check_path(self, path, error))
		return FALSE;
	if (!satchel_hex_is_sha256(sha256))
		return manifest_error(error, "a digest is not a SHA-256 in lower-case hex");
	member.path = g_strdup(path);
	memcpy(member.sha256, sha256, sizeof member.sha256);
	g_array_append_val(self->members, member);
	g_hash_table_insert(self->index, member.path, GUINT_TO_POINTER(self->members->len));
	return TRUE;
}

guint
satchel_manifest_get_n_members(const SatchelManifest *self)
{
	return self->members->len;
}

const SatchelManifestMember *
satchel_manifest_get_member(const SatchelManifest *self, guint index)
{
	g_return_val_if_fail(index < self->members->len, NULL);
	return &g_array_index(self->members, SatchelManifestMember, index);
}

const SatchelManifestMember *
satchel_manifest_lookup(const SatchelManifest *self, const char *path)
{
	guint place = GPOINTER_TO_UINT(g_hash_table_lookup(self->index, path));

	return place == 0 ? NULL : satchel_manifest_get_member(self, place - 1);
}

/* Octal for all that has a meaning somewhere: white space, `#`, `=`, `\`, globs, non-ASCII. */
static void
manifest_append_escaped(GString *text, const char *path)
{
	for (const char *c = path; *c != '\0'; c++) {
		if (g_ascii_isalnum(*c) || strchr("._/-+,:@~%", *c) != NULL)
			g_string_append_c(text, *c);
		else
			g_string_append_printf(text, "\\%03o", (guint8)*c);
	}
}

static void
manifest_append_line(GString *text, const SatchelManifestMember *member)
{
	g_string_append(text, "./");
	manifest_append_escaped(text, member->path);
	g_string_append_printf(text, TYPE_AND_SIZE "%" G_GUINT64_FORMAT DIGEST "%s\n",
			       member->size_bytes, member->sha256);
}

GBytes *
satchel_manifest_to_bytes(const SatchelManifest *self)
{
	GString *text = g_string_new(FIRST_LINE);

	for (guint i = 0; i < self->members->len; i++)
		manifest_append_line(text, satchel_manifest_get_member(self, i));
	return g_string_free_to_bytes(text);
}

/* Undoes the octal. What is wrong in it is found when the line is written again and compared. */
static char *
manifest_unescape(const char *escaped, gsize n_bytes)
{
	GString *path = g_string_sized_new(n_bytes);

	for (gsize i = 0; i < n_bytes; i++) {
		guint value = (guint8)escaped[i];

		if (escaped[i] == '\\' && n_bytes - i >= 4) {
			value = 0;
			for (gsize digit = 1; digit <= 3; digit++)
				value = value * 8 + (guint)(escaped[i + digit] - '0') % 8;
			i += 3;
		}
		g_string_append_c(path, (char)(value & 0xff));
	}
	return g_string_free(path, FALSE);
}

/* ./PATH type=file size=N sha256digest=HEX */
static gboolean
manifest_parse_line(SatchelManifest *self, const char *line, gsize n_bytes, GError **error)
{
	g_autofree char *text = NULL;
	g_autofree char *path = NULL;
	g_autoptr(GString) again = g_string_new(NULL);
	char *size_at, *digest_at, *number;
	guint64 size_bytes = 0;

	/* A path of the greatest length in octal, and what stands behind it. */
	if (n_bytes > 4 * SATCHEL_LIMIT_PATH_BYTES + 256 || memchr(line, '\0', n_bytes) != NULL)
		return manifest_error(error, "the line is too long or has a NUL in it");
	text = g_strndup(line, n_bytes);
	size_at = strstr(text, TYPE_AND_SIZE);
	digest_at = size_at == NULL ? NULL : strstr(size_at, DIGEST);
	if (!g_str_has_prefix(text, "./") || digest_at == NULL)
		return manifest_error(error, "not './PATH type=file size=N sha256digest=HEX'");
	number = g_strndup(size_at + strlen(TYPE_AND_SIZE),
			   (gsize)(digest_at - size_at) - strlen(TYPE_AND_SIZE));
	if (!g_ascii_string_to_unsigned(number, 10, 0, G_MAXINT64, &size_bytes, NULL))
		size_bytes = G_MAXUINT64;
	g_free(number);
	if (size_bytes == G_MAXUINT64)
		return manifest_error(error, "the size is not a number of bytes");
	path = manifest_unescape(text + 2, (gsize)(size_at - text) - 2);
	if (!satchel_manifest_add(self, path, size_bytes, digest_at + strlen(DIGEST), error))
		return FALSE;
	/* One text for one content: other spellings of the same are not ours. */
	manifest_append_line(again, satchel_manifest_get_member(self, self->members->len - 1));
	return (again->len == n_bytes + 1 && memcmp(again->str, line, n_bytes) == 0) ||
	       manifest_error(error, "the line is not written as Satchel writes it");
}

static gboolean
manifest_parse_lines(SatchelManifest *self, const char *text, const char *end, GError **error)
{
	guint64 number = 1;

	while (text < end) {
		const char *newline = memchr(text, '\n', (gsize)(end - text));

		number++;
		if (newline == NULL)
			manifest_error(error, "the last line is cut short");
		if (newline == NULL ||
		    !manifest_parse_line(self, text, (gsize)(newline - text), error)) {
			g_prefix_error(error,
				       SATCHEL_BUNDLE_MANIFEST " line %" G_GUINT64_FORMAT ": ",
				       number);
			return FALSE;
		}
		text = newline + 1;
	}
	return TRUE;
}

SatchelManifest *
satchel_manifest_parse(GBytes *text, GError **error)
{
	g_autoptr(SatchelManifest) self = satchel_manifest_new();
	gsize n_bytes = 0;
	const char *data = g_bytes_get_data(text, &n_bytes);
	gsize first = strlen(FIRST_LINE);

	if (n_bytes > SATCHEL_LIMIT_MANIFEST_BYTES) {
		manifest_error(error, SATCHEL_BUNDLE_MANIFEST " is too large");
		return NULL;
	}
	if (n_bytes < first || memcmp(data, FIRST_LINE, first) != 0) {
		manifest_error(error, SATCHEL_BUNDLE_MANIFEST " line 1: not '#mtree'");
		return NULL;
	}
	if (!manifest_parse_lines(self, data + first, data + n_bytes, error))
		return NULL;
	return g_steal_pointer(&self);
}

void
satchel_manifest_free(SatchelManifest *self)
{
	if (self == NULL)
		return;
	g_hash_table_unref(self->index);
	g_array_unref(self->members);
	g_free(self);
}
