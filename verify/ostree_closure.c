#include "ostree_closure.h"
#include "bundle_form.h"
#include "digest.h"
#include "medium_error.h"
#include <sys/stat.h>

/* What deflate makes of a byte at best, rounded up. */
#define DEFLATE_MAX_RATIO 1033u

/* How a repository stores file objects: `core.mode` of its configuration. */
typedef enum {
	REPO_ARCHIVE,
	REPO_BARE,	     /* as they are, with owner, mode and attributes */
	REPO_BARE_USER,	     /* owner, mode and attributes in an attribute; links as files */
	REPO_BARE_USER_ONLY, /* owner root, no attributes */
} RepoMode;

struct SatchelClosureRepo {
	SatchelBundleReader *bundle; /* borrowed */
	RepoMode mode;
};

/* The reader says "metadata not found" of any member; here it is content. */
static gboolean
closure_recode(GError *local_error, GError **error)
{
	gboolean absent =
		g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);

	g_propagate_error(error, local_error);
	if (error != NULL)
		(*error)->code =
			absent ? SATCHEL_ERROR_NO_TARGET_CONTENT : SATCHEL_ERROR_DOWNLOAD_FAILED;
	return FALSE;
}

static gboolean
repo_parse_mode(const char *text, RepoMode *mode)
{
	static const struct {
		const char *name;
		RepoMode mode;
	} modes[] = {
		{"archive", REPO_ARCHIVE},
		{"archive-z2", REPO_ARCHIVE},
		{"bare", REPO_BARE},
		{"bare-user", REPO_BARE_USER},
		{"bare-user-only", REPO_BARE_USER_ONLY},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
		if (strcmp(text, modes[i].name) == 0) {
			*mode = modes[i].mode;
			return TRUE;
		}
	}
	return FALSE;
}

static gboolean
repo_read_config(GBytes *text, RepoMode *mode, GError **error)
{
	g_autoptr(GKeyFile) config = g_key_file_new();
	g_autoptr(GError) local_error = NULL;
	g_autofree char *version = NULL;
	g_autofree char *name = NULL;

	if (g_bytes_get_size(text) == 0 ||
	    !g_key_file_load_from_data(config, g_bytes_get_data(text, NULL), g_bytes_get_size(text),
				       G_KEY_FILE_NONE, &local_error)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
			    "%s is no configuration of an OSTree repository",
			    SATCHEL_BUNDLE_OSTREE_CONFIG);
		return FALSE;
	}
	version = g_key_file_get_string(config, "core", "repo_version", NULL);
	name = g_key_file_get_string(config, "core", "mode", NULL);
	if (g_strcmp0(version, "1") == 0 && name != NULL && repo_parse_mode(name, mode))
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
		    "%s: not a repository of version 1 in mode archive, bare, bare-user or "
		    "bare-user-only",
		    SATCHEL_BUNDLE_OSTREE_CONFIG);
	return FALSE;
}

SatchelClosureRepo *
satchel_closure_repo_open(SatchelBundleReader *bundle, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) text = NULL;
	SatchelClosureRepo *self;
	RepoMode mode = REPO_ARCHIVE;

	text = satchel_bundle_reader_read(bundle, SATCHEL_BUNDLE_OSTREE_CONFIG,
					  SATCHEL_LIMIT_CONFIG_BYTES, &local_error);
	if (text == NULL) {
		/* Of a bundle that is incomplete this would say what was said before. */
		gboolean absent = g_error_matches(local_error, SATCHEL_ERROR,
						  SATCHEL_ERROR_METADATA_NOT_FOUND);

		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT, "%s%s",
			    absent ? "no OSTree repository in the bundle: " : "",
			    local_error->message);
		return NULL;
	}
	if (!repo_read_config(text, &mode, error))
		return NULL;
	self = g_new0(SatchelClosureRepo, 1);
	self->bundle = bundle;
	self->mode = mode;
	return self;
}

void
satchel_closure_repo_free(SatchelClosureRepo *self)
{
	g_free(self);
}

gboolean
satchel_closure_repo_is_archive(const SatchelClosureRepo *self)
{
	return self->mode == REPO_ARCHIVE;
}

char *
satchel_closure_repo_member(const SatchelClosureRepo *self, SatchelObjectType type,
			    const char *checksum)
{
	g_autofree char *path = satchel_object_path(type, checksum, self->mode == REPO_ARCHIVE);

	return g_strconcat(SATCHEL_BUNDLE_OSTREE_OBJECTS "/", path, NULL);
}

/* Reads an object that is stored as it is hashed. NULL with or without @error: not read, or not
 * what its name says. */
static GBytes *
repo_try_load(SatchelClosureRepo *self, const char *member, const char *checksum, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autofree char *found = NULL;

	bytes = satchel_bundle_reader_read(self->bundle, member,
					   SATCHEL_LIMIT_OSTREE_METADATA_BYTES, &local_error);
	if (bytes == NULL) {
		closure_recode(g_steal_pointer(&local_error), error);
		return NULL;
	}
	found = satchel_digest_sha256_hex(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	return strcmp(found, checksum) == 0 ? g_steal_pointer(&bytes) : NULL;
}

GBytes *
satchel_closure_repo_load(SatchelClosureRepo *self, SatchelObjectType type, const char *checksum,
			  GError **error)
{
	g_autofree char *member = satchel_closure_repo_member(self, type, checksum);
	g_autoptr(GError) local_error = NULL;
	GBytes *bytes = repo_try_load(self, member, checksum, &local_error);

	if (bytes == NULL && local_error == NULL) {
		satchel_bundle_reader_drop_cache(self->bundle, member, 0,
						 SATCHEL_LIMIT_OSTREE_METADATA_BYTES);
		bytes = repo_try_load(self, member, checksum, &local_error);
	}
	if (bytes != NULL)
		return bytes;
	if (local_error != NULL)
		g_propagate_error(error, g_steal_pointer(&local_error));
	else
		(void)satchel_medium_error_set(error, SATCHEL_MEDIUM_WRONG_HASH, member, 0, NULL);
	return NULL;
}

/* In mode bare-user a link is a file whose content is the target, with a NUL behind it. */
static gboolean
repo_link_from_content(SatchelClosureRepo *self, const char *member, SatchelFileHeader *header,
		       GError **error)
{
	g_autoptr(GBytes) content = NULL;
	gsize n_bytes = 0;
	const char *data;

	content = satchel_bundle_reader_read(self->bundle, member, SATCHEL_LIMIT_PATH_BYTES, error);
	if (content == NULL)
		return FALSE;
	data = g_bytes_get_data(content, &n_bytes);
	/* Without data there is no target, and the header's check says so. */
	header->symlink_target = n_bytes > 0 ? g_strndup(data, n_bytes) : NULL;
	header->size_bytes = 0;
	return TRUE;
}

/* The value of one attribute of a(ayay); NULL where it is not among them. (transfer full) */
static GBytes *
repo_find_attribute(GVariant *attributes, const char *wanted)
{
	gsize n_attributes = g_variant_n_children(attributes);

	for (gsize i = 0; i < n_attributes; i++) {
		g_autoptr(GVariant) value = NULL;
		const char *name = NULL;

		g_variant_get_child(attributes, i, "(^&ay@ay)", &name, &value);
		if (strcmp(name, wanted) == 0)
			return g_variant_get_data_as_bytes(value);
	}
	return NULL;
}

/* `user.ostreemeta`: owner, mode and attributes, as in a file's header. */
static gboolean
repo_header_from_attribute(SatchelClosureRepo *self, const char *member, SatchelFileHeader *header,
			   GError **error)
{
	guint64 size_bytes = header->size_bytes;
	g_autoptr(GVariant) attributes = NULL;
	g_autoptr(GBytes) value = NULL;

	attributes = self->bundle->form->read_attributes(self->bundle, member, error);
	if (attributes == NULL)
		return FALSE;
	value = repo_find_attribute(attributes, "user.ostreemeta");
	if (value == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s has no attribute user.ostreemeta, as files of mode bare-user have",
			    member);
		return FALSE;
	}
	if (!satchel_file_header_parse_ostreemeta(value, header, error)) {
		g_prefix_error(error, "%s: ", member);
		return FALSE;
	}
	header->size_bytes = size_bytes;
	return !S_ISLNK(header->mode) || repo_link_from_content(self, member, header, error);
}

static GVariant *
repo_no_attributes(void)
{
	return g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(ayay)"), NULL, 0));
}

/* Of a file in mode bare or bare-user-only. A link's attributes are not looked at; where it has
 * some, its hash does not match. */
static gboolean
repo_header_from_stat(SatchelClosureRepo *self, const char *member, const SatchelBundleStat *info,
		      SatchelFileHeader *header, GError **error)
{
	gboolean bare = self->mode == REPO_BARE;

	header->mode = info->mode;
	header->uid = bare ? info->uid : 0;
	header->gid = bare ? info->gid : 0;
	if (S_ISLNK(info->mode)) {
		header->size_bytes = 0;
		header->xattrs = repo_no_attributes();
		header->symlink_target = self->bundle->form->read_link(self->bundle, member, error);
		return header->symlink_target != NULL;
	}
	header->xattrs = bare ? self->bundle->form->read_attributes(self->bundle, member, error)
			      : repo_no_attributes();
	return header->xattrs != NULL;
}

/* The header of a file in one of the bare modes. What the medium's file system claims goes into the
 * hash with the content, and is believed only with it. */
static gboolean
repo_bare_header(SatchelClosureRepo *self, const char *member, SatchelFileHeader *header,
		 GError **error)
{
	SatchelBundleStat info;

	if (self->bundle->form->read_link == NULL || self->bundle->form->read_attributes == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s: this form of bundle holds archive repositories only", member);
		return FALSE;
	}
	if (!satchel_bundle_reader_stat(self->bundle, member, &info, error))
		return FALSE;
	header->size_bytes = info.size_bytes;
	if (!(self->mode == REPO_BARE_USER
		      ? repo_header_from_attribute(self, member, header, error)
		      : repo_header_from_stat(self, member, &info, header, error)))
		return FALSE;
	if (satchel_file_header_check(header, error))
		return TRUE;
	g_prefix_error(error, "%s: ", member);
	return FALSE;
}

gboolean
satchel_closure_repo_read_bare_header(SatchelClosureRepo *self, const char *member,
				      SatchelFileHeader *header, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	memset(header, 0, sizeof *header);
	return repo_bare_header(self, member, header, &local_error) ||
	       closure_recode(g_steal_pointer(&local_error), error);
}

guint64
satchel_closure_repo_most_bytes(const SatchelClosureRepo *self, guint64 stored_bytes)
{
	guint64 most = stored_bytes;

	if (self->mode == REPO_ARCHIVE &&
	    !g_uint64_checked_mul(&most, stored_bytes, DEFLATE_MAX_RATIO))
		return G_MAXUINT64;
	return most;
}

/* Deflate makes 258 bytes of 2 bits at best, behind some header: a larger claim is a lie, and not
 * worth asking for space. */
static gboolean
claim_is_possible(guint64 claimed_bytes, guint64 stored_bytes)
{
	return claimed_bytes == 0 || (claimed_bytes - 1) / DEFLATE_MAX_RATIO < stored_bytes;
}

gboolean
satchel_closure_repo_claimed_size(SatchelClosureRepo *self, const char *checksum,
				  guint64 stored_bytes, guint64 *size_bytes, GError **error)
{
	g_autofree char *member = NULL;
	g_autoptr(GError) local_error = NULL;
	guint8 head[16];

	*size_bytes = stored_bytes;
	if (self->mode != REPO_ARCHIVE)
		return TRUE;
	*size_bytes = 0;
	member = satchel_closure_repo_member(self, SATCHEL_OBJECT_FILE, checksum);
	if (!satchel_bundle_reader_read_at(self->bundle, member, 0, head, sizeof head,
					   &local_error))
		return closure_recode(g_steal_pointer(&local_error), error);
	*size_bytes = satchel_file_header_peek_size_archive(head);
	if (claim_is_possible(*size_bytes, stored_bytes))
		return TRUE;
	*size_bytes = 0;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s: the file header claims more content than the file can hold", member);
	return FALSE;
}

gboolean
satchel_closure_repo_find(SatchelClosureRepo *self, SatchelObjectType type, const char *checksum,
			  SatchelBundlePlace *place, gboolean *missing, GError **error)
{
	g_autofree char *member = satchel_closure_repo_member(self, type, checksum);
	g_autoptr(GError) local_error = NULL;

	*place = (SatchelBundlePlace){0};
	*missing = FALSE;
	if (satchel_bundle_reader_find(self->bundle, member, place, &local_error))
		return TRUE;
	*missing = g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
	return *missing || closure_recode(g_steal_pointer(&local_error), error);
}
