#include <satchel/error.h>

static void
test_domain_has_its_name(void)
{
	g_assert_cmpstr(g_quark_to_string(SATCHEL_ERROR), ==, "satchel-error-quark");
	g_assert_true(SATCHEL_ERROR == satchel_error_quark());
}

/* A caller that tests for the domain must not take GLib's own errors for ours. */
static void
test_domain_is_not_another(void)
{
	g_autoptr(GError) error = g_error_new(SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "x");

	g_assert_false(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_EXIST));
	g_assert_true(g_error_matches(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/error/domain-has-its-name", test_domain_has_its_name);
	g_test_add_func("/error/domain-is-not-another", test_domain_is_not_another);
	return g_test_run();
}
