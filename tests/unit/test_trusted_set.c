/* Walks fixtures/tuf/: each folder holds what is offered to a trusted set, and what must come of
 * it. */
#include "../../verify/delegation.h"
#include "../../verify/json.h"
#include "../../verify/trusted_set.h"
#include "../../verify/utc_time.h"

/* One folder being walked. */
typedef struct {
	char *folder;
	gint64 now_s;
	SatchelTrustedSet *set;
	GHashTable *delegated; /* role name → const SatchelTargets *, the last one of that name */
} Case;

static GBytes *
read_bytes(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autoptr(GError) error = NULL;
	char *content = NULL;
	gsize n_bytes = 0;

	if (!g_file_get_contents(path, &content, &n_bytes, &error))
		g_error("%s", error->message);
	return g_bytes_new_take(content, n_bytes);
}

static json_t *
read_case(const char *folder)
{
	g_autoptr(GBytes) bytes = read_bytes(folder, "case.json");
	g_autoptr(GError) error = NULL;
	json_t *tree = satchel_json_parse(bytes, &error);

	if (tree == NULL)
		g_error("%s: %s", folder, error->message);
	return tree;
}

static const char *
step_text(const json_t *step, const char *member)
{
	return json_string_value(json_object_get(step, member));
}

static gboolean
step_is(const json_t *step, const char *member)
{
	return json_is_true(json_object_get(step, member));
}

/* The step's file, filled up with blanks where the case asks for a length. */
static GBytes *
step_bytes(const Case *self, const json_t *step)
{
	const char *name = step_text(step, "file");
	g_autoptr(GBytes) bytes = name == NULL ? NULL : read_bytes(self->folder, name);
	gsize pad_to = (gsize)json_integer_value(json_object_get(step, "pad_to"));
	GByteArray *padded;

	if (bytes == NULL)
		return NULL;
	padded = g_bytes_unref_to_array(g_steal_pointer(&bytes));
	while (padded->len < pad_to)
		g_byte_array_append(padded, (const guint8 *)" ", 1);
	return g_byte_array_free_to_bytes(padded);
}

static const SatchelTargets *
find_delegator(const Case *self, const char *name)
{
	if (g_str_equal(name, "targets"))
		return satchel_trusted_set_get_targets(self->set);
	return g_hash_table_lookup(self->delegated, name);
}

static gboolean
offer_first_root(Case *self, GBytes *bytes, GError **error)
{
	g_autoptr(SatchelRoot) root = satchel_root_new_trusted(bytes, error);

	if (root == NULL)
		return FALSE;
	g_assert_null(self->set);
	self->set = satchel_trusted_set_new(root, self->now_s);
	return TRUE;
}

static gboolean
offer_timestamp(Case *self, const json_t *step, GBytes *bytes, GError **error)
{
	gboolean unchanged = TRUE;
	gboolean accepted =
		satchel_trusted_set_update_timestamp(self->set, bytes, &unchanged, error);

	g_assert_cmpint(unchanged, ==, step_is(step, "unchanged"));
	return accepted;
}

static gboolean
offer_delegated(Case *self, const json_t *step, GBytes *bytes, GError **error)
{
	const char *role = step_text(step, "role");
	const SatchelTargets *delegator = find_delegator(self, step_text(step, "delegator"));
	const SatchelTargets *before, *got;

	g_assert_nonnull(delegator);
	before = satchel_trusted_set_get_delegated(self->set, role, delegator);
	got = satchel_trusted_set_update_delegated(self->set, role, delegator, bytes, error);
	if (got == NULL) {
		g_assert_true(satchel_trusted_set_get_delegated(self->set, role, delegator) ==
			      before);
		return FALSE;
	}
	g_assert_true(satchel_trusted_set_get_delegated(self->set, role, delegator) == got);
	g_assert_cmpstr(satchel_targets_get_role(got), ==, role);
	g_hash_table_insert(self->delegated, g_strdup(role), (gpointer)(guintptr)got);
	return TRUE;
}

/* What a client does for each role of a search. */
static const SatchelTargets *
load_delegated(Case *self, const json_t *step, const char *role, const SatchelTargets *delegator,
	       GError **error)
{
	const char *file = step_text(json_object_get(step, "files"), role);
	const SatchelTargets *known = satchel_trusted_set_get_delegated(self->set, role, delegator);
	g_autoptr(GBytes) bytes = NULL;

	if (known != NULL)
		return known;
	g_assert_nonnull(file);
	bytes = read_bytes(self->folder, file);
	return satchel_trusted_set_update_delegated(self->set, role, delegator, bytes, error);
}

static gboolean
run_walk(Case *self, const json_t *step, GError **error)
{
	const char *path = step_text(step, "path");
	const json_t *order = json_object_get(step, "order");
	g_autoptr(SatchelDelegationWalk) walk =
		satchel_delegation_walk_new(satchel_trusted_set_get_targets(self->set), path);
	const SatchelTargets *delegator, *found = NULL;
	const char *role;
	gsize n_asked = 0;

	while (found == NULL) {
		const SatchelTargets *delegated;

		if (!satchel_delegation_walk_next(walk, &role, &delegator, error))
			return FALSE;
		if (role == NULL)
			break;
		g_assert_cmpstr(role, ==, json_string_value(json_array_get(order, n_asked++)));
		delegated = load_delegated(self, step, role, delegator, error);
		if (delegated == NULL)
			return FALSE;
		if (satchel_targets_lookup(delegated, path) != NULL)
			found = delegated;
		else
			satchel_delegation_walk_enter(walk, delegated);
	}
	g_assert_cmpuint(n_asked, ==, json_array_size(order));
	g_assert_cmpstr(found == NULL ? NULL : satchel_targets_get_role(found), ==,
			step_text(step, "found"));
	return TRUE;
}

static gboolean
offer(Case *self, const json_t *step, GBytes *bytes, GError **error)
{
	const char *what = step_text(step, "offer");

	if (g_str_equal(what, "trusted-root"))
		return offer_first_root(self, bytes, error);
	g_assert_nonnull(self->set);
	if (g_str_equal(what, "root"))
		return satchel_trusted_set_update_root(self->set, bytes, error);
	if (g_str_equal(what, "root-expiry"))
		return satchel_trusted_set_check_root_expiry(self->set, error);
	if (g_str_equal(what, "timestamp"))
		return offer_timestamp(self, step, bytes, error);
	if (g_str_equal(what, "snapshot"))
		return satchel_trusted_set_update_snapshot(self->set, bytes,
							   step_is(step, "stored"), error);
	if (g_str_equal(what, "targets"))
		return satchel_trusted_set_update_targets(self->set, bytes, error);
	if (g_str_equal(what, "delegated"))
		return offer_delegated(self, step, bytes, error);
	g_assert_cmpstr(what, ==, "walk");
	return run_walk(self, step, error);
}

/* The bytes that the set holds for what the step offers; NULL where it holds none. Borrowed. */
static GBytes *
held_bytes(const Case *self, const char *what)
{
	const SatchelTrustedSet *set = self->set;

	if (set == NULL)
		return NULL;
	if (g_str_has_suffix(what, "root"))
		return satchel_root_get_bytes(satchel_trusted_set_get_root(set));
	if (g_str_equal(what, "timestamp") && satchel_trusted_set_get_timestamp(set) != NULL)
		return satchel_timestamp_get_bytes(satchel_trusted_set_get_timestamp(set));
	if (g_str_equal(what, "snapshot") && satchel_trusted_set_get_snapshot(set) != NULL)
		return satchel_snapshot_get_bytes(satchel_trusted_set_get_snapshot(set));
	if (g_str_equal(what, "targets") && satchel_trusted_set_get_targets(set) != NULL)
		return satchel_targets_get_bytes(satchel_trusted_set_get_targets(set));
	return NULL;
}

static gboolean
is_role(const char *what)
{
	static const char *const roles[] = {"trusted-root", "root",    "timestamp",
					    "snapshot",	    "targets", NULL};

	return g_strv_contains(roles, what);
}

/* An accepted document is what the set now holds; a refused one has changed nothing. */
static void
assert_held(const Case *self, const json_t *step, GBytes *bytes, GBytes *before, gboolean accepted)
{
	const char *what = step_text(step, "offer");
	gboolean joins = (accepted && !step_is(step, "unchanged")) || step_is(step, "joins");

	if (is_role(what))
		g_assert_true(held_bytes(self, what) == (joins ? bytes : before));
}

static void
assert_outcome(const char *folder, const json_t *step, gboolean accepted, const GError *error)
{
	static const struct {
		const char *name;
		SatchelError code;
	} codes[] = {
		{"invalid", SATCHEL_ERROR_METADATA_INVALID},
		{"expired", SATCHEL_ERROR_METADATA_EXPIRED},
		{"failed", SATCHEL_ERROR_FAILED},
	};
	const char *expected = step_text(step, "error");
	const char *message = step_text(step, "message");

	g_assert_true(accepted == (error == NULL));
	if (accepted != (expected == NULL))
		g_test_fail_printf("%s: %s: %s", folder, step_text(step, "offer"),
				   error == NULL ? "was accepted" : error->message);
	if (expected == NULL || accepted)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
		if (g_str_equal(expected, codes[i].name))
			g_assert_error(error, SATCHEL_ERROR, (int)codes[i].code);
	if (strchr(error->message, '\n') != NULL ||
	    (message != NULL && strstr(error->message, message) == NULL))
		g_test_fail_printf("%s: '%s' is not in '%s'", folder, message, error->message);
	g_test_message("%s", error->message);
}

static void
run_step(Case *self, const json_t *step)
{
	g_autoptr(GBytes) bytes = step_bytes(self, step);
	g_autoptr(GError) error = NULL;
	GBytes *before = held_bytes(self, step_text(step, "offer"));
	g_autoptr(GBytes) kept = before == NULL ? NULL : g_bytes_ref(before);
	gboolean accepted = offer(self, step, bytes, &error);

	assert_outcome(self->folder, step, accepted, error);
	assert_held(self, step, bytes, kept, accepted);
}

static void
test_case(gconstpointer data)
{
	Case self = {.folder = g_strdup(data)};
	g_autoptr(SatchelJson) tree = read_case(self.folder);
	json_t *steps = json_object_get(tree, "steps");
	json_t *step;
	gsize i;

	self.delegated = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_assert_true(satchel_utc_time_parse(step_text(tree, "now"), &self.now_s, NULL));
	g_assert_cmpuint(json_array_size(steps), >, 0);
	json_array_foreach(steps, i, step)
	{
		run_step(&self, step);
	}
	g_clear_pointer(&self.set, satchel_trusted_set_free);
	g_hash_table_unref(self.delegated);
	g_free(self.folder);
}

int
main(int argc, char **argv)
{
	g_autofree char *top = NULL;
	g_autoptr(GDir) dir = NULL;
	const char *name;

	g_test_init(&argc, &argv, NULL);
	top = g_build_filename(g_getenv("SATCHEL_FIXTURES"), "tuf", NULL);
	dir = g_dir_open(top, 0, NULL);
	g_assert_nonnull(dir);
	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *test = g_strconcat("/trusted-set/", name, NULL);

		g_test_add_data_func_full(test, g_build_filename(top, name, NULL), test_case,
					  g_free);
	}
	return g_test_run();
}
