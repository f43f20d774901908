#include "../../verify/medium_error.h"
#include <string.h>

static void
assert_message(SatchelMediumFault fault, const char *detail, const char *message)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_medium_error_set(&error, fault, "a\n/b", 4096, detail));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_cmpstr(error->message, ==, message);
}

static void
test_each_fault_says_what_to_do(void)
{
	assert_message(SATCHEL_MEDIUM_MISSING, NULL,
		       "a\\x0a/b is missing; the copy is incomplete: copy it again");
	assert_message(SATCHEL_MEDIUM_TOO_SHORT, NULL,
		       "a\\x0a/b, byte 4096: it ends there; the copy is incomplete: copy it again");
	assert_message(SATCHEL_MEDIUM_UNREADABLE, "Input/output error",
		       "a\\x0a/b, byte 4096: cannot be read (Input/output error); the stick is "
		       "failing");
	assert_message(SATCHEL_MEDIUM_WRONG_HASH, NULL,
		       "a\\x0a/b, byte 4096: it is damaged or was altered; where nobody altered "
		       "it, the stick is failing");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/medium-error/each-fault-says-what-to-do",
			test_each_fault_says_what_to_do);
	return g_test_run();
}
