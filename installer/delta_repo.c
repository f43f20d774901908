#include "delta_repo.h"
#include "../verify/cancel.h"
#include "../verify/hex.h"
#include "held_objects.h"
#include <errno.h>
#include <fcntl.h>
#include <satchel/bundle_layout.h>
#include <string.h>

/* A superblock, and the parts of it that matter. */
#define SUPERBLOCK_TYPE "(a{sv}tayay(a{sv}aya(say)sstayay)aya(uayttay)a(yaytt))"
#define SUPERBLOCK_FROM 2
#define SUPERBLOCK_TO 3
#define SUPERBLOCK_PARTS 6
/* In one of these parts: a byte for the type and a checksum for each object. */
#define PART_OBJECTS 4
#define CHECKSUM_BYTES 32u
#define OBJECT_BYTES (1u + CHECKSUM_BYTES)

static gboolean
take_error(GError *from, const char *what, GError **error)
{
	if (g_error_matches(from, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		g_error_free(from);
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED, "cancelled");
		return FALSE;
	}
	return satchel_sysroot_take_error(from, SATCHEL_ERROR_DOWNLOAD_FAILED, what, error);
}

/* ---- the delta */

static gboolean
check_end(GVariant *superblock, gsize child, const char *expected, GError **error)
{
	g_autoptr(GVariant) value = g_variant_get_child_value(superblock, child);
	g_autofree char *found = NULL;

	if (g_variant_get_size(value) == CHECKSUM_BYTES)
		found = satchel_hex_encode(g_variant_get_data(value), CHECKSUM_BYTES);
	if (g_strcmp0(found, expected) == 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
		    "the delta leads %s commit %s, and was signed as one that leads %s commit %s",
		    child == SUPERBLOCK_FROM ? "from" : "to", found != NULL ? found : "no",
		    child == SUPERBLOCK_FROM ? "from" : "to", expected);
	return FALSE;
}

/* (transfer full): NULL on an error */
static GVariant *
load_superblock(const char *copy, const SatchelBundleDelta *delta, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GMappedFile) file = g_mapped_file_new(copy, FALSE, &local_error);
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GVariant) superblock = NULL;

	if (file == NULL) {
		(void)take_error(g_steal_pointer(&local_error), "the copy of the delta", error);
		return NULL;
	}
	bytes = g_mapped_file_get_bytes(file);
	superblock = g_variant_ref_sink(
		g_variant_new_from_bytes(G_VARIANT_TYPE(SUPERBLOCK_TYPE), bytes, FALSE));
	if (!check_end(superblock, SUPERBLOCK_FROM, delta->from, error) ||
	    !check_end(superblock, SUPERBLOCK_TO, delta->to, error))
		return NULL;
	return g_steal_pointer(&superblock);
}

/* ---- what is in its way */

/* The repository must not hold the object, or hold just that. */
static gboolean
clear_object(OstreeRepo *repo, SatchelObjectType type, const char *checksum, GError **error)
{
	gboolean present = FALSE;

	if (ostree_repo_has_object(repo, (OstreeObjectType)type, checksum, &present, NULL, NULL) &&
	    !present)
		return TRUE;
	return satchel_held_objects_is_good(repo, type, checksum) ||
	       satchel_held_objects_remove(repo, type, checksum, error);
}

static gboolean
clear_part(OstreeRepo *repo, GVariant *part, GCancellable *cancellable, GError **error)
{
	g_autoptr(GVariant) objects = g_variant_get_child_value(part, PART_OBJECTS);
	const guint8 *object = g_variant_get_data(objects);
	gsize n_bytes = g_variant_get_size(objects);

	for (; n_bytes >= OBJECT_BYTES; n_bytes -= OBJECT_BYTES, object += OBJECT_BYTES) {
		g_autofree char *checksum = satchel_hex_encode(object + 1, CHECKSUM_BYTES);

		if (!satchel_cancel_check(cancellable, error))
			return FALSE;
		if (object[0] < SATCHEL_OBJECT_FILE || object[0] > SATCHEL_OBJECT_COMMIT)
			continue; /* of no kind that we pull */
		if (!clear_object(repo, (SatchelObjectType)object[0], checksum, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
clear_way(OstreeRepo *repo, GVariant *superblock, GCancellable *cancellable, GError **error)
{
	g_autoptr(GVariant) parts = g_variant_get_child_value(superblock, SUPERBLOCK_PARTS);
	gsize n_parts = g_variant_n_children(parts);

	for (gsize i = 0; i < n_parts; i++) {
		g_autoptr(GVariant) part = g_variant_get_child_value(parts, i);

		if (!clear_part(repo, part, cancellable, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- the repository of what is made */

/* Space was checked, and what is made here is not yet to last. */
static gboolean
configure(OstreeRepo *made, OstreeRepo *parent, GError **error)
{
	g_autoptr(GKeyFile) config = ostree_repo_copy_config(made);

	g_key_file_set_string(config, "core", "parent",
			      g_file_peek_path(ostree_repo_get_path(parent)));
	g_key_file_set_string(config, "core", "min-free-space-percent", "0");
	g_key_file_set_boolean(config, "core", "fsync", FALSE);
	return ostree_repo_write_config(made, config, error) &&
	       ostree_repo_reload_config(made, NULL, error);
}

/* (transfer full): NULL on an error */
static OstreeRepo *
open_made(const char *made, OstreeRepo *parent, GError **error)
{
	g_autofree char *path = g_build_filename(made, SATCHEL_BUNDLE_OSTREE_REPO, NULL);
	g_autofree char *tuf = g_build_filename(made, SATCHEL_BUNDLE_TUF, NULL);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(OstreeRepo) repo = NULL;

	/* Without that folder it is no bundle to our reader. */
	if (g_mkdir_with_parents(tuf, 0700) != 0) {
		g_set_error(error, SATCHEL_ERROR,
			    errno == ENOSPC ? SATCHEL_ERROR_NO_SPACE
					    : SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s: %s", tuf, g_strerror(errno));
		return NULL;
	}
	repo = ostree_repo_create_at(AT_FDCWD, path, ostree_repo_get_mode(parent), NULL, NULL,
				     &local_error);
	if (repo == NULL || !configure(repo, parent, &local_error)) {
		(void)take_error(g_steal_pointer(&local_error), path, error);
		return NULL;
	}
	return g_steal_pointer(&repo);
}

gboolean
satchel_delta_repo_apply(const char *copy, const char *made, OstreeRepo *repo,
			 const SatchelBundleDelta *delta, GCancellable *cancellable, GError **error)
{
	g_autoptr(GVariant) superblock = load_superblock(copy, delta, error);
	g_autoptr(GFile) file = g_file_new_for_path(copy);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(OstreeRepo) target = NULL;
	g_autofree char *what = NULL;

	if (superblock == NULL || !clear_way(repo, superblock, cancellable, error))
		return FALSE;
	target = open_made(made, repo, error);
	if (target == NULL)
		return FALSE;
	/* Without a transaction each object is in its place as soon as it is made, and the next try
	 * has it. */
	if (ostree_repo_static_delta_execute_offline(target, file, FALSE, cancellable,
						     &local_error))
		return TRUE;
	what = g_strdup_printf("the delta from commit %.12s cannot be applied", delta->from);
	return take_error(g_steal_pointer(&local_error), what, error);
}
