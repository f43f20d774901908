#include "../../bundler/role_author.h"
#include "../../verify/json.h"
#include "../../verify/trusted_set.h"

#define NOW_S 1700000000
#define EXPIRES_S (NOW_S + 86400)

/* One key for all roles, and documents of version 1 that build on each other. */
typedef struct {
	GPtrArray *keys;
	GBytes *root;
	GBytes *targets;
	GBytes *snapshot;
	GBytes *timestamp;
} Repository;

static GPtrArray *
make_keys(guint n_keys)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func((GDestroyNotify)satchel_private_key_free);

	for (guint i = 0; i < n_keys; i++) {
		g_autoptr(GError) error = NULL;

		g_ptr_array_add(keys, satchel_private_key_generate(SATCHEL_SCHEME_ED25519, &error));
		g_assert_no_error(error);
	}
	return keys;
}

static GBytes *
seal(json_t *signed_, GPtrArray *keys, SatchelDialect dialect)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelJson) owned = signed_;
	GBytes *file = satchel_role_author_seal(owned, keys, dialect, "document", &error);

	g_assert_no_error(error);
	return file;
}

static json_t *
make_root(GPtrArray *keys, guint threshold, SatchelDialect dialect)
{
	SatchelRoleHead head = {dialect, 1, EXPIRES_S};
	json_t *root = satchel_role_author_root(&head);

	for (guint i = 0; i < SATCHEL_N_ROLES; i++)
		satchel_role_author_set_keys(root, (SatchelRole)i, keys, threshold, dialect);
	return root;
}

static void
repository_init(Repository *self, SatchelDialect dialect)
{
	SatchelRoleHead head = {dialect, 1, EXPIRES_S};

	self->keys = make_keys(2);
	self->root = seal(make_root(self->keys, 2, dialect), self->keys, dialect);
	self->targets = seal(satchel_role_author_targets(&head), self->keys, dialect);
	self->snapshot =
		seal(satchel_role_author_snapshot(&head, self->targets, 1), self->keys, dialect);
	self->timestamp =
		seal(satchel_role_author_timestamp(&head, self->snapshot, 1), self->keys, dialect);
}

static void
repository_clear(Repository *self)
{
	g_ptr_array_unref(self->keys);
	g_bytes_unref(self->root);
	g_bytes_unref(self->targets);
	g_bytes_unref(self->snapshot);
	g_bytes_unref(self->timestamp);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Repository, repository_clear)

static void
assert_trusted(SatchelDialect dialect)
{
	g_auto(Repository) repository = {0};
	g_autoptr(SatchelRoot) root = NULL;
	g_autoptr(SatchelTrustedSet) set = NULL;
	g_autoptr(GError) error = NULL;
	gboolean unchanged = FALSE;

	repository_init(&repository, dialect);
	root = satchel_root_new_trusted(repository.root, &error);
	g_assert_no_error(error);
	g_assert_cmpint(satchel_root_get_dialect(root), ==, dialect);
	g_assert_cmpint(satchel_root_get_expires_s(root), ==, EXPIRES_S);
	g_assert_false(satchel_root_get_consistent_snapshot(root));
	set = satchel_trusted_set_new(root, NOW_S);
	g_assert_true(satchel_trusted_set_update_timestamp(set, repository.timestamp, &unchanged,
							   &error));
	g_assert_no_error(error);
	g_assert_true(satchel_trusted_set_update_snapshot(set, repository.snapshot, FALSE, &error));
	g_assert_no_error(error);
	g_assert_true(satchel_trusted_set_update_targets(set, repository.targets, &error));
	g_assert_no_error(error);
}

static void
test_documents_of_both_dialects_are_trusted(void)
{
	assert_trusted(SATCHEL_DIALECT_UPTANE);
	assert_trusted(SATCHEL_DIALECT_TUF);
}

static void
test_the_same_input_gives_the_same_file(void)
{
	SatchelRoleHead head = {SATCHEL_DIALECT_UPTANE, 3, EXPIRES_S};
	g_autoptr(GPtrArray) keys = make_keys(1);
	g_autoptr(GBytes) once = seal(satchel_role_author_targets(&head), keys, head.dialect);
	g_autoptr(GBytes) again = seal(satchel_role_author_targets(&head), keys, head.dialect);

	g_assert_true(g_bytes_equal(once, again));
}

static void
test_a_key_given_twice_signs_once(void)
{
	SatchelRoleHead head = {SATCHEL_DIALECT_UPTANE, 1, EXPIRES_S};
	g_autoptr(GPtrArray) keys = make_keys(1);
	g_autoptr(GPtrArray) twice = g_ptr_array_new();
	g_autoptr(GBytes) once = seal(satchel_role_author_targets(&head), keys, head.dialect);
	g_autoptr(GBytes) file = NULL;

	g_ptr_array_add(twice, g_ptr_array_index(keys, 0));
	g_ptr_array_add(twice, g_ptr_array_index(keys, 0));
	file = seal(satchel_role_author_targets(&head), twice, head.dialect);
	g_assert_true(g_bytes_equal(once, file));
}

static void
test_keys_that_no_role_lists_leave_the_root(void)
{
	g_autoptr(GPtrArray) old_keys = make_keys(2);
	g_autoptr(GPtrArray) new_keys = make_keys(1);
	g_autoptr(SatchelJson) root = make_root(old_keys, 1, SATCHEL_DIALECT_UPTANE);

	g_assert_cmpuint(json_object_size(json_object_get(root, "keys")), ==, 2);
	satchel_role_author_set_keys(root, SATCHEL_ROLE_ROOT, new_keys, 1, SATCHEL_DIALECT_UPTANE);
	g_assert_cmpuint(json_object_size(json_object_get(root, "keys")), ==, 3);
	for (guint i = 0; i < SATCHEL_N_ROLES; i++)
		satchel_role_author_set_keys(root, (SatchelRole)i, new_keys, 1,
					     SATCHEL_DIALECT_UPTANE);
	g_assert_cmpuint(json_object_size(json_object_get(root, "keys")), ==, 1);
}

static void
assert_not_ascii(json_t *tree, const char *member)
{
	g_autoptr(SatchelJson) owned = tree;
	g_autoptr(GPtrArray) keys = make_keys(1);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) file =
		satchel_role_author_seal(owned, keys, SATCHEL_DIALECT_UPTANE, "role", &error);

	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, member));
	g_assert_null(file);
}

static void
test_what_is_not_printable_ascii_is_not_signed(void)
{
	assert_not_ascii(json_pack("{s:s}", "a", "caf\xc3\xa9"), "role.a has");
	assert_not_ascii(json_pack("{s:s}", "a", "line\n"), "role.a has");
	assert_not_ascii(json_pack("{s:s}", "a", "tab\t"), "role.a has");
	assert_not_ascii(json_pack("{s:s}", "a", "\x7f"), "role.a has");
	assert_not_ascii(json_pack("{s:{s:[s, s]}}", "a", "b", "good", "\x01"), "role.a.b[1] has");
	assert_not_ascii(json_pack("{s:{s:i}}", "a", "\xc3\xa9", 1), "role.a has");
	assert_not_ascii(json_pack("{s:s}", "public", "a\nb"), "role.public has");
}

static void
test_a_pem_may_have_its_newlines(void)
{
	g_autoptr(SatchelJson) tree = json_pack("{s:{s:{s:s}}}", "k", "keyval", "public", "a\nb\n");
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_role_author_check_ascii(tree, "role", &error));
	g_assert_no_error(error);
}

static void
test_a_bottomless_document_is_refused(void)
{
	json_t *tree = json_array();

	for (guint i = 0; i < SATCHEL_LIMIT_JSON_DEPTH + 1; i++)
		tree = json_pack("[o]", tree);
	assert_not_ascii(json_pack("{s:o}", "a", tree), "levels");
}

static void
test_roles_are_found_by_their_names_only(void)
{
	SatchelRole role = SATCHEL_ROLE_ROOT;

	for (guint i = 0; i < SATCHEL_N_ROLES; i++) {
		g_assert_true(satchel_role_author_lookup(satchel_role_author_name((SatchelRole)i),
							 &role));
		g_assert_cmpuint(role, ==, i);
	}
	g_assert_false(satchel_role_author_lookup("Root", &role));
	g_assert_false(satchel_role_author_lookup("", &role));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/role_author/documents_of_both_dialects_are_trusted",
			test_documents_of_both_dialects_are_trusted);
	g_test_add_func("/role_author/the_same_input_gives_the_same_file",
			test_the_same_input_gives_the_same_file);
	g_test_add_func("/role_author/a_key_given_twice_signs_once",
			test_a_key_given_twice_signs_once);
	g_test_add_func("/role_author/keys_that_no_role_lists_leave_the_root",
			test_keys_that_no_role_lists_leave_the_root);
	g_test_add_func("/role_author/what_is_not_printable_ascii_is_not_signed",
			test_what_is_not_printable_ascii_is_not_signed);
	g_test_add_func("/role_author/a_pem_may_have_its_newlines",
			test_a_pem_may_have_its_newlines);
	g_test_add_func("/role_author/a_bottomless_document_is_refused",
			test_a_bottomless_document_is_refused);
	g_test_add_func("/role_author/roles_are_found_by_their_names_only",
			test_roles_are_found_by_their_names_only);
	return g_test_run();
}
