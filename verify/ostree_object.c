#include "ostree_object.h"
#include "hex.h"
#include "path_safety.h"
#include <string.h>
#include <sys/stat.h>

/* The serialized forms, as ostree-core.h documents them; integers are big-endian. */
#define COMMIT_FORMAT G_VARIANT_TYPE("(a{sv}aya(say)sstayay)")
#define TREE_FORMAT G_VARIANT_TYPE("(a(say)a(sayay))")
#define DIRMETA_FORMAT G_VARIANT_TYPE("(uuua(ayay))")
#define ARCHIVE_HEADER_FORMAT G_VARIANT_TYPE("(tuuuusa(ayay))")

#define CHECKSUM_BYTES 32
/* Before a file's header: its length as 32 bits big-endian, and padding to 8 bytes. */
#define HEADER_PREFIX_BYTES 8

struct SatchelTree {
	GVariant *variant; /* owns the names */
	SatchelTreeEntry *entries;
	guint n_entries;
};

static gboolean
object_error(GError **error, const char *reason)
{
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID, reason);
	return FALSE;
}

/* A value whose every part lies where the format says it must, or NULL. GVariant gives default
 * values for parts that do not; those must never be taken for content. */
static GVariant *
object_variant(GBytes *bytes, const GVariantType *type, gsize max_bytes, GError **error)
{
	g_autoptr(GVariant) variant = NULL;

	if (g_bytes_get_size(bytes) > max_bytes) {
		object_error(error, "the object is too large");
		return NULL;
	}
	variant = g_variant_ref_sink(g_variant_new_from_bytes(type, bytes, FALSE));
	if (!g_variant_is_normal_form(variant)) {
		object_error(error, "the object is not in normal form");
		return NULL;
	}
	return g_steal_pointer(&variant);
}

/* @checksum: (out): in the bytes of the object that @parent is a part of */
static gboolean
object_checksum(GVariant *parent, gsize index, const guint8 **checksum, GError **error)
{
	g_autoptr(GVariant) value = g_variant_get_child_value(parent, index);

	if (g_variant_get_size(value) != CHECKSUM_BYTES)
		return object_error(error, "a checksum in the object is not 32 bytes long");
	*checksum = g_variant_get_data(value);
	return TRUE;
}

char *
satchel_object_path(SatchelObjectType type, const char *checksum, gboolean archive)
{
	static const char *const suffixes[] = {
		[SATCHEL_OBJECT_FILE] = "file",
		[SATCHEL_OBJECT_DIR_TREE] = "dirtree",
		[SATCHEL_OBJECT_DIR_META] = "dirmeta",
		[SATCHEL_OBJECT_COMMIT] = "commit",
	};

	g_return_val_if_fail(type >= SATCHEL_OBJECT_FILE && type <= SATCHEL_OBJECT_COMMIT, NULL);
	g_return_val_if_fail(satchel_hex_is_sha256(checksum), NULL);
	return g_strdup_printf("%.2s/%s.%s%s", checksum, checksum + 2, suffixes[type],
			       archive && type == SATCHEL_OBJECT_FILE ? "z" : "");
}

gboolean
satchel_commit_parse(GBytes *verified, SatchelCommit *commit, GError **error)
{
	g_autoptr(GVariant) variant =
		object_variant(verified, COMMIT_FORMAT, SATCHEL_LIMIT_OSTREE_METADATA_BYTES, error);
	guint64 timestamp_s = 0;
	const guint8 *tree = NULL, *meta = NULL;

	memset(commit, 0, sizeof *commit);
	if (variant == NULL)
		return FALSE;
	g_variant_get_child(variant, 5, "t", &timestamp_s);
	timestamp_s = GUINT64_FROM_BE(timestamp_s);
	if (timestamp_s > G_MAXINT64)
		return object_error(error, "the commit's time is out of range");
	if (!object_checksum(variant, 6, &tree, error) ||
	    !object_checksum(variant, 7, &meta, error))
		return FALSE;
	satchel_hex_from_sha256(tree, commit->root_tree);
	satchel_hex_from_sha256(meta, commit->root_meta);
	commit->timestamp_s = (gint64)timestamp_s;
	return TRUE;
}

static gboolean
tree_check_name(const char *name, GError **error)
{
	g_autofree char *quoted = NULL;

	if (*name != '\0' && strlen(name) <= SATCHEL_LIMIT_NAME_BYTES &&
	    strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		return TRUE;
	quoted = satchel_path_quote(name);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
		    "the name '%s' cannot stand in a folder", quoted);
	return FALSE;
}

/* Reads one of the two arrays of a tree into @entries. Names ascend strictly: libostree writes them
 * so, and two of one name would let one hide behind the other. */
static gboolean
tree_read_entries(GVariant *array, gboolean folders, SatchelTreeEntry *entries, GError **error)
{
	gsize n_entries = g_variant_n_children(array);

	for (gsize i = 0; i < n_entries; i++) {
		g_autoptr(GVariant) child = g_variant_get_child_value(array, i);
		SatchelTreeEntry *entry = &entries[i];

		/* All point into the tree's bytes, which outlive the child. */
		g_variant_get_child(child, 0, "&s", &entry->name);
		if (!tree_check_name(entry->name, error) ||
		    !object_checksum(child, 1, &entry->checksum, error))
			return FALSE;
		if (folders && !object_checksum(child, 2, &entry->meta_checksum, error))
			return FALSE;
		if (i > 0 && strcmp(entries[i - 1].name, entry->name) >= 0)
			return object_error(error, "the names of the folder are not in order");
	}
	return TRUE;
}

/* Both lists are sorted, so that one walk finds a name that stands in both. */
static gboolean
tree_check_disjoint(const SatchelTreeEntry *files, gsize n_files, const SatchelTreeEntry *folders,
		    gsize n_folders, GError **error)
{
	gsize file = 0, folder = 0;

	while (file < n_files && folder < n_folders) {
		int order = strcmp(files[file].name, folders[folder].name);

		if (order == 0)
			return object_error(error, "a name is that of a file and of a folder");
		if (order < 0)
			file++;
		else
			folder++;
	}
	return TRUE;
}

SatchelTree *
satchel_tree_parse(GBytes *verified, GError **error)
{
	g_autoptr(GVariant) variant =
		object_variant(verified, TREE_FORMAT, SATCHEL_LIMIT_OSTREE_METADATA_BYTES, error);
	g_autoptr(SatchelTree) self = NULL;
	g_autoptr(GVariant) files = NULL;
	g_autoptr(GVariant) folders = NULL;
	gsize n_files, n_folders;

	if (variant == NULL)
		return NULL;
	files = g_variant_get_child_value(variant, 0);
	folders = g_variant_get_child_value(variant, 1);
	/* Each entry takes more than 32 bytes of the bounded object, so that the sum fits, and is
	 * no more than it in memory. */
	n_files = g_variant_n_children(files);
	n_folders = g_variant_n_children(folders);
	self = g_new0(SatchelTree, 1);
	self->variant = g_variant_ref(variant);
	/* One more, so that an empty folder has a list too. */
	self->entries = g_new0(SatchelTreeEntry, n_files + n_folders + 1);
	self->n_entries = (guint)(n_files + n_folders);
	if (!tree_read_entries(files, FALSE, self->entries, error) ||
	    !tree_read_entries(folders, TRUE, self->entries + n_files, error) ||
	    !tree_check_disjoint(self->entries, n_files, self->entries + n_files, n_folders, error))
		return NULL;
	return g_steal_pointer(&self);
}

guint
satchel_tree_get_n_entries(const SatchelTree *self)
{
	return self->n_entries;
}

const SatchelTreeEntry *
satchel_tree_get_entry(const SatchelTree *self, guint index)
{
	g_return_val_if_fail(index < self->n_entries, NULL);
	return &self->entries[index];
}

void
satchel_tree_free(SatchelTree *self)
{
	if (self == NULL)
		return;
	g_variant_unref(self->variant);
	g_free(self->entries);
	g_free(self);
}

/* Names of extended attributes are byte strings: one NUL, at the end, behind something. */
static gboolean
object_check_xattrs(GVariant *xattrs, GError **error)
{
	gsize n_xattrs = g_variant_n_children(xattrs);

	for (gsize i = 0; i < n_xattrs; i++) {
		g_autoptr(GVariant) pair = g_variant_get_child_value(xattrs, i);
		g_autoptr(GVariant) name = g_variant_get_child_value(pair, 0);
		const char *data = g_variant_get_data(name);
		gsize n_bytes = g_variant_get_size(name);

		if (n_bytes < 2 || memchr(data, '\0', n_bytes) != data + n_bytes - 1)
			return object_error(error, "the name of an extended attribute is invalid");
	}
	return TRUE;
}

gboolean
satchel_dirmeta_parse(GBytes *verified, GError **error)
{
	g_autoptr(GVariant) variant = object_variant(verified, DIRMETA_FORMAT,
						     SATCHEL_LIMIT_OSTREE_METADATA_BYTES, error);
	g_autoptr(GVariant) xattrs = NULL;
	guint32 mode = 0;

	if (variant == NULL)
		return FALSE;
	g_variant_get_child(variant, 2, "u", &mode);
	mode = GUINT32_FROM_BE(mode);
	if (!S_ISDIR(mode) || (mode & ~(guint32)(S_IFMT | 07777)) != 0)
		return object_error(error, "the mode is not that of a folder");
	xattrs = g_variant_get_child_value(variant, 3);
	return object_check_xattrs(xattrs, error);
}

void
satchel_file_header_clear(SatchelFileHeader *self)
{
	g_clear_pointer(&self->symlink_target, g_free);
	g_clear_pointer(&self->xattrs, g_variant_unref);
}

gboolean
satchel_file_header_check(const SatchelFileHeader *header, GError **error)
{
	gboolean is_link = S_ISLNK(header->mode);

	if ((!is_link && !S_ISREG(header->mode)) ||
	    (header->mode & ~(guint32)(S_IFMT | 07777)) != 0)
		return object_error(error, "neither a regular file nor a symbolic link");
	if (is_link != (header->symlink_target != NULL))
		return object_error(error, is_link ? "a symbolic link without a target"
						   : "a regular file with a link target");
	if (is_link && header->size_bytes != 0)
		return object_error(error, "a symbolic link with content");
	/* Streams count with signed 64 bits. */
	if (header->size_bytes > G_MAXINT64)
		return object_error(error, "the size is out of range");
	return object_check_xattrs(header->xattrs, error);
}

static gboolean
file_header_from_variant(GVariant *variant, SatchelFileHeader *header, GError **error)
{
	g_autofree char *target = NULL;
	guint64 size_bytes = 0;
	guint32 uid = 0, gid = 0, mode = 0, device = 0;

	g_variant_get(variant, "(tuuuus@a(ayay))", &size_bytes, &uid, &gid, &mode, &device, &target,
		      &header->xattrs);
	header->size_bytes = GUINT64_FROM_BE(size_bytes);
	header->uid = GUINT32_FROM_BE(uid);
	header->gid = GUINT32_FROM_BE(gid);
	header->mode = GUINT32_FROM_BE(mode);
	if (*target != '\0')
		header->symlink_target = g_steal_pointer(&target);
	if (device != 0)
		return object_error(error, "a device number where none can be");
	return satchel_file_header_check(header, error);
}

static guint32
file_header_read_be32(const guint8 *bytes)
{
	return (guint32)bytes[0] << 24 | (guint32)bytes[1] << 16 | (guint32)bytes[2] << 8 |
	       (guint32)bytes[3];
}

gboolean
satchel_file_header_length_archive(gconstpointer data, gsize n_bytes, gsize *length_bytes,
				   GError **error)
{
	static const guint8 padding[4] = {0};
	const guint8 *bytes = data;
	guint32 n_header_bytes;

	if (n_bytes < HEADER_PREFIX_BYTES)
		return object_error(error, "the file header is cut short");
	n_header_bytes = file_header_read_be32(bytes);
	if (n_header_bytes > SATCHEL_LIMIT_OSTREE_FILE_HEADER_BYTES)
		return object_error(error, "the file header is too large");
	if (memcmp(bytes + 4, padding, sizeof padding) != 0)
		return object_error(error, "the padding of the file header is not zero");
	*length_bytes = HEADER_PREFIX_BYTES + (gsize)n_header_bytes;
	return TRUE;
}

gboolean
satchel_file_header_parse_archive(gconstpointer data, gsize n_bytes, SatchelFileHeader *header,
				  gsize *consumed_bytes, GError **error)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GVariant) variant = NULL;
	gsize length_bytes = 0;

	memset(header, 0, sizeof *header);
	*consumed_bytes = 0;
	if (!satchel_file_header_length_archive(data, n_bytes, &length_bytes, error))
		return FALSE;
	if (n_bytes < length_bytes)
		return object_error(error, "the file header is cut short");
	bytes = g_bytes_new((const guint8 *)data + HEADER_PREFIX_BYTES,
			    length_bytes - HEADER_PREFIX_BYTES);
	variant = object_variant(bytes, ARCHIVE_HEADER_FORMAT,
				 SATCHEL_LIMIT_OSTREE_FILE_HEADER_BYTES, error);
	if (variant == NULL || !file_header_from_variant(variant, header, error)) {
		satchel_file_header_clear(header);
		memset(header, 0, sizeof *header);
		return FALSE;
	}
	*consumed_bytes = length_bytes;
	return TRUE;
}

guint64
satchel_file_header_peek_size_archive(const guint8 head[16])
{
	return (guint64)file_header_read_be32(head + HEADER_PREFIX_BYTES) << 32 |
	       file_header_read_be32(head + HEADER_PREFIX_BYTES + 4);
}

gboolean
satchel_file_header_parse_ostreemeta(GBytes *attribute, SatchelFileHeader *header, GError **error)
{
	g_autoptr(GVariant) variant = object_variant(attribute, DIRMETA_FORMAT,
						     SATCHEL_LIMIT_OSTREE_FILE_HEADER_BYTES, error);

	memset(header, 0, sizeof *header);
	if (variant == NULL)
		return FALSE;
	g_variant_get(variant, "(uuu@a(ayay))", &header->uid, &header->gid, &header->mode,
		      &header->xattrs);
	header->uid = GUINT32_FROM_BE(header->uid);
	header->gid = GUINT32_FROM_BE(header->gid);
	header->mode = GUINT32_FROM_BE(header->mode);
	return TRUE;
}

GBytes *
satchel_file_header_to_checksum_prefix(const SatchelFileHeader *header)
{
	const char *target = header->symlink_target != NULL ? header->symlink_target : "";
	g_autoptr(GVariant) variant = g_variant_ref_sink(g_variant_new(
		"(uuuus@a(ayay))", GUINT32_TO_BE(header->uid), GUINT32_TO_BE(header->gid),
		GUINT32_TO_BE(header->mode), GUINT32_TO_BE(0), target, header->xattrs));
	gsize n_bytes = g_variant_get_size(variant);
	guint32 length = GUINT32_TO_BE((guint32)n_bytes);
	guint8 *prefix = g_malloc0(HEADER_PREFIX_BYTES + n_bytes);

	memcpy(prefix, &length, sizeof length);
	g_variant_store(variant, prefix + HEADER_PREFIX_BYTES);
	return g_bytes_new_take(prefix, HEADER_PREFIX_BYTES + n_bytes);
}
