#include "copy_bundle.h"
#include "../verify/cli.h"
#include "../verify/cli_progress.h"
#include "../verify/part_files.h"
#include "../verify/path_safety.h"
#include "../verify/progress.h"
#include "../verify/split_set.h"
#include "file_error.h"
#include "interrupt.h"
#include "medium.h"
#include "pack_bundle.h"
#include "place.h"
#include "read_back.h"
#include "unpack_bundle.h"
#include "work_folder.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PIECE_BYTES (1024u * 1024u)

/* Written once and read once. */
static SatchelProgress *
begin_progress(guint64 size_bytes)
{
	return satchel_progress_begin(satchel_cli_progress(), "copying", 2 * size_bytes);
}

static gboolean
get_file_limit(const char *stick, guint64 *limit_bytes, GError **error)
{
	int fd = open(stick, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	gboolean good;

	if (fd < 0)
		return satchel_file_error_set(error, errno, stick, "open this folder");
	good = satchel_medium_file_limit(fd, limit_bytes) ||
	       satchel_file_error_set(error, errno, stick, "look at its file system");
	close(fd);
	return good;
}

/* ---- a packed bundle ---- */

static gboolean
copy_parts(const SatchelPartFiles *files, SatchelPackedOutput *output, SatchelProgress *progress,
	   GError **error)
{
	guint64 total_bytes = satchel_part_files_get_total_bytes(files);
	g_autofree guint8 *buffer = g_malloc(PIECE_BYTES);

	for (guint64 offset = 0; offset < total_bytes;) {
		gsize n_bytes = (gsize)MIN(total_bytes - offset, PIECE_BYTES);

		if (!satchel_part_files_read(files, offset, buffer, n_bytes, error) ||
		    !satchel_packed_output_append(output, buffer, n_bytes, error) ||
		    !satchel_interrupt_check(error))
			return FALSE;
		offset += n_bytes;
		satchel_progress_advance(progress, n_bytes);
	}
	return TRUE;
}

/* Parts keep their size where the stick can hold it. */
static guint64
choose_split(const SatchelPartFiles *files, guint64 limit_bytes)
{
	if (satchel_part_files_get_n_parts(files) == 1)
		return limit_bytes;
	return MIN(satchel_part_files_get_begin_bytes(files, 1), limit_bytes);
}

/* A copy that broke off, passed on byte for byte, would be called a good one. */
static gboolean
check_whole(SatchelBundleReader *bundle, GError **error)
{
	g_autofree char *quoted = NULL;

	if (satchel_bundle_reader_check_layout(bundle, error))
		return TRUE;
	quoted = satchel_path_quote(satchel_bundle_reader_get_path(bundle));
	g_prefix_error(error, "%s is not copied: ", quoted);
	return FALSE;
}

static gboolean
copy_packed(SatchelBundleReader *bundle, const char *stick, gboolean force, GError **error)
{
	const char *from = satchel_bundle_reader_get_path(bundle);
	g_autoptr(SatchelPartFiles) files = satchel_part_files_open(from, error);
	SatchelPackedOutputOptions options = {.replace = force, .read_back = TRUE};
	g_autoptr(SatchelPackedOutput) output = NULL;
	g_autoptr(SatchelProgress) progress = NULL;
	g_autofree char *base = satchel_split_set_base(from);
	g_autofree char *name = g_path_get_basename(base != NULL ? base : from);
	g_autofree char *to = g_build_filename(stick, name, NULL);
	guint64 limit_bytes = 0;
	guint64 size_bytes;

	if (files == NULL || !check_whole(bundle, error) ||
	    !get_file_limit(stick, &limit_bytes, error))
		return FALSE;
	size_bytes = satchel_part_files_get_total_bytes(files);
	options.split_bytes = choose_split(files, limit_bytes);
	output = satchel_packed_output_begin(to, &options, error);
	if (output == NULL || !satchel_packed_output_check_space(output, size_bytes, error))
		return FALSE;
	if (size_bytes > limit_bytes && satchel_part_files_get_n_parts(files) == 1)
		satchel_cli_note("note: %s: FAT holds no file of that size, so it gets parts", to);
	progress = begin_progress(size_bytes);
	if (!copy_parts(files, output, progress, error) ||
	    !satchel_packed_output_finish(output, progress, error) ||
	    !satchel_packed_output_commit(output, error))
		return FALSE;
	g_clear_pointer(&progress, satchel_progress_end);
	satchel_pack_bundle_note(to, output, "copied and read back");
	return TRUE;
}

/* ---- a folder ---- */

static gboolean
read_back_all(int dir_fd, GHashTable *written, SatchelProgress *progress, GError **error)
{
	GHashTableIter iter;
	gpointer path;
	gpointer sha256;

	g_hash_table_iter_init(&iter, written);
	while (g_hash_table_iter_next(&iter, &path, &sha256))
		if (!satchel_read_back(dir_fd, path, path, sha256, progress, error))
			return FALSE;
	return TRUE;
}

static gboolean
check_sizes(const SatchelPackedOrder *order, guint64 limit_bytes, GError **error)
{
	for (guint i = 0; i < order->members->len; i++) {
		const SatchelPackedMember *member =
			&g_array_index(order->members, SatchelPackedMember, i);
		g_autofree char *quoted = NULL;

		if (member->size_bytes <= limit_bytes)
			continue;
		quoted = satchel_path_quote(member->path);
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE,
			    "%s: FAT holds no file of that size: `satchel-bundler pack` the bundle",
			    quoted);
		return FALSE;
	}
	return TRUE;
}

static gboolean
fill_folder(SatchelBundleReader *bundle, const SatchelPackedOrder *order, int dir_fd,
	    const char *to, GError **error)
{
	g_autoptr(GHashTable) written =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(SatchelProgress) progress = begin_progress(order->size_bytes);

	if (!satchel_unpack_bundle(bundle, order, dir_fd, to, written, progress, error))
		return FALSE;
	if (syncfs(dir_fd) != 0)
		return satchel_file_error_set(error, errno, to, "bring it to the stick");
	return read_back_all(dir_fd, written, progress, error);
}

static gboolean
copy_folder(SatchelBundleReader *bundle, const char *stick, gboolean force, GError **error)
{
	g_autofree char *from =
		g_canonicalize_filename(satchel_bundle_reader_get_path(bundle), NULL);
	g_autofree char *name = g_path_get_basename(from);
	g_autofree char *to = g_build_filename(stick, name, NULL);
	g_autoptr(SatchelPackedOrder) order = NULL;
	g_autoptr(SatchelWorkFolder) folder = NULL;
	guint64 limit_bytes = 0;

	if (!satchel_place_check(to, force, error) || !get_file_limit(stick, &limit_bytes, error))
		return FALSE;
	order = satchel_packed_order_new(bundle, error);
	if (order == NULL || !check_sizes(order, limit_bytes, error))
		return FALSE;
	folder = satchel_work_folder_begin(to, error);
	if (folder == NULL ||
	    !fill_folder(bundle, order, satchel_work_folder_get_fd(folder), to, error) ||
	    !satchel_work_folder_commit(folder, force, error))
		return FALSE;
	satchel_cli_note("%s: copied and read back, %u files", to, order->members->len + 1);
	if (order->left_out->len > 0)
		satchel_cli_note("note: %s: files that the manifest does not list were left out",
				 to);
	return TRUE;
}

gboolean
satchel_copy_bundle(const char *from, const char *stick, gboolean force, GError **error)
{
	g_autoptr(SatchelBundleReader) bundle = satchel_bundle_reader_open(from, error);

	if (bundle == NULL)
		return FALSE;
	if (g_file_test(satchel_bundle_reader_get_path(bundle), G_FILE_TEST_IS_DIR))
		return copy_folder(bundle, stick, force, error);
	return copy_packed(bundle, stick, force, error);
}
