#include "../../installer/engine_client.h"
#include "../support/fake_engine.h"

static void
test_only_sockets_are_hosts(void)
{
	g_assert_true(satchel_engine_is_host("unix:///run/podman/podman.sock"));
	g_assert_false(satchel_engine_is_host("unix://run/x"));
	g_assert_false(satchel_engine_is_host("tcp://127.0.0.1:2375"));
	g_assert_false(satchel_engine_is_host("/run/docker.sock"));
}

static void
test_what_is_gone_already_is_no_error(void)
{
	const FakeAnswer answers[] = {{"POST /stopped", 304, ""},
				      {"POST /refused", 409, "{\"message\":\"in use\"}"},
				      {"DELETE /there", 200, ""},
				      {0}};
	g_auto(FakeEngine) engine = {0};
	g_autoptr(SatchelEngine) client = NULL;
	g_autoptr(GError) error = NULL;

	fake_engine_init(&engine, answers);
	client = satchel_engine_new(engine.host);
	g_assert_true(satchel_engine_post(client, "/stopped", 60, NULL));
	g_assert_true(satchel_engine_post(client, "/gone", 60, NULL));
	g_assert_true(satchel_engine_delete(client, "/there", 60, NULL));
	g_assert_true(satchel_engine_delete(client, "/gone", 60, NULL));
	g_assert_false(satchel_engine_post(client, "/refused", 60, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, "status 409: in use"));
}

static void
test_an_engine_that_refuses_answers(void)
{
	const FakeAnswer answers[] = {{"GET /version", 200, "{}"}, {"GET /x", 500, "{}"}, {0}};
	g_auto(FakeEngine) engine = {0};
	g_autoptr(SatchelEngine) client = NULL;
	gboolean absent = FALSE;

	fake_engine_init(&engine, answers);
	client = satchel_engine_new(engine.host);
	g_assert_null(satchel_engine_get(client, "/x", NULL, NULL));
	g_assert_true(satchel_engine_answers(client));
	g_assert_null(satchel_engine_get(client, "/gone", &absent, NULL));
	g_assert_true(absent);
	g_assert_true(satchel_engine_answers(client));
	/* Asked for nothing any more, it is noticed when it has ended. */
	fake_engine_end(&engine);
	g_assert_false(satchel_engine_answers(client));
}

static void
test_an_engine_that_ends_in_the_middle_does_not_answer(void)
{
	const FakeAnswer answers[] = {{"GET /version", 200, "{}"}, {"GET /cut", 0, NULL}, {0}};
	g_auto(FakeEngine) engine = {0};
	g_autoptr(SatchelEngine) client = NULL;
	g_autoptr(GError) error = NULL;

	fake_engine_init(&engine, answers);
	client = satchel_engine_new(engine.host);
	g_assert_null(satchel_engine_get(client, "/cut", NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	/* Though it might by now: what was asked for has no answer. */
	g_assert_false(satchel_engine_answers(client));
}

static void
test_no_request_outlives_the_wish_to_stop(void)
{
	g_auto(FakeEngine) engine = {0};
	g_autoptr(SatchelEngine) client = NULL;
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;
	const FakeAnswer answers[] = {{0}};

	fake_engine_init(&engine, answers);
	client = satchel_engine_new(engine.host);
	g_cancellable_cancel(cancellable);
	satchel_engine_set_cancellable(client, cancellable);
	g_assert_false(satchel_engine_post(client, "/x", 60, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED);
}

/* ---- loading */

#define TOTAL_BYTES 100000u

typedef struct {
	gsize n_left;
	gboolean bad;
} Source;

static gssize
read_source(gpointer user_data, gpointer buffer, gsize n_bytes, GError **error)
{
	Source *self = user_data;
	gsize n = MIN(n_bytes, self->n_left);

	if (self->bad) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "a bad blob");
		return -1;
	}
	memset(buffer, 'x', n);
	self->n_left -= n;
	return (gssize)n;
}

static gboolean
load(const FakeAnswer *answers, gboolean bad, gsize *n_uploaded_bytes, GError **error)
{
	g_auto(FakeEngine) engine = {0};
	g_autoptr(SatchelEngine) client = NULL;
	Source source = {.n_left = TOTAL_BYTES, .bad = bad};
	gboolean good = FALSE;

	fake_engine_init(&engine, answers);
	client = satchel_engine_new(engine.host);
	good = satchel_engine_load(client, read_source, &source, TOTAL_BYTES, 60, NULL, error);
	fake_engine_end(&engine);
	*n_uploaded_bytes = engine.n_uploaded_bytes;
	return good;
}

static void
test_an_archive_is_sent_whole(void)
{
	const FakeAnswer answers[] = {
		{"POST /images/load?quiet=1", 200, "{\"stream\":\"1\"}\r\n{\"stream\":\"2\"}"},
		{0}};
	g_autoptr(GError) error = NULL;
	gsize n_bytes = 0;

	g_assert_true(load(answers, FALSE, &n_bytes, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(n_bytes, ==, TOTAL_BYTES);
}

static void
test_a_load_that_fails_says_why(void)
{
	static const struct {
		FakeAnswer answer;
		const char *why;
	} rows[] = {
		{{"POST ", 200, "{\"stream\":\"x\"}\r\n{\"error\":\"no space\"}"}, "no space"},
		{{"POST ", 500, "{\"message\":\"bad tar\"}"}, "status 500: bad tar"},
		{{"POST ", 0, NULL}, "the engine at "},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const FakeAnswer answers[] = {rows[i].answer, {0}};
		g_autoptr(GError) error = NULL;
		gsize n_bytes = 0;

		g_assert_false(load(answers, FALSE, &n_bytes, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_TARGET_UNREADABLE);
		g_assert_nonnull(strstr(error->message, rows[i].why));
	}
}

static void
test_a_blob_that_cannot_be_read_is_its_own_error(void)
{
	const FakeAnswer answers[] = {{"POST ", 200, ""}, {0}};
	g_autoptr(GError) error = NULL;
	gsize n_bytes = 0;

	g_assert_false(load(answers, TRUE, &n_bytes, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_cmpuint(n_bytes, ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/engine_client/host", test_only_sockets_are_hosts);
	g_test_add_func("/engine_client/gone", test_what_is_gone_already_is_no_error);
	g_test_add_func("/engine_client/refused", test_an_engine_that_refuses_answers);
	g_test_add_func("/engine_client/cut",
			test_an_engine_that_ends_in_the_middle_does_not_answer);
	g_test_add_func("/engine_client/cancelled", test_no_request_outlives_the_wish_to_stop);
	g_test_add_func("/engine_client/load", test_an_archive_is_sent_whole);
	g_test_add_func("/engine_client/load-error", test_a_load_that_fails_says_why);
	g_test_add_func("/engine_client/load-read",
			test_a_blob_that_cannot_be_read_is_its_own_error);
	return g_test_run();
}
