#include "load_archive.h"
#include "../verify/digest.h"
#include "../verify/safe_read.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES 512u
/* What eleven octal digits hold. */
#define MAX_OCTAL_BYTES (G_GUINT64_CONSTANT(1) << 33)
#define MANIFEST_NAME "manifest.json"
#define BLOBS_PREFIX "blobs/sha256/"

typedef struct {
	char *name;
	guint64 size_bytes;
	const char *sha256; /* of a blob; NULL: the manifest. Borrowed from the name */
} Member;

struct SatchelLoadArchive {
	int blobs_fd;
	GArray *members; /* Member */
	char *manifest;
	guint at;	 /* member */
	guint64 in_part; /* bytes of the present part that were given */
	enum { HEADER, CONTENT, PADDING } part;
	guint8 header[BLOCK_BYTES];
	int fd; /* of the present blob; -1 */
	SatchelDigest *digest;
};

static void
member_clear(gpointer data)
{
	Member *member = data;

	g_free(member->name);
}

static void
add_member(SatchelLoadArchive *self, const char *prefix, const char *name, guint64 size_bytes)
{
	Member member = {.name = g_strconcat(prefix, name, NULL), .size_bytes = size_bytes};

	if (*prefix != '\0')
		member.sha256 = member.name + strlen(prefix);
	g_array_append_val(self->members, member);
}

/* The same layer may stand in an image twice. */
static gboolean
has_blob(const SatchelLoadArchive *self, const char *sha256)
{
	for (guint i = 0; i < self->members->len; i++) {
		if (g_strcmp0(g_array_index(self->members, Member, i).sha256, sha256) == 0)
			return TRUE;
	}
	return FALSE;
}

static void
add_blob(SatchelLoadArchive *self, const SatchelOciDescriptor *blob)
{
	if (!has_blob(self, blob->sha256))
		add_member(self, BLOBS_PREFIX, blob->sha256, blob->size_bytes);
}

static json_t *
blob_path(const SatchelOciDescriptor *blob)
{
	g_autofree char *path = g_strconcat(BLOBS_PREFIX, blob->sha256, NULL);

	return json_string(path);
}

static void
add_manifest(SatchelLoadArchive *self, const SatchelOciDocument *image, const char *name)
{
	json_t *layers = json_array();
	json_t *root;

	for (guint i = 0; i < image->parts->len; i++)
		json_array_append_new(layers, blob_path(g_ptr_array_index(image->parts, i)));
	root = json_pack("[{s:o, s:[s], s:o}]", "Config", blob_path(image->config), "RepoTags",
			 name, "Layers", layers);
	self->manifest = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	add_member(self, "", MANIFEST_NAME, strlen(self->manifest));
}

SatchelLoadArchive *
satchel_load_archive_new(int blobs_fd, const SatchelOciDocument *image, const char *name)
{
	SatchelLoadArchive *self = g_new0(SatchelLoadArchive, 1);

	g_return_val_if_fail(image->kind == SATCHEL_OCI_MANIFEST, NULL);
	self->blobs_fd = blobs_fd;
	self->fd = -1;
	self->digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	self->members = g_array_new(FALSE, FALSE, sizeof(Member));
	g_array_set_clear_func(self->members, member_clear);
	add_blob(self, image->config);
	for (guint i = 0; i < image->parts->len; i++)
		add_blob(self, g_ptr_array_index(image->parts, i));
	add_manifest(self, image, name);
	return self;
}

static guint64
padding_of(guint64 size_bytes)
{
	return (BLOCK_BYTES - size_bytes % BLOCK_BYTES) % BLOCK_BYTES;
}

guint64
satchel_load_archive_get_bytes(const SatchelLoadArchive *self)
{
	/* Two blocks of zeros end a tar. */
	guint64 total = 2 * (guint64)BLOCK_BYTES;

	for (guint i = 0; i < self->members->len; i++) {
		guint64 size_bytes = g_array_index(self->members, Member, i).size_bytes;

		total += BLOCK_BYTES + size_bytes + padding_of(size_bytes);
	}
	return total;
}

static void
write_size(guint8 *field, guint64 size_bytes)
{
	if (size_bytes < MAX_OCTAL_BYTES) {
		g_snprintf((char *)field, 12, "%011" G_GINT64_MODIFIER "o", size_bytes);
		return;
	}
	/* In base 256, as GNU began it and every engine's library reads it. */
	field[0] = 0x80;
	for (guint i = 11; i > 0; i--, size_bytes >>= 8)
		field[i] = (guint8)(size_bytes & 0xff);
}

static void
write_header(guint8 header[BLOCK_BYTES], const Member *member)
{
	guint sum = 0;

	memset(header, 0, BLOCK_BYTES);
	g_strlcpy((char *)header, member->name, 100);
	memcpy(header + 100, "0000644", 8);
	memcpy(header + 108, "0000000", 8);
	memcpy(header + 116, "0000000", 8);
	write_size(header + 124, member->size_bytes);
	memcpy(header + 136, "00000000000", 12);
	memset(header + 148, ' ', 8);
	header[156] = '0';
	memcpy(header + 257, "ustar\00000", 8);
	for (guint i = 0; i < BLOCK_BYTES; i++)
		sum += header[i];
	g_snprintf((char *)header + 148, 8, "%06o", sum);
}

static gboolean
blob_fail(const Member *member, const char *what, GError **error)
{
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "blob %s of the app store: %s", member->sha256, what);
	return FALSE;
}

static gboolean
open_blob(SatchelLoadArchive *self, const Member *member, GError **error)
{
	guint64 size_bytes = 0;
	g_autoptr(GError) local_error = NULL;

	self->fd = satchel_safe_open(self->blobs_fd, member->sha256, &size_bytes, &local_error);
	if (self->fd < 0)
		return blob_fail(member, local_error->message, error);
	if (size_bytes != member->size_bytes)
		return blob_fail(member, "its size is not that of the manifest", error);
	satchel_digest_begin(self->digest);
	(void)posix_fadvise(self->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return TRUE;
}

static gboolean
close_blob(SatchelLoadArchive *self, const Member *member, GError **error)
{
	g_autofree char *found = satchel_digest_finish(self->digest);

	close(self->fd);
	self->fd = -1;
	return g_str_equal(found, member->sha256) ||
	       blob_fail(member, "it is damaged or was altered", error);
}

static gssize
read_blob(SatchelLoadArchive *self, const Member *member, gpointer buffer, gsize n_bytes,
	  GError **error)
{
	ssize_t n;

	if (self->fd < 0 && !open_blob(self, member, error))
		return -1;
	do {
		n = read(self->fd, buffer, n_bytes);
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		blob_fail(member, n < 0 ? g_strerror(errno) : "it ends early", error);
		return -1;
	}
	satchel_digest_update(self->digest, buffer, (gsize)n);
	if (self->in_part + (guint64)n == member->size_bytes && !close_blob(self, member, error))
		return -1;
	return n;
}

static guint64
part_bytes(const SatchelLoadArchive *self, const Member *member)
{
	if (self->part == HEADER)
		return BLOCK_BYTES;
	return self->part == CONTENT ? member->size_bytes : padding_of(member->size_bytes);
}

/* To the next part that has bytes to give. */
static void
next_part(SatchelLoadArchive *self, const Member *member)
{
	self->in_part = 0;
	if (self->part == PADDING) {
		self->part = HEADER;
		self->at++;
		return;
	}
	self->part = self->part == HEADER ? CONTENT : PADDING;
	if (part_bytes(self, member) == 0)
		next_part(self, member);
}

static gssize
read_part(SatchelLoadArchive *self, const Member *member, gpointer buffer, gsize n_bytes,
	  GError **error)
{
	switch (self->part) {
	case HEADER:
		if (self->in_part == 0)
			write_header(self->header, member);
		memcpy(buffer, self->header + self->in_part, n_bytes);
		break;
	case CONTENT:
		if (member->sha256 != NULL)
			return read_blob(self, member, buffer, n_bytes, error);
		memcpy(buffer, self->manifest + self->in_part, n_bytes);
		break;
	case PADDING:
		memset(buffer, 0, n_bytes);
		break;
	}
	return (gssize)n_bytes;
}

gssize
satchel_load_archive_read(SatchelLoadArchive *self, gpointer buffer, gsize n_bytes, GError **error)
{
	const Member *member = NULL;
	gssize n;

	if (self->at == self->members->len) {
		gsize left = 2 * BLOCK_BYTES - (gsize)self->in_part;

		n_bytes = MIN(n_bytes, left);
		memset(buffer, 0, n_bytes);
		self->in_part += n_bytes;
		return (gssize)n_bytes;
	}
	member = &g_array_index(self->members, Member, self->at);
	n_bytes = MIN(n_bytes, (gsize)MIN(part_bytes(self, member) - self->in_part, G_MAXINT32));
	n = read_part(self, member, buffer, n_bytes, error);
	if (n < 0)
		return -1;
	self->in_part += (guint64)n;
	if (self->in_part == part_bytes(self, member))
		next_part(self, member);
	return n;
}

void
satchel_load_archive_free(SatchelLoadArchive *self)
{
	if (self->fd >= 0)
		close(self->fd);
	satchel_digest_free(self->digest);
	g_array_unref(self->members);
	free(self->manifest);
	g_free(self);
}
