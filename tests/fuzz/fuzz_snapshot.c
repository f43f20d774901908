/* A document as snapshot: its form, and signed by the fuzzer's key below a timestamp that lists it.
 */
#include "../../verify/role_parse.h"
#include "../../verify/trusted_set.h"
#include "resign.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

static SatchelRoot *own_root;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	g_autoptr(GBytes) bytes = NULL;

	resign_init();
	bytes = resign_root(SATCHEL_DIALECT_TUF);
	own_root = satchel_root_new_trusted(bytes, NULL);
	g_assert(own_root != NULL);
	return 0;
}

static void
parse(GBytes *input, SatchelDialect dialect)
{
	g_autoptr(SatchelSignedDocument) document =
		satchel_signed_document_parse(input, "snapshot", dialect, NULL);
	g_autoptr(SatchelSnapshot) snapshot = NULL;

	if (document == NULL)
		return;
	snapshot = satchel_snapshot_parse(document, dialect, NULL);
	if (snapshot == NULL)
		return;
	g_assert(satchel_snapshot_lookup(snapshot, "targets.json") != NULL);
	g_assert(satchel_snapshot_check_rollback(snapshot, snapshot, NULL));
}

/* Lists the snapshot of that version, whatever its content. */
static GBytes *
make_timestamp(gint64 snapshot_version)
{
	g_autofree char *text = g_strdup_printf(
		"{\"_type\":\"timestamp\",\"expires\":\"2090-01-01T00:00:00Z\","
		"\"spec_version\":\"1.0.34\",\"version\":1,\"meta\":{\"snapshot.json\":"
		"{\"version\":%" G_GINT64_FORMAT "}}}",
		snapshot_version);
	g_autoptr(GBytes) bytes = resign_bytes(text);
	g_autoptr(SatchelJson) signed_ = satchel_json_parse(bytes, NULL);

	return resign_tree(signed_, SATCHEL_DIALECT_TUF);
}

static void
offer(GBytes *document, gint64 version)
{
	g_autoptr(SatchelTrustedSet) set = satchel_trusted_set_new(own_root, 0);
	g_autoptr(GBytes) timestamp = make_timestamp(version);
	gint64 listed_version;
	gsize max_bytes;

	g_assert(satchel_trusted_set_update_timestamp(set, timestamp, NULL, NULL));
	if (!satchel_trusted_set_update_snapshot(set, document, TRUE, NULL))
		return;
	g_assert(satchel_trusted_set_update_snapshot(set, document, FALSE, NULL));
	g_assert(satchel_trusted_set_get_listed(set, "targets", 77, &listed_version, &max_bytes,
						NULL));
	g_assert(max_bytes <= 77);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autoptr(GBytes) input = g_bytes_new(data, n_bytes);
	g_autoptr(SatchelJson) own = resign_take_signed(input);
	g_autoptr(GBytes) document = NULL;
	gint64 version = json_integer_value(json_object_get(own, "version"));

	parse(input, SATCHEL_DIALECT_TUF);
	parse(input, SATCHEL_DIALECT_UPTANE);
	offer(input, 1);
	if (own != NULL && version > 0)
		document = resign_tree(own, SATCHEL_DIALECT_TUF);
	if (document != NULL)
		offer(document, version);
	return 0;
}
