/* Bytes as each kind of OSTree object. */
#include "../../verify/hex.h"
#include "../../verify/ostree_object.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

static void
check_error(gboolean good, GError *error)
{
	g_assert(good == (error == NULL));
	g_assert(good || g_error_matches(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID));
	g_clear_error(&error);
}

static void
try_metadata(GBytes *input)
{
	g_autoptr(SatchelTree) tree = NULL;
	SatchelCommit commit;
	GError *error = NULL;
	gboolean good;

	good = satchel_commit_parse(input, &commit, &error);
	check_error(good, error);
	if (good)
		g_assert(strlen(commit.root_tree) == 64 && strlen(commit.root_meta) == 64 &&
			 commit.timestamp_s >= 0);
	error = NULL;
	check_error(satchel_dirmeta_parse(input, &error), error);
	error = NULL;
	tree = satchel_tree_parse(input, &error);
	check_error(tree != NULL, error);
	for (guint i = 0; tree != NULL && i < satchel_tree_get_n_entries(tree); i++) {
		const SatchelTreeEntry *entry = satchel_tree_get_entry(tree, i);
		char checksum[65];

		g_assert(strchr(entry->name, '/') == NULL && *entry->name != '\0');
		satchel_hex_from_sha256(entry->checksum, checksum);
		if (entry->meta_checksum != NULL)
			satchel_hex_from_sha256(entry->meta_checksum, checksum);
	}
}

static void
try_file(const guint8 *data, gsize n_bytes)
{
	g_auto(SatchelFileHeader) header = {0};
	g_autoptr(GBytes) prefix = NULL;
	GError *error = NULL;
	gsize consumed = 0;
	gboolean good;

	good = satchel_file_header_parse_archive(data, n_bytes, &header, &consumed, &error);
	check_error(good, error);
	if (!good)
		return;
	g_assert(consumed >= 8 && consumed <= n_bytes);
	g_assert(satchel_file_header_peek_size_archive(data) == header.size_bytes);
	prefix = satchel_file_header_to_checksum_prefix(&header);
	/* All but the size is in the prefix. */
	g_assert(g_bytes_get_size(prefix) + 8 == consumed);
}

static void
try_attribute(GBytes *input)
{
	g_auto(SatchelFileHeader) header = {0};
	GError *error = NULL;
	gboolean good = satchel_file_header_parse_ostreemeta(input, &header, &error);

	check_error(good, error);
	if (!good)
		return;
	error = NULL;
	check_error(satchel_file_header_check(&header, &error), error);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autoptr(GBytes) input = g_bytes_new(data, n_bytes);

	try_metadata(input);
	try_file(data, n_bytes);
	try_attribute(input);
	return 0;
}
