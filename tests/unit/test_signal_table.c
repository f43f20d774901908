#include "../../installer/signal_table.h"

static void
test_every_state_has_a_name_and_a_message_id_of_its_own(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i <= SATCHEL_SIGNAL_LAST; i++) {
		const SatchelSignalRow *row = satchel_signal_table_get((SatchelSignalState)i);

		g_assert_true(g_hash_table_add(seen, (gpointer)(guintptr)row->name));
		g_assert_true(g_hash_table_add(seen, (gpointer)(guintptr)row->message_id));
	}
}

static void
test_only_news_are_told(void)
{
	SatchelSignalMemory memory = {0};

#define TAKE(state, percent) satchel_signal_memory_take(&memory, state, percent)
	g_assert_cmpint(TAKE(SATCHEL_SIGNAL_IDLE, -1), ==, SATCHEL_SIGNAL_TRANSITION);
	g_assert_cmpint(TAKE(SATCHEL_SIGNAL_IDLE, -1), ==, SATCHEL_SIGNAL_NO_NEWS);
	g_assert_cmpint(TAKE(SATCHEL_SIGNAL_COPYING, 0), ==, SATCHEL_SIGNAL_TRANSITION);
	g_assert_cmpint(TAKE(SATCHEL_SIGNAL_COPYING, 0), ==, SATCHEL_SIGNAL_NO_NEWS);
	g_assert_cmpint(TAKE(SATCHEL_SIGNAL_COPYING, 7), ==, SATCHEL_SIGNAL_PROGRESS);
	/* Never back. */
	g_assert_cmpint(TAKE(SATCHEL_SIGNAL_COPYING, 6), ==, SATCHEL_SIGNAL_NO_NEWS);
	g_assert_cmpint(TAKE(SATCHEL_SIGNAL_SAFE, -1), ==, SATCHEL_SIGNAL_TRANSITION);
	g_assert_cmpint(TAKE(SATCHEL_SIGNAL_COPYING, 3), ==, SATCHEL_SIGNAL_TRANSITION);
#undef TAKE
}

static void
test_a_line_tells_state_percentage_and_text(void)
{
	g_autofree char *idle = satchel_signal_line(SATCHEL_SIGNAL_IDLE, -1, "");
	g_autofree char *copying = satchel_signal_line(SATCHEL_SIGNAL_COPYING, 43, "t-2");
	g_autofree char *bare = satchel_signal_line(SATCHEL_SIGNAL_COPYING, 43, "");
	g_autofree char *done = satchel_signal_line(SATCHEL_SIGNAL_DONE, -1, "t-2 runs");

	g_assert_cmpstr(idle, ==, "idle");
	g_assert_cmpstr(copying, ==, "copying 43%: t-2");
	g_assert_cmpstr(bare, ==, "copying 43%");
	g_assert_cmpstr(done, ==, "done: t-2 runs");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/signal-table/own",
			test_every_state_has_a_name_and_a_message_id_of_its_own);
	g_test_add_func("/signal-table/news", test_only_news_are_told);
	g_test_add_func("/signal-table/line", test_a_line_tells_state_percentage_and_text);
	return g_test_run();
}
