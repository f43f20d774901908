/* What a root says, on top of the cases in fixtures/tuf/. */
#include "../../verify/root_keys.h"
#include <satchel/root.h>

static GBytes *
read_fixture(const char *path)
{
	g_autofree char *full = g_build_filename(g_getenv("SATCHEL_FIXTURES"), "tuf", path, NULL);
	g_autoptr(GError) error = NULL;
	char *content = NULL;
	gsize n_bytes = 0;

	if (!g_file_get_contents(full, &content, &n_bytes, &error))
		g_error("%s", error->message);
	return g_bytes_new_take(content, n_bytes);
}

static SatchelRoot *
read_root(const char *path)
{
	g_autoptr(GBytes) bytes = read_fixture(path);
	g_autoptr(GError) error = NULL;
	SatchelRoot *root = satchel_root_new_trusted(bytes, &error);

	g_assert_no_error(error);
	g_assert_true(satchel_root_get_bytes(root) == bytes);
	return root;
}

static SatchelRoot *
read_next_root(const SatchelRoot *root, const char *path)
{
	g_autoptr(GBytes) bytes = read_fixture(path);
	g_autoptr(GError) error = NULL;
	SatchelRoot *next = satchel_root_advance(root, bytes, &error);

	g_assert_no_error(error);
	return next;
}

static void
test_the_type_decides_the_dialect(void)
{
	g_autoptr(SatchelRoot) tuf = read_root("root-first-tuf/1-trusted-root.json");
	g_autoptr(SatchelRoot) uptane = read_root("root-first-uptane/1-trusted-root.json");

	g_assert_cmpint(satchel_root_get_dialect(tuf), ==, SATCHEL_DIALECT_TUF);
	g_assert_cmpint(satchel_root_get_dialect(uptane), ==, SATCHEL_DIALECT_UPTANE);
}

static void
test_version_and_expiry_are_told(void)
{
	g_autoptr(SatchelRoot) root = read_root("root-version-skipped-tuf/1-trusted-root.json");

	g_assert_cmpint(satchel_root_get_version(root), ==, 2);
	g_assert_cmpint(satchel_root_get_expires_s(root), ==, G_GINT64_CONSTANT(3786912000));
}

static void
test_consistent_snapshots_are_of_the_tuf_dialect_only(void)
{
	g_autoptr(SatchelRoot) on = read_root("root-consistent-snapshot-tuf/1-trusted-root.json");
	g_autoptr(SatchelRoot) off = read_root("root-first-tuf/1-trusted-root.json");
	g_autoptr(SatchelRoot) absent =
		read_root("root-consistent-snapshot-absent-tuf/1-trusted-root.json");
	g_autoptr(SatchelRoot) uptane =
		read_root("root-consistent-snapshot-uptane/1-trusted-root.json");

	g_assert_true(satchel_root_get_consistent_snapshot(on));
	g_assert_false(satchel_root_get_consistent_snapshot(off));
	g_assert_false(satchel_root_get_consistent_snapshot(absent));
	g_assert_false(satchel_root_get_consistent_snapshot(uptane));
}

static void
test_expiry_must_be_later_than_now(void)
{
	g_autoptr(SatchelRoot) root = read_root("root-first-tuf/1-trusted-root.json");
	gint64 expires_s = satchel_root_get_expires_s(root);
	g_autoptr(GError) error = NULL;

	g_assert_true(satchel_root_check_expiry(root, expires_s - 1, NULL));
	g_assert_false(satchel_root_check_expiry(root, expires_s, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_EXPIRED);
	g_assert_cmpstr(error->message, ==,
			"root 1: expired at 2090-01-01T00:00:00Z, now is 2090-01-01T00:00:00Z");
	g_assert_false(satchel_root_check_expiry(root, G_MAXINT64, NULL));
}

static void
test_each_role_has_its_own_keys(void)
{
	static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};
	g_autoptr(SatchelRoot) root = read_root("root-first-uptane/1-trusted-root.json");
	g_autoptr(GHashTable) keyids = g_hash_table_new(g_str_hash, g_str_equal);

	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++) {
		const SatchelRoleKeys *keys = satchel_root_get_role_keys(root, roles[i]);
		const char *const *listed = satchel_role_keys_get_keyids(keys);

		g_assert_nonnull(listed[0]);
		g_assert_null(listed[1]);
		g_assert_true(g_hash_table_add(keyids, (gpointer)(guintptr)listed[0]));
	}
}

static void
test_a_rotated_role_is_told_from_the_others(void)
{
	g_autoptr(SatchelRoot) one = read_root("timestamp-key-rotated-tuf/1-trusted-root.json");
	g_autoptr(SatchelRoot) two = read_next_root(one, "timestamp-key-rotated-tuf/2-root.json");

	g_assert_false(satchel_root_same_role_keys(one, two, "timestamp"));
	g_assert_true(satchel_root_same_role_keys(one, two, "snapshot"));
	g_assert_true(satchel_root_same_role_keys(one, two, "targets"));
	g_assert_true(satchel_root_same_role_keys(one, two, "root"));
	g_assert_cmpint(satchel_root_get_version(two), ==, 2);
}

static void
test_a_changed_threshold_is_a_rotation(void)
{
	g_autoptr(SatchelRoot) one = read_root("root-first-tuf/1-trusted-root.json");
	g_autoptr(SatchelRoot) two =
		read_root("root-threshold-unreachable-tuf/1-trusted-root.json");

	g_assert_false(satchel_root_same_role_keys(one, two, "targets"));
	g_assert_true(satchel_root_same_role_keys(one, two, "snapshot"));
}

static void
test_references_keep_a_root(void)
{
	SatchelRoot *root = read_root("root-first-tuf/1-trusted-root.json");
	g_autoptr(SatchelRoot) kept = satchel_root_ref(root);

	satchel_root_unref(root);
	g_assert_cmpint(satchel_root_get_version(kept), ==, 1);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/root/dialect", test_the_type_decides_the_dialect);
	g_test_add_func("/root/version-and-expiry", test_version_and_expiry_are_told);
	g_test_add_func("/root/consistent-snapshot",
			test_consistent_snapshots_are_of_the_tuf_dialect_only);
	g_test_add_func("/root/expiry", test_expiry_must_be_later_than_now);
	g_test_add_func("/root/role-keys", test_each_role_has_its_own_keys);
	g_test_add_func("/root/rotated-role", test_a_rotated_role_is_told_from_the_others);
	g_test_add_func("/root/changed-threshold", test_a_changed_threshold_is_a_rotation);
	g_test_add_func("/root/references", test_references_keep_a_root);
	return g_test_run();
}
