#include "../../installer/deploy_order.h"
#include <string.h>

/* A file system that only remembers what it was told: a letter for each step. */
typedef struct {
	GString *done;
	const char *fails;     /* the steps so far, and the one that then fails; NULL: none */
	const char *fails_too; /* a second such place */
	SatchelError problem;  /* with this */
} Recorder;

static gboolean
step(Recorder *recorder, char letter, GError **error)
{
	g_string_append_c(recorder->done, letter);
	if (g_strcmp0(recorder->fails, recorder->done->str) != 0 &&
	    g_strcmp0(recorder->fails_too, recorder->done->str) != 0)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, recorder->problem, "%c", letter);
	return FALSE;
}

static gboolean
check_room(gpointer data, GError **error)
{
	return step(data, 'r', error);
}

static gboolean
pin(gpointer data, GError **error)
{
	return step(data, 'p', error);
}

static gboolean
settle(gpointer data, GError **error)
{
	return step(data, 's', error);
}

static gboolean
prepare(gpointer data, GError **error)
{
	return step(data, 'd', error);
}

static gboolean
write_list(gpointer data, GError **error)
{
	return step(data, 'w', error);
}

static gboolean
clean(gpointer data, GError **error)
{
	return step(data, 'c', error);
}

static const SatchelDeploySteps steps = {check_room, pin, settle, prepare, write_list, clean};

/* That the deployment whose step @fails (NULL: none) does @expected and no more. */
static void
assert_run(const char *fails, SatchelError problem, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) done = g_string_new(NULL);
	Recorder recorder = {done, fails, NULL, problem};
	gboolean ends_there = fails != NULL && g_str_equal(fails, expected);

	g_assert_cmpint(satchel_deploy_order_run(&steps, &recorder, &error), ==, !ends_there);
	g_assert_cmpstr(done->str, ==, expected);
	if (ends_there)
		g_assert_error(error, SATCHEL_ERROR, (gint)problem);
	else
		g_assert_no_error(error);
}

static void
test_pin_settle_write_settle_clean(void)
{
	assert_run(NULL, SATCHEL_ERROR_FAILED, "rpsdwsc");
}

static void
test_nothing_follows_a_step_that_failed(void)
{
	static const char *const ends[] = {"r", "rp", "rps", "rpsd", "rpsdw", "rpsdws", "rpsdwsc"};

	for (guint i = 0; i < G_N_ELEMENTS(ends); i++)
		assert_run(ends[i], SATCHEL_ERROR_FAILED, ends[i]);
}

/* Said once more, because it is what bricked devices: it does not clean up. */
static void
test_nothing_is_deleted_if_the_freeze_fails(void)
{
	static const char *const freezes[] = {"rps", "rpsdws"};

	for (guint i = 0; i < G_N_ELEMENTS(freezes); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GString) done = g_string_new(NULL);
		Recorder recorder = {done, freezes[i], NULL, SATCHEL_ERROR_FAILED};

		g_assert_false(satchel_deploy_order_run(&steps, &recorder, &error));
		g_assert_null(strchr(done->str, 'c'));
	}
}

static void
test_where_room_lacks_what_was_left_behind_goes_first(void)
{
	/* What is deleted is not wanted any more: the settling before has made sure. */
	assert_run("r", SATCHEL_ERROR_NO_SPACE, "rpscrdwsc");
}

static void
test_where_room_still_lacks_nothing_is_deployed(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) done = g_string_new(NULL);
	Recorder recorder = {done, "r", "rpscr", SATCHEL_ERROR_NO_SPACE};

	g_assert_false(satchel_deploy_order_run(&steps, &recorder, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE);
	g_assert_cmpstr(done->str, ==, "rpscr");
}

static void
test_finishing_settles_before_it_cleans(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) done = g_string_new(NULL);
	Recorder recorder = {done, NULL, NULL, SATCHEL_ERROR_FAILED};

	g_assert_true(satchel_deploy_order_finish(&steps, &recorder, &error));
	g_assert_cmpstr(done->str, ==, "sc");
	g_string_truncate(done, 0);
	recorder.fails = "s";
	g_assert_false(satchel_deploy_order_finish(&steps, &recorder, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_cmpstr(done->str, ==, "s");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/deploy-order/whole", test_pin_settle_write_settle_clean);
	g_test_add_func("/deploy-order/each-step-fails", test_nothing_follows_a_step_that_failed);
	g_test_add_func("/deploy-order/no-freeze-no-clean-up",
			test_nothing_is_deleted_if_the_freeze_fails);
	g_test_add_func("/deploy-order/room-made",
			test_where_room_lacks_what_was_left_behind_goes_first);
	g_test_add_func("/deploy-order/no-room", test_where_room_still_lacks_nothing_is_deployed);
	g_test_add_func("/deploy-order/finish", test_finishing_settles_before_it_cleans);
	return g_test_run();
}
