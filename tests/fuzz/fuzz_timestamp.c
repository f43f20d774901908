/* A document as timestamp: its form, and signed by the fuzzer's key, before and after itself. */
#include "../../verify/role_parse.h"
#include "../../verify/trusted_set.h"
#include "resign.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

static SatchelRoot *own_roots[2];

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	resign_init();
	for (int dialect = 0; dialect < 2; dialect++) {
		g_autoptr(GBytes) bytes = resign_root((SatchelDialect)dialect);

		own_roots[dialect] = satchel_root_new_trusted(bytes, NULL);
		g_assert(own_roots[dialect] != NULL);
	}
	return 0;
}

static void
parse(GBytes *input, SatchelDialect dialect)
{
	g_autoptr(SatchelSignedDocument) document =
		satchel_signed_document_parse(input, "timestamp", dialect, NULL);
	g_autoptr(SatchelTimestamp) timestamp = NULL;

	if (document == NULL)
		return;
	timestamp = satchel_timestamp_parse(document, dialect, NULL);
	if (timestamp != NULL)
		g_assert(satchel_timestamp_check_rollback(timestamp, timestamp, NULL));
}

static void
offer(GBytes *document, int dialect)
{
	g_autoptr(SatchelTrustedSet) set = satchel_trusted_set_new(own_roots[dialect], 0);
	gboolean unchanged = FALSE;

	if (!satchel_trusted_set_update_timestamp(set, document, &unchanged, NULL))
		return;
	g_assert(!unchanged);
	g_assert(satchel_trusted_set_update_timestamp(set, document, &unchanged, NULL));
	g_assert(unchanged);
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autoptr(GBytes) input = g_bytes_new(data, n_bytes);
	g_autoptr(SatchelJson) own = resign_take_signed(input);

	for (int dialect = 0; dialect < 2; dialect++) {
		g_autoptr(GBytes) document = NULL;

		parse(input, (SatchelDialect)dialect);
		offer(input, dialect);
		if (own != NULL)
			document = resign_tree(own, (SatchelDialect)dialect);
		if (document != NULL)
			offer(document, dialect);
	}
	return 0;
}
