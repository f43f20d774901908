/* A document as the first root and as the next one: as it is, and signed by the fuzzer's key. */
#include "resign.h"
#include <satchel/root.h>

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
assert_sound(const SatchelRoot *root)
{
	g_autoptr(SatchelRoot) again = NULL;

	if (root == NULL)
		return;
	g_assert(satchel_root_get_version(root) >= 1);
	again = satchel_root_new_trusted(satchel_root_get_bytes(root), NULL);
	g_assert(again != NULL);
	g_assert(satchel_root_same_role_keys(root, again, "timestamp"));
	g_assert(satchel_root_get_dialect(root) == satchel_root_get_dialect(again));
}

static void
offer(GBytes *document)
{
	g_autoptr(SatchelRoot) root = satchel_root_new_trusted(document, NULL);

	assert_sound(root);
	for (int dialect = 0; dialect < 2; dialect++) {
		g_autoptr(SatchelRoot) next =
			satchel_root_advance(own_roots[dialect], document, NULL);

		assert_sound(next);
		if (next != NULL)
			g_assert(satchel_root_get_version(next) == 2);
	}
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autoptr(GBytes) input = g_bytes_new(data, n_bytes);

	offer(input);
	for (int dialect = 0; dialect < 2; dialect++) {
		g_autoptr(SatchelJson) own = resign_take_signed(input);
		g_autoptr(GBytes) document = NULL;

		if (own == NULL)
			break;
		resign_adopt_keys(own, (SatchelDialect)dialect);
		document = resign_tree(own, (SatchelDialect)dialect);
		if (document != NULL)
			offer(document);
	}
	return 0;
}
