#include "../../installer/app_containers.h"
#include "../support/fake_engine.h"

#define SHA "aaaa"
#define LABELS(service, sha)                                                                       \
	"\"Labels\":{\"com.docker.compose.service\":\"" service "\",\"satchel.app\":\"" sha "\"}"
#define LISTED(id, state, service, sha)                                                            \
	"{\"Id\":\"" id "\",\"State\":\"" state "\"," LABELS(service, sha) "}"
#define DETAILS(state, policy)                                                                     \
	"{\"Id\":\"x\",\"State\":{" state "},\"RestartCount\":0,"                                  \
	"\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"" policy "\"}}}"
#define RUNNING DETAILS("\"Status\":\"running\"", "always")
#define ENDED(status, policy) DETAILS("\"Status\":\"exited\",\"ExitCode\":" status, policy)
#define HEALTH(word) DETAILS("\"Status\":\"running\",\"Health\":{\"Status\":\"" word "\"}", "")
#define BOTH "[" LISTED("1", "x", "one", SHA) "," LISTED("2", "x", "two", SHA) "]"

static gboolean
look(const FakeAnswer *answers, SatchelAppView *view, GError **error)
{
	static const char *const services[] = {"one", "two", NULL};
	g_auto(FakeEngine) engine = {0};
	g_autoptr(SatchelEngine) client = NULL;

	fake_engine_init(&engine, answers);
	client = satchel_engine_new(engine.host);
	return satchel_app_containers_look(client, "web", SHA, services, view, error);
}

/* An app of two services. */
typedef struct {
	const char *one;
	const char *two;
	SatchelAppHealth health;
	guint n_running;
	const char *why;
} JudgeRow;

static void
assert_judged(const JudgeRow *row)
{
	const FakeAnswer answers[] = {{"GET /containers/json?all=1", 200, BOTH},
				      {"GET /containers/1/json", 200, row->one},
				      {"GET /containers/2/json", 200, row->two},
				      {0}};
	g_auto(SatchelAppView) view = {0};
	g_autoptr(GError) error = NULL;

	g_assert_true(look(answers, &view, &error));
	g_assert_no_error(error);
	if (view.health != row->health || view.n_running != row->n_running ||
	    g_strcmp0(view.why, row->why) != 0)
		g_error("%s and %s: %d, %u running, '%s'", row->one, row->two, (int)view.health,
			view.n_running, view.why);
}

static void
test_the_worst_service_tells_of_the_app(void)
{
	static const JudgeRow rows[] = {
		{RUNNING, RUNNING, SATCHEL_APP_RUNS, 2, NULL},
		{RUNNING, HEALTH("healthy"), SATCHEL_APP_RUNS, 2, NULL},
		{RUNNING, HEALTH("starting"), SATCHEL_APP_WAITING, 2,
		 "service two is not healthy yet"},
		{HEALTH("starting"), HEALTH("unhealthy"), SATCHEL_APP_FAILED, 2,
		 "service two is unhealthy"},
		{HEALTH("unhealthy"), HEALTH("starting"), SATCHEL_APP_FAILED, 2,
		 "service one is unhealthy"},
		{RUNNING, DETAILS("\"Status\":\"created\"", ""), SATCHEL_APP_WAITING, 1,
		 "service two was not started"},
		{RUNNING, DETAILS("\"Status\":\"restarting\"", "always"), SATCHEL_APP_WAITING, 1,
		 "service two ends and is started again"},
		{RUNNING, DETAILS("\"Status\":\"dead\"", ""), SATCHEL_APP_FAILED, 1,
		 "service two is dead"},
		{RUNNING, DETAILS("\"Status\":\"removing\"", ""), SATCHEL_APP_FAILED, 1,
		 "service two is dead"},
		{RUNNING, "{}", SATCHEL_APP_WAITING, 1, "service two was not started"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_judged(&rows[i]);
}

static void
test_only_what_is_not_to_run_again_may_end(void)
{
	static const JudgeRow rows[] = {
		{RUNNING, ENDED("0", "no"), SATCHEL_APP_RUNS, 1, NULL},
		{RUNNING, ENDED("0", ""), SATCHEL_APP_RUNS, 1, NULL},
		{RUNNING, ENDED("0", "on-failure"), SATCHEL_APP_RUNS, 1, NULL},
		{ENDED("0", "no"), ENDED("0", "no"), SATCHEL_APP_RUNS, 0, NULL},
		{RUNNING, ENDED("0", "always"), SATCHEL_APP_WAITING, 1,
		 "service two has ended with status 0"},
		{RUNNING, ENDED("0", "unless-stopped"), SATCHEL_APP_WAITING, 1,
		 "service two has ended with status 0"},
		{RUNNING, ENDED("3", "no"), SATCHEL_APP_FAILED, 1,
		 "service two has ended with status 3"},
		{RUNNING, ENDED("3", "on-failure"), SATCHEL_APP_WAITING, 1,
		 "service two has ended with status 3"},
		{RUNNING, DETAILS("\"Status\":\"stopped\",\"ExitCode\":1", "no"),
		 SATCHEL_APP_FAILED, 1, "service two has ended with status 1"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
		assert_judged(&rows[i]);
}

static void
test_other_versions_do_not_count(void)
{
	const FakeAnswer answers[] = {
		{"GET /containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.docker.compose."
		 "project%3Dweb%22%5D%7D",
		 200, "[" LISTED("1", "running", "one", "bbbb") ",{\"Id\":\"2\"}]"},
		{"GET /containers/", 500, "{\"message\":\"nobody asks\"}"},
		{0}};
	g_auto(SatchelAppView) view = {0};
	g_autoptr(GError) error = NULL;

	g_assert_true(look(answers, &view, &error));
	g_assert_cmpint(view.health, ==, SATCHEL_APP_WAITING);
	g_assert_cmpstr(view.why, ==, "it has no containers of this version");
	g_assert_cmpstr(view.mark, ==, "");
}

/* A Compose program was cut off between the two. */
static void
test_a_service_without_a_container_is_waited_for(void)
{
	static const char *const lists[] = {
		"[" LISTED("1", "running", "one", SHA) "]",
		"[" LISTED("1", "running", "one", SHA) "," LISTED("2", "running", "two",
								  "bbbb") "]",
	};

	for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
		const FakeAnswer answers[] = {{"GET /containers/json", 200, lists[i]},
					      {"GET /containers/1/json", 200, RUNNING},
					      {0}};
		g_auto(SatchelAppView) view = {0};

		g_assert_true(look(answers, &view, NULL));
		g_assert_cmpint(view.health, ==, SATCHEL_APP_WAITING);
		g_assert_cmpstr(view.why, ==, "service two has no container");
		g_assert_cmpuint(view.n_running, ==, 1);
	}
}

/* It went away since it was listed. */
static void
test_a_container_that_has_gone_does_not_count(void)
{
	const FakeAnswer answers[] = {
		{"GET /containers/json", 200, BOTH}, {"GET /containers/2/json", 200, RUNNING}, {0}};
	g_auto(SatchelAppView) view = {0};

	g_assert_true(look(answers, &view, NULL));
	g_assert_cmpint(view.health, ==, SATCHEL_APP_WAITING);
	g_assert_cmpstr(view.why, ==, "service one has no container");
	g_assert_cmpuint(view.n_running, ==, 1);
}

static void
test_what_the_engine_cannot_tell_is_an_error(void)
{
	static const FakeAnswer rows[][3] = {
		{{"GET /containers/json", 500, "{\"message\":\"out of\\norder\"}"}},
		{{"GET /containers/json", 200, "{}"}},
		{{"GET /containers/json", 200, "no JSON"}},
		{{"GET /containers/json", 200, BOTH}, {"GET /containers/1", 500, "{}"}},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(SatchelAppView) view = {0};
		g_autoptr(GError) error = NULL;

		g_assert_false(look(rows[i], &view, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
		g_assert_true(i != 0 || strstr(error->message, "out of\\x0aorder") != NULL);
	}
}

#define ALL                                                                                        \
	"[" LISTED("1", "running", "one", "bbbb") "," LISTED(                                      \
		"2", "exited", "two", SHA) "," LISTED("3", "created", "three", SHA) "]"

static void
assert_done(gboolean (*act)(SatchelEngine *, const char *, GError **), const FakeAnswer *answers,
	    gboolean expected, const char *requests)
{
	g_auto(FakeEngine) engine = {0};
	g_autoptr(SatchelEngine) client = NULL;
	g_autoptr(GError) error = NULL;
	const char *second = NULL;

	fake_engine_init(&engine, answers);
	client = satchel_engine_new(engine.host);
	g_assert_true(act(client, "web", &error) == expected);
	g_assert_true((error == NULL) == expected);
	fake_engine_end(&engine);
	/* The first asks for the list. */
	second = strchr(engine.requests->str, '\n') + 1;
	g_assert_cmpstr(second, ==, requests);
}

static void
test_what_runs_of_any_version_is_stopped(void)
{
	const FakeAnswer answers[] = {
		{"GET /containers/json", 200, ALL}, {"POST /containers/1/stop", 304, ""}, {0}};
	const FakeAnswer bad[] = {
		{"GET /containers/json", 200, ALL}, {"POST /containers/1/stop", 500, "{}"}, {0}};

	assert_done(satchel_app_containers_stop, answers, TRUE, "POST /containers/1/stop\n");
	assert_done(satchel_app_containers_stop, bad, FALSE, "POST /containers/1/stop\n");
}

static void
test_containers_and_networks_are_removed(void)
{
	const FakeAnswer answers[] = {{"GET /containers/json", 200, ALL},
				      {"POST ", 204, ""},
				      {"DELETE ", 204, ""},
				      {"GET /networks", 200, "[{\"Id\":\"a/b\"}]"},
				      {0}};
	const FakeAnswer bad[] = {{"GET /containers/json", 200, "[]"},
				  {"GET /networks", 200, "[{\"Id\":\"n\"}]"},
				  {"DELETE ", 403, "{}"},
				  {0}};
	const char *const networks =
		"GET /networks?filters=%7B%22label%22%3A%5B%22com.docker.compose.project%3Dweb%22"
		"%5D%7D\n";
	g_autofree char *all = g_strconcat("POST /containers/1/stop\n"
					   "DELETE /containers/1?force=1\n"
					   "DELETE /containers/2?force=1\n"
					   "DELETE /containers/3?force=1\n",
					   networks, "DELETE /networks/a%2Fb\n", NULL);
	g_autofree char *few = g_strconcat(networks, "DELETE /networks/n\n", NULL);

	assert_done(satchel_app_containers_remove, answers, TRUE, all);
	assert_done(satchel_app_containers_remove, bad, FALSE, few);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/app_containers/worst", test_the_worst_service_tells_of_the_app);
	g_test_add_func("/app_containers/ended", test_only_what_is_not_to_run_again_may_end);
	g_test_add_func("/app_containers/version", test_other_versions_do_not_count);
	g_test_add_func("/app_containers/missing",
			test_a_service_without_a_container_is_waited_for);
	g_test_add_func("/app_containers/gone", test_a_container_that_has_gone_does_not_count);
	g_test_add_func("/app_containers/error", test_what_the_engine_cannot_tell_is_an_error);
	g_test_add_func("/app_containers/stop", test_what_runs_of_any_version_is_stopped);
	g_test_add_func("/app_containers/remove", test_containers_and_networks_are_removed);
	return g_test_run();
}
