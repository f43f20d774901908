/* Both canonical forms of any document: each is its own, and leads to the other. */
#include "../../verify/json.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

static GBytes *
canonical(GBytes *document, SatchelDialect dialect)
{
	g_autoptr(GError) error = NULL;
	GBytes *form = satchel_canonical_json(document, dialect, &error);

	g_assert((form == NULL) == (error != NULL));
	return form;
}

static void
assert_leads_to(GBytes *document, SatchelDialect dialect, GBytes *expected)
{
	g_autoptr(GBytes) form = canonical(document, dialect);

	g_assert(form != NULL);
	g_assert(g_bytes_equal(form, expected));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, n_bytes);
	g_autoptr(GBytes) tuf = canonical(bytes, SATCHEL_DIALECT_TUF);
	g_autoptr(GBytes) uptane = canonical(bytes, SATCHEL_DIALECT_UPTANE);
	g_autoptr(SatchelJson) tuf_tree = NULL;

	g_assert((tuf == NULL) == (uptane == NULL));
	if (tuf == NULL)
		return 0;
	assert_leads_to(uptane, SATCHEL_DIALECT_UPTANE, uptane);
	assert_leads_to(uptane, SATCHEL_DIALECT_TUF, tuf);
	/* With control characters in it, which stand there raw, the tuf form is no JSON. */
	tuf_tree = satchel_json_parse(tuf, NULL);
	if (tuf_tree == NULL)
		return 0;
	assert_leads_to(tuf, SATCHEL_DIALECT_TUF, tuf);
	assert_leads_to(tuf, SATCHEL_DIALECT_UPTANE, uptane);
	return 0;
}
