/* A document as a targets role: its form, its entries, and a search through its delegations. */
#include "../../verify/role_parse.h"
#include "resign.h"
#include <satchel/ostree_target.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

static void
assert_entry(const SatchelTargets *targets, guint index)
{
	const SatchelTarget *target = satchel_targets_get_target(targets, index);
	GBytes *custom = satchel_target_get_custom(target);
	g_autoptr(SatchelOstreeTarget) ostree = satchel_ostree_target_new(target, NULL);

	g_assert(satchel_targets_lookup(targets, satchel_target_get_name(target)) == target);
	if (custom != NULL) {
		g_autoptr(SatchelJson) tree = satchel_json_parse(custom, NULL);

		g_assert(tree != NULL);
	}
	if (ostree != NULL)
		g_assert(satchel_hex_is_sha256(satchel_ostree_target_get_commit(ostree)));
}

/* As if every delegated role were this one again. */
static void
walk(const SatchelTargets *targets, const char *path)
{
	g_autoptr(SatchelDelegationWalk) walk = satchel_delegation_walk_new(targets, path);
	const SatchelTargets *delegator;
	const char *role;
	guint n_roles = 0;

	while (satchel_delegation_walk_next(walk, &role, &delegator, NULL) && role != NULL) {
		g_assert(++n_roles <= SATCHEL_LIMIT_DELEGATIONS);
		g_assert(delegator == targets);
		satchel_delegation_walk_enter(walk, targets);
	}
}

static void
parse(GBytes *input, SatchelDialect dialect)
{
	g_autoptr(SatchelSignedDocument) document =
		satchel_signed_document_parse(input, "targets", dialect, NULL);
	g_autoptr(SatchelTargets) targets = NULL;

	if (document == NULL)
		return;
	targets = satchel_targets_parse(document, "targets", dialect, NULL);
	if (targets == NULL)
		return;
	for (guint i = 0; i < satchel_targets_get_n_targets(targets); i++) {
		assert_entry(targets, i);
		walk(targets, satchel_target_get_name(satchel_targets_get_target(targets, i)));
	}
	walk(targets, "a/b");
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autoptr(GBytes) input = g_bytes_new(data, n_bytes);

	parse(input, SATCHEL_DIALECT_TUF);
	parse(input, SATCHEL_DIALECT_UPTANE);
	return 0;
}
