#include "../../verify/signed_role.h"

static void
assert_refused(const char *text, gsize max_bytes, const char *message)
{
	g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_signed_role_parse(bytes, "targets", "role 'x'", max_bytes,
						SATCHEL_DIALECT_TUF, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID);
	g_assert_cmpstr(error->message, ==, message);
}

static void
test_refusals_name_the_role(void)
{
	assert_refused("{}", 100, "role 'x': no member 'signatures'");
}

static void
test_size_is_looked_at_before_the_content(void)
{
	assert_refused("{}", 2, "role 'x': no member 'signatures'");
	assert_refused("{}", 1, "role 'x': longer than 1 bytes");
	assert_refused("{]", 1, "role 'x': longer than 1 bytes");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/signed-role/refusals-name-the-role", test_refusals_name_the_role);
	g_test_add_func("/signed-role/size-is-looked-at-before-the-content",
			test_size_is_looked_at_before_the_content);
	return g_test_run();
}
