#include "bundle_form.h"
#include "manifest_load.h"
#include "medium_error.h"
#include "part_files.h"
#include "path_safety.h"
#include "split_set.h"
#include "tar_header.h"
#include "tar_layout.h"
#include <string.h>
#include <sys/stat.h>

#define FILE_MODE (S_IFREG | 0644)
#define FOLDER_MODE (S_IFDIR | 0755)
/* What is read at a time where nothing but zeros should be. */
#define PIECE_BYTES 4096u

/*
 * The packed form. Opening reads the headers up to manifest.mtree; where the other members lie is
 * added up from the manifest, which is parsed when it has been compared with its signed hash, or,
 * where none was signed, when the first of those members is asked for.
 */
typedef struct {
	SatchelBundleReader reader;
	SatchelPartFiles *files;
	GPtrArray *head; /* of SatchelTarMember, in order, the manifest last */
	GHashTable *head_by_path;
	guint64 head_end_bytes;
	SatchelManifest *unsigned_manifest; /* (nullable) */
	GError *layout_error; /* (nullable): why there is none; found once, not for every member */
	/* Where the content of each member of the manifest lies; NULL until the manifest was read.
	 */
	guint64 *places;
} BundlePacked;

static BundlePacked *
packed(SatchelBundleReader *self)
{
	return (BundlePacked *)self;
}

static gboolean G_GNUC_PRINTF(2, 3) packed_invalid(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_propagate_error(error, g_error_new_valist(SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
						    format, args));
	va_end(args);
	return FALSE;
}

/* TRUE with the error set where the bundle ends too early because its last part is not there. */
static gboolean
packed_lacks_part(const BundlePacked *self, GError **error)
{
	g_autofree char *part = NULL;

	if (!satchel_part_files_may_lack_one(self->files))
		return FALSE;
	part = satchel_part_files_dup_name(self->files,
					   satchel_part_files_get_n_parts(self->files));
	(void)satchel_medium_error_set(error, SATCHEL_MEDIUM_MISSING, part, 0, NULL);
	return TRUE;
}

/* Says of what was not as it should be that it stands in a part that may be a wrong one. */
static gboolean
packed_blame_part(const BundlePacked *self, guint part, GError **error)
{
	g_autofree char *name = satchel_part_files_dup_name(self->files, part);
	g_autofree char *quoted = satchel_path_quote(name);

	if (part > 0)
		g_prefix_error(error,
			       "%s is not the part that belongs there: parts were exchanged, or it "
			       "is of another bundle: copy it again: ",
			       quoted);
	return FALSE;
}

static gboolean
packed_read_raw(gpointer source, guint64 offset_bytes, gpointer buffer, gsize n_bytes,
		GError **error)
{
	return satchel_part_files_read(source, offset_bytes, buffer, n_bytes, error);
}

static gboolean
is_in_tuf(const char *path)
{
	return g_str_has_prefix(path, SATCHEL_BUNDLE_TUF "/");
}

/* ---- the head ---- */

static void
head_member_free(gpointer member)
{
	satchel_tar_member_clear(member);
	g_free(member);
}

static gboolean
head_check_member(const BundlePacked *self, const SatchelTarMember *member, GError **error)
{
	g_autofree char *quoted = NULL;

	if (member->kind == SATCHEL_TAR_END)
		return packed_invalid(error, "%s has no " SATCHEL_BUNDLE_MANIFEST " in its head",
				      self->reader.path);
	quoted = satchel_path_quote(member->path);
	if (g_hash_table_contains(self->head_by_path, member->path))
		return packed_invalid(error, "%s stands twice in the packed bundle", quoted);
	if (member->kind == SATCHEL_TAR_FOLDER)
		return TRUE;
	if (strcmp(member->path, SATCHEL_BUNDLE_MANIFEST) != 0 && !is_in_tuf(member->path))
		return packed_invalid(
			error, "%s stands before " SATCHEL_BUNDLE_MANIFEST " in the packed bundle",
			quoted);
	if (member->size_bytes > SATCHEL_LIMIT_MANIFEST_BYTES)
		return packed_invalid(error, "%s is too large", quoted);
	if (member->next_at_bytes <= satchel_part_files_get_total_bytes(self->files))
		return TRUE;
	return !packed_lacks_part(self, error) &&
	       satchel_medium_error_set(
		       error, SATCHEL_MEDIUM_TOO_SHORT, member->path,
		       satchel_part_files_get_total_bytes(self->files) -
			       MIN(member->content_at_bytes,
				   satchel_part_files_get_total_bytes(self->files)),
		       NULL);
}

/* No header, and not because reading failed. */
static gboolean
head_fail(const BundlePacked *self, GError **error)
{
	if (error == NULL || !g_error_matches(*error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID))
		return FALSE;
	return packed_blame_part(self, satchel_part_files_find(self->files, self->head_end_bytes),
				 error);
}

/* One member; TRUE with @done where it was the manifest. */
static gboolean
head_read_member(BundlePacked *self, gboolean *done, GError **error)
{
	g_auto(SatchelTarMember) found = {0};
	SatchelTarMember *member;

	if (!satchel_tar_member_read(packed_read_raw, self->files, self->head_end_bytes, &found,
				     error))
		return head_fail(self, error);
	if (!head_check_member(self, &found, error))
		return FALSE;
	self->head_end_bytes = found.next_at_bytes;
	*done = found.kind == SATCHEL_TAR_FILE && strcmp(found.path, SATCHEL_BUNDLE_MANIFEST) == 0;
	member = g_new(SatchelTarMember, 1);
	*member = found;
	memset(&found, 0, sizeof found);
	g_ptr_array_add(self->head, member);
	g_hash_table_insert(self->head_by_path, member->path, member);
	return TRUE;
}

static gboolean
head_read(BundlePacked *self, GError **error)
{
	gboolean done = FALSE;

	while (!done) {
		if (self->head->len >= SATCHEL_LIMIT_PACKED_HEAD_MEMBERS)
			return packed_invalid(
				error,
				"more than %u members stand before " SATCHEL_BUNDLE_MANIFEST
				" in the packed bundle",
				SATCHEL_LIMIT_PACKED_HEAD_MEMBERS);
		if (!head_read_member(self, &done, error))
			return FALSE;
	}
	return TRUE;
}

/* A regular file of the head, or NULL. */
static const SatchelTarMember *
head_find_file(const BundlePacked *self, const char *path)
{
	const SatchelTarMember *member = g_hash_table_lookup(self->head_by_path, path);

	return member != NULL && member->kind == SATCHEL_TAR_FILE ? member : NULL;
}

/* ---- the layout ---- */

/* Roles stand in the head, and must be there as the manifest lists them. */
static gboolean
layout_place_role(const BundlePacked *self, const SatchelManifestMember *member, guint64 *place,
		  GError **error)
{
	const SatchelTarMember *found = head_find_file(self, member->path);
	g_autofree char *quoted = satchel_path_quote(member->path);

	if (found == NULL)
		return packed_invalid(
			error, "%s is listed in " SATCHEL_BUNDLE_MANIFEST " and is not in the head",
			quoted);
	*place = found->content_at_bytes;
	return found->size_bytes == member->size_bytes ||
	       packed_invalid(error,
			      "%s does not have the size that " SATCHEL_BUNDLE_MANIFEST
			      " says it has",
			      quoted);
}

static gboolean
layout_place_all(const BundlePacked *self, const SatchelManifest *manifest, guint64 *places,
		 guint64 *end_bytes, GError **error)
{
	guint n_members = satchel_manifest_get_n_members(manifest);

	*end_bytes = self->head_end_bytes;
	for (guint i = 0; i < n_members; i++) {
		SatchelManifestMember member = satchel_manifest_get_member(manifest, i);

		if (is_in_tuf(member.path)) {
			if (!layout_place_role(self, &member, &places[i], error))
				return FALSE;
		} else if (!satchel_tar_layout_place(end_bytes, member.path, member.size_bytes,
						     &places[i])) {
			return packed_invalid(error, "the sizes in " SATCHEL_BUNDLE_MANIFEST
						     " are too large");
		}
	}
	return TRUE;
}

/* What is a folder in the head is no file behind it. Files in tuf/ that are not listed are the full
 * check's affair, as in a folder: roles prove themselves. */
static gboolean
layout_check_folders(const BundlePacked *self, const SatchelManifest *manifest, GError **error)
{
	for (guint i = 0; i < self->head->len; i++) {
		const SatchelTarMember *member = self->head->pdata[i];
		g_autofree char *quoted = NULL;
		guint index = 0;

		if (member->kind != SATCHEL_TAR_FOLDER ||
		    !satchel_manifest_lookup(manifest, member->path, &index))
			continue;
		quoted = satchel_path_quote(member->path);
		return packed_invalid(error,
				      "%s is a folder in the packed bundle and a file "
				      "in " SATCHEL_BUNDLE_MANIFEST,
				      quoted);
	}
	return TRUE;
}

/* Says in which member, or where parts are, in which part, the bundle ends too early. */
static gboolean
layout_fail_short(const BundlePacked *self, const SatchelManifest *manifest, const guint64 *places,
		  GError **error)
{
	guint64 total_bytes = satchel_part_files_get_total_bytes(self->files);
	guint n_members = satchel_manifest_get_n_members(manifest);
	g_autofree char *part = NULL;

	if (packed_lacks_part(self, error))
		return FALSE;
	for (guint i = 0; i < n_members; i++) {
		SatchelManifestMember member = satchel_manifest_get_member(manifest, i);

		if (places[i] > total_bytes || member.size_bytes > total_bytes - places[i])
			return satchel_medium_error_set(
				error, SATCHEL_MEDIUM_TOO_SHORT, member.path,
				total_bytes - MIN(places[i], total_bytes), NULL);
	}
	/* In the zeros behind the last one. */
	part = satchel_part_files_dup_name(self->files,
					   satchel_part_files_get_n_parts(self->files) - 1);
	return satchel_medium_error_set(error, SATCHEL_MEDIUM_TOO_SHORT, part, total_bytes, NULL);
}

static gboolean
layout_check_total(const BundlePacked *self, const SatchelManifest *manifest, const guint64 *places,
		   guint64 end_bytes, GError **error)
{
	guint64 total_bytes = satchel_part_files_get_total_bytes(self->files);

	if (total_bytes < end_bytes + SATCHEL_TAR_END_BYTES)
		return layout_fail_short(self, manifest, places, error);
	return total_bytes <=
		       satchel_tar_layout_total_bytes(end_bytes) + SATCHEL_TAR_RECORD_BYTES ||
	       packed_invalid(error,
			      "the packed bundle is longer than " SATCHEL_BUNDLE_MANIFEST " says");
}

/* The headers at @at_bytes are those of the manifest's member with the content at @place. */
static gboolean
layout_check_member(const BundlePacked *self, guint64 at_bytes, const SatchelManifestMember *member,
		    GError **error)
{
	g_auto(SatchelTarMember) found = {0};
	g_autofree char *quoted = NULL;

	if (!satchel_tar_member_read(packed_read_raw, self->files, at_bytes, &found, error))
		return FALSE;
	if (found.kind == SATCHEL_TAR_FILE && strcmp(found.path, member->path) == 0 &&
	    found.size_bytes == member->size_bytes)
		return TRUE;
	quoted = satchel_path_quote(member->path);
	return packed_invalid(error,
			      "the packed bundle, byte %" G_GUINT64_FORMAT
			      ": not %s as " SATCHEL_BUNDLE_MANIFEST " lists it",
			      at_bytes, quoted);
}

static guint64
layout_header_at(const SatchelManifestMember *member, guint64 place)
{
	return place - satchel_tar_layout_header_bytes(member->path, member->size_bytes);
}

/* The first member that begins in a part tells whether the part is the right one: parts that were
 * exchanged, or are of another bundle, have the right size. One block of each part is read. */
static gboolean
layout_check_parts(const BundlePacked *self, const SatchelManifest *manifest, const guint64 *places,
		   GError **error)
{
	guint n_parts = satchel_part_files_get_n_parts(self->files);
	guint n_members = satchel_manifest_get_n_members(manifest);
	guint part = 1;

	for (guint i = 0; i < n_members && part < n_parts; i++) {
		SatchelManifestMember member = satchel_manifest_get_member(manifest, i);
		guint64 at_bytes = layout_header_at(&member, places[i]);

		if (is_in_tuf(member.path) ||
		    at_bytes < satchel_part_files_get_begin_bytes(self->files, part))
			continue;
		while (part + 1 < n_parts &&
		       satchel_part_files_get_begin_bytes(self->files, part + 1) <= at_bytes)
			part++;
		if (!layout_check_member(self, at_bytes, &member, error))
			return packed_blame_part(self, part, error);
		part++;
	}
	return TRUE;
}

static gboolean
packed_use_manifest(SatchelBundleReader *reader, const SatchelManifest *manifest, GError **error)
{
	BundlePacked *self = packed(reader);
	g_autofree guint64 *places = g_new(guint64, satchel_manifest_get_n_members(manifest));
	guint64 end_bytes = 0;

	if (!layout_check_folders(self, manifest, error) ||
	    !layout_place_all(self, manifest, places, &end_bytes, error) ||
	    !layout_check_total(self, manifest, places, end_bytes, error) ||
	    !layout_check_parts(self, manifest, places, error))
		return FALSE;
	g_free(self->places);
	self->places = g_steal_pointer(&places);
	return TRUE;
}

static void
packed_load_manifest(BundlePacked *self)
{
	const SatchelTarMember *found = head_find_file(self, SATCHEL_BUNDLE_MANIFEST);
	g_autoptr(SatchelManifest) manifest = NULL;

	/* Without it the bundle was not opened. */
	g_return_if_fail(found != NULL);
	manifest =
		satchel_manifest_load(&self->reader, NULL, found->size_bytes, &self->layout_error);
	if (manifest != NULL && packed_use_manifest(&self->reader, manifest, &self->layout_error)) {
		self->reader.index_bytes = satchel_manifest_get_memory_bytes(manifest);
		self->unsigned_manifest = g_steal_pointer(&manifest);
	}
}

/* The manifest, signed or not; NULL where it cannot be used. Borrowed. */
static const SatchelManifest *
packed_get_manifest(SatchelBundleReader *reader, GError **error)
{
	BundlePacked *self = packed(reader);

	if (reader->manifest != NULL)
		return reader->manifest;
	if (self->unsigned_manifest == NULL && self->layout_error == NULL)
		packed_load_manifest(self);
	if (self->layout_error != NULL)
		g_propagate_error(error, g_error_copy(self->layout_error));
	return self->unsigned_manifest;
}

/* ---- the form ---- */

static gboolean
packed_find(SatchelBundleReader *reader, const char *member, SatchelBundlePlace *place,
	    GError **error)
{
	BundlePacked *self = packed(reader);
	const SatchelTarMember *found = head_find_file(self, member);
	const SatchelManifest *manifest;
	GError *local_error = NULL;
	guint index = 0;

	if (found != NULL) {
		place->size_bytes = found->size_bytes;
		place->place = found->content_at_bytes;
		return TRUE;
	}
	/* Roles stand in the head; asking for one more root must not cost the manifest. */
	manifest = is_in_tuf(member) ? NULL : packed_get_manifest(reader, &local_error);
	if (local_error != NULL) {
		/* Of every member behind the manifest, in the same words. */
		local_error->code = SATCHEL_ERROR_DOWNLOAD_FAILED;
		g_propagate_error(error, local_error);
		return FALSE;
	}
	if (manifest == NULL || !satchel_manifest_lookup(manifest, member, &index)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
			    "%s: not in the packed bundle", member);
		return FALSE;
	}
	place->size_bytes = satchel_manifest_get_member(manifest, index).size_bytes;
	place->place = self->places[index];
	return TRUE;
}

static gboolean
packed_begin_read(SatchelBundleReader *self, const char *member, guint64 *size_bytes,
		  GError **error)
{
	SatchelBundlePlace place;

	if (!packed_find(self, member, &place, error))
		return FALSE;
	*size_bytes = place.size_bytes;
	return TRUE;
}

static gboolean
packed_read_some(SatchelBundleReader *self, const char *member, guint64 offset, gpointer buffer,
		 gsize n_bytes, gssize *n_read, GError **error)
{
	SatchelBundlePlace place;

	if (!packed_find(self, member, &place, error))
		return FALSE;
	*n_read = 0;
	if (offset < place.size_bytes)
		*n_read = satchel_part_files_read_some(
			packed(self)->files, place.place + offset, buffer,
			(gsize)MIN(n_bytes, place.size_bytes - offset));
	return TRUE;
}

static void
packed_advise(SatchelBundleReader *self, const char *member, guint64 offset, guint64 n_bytes,
	      SatchelBundleAdvice advice)
{
	SatchelBundlePlace place;

	if (packed_find(self, member, &place, NULL) && offset < place.size_bytes)
		satchel_part_files_advise(packed(self)->files, place.place + offset,
					  MIN(n_bytes, place.size_bytes - offset), advice);
}

static gboolean
packed_stat_member(SatchelBundleReader *self, const char *member, SatchelBundleStat *result,
		   GError **error)
{
	const SatchelTarMember *folder = g_hash_table_lookup(packed(self)->head_by_path, member);
	SatchelBundlePlace place = {0};

	memset(result, 0, sizeof *result);
	result->mode = FOLDER_MODE;
	if (folder != NULL && folder->kind == SATCHEL_TAR_FOLDER)
		return TRUE;
	if (!packed_find(self, member, &place, error))
		return FALSE;
	result->mode = FILE_MODE;
	result->size_bytes = place.size_bytes;
	return TRUE;
}

static gboolean
packed_walk(SatchelBundleReader *reader, SatchelBundleVisit visit, gpointer user_data,
	    GError **error)
{
	BundlePacked *self = packed(reader);
	const SatchelManifest *manifest = packed_get_manifest(reader, error);
	SatchelBundleStat info = {0};

	if (manifest == NULL)
		return FALSE;
	for (guint i = 0; i < self->head->len; i++) {
		const SatchelTarMember *member = self->head->pdata[i];

		info.mode = member->kind == SATCHEL_TAR_FOLDER ? FOLDER_MODE : FILE_MODE;
		info.size_bytes = member->size_bytes;
		if (!visit(member->path, &info, user_data, error))
			return FALSE;
	}
	info.mode = FILE_MODE;
	for (guint i = 0; i < satchel_manifest_get_n_members(manifest); i++) {
		SatchelManifestMember member = satchel_manifest_get_member(manifest, i);

		info.size_bytes = member.size_bytes;
		if (!is_in_tuf(member.path) && !visit(member.path, &info, user_data, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
packed_check_zeros(const BundlePacked *self, guint64 from_bytes, guint64 to_bytes, GError **error)
{
	guint8 piece[PIECE_BYTES];

	while (from_bytes < to_bytes) {
		gsize n_bytes = (gsize)MIN(to_bytes - from_bytes, sizeof piece);

		if (!satchel_part_files_read(self->files, from_bytes, piece, n_bytes, error))
			return FALSE;
		for (gsize i = 0; i < n_bytes; i++) {
			if (piece[i] != 0)
				return packed_invalid(error,
						      "the packed bundle, byte %" G_GUINT64_FORMAT
						      ": something stands between the members",
						      from_bytes + i);
		}
		from_bytes += n_bytes;
	}
	return TRUE;
}

/* The headers of all members behind the manifest, and the zeros behind each member. */
static gboolean
packed_check_layout(SatchelBundleReader *reader, GError **error)
{
	BundlePacked *self = packed(reader);
	const SatchelManifest *manifest = packed_get_manifest(reader, error);
	guint64 at_bytes = 0;

	if (manifest == NULL)
		return FALSE;
	for (guint i = 0; i < self->head->len; i++) {
		const SatchelTarMember *member = self->head->pdata[i];

		at_bytes = member->content_at_bytes + member->size_bytes;
		if (!packed_check_zeros(self, at_bytes, member->next_at_bytes, error))
			return FALSE;
	}
	for (guint i = 0; i < satchel_manifest_get_n_members(manifest); i++) {
		SatchelManifestMember member = satchel_manifest_get_member(manifest, i);
		guint64 header_at = layout_header_at(&member, self->places[i]);

		if (is_in_tuf(member.path))
			continue;
		if (!packed_check_zeros(self, at_bytes, header_at, error) ||
		    !layout_check_member(self, header_at, &member, error))
			return FALSE;
		at_bytes = self->places[i] + member.size_bytes;
	}
	return packed_check_zeros(self, at_bytes, satchel_part_files_get_total_bytes(self->files),
				  error);
}

static void
packed_free(SatchelBundleReader *reader)
{
	BundlePacked *self = packed(reader);

	g_clear_pointer(&self->unsigned_manifest, satchel_manifest_free);
	g_clear_error(&self->layout_error);
	g_clear_pointer(&self->files, satchel_part_files_free);
	g_hash_table_unref(self->head_by_path);
	g_ptr_array_unref(self->head);
	g_free(self->places);
	g_free(self->reader.path);
	g_free(self);
}

static const SatchelBundleForm packed_form = {
	.begin_read = packed_begin_read,
	.read_some = packed_read_some,
	.advise = packed_advise,
	.find = packed_find,
	.stat_member = packed_stat_member,
	.walk = packed_walk,
	.use_manifest = packed_use_manifest,
	.check_layout = packed_check_layout,
	.free = packed_free,
};

/* Its first block may even look like the beginning of a bundle. */
static gboolean
packed_check_name(const char *path, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *quoted = satchel_path_quote(path);

	if (satchel_split_set_classify(name) != SATCHEL_SPLIT_SET_LATER_PART)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
		    "no bundle at '%s': a part of one; name the first part, which ends with .000",
		    quoted);
	return FALSE;
}

static gboolean
packed_is_likely(const BundlePacked *self, const char *path, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(path);
	guint8 block[SATCHEL_TAR_BLOCK_BYTES];

	if (satchel_part_files_get_total_bytes(self->files) >= sizeof block) {
		if (!satchel_part_files_read(self->files, 0, block, sizeof block, error))
			return FALSE;
		if (satchel_tar_header_is_likely(block, sizeof block))
			return TRUE;
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
		    "no bundle at '%s': neither a folder nor a packed bundle", quoted);
	return FALSE;
}

SatchelBundleReader *
satchel_bundle_packed_open(const char *path, GError **error)
{
	g_autoptr(SatchelPartFiles) files = NULL;
	BundlePacked *self;

	if (!packed_check_name(path, error))
		return NULL;
	files = satchel_part_files_open(path, error);
	if (files == NULL)
		return NULL;
	self = g_new0(BundlePacked, 1);
	self->reader.form = &packed_form;
	self->reader.path = g_strdup(path);
	self->files = g_steal_pointer(&files);
	self->head = g_ptr_array_new_with_free_func(head_member_free);
	self->head_by_path = g_hash_table_new(g_str_hash, g_str_equal);
	if (packed_is_likely(self, path, error) && head_read(self, error))
		return &self->reader;
	packed_free(&self->reader);
	return NULL;
}
