#include "tuf_download.h"
#include "atomic_write.h"
#include "digest.h"
#include "path_safety.h"
#include "safe_read.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A present copy is read in pieces of this size. */
#define PIECE_BYTES (256u * 1024u)

/* The algorithms that count; the first one a target has makes the prefix of its file name. */
static const struct {
	const char *name;
	SatchelDigestAlgorithm algorithm;
} ALGORITHMS[] = {
	{"sha256", SATCHEL_DIGEST_SHA256},
	{"sha512", SATCHEL_DIGEST_SHA512},
};

/* Content of one target on its way: every known hash and the length, as it comes. */
typedef struct {
	const SatchelTarget *target;
	SatchelDigest *digests[G_N_ELEMENTS(ALGORITHMS)]; /* NULL: the role gives none */
	guint64 n_bytes;
	SatchelAtomicWrite *file; /* NULL: only looked at */
} Check;

static gboolean
fail(const SatchelTarget *target, GError **error, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(satchel_target_get_name(target));

	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s", quoted, reason);
	return FALSE;
}

static void
check_init(Check *self, const SatchelTarget *target, SatchelAtomicWrite *file)
{
	self->target = target;
	self->file = file;
	for (guint i = 0; i < G_N_ELEMENTS(ALGORITHMS); i++) {
		if (satchel_target_get_hash(target, ALGORITHMS[i].name) != NULL)
			self->digests[i] = satchel_digest_new(ALGORITHMS[i].algorithm);
	}
}

static void
check_clear(Check *self)
{
	for (guint i = 0; i < G_N_ELEMENTS(ALGORITHMS); i++)
		g_clear_pointer(&self->digests[i], satchel_digest_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Check, check_clear)

static gboolean
check_add(gconstpointer data, gsize n_bytes, gpointer user_data, GError **error)
{
	Check *self = user_data;

	if (n_bytes > satchel_target_get_length_bytes(self->target) - self->n_bytes)
		return fail(self->target, error, "longer than its role says");
	self->n_bytes += n_bytes;
	for (guint i = 0; i < G_N_ELEMENTS(ALGORITHMS); i++) {
		if (self->digests[i] != NULL)
			satchel_digest_update(self->digests[i], data, n_bytes);
	}
	return self->file == NULL || satchel_atomic_write_append(self->file, data, n_bytes, error);
}

static gboolean
check_finish(Check *self, GError **error)
{
	if (self->n_bytes != satchel_target_get_length_bytes(self->target))
		return fail(self->target, error, "shorter than its role says");
	for (guint i = 0; i < G_N_ELEMENTS(ALGORITHMS); i++) {
		g_autofree char *digest = NULL;

		if (self->digests[i] == NULL)
			continue;
		digest = satchel_digest_finish(self->digests[i]);
		if (strcmp(digest, satchel_target_get_hash(self->target, ALGORITHMS[i].name)) != 0)
			return fail(self->target, error, "does not have the hash its role says");
	}
	return TRUE;
}

/* "sha256" or "sha512"; NULL where the role has no hash that counts. */
static const char *
choose_algorithm(const SatchelTarget *target)
{
	for (guint i = 0; i < G_N_ELEMENTS(ALGORITHMS); i++) {
		if (satchel_target_get_hash(target, ALGORITHMS[i].name) != NULL)
			return ALGORITHMS[i].name;
	}
	return NULL;
}

/* "a/b/NAME", or "a/b/DIGEST.NAME". TUF 5.7.3. */
static char *
remote_path(const SatchelTarget *target, gboolean hash_prefix)
{
	const char *path = satchel_target_get_name(target);
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const char *digest = satchel_target_get_hash(target, choose_algorithm(target));

	if (!hash_prefix)
		return g_strdup(path);
	return g_strdup_printf("%.*s%s.%s", (int)(name - path), path, digest, name);
}

/* TRUE when a good copy is there already. */
static gboolean
has_copy(int dir_fd, const char *name, const SatchelTarget *target)
{
	g_auto(Check) check = {0};
	g_autofree guint8 *piece = NULL;
	guint64 size_bytes = 0;
	gboolean good = TRUE;
	ssize_t got = 1;
	int fd = satchel_safe_open(dir_fd, name, &size_bytes, NULL);

	if (fd < 0)
		return FALSE;
	check_init(&check, target, NULL);
	piece = g_malloc(PIECE_BYTES);
	good = size_bytes == satchel_target_get_length_bytes(target);
	while (good && got > 0) {
		got = TEMP_FAILURE_RETRY(read(fd, piece, PIECE_BYTES));
		good = got >= 0 && check_add(piece, (gsize)got, &check, NULL);
	}
	close(fd);
	return good && check_finish(&check, NULL);
}

static gboolean
fetch_into(SatchelTufSource *source, const SatchelTarget *target, gboolean hash_prefix, int dir_fd,
	   const char *name, GError **error)
{
	g_autofree char *path = remote_path(target, hash_prefix);
	g_auto(SatchelAtomicWrite) file = SATCHEL_ATOMIC_WRITE_INIT;
	g_auto(Check) check = {0};

	if (source == NULL || source->klass->fetch_artifact == NULL)
		return fail(target, error, "there is no source of artifacts");
	if (!satchel_atomic_write_begin(&file, dir_fd, name, error))
		return FALSE;
	check_init(&check, target, &file);
	return source->klass->fetch_artifact(source, path, satchel_target_get_length_bytes(target),
					     check_add, &check, error) &&
	       check_finish(&check, error) && satchel_atomic_write_finish(&file, 0644, error);
}

static gboolean
download_into(SatchelTufSource *source, const SatchelTarget *target, gboolean hash_prefix,
	      int dir_fd, const char *name, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (has_copy(dir_fd, name, target))
		return TRUE;
	satchel_atomic_write_sweep(dir_fd);
	if (fetch_into(source, target, hash_prefix, dir_fd, name, &local_error))
		return TRUE;
	/* A folder that cannot be written to is no fault of metadata. */
	if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE))
		local_error->code = SATCHEL_ERROR_DOWNLOAD_FAILED;
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

gboolean
satchel_tuf_download(SatchelTufSource *source, const SatchelTarget *target, gboolean hash_prefix,
		     const char *dir, char **placed, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autofree char *name = NULL;
	gboolean done;
	int dir_fd;

	if (placed != NULL)
		*placed = NULL;
	if (!satchel_path_check(satchel_target_get_name(target), &local_error))
		return fail(target, error, local_error->message);
	/* Without one that this program knows, nothing would be checked. TUF 5.7.2. */
	if (choose_algorithm(target) == NULL)
		return fail(target, error, "its role gives no hash of a known kind");
	name = satchel_path_file_name(satchel_target_get_name(target));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s", dir,
			    g_strerror(errno));
		return FALSE;
	}
	done = download_into(source, target, hash_prefix, dir_fd, name, error);
	close(dir_fd);
	if (done && placed != NULL)
		*placed = g_build_filename(dir, name, NULL);
	return done;
}
