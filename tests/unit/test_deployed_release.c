#include "../../installer/deployed_release.h"
#include "../../verify/role_parse.h"
#include <string.h>

#define COMMIT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define COMMIT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define COMMIT_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static SatchelState *
rebuilt(const char *booted, const char *next, const char *fallback)
{
	SatchelState *state = satchel_state_new();
	SatchelDeployed deployed = {booted, next, fallback};

	satchel_deployed_release_rebuild(state, &deployed, NULL, "board");
	return state;
}

static void
test_a_sysroot_without_deployments_tells_nothing(void)
{
	g_autoptr(SatchelState) state = rebuilt(NULL, NULL, NULL);

	g_assert_null(state->current);
	g_assert_null(state->installing);
	g_assert_null(state->rollback);
}

static void
test_what_runs_without_a_name_is_unknown(void)
{
	g_autoptr(SatchelState) state = rebuilt(COMMIT_A, COMMIT_A, NULL);

	g_assert_null(state->current);
	g_assert_null(state->installing);
	g_assert_null(state->from_commit);
}

static void
test_what_the_next_boot_takes_is_an_installation_that_was_begun(void)
{
	g_autoptr(SatchelState) state = rebuilt(COMMIT_A, COMMIT_B, COMMIT_C);

	g_assert_cmpstr(state->installing->commit, ==, COMMIT_B);
	g_assert_cmpstr(state->installing->name, ==, SATCHEL_STATE_UNKNOWN_NAME);
	g_assert_cmpint(state->installing->version, ==, -1);
	g_assert_cmpstr(state->from_commit, ==, COMMIT_A);
	g_assert_cmpstr(state->rollback->commit, ==, COMMIT_C);
}

static void
test_without_a_role_no_name_changes(void)
{
	g_autoptr(SatchelState) state = rebuilt(COMMIT_A, COMMIT_B, COMMIT_C);

	g_assert_false(satchel_deployed_release_name_all(state, NULL, "board"));
	g_assert_cmpstr(state->installing->name, ==, SATCHEL_STATE_UNKNOWN_NAME);
}

#define ENTRY(name, version, hardware, commit, more)                                               \
	"\"" name "\": {\"length\": 0, \"hashes\": {\"sha256\": \"" commit "\"}, \"custom\": "     \
	"{\"version\": \"" version "\", \"hardwareIds\": [\"" hardware                             \
	"\"], \"tags\": [\"devel\"], "                                                             \
	"\"targetFormat\": \"OSTREE\"" more "}}"
#define APP_URI "hub.example.org/factory/app@sha256:" COMMIT_C
#define APPS                                                                                       \
	", \"x-satchel\": {\"lowest-version\": 3}, \"docker_compose_apps\": "                      \
	"{\"app\": {\"uri\": \"" APP_URI "\"}, \"other\": {\"uri\": \"" APP_URI "\"}}, "           \
	"\"fetched-apps\": {\"uri\": \"https://example.org\", \"shortlist\": \"app\"}"

/* Two releases of A and one of B for the board; C is another board's. */
static SatchelTargets *
role_new(void)
{
	static const char text[] =
		"{\"signatures\": [], \"signed\": {\"_type\": \"Targets\", \"version\": 1, "
		"\"expires\": \"2090-01-01T00:00:00Z\", \"targets\": {" ENTRY(
			"a-9", "9", "board", COMMIT_A,
			"") "," ENTRY("a-10", "10", "board", COMMIT_A,
				      APPS) "," ENTRY("b-4", "4", "board", COMMIT_B,
						      "") "," ENTRY("c-11", "11", "other", COMMIT_C,
								    "") "}}}";
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSignedDocument) document =
		satchel_signed_document_parse(bytes, "targets", SATCHEL_DIALECT_UPTANE, &error);
	SatchelTargets *role;

	g_assert_no_error(error);
	role = satchel_targets_parse(document, "targets", SATCHEL_DIALECT_UPTANE, &error);
	g_assert_no_error(error);
	return role;
}

static void
test_of_two_releases_of_a_commit_the_newest_is_found(void)
{
	g_autoptr(SatchelTargets) role = role_new();
	g_autoptr(SatchelStateTarget) found =
		satchel_deployed_release_find(role, "board", COMMIT_A);

	g_assert_nonnull(found);
	g_assert_cmpstr(found->name, ==, "a-10");
	g_assert_cmpint(found->version, ==, 10);
	g_assert_cmpstr(found->commit, ==, COMMIT_A);
	g_assert_cmpint(found->lowest_version, ==, 3);
}

static void
test_a_release_for_other_hardware_is_not_found(void)
{
	g_autoptr(SatchelTargets) role = role_new();

	g_assert_null(satchel_deployed_release_find(role, "board", COMMIT_C));
	g_assert_null(satchel_deployed_release_find(role, "none", COMMIT_A));
}

static void
test_a_found_release_has_the_apps_that_a_bundle_may_hold(void)
{
	g_autoptr(SatchelTargets) role = role_new();
	g_autoptr(SatchelStateTarget) found =
		satchel_deployed_release_find(role, "board", COMMIT_A);
	const SatchelStateApp *app;

	g_assert_cmpuint(found->apps->len, ==, 1);
	app = g_ptr_array_index(found->apps, 0);
	g_assert_cmpstr(app->name, ==, "app");
	g_assert_cmpstr(app->uri, ==, APP_URI);
}

static void
test_what_is_deployed_gets_its_names_from_the_role(void)
{
	g_autoptr(SatchelTargets) role = role_new();
	g_autoptr(SatchelState) state = satchel_state_new();
	const SatchelDeployed deployed = {COMMIT_A, COMMIT_B, COMMIT_C};

	satchel_deployed_release_rebuild(state, &deployed, role, "board");
	g_assert_cmpstr(state->current->name, ==, "a-10");
	g_assert_cmpint(state->lowest_version, ==, 3);
	g_assert_cmpstr(state->installing->name, ==, "b-4");
	g_assert_cmpint(state->installing->version, ==, 4);
	g_assert_cmpstr(state->rollback->name, ==, SATCHEL_STATE_UNKNOWN_NAME);
	g_assert_cmpstr(state->from_commit, ==, COMMIT_A);
}

static void
test_targets_without_a_version_are_named_once(void)
{
	g_autoptr(SatchelTargets) role = role_new();
	g_autoptr(SatchelState) state = rebuilt(COMMIT_C, COMMIT_B, COMMIT_A);
	const SatchelStateTarget *failing;

	g_ptr_array_add(state->failing, satchel_state_target_new_from_parts(
						SATCHEL_STATE_UNKNOWN_NAME, -1, COMMIT_B));
	g_assert_true(satchel_deployed_release_name_all(state, role, "board"));
	g_assert_cmpstr(state->installing->name, ==, "b-4");
	g_assert_cmpstr(state->rollback->name, ==, "a-10");
	failing = g_ptr_array_index(state->failing, 0);
	g_assert_cmpstr(failing->name, ==, "b-4");
	g_assert_cmpint(failing->version, ==, 4);
	g_assert_null(state->current);
	g_assert_false(satchel_deployed_release_name_all(state, role, "board"));
}

static void
test_what_has_a_version_keeps_its_name(void)
{
	g_autoptr(SatchelTargets) role = role_new();
	g_autoptr(SatchelState) state = satchel_state_new();

	state->current = satchel_state_target_new_from_parts("mine", 1, COMMIT_A);
	g_assert_false(satchel_deployed_release_name_all(state, role, "board"));
	g_assert_cmpstr(state->current->name, ==, "mine");
	g_assert_cmpint(state->current->version, ==, 1);
}

static void
test_what_the_device_came_with_keeps_its_name(void)
{
	g_autoptr(SatchelTargets) role = role_new();
	g_autoptr(SatchelState) state = satchel_state_new();

	state->rollback =
		satchel_state_target_new_from_parts(SATCHEL_STATE_INITIAL_NAME, -1, COMMIT_A);
	g_assert_false(satchel_deployed_release_name_all(state, role, "board"));
	g_assert_cmpstr(state->rollback->name, ==, SATCHEL_STATE_INITIAL_NAME);
	g_assert_cmpint(state->rollback->version, ==, -1);
}

#define ADD(name) g_test_add_func("/deployed_release/" #name, test_##name)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(a_sysroot_without_deployments_tells_nothing);
	ADD(what_runs_without_a_name_is_unknown);
	ADD(what_the_next_boot_takes_is_an_installation_that_was_begun);
	ADD(without_a_role_no_name_changes);
	ADD(of_two_releases_of_a_commit_the_newest_is_found);
	ADD(a_release_for_other_hardware_is_not_found);
	ADD(a_found_release_has_the_apps_that_a_bundle_may_hold);
	ADD(what_is_deployed_gets_its_names_from_the_role);
	ADD(targets_without_a_version_are_named_once);
	ADD(what_has_a_version_keeps_its_name);
	ADD(what_the_device_came_with_keeps_its_name);
	return g_test_run();
}
