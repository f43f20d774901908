#include "../../verify/role_parse.h"
#include <satchel/ostree_target.h>

#define COMMIT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OSTREE "\"targetFormat\": \"OSTREE\""
#define APP "hub.example.com/factory/app@sha256:" COMMIT

/* A targets role with the one target "lmp-7", whose members these are. */
static SatchelTargets *
parse_targets(const char *hashes, const char *custom)
{
	g_autofree char *text = g_strdup_printf(
		"{\"signatures\": [], \"signed\": {\"_type\": \"Targets\", \"version\": 1, "
		"\"expires\": \"2090-01-01T00:00:00Z\", \"targets\": {\"lmp-7\": {\"length\": 0, "
		"\"hashes\": %s%s%s}}}}",
		hashes, custom == NULL ? "" : ", \"custom\": ", custom == NULL ? "" : custom);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSignedDocument) document =
		satchel_signed_document_parse(bytes, "targets", SATCHEL_DIALECT_UPTANE, &error);
	SatchelTargets *targets;

	g_assert_no_error(error);
	targets = satchel_targets_parse(document, "targets", SATCHEL_DIALECT_UPTANE, &error);
	g_assert_no_error(error);
	return targets;
}

static SatchelOstreeTarget *
parse_good(const char *custom)
{
	g_autoptr(SatchelTargets) targets = parse_targets("{\"sha256\": \"" COMMIT "\"}", custom);
	g_autoptr(GError) error = NULL;
	SatchelOstreeTarget *target =
		satchel_ostree_target_new(satchel_targets_get_target(targets, 0), &error);

	g_assert_no_error(error);
	return target;
}

static void
assert_refused(const char *hashes, const char *custom, SatchelError code, const char *message)
{
	g_autoptr(SatchelTargets) targets = parse_targets(hashes, custom);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelOstreeTarget) target =
		satchel_ostree_target_new(satchel_targets_get_target(targets, 0), &error);

	g_assert_null(target);
	g_assert_error(error, SATCHEL_ERROR, (int)code);
	if (!g_str_has_prefix(error->message, "target lmp-7: ") ||
	    strstr(error->message, message) == NULL)
		g_error("'%s' is not in '%s'", message, error->message);
}

static void
test_the_members_of_the_field_are_read(void)
{
	g_autoptr(SatchelOstreeTarget) target = parse_good(
		"{" OSTREE ", \"version\": \"42\", \"hardwareIds\": [\"intel\", \"rpi\"], "
		"\"tags\": [\"devel\"], \"other\": {\"x\": 1}}");
	const char *const *ids = satchel_ostree_target_get_hardware_ids(target);
	g_autofree char *custom = NULL;
	gsize n_bytes = 0;
	const char *data = g_bytes_get_data(satchel_ostree_target_get_custom(target), &n_bytes);

	custom = g_strndup(data, n_bytes);
	g_assert_cmpstr(satchel_ostree_target_get_name(target), ==, "lmp-7");
	g_assert_cmpstr(satchel_ostree_target_get_commit(target), ==, COMMIT);
	g_assert_cmpint(satchel_ostree_target_get_version(target), ==, 42);
	g_assert_cmpstr(ids[0], ==, "intel");
	g_assert_cmpstr(ids[1], ==, "rpi");
	g_assert_null(ids[2]);
	g_assert_cmpstr(satchel_ostree_target_get_tags(target)[0], ==, "devel");
	g_assert_null(satchel_ostree_target_get_tags(target)[1]);
	g_assert_cmpuint(satchel_ostree_target_get_n_apps(target), ==, 0);
	g_assert_cmpstr(custom, ==,
			"{\"hardwareIds\":[\"intel\",\"rpi\"],\"other\":{\"x\":1},"
			"\"tags\":[\"devel\"],\"targetFormat\":\"OSTREE\",\"version\":\"42\"}");
}

static void
test_what_is_left_out_is_empty(void)
{
	g_autoptr(SatchelOstreeTarget) target =
		parse_good("{" OSTREE ", \"docker_compose_apps\": null}");

	g_assert_null(satchel_ostree_target_get_hardware_ids(target)[0]);
	g_assert_null(satchel_ostree_target_get_tags(target)[0]);
	g_assert_cmpint(satchel_ostree_target_get_version(target), ==, -1);
	g_assert_cmpuint(satchel_ostree_target_get_n_apps(target), ==, 0);
}

static void
test_a_version_that_is_no_number_is_minus_one(void)
{
	static const struct {
		const char *json;
		gint64 version;
	} cases[] = {
		{"\"0\"", 0},
		{"\"007\"", 7},
		{"9", 9},
		{"0", 0},
		{"\"\"", -1},
		{"\"7a\"", -1},
		{"\"-1\"", -1},
		{"\"+1\"", -1},
		{"\" 1\"", -1},
		{"\"1 \"", -1},
		{"-5", -1},
		{"\"0x1\"", -1},
		{"null", -1},
		{"[1]", -1},
		{"\"9223372036854775807\"", G_MAXINT64},
		{"\"9223372036854775808\"", -1},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *custom =
			g_strdup_printf("{" OSTREE ", \"version\": %s}", cases[i].json);
		g_autoptr(SatchelOstreeTarget) target = parse_good(custom);

		g_assert_cmpint(satchel_ostree_target_get_version(target), ==, cases[i].version);
	}
}

static void
test_a_lowest_version_is_at_most_the_targets_own(void)
{
	static const char *const good[] = {"1", "7"};
	static const char *const bad[] = {"0", "-1", "8", "\"1\"", "null", "true"};
	g_autoptr(SatchelOstreeTarget) without =
		parse_good("{" OSTREE ", \"version\": \"7\", \"x-satchel\": {\"other\": 1}}");

	g_assert_cmpint(satchel_ostree_target_get_lowest_version(without), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *custom = g_strdup_printf(
			"{" OSTREE ", \"version\": \"7\", \"x-satchel\": {\"lowest-version\": %s}}",
			good[i]);
		g_autoptr(SatchelOstreeTarget) target = parse_good(custom);

		g_assert_cmpint(satchel_ostree_target_get_lowest_version(target), ==,
				i == 0 ? 1 : 7);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *custom = g_strdup_printf(
			"{" OSTREE ", \"version\": \"7\", \"x-satchel\": {\"lowest-version\": %s}}",
			bad[i]);

		assert_refused("{\"sha256\": \"" COMMIT "\"}", custom,
			       SATCHEL_ERROR_METADATA_INVALID, "lowest-version");
	}
	assert_refused("{\"sha256\": \"" COMMIT "\"}", "{" OSTREE ", \"x-satchel\": 3}",
		       SATCHEL_ERROR_METADATA_INVALID, "x-satchel");
}

static void
test_apps_come_in_order_of_name(void)
{
	g_autoptr(SatchelOstreeTarget) target =
		parse_good("{" OSTREE ", \"docker_compose_apps\": {\"web\": {\"uri\": \"" APP
			   "\"}, \"db\": {\"uri\": \"other/f/db@sha256:" COMMIT "\"}}}");

	g_assert_cmpuint(satchel_ostree_target_get_n_apps(target), ==, 2);
	g_assert_cmpstr(satchel_ostree_target_get_app(target, 0)->name, ==, "db");
	g_assert_cmpstr(satchel_ostree_target_get_app(target, 0)->uri, ==,
			"other/f/db@sha256:" COMMIT);
	g_assert_cmpstr(satchel_ostree_target_get_app(target, 1)->name, ==, "web");
	g_assert_cmpstr(satchel_ostree_target_get_app(target, 1)->uri, ==, APP);
}

static void
test_another_format_is_not_for_this_device(void)
{
	static const char *const customs[] = {
		NULL,
		"{}",
		"{\"targetFormat\": \"BINARY\"}",
		"{\"targetFormat\": \"ostree\"}",
		"{\"targetFormat\": 1}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(customs); i++)
		assert_refused("{\"sha256\": \"" COMMIT "\"}", customs[i],
			       SATCHEL_ERROR_NO_MATCHING_TARGET, "targetFormat");
}

static void
test_a_target_without_commit_is_refused(void)
{
	assert_refused("{\"sha512\": \"" COMMIT COMMIT "\"}", "{" OSTREE "}",
		       SATCHEL_ERROR_METADATA_INVALID, "sha256");
}

static void
test_a_malformed_member_is_refused(void)
{
	static const struct {
		const char *json;
		const char *message;
	} cases[] = {
		{"\"hardwareIds\": \"intel\"", "hardwareIds"},
		{"\"hardwareIds\": [1]", "hardwareIds"},
		{"\"tags\": {}", "tags"},
		{"\"tags\": [null]", "tags"},
		{"\"docker_compose_apps\": []", "docker_compose_apps"},
		{"\"docker_compose_apps\": {\"a\": \"" APP "\"}", "uri"},
		{"\"docker_compose_apps\": {\"a\": {}}", "uri"},
		{"\"docker_compose_apps\": {\"a\": {\"uri\": 1}}", "uri"},
		{"\"docker_compose_apps\": {\"a\": {\"uri\": \"host/f/app\"}}", "uri"},
		{"\"docker_compose_apps\": {\"a\": {\"uri\": \"host/f/app:1\"}}", "uri"},
		{"\"docker_compose_apps\": {\"a\": {\"uri\": \"@sha256:" COMMIT "\"}}", "uri"},
		{"\"docker_compose_apps\": {\"a\": {\"uri\": \"h@sha512:" COMMIT "\"}}", "uri"},
		{"\"docker_compose_apps\": {\"a\": {\"uri\": \"" APP "0\"}}", "uri"},
		{"\"docker_compose_apps\": {\"a\": {\"uri\": \"" APP "/\"}}", "uri"},
		{"\"docker_compose_apps\": {\"a\": {\"uri\": \"h@sha256:00\"}}", "uri"},
		{"\"docker_compose_apps\": {\"..\": {\"uri\": \"" APP "\"}}", "file name"},
		{"\"docker_compose_apps\": {\"\": {\"uri\": \"" APP "\"}}", "file name"},
		{"\"docker_compose_apps\": {\"a/b\": {\"uri\": \"" APP "\"}}", "file name"},
		{"\"docker_compose_apps\": {\"a\\nb\": {\"uri\": \"" APP "\"}}", "file name"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *custom = g_strdup_printf("{" OSTREE ", %s}", cases[i].json);

		assert_refused("{\"sha256\": \"" COMMIT "\"}", custom,
			       SATCHEL_ERROR_METADATA_INVALID, cases[i].message);
	}
}

static void
test_references_keep_a_target(void)
{
	SatchelOstreeTarget *target = parse_good("{" OSTREE "}");
	g_autoptr(SatchelOstreeTarget) kept = satchel_ostree_target_ref(target);

	satchel_ostree_target_unref(target);
	g_assert_cmpstr(satchel_ostree_target_get_name(kept), ==, "lmp-7");
}

/* Whether the app is to be in a bundle, by that `fetched-apps`. */
static gboolean
is_bundled(const char *fetched)
{
	g_autofree char *custom = g_strdup_printf("{" OSTREE ", \"docker_compose_apps\": {\"app\": "
						  "{\"uri\": \"" APP "\"}}%s%s}",
						  fetched != NULL ? ", \"fetched-apps\": " : "",
						  fetched != NULL ? fetched : "");
	g_autoptr(SatchelOstreeTarget) target = parse_good(custom);

	g_assert_cmpuint(satchel_ostree_target_get_n_apps(target), ==, 1);
	return satchel_ostree_target_get_app(target, 0)->is_bundled;
}

static void
test_a_shortlist_tells_which_apps_a_bundle_holds(void)
{
	g_assert_true(is_bundled(NULL));
	g_assert_true(is_bundled("null"));
	g_assert_true(is_bundled("{\"uri\": \"https://x\"}"));
	g_assert_true(is_bundled("{\"uri\": \"https://x\", \"shortlist\": \"\"}"));
	g_assert_true(is_bundled("{\"uri\": \"https://x\", \"shortlist\": null}"));
	g_assert_true(is_bundled("{\"uri\": \"https://x\", \"shortlist\": \"other, app\"}"));
	g_assert_false(is_bundled("{\"uri\": \"https://x\", \"shortlist\": \"other,apps\"}"));
	g_assert_false(is_bundled("{\"uri\": \"\", \"shortlist\": \"app\"}"));
	g_assert_false(is_bundled("{\"uri\": null}"));
	g_assert_false(is_bundled("{}"));
	assert_refused("{\"sha256\": \"" COMMIT "\"}",
		       "{" OSTREE ", \"docker_compose_apps\": {}, \"fetched-apps\": {\"uri\": "
		       "\"x\", \"shortlist\": [\"app\"]}}",
		       SATCHEL_ERROR_METADATA_INVALID, "'shortlist' that is no text");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ostree-target/members", test_the_members_of_the_field_are_read);
	g_test_add_func("/ostree-target/left-out", test_what_is_left_out_is_empty);
	g_test_add_func("/ostree-target/version", test_a_version_that_is_no_number_is_minus_one);
	g_test_add_func("/ostree-target/lowest-version",
			test_a_lowest_version_is_at_most_the_targets_own);
	g_test_add_func("/ostree-target/apps", test_apps_come_in_order_of_name);
	g_test_add_func("/ostree-target/other-format", test_another_format_is_not_for_this_device);
	g_test_add_func("/ostree-target/no-commit", test_a_target_without_commit_is_refused);
	g_test_add_func("/ostree-target/malformed", test_a_malformed_member_is_refused);
	g_test_add_func("/ostree-target/references", test_references_keep_a_target);
	g_test_add_func("/ostree-target/shortlist",
			test_a_shortlist_tells_which_apps_a_bundle_holds);
	return g_test_run();
}
