#include "../../bundler/image_name.h"
#include "../../bundler/registry_auth.h"
#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
test_a_bearer_challenge_says_where_the_token_is(void)
{
	g_auto(SatchelRegistryChallenge) challenge = {0};
	g_autofree char *url = NULL;

	g_assert_true(satchel_registry_challenge_parse(
		"Bearer realm=\"https://auth.example.org/token?a=1\",service=\"reg \\\"1\\\"\", "
		"scope=\"repository:x/y:pull\"",
		&challenge));
	g_assert_true(challenge.is_bearer);
	url = satchel_registry_challenge_url(&challenge, "repository:other:pull");
	g_assert_cmpstr(url, ==,
			"https://auth.example.org/token?a=1&service=reg%20%221%22&scope="
			"repository%3Ax%2Fy%3Apull");
}

static void
test_other_challenges_are_basic_or_none(void)
{
	static const char *const wrong[] = {"Digest realm=\"x\"", "", "Bearer service=\"x\"",
					    "Bearer"};
	g_auto(SatchelRegistryChallenge) basic = {0};

	g_assert_true(satchel_registry_challenge_parse("basic realm=x", &basic));
	g_assert_false(basic.is_bearer);
	g_assert_cmpstr(basic.realm, ==, "x");
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_auto(SatchelRegistryChallenge) challenge = {0};

		g_assert_false(satchel_registry_challenge_parse(wrong[i], &challenge));
	}
}

static char *
find(const char *config, const char *host)
{
	g_autoptr(GBytes) bytes = g_bytes_new(config, strlen(config));
	g_autoptr(GError) error = NULL;
	char *basic = NULL;

	g_assert_true(satchel_registry_auth_find(bytes, host, &basic, &error));
	g_assert_no_error(error);
	return basic;
}

static void
test_credentials_are_found_by_host(void)
{
	static const char config[] =
		"{\"auths\":{\"a.example.org\":{\"auth\":\"QUFB\"},"
		"\"https://index.docker.io/v1/\":{\"username\":\"u\",\"password\":\"p\"},"
		"\"https://b.example.org/v1/\":{\"auth\":\"QkJC\"},"
		"\"c.example.org\":{\"auth\":\"x\\r\\ny\"}},\"credsStore\":\"/bin/false\"}";
	g_autofree char *a = find(config, "a.example.org");
	g_autofree char *hub = find(config, "docker.io");
	g_autofree char *b = find(config, "b.example.org");
	g_autofree char *split = find(config, "c.example.org");
	g_autofree char *none = find(config, "d.example.org");
	g_autofree char *empty = find("{}", "a.example.org");
	g_autoptr(GBytes) bad = g_bytes_new_static("[", 1);
	g_autoptr(GError) error = NULL;
	char *basic = NULL;

	g_assert_cmpstr(a, ==, "Basic QUFB");
	g_assert_cmpstr(hub, ==, "Basic dTpw");
	g_assert_cmpstr(b, ==, "Basic QkJC");
	/* A header in a header. */
	g_assert_null(split);
	g_assert_null(none);
	g_assert_null(empty);
	g_assert_false(satchel_registry_auth_find(bad, "a", &basic, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
}

static void
test_a_token_has_two_names_and_no_line_breaks(void)
{
	static const struct {
		const char *text;
		const char *token;
	} rows[] = {
		{"{\"token\":\"t\"}", "Bearer t"},
		{"{\"access_token\":\"a\"}", "Bearer a"},
		{"{\"token\":\"t\\r\\nX: y\"}", NULL},
		{"{\"token\":\"\"}", NULL},
		{"{}", NULL},
		{"no JSON", NULL},
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GBytes) bytes = g_bytes_new(rows[i].text, strlen(rows[i].text));
		g_autofree char *token = satchel_registry_auth_parse_token(bytes);

		g_assert_cmpstr(token, ==, rows[i].token);
	}
}

static void
test_names_get_dockers_defaults(void)
{
	static const struct {
		const char *text;
		const char *tagged; /* NULL: no tag */
		const char *name;
	} rows[] = {
		{"busybox", "docker.io/library/busybox:latest", "docker.io/library/busybox"},
		{"me/app:1", "docker.io/me/app:1", "docker.io/me/app"},
		{"localhost/app", "localhost/app:latest", "localhost/app"},
		{"h.io:5000/a/b:x", "h.io:5000/a/b:x", "h.io:5000/a/b"},
		{"h.io/a@sha256:" HEX, NULL, "h.io/a"},
		{"index.docker.io/a:1", "docker.io/library/a:1", "docker.io/library/a"},
	};
	static const char *const wrong[] = {"",	    "a:",	 ":1",	      "a@sha256:12", "a b",
					    "${X}", "h.io/../a", "h.io//a:1", "a:b c"};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(SatchelImageName) name = satchel_image_name_parse(rows[i].text, &error);
		g_autofree char *tagged = NULL;
		g_autofree char *plain = NULL;

		g_assert_no_error(error);
		tagged = satchel_image_name_format_tagged(name);
		plain = satchel_image_name_format(name);
		g_assert_cmpstr(tagged, ==, rows[i].tagged);
		g_assert_cmpstr(plain, ==, rows[i].name);
	}
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(satchel_image_name_parse(wrong[i], &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID);
	}
}

static void
test_only_addresses_of_this_machine_are_loopback(void)
{
	static const char *const own[] = {"localhost",	"localhost:5000", "LocalHost",
					  "127.0.0.1",	"127.0.0.1:5000", "127.255.3.4",
					  "[::1]:5000", "[::1]",	  "::1"};
	static const char *const others[] = {"127.evil.example",  "127.evil.example:5000",
					     "127.0.0.1.example", "127.1",
					     "128.0.0.1",	  "localhost.example",
					     "localhostx",	  "[::2]:5000",
					     "[127.0.0.1",	  "",
					     "10.0.0.1:5000"};

	for (guint i = 0; i < G_N_ELEMENTS(own); i++) {
		if (!satchel_registry_auth_is_loopback(own[i]))
			g_error("%s is not loopback", own[i]);
	}
	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		if (satchel_registry_auth_is_loopback(others[i]))
			g_error("%s is loopback", others[i]);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/registry-auth/bearer", test_a_bearer_challenge_says_where_the_token_is);
	g_test_add_func("/registry-auth/basic", test_other_challenges_are_basic_or_none);
	g_test_add_func("/registry-auth/find", test_credentials_are_found_by_host);
	g_test_add_func("/registry-auth/token", test_a_token_has_two_names_and_no_line_breaks);
	g_test_add_func("/image-name/defaults", test_names_get_dockers_defaults);
	g_test_add_func("/registry-auth/loopback",
			test_only_addresses_of_this_machine_are_loopback);
	return g_test_run();
}
