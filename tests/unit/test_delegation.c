/* The form of `delegations`, and walks without a set; the cases in fixtures/tuf/ do the rest. */
#include "../../verify/delegation.h"
#include "../../verify/role_parse.h"

#define KEYID "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"

static SatchelDelegations *
parse(const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelJson) tree = satchel_json_parse(bytes, &error);
	SatchelDelegations *delegations;

	g_assert_no_error(error);
	delegations = satchel_delegations_parse(tree, SATCHEL_DIALECT_TUF, &error);
	g_assert_no_error(error);
	return delegations;
}

/* A targets role that delegates all paths to NAMES, unsigned: walks verify nothing. */
static SatchelTargets *
targets_that_delegate(const char *role, const char *const *names)
{
	g_autoptr(GString) text = g_string_new("{\"signatures\": [], \"signed\": {\"_type\": "
					       "\"targets\", \"spec_version\": \"1.0.34\", "
					       "\"version\": 1, \"expires\": "
					       "\"2090-01-01T00:00:00Z\", \"targets\": {}, "
					       "\"delegations\": {\"keys\": {}, \"roles\": [");
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(SatchelSignedDocument) document = NULL;
	g_autoptr(GError) error = NULL;
	SatchelTargets *targets;

	for (gsize i = 0; names[i] != NULL; i++)
		g_string_append_printf(text,
				       "%s{\"name\": \"%s\", \"keyids\": [], \"threshold\": 1, "
				       "\"terminating\": false, \"paths\": [\"*\"]}",
				       i == 0 ? "" : ", ", names[i]);
	g_string_append(text, "]}}}");
	bytes = g_bytes_new(text->str, text->len);
	document = satchel_signed_document_parse(bytes, "targets", SATCHEL_DIALECT_TUF, &error);
	g_assert_no_error(error);
	targets = satchel_targets_parse(document, role, SATCHEL_DIALECT_TUF, &error);
	g_assert_no_error(error);
	return targets;
}

static const char *
next_role(SatchelDelegationWalk *walk, const SatchelTargets *expected_delegator)
{
	const SatchelTargets *delegator = NULL;
	const char *role = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_delegation_walk_next(walk, &role, &delegator, &error));
	g_assert_no_error(error);
	g_assert_true(delegator == expected_delegator);
	return role;
}

static void
test_roles_keep_their_order(void)
{
	g_autoptr(SatchelDelegations) delegations =
		parse("{\"keys\": {}, \"roles\": ["
		      "{\"name\": \"z\", \"keyids\": [\"" KEYID "\"], \"threshold\": 3, "
		      "\"terminating\": true, \"paths\": [\"z/*\", \"y\"]}, "
		      "{\"name\": \"a\", \"keyids\": [], \"threshold\": 1, "
		      "\"terminating\": false, \"path_hash_prefixes\": [\"0a\", \"1\"]}]}");
	const SatchelDelegation *z = satchel_delegations_get_role(delegations, 0);
	const SatchelDelegation *a = satchel_delegations_get_role(delegations, 1);

	g_assert_cmpuint(satchel_delegations_get_n_roles(delegations), ==, 2);
	g_assert_cmpstr(z->name, ==, "z");
	g_assert_true(z->terminating);
	g_assert_cmpuint(satchel_role_keys_get_threshold(z->keys), ==, 3);
	g_assert_cmpstr(satchel_role_keys_get_keyids(z->keys)[0], ==, KEYID);
	g_assert_cmpstr(a->name, ==, "a");
	g_assert_false(a->terminating);
	g_assert_true(satchel_delegations_lookup(delegations, "a") == a);
	g_assert_null(satchel_delegations_lookup(delegations, "b"));
}

static void
test_more_keys_than_allowed_are_refused(void)
{
	g_autoptr(GString) text =
		g_string_new("{\"roles\": [{\"name\": \"a\", \"keyids\": [\"k0\"], "
			     "\"threshold\": 1, \"terminating\": false, "
			     "\"paths\": []}], \"keys\": {");
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(SatchelJson) tree = NULL;
	g_autoptr(SatchelDelegations) delegations = NULL;
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i <= SATCHEL_LIMIT_KEYS; i++)
		g_string_append_printf(text, "%s\"k%u\": {}", i == 0 ? "" : ", ", i);
	g_string_append(text, "}}");
	bytes = g_bytes_new(text->str, text->len);
	tree = satchel_json_parse(bytes, NULL);
	g_assert_nonnull(tree);
	delegations = satchel_delegations_parse(tree, SATCHEL_DIALECT_TUF, &error);
	g_assert_null(delegations);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpstr(error->message, ==, "more than 1024 keys");
}

static void
test_a_path_matches_by_pattern_or_by_hash(void)
{
	g_autoptr(SatchelDelegations) delegations =
		parse("{\"keys\": {}, \"roles\": ["
		      "{\"name\": \"p\", \"keyids\": [], \"threshold\": 1, "
		      "\"terminating\": false, \"paths\": [\"x\", \"a/*\"]}, "
		      "{\"name\": \"h\", \"keyids\": [], \"threshold\": 1, "
		      "\"terminating\": false, \"path_hash_prefixes\": [\"0a\", \"1\"]}, "
		      "{\"name\": \"n\", \"keyids\": [], \"threshold\": 1, "
		      "\"terminating\": false, \"paths\": []}]}");
	const SatchelDelegation *p = satchel_delegations_get_role(delegations, 0);
	const SatchelDelegation *h = satchel_delegations_get_role(delegations, 1);
	const SatchelDelegation *n = satchel_delegations_get_role(delegations, 2);

	g_assert_true(satchel_delegation_matches(p, "a/b", "0a00"));
	g_assert_false(satchel_delegation_matches(p, "b", "0a00"));
	g_assert_true(satchel_delegation_matches(h, "b", "0a00"));
	g_assert_true(satchel_delegation_matches(h, "b", "1f"));
	g_assert_false(satchel_delegation_matches(h, "0a", "00a1"));
	g_assert_false(satchel_delegation_matches(n, "b", "00"));
}

static void
test_a_role_that_delegates_to_nobody_ends_the_walk(void)
{
	g_autoptr(SatchelTargets) none = targets_that_delegate("targets", (const char *[]){NULL});
	g_autoptr(SatchelDelegationWalk) walk = satchel_delegation_walk_new(none, "x");

	g_assert_null(next_role(walk, NULL));
	g_assert_null(next_role(walk, NULL));
}

static void
test_what_is_not_entered_is_not_gone_below(void)
{
	g_autoptr(SatchelTargets) top =
		targets_that_delegate("targets", (const char *[]){"a", "b", NULL});
	g_autoptr(SatchelTargets) a = targets_that_delegate("a", (const char *[]){"c", NULL});
	g_autoptr(SatchelDelegationWalk) walk = satchel_delegation_walk_new(top, "x");

	g_assert_cmpstr(next_role(walk, top), ==, "a");
	g_assert_cmpstr(next_role(walk, top), ==, "b");
	satchel_delegation_walk_enter(walk, a);
	g_assert_cmpstr(next_role(walk, a), ==, "c");
	g_assert_null(next_role(walk, NULL));
}

/* "a" + "bc" and "ab" + "c" are two ways. */
static void
test_names_of_delegator_and_role_do_not_run_together(void)
{
	g_autoptr(SatchelTargets) top =
		targets_that_delegate("targets", (const char *[]){"a", "ab", NULL});
	g_autoptr(SatchelTargets) a = targets_that_delegate("a", (const char *[]){"bc", NULL});
	g_autoptr(SatchelTargets) ab = targets_that_delegate("ab", (const char *[]){"c", NULL});
	g_autoptr(SatchelDelegationWalk) walk = satchel_delegation_walk_new(top, "x");

	g_assert_cmpstr(next_role(walk, top), ==, "a");
	satchel_delegation_walk_enter(walk, a);
	g_assert_cmpstr(next_role(walk, a), ==, "bc");
	g_assert_cmpstr(next_role(walk, top), ==, "ab");
	satchel_delegation_walk_enter(walk, ab);
	g_assert_cmpstr(next_role(walk, ab), ==, "c");
}

static void
test_a_search_goes_to_32_roles_and_no_further(void)
{
	const char *names[SATCHEL_LIMIT_DELEGATIONS + 2] = {NULL};
	g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(SatchelTargets) top = NULL;
	g_autoptr(SatchelDelegationWalk) walk = NULL;
	g_autoptr(GError) error = NULL;
	const SatchelTargets *delegator;
	const char *role;

	for (guint i = 0; i <= SATCHEL_LIMIT_DELEGATIONS; i++) {
		g_ptr_array_add(owned, g_strdup_printf("role-%u", i));
		names[i] = g_ptr_array_index(owned, i);
	}
	top = targets_that_delegate("targets", names);
	walk = satchel_delegation_walk_new(top, "x");
	for (guint i = 0; i < SATCHEL_LIMIT_DELEGATIONS; i++)
		g_assert_cmpstr(next_role(walk, top), ==, names[i]);
	g_assert_false(satchel_delegation_walk_next(walk, &role, &delegator, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_null(role);
	g_assert_null(delegator);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/delegation/order", test_roles_keep_their_order);
	g_test_add_func("/delegation/keys", test_more_keys_than_allowed_are_refused);
	g_test_add_func("/delegation/matches", test_a_path_matches_by_pattern_or_by_hash);
	g_test_add_func("/delegation/nobody", test_a_role_that_delegates_to_nobody_ends_the_walk);
	g_test_add_func("/delegation/not-entered", test_what_is_not_entered_is_not_gone_below);
	g_test_add_func("/delegation/names", test_names_of_delegator_and_role_do_not_run_together);
	g_test_add_func("/delegation/limit", test_a_search_goes_to_32_roles_and_no_further);
	return g_test_run();
}
