#include "bundle_form.h"
#include "page_cache.h"
#include "path_safety.h"
#include "safe_read.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The largest extended attribute that Linux knows. */
#define ATTRIBUTE_MAX_BYTES (64u * 1024u)

/* Set in the place of what the manifest lists. */
#define LISTED_PLACE (G_GUINT64_CONSTANT(1) << 63)

/* So many are kept open: more than there are of objects, far fewer than a process may have. */
#define FOLDERS_MAX 300u

typedef struct {
	SatchelBundleReader reader;
	int dir_fd;
	/* The member that was read last, or NULL and -1. A large one is read in many pieces. */
	char *open_member;
	int open_fd;
	/* Folders in which members were read, path to descriptor: there are 256 of objects, and
	 * many thousands of objects. */
	GHashTable *folders;
} BundleDirectory;

static int
directory_fd(const SatchelBundleReader *self)
{
	return ((const BundleDirectory *)self)->dir_fd;
}

static void
directory_forget(BundleDirectory *self)
{
	g_clear_pointer(&self->open_member, g_free);
	if (self->open_fd >= 0)
		close(self->open_fd);
	self->open_fd = -1;
}

static gboolean
directory_error(const char *member, int error_number, GError **error)
{
	g_set_error(error, SATCHEL_ERROR,
		    error_number == ENOENT ? SATCHEL_ERROR_METADATA_NOT_FOUND
					   : SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "%s cannot be read: %s", member, g_strerror(error_number));
	return FALSE;
}

static void
directory_close_folder(gpointer fd)
{
	close(GPOINTER_TO_INT(fd));
}

/* The folder that holds @member, which stays the reader's; -1 where it cannot be opened. */
static int
directory_open_folder_of(BundleDirectory *self, const char *member, const char **name,
			 GError **error)
{
	const char *slash = strrchr(member, '/');
	g_autofree char *path = g_strndup(member, slash == NULL ? 0 : (gsize)(slash - member));
	gpointer known = NULL;
	int fd;

	*name = slash == NULL ? member : slash + 1;
	if (g_hash_table_lookup_extended(self->folders, path, NULL, &known))
		return GPOINTER_TO_INT(known);
	fd = satchel_safe_open_parent(self->dir_fd, member, name, error);
	if (fd < 0)
		return -1;
	if (g_hash_table_size(self->folders) == FOLDERS_MAX)
		g_hash_table_remove_all(self->folders);
	g_hash_table_insert(self->folders, g_steal_pointer(&path), GINT_TO_POINTER(fd));
	return fd;
}

/* Opens @member and keeps it for the reads that follow. */
static gboolean
directory_begin_read(SatchelBundleReader *reader, const char *member, guint64 *size_bytes,
		     GError **error)
{
	BundleDirectory *self = (BundleDirectory *)reader;
	const char *name = NULL;
	int folder = directory_open_folder_of(self, member, &name, error);
	int fd = folder < 0 ? -1 : satchel_safe_open_in(folder, name, member, size_bytes, error);

	if (fd < 0)
		return FALSE;
	directory_forget(self);
	self->open_fd = fd;
	self->open_member = g_strdup(member);
	return TRUE;
}

/* The descriptor of @member, which stays the reader's; -1 where it cannot be opened. */
static int
directory_open_member(SatchelBundleReader *reader, const char *member, GError **error)
{
	BundleDirectory *self = (BundleDirectory *)reader;
	guint64 size_bytes = 0;

	if (g_strcmp0(self->open_member, member) == 0 ||
	    directory_begin_read(reader, member, &size_bytes, error))
		return self->open_fd;
	return -1;
}

static gboolean
directory_read_some(SatchelBundleReader *self, const char *member, guint64 offset, gpointer buffer,
		    gsize n_bytes, gssize *n_read, GError **error)
{
	int fd = directory_open_member(self, member, error);

	if (fd < 0)
		return FALSE;
	*n_read = 0; /* beyond the largest file there is */
	if (offset > G_MAXINT64)
		return TRUE;
	*n_read = TEMP_FAILURE_RETRY(pread(fd, buffer, n_bytes, (off_t)offset));
	if (*n_read < 0)
		*n_read = -errno;
	return TRUE;
}

static void
directory_advise(SatchelBundleReader *self, const char *member, guint64 offset, guint64 n_bytes,
		 SatchelBundleAdvice advice)
{
	guint64 size_bytes = 0;
	/* Not the descriptor for reading: what is fetched ahead is another member. */
	int fd = satchel_safe_open(directory_fd(self), member, &size_bytes, NULL);

	if (fd < 0)
		return;
	satchel_page_cache_advise(fd, offset, n_bytes, advice);
	close(fd);
}

/* The folder that holds @member; no link is followed. */
static int
directory_open_parent(const SatchelBundleReader *self, const char *member, const char **name,
		      GError **error)
{
	return satchel_safe_open_parent(directory_fd(self), member, name, error);
}

static void
directory_fill_stat(const struct stat *from, SatchelBundleStat *to)
{
	to->mode = from->st_mode;
	to->uid = from->st_uid;
	to->gid = from->st_gid;
	to->size_bytes = from->st_size < 0 ? 0 : (guint64)from->st_size;
}

static gboolean
directory_stat(SatchelBundleReader *self, const char *member, struct stat *info, GError **error)
{
	const char *name = NULL;
	int parent = directory_open_parent(self, member, &name, error);
	int outcome, saved;

	if (parent < 0)
		return FALSE;
	outcome = fstatat(parent, name, info, AT_SYMLINK_NOFOLLOW);
	saved = errno;
	close(parent);
	return outcome == 0 || directory_error(member, saved, error);
}

static gboolean
directory_stat_member(SatchelBundleReader *self, const char *member, SatchelBundleStat *result,
		      GError **error)
{
	struct stat info;

	if (!directory_stat(self, member, &info, error))
		return FALSE;
	directory_fill_stat(&info, result);
	return TRUE;
}

/* What the manifest lists was written in its order. For the rest the inode's number is the best
 * hint; it comes before, so that both kinds have an order. */
static gboolean
directory_find(SatchelBundleReader *self, const char *member, SatchelBundlePlace *place,
	       GError **error)
{
	struct stat info;
	guint index = 0;

	if (self->manifest != NULL && satchel_manifest_lookup(self->manifest, member, &index)) {
		place->size_bytes = satchel_manifest_get_member(self->manifest, index).size_bytes;
		place->place = LISTED_PLACE | index;
		return TRUE;
	}
	if (!directory_stat(self, member, &info, error))
		return FALSE;
	place->size_bytes = info.st_size < 0 ? 0 : (guint64)info.st_size;
	place->place = info.st_ino & ~LISTED_PLACE;
	return TRUE;
}

static char *
directory_read_link(SatchelBundleReader *self, const char *member, GError **error)
{
	const char *name = NULL;
	int parent = directory_open_parent(self, member, &name, error);
	char target[SATCHEL_LIMIT_PATH_BYTES + 1];
	ssize_t n_bytes;
	int saved;

	if (parent < 0)
		return NULL;
	n_bytes = readlinkat(parent, name, target, sizeof target);
	saved = errno;
	close(parent);
	if (n_bytes < 0 || (gsize)n_bytes == sizeof target) {
		directory_error(member, n_bytes < 0 ? saved : ENAMETOOLONG, error);
		return NULL;
	}
	return g_strndup(target, (gsize)n_bytes);
}

static int
directory_compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the attributes, sorted as libostree sorts them. NULL with errno where the file system
 * does not tell. */
static GPtrArray *
directory_list_names(int fd)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *list = g_malloc0(ATTRIBUTE_MAX_BYTES + 1);
	ssize_t n_bytes = flistxattr(fd, list, ATTRIBUTE_MAX_BYTES);

	/* FAT has none. */
	if (n_bytes < 0 && errno != ENOTSUP)
		return NULL;
	for (const char *name = list; name < list + n_bytes; name += strlen(name) + 1)
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, directory_compare_names);
	return g_steal_pointer(&names);
}

static GVariant *
directory_attributes(int fd)
{
	g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(ayay)"));
	g_autoptr(GPtrArray) names = directory_list_names(fd);
	g_autofree guint8 *value = g_malloc(ATTRIBUTE_MAX_BYTES);

	if (names == NULL)
		return NULL;
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		ssize_t n_bytes = fgetxattr(fd, name, value, ATTRIBUTE_MAX_BYTES);

		if (n_bytes < 0)
			return NULL;
		g_variant_builder_add(
			&builder, "(^ay@ay)", name,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, value, (gsize)n_bytes, 1));
	}
	return g_variant_ref_sink(g_variant_builder_end(&builder));
}

static GVariant *
directory_read_attributes(SatchelBundleReader *self, const char *member, GError **error)
{
	guint64 size_bytes = 0;
	int fd = satchel_safe_open(directory_fd(self), member, &size_bytes, error);
	GVariant *attributes;

	if (fd < 0)
		return NULL;
	attributes = directory_attributes(fd);
	if (attributes == NULL)
		directory_error(member, errno, error);
	close(fd);
	return attributes;
}

/* One folder of the walk: paths still to be visited stand in @pending with a slash at their end. */
static gboolean
directory_walk_entry(int fd, const char *prefix, const char *name, GQueue *pending,
		     SatchelBundleVisit visit, gpointer user_data, GError **error)
{
	g_autofree char *member = g_strconcat(prefix, name, NULL);
	SatchelBundleStat result;
	struct stat info;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return TRUE;
	if (strlen(member) > SATCHEL_LIMIT_PATH_BYTES ||
	    pending->length >= SATCHEL_LIMIT_MANIFEST_MEMBERS) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the bundle's folders are nested too deeply or are too many");
		return FALSE;
	}
	if (fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
		g_autofree char *quoted = satchel_path_quote(member);
		return directory_error(quoted, errno, error);
	}
	if (S_ISDIR(info.st_mode)) {
		g_queue_push_tail(pending, g_strconcat(member, "/", NULL));
		return TRUE;
	}
	directory_fill_stat(&info, &result);
	return visit(member, &result, user_data, error);
}

/* @prefix: with a slash at its end; the bundle's top, "", is never met empty */
static gboolean
directory_visit_empty(DIR *folder, const char *prefix, SatchelBundleVisit visit, gpointer user_data,
		      GError **error)
{
	g_autofree char *member = g_strndup(prefix, strlen(prefix) - 1);
	SatchelBundleStat result;
	struct stat info;

	if (fstat(dirfd(folder), &info) != 0)
		return directory_error(member, errno, error);
	directory_fill_stat(&info, &result);
	return visit(member, &result, user_data, error);
}

/* readdir() tells its end and its failure by NULL alone; errno tells them apart. */
static gboolean
directory_walk_folder(DIR *folder, const char *prefix, GQueue *pending, SatchelBundleVisit visit,
		      gpointer user_data, GError **error)
{
	const struct dirent *entry;
	guint n_entries = 0;

	errno = 0;
	while ((entry = readdir(folder)) != NULL) {
		n_entries += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
		if (!directory_walk_entry(dirfd(folder), prefix, entry->d_name, pending, visit,
					  user_data, error))
			return FALSE;
		errno = 0;
	}
	if (errno != 0)
		return directory_error(prefix, errno, error);
	return n_entries > 0 || directory_visit_empty(folder, prefix, visit, user_data, error);
}

static DIR *
directory_open_folder(const SatchelBundleReader *self, const char *prefix, GError **error)
{
	const char *name = NULL;
	/* "a/b/." makes a/b the parent, which is walked without following links. */
	g_autofree char *inside = g_strconcat(prefix, ".", NULL);
	int parent = directory_open_parent(self, inside, &name, error);
	DIR *folder = NULL;
	int fd;

	if (parent < 0)
		return NULL;
	fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		folder = fdopendir(fd);
	if (folder == NULL) {
		directory_error(inside, errno, error);
		if (fd >= 0)
			close(fd);
	}
	close(parent);
	return folder;
}

static gboolean
directory_walk(SatchelBundleReader *self, SatchelBundleVisit visit, gpointer user_data,
	       GError **error)
{
	GQueue pending = G_QUEUE_INIT;
	gboolean good = TRUE;

	g_queue_push_tail(&pending, g_strdup(""));
	while (good && !g_queue_is_empty(&pending)) {
		g_autofree char *prefix = g_queue_pop_head(&pending);
		DIR *folder = directory_open_folder(self, prefix, error);

		good = folder != NULL &&
		       directory_walk_folder(folder, prefix, &pending, visit, user_data, error);
		if (folder != NULL)
			closedir(folder);
	}
	g_queue_clear_full(&pending, g_free);
	return good;
}

static void
directory_free(SatchelBundleReader *self)
{
	directory_forget((BundleDirectory *)self);
	g_hash_table_unref(((BundleDirectory *)self)->folders);
	close(directory_fd(self));
	g_free(self->path);
	g_free(self);
}

static const SatchelBundleForm directory_form = {
	.begin_read = directory_begin_read,
	.read_some = directory_read_some,
	.advise = directory_advise,
	.find = directory_find,
	.stat_member = directory_stat_member,
	.read_link = directory_read_link,
	.read_attributes = directory_read_attributes,
	.walk = directory_walk,
	.free = directory_free,
};

/* A bundle is what has a folder `tuf` in it; a link is none. */
static gboolean
directory_is_bundle(int fd)
{
	struct stat info;

	return fstatat(fd, SATCHEL_BUNDLE_TUF, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(info.st_mode);
}

SatchelBundleReader *
satchel_bundle_directory_open(const char *path, gboolean *is_bundle, GError **error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autofree char *quoted = satchel_path_quote(path);
	BundleDirectory *self;

	*is_bundle = TRUE;
	if (fd < 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
			    "no bundle at '%s': %s", quoted, g_strerror(errno));
		return NULL;
	}
	*is_bundle = directory_is_bundle(fd);
	if (!*is_bundle) {
		close(fd);
		return NULL;
	}
	self = g_new0(BundleDirectory, 1);
	self->reader.form = &directory_form;
	self->reader.path = g_strdup(path);
	self->dir_fd = fd;
	self->open_fd = -1;
	self->folders =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, directory_close_folder);
	return &self->reader;
}
