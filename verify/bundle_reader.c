#include "bundle_choice.h"
#include "bundle_form.h"
#include "bundle_stream.h"
#include "manifest_load.h"
#include "medium_error.h"
#include "path_safety.h"
#include "split_set.h"
#include <errno.h>
#include <sys/stat.h>

/* @path: a folder, or what was found in one. */
static SatchelBundleReader *
reader_open_folder(const char *path, GError **error)
{
	gboolean is_bundle = FALSE;
	SatchelBundleReader *self = satchel_bundle_directory_open(path, &is_bundle, error);
	g_autofree char *inside = NULL;

	if (is_bundle)
		return self;
	inside = satchel_bundle_choice_in(path, error);
	if (inside == NULL)
		return NULL;
	if (!g_file_test(inside, G_FILE_TEST_IS_DIR))
		return satchel_bundle_packed_open(inside, error);
	return satchel_bundle_directory_open(inside, &is_bundle, error);
}

/* Whoever made parts gave them one name, without a number. */
static gboolean
reader_is_in_parts(const char *path)
{
	g_autofree char *first = satchel_split_set_part(path, 0);

	return g_file_test(first, G_FILE_TEST_IS_REGULAR);
}

SatchelBundleReader *
satchel_bundle_reader_open(const char *path, GError **error)
{
	g_autofree char *quoted = NULL;
	struct stat info;
	int failure;

	g_return_val_if_fail(path != NULL, NULL);
	/* The user named it: a link to the mounted stick is the user's choice. */
	if (stat(path, &info) == 0)
		return S_ISDIR(info.st_mode) ? reader_open_folder(path, error)
					     : satchel_bundle_packed_open(path, error);
	failure = errno;
	quoted = satchel_path_quote(path);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND, "no bundle at '%s': %s",
		    quoted,
		    failure == ENOENT && reader_is_in_parts(path)
			    ? "it is in parts; name the first one, which ends with .000"
			    : g_strerror(failure));
	return NULL;
}

const char *
satchel_bundle_reader_get_path(const SatchelBundleReader *self)
{
	return self->path;
}

/* Names come from metadata that others wrote. */
static gboolean
reader_check_name(const char *member, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (satchel_path_check(member, &local_error))
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    local_error->message);
	return FALSE;
}

/* Up to @n_bytes; FALSE where there is no such file. @failure: (out): an errno, 0 at the end. */
static gboolean
reader_try(SatchelBundleReader *self, const char *member, guint64 offset, guint8 *buffer,
	   gsize n_bytes, gsize *n_done, int *failure, GError **error)
{
	gssize n_read = 1;

	*n_done = 0;
	*failure = 0;
	while (*n_done < n_bytes && n_read > 0) {
		if (!self->form->read_some(self, member, offset + *n_done, buffer + *n_done,
					   n_bytes - *n_done, &n_read, error))
			return FALSE;
		if (n_read > 0)
			*n_done += (gsize)n_read;
		else
			*failure = (int)-n_read;
	}
	return TRUE;
}

gboolean
satchel_bundle_reader_read_at(SatchelBundleReader *self, const char *member, guint64 offset,
			      gpointer buffer, gsize n_bytes, GError **error)
{
	gsize n_done = 0;
	int failure = 0;

	if (!reader_check_name(member, error) ||
	    !reader_try(self, member, offset, buffer, n_bytes, &n_done, &failure, error))
		return FALSE;
	if (n_done == n_bytes)
		return TRUE;
	satchel_bundle_reader_drop_cache(self, member, offset, n_bytes);
	if (!reader_try(self, member, offset, buffer, n_bytes, &n_done, &failure, error))
		return FALSE;
	return n_done == n_bytes ||
	       satchel_medium_error_set(
		       error, failure == 0 ? SATCHEL_MEDIUM_TOO_SHORT : SATCHEL_MEDIUM_UNREADABLE,
		       member, offset + n_done, g_strerror(failure));
}

void
satchel_bundle_reader_drop_cache(SatchelBundleReader *self, const char *member, guint64 offset,
				 guint64 n_bytes)
{
	if (satchel_path_check(member, NULL))
		self->form->advise(self, member, offset, n_bytes, SATCHEL_BUNDLE_DROP_CACHE);
}

void
satchel_bundle_reader_will_need(SatchelBundleReader *self, const char *member, guint64 offset,
				guint64 n_bytes)
{
	if (satchel_path_check(member, NULL))
		self->form->advise(self, member, offset, n_bytes, SATCHEL_BUNDLE_WILL_NEED);
}

/* One more than announced, to notice a file that grew. */
static gboolean
reader_check_end(SatchelBundleReader *self, const char *member, guint64 size_bytes, GError **error)
{
	guint8 more;
	gssize n_read = 0;

	if (!self->form->read_some(self, member, size_bytes, &more, 1, &n_read, error))
		return FALSE;
	if (n_read <= 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s changed its size while it was read", member);
	return FALSE;
}

static gboolean
reader_begin(SatchelBundleReader *self, const char *member, guint64 *size_bytes, GError **error)
{
	return reader_check_name(member, error) &&
	       self->form->begin_read(self, member, size_bytes, error);
}

GBytes *
satchel_bundle_reader_read(SatchelBundleReader *self, const char *member, gsize max_bytes,
			   GError **error)
{
	g_autofree guint8 *buffer = NULL;
	guint64 size_bytes = 0;

	g_return_val_if_fail(max_bytes < G_MAXSIZE, NULL);
	if (!reader_begin(self, member, &size_bytes, error))
		return NULL;
	if (size_bytes > max_bytes) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s has %" G_GUINT64_FORMAT " bytes, more than the %" G_GSIZE_FORMAT
			    " allowed",
			    member, size_bytes, max_bytes);
		return NULL;
	}
	buffer = g_malloc((gsize)size_bytes + 1);
	if (!satchel_bundle_reader_read_at(self, member, 0, buffer, (gsize)size_bytes, error) ||
	    !reader_check_end(self, member, size_bytes, error))
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&buffer), (gsize)size_bytes);
}

GInputStream *
satchel_bundle_reader_open_member(SatchelBundleReader *self, const char *member,
				  guint64 *size_bytes, GError **error)
{
	guint64 found_bytes = 0;

	if (!reader_begin(self, member, &found_bytes, error))
		return NULL;
	if (size_bytes != NULL)
		*size_bytes = found_bytes;
	return satchel_bundle_stream_new(self, member, found_bytes);
}

gboolean
satchel_bundle_reader_find(SatchelBundleReader *self, const char *member, SatchelBundlePlace *place,
			   GError **error)
{
	return reader_check_name(member, error) && self->form->find(self, member, place, error);
}

const guint8 *
satchel_bundle_reader_get_signed_sha256(const SatchelBundleReader *self, const char *member)
{
	guint index = 0;

	if (self->manifest == NULL || !satchel_manifest_lookup(self->manifest, member, &index))
		return NULL;
	return satchel_manifest_get_member(self->manifest, index).sha256;
}

/* The manifest with that hash. */
static SatchelManifest *
reader_load_manifest(SatchelBundleReader *self, const char *sha256, guint64 length_bytes,
		     GError **error)
{
	g_autoptr(GError) local_error = NULL;
	guint64 size_bytes = 0;

	if (!self->form->begin_read(self, SATCHEL_BUNDLE_MANIFEST, &size_bytes, &local_error)) {
		/* Absent, a link, a pipe: that is no matter of a bad copy. */
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
				    local_error->message);
		return NULL;
	}
	if (size_bytes == length_bytes)
		return satchel_manifest_load(self, sha256, length_bytes, error);
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_BUNDLE_INVALID,
			    SATCHEL_BUNDLE_MANIFEST " is not the one that " SATCHEL_BUNDLE_META
						    " was signed with");
	return NULL;
}

gboolean
satchel_bundle_reader_accept_manifest(SatchelBundleReader *self, const char *sha256,
				      guint64 length_bytes, GError **error)
{
	g_autoptr(SatchelManifest) manifest =
		reader_load_manifest(self, sha256, length_bytes, error);

	if (manifest == NULL ||
	    (self->form->use_manifest != NULL && !self->form->use_manifest(self, manifest, error)))
		return FALSE;
	g_clear_pointer(&self->manifest, satchel_manifest_free);
	self->index_bytes = satchel_manifest_get_memory_bytes(manifest);
	self->manifest = g_steal_pointer(&manifest);
	return TRUE;
}

gboolean
satchel_bundle_reader_check_layout(SatchelBundleReader *self, GError **error)
{
	return self->form->check_layout == NULL || self->form->check_layout(self, error);
}

gboolean
satchel_bundle_reader_stat(SatchelBundleReader *self, const char *member, SatchelBundleStat *info,
			   GError **error)
{
	if (!reader_check_name(member, error))
		return FALSE;
	return self->form->stat_member(self, member, info, error);
}

gboolean
satchel_bundle_reader_has(SatchelBundleReader *self, const char *member, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	SatchelBundleStat info;

	if (!satchel_bundle_reader_stat(self, member, &info, &local_error)) {
		if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
			g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	if (S_ISREG(info.mode))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s is no regular file",
		    member);
	return FALSE;
}

gboolean
satchel_bundle_reader_walk(SatchelBundleReader *self, SatchelBundleVisit visit, gpointer user_data,
			   GError **error)
{
	return self->form->walk(self, visit, user_data, error);
}

void
satchel_bundle_reader_free(SatchelBundleReader *self)
{
	if (self == NULL)
		return;
	g_clear_pointer(&self->manifest, satchel_manifest_free);
	self->form->free(self);
}
