#include "../verify/atomic_write.h"
#include "bundle_roots.h"
#include "commands.h"
#include "file_error.h"
#include "options.h"
#include "sign_bundle.h"
#include <errno.h>
#include <fcntl.h>
#include <satchel/bundle_layout.h>
#include <sys/file.h>
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

static gboolean
add_signatures(const char *path, int tuf_fd, char **key_paths, guint *n_missing, GError **error)
{
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(path, error);
	g_autoptr(SatchelRoot) root = NULL;
	g_autoptr(GPtrArray) signers = NULL;
	g_autoptr(GBytes) before = NULL;
	g_autoptr(GBytes) after = NULL;

	if (bundle == NULL)
		return FALSE;
	root = satchel_bundle_roots_newest(bundle, error);
	if (root == NULL)
		return FALSE;
	before = satchel_bundle_reader_read(bundle, SATCHEL_BUNDLE_META,
					    SATCHEL_LIMIT_BUNDLE_META_BYTES, error);
	if (before == NULL)
		return FALSE;
	signers = satchel_sign_bundle_load_signers(root, key_paths, error);
	if (signers == NULL)
		return FALSE;
	after = satchel_sign_bundle_add(root, before, signers, error);
	return after != NULL && satchel_sign_bundle_count_missing(root, after, n_missing, error) &&
	       satchel_atomic_write(tuf_fd, "bundle-targets.json", after, 0644, error);
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
	gboolean done;
	int tuf_fd;

	if (path == NULL || !satchel_options_require("--key", key_paths, error))
		return FALSE;
	tuf_fd = open_locked(path, error);
	if (tuf_fd < 0)
		return FALSE;
	done = add_signatures(path, tuf_fd, key_paths, &n_missing, error);
	close(tuf_fd);
	if (!done)
		return FALSE;
	if (n_missing > 0)
		satchel_cli_note("%s: signed; still needed: %u more of the targets keys", path,
				 n_missing);
	else
		satchel_cli_note("%s: signed; no more signatures are needed", path);
	return TRUE;
}
