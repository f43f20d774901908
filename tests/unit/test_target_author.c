#include "../../bundler/target_author.h"
#include "../../verify/json.h"

#define COMMIT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DIGEST "@sha256:" COMMIT

static const char *const one_tag[] = {"devel", NULL};

/* A draft that is good; @apps is to be freed by the caller. */
static SatchelTargetDraft
good_draft(GPtrArray *apps)
{
	return (SatchelTargetDraft){.name = "lmp",
				    .version = 3,
				    .hardware_id = "intel",
				    .tags = one_tag,
				    .commit = COMMIT,
				    .apps = apps,
				    .now_s = 1700000000};
}

static char *
add_to_empty(const SatchelTargetDraft *draft, json_t **targets, GError **error)
{
	*targets = json_pack("{s:{}}", "targets");
	return satchel_target_author_add(*targets, draft, error);
}

static void
test_a_target_has_the_form_of_the_field(void)
{
	g_autoptr(GPtrArray) apps = g_ptr_array_new();
	g_autoptr(SatchelJson) custom = json_pack("{s:i}", "more", 1);
	g_autoptr(SatchelJson) targets = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *name = NULL;
	g_autofree char *text = NULL;
	SatchelTargetDraft draft = good_draft(apps);
	char app_name[] = "a";
	char app_uri[] = "h/f/a" DIGEST;
	SatchelAppDraft app = {app_name, app_uri};

	g_ptr_array_add(apps, &app);
	draft.custom = custom;
	name = add_to_empty(&draft, &targets, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(name, ==, "lmp-3");
	bytes = satchel_json_canonicalize(targets, SATCHEL_DIALECT_UPTANE, &error);
	text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	g_assert_cmpstr(
		text, ==,
		"{\"targets\":{\"lmp-3\":{\"custom\":{\"createdAt\":\"2023-11-14T22:13:20Z\","
		"\"docker_compose_apps\":{\"a\":{\"uri\":\"h/f/a" DIGEST "\"}},"
		"\"hardwareIds\":[\"intel\"],\"more\":1,\"name\":\"lmp\",\"tags\":[\"devel\"],"
		"\"targetFormat\":\"OSTREE\",\"updatedAt\":\"2023-11-14T22:13:20Z\","
		"\"version\":\"3\"},\"hashes\":{\"sha256\":\"" COMMIT "\"},\"length\":0}}}");
}

static void
assert_refused(const SatchelTargetDraft *draft)
{
	g_autoptr(SatchelJson) targets = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *name = add_to_empty(draft, &targets, &error);

	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
	g_assert_null(name);
	g_assert_cmpuint(json_object_size(json_object_get(targets, "targets")), ==, 0);
}

static void
test_names_of_a_wrong_form_are_refused(void)
{
	static const char *const wrong[] = {"",	   ".",	   "..",   "-x",  "a b",     "a/b",
					    "a,b", "a\"b", "a\\b", "a\n", "\xc3\xa9"};
	g_autoptr(GPtrArray) apps = g_ptr_array_new();
	g_autofree char *longest = g_strnfill(129, 'a');

	for (guint i = 0; i <= G_N_ELEMENTS(wrong); i++) {
		const char *text = i < G_N_ELEMENTS(wrong) ? wrong[i] : longest;
		const char *const tags[] = {"good", text, NULL};
		SatchelTargetDraft draft = good_draft(apps);

		draft.name = text;
		assert_refused(&draft);
		draft = good_draft(apps);
		draft.hardware_id = text;
		assert_refused(&draft);
		draft = good_draft(apps);
		draft.tags = tags;
		assert_refused(&draft);
	}
}

static void
test_a_draft_that_lacks_something_is_refused(void)
{
	const char *const no_tags[] = {NULL};
	g_autoptr(GPtrArray) apps = g_ptr_array_new();
	SatchelTargetDraft draft = good_draft(apps);

	draft.tags = no_tags;
	assert_refused(&draft);
	draft = good_draft(apps);
	draft.version = 0;
	assert_refused(&draft);
	draft = good_draft(apps);
	draft.commit = "0011";
	assert_refused(&draft);
	draft = good_draft(apps);
	draft.lowest_version = draft.version + 1;
	assert_refused(&draft);
	draft.lowest_version = -1;
	assert_refused(&draft);
}

static void
test_a_release_is_never_changed(void)
{
	g_autoptr(GPtrArray) apps = g_ptr_array_new();
	g_autoptr(SatchelJson) targets = NULL;
	g_autoptr(SatchelJson) before = NULL;
	g_autoptr(GError) error = NULL;
	SatchelTargetDraft draft = good_draft(apps);
	g_autofree char *name = add_to_empty(&draft, &targets, &error);
	g_autofree char *again = NULL;

	g_assert_no_error(error);
	g_assert_nonnull(name);
	before = json_deep_copy(targets);
	draft.hardware_id = "other";
	again = satchel_target_author_add(targets, &draft, &error);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_null(again);
	g_assert_true(json_equal(before, targets));
}

static void
test_custom_members_replace_nothing(void)
{
	static const char *const fixed[] = {
		"name",	     "version",	     "hardwareIds",	    "tags",	"createdAt",
		"updatedAt", "targetFormat", "docker_compose_apps", "x-satchel"};
	g_autoptr(GPtrArray) apps = g_ptr_array_new();

	for (guint i = 0; i < G_N_ELEMENTS(fixed); i++) {
		g_autoptr(SatchelJson) custom = json_pack("{s:s}", fixed[i], "mine");
		SatchelTargetDraft draft = good_draft(apps);

		draft.custom = custom;
		assert_refused(&draft);
	}
}

static void
test_an_app_is_a_name_and_a_pinned_address(void)
{
	g_autoptr(GError) error = NULL;
	SatchelAppDraft *app = satchel_target_author_parse_app(
		"web=hub.example.org:5000/factory/web.app_1-x" DIGEST, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(app->name, ==, "web");
	g_assert_cmpstr(app->uri, ==, "hub.example.org:5000/factory/web.app_1-x" DIGEST);
	satchel_target_author_free_app(app);
}

static void
test_other_app_addresses_are_refused(void)
{
	static const char *const wrong[] = {"h/f/a" DIGEST,	  "=h/f/a" DIGEST,
					    "a=f/a" DIGEST,	  "a=h/f/g/a" DIGEST,
					    "a=/f/a" DIGEST,	  "a=h//a" DIGEST,
					    "a=h/f/" DIGEST,	  "a=h/f/a",
					    "a=h/f/a:latest",	  "a=h/f/a@sha256:",
					    "a=h/f/a" DIGEST "0", "a=h/f/a@md5:" COMMIT,
					    "a=h/f/a@b" DIGEST,	  "a=h/f/a b" DIGEST,
					    "a=-h/f/a" DIGEST,	  "a=h/f/a\xc3\xa9" DIGEST};

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(satchel_target_author_parse_app(wrong[i], &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/target_author/a_target_has_the_form_of_the_field",
			test_a_target_has_the_form_of_the_field);
	g_test_add_func("/target_author/names_of_a_wrong_form_are_refused",
			test_names_of_a_wrong_form_are_refused);
	g_test_add_func("/target_author/a_draft_that_lacks_something_is_refused",
			test_a_draft_that_lacks_something_is_refused);
	g_test_add_func("/target_author/a_release_is_never_changed",
			test_a_release_is_never_changed);
	g_test_add_func("/target_author/custom_members_replace_nothing",
			test_custom_members_replace_nothing);
	g_test_add_func("/target_author/an_app_is_a_name_and_a_pinned_address",
			test_an_app_is_a_name_and_a_pinned_address);
	g_test_add_func("/target_author/other_app_addresses_are_refused",
			test_other_app_addresses_are_refused);
	return g_test_run();
}
