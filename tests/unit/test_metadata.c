/* What timestamp, snapshot and targets say, on top of the cases in fixtures/tuf/. */
#include "../../verify/json.h"
#include "../../verify/trusted_set.h"

#define NOW_S G_GINT64_CONSTANT(1893456000) /* 2030-01-01 */
#define FAR_S G_GINT64_CONSTANT(3786912000) /* 2090-01-01 */

static GBytes *
read_fixture(const char *folder, const char *name)
{
	g_autofree char *path =
		g_build_filename(g_getenv("SATCHEL_FIXTURES"), "tuf", folder, name, NULL);
	g_autoptr(GError) error = NULL;
	char *content = NULL;
	gsize n_bytes = 0;

	if (!g_file_get_contents(path, &content, &n_bytes, &error))
		g_error("%s", error->message);
	return g_bytes_new_take(content, n_bytes);
}

static SatchelTrustedSet *
open_set(const char *folder)
{
	g_autoptr(GBytes) bytes = read_fixture(folder, "1-trusted-root.json");
	g_autoptr(SatchelRoot) root = satchel_root_new_trusted(bytes, NULL);

	g_assert_nonnull(root);
	return satchel_trusted_set_new(root, NOW_S);
}

/* A set with all four roles. */
static SatchelTrustedSet *
open_whole_set(const char *folder)
{
	SatchelTrustedSet *set = open_set(folder);
	g_autoptr(GBytes) timestamp = read_fixture(folder, "2-timestamp.json");
	g_autoptr(GBytes) snapshot = read_fixture(folder, "3-snapshot.json");
	g_autoptr(GBytes) targets = read_fixture(folder, "4-targets.json");

	g_assert_true(satchel_trusted_set_update_timestamp(set, timestamp, NULL, NULL));
	g_assert_true(satchel_trusted_set_update_snapshot(set, snapshot, FALSE, NULL));
	g_assert_true(satchel_trusted_set_update_targets(set, targets, NULL));
	return set;
}

static void
test_versions_and_expiries_are_told(void)
{
	g_autoptr(SatchelTrustedSet) set = open_whole_set("refresh-tuf");
	SatchelTimestamp *timestamp = satchel_trusted_set_get_timestamp(set);
	SatchelSnapshot *snapshot = satchel_trusted_set_get_snapshot(set);
	SatchelTargets *targets = satchel_trusted_set_get_targets(set);

	g_assert_cmpint(satchel_timestamp_get_version(timestamp), ==, 1);
	g_assert_cmpint(satchel_timestamp_get_expires_s(timestamp), ==, FAR_S);
	g_assert_cmpint(satchel_timestamp_get_snapshot_version(timestamp), ==, 1);
	g_assert_cmpint(satchel_snapshot_get_version(snapshot), ==, 1);
	g_assert_cmpint(satchel_snapshot_get_expires_s(snapshot), ==, FAR_S);
	g_assert_cmpint(satchel_targets_get_version(targets), ==, 1);
	g_assert_cmpint(satchel_targets_get_expires_s(targets), ==, FAR_S);
	g_assert_cmpstr(satchel_targets_get_role(targets), ==, "targets");
}

static void
test_an_empty_set_has_only_its_root(void)
{
	g_autoptr(SatchelTrustedSet) set = open_set("refresh-uptane");

	g_assert_nonnull(satchel_trusted_set_get_root(set));
	g_assert_null(satchel_trusted_set_get_timestamp(set));
	g_assert_null(satchel_trusted_set_get_snapshot(set));
	g_assert_null(satchel_trusted_set_get_targets(set));
}

static void
test_references_outlive_the_set(void)
{
	SatchelTrustedSet *set = open_whole_set("refresh-tuf");
	g_autoptr(SatchelTimestamp) timestamp =
		satchel_timestamp_ref(satchel_trusted_set_get_timestamp(set));
	g_autoptr(SatchelSnapshot) snapshot =
		satchel_snapshot_ref(satchel_trusted_set_get_snapshot(set));
	g_autoptr(SatchelTargets) targets =
		satchel_targets_ref(satchel_trusted_set_get_targets(set));

	satchel_trusted_set_free(set);
	g_assert_cmpint(satchel_timestamp_get_version(timestamp), ==, 1);
	g_assert_cmpint(satchel_snapshot_get_version(snapshot), ==, 1);
	g_assert_cmpuint(satchel_targets_get_n_targets(targets), ==, 2);
}

static void
test_targets_are_listed_by_name(void)
{
	g_autoptr(SatchelTrustedSet) set = open_whole_set("targets-odd-names-tuf");
	static const char *const names[] = {"", "../ aé\"\\", "app-1", "app-2"};
	const SatchelTargets *targets = satchel_trusted_set_get_targets(set);

	g_assert_cmpuint(satchel_targets_get_n_targets(targets), ==, G_N_ELEMENTS(names));
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		const SatchelTarget *target = satchel_targets_get_target(targets, i);

		g_assert_cmpstr(satchel_target_get_name(target), ==, names[i]);
		g_assert_true(satchel_targets_lookup(targets, names[i]) == target);
	}
}

static void
test_what_is_not_listed_is_not_found(void)
{
	static const char *const names[] = {"", "a", "app-1x", "app-", "app-11", "app-3", "zzz"};
	g_autoptr(SatchelTrustedSet) set = open_whole_set("refresh-uptane");
	g_autoptr(SatchelTrustedSet) none = open_whole_set("targets-none-uptane");

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_assert_null(
			satchel_targets_lookup(satchel_trusted_set_get_targets(set), names[i]));
		g_assert_null(
			satchel_targets_lookup(satchel_trusted_set_get_targets(none), names[i]));
	}
}

static void
test_a_target_has_length_and_hashes(void)
{
	g_autoptr(SatchelTrustedSet) set = open_whole_set("refresh-tuf");
	const SatchelTarget *target =
		satchel_targets_lookup(satchel_trusted_set_get_targets(set), "app-1");

	g_assert_cmpuint(satchel_target_get_length_bytes(target), ==, 3);
	g_assert_cmpstr(satchel_target_get_hash(target, "sha256"), ==,
			"7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
	g_assert_null(satchel_target_get_hash(target, "sha512"));
	g_assert_null(satchel_target_get_custom(target));
}

static void
test_custom_is_json_that_can_be_read_again(void)
{
	static const char *const folders[] = {"targets-custom-tuf", "targets-custom-uptane"};

	for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(SatchelTrustedSet) set = open_whole_set(folders[i]);
		const SatchelTarget *target =
			satchel_targets_lookup(satchel_trusted_set_get_targets(set), "app-1");
		GBytes *custom = satchel_target_get_custom(target);
		g_autoptr(GError) error = NULL;
		g_autoptr(SatchelJson) tree = satchel_json_parse(custom, &error);

		g_assert_no_error(error);
		g_assert_cmpstr(satchel_json_get_string(tree, "note", NULL), ==, "line\nline é");
	}
}

static void
test_a_null_custom_is_none(void)
{
	g_autoptr(SatchelTrustedSet) set = open_whole_set("targets-custom-null-tuf");

	g_assert_null(satchel_target_get_custom(
		satchel_targets_lookup(satchel_trusted_set_get_targets(set), "app-1")));
}

static void
test_a_listed_length_bounds_the_download(void)
{
	g_autoptr(SatchelTrustedSet) set = open_whole_set("refresh-tuf");
	g_autoptr(GBytes) snapshot = read_fixture("refresh-tuf", "3-snapshot.json");
	g_autoptr(GBytes) targets = read_fixture("refresh-tuf", "4-targets.json");
	gint64 version = 0;
	gsize max_bytes = 0;

	g_assert_true(satchel_trusted_set_get_listed(set, "snapshot", 1 << 20, &version, &max_bytes,
						     NULL));
	g_assert_cmpint(version, ==, 1);
	g_assert_cmpuint(max_bytes, ==, g_bytes_get_size(snapshot));
	g_assert_true(satchel_trusted_set_get_listed(set, "targets", 1 << 20, &version, &max_bytes,
						     NULL));
	g_assert_cmpint(version, ==, 1);
	g_assert_cmpuint(max_bytes, ==, g_bytes_get_size(targets));
	g_assert_true(
		satchel_trusted_set_get_listed(set, "targets", 7, &version, &max_bytes, NULL));
	g_assert_cmpuint(max_bytes, ==, 7);
}

static void
test_a_listed_length_of_zero_leaves_nothing_to_download(void)
{
	g_autoptr(SatchelTrustedSet) set = open_set("targets-length-zero-alone-tuf");
	g_autoptr(GBytes) timestamp =
		read_fixture("targets-length-zero-alone-tuf", "2-timestamp.json");
	g_autoptr(GBytes) snapshot =
		read_fixture("targets-length-zero-alone-tuf", "3-snapshot.json");
	gint64 version = 0;
	gsize max_bytes = 77;

	g_assert_true(satchel_trusted_set_update_timestamp(set, timestamp, NULL, NULL));
	g_assert_true(satchel_trusted_set_update_snapshot(set, snapshot, FALSE, NULL));
	g_assert_true(
		satchel_trusted_set_get_listed(set, "targets", 77, &version, &max_bytes, NULL));
	g_assert_cmpuint(max_bytes, ==, 0);
}

static void
test_without_a_length_the_default_bounds_the_download(void)
{
	g_autoptr(SatchelTrustedSet) set = open_whole_set("snapshot-unpinned-tuf");
	gint64 version = 0;
	gsize max_bytes = 0;

	g_assert_true(
		satchel_trusted_set_get_listed(set, "targets", 77, &version, &max_bytes, NULL));
	g_assert_cmpuint(max_bytes, ==, 77);
}

static void
test_lengths_of_uptane_bound_no_download(void)
{
	g_autoptr(SatchelTrustedSet) set = open_whole_set("refresh-uptane");
	gint64 version = 0;
	gsize max_bytes = 0;

	g_assert_true(satchel_trusted_set_get_listed(set, "snapshot", 1 << 20, &version, &max_bytes,
						     NULL));
	g_assert_cmpuint(max_bytes, ==, 1 << 20);
}

static void
test_what_the_snapshot_does_not_list_has_no_version(void)
{
	g_autoptr(SatchelTrustedSet) set = open_whole_set("refresh-tuf");
	g_autoptr(GError) error = NULL;
	gint64 version = 77;
	gsize max_bytes = 77;

	g_assert_false(
		satchel_trusted_set_get_listed(set, "no\nsuch", 1, &version, &max_bytes, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_null(strchr(error->message, '\n'));
	g_assert_cmpint(version, ==, 77);
	g_assert_cmpuint(max_bytes, ==, 77);
}

static void
test_nothing_is_listed_before_timestamp_and_snapshot(void)
{
	static const char *const roles[] = {"snapshot", "targets"};
	g_autoptr(SatchelTrustedSet) set = open_set("refresh-tuf");

	for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
		g_autoptr(GError) error = NULL;
		gint64 version;
		gsize max_bytes;

		g_assert_false(satchel_trusted_set_get_listed(set, roles[i], 1, &version,
							      &max_bytes, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	}
}

/* What another set trusts is not trusted here. */
static void
test_a_delegator_of_another_set_is_refused(void)
{
	g_autoptr(SatchelTrustedSet) set = open_whole_set("delegation-tuf");
	g_autoptr(SatchelTrustedSet) other = open_whole_set("delegation-tuf");
	g_autoptr(GBytes) document = read_fixture("delegation-tuf", "5-delegated.json");
	g_autoptr(GError) error = NULL;
	const SatchelTargets *stranger = satchel_trusted_set_get_targets(other);

	g_assert_null(satchel_trusted_set_update_delegated(set, "a", stranger, document, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_null(satchel_trusted_set_get_delegated(set, "a", stranger));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/metadata/accessors", test_versions_and_expiries_are_told);
	g_test_add_func("/metadata/empty-set", test_an_empty_set_has_only_its_root);
	g_test_add_func("/metadata/references", test_references_outlive_the_set);
	g_test_add_func("/metadata/order", test_targets_are_listed_by_name);
	g_test_add_func("/metadata/not-listed", test_what_is_not_listed_is_not_found);
	g_test_add_func("/metadata/target", test_a_target_has_length_and_hashes);
	g_test_add_func("/metadata/custom", test_custom_is_json_that_can_be_read_again);
	g_test_add_func("/metadata/custom-null", test_a_null_custom_is_none);
	g_test_add_func("/metadata/listed-length", test_a_listed_length_bounds_the_download);
	g_test_add_func("/metadata/listed-zero",
			test_a_listed_length_of_zero_leaves_nothing_to_download);
	g_test_add_func("/metadata/listed-no-length",
			test_without_a_length_the_default_bounds_the_download);
	g_test_add_func("/metadata/listed-uptane", test_lengths_of_uptane_bound_no_download);
	g_test_add_func("/metadata/listed-unknown",
			test_what_the_snapshot_does_not_list_has_no_version);
	g_test_add_func("/metadata/listed-early",
			test_nothing_is_listed_before_timestamp_and_snapshot);
	g_test_add_func("/metadata/other-set", test_a_delegator_of_another_set_is_refused);
	return g_test_run();
}
