#include "../../installer/apps_start.h"
#include "../support/fake_engine.h"
#include <glib/gstdio.h>

#define HOST "unix:///run/engine"

/* A Compose program that notes with which words it was called, and where it was to find the engine.
 */
typedef struct {
	char *dir;
	char *program;
} FakeProgram;

static void
fake_program_init(FakeProgram *self, const char *name, const char *end)
{
	g_autofree char *script = NULL;
	g_autoptr(GError) error = NULL;

	self->dir = temp_dir_new();
	self->program = g_build_filename(self->dir, name, NULL);
	script = g_strdup_printf(
		"#!/bin/sh\nprintf '%%s|' \"$@\" >'%s/words'\n"
		"printf '%%s' \"$DOCKER_HOST$DOCKER_CONTEXT$COMPOSE_FILE\" >'%s/host'\n%s\n",
		self->dir, self->dir, end);
	g_file_set_contents(self->program, script, -1, &error);
	g_assert_no_error(error);
	g_assert_cmpint(g_chmod(self->program, 0755), ==, 0);
}

static void
fake_program_clear(FakeProgram *self)
{
	g_free(self->program);
	temp_dir_free(self->dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FakeProgram, fake_program_clear)

static void
assert_noted(const FakeProgram *self, const char *file, const char *expected)
{
	g_autofree char *path = g_build_filename(self->dir, file, NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	g_file_get_contents(path, &text, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(text, ==, expected);
}

typedef gboolean (*Act)(const SatchelCompose *self, const char *folder, const char *project,
			GError **error);

/* Docker's plugin takes options of all commands behind `compose` and before the command. */
static void
test_the_words_are_those_of_compose_v2_and_of_the_program_before_it(void)
{
	static const struct {
		Act act;
		const char *words;
	} rows[] = {
		{satchel_compose_check, "config|"},
		{satchel_compose_create, "up|--no-start|--remove-orphans|--no-build|"},
		{satchel_compose_up, "up|-d|--remove-orphans|--no-build|"},
	};
	g_auto(FakeProgram) fake = {0};
	const char *const plugin[] = {NULL, "compose", NULL};
	const char *const alone[] = {NULL, NULL};

	fake_program_init(&fake, "docker", "");
	for (guint i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
		const char *words[3] = {fake.program, i % 2 == 0 ? plugin[1] : alone[1], NULL};
		SatchelCompose compose = {.program = words, .host = HOST};
		g_autoptr(GError) error = NULL;
		g_autofree char *expected = g_strconcat(i % 2 == 0 ? "compose|" : "",
							"-p|web|-f|/a/web/docker-compose.yml|-f|"
							"/a/web/.satchel.json|",
							rows[i / 2].words, NULL);

		g_assert_true(rows[i / 2].act(&compose, "/a/web", "web", &error));
		g_assert_no_error(error);
		assert_noted(&fake, "words", expected);
		assert_noted(&fake, "host", HOST);
	}
}

static void
test_podman_compose_checks_without_config(void)
{
	g_auto(FakeProgram) fake = {0};
	const char *words[3] = {NULL};
	SatchelCompose compose = {.program = words, .host = HOST};
	g_autoptr(GError) error = NULL;

	fake_program_init(&fake, "podman-compose", "");
	words[0] = fake.program;
	words[1] = "--in-pod=0";
	g_assert_true(satchel_compose_check(&compose, "/a/web", "web", &error));
	g_assert_no_error(error);
	assert_noted(&fake, "words",
		     "--in-pod=0|-p|web|-f|/a/web/docker-compose.yml|-f|/a/web/.satchel.json|"
		     "--dry-run|ps|");
}

static void
assert_fails(const char *end, Act act, SatchelError code, const char *message)
{
	g_auto(FakeProgram) fake = {0};
	const char *words[2] = {NULL, NULL};
	SatchelCompose compose = {.program = words, .host = HOST};
	g_autoptr(GError) error = NULL;

	fake_program_init(&fake, "docker", end);
	words[0] = fake.program;
	g_assert_false(act(&compose, "/a", "web", &error));
	g_assert_error(error, SATCHEL_ERROR, (int)code);
	g_assert_true(g_str_has_suffix(error->message, message));
}

static void
test_what_the_program_says_last_is_the_error(void)
{
	const char *said = "echo 'for web  no such thing' >&2; echo Encountered errors >&2; exit 1";

	assert_fails(said, satchel_compose_up, SATCHEL_ERROR_FAILED,
		     "exit status 1: for web  no such thing; Encountered errors");
	assert_fails(said, satchel_compose_check, SATCHEL_ERROR_CONTENT_INVALID,
		     "Encountered errors");
}

static void
test_a_full_disk_is_told_from_other_failures(void)
{
	const char *said = "echo \"OSError: [Errno 28] No space left on device: 'x'\" >&2; exit 1";

	assert_fails(said, satchel_compose_up, SATCHEL_ERROR_NO_SPACE, "device: 'x'");
	assert_fails(said, satchel_compose_create, SATCHEL_ERROR_NO_SPACE, "device: 'x'");
}

#define LISTED(service)                                                                            \
	"{\"Id\":\"" service "\",\"Labels\":{\"com.docker.compose.service\":\"" service            \
	"\",\"satchel.app\":\"aa\"}}"
#define RUNNING "{\"State\":{\"Status\":\"running\"}}"

static gboolean
wait_for(const char *list, char **services, GError **error)
{
	const FakeAnswer answers[] = {
		{"GET /containers/json", 200, list}, {"GET /containers/", 200, RUNNING}, {0}};
	SatchelCompose compose = {.limit_s = 0, .settle_s = 0};
	SatchelComposeApp app = {
		.name = "Web", .project = "web", .sha256 = "aa", .services = services};
	g_autoptr(GArray) apps = g_array_new(FALSE, FALSE, sizeof(app));
	g_auto(FakeEngine) engine = {0};
	g_autoptr(SatchelEngine) client = NULL;
	gboolean good = FALSE;

	fake_engine_init(&engine, answers);
	client = satchel_engine_new(engine.host);
	g_array_append_val(apps, app);
	good = satchel_compose_wait(&compose, client, apps, NULL, error);
	g_free(g_array_index(apps, SatchelComposeApp, 0).mark);
	return good;
}

static void
test_an_app_is_up_when_each_of_its_services_is(void)
{
	char one[] = "one";
	char two[] = "two";
	char *services[] = {one, two, NULL};
	g_autoptr(GError) error = NULL;

	g_assert_true(wait_for("[" LISTED("one") "," LISTED("two") "]", services, NULL));
	g_assert_false(wait_for("[" LISTED("one") "]", services, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_cmpstr(error->message, ==, "app Web: service two has no container, after 0 s");
}

static void
test_a_project_is_named_as_compose_programs_name_it(void)
{
	static const struct {
		const char *app;
		const char *project;
	} rows[] = {{"web", "web"},
		    {"My.App_2-x", "myapp_2-x"},
		    {"-_a", "a"},
		    {"...", NULL},
		    {"", NULL}};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *project = satchel_compose_project(rows[i].app);

		g_assert_cmpstr(project, ==, rows[i].project);
	}
}

int
main(int argc, char **argv)
{
	/* What would lead the program elsewhere. */
	g_setenv("DOCKER_CONTEXT", "other", TRUE);
	g_setenv("COMPOSE_FILE", "other.yml", TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/apps_start/words",
			test_the_words_are_those_of_compose_v2_and_of_the_program_before_it);
	g_test_add_func("/apps_start/error", test_what_the_program_says_last_is_the_error);
	g_test_add_func("/apps_start/full", test_a_full_disk_is_told_from_other_failures);
	g_test_add_func("/apps_start/services", test_an_app_is_up_when_each_of_its_services_is);
	g_test_add_func("/apps_start/project", test_a_project_is_named_as_compose_programs_name_it);
	g_test_add_func("/apps_start/podman", test_podman_compose_checks_without_config);
	return g_test_run();
}
