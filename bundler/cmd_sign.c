#include "../verify/atomic_write.h"
#include "../verify/split_set.h"
#include "bundle_roots.h"
#include "commands.h"
#include "file_error.h"
#include "interrupt.h"
#include "options.h"
#include "pack_bundle.h"
#include "sign_bundle.h"
#include <errno.h>
#include <fcntl.h>
#include <satchel/bundle_layout.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder tuf/ of the bundle, locked: two people signing at once would lose one signature. */
static int
open_locked(const char *path, GError **error)
{
	g_autofree char *tuf = g_build_filename(path, SATCHEL_BUNDLE_TUF, NULL);
	int fd = open(tuf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
			    "%s: no bundle there: %s", path, g_strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		satchel_atomic_write_sweep(fd); /* what a signer who was killed has left */
		return fd;
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_BUSY,
		    "%s: another satchel-bundler is signing it", path);
	close(fd);
	return -1;
}

/* The new bundle-targets.json. */
static GBytes *
add_signatures(SatchelBundleReader *bundle, char **key_paths, guint *n_missing, GError **error)
{
	g_autoptr(SatchelRoot) root = satchel_bundle_roots_newest(bundle, error);
	g_autoptr(GPtrArray) signers = NULL;
	g_autoptr(GBytes) before = NULL;
	g_autoptr(GBytes) after = NULL;

	if (root == NULL)
		return NULL;
	before = satchel_bundle_reader_read(bundle, SATCHEL_BUNDLE_META,
					    SATCHEL_LIMIT_BUNDLE_META_BYTES, error);
	if (before == NULL)
		return NULL;
	signers = satchel_sign_bundle_load_signers(root, key_paths, error);
	if (signers == NULL)
		return NULL;
	after = satchel_sign_bundle_add(root, before, signers, error);
	if (after == NULL || !satchel_sign_bundle_count_missing(root, after, n_missing, error))
		return NULL;
	return g_steal_pointer(&after);
}

static gboolean
sign_folder(const char *path, char **key_paths, guint *n_missing, GError **error)
{
	int tuf_fd = open_locked(path, error);
	g_autoptr(SatchelBundleReader) bundle = NULL;
	g_autoptr(GBytes) after = NULL;
	gboolean done;

	if (tuf_fd < 0)
		return FALSE;
	bundle = satchel_bundle_reader_open(path, error);
	if (bundle != NULL)
		after = add_signatures(bundle, key_paths, n_missing, error);
	done = after != NULL &&
	       satchel_atomic_write(tuf_fd, "bundle-targets.json", after, 0644, error);
	close(tuf_fd);
	return done;
}

/* The one file of the bundle at @path, behind a link that the user chose. (transfer full) */
static char *
find_one_file(const char *path, GError **error)
{
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(path, error);
	g_autofree char *file = NULL;
	g_autofree char *base = NULL;

	if (bundle == NULL)
		return NULL;
	file = realpath(satchel_bundle_reader_get_path(bundle), NULL);
	if (file == NULL) {
		(void)satchel_file_error_set(error, errno, path, "find it");
		return NULL;
	}
	base = satchel_split_set_base(file);
	if (base == NULL)
		return g_steal_pointer(&file);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "%s: parts cannot be replaced in one step, so they are not signed: `unpack` "
		    "the bundle, sign the folder, and `pack` that",
		    path);
	return NULL;
}

/* The document gets longer, and all that stands behind it moves: a new file in the place of the
 * old. Its work folder is the lock: two people signing at once would lose one signature. */
static gboolean
sign_packed(const char *path, char **key_paths, guint *n_missing, GError **error)
{
	const SatchelPackedOutputOptions options = {.replace = TRUE};
	g_autofree char *file = find_one_file(path, error);
	g_autoptr(SatchelPackedOutput) output = NULL;
	g_autoptr(SatchelBundleReader) bundle = NULL;
	g_autoptr(SatchelPackedOrder) order = NULL;
	g_autoptr(GBytes) after = NULL;

	if (file == NULL)
		return FALSE;
	output = satchel_packed_output_begin(file, &options, error);
	if (output == NULL)
		return FALSE;
	bundle = satchel_bundle_reader_open(path, error);
	if (bundle == NULL)
		return FALSE;
	after = add_signatures(bundle, key_paths, n_missing, error);
	if (after == NULL)
		return FALSE;
	order = satchel_packed_order_new(bundle, error);
	if (order == NULL)
		return FALSE;
	satchel_packed_order_set_meta(order, after);
	return satchel_pack_bundle(bundle, order, output, error);
}

static gboolean
is_folder_form(const char *path)
{
	g_autofree char *tuf = g_build_filename(path, SATCHEL_BUNDLE_TUF, NULL);

	return g_file_test(tuf, G_FILE_TEST_IS_DIR);
}

gboolean
satchel_cmd_sign(int argc, char **argv, SatchelOutcome *outcome, GError **error)
{
	g_auto(GStrv) key_paths = NULL;
	const GOptionEntry entries[] = {
		{"key", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &key_paths,
		 "A targets key, PEM or fioctl key archive (repeatable)", "FILE"},
		G_OPTION_ENTRY_NULL,
	};
	const char *path = satchel_options_parse(entries, argc, argv, "BUNDLE", error);
	guint n_missing = 0;

	if (path == NULL || !satchel_options_require("--key", key_paths, error))
		return FALSE;
	satchel_interrupt_watch();
	(void)umask(022); /* whoever signs it: everybody may read a bundle */
	if (!(is_folder_form(path) ? sign_folder : sign_packed)(path, key_paths, &n_missing, error))
		return FALSE;
	if (n_missing > 0)
		satchel_cli_note("%s: signed; still needed: %u more of the targets keys", path,
				 n_missing);
	else
		satchel_cli_note("%s: signed; no more signatures are needed", path);
	return TRUE;
}
