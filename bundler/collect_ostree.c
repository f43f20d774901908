#include "collect_ostree.h"
#include "../verify/digest.h"
#include "../verify/hex.h"
#include "../verify/ostree_closure.h"
#include "archive_file.h"
#include "collect_thin.h"
#include "interrupt.h"
#include <ostree.h>
#include <satchel/bundle_layout.h>
#include <string.h>

/* How long to wait for a worker before looking whether a signal came. */
#define WAIT_US (200 * 1000)

struct SatchelOstreeCollection {
	OstreeRepo *repo;
	char *repo_path;
	GStrv commits;
	SatchelClosureList *list;
	SatchelObjectChoice *choice;
	SatchelThinCollection *thin; /* NULL: all objects are wanted */
	gint64 delta_time_s;	     /* -1: no deltas */
};

/* ---- planning ---- */

static GBytes *
load_metadata(gpointer user_data, SatchelObjectType type, const char *checksum, GError **error)
{
	SatchelOstreeCollection *self = user_data;
	g_autofree char *path = satchel_object_path(type, checksum, FALSE);
	g_autofree char *found = NULL;
	g_autoptr(GVariant) variant = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) local_error = NULL;

	if (!satchel_interrupt_check(error))
		return NULL;
	if (!ostree_repo_load_variant(self->repo, (OstreeObjectType)type, checksum, &variant,
				      &local_error)) {
		gboolean missing = g_error_matches(local_error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);

		g_set_error(error, SATCHEL_ERROR,
			    missing ? SATCHEL_ERROR_NO_TARGET_CONTENT
				    : SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s/objects/%s: %s", self->repo_path, path,
			    missing ? "this object is missing" : local_error->message);
		return NULL;
	}
	bytes = g_variant_get_data_as_bytes(variant);
	found = satchel_digest_sha256_hex(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	if (strcmp(found, checksum) != 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s/objects/%s: the content does not match the object's hash",
			    self->repo_path, path);
		return NULL;
	}
	return g_steal_pointer(&bytes);
}

static gboolean
find_file(gpointer user_data, const char *checksum, SatchelBundlePlace *place, gboolean *missing,
	  GError **error)
{
	SatchelOstreeCollection *self = user_data;
	gboolean there = FALSE;
	g_autoptr(GError) local_error = NULL;

	if (ostree_repo_has_object(self->repo, OSTREE_OBJECT_TYPE_FILE, checksum, &there, NULL,
				   &local_error) &&
	    (!there ||
	     ostree_repo_query_object_storage_size(self->repo, OSTREE_OBJECT_TYPE_FILE, checksum,
						   &place->size_bytes, NULL, &local_error))) {
		*missing = !there;
		return TRUE;
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: object %s: %s",
		    self->repo_path, checksum, local_error->message);
	return FALSE;
}

static gboolean
check_complete(SatchelOstreeCollection *self, GError **error)
{
	for (guint i = 0; i < self->list->objects->len; i++) {
		SatchelClosureObject *object =
			&g_array_index(self->list->objects, SatchelClosureObject, i);
		char checksum[65];

		if (!object->missing)
			continue;
		satchel_hex_from_sha256(object->checksum, checksum);
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
			    "%s: the commit is incomplete: %u file objects are missing, the first "
			    "is %s",
			    self->repo_path, self->list->n_missing, checksum);
		return FALSE;
	}
	return TRUE;
}

static gboolean
check_commits(SatchelOstreeCollection *self, GError **error)
{
	for (char **commit = self->commits; *commit != NULL; commit++) {
		gboolean there = FALSE;

		if (ostree_repo_has_object(self->repo, OSTREE_OBJECT_TYPE_COMMIT, *commit, &there,
					   NULL, NULL) &&
		    there)
			continue;
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT,
			    "%s: commit %s is not in this repository", self->repo_path, *commit);
		return FALSE;
	}
	return TRUE;
}

static GStrv
copy_strings(const char *const *strings)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (; *strings != NULL; strings++)
		g_strv_builder_add(builder, *strings);
	return g_strv_builder_end(builder);
}

SatchelOstreeCollection *
satchel_collect_ostree_plan(const char *repo_path, const char *const *commits,
			    SatchelBundleThin *thin, GError **error)
{
	g_autoptr(SatchelOstreeCollection) self = g_new0(SatchelOstreeCollection, 1);
	g_autoptr(GFile) file = g_file_new_for_path(repo_path);
	g_autoptr(GError) local_error = NULL;
	const SatchelClosureSource source = {repo_path, load_metadata, find_file, self};

	self->repo = ostree_repo_new(file);
	self->repo_path = g_strdup(repo_path);
	self->commits = copy_strings(commits);
	self->delta_time_s = -1;
	if (!ostree_repo_open(self->repo, NULL, &local_error)) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "%s: not an OSTree repository: %s", repo_path, local_error->message);
		return NULL;
	}
	if (!check_commits(self, error))
		return NULL;
	self->list = satchel_closure_list_from(&source, commits, error);
	if (self->list == NULL || !check_complete(self, error))
		return NULL;
	self->choice = satchel_object_choice_new(self->list);
	if (thin != NULL) {
		self->thin = satchel_collect_thin_plan(&source, self->repo, commits, self->choice,
						       thin, error);
		if (self->thin == NULL)
			return NULL;
	}
	return g_steal_pointer(&self);
}

gboolean
satchel_collect_ostree_get_commit_time(SatchelOstreeCollection *self, guint index, gint64 *time_s,
				       GError **error)
{
	g_autoptr(GBytes) bytes =
		load_metadata(self, SATCHEL_OBJECT_COMMIT, self->commits[index], error);
	SatchelCommit commit;

	if (bytes == NULL || !satchel_commit_parse(bytes, &commit, error))
		return FALSE;
	*time_s = commit.timestamp_s;
	return TRUE;
}

void
satchel_collect_ostree_want_deltas(SatchelOstreeCollection *self, gint64 time_s)
{
	self->delta_time_s = time_s;
}

/* An object that stays out of the bundle is read all the same where only that tells what it would
 * weigh there, and where a delta is made of it. */
static gboolean
is_read(const SatchelOstreeCollection *self, guint index)
{
	const SatchelClosureObject *object =
		&g_array_index(self->list->objects, SatchelClosureObject, index);

	return satchel_object_choice_is_wanted(self->choice, index) ||
	       (object->type == SATCHEL_OBJECT_FILE &&
		(self->delta_time_s >= 0 ||
		 ostree_repo_get_mode(self->repo) != OSTREE_REPO_MODE_ARCHIVE));
}

guint64
satchel_collect_ostree_get_source_bytes(const SatchelOstreeCollection *self)
{
	guint64 total = 0;

	for (guint i = 0; i < self->list->objects->len; i++)
		if (is_read(self, i))
			total += g_array_index(self->list->objects, SatchelClosureObject, i)
					 .stored_bytes;
	return total;
}

guint
satchel_collect_ostree_get_n_objects(const SatchelOstreeCollection *self)
{
	guint n_objects = 0;

	for (guint i = 0; i < self->list->objects->len; i++)
		n_objects += satchel_object_choice_is_wanted(self->choice, i) ? 1 : 0;
	return n_objects;
}

/* ---- writing objects ---- */

/* Shared by the workers; objects and results are separate for each index. */
typedef struct {
	SatchelOstreeCollection *collection;
	int dir_fd;
	SatchelWrittenFile *written;
	GAsyncQueue *done; /* of index + 1 */
	GMutex lock;
	GError *first_error;
	int stop; /* atomic */
} CopyJob;

static char *
member_of(const SatchelClosureObject *object)
{
	g_autofree char *path = NULL;
	char checksum[65];

	satchel_hex_from_sha256(object->checksum, checksum);
	path = satchel_object_path(object->type, checksum, TRUE);
	return g_strconcat(SATCHEL_BUNDLE_OSTREE_OBJECTS "/", path, NULL);
}

static gboolean
copy_metadata(CopyJob *job, SatchelObjectType type, const char *checksum, const char *member,
	      SatchelWrittenFile *written, GError **error)
{
	g_autoptr(GBytes) bytes = load_metadata(job->collection, type, checksum, error);
	g_autoptr(SatchelFileWriter) writer = NULL;

	if (bytes == NULL)
		return FALSE;
	writer = satchel_write_directory_begin(job->dir_fd, member, error);
	return writer != NULL &&
	       satchel_write_directory_append(writer, g_bytes_get_data(bytes, NULL),
					      g_bytes_get_size(bytes), error) &&
	       satchel_write_directory_finish(writer, written, error);
}

static gboolean
copy_object(CopyJob *job, const SatchelClosureObject *object, const char *member,
	    SatchelWrittenFile *written, GError **error)
{
	char checksum[65];

	satchel_hex_from_sha256(object->checksum, checksum);
	if (object->type != SATCHEL_OBJECT_FILE)
		return copy_metadata(job, object->type, checksum, member, written, error);
	if (satchel_archive_file_copy(job->collection->repo, checksum, job->dir_fd, member, written,
				      error))
		return TRUE;
	if (error != NULL && g_error_matches(*error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED))
		g_prefix_error(error, "%s/", job->collection->repo_path);
	return FALSE;
}

/* What the object would be in a bundle: written, and taken away again, so that nothing is believed
 * that was not read. */
static gboolean
weigh_object(CopyJob *job, guint index, SatchelWrittenFile *written, GError **error)
{
	const SatchelClosureObject *object =
		&g_array_index(job->collection->list->objects, SatchelClosureObject, index);
	g_autofree char *member = g_strdup_printf("weighed-%u", index);

	written->size_bytes = object->stored_bytes;
	if (!is_read(job->collection, index))
		return TRUE;
	return copy_object(job, object, member, written, error) &&
	       satchel_write_directory_remove(job->dir_fd, member, error);
}

static gboolean
take_object(CopyJob *job, guint index, GError **error)
{
	const SatchelOstreeCollection *collection = job->collection;
	const SatchelClosureObject *object =
		&g_array_index(collection->list->objects, SatchelClosureObject, index);
	g_autofree char *member = member_of(object);

	if (!satchel_object_choice_is_wanted(collection->choice, index))
		return weigh_object(job, index, &job->written[index], error);
	return copy_object(job, object, member, &job->written[index], error);
}

static void
work(gpointer data, gpointer user_data)
{
	CopyJob *job = user_data;
	guint index = GPOINTER_TO_UINT(data) - 1;
	g_autoptr(GError) error = NULL;

	if (g_atomic_int_get(&job->stop) == 0 && !take_object(job, index, &error)) {
		g_mutex_lock(&job->lock);
		if (job->first_error == NULL)
			job->first_error = g_steal_pointer(&error);
		g_mutex_unlock(&job->lock);
		g_atomic_int_set(&job->stop, 1);
	}
	g_async_queue_push(job->done, data);
}

/* Until every object has come back: after an error or a signal the rest comes back undone. */
static void
wait_for_workers(CopyJob *job, SatchelProgress *progress)
{
	GArray *objects = job->collection->list->objects;

	for (guint n_done = 0; n_done < objects->len;) {
		gpointer data = g_async_queue_timeout_pop(job->done, WAIT_US);
		guint index;

		if (!satchel_interrupt_check(NULL))
			g_atomic_int_set(&job->stop, 1);
		if (data == NULL)
			continue;
		n_done++;
		index = GPOINTER_TO_UINT(data) - 1;
		if (progress != NULL && g_atomic_int_get(&job->stop) == 0 &&
		    is_read(job->collection, index))
			satchel_progress_advance(
				progress,
				g_array_index(objects, SatchelClosureObject, index).stored_bytes);
	}
}

static gboolean
list_objects(const CopyJob *job, SatchelManifest *manifest, GError **error)
{
	GArray *objects = job->collection->list->objects;

	for (guint i = 0; i < objects->len; i++) {
		g_autofree char *member =
			member_of(&g_array_index(objects, SatchelClosureObject, i));

		if (satchel_object_choice_is_wanted(job->collection->choice, i) &&
		    !satchel_manifest_add(manifest, member, job->written[i].size_bytes,
					  job->written[i].sha256, error))
			return FALSE;
	}
	return TRUE;
}

/* What deltas replace is taken out of the bundle again. */
static gboolean
add_deltas(const CopyJob *job, GError **error)
{
	const SatchelOstreeCollection *self = job->collection;
	guint n_objects = self->list->objects->len;
	g_autofree gboolean *was_wanted = g_new0(gboolean, n_objects);

	for (guint i = 0; i < n_objects; i++)
		was_wanted[i] = satchel_object_choice_is_wanted(self->choice, i);
	if (!satchel_collect_thin_write_deltas(self->thin, self->list, job->written,
					       self->delta_time_s, job->dir_fd, error))
		return FALSE;
	for (guint i = 0; i < n_objects; i++) {
		g_autofree char *member =
			member_of(&g_array_index(self->list->objects, SatchelClosureObject, i));

		if (was_wanted[i] && !satchel_object_choice_is_wanted(self->choice, i) &&
		    !satchel_write_directory_remove(job->dir_fd, member, error))
			return FALSE;
	}
	return TRUE;
}

/* Once all objects are written, or weighed. */
static gboolean
make_thin(const CopyJob *job, GError **error)
{
	SatchelOstreeCollection *self = job->collection;

	if (self->thin == NULL)
		return TRUE;
	satchel_collect_thin_weigh(self->thin, self->list, job->written);
	return self->delta_time_s < 0 || add_deltas(job, error);
}

static gboolean
write_objects(SatchelOstreeCollection *self, int dir_fd, SatchelManifest *manifest,
	      SatchelProgress *progress, GError **error)
{
	g_autofree SatchelWrittenFile *written =
		g_new0(SatchelWrittenFile, self->list->objects->len);
	g_autoptr(GAsyncQueue) done = g_async_queue_new();
	CopyJob job = {.collection = self, .dir_fd = dir_fd, .written = written, .done = done};
	GThreadPool *pool;
	gboolean good;

	g_mutex_init(&job.lock);
	pool = g_thread_pool_new(work, &job, (int)g_get_num_processors(), FALSE, NULL);
	for (guint i = 0; i < self->list->objects->len; i++)
		(void)g_thread_pool_push(pool, GUINT_TO_POINTER(i + 1), NULL);
	wait_for_workers(&job, progress);
	g_thread_pool_free(pool, FALSE, TRUE);
	g_mutex_clear(&job.lock);
	good = job.first_error == NULL;
	if (!good)
		g_propagate_error(error, job.first_error);
	return good && satchel_interrupt_check(error) && make_thin(&job, error) &&
	       list_objects(&job, manifest, error) &&
	       (self->thin == NULL || satchel_collect_thin_list(self->thin, manifest, error));
}

/* ---- what makes a repository of them ---- */

/* A branch is there for people and for tools that look for one; its name is not trusted. */
static char *
branch_of(const char *name)
{
	char *branch = g_strdup(name);

	for (char *c = branch; *c != '\0'; c++)
		if (!g_ascii_isalnum(*c) && strchr("._-", *c) == NULL)
			*c = '_';
	return branch;
}

static gboolean
write_frame(SatchelOstreeCollection *self, int dir_fd, const char *const *names,
	    SatchelManifest *manifest, GError **error)
{
	static const char config[] = "[core]\nrepo_version=1\nmode=archive-z2\n";
	g_autoptr(GBytes) config_bytes = g_bytes_new_static(config, sizeof config - 1);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	/* libostree lists branches only where these two are, even if nothing is in them. */
	if (!satchel_write_directory_make_folder(dir_fd, SATCHEL_BUNDLE_OSTREE_REPO "/refs/remotes",
						 error) ||
	    !satchel_write_directory_make_folder(dir_fd, SATCHEL_BUNDLE_OSTREE_REPO "/refs/mirrors",
						 error) ||
	    !satchel_write_directory_put(dir_fd, SATCHEL_BUNDLE_OSTREE_CONFIG, config_bytes,
					 manifest, error))
		return FALSE;
	for (guint i = 0; names[i] != NULL; i++) {
		char *branch = branch_of(names[i]);
		g_autofree char *member =
			g_strconcat(SATCHEL_BUNDLE_OSTREE_REPO "/refs/heads/", branch, NULL);
		g_autofree char *text = g_strconcat(self->commits[i], "\n", NULL);
		g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));

		if (!g_hash_table_add(seen, branch))
			continue;
		if (!satchel_write_directory_put(dir_fd, member, content, manifest, error))
			return FALSE;
	}
	return TRUE;
}

gboolean
satchel_collect_ostree_write(SatchelOstreeCollection *self, int dir_fd, const char *const *names,
			     SatchelManifest *manifest, SatchelProgress *progress, GError **error)
{
	return write_frame(self, dir_fd, names, manifest, error) &&
	       write_objects(self, dir_fd, manifest, progress, error);
}

void
satchel_ostree_collection_free(SatchelOstreeCollection *self)
{
	g_clear_pointer(&self->thin, satchel_thin_collection_free);
	g_clear_pointer(&self->choice, satchel_object_choice_free);
	g_clear_object(&self->repo);
	g_clear_pointer(&self->list, satchel_closure_list_free);
	g_strfreev(self->commits);
	g_free(self->repo_path);
	g_free(self);
}
