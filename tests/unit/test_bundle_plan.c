#include "../../bundler/bundle_plan.h"
#include "../../bundler/role_author.h"
#include "../../bundler/target_author.h"
#include "../../verify/json.h"
#include "../../verify/trusted_set.h"

#define NOW_S 1700000000
#define DAY_S 86400
#define COMMIT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Roles that are trusted, each expiring on a day of its own. */
typedef struct {
	SatchelRoot *root;
	SatchelTrustedSet *set;
} Trusted;

static void
trusted_clear(Trusted *self)
{
	satchel_trusted_set_free(self->set);
	satchel_root_unref(self->root);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Trusted, trusted_clear)

static const SatchelRoleHead *
head_of(SatchelDialect dialect, const gint64 days[SATCHEL_N_ROLES], SatchelRole role)
{
	static SatchelRoleHead head;

	head = (SatchelRoleHead){dialect, 1, NOW_S + days[role] * DAY_S};
	return &head;
}

static GBytes *
seal(json_t *signed_, GPtrArray *keys, SatchelDialect dialect)
{
	g_autoptr(SatchelJson) owned = signed_;
	g_autoptr(GError) error = NULL;
	GBytes *file = satchel_role_author_seal(owned, keys, dialect, "document", &error);

	g_assert_no_error(error);
	return file;
}

static void
add_target(json_t *targets, const char *name)
{
	const char *const tags[] = {"devel", NULL};
	g_autoptr(GPtrArray) apps = g_ptr_array_new();
	SatchelTargetDraft draft = {name, 1, "intel", tags, COMMIT, apps, NULL, NOW_S};
	g_autoptr(GError) error = NULL;
	g_autofree char *full = satchel_target_author_add(targets, &draft, &error);

	g_assert_no_error(error);
	g_assert_nonnull(full);
}

static void
trusted_init(Trusted *self, SatchelDialect dialect, const gint64 days[SATCHEL_N_ROLES])
{
	g_autoptr(GPtrArray) keys =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_private_key_free);
	json_t *root = satchel_role_author_root(head_of(dialect, days, SATCHEL_ROLE_ROOT));
	json_t *targets = satchel_role_author_targets(head_of(dialect, days, SATCHEL_ROLE_TARGETS));
	g_autoptr(GError) error = NULL;
	gboolean unchanged = FALSE;

	g_ptr_array_add(keys, satchel_private_key_generate(SATCHEL_SCHEME_ED25519, &error));
	for (guint i = 0; i < SATCHEL_N_ROLES; i++)
		satchel_role_author_set_keys(root, (SatchelRole)i, keys, 1, dialect);
	add_target(targets, "first");
	add_target(targets, "second");
	g_autoptr(GBytes) root_file = seal(root, keys, dialect);
	g_autoptr(GBytes) targets_file = seal(targets, keys, dialect);
	g_autoptr(GBytes) snapshot_file =
		seal(satchel_role_author_snapshot(head_of(dialect, days, SATCHEL_ROLE_SNAPSHOT),
						  targets_file, 1),
		     keys, dialect);
	g_autoptr(GBytes) timestamp_file =
		seal(satchel_role_author_timestamp(head_of(dialect, days, SATCHEL_ROLE_TIMESTAMP),
						   snapshot_file, 1),
		     keys, dialect);

	self->root = satchel_root_new_trusted(root_file, &error);
	self->set = satchel_trusted_set_new(self->root, NOW_S);
	g_assert_true(satchel_trusted_set_update_timestamp(self->set, timestamp_file, &unchanged,
							   &error));
	g_assert_true(satchel_trusted_set_update_snapshot(self->set, snapshot_file, FALSE, &error));
	g_assert_true(satchel_trusted_set_update_targets(self->set, targets_file, &error));
}

static SatchelBundleRoles
roles_of(const Trusted *trusted)
{
	return (SatchelBundleRoles){
		.root = trusted->root,
		.timestamp = satchel_trusted_set_get_timestamp(trusted->set),
		.snapshot = satchel_trusted_set_get_snapshot(trusted->set),
		.targets = satchel_trusted_set_get_targets(trusted->set),
	};
}

static const gint64 year[SATCHEL_N_ROLES] = {365, 365, 365, 365};

static SatchelBundleRequest
request_for(const char *const *targets, gint64 days)
{
	return (SatchelBundleRequest){targets, "devel", "ci", NOW_S, NOW_S + days * DAY_S};
}

static void
assert_refused(const SatchelBundleRequest *request, const gint64 days[SATCHEL_N_ROLES],
	       SatchelError code, const char *part)
{
	g_auto(Trusted) trusted = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelBundlePlan) plan = NULL;
	SatchelBundleRoles roles;

	trusted_init(&trusted, SATCHEL_DIALECT_UPTANE, days);
	roles = roles_of(&trusted);
	plan = satchel_bundle_plan_new(request, &roles, &error);
	g_assert_error(error, SATCHEL_ERROR, (gint)code);
	g_assert_nonnull(strstr(error->message, part));
	g_assert_null(plan);
}

static void
test_targets_stand_in_the_order_of_the_request(void)
{
	const char *const targets[] = {"second-1", "first-1", NULL};
	SatchelBundleRequest request = request_for(targets, 30);
	g_auto(Trusted) trusted = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelBundlePlan) plan = NULL;
	SatchelBundleRoles roles;

	trusted_init(&trusted, SATCHEL_DIALECT_UPTANE, year);
	roles = roles_of(&trusted);
	plan = satchel_bundle_plan_new(&request, &roles, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(satchel_bundle_plan_get_n_targets(plan), ==, 2);
	g_assert_cmpstr(satchel_bundle_plan_get_names(plan)[0], ==, "second-1");
	g_assert_cmpstr(satchel_bundle_plan_get_names(plan)[1], ==, "first-1");
	g_assert_null(satchel_bundle_plan_get_names(plan)[2]);
	g_assert_cmpstr(satchel_bundle_plan_get_commits(plan)[1], ==, COMMIT);
}

static char *
meta_text(SatchelDialect dialect)
{
	const char *const targets[] = {"first-1", NULL};
	SatchelBundleRequest request = request_for(targets, 30);
	g_auto(Trusted) trusted = {0};
	g_autoptr(SatchelBundlePlan) plan = NULL;
	g_autoptr(SatchelJson) meta = NULL;
	g_autoptr(GBytes) bytes = NULL;
	SatchelBundleRoles roles;

	trusted_init(&trusted, dialect, year);
	roles = roles_of(&trusted);
	plan = satchel_bundle_plan_new(&request, &roles, NULL);
	meta = satchel_bundle_plan_to_meta(plan, 7, COMMIT, 99, NULL);
	bytes = satchel_json_canonicalize(meta, SATCHEL_DIALECT_UPTANE, NULL);
	return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

#define META_TAIL                                                                                  \
	"\"version\":7,\"x-fio-offline-bundle\":{\"tag\":\"devel\",\"targets\":[\"first-1\"],"     \
	"\"type\":\"ci\"},\"x-satchel\":{\"issued\":\"2023-11-14T22:13:20Z\",\"manifest\":{"       \
	"\"length\":99,\"sha256\":\"" COMMIT "\"}}}"

static void
test_the_metadata_has_the_form_of_the_dialect(void)
{
	g_autofree char *uptane = meta_text(SATCHEL_DIALECT_UPTANE);
	g_autofree char *tuf = meta_text(SATCHEL_DIALECT_TUF);

	g_assert_cmpstr(uptane, ==,
			"{\"_type\":\"Targets\",\"expires\":\"2023-12-14T22:13:20Z\"," META_TAIL);
	g_assert_cmpstr(tuf, ==,
			"{\"_type\":\"targets\",\"expires\":\"2023-12-14T22:13:20Z\","
			"\"spec_version\":\"1.0.34\"," META_TAIL);
}

static void
test_a_bundle_never_outlives_a_role(void)
{
	static const char *const names[] = {"root", "targets", "snapshot", "timestamp"};
	const char *const targets[] = {"first-1", NULL};
	SatchelBundleRequest request = request_for(targets, 11);

	for (guint i = 0; i < SATCHEL_N_ROLES; i++) {
		gint64 days[SATCHEL_N_ROLES] = {365, 365, 365, 365};

		days[i] = 10;
		assert_refused(&request, days, SATCHEL_ERROR_FAILED, names[i]);
		assert_refused(&request, days, SATCHEL_ERROR_FAILED, "2023-11-24T22:13:20Z");
		assert_refused(&request, days, SATCHEL_ERROR_FAILED, "2023-11-25T22:13:20Z");
	}
}

static void
test_a_bundle_may_expire_together_with_a_role(void)
{
	const gint64 days[SATCHEL_N_ROLES] = {10, 10, 10, 10};
	const char *const targets[] = {"first-1", NULL};
	SatchelBundleRequest request = request_for(targets, 10);
	g_auto(Trusted) trusted = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelBundlePlan) plan = NULL;
	SatchelBundleRoles roles;

	trusted_init(&trusted, SATCHEL_DIALECT_UPTANE, days);
	roles = roles_of(&trusted);
	plan = satchel_bundle_plan_new(&request, &roles, &error);
	g_assert_no_error(error);
	g_assert_nonnull(plan);
}

static void
test_an_unknown_target_is_refused(void)
{
	const char *const targets[] = {"first-1", "first-2", NULL};
	SatchelBundleRequest request = request_for(targets, 30);

	assert_refused(&request, year, SATCHEL_ERROR_TARGET_NOT_FOUND, "first-2");
}

static void
test_a_target_asked_for_twice_is_refused(void)
{
	const char *const targets[] = {"first-1", "first-1", NULL};
	SatchelBundleRequest request = request_for(targets, 30);

	assert_refused(&request, year, SATCHEL_ERROR_USAGE, "twice");
}

static void
test_a_wrong_type_or_tag_is_refused(void)
{
	const char *const targets[] = {"first-1", NULL};
	SatchelBundleRequest request = request_for(targets, 30);

	request.type = "dev";
	assert_refused(&request, year, SATCHEL_ERROR_USAGE, "--type");
	request.type = "ci";
	request.tag = "caf\xc3\xa9";
	assert_refused(&request, year, SATCHEL_ERROR_USAGE, "--tag");
	request.tag = "";
	assert_refused(&request, year, SATCHEL_ERROR_USAGE, "--tag");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bundle_plan/targets_stand_in_the_order_of_the_request",
			test_targets_stand_in_the_order_of_the_request);
	g_test_add_func("/bundle_plan/the_metadata_has_the_form_of_the_dialect",
			test_the_metadata_has_the_form_of_the_dialect);
	g_test_add_func("/bundle_plan/a_bundle_never_outlives_a_role",
			test_a_bundle_never_outlives_a_role);
	g_test_add_func("/bundle_plan/a_bundle_may_expire_together_with_a_role",
			test_a_bundle_may_expire_together_with_a_role);
	g_test_add_func("/bundle_plan/an_unknown_target_is_refused",
			test_an_unknown_target_is_refused);
	g_test_add_func("/bundle_plan/a_target_asked_for_twice_is_refused",
			test_a_target_asked_for_twice_is_refused);
	g_test_add_func("/bundle_plan/a_wrong_type_or_tag_is_refused",
			test_a_wrong_type_or_tag_is_refused);
	return g_test_run();
}
