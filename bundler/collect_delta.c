#include "collect_delta.h"
#include "../verify/digest.h"
#include "file_error.h"
#include "interrupt.h"
#include <errno.h>
#include <fcntl.h>
#include <satchel/bundle_layout.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In megabytes, as libostree counts: what a device must have in memory at a time. A part is
 * decompressed as a whole; the result of a binary patch is held with its source. */
#define MAX_PART_MB 16u
#define MAX_PATCH_MB 16u

/* How long to wait for libostree before looking whether a signal came. */
#define WAIT_US (200 * 1000)

#define HASH_BYTES (256u * 1024u)

/* The second of a superblock's eight parts is its time. */
#define SUPERBLOCK_TYPE "(a{sv}tayay(a{sv}aya(say)sstayay)aya(uayttay)a(yaytt))"
#define SUPERBLOCK_TIME 1

/* One run of libostree, which knows no signals, in a thread of its own. */
typedef struct {
	OstreeRepo *repo;
	const SatchelBundleDelta *delta;
	GVariant *parameters;
	GCancellable *cancellable;
	GAsyncQueue *done;
	GError *error;
} DeltaRun;

static gpointer
run_generate(gpointer data)
{
	DeltaRun *run = data;

	(void)ostree_repo_static_delta_generate(run->repo, OSTREE_STATIC_DELTA_GENERATE_OPT_MAJOR,
						run->delta->from, run->delta->to, NULL,
						run->parameters, run->cancellable, &run->error);
	g_async_queue_push(run->done, run);
	return NULL;
}

/* Files of a device's repository cannot be fetched one by one here: no object may be left out. */
static GVariant *
make_parameters(const char *path)
{
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sv}"));
	g_variant_builder_add(&builder, "{sv}", "filename", g_variant_new_bytestring(path));
	g_variant_builder_add(&builder, "{sv}", "inline-parts", g_variant_new_boolean(TRUE));
	g_variant_builder_add(&builder, "{sv}", "min-fallback-size", g_variant_new_uint32(0));
	g_variant_builder_add(&builder, "{sv}", "max-chunk-size",
			      g_variant_new_uint32(MAX_PART_MB));
	g_variant_builder_add(&builder, "{sv}", "max-bsdiff-size",
			      g_variant_new_uint32(MAX_PATCH_MB));
	g_variant_builder_add(&builder, "{sv}", "endianness",
			      g_variant_new_uint32(G_LITTLE_ENDIAN));
	return g_variant_ref_sink(g_variant_builder_end(&builder));
}

static gboolean
generate(OstreeRepo *repo, const SatchelBundleDelta *delta, const char *path, GError **error)
{
	g_autoptr(GVariant) parameters = make_parameters(path);
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GAsyncQueue) done = g_async_queue_new();
	DeltaRun run = {repo, delta, parameters, cancellable, done, NULL};
	GThread *thread = g_thread_new("delta", run_generate, &run);

	while (g_async_queue_timeout_pop(done, WAIT_US) == NULL)
		if (!satchel_interrupt_check(NULL))
			g_cancellable_cancel(cancellable);
	g_thread_join(thread);
	if (run.error == NULL)
		return satchel_interrupt_check(error);
	if (satchel_interrupt_check(error))
		g_set_error(error, SATCHEL_ERROR,
			    g_error_matches(run.error, G_IO_ERROR, G_IO_ERROR_NO_SPACE)
				    ? SATCHEL_ERROR_NO_SPACE
				    : SATCHEL_ERROR_FAILED,
			    "delta from %s to %s: %s", delta->from, delta->to, run.error->message);
	g_error_free(run.error);
	return FALSE;
}

/* libostree writes the clock's time into it, big-endian. */
static gboolean
set_time(int fd, gint64 time_s, GError **error)
{
	g_autoptr(GMappedFile) file = g_mapped_file_new_from_fd(fd, FALSE, error);
	g_autoptr(GBytes) bytes = file != NULL ? g_mapped_file_get_bytes(file) : NULL;
	g_autoptr(GVariant) superblock = NULL;
	g_autoptr(GVariant) time = NULL;
	guint64 value = GUINT64_TO_BE((guint64)time_s);
	const guint8 *begin;
	gsize offset, n_bytes;

	if (bytes == NULL)
		return FALSE;
	superblock = g_variant_ref_sink(
		g_variant_new_from_bytes(G_VARIANT_TYPE(SUPERBLOCK_TYPE), bytes, TRUE));
	time = g_variant_get_child_value(superblock, SUPERBLOCK_TIME);
	begin = g_variant_get_data(superblock);
	/* The child of a mapped value lies in the mapping. */
	offset = (gsize)((const guint8 *)g_variant_get_data(time) - begin);
	n_bytes = g_bytes_get_size(bytes);
	g_assert(offset <= n_bytes - sizeof value);
	if (pwrite(fd, &value, sizeof value, (off_t)offset) == (ssize_t)sizeof value)
		return TRUE;
	return satchel_file_error_set(error, errno, "the delta", "write it");
}

static gboolean
hash_file(int fd, const char *member, SatchelWrittenFile *written, GError **error)
{
	g_autoptr(SatchelDigest) digest = satchel_digest_new(SATCHEL_DIGEST_SHA256);
	g_autofree guint8 *buffer = g_malloc(HASH_BYTES);
	g_autofree char *sha256 = NULL;
	ssize_t n_read = 0;

	written->size_bytes = 0;
	while ((n_read = pread(fd, buffer, HASH_BYTES, (off_t)written->size_bytes)) > 0) {
		satchel_digest_update(digest, buffer, (gsize)n_read);
		written->size_bytes += (guint64)n_read;
	}
	if (n_read < 0)
		return satchel_file_error_set(error, errno, member, "read it");
	sha256 = satchel_digest_finish(digest);
	(void)g_strlcpy(written->sha256, sha256, sizeof written->sha256);
	return TRUE;
}

static gboolean
finish(int dir_fd, const char *member, gint64 time_s, SatchelWrittenFile *written, GError **error)
{
	int fd = openat(dir_fd, member, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	gboolean good;

	if (fd < 0)
		return satchel_file_error_set(error, errno, member, "open it");
	good = set_time(fd, time_s, error) && hash_file(fd, member, written, error);
	/* Whatever the umask of the thread was. */
	if (good && fchmod(fd, 0644) != 0)
		good = satchel_file_error_set(error, errno, member, "set its mode");
	close(fd);
	return good;
}

gboolean
satchel_collect_delta_generate(OstreeRepo *repo, SatchelBundleDelta *delta, gint64 time_s,
			       int dir_fd, SatchelWrittenFile *written, GError **error)
{
	g_autofree char *member = satchel_bundle_delta_member(delta);
	g_autofree char *folder = g_path_get_dirname(member);
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/%s", dir_fd, member);

	if (!satchel_write_directory_make_folder(dir_fd, folder, error) ||
	    !generate(repo, delta, path, error) || !finish(dir_fd, member, time_s, written, error))
		return FALSE;
	delta->size_bytes = written->size_bytes;
	return TRUE;
}

void
satchel_collect_delta_remove(const SatchelBundleDelta *delta, int dir_fd)
{
	g_autofree char *path = satchel_bundle_delta_member(delta);

	(void)unlinkat(dir_fd, path, 0);
	/* Up to the folder of all deltas, as far as they are empty. */
	for (char *slash = strrchr(path, '/');
	     slash != NULL && g_str_has_prefix(path, SATCHEL_BUNDLE_OSTREE_DELTAS);
	     slash = strrchr(path, '/')) {
		*slash = '\0';
		if (!g_str_has_prefix(path, SATCHEL_BUNDLE_OSTREE_DELTAS) ||
		    unlinkat(dir_fd, path, AT_REMOVEDIR) != 0)
			break;
	}
}
