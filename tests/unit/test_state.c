#include "../../installer/state.h"
#include "../../verify/role_parse.h"
#include <string.h>

#define COMMIT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define COMMIT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define COMMIT_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static SatchelStateTarget *
target(const char *name, gint64 version, const char *commit)
{
	return satchel_state_target_new_from_parts(name, version, commit);
}

/* A runs, confirmed. */
static SatchelState *
state_with_current(void)
{
	SatchelState *state = satchel_state_new();
	g_autoptr(SatchelStateTarget) a = target("a", 1, COMMIT_A);

	satchel_state_adopt(state, a, 100);
	return state;
}

/* A runs, B is deployed. */
static SatchelState *
state_with_pending(void)
{
	SatchelState *state = state_with_current();
	g_autoptr(SatchelStateTarget) b = target("b", 2, COMMIT_B);

	satchel_state_begin(state, b, COMMIT_A, COMMIT_C);
	satchel_state_deployed(state, 200);
	return state;
}

static SatchelState *
parse(const char *text, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return satchel_state_parse(bytes, error);
}

static void
assert_refused(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelState) state = parse(text, &error);

	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_null(state);
}

static void
test_what_is_written_is_read_back(void)
{
	g_autoptr(SatchelState) state = state_with_pending();
	g_autoptr(SatchelState) again = NULL;
	g_autoptr(GBytes) first = NULL;
	g_autoptr(GBytes) second = NULL;
	g_autoptr(GError) error = NULL;

	satchel_state_target_add_app(state->pending, "app", "host/f/app@sha256:" COMMIT_C);
	satchel_state_failed(state, 300, "it did not boot");
	first = satchel_state_serialize(state);
	again = satchel_state_parse(first, &error);
	g_assert_no_error(error);
	second = satchel_state_serialize(again);
	g_assert_true(g_bytes_equal(first, second));
	g_assert_cmpstr(again->current->name, ==, "a");
	g_assert_cmpuint(again->failing->len, ==, 1);
	g_assert_cmpuint(again->events->len, ==, 3);
}

static void
test_a_new_state_is_read_back(void)
{
	g_autoptr(SatchelState) state = satchel_state_new();
	g_autoptr(GBytes) bytes = satchel_state_serialize(state);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelState) again = satchel_state_parse(bytes, &error);

	g_assert_no_error(error);
	g_assert_null(again->current);
}

static void
test_documents_of_another_form_are_refused(void)
{
	static const char target_b[] =
		"{\"name\":\"b\",\"version\":2,\"commit\":\"" COMMIT_B "\",\"apps\":[]}";
	g_autofree char *both = g_strdup_printf(
		"{\"format\":1,\"failing\":[],\"events\":[],\"from_commit\":\"" COMMIT_A
		"\",\"installing\":%s,\"pending\":%s}",
		target_b, target_b);
	g_autofree char *no_from = g_strdup_printf(
		"{\"format\":1,\"failing\":[],\"events\":[],\"pending\":%s}", target_b);

	assert_refused("");
	assert_refused("null");
	assert_refused("[]");
	assert_refused("{}");
	assert_refused("{\"format\":1");
	assert_refused("{\"format\":2,\"failing\":[],\"events\":[]}");
	assert_refused("{\"format\":1,\"failing\":[],\"events\":[],\"more\":1}");
	assert_refused("{\"format\":1,\"failing\":[]}");
	assert_refused("{\"format\":1,\"failing\":[1],\"events\":[]}");
	assert_refused("{\"format\":1,\"failing\":[],\"events\":[],\"current\":null}");
	assert_refused("{\"format\":1,\"failing\":[],\"events\":[],\"from_commit\":\"abc\"}");
	assert_refused("{\"format\":1,\"failing\":[],\"events\":[{\"at\":\"1970-01-01T00:00:00Z\","
		       "\"event\":\"danced\",\"name\":\"a\",\"version\":1,\"commit\":\"" COMMIT_A
		       "\"}]}");
	assert_refused(both);
	assert_refused(no_from);
}

static gint64
format_of(const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	return satchel_state_read_format(bytes);
}

static void
test_the_format_is_read_from_forms_that_nobody_knows(void)
{
	g_assert_cmpint(format_of("{\"format\":7,\"new\":[{}]}"), ==, 7);
	g_assert_cmpint(format_of("{\"format\":\"7\"}"), ==, 0);
	g_assert_cmpint(format_of("{\"format\":-7}"), ==, 0);
	g_assert_cmpint(format_of("[7]"), ==, 0);
	g_assert_cmpint(format_of("{"), ==, 0);
}

/* A good state with one member, of @n copies of @element. */
static char *
with_list(const char *member, const char *element, guint n)
{
	GString *text = g_string_new("{\"format\":1");

	for (guint i = 0; i < 2; i++) {
		const char *name = i == 0 ? "failing" : "events";

		g_string_append_printf(text, ",\"%s\":[", name);
		for (guint k = 0; g_str_equal(name, member) && k < n; k++)
			g_string_append_printf(text, "%s%s", k > 0 ? "," : "", element);
		g_string_append_c(text, ']');
	}
	g_string_append_c(text, '}');
	return g_string_free(text, FALSE);
}

#define EVENT_REST "\"at\":\"1970-01-01T00:00:00Z\",\"event\":\"failed\",\"version\":1"
#define APPS(apps) "{\"name\":\"b\",\"version\":2,\"commit\":\"" COMMIT_B "\",\"apps\":" apps "}"

static void
test_members_of_another_form_are_refused(void)
{
	static const struct {
		const char *member;
		const char *element;
	} cases[] = {
		{"failing", APPS("{}")},
		{"failing", APPS("[1]")},
		{"failing", APPS("[{\"name\":1,\"uri\":\"u\"}]")},
		{"failing", APPS("[{\"name\":\"a\"}]")},
		{"failing", "{\"name\":\"b\",\"version\":2,\"commit\":\"abc\",\"apps\":[]}"},
		{"failing", "{\"name\":\"b\",\"commit\":\"" COMMIT_B "\",\"apps\":[]}"},
		{"events", "1"},
		{"events", "{" EVENT_REST ",\"commit\":\"" COMMIT_A "\"}"},
		{"events", "{" EVENT_REST ",\"name\":\"a\"}"},
		{"events",
		 "{" EVENT_REST ",\"name\":\"a\",\"commit\":\"" COMMIT_A "\",\"reason\":1}"},
		{"events",
		 "{" EVENT_REST ",\"name\":\"a\",\"commit\":\"" COMMIT_A "\",\"bundle\":\"abc\"}"},
		{"events", "{\"name\":\"a\",\"commit\":\"" COMMIT_A "\"}"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = with_list(cases[i].member, cases[i].element, 1);

		assert_refused(text);
	}
}

static void
test_lists_beyond_their_bounds_are_refused(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *targets = with_list("failing", APPS("[]"), SATCHEL_STATE_MAX_FAILING + 1);
	g_autofree char *events =
		with_list("events", "{" EVENT_REST ",\"name\":\"a\",\"commit\":\"" COMMIT_A "\"}",
			  SATCHEL_STATE_MAX_EVENTS + 1);
	g_autofree char *full = with_list("failing", APPS("[]"), SATCHEL_STATE_MAX_FAILING);
	g_autoptr(SatchelState) good = parse(full, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(good->failing->len, ==, SATCHEL_STATE_MAX_FAILING);
	assert_refused(targets);
	assert_refused(events);
}

static void
test_copy_of_a_target_has_its_apps(void)
{
	g_autoptr(SatchelStateTarget) a = target("a", 1, COMMIT_A);
	g_autoptr(SatchelStateTarget) copy = NULL;

	satchel_state_target_add_app(a, "app", "uri");
	copy = satchel_state_target_copy(a);
	g_assert_cmpuint(copy->apps->len, ==, 1);
	g_assert_cmpstr(((SatchelStateApp *)g_ptr_array_index(copy->apps, 0))->uri, ==, "uri");
	g_assert_cmpstr(copy->commit, ==, COMMIT_A);
}

#define APP_URI "hub.example.org/factory/app@sha256:" COMMIT_C

/* The one target of a role, with two apps of which a bundle may hold one. */
static SatchelOstreeTarget *
ostree_target_new(void)
{
	static const char text[] =
		"{\"signatures\": [], \"signed\": {\"_type\": \"Targets\", \"version\": 1, "
		"\"expires\": \"2090-01-01T00:00:00Z\", \"targets\": {\"b-2\": {\"length\": 0, "
		"\"hashes\": {\"sha256\": \"" COMMIT_B "\"}, \"custom\": {\"version\": \"2\", "
		"\"hardwareIds\": [\"board\"], \"targetFormat\": \"OSTREE\", "
		"\"x-satchel\": {\"lowest-version\": 1}, \"docker_compose_apps\": "
		"{\"left\": {\"uri\": \"" APP_URI "\"}, \"taken\": {\"uri\": \"" APP_URI "\"}}, "
		"\"fetched-apps\": {\"uri\": \"https://example.org\", "
		"\"shortlist\": \"taken\"}}}}}}";
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSignedDocument) document =
		satchel_signed_document_parse(bytes, "targets", SATCHEL_DIALECT_UPTANE, &error);
	g_autoptr(SatchelTargets) role = NULL;
	SatchelOstreeTarget *self;

	g_assert_no_error(error);
	role = satchel_targets_parse(document, "targets", SATCHEL_DIALECT_UPTANE, &error);
	g_assert_no_error(error);
	self = satchel_ostree_target_new(satchel_targets_lookup(role, "b-2"), &error);
	g_assert_no_error(error);
	return self;
}

static void
test_of_a_target_only_the_apps_that_a_bundle_may_hold_are_kept(void)
{
	g_autoptr(SatchelOstreeTarget) signed_target = ostree_target_new();
	g_autoptr(SatchelStateTarget) kept = satchel_state_target_new(signed_target);
	const SatchelStateApp *app;

	g_assert_cmpuint(satchel_ostree_target_get_n_apps(signed_target), ==, 2);
	g_assert_cmpstr(kept->name, ==, "b-2");
	g_assert_cmpint(kept->version, ==, 2);
	g_assert_cmpint(kept->lowest_version, ==, 1);
	g_assert_cmpstr(kept->commit, ==, COMMIT_B);
	g_assert_cmpuint(kept->apps->len, ==, 1);
	app = g_ptr_array_index(kept->apps, 0);
	g_assert_cmpstr(app->name, ==, "taken");
	g_assert_cmpstr(app->uri, ==, APP_URI);
}

static void
test_to_adopt_what_is_current_changes_nothing(void)
{
	g_autoptr(SatchelState) state = state_with_current();
	g_autoptr(SatchelStateTarget) same = target("a", 1, COMMIT_A);
	g_autoptr(GBytes) before = satchel_state_serialize(state);
	g_autoptr(GBytes) after = NULL;

	satchel_state_adopt(state, same, 200);
	after = satchel_state_serialize(state);
	g_assert_true(g_bytes_equal(before, after));
	g_assert_cmpuint(state->events->len, ==, 1);
}

static void
test_a_pending_target_that_works_is_current_and_the_old_one_is_for_rollback(void)
{
	g_autoptr(SatchelState) state = state_with_pending();

	satchel_state_working(state, 300);
	g_assert_cmpstr(state->current->name, ==, "b");
	g_assert_cmpstr(state->rollback->name, ==, "a");
	g_assert_null(state->pending);
	g_assert_null(state->from_commit);
	g_assert_null(state->bundle);
}

static void
test_what_the_device_came_with_is_for_rollback(void)
{
	g_autoptr(SatchelState) state = satchel_state_new();
	g_autoptr(SatchelStateTarget) b = target("b", 2, COMMIT_B);

	satchel_state_begin(state, b, COMMIT_A, NULL);
	satchel_state_deployed(state, 1);
	satchel_state_working(state, 2);
	g_assert_cmpstr(state->rollback->name, ==, "Initial Target");
	g_assert_cmpstr(state->rollback->commit, ==, COMMIT_A);
	g_assert_cmpint(state->rollback->version, ==, -1);
}

static void
test_a_target_that_failed_is_failing_until_it_works(void)
{
	g_autoptr(SatchelState) state = state_with_pending();
	g_autoptr(SatchelStateTarget) b = target("b", 2, COMMIT_B);

	satchel_state_failed(state, 300, "no");
	g_assert_true(satchel_state_is_failing(state, "b", COMMIT_B));
	g_assert_false(satchel_state_is_failing(state, "b", COMMIT_C));
	g_assert_cmpstr(state->current->name, ==, "a");
	g_assert_null(state->pending);

	satchel_state_begin(state, b, COMMIT_A, NULL);
	satchel_state_deployed(state, 400);
	satchel_state_working(state, 500);
	g_assert_false(satchel_state_is_failing(state, "b", COMMIT_B));
}

static void
test_what_was_abandoned_may_be_tried_again(void)
{
	g_autoptr(SatchelState) state = state_with_current();
	g_autoptr(SatchelStateTarget) b = target("b", 2, COMMIT_B);

	satchel_state_begin(state, b, COMMIT_A, NULL);
	satchel_state_abandon(state);
	g_assert_null(state->installing);
	g_assert_null(state->from_commit);
	g_assert_false(satchel_state_is_failing(state, "b", COMMIT_B));
}

static void
test_what_is_put_off_is_told_and_may_be_tried_again(void)
{
	g_autoptr(SatchelState) state = state_with_pending();
	const SatchelStateEvent *event = NULL;

	satchel_state_put_off(state, 300, "full");
	g_assert_null(state->pending);
	g_assert_null(state->from_commit);
	g_assert_cmpuint(state->failing->len, ==, 0);
	g_assert_cmpstr(state->current->name, ==, "a");
	event = g_ptr_array_index(state->events, state->events->len - 1);
	g_assert_cmpint(event->kind, ==, SATCHEL_STATE_EVENT_FAILED);
	g_assert_cmpstr(event->name, ==, "b");
	g_assert_cmpstr(event->reason, ==, "full");
}

static void
test_untried_is_kept_until_it_worked(void)
{
	g_autoptr(SatchelState) state = satchel_state_new();
	g_autoptr(SatchelStateTarget) a = target("a", 1, COMMIT_A);
	g_autoptr(SatchelStateTarget) tried = target("a", 1, COMMIT_A);
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(SatchelState) again = NULL;

	a->untried = TRUE;
	satchel_state_adopt(state, a, 100);
	bytes = satchel_state_serialize(state);
	again = satchel_state_parse(bytes, NULL);
	g_assert_true(again->current->untried);
	satchel_state_adopt(again, a, 200);
	g_assert_true(again->current->untried);
	satchel_state_adopt(again, tried, 200);
	g_assert_false(again->current->untried);
	satchel_state_begin(state, a, COMMIT_A, NULL);
	satchel_state_deployed(state, 300);
	satchel_state_working(state, 400);
	g_assert_false(state->current->untried);
	assert_refused("{\"format\":1,\"failing\":[],\"events\":[],\"current\":{\"name\":\"a\","
		       "\"version\":1,\"commit\":\"" COMMIT_A "\",\"apps\":[],\"untried\":false}}");
}

static void
test_apps_are_the_same_by_name_and_uri(void)
{
	g_autoptr(SatchelStateTarget) one = target("a", 1, COMMIT_A);
	g_autoptr(SatchelStateTarget) other = target("b", 2, COMMIT_B);

	satchel_state_target_add_app(one, "web", "uri-1");
	satchel_state_target_add_app(other, "web", "uri-1");
	g_assert_true(satchel_state_target_has_same_apps(one, other));
	satchel_state_target_add_app(other, "more", "uri-2");
	g_assert_false(satchel_state_target_has_same_apps(one, other));
	g_assert_false(satchel_state_target_has_same_apps(other, one));
	satchel_state_target_add_app(one, "more", "uri-3");
	g_assert_false(satchel_state_target_has_same_apps(one, other));
}

static void
test_a_new_name_for_the_running_commit_is_no_rollback(void)
{
	g_autoptr(SatchelState) state = state_with_current();
	g_autoptr(SatchelStateTarget) renamed = target("a-again", 2, COMMIT_A);

	satchel_state_adopt(state, renamed, 200);
	g_assert_cmpstr(state->current->name, ==, "a-again");
	g_assert_null(state->rollback);
}

static void
test_a_target_that_was_left_is_nothing_to_go_back_to(void)
{
	g_autoptr(SatchelState) state = state_with_current();
	g_autofree char *left = g_strdup(state->current->name);
	g_autofree char *commit = g_strdup(state->current->commit);
	g_autoptr(SatchelStateTarget) b = target("b-left-for", 2, COMMIT_B);

	satchel_state_reject(state, state->current, 150, "no good");
	g_assert_true(satchel_state_is_failing(state, left, commit));
	g_assert_cmpstr(state->current->name, ==, left);
	satchel_state_begin(state, b, commit, NULL);
	satchel_state_deployed(state, 160);
	satchel_state_working(state, 170);
	g_assert_cmpstr(state->current->name, ==, "b-left-for");
	g_assert_null(state->rollback);
	g_assert_true(satchel_state_is_failing(state, left, commit));
	satchel_state_reject(state, state->current, 180, "no");
	satchel_state_reject(state, state->current, 190, "no");
	g_assert_cmpuint(state->failing->len, ==, 2);
}

static void
test_the_oldest_events_are_forgotten(void)
{
	g_autoptr(SatchelState) state = satchel_state_new();

	for (guint i = 0; i < SATCHEL_STATE_MAX_EVENTS + 10; i++) {
		g_autofree char *name = g_strdup_printf("t%u", i);
		g_autoptr(SatchelStateTarget) t = target(name, i, COMMIT_A);

		satchel_state_adopt(state, t, i);
	}
	g_assert_cmpuint(state->events->len, ==, SATCHEL_STATE_MAX_EVENTS);
	g_assert_cmpstr(((SatchelStateEvent *)g_ptr_array_index(state->events, 0))->name, ==,
			"t10");
}

static void
test_a_floor_holds_once_its_target_works(void)
{
	g_autoptr(SatchelState) state = state_with_current();
	g_autoptr(SatchelStateTarget) b = target("b", 2, COMMIT_B);
	g_autoptr(SatchelStateTarget) c = target("c", 3, COMMIT_C);
	g_autoptr(SatchelState) again = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;

	b->lowest_version = 2;
	satchel_state_begin(state, b, COMMIT_A, NULL);
	satchel_state_deployed(state, 200);
	g_assert_cmpint(state->lowest_version, ==, 0);
	bytes = satchel_state_serialize(state);
	again = satchel_state_parse(bytes, &error);
	g_assert_no_error(error);
	/* Another process confirms it. */
	satchel_state_working(again, 300);
	g_assert_cmpint(again->lowest_version, ==, 2);
	satchel_state_adopt(again, c, 400);
	g_assert_cmpint(again->lowest_version, ==, 2);
	satchel_state_free(state);
	g_bytes_unref(bytes);
	bytes = satchel_state_serialize(again);
	state = satchel_state_parse(bytes, &error);
	g_assert_no_error(error);
	g_assert_cmpint(state->lowest_version, ==, 2);
	g_assert_cmpint(state->current->lowest_version, ==, 0);
	g_assert_cmpint(state->rollback->lowest_version, ==, 2);
}

static void
test_the_floor_of_what_failed_does_not_hold(void)
{
	g_autoptr(SatchelState) state = state_with_current();
	g_autoptr(SatchelStateTarget) b = target("b", 2, COMMIT_B);

	b->lowest_version = 2;
	satchel_state_begin(state, b, COMMIT_A, NULL);
	satchel_state_deployed(state, 200);
	satchel_state_failed(state, 300, "no");
	g_assert_cmpint(state->lowest_version, ==, 0);
}

static void
test_floors_of_another_form_are_refused(void)
{
	static const char *const wrong[] = {"0", "-1", "\"1\"", "null"};

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *text = g_strdup_printf(
			"{\"format\": 1, \"failing\": [], \"events\": [], \"lowest_version\": %s}",
			wrong[i]);

		assert_refused(text);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/state/same-apps", test_apps_are_the_same_by_name_and_uri);
	g_test_add_func("/state/what_is_written_is_read_back", test_what_is_written_is_read_back);
	g_test_add_func("/state/a_new_state_is_read_back", test_a_new_state_is_read_back);
	g_test_add_func("/state/the_format_is_read_from_forms_that_nobody_knows",
			test_the_format_is_read_from_forms_that_nobody_knows);
	g_test_add_func("/state/documents_of_another_form_are_refused",
			test_documents_of_another_form_are_refused);
	g_test_add_func("/state/members_of_another_form_are_refused",
			test_members_of_another_form_are_refused);
	g_test_add_func("/state/lists_beyond_their_bounds_are_refused",
			test_lists_beyond_their_bounds_are_refused);
	g_test_add_func("/state/copy_of_a_target_has_its_apps", test_copy_of_a_target_has_its_apps);
	g_test_add_func(
		"/state/a_pending_target_that_works_is_current_and_the_old_one_is_for_rollback",
		test_a_pending_target_that_works_is_current_and_the_old_one_is_for_rollback);
	g_test_add_func("/state/what_the_device_came_with_is_for_rollback",
			test_what_the_device_came_with_is_for_rollback);
	g_test_add_func("/state/a_target_that_failed_is_failing_until_it_works",
			test_a_target_that_failed_is_failing_until_it_works);
	g_test_add_func("/state/what_was_abandoned_may_be_tried_again",
			test_what_was_abandoned_may_be_tried_again);
	g_test_add_func("/state/put_off", test_what_is_put_off_is_told_and_may_be_tried_again);
	g_test_add_func("/state/untried", test_untried_is_kept_until_it_worked);
	g_test_add_func("/state/a_new_name_for_the_running_commit_is_no_rollback",
			test_a_new_name_for_the_running_commit_is_no_rollback);
	g_test_add_func("/state/a_target_that_was_left_is_nothing_to_go_back_to",
			test_a_target_that_was_left_is_nothing_to_go_back_to);
	g_test_add_func("/state/the_oldest_events_are_forgotten",
			test_the_oldest_events_are_forgotten);
	g_test_add_func("/state/a_floor_holds_once_its_target_works",
			test_a_floor_holds_once_its_target_works);
	g_test_add_func("/state/the_floor_of_what_failed_does_not_hold",
			test_the_floor_of_what_failed_does_not_hold);
	g_test_add_func("/state/floors_of_another_form_are_refused",
			test_floors_of_another_form_are_refused);
	g_test_add_func("/state/of_a_target_only_the_apps_that_a_bundle_may_hold_are_kept",
			test_of_a_target_only_the_apps_that_a_bundle_may_hold_are_kept);
	g_test_add_func("/state/to_adopt_what_is_current_changes_nothing",
			test_to_adopt_what_is_current_changes_nothing);
	return g_test_run();
}
