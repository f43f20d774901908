#include "../../verify/role_parse.h"
#include "../../verify/target_match.h"
#include <string.h>

#define COMMIT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENTRY(name, version, hardware, tags, format)                                               \
	"\"" name "\": {\"length\": 0, \"hashes\": {\"sha256\": \"" COMMIT "\"}, \"custom\": "     \
	"{\"version\": \"" version "\", \"hardwareIds\": [" hardware "], \"tags\": [" tags "], "   \
	"\"targetFormat\": \"" format "\"}}"
#define SIMPLE(name, version) ENTRY(name, version, "\"board\"", "\"devel\"", "OSTREE")

/* Each names one rule by its deviation. */
static const char *const entries[] = {
	SIMPLE("lmp-9", "9"),
	SIMPLE("lmp-10", "10"),
	SIMPLE("lmp-2", "2"),
	SIMPLE("same-9", "9"),
	SIMPLE("odd", "odd"),
	ENTRY("other-11", "11", "\"other\"", "\"devel\"", "OSTREE"),
	ENTRY("both-12", "12", "\"board\", \"other\"", "\"devel\"", "OSTREE"),
	ENTRY("none-12", "12", "", "\"devel\"", "OSTREE"),
	ENTRY("binary-13", "13", "\"board\"", "\"devel\"", "BINARY"),
	ENTRY("tagged-14", "14", "\"board\"", "\"test\", \"other\"", "OSTREE"),
};

static SatchelTargets *
parse_targets(const char *targets_json)
{
	g_autofree char *text = g_strdup_printf(
		"{\"signatures\": [], \"signed\": {\"_type\": \"Targets\", \"version\": 1, "
		"\"expires\": \"2090-01-01T00:00:00Z\", \"targets\": {%s}}}",
		targets_json);
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelSignedDocument) document =
		satchel_signed_document_parse(bytes, "targets", SATCHEL_DIALECT_UPTANE, &error);
	SatchelTargets *targets;

	g_assert_no_error(error);
	targets = satchel_targets_parse(document, "targets", SATCHEL_DIALECT_UPTANE, &error);
	g_assert_no_error(error);
	return targets;
}

static SatchelTargets *
parse_all(void)
{
	g_autoptr(GString) joined = g_string_new(entries[0]);

	for (gsize i = 1; i < G_N_ELEMENTS(entries); i++)
		g_string_append_printf(joined, ",%s", entries[i]);
	return parse_targets(joined->str);
}

static char *
names_of(GPtrArray *found)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < found->len; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
				       satchel_ostree_target_get_name(found->pdata[i]));
	return g_string_free(text, FALSE);
}

static void
assert_matches(const char *const *names, const char *hardware_id, const char *const *tags,
	       const char *expected)
{
	SatchelTargetFilter filter = {.hardware_id = hardware_id, .tags = tags};
	g_autoptr(SatchelTargets) targets = parse_all();
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) found = satchel_target_match(targets, names, &filter, NULL, &error);
	g_autofree char *text = NULL;

	g_assert_no_error(error);
	text = names_of(found);
	g_assert_cmpstr(text, ==, expected);
}

static const char *const devel[] = {"devel", NULL};

static void
test_targets_come_by_version_then_name(void)
{
	assert_matches(NULL, "board", devel, "odd lmp-2 lmp-9 same-9 lmp-10");
}

static void
test_any_of_the_tags_will_do(void)
{
	assert_matches(NULL, "board", (const char *const[]){"none", "other", NULL}, "tagged-14");
	assert_matches(NULL, "board", NULL, "odd lmp-2 lmp-9 same-9 lmp-10 tagged-14");
	assert_matches(NULL, "board", (const char *const[]){NULL},
		       "odd lmp-2 lmp-9 same-9 lmp-10 tagged-14");
}

static void
test_exactly_one_hardware_id_is_expected(void)
{
	assert_matches(NULL, "other", devel, "other-11");
	assert_matches(NULL, NULL, devel, "odd lmp-2 lmp-9 same-9 lmp-10 other-11");
}

static void
test_only_what_the_bundle_lists_counts(void)
{
	assert_matches((const char *const[]){"lmp-10", "lmp-9", "lmp-10", NULL}, "board", devel,
		       "lmp-9 lmp-10");
}

static void
test_what_is_passed_over_is_named(void)
{
	static const char *const names[] = {"both-12",	"binary-13", "tagged-14", "unknown-1",
					    "other-11", "lmp-2",     NULL};
	SatchelTargetFilter filter = {.hardware_id = "board", .tags = devel};
	g_autoptr(SatchelTargets) targets = parse_all();
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) ignored = NULL;
	g_autoptr(GPtrArray) found =
		satchel_target_match(targets, names, &filter, &ignored, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(found->len, ==, 1);
	g_assert_cmpuint(g_strv_length(ignored), ==, 5);
	for (guint i = 0; i < 5; i++)
		g_assert_nonnull(strstr(ignored[i], names[i]));
}

static void
test_no_match_is_an_error_that_says_why(void)
{
	g_autoptr(SatchelTargets) targets = parse_all();
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) ignored = NULL;

	SatchelTargetFilter filter = {
		.hardware_id = "board",
		.tags = (const char *const[]){"devel", "x", NULL},
	};

	g_assert_null(satchel_target_match(targets, (const char *const[]){"other-11", NULL},
					   &filter, &ignored, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_MATCHING_TARGET);
	g_assert_nonnull(strstr(error->message, "hardware id board, tag devel,x"));
	g_assert_nonnull(strstr(error->message, "other-11"));
	g_assert_cmpuint(g_strv_length(ignored), ==, 1);
}

static const char *const secondary[] = {"mcu", "other", NULL};

static void
test_targets_for_secondary_hardware_ids_are_passed_over(void)
{
	SatchelTargetFilter filter = {
		.hardware_id = "board", .secondary_hardware_ids = secondary, .tags = devel};
	g_autoptr(SatchelTargets) targets = parse_all();
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) ignored = NULL;
	g_autoptr(GPtrArray) found =
		satchel_target_match(targets, (const char *const[]){"other-11", "lmp-2", NULL},
				     &filter, &ignored, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(found->len, ==, 1);
	g_assert_cmpuint(g_strv_length(ignored), ==, 1);
	g_assert_nonnull(strstr(ignored[0], "'other-11' is passed over: it is for a secondary"));
}

static void
test_targets_for_secondary_hardware_ids_alone_are_none_to_choose(void)
{
	SatchelTargetFilter filter = {
		.hardware_id = "board", .secondary_hardware_ids = secondary, .tags = devel};
	static const char *const names[] = {"other-11", NULL};
	static const char *const untagged[] = {"untagged", NULL};
	g_autoptr(SatchelTargets) targets = parse_all();
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_target_match(targets, names, &filter, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_TARGET_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "only for secondary hardware ids"));
	g_clear_error(&error);
	/* With another tag it would not have been the device's anyway. */
	filter.tags = untagged;
	g_assert_null(satchel_target_match(targets, names, &filter, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_MATCHING_TARGET);
}

static void
test_an_empty_list_matches_nothing(void)
{
	g_autoptr(SatchelTargets) targets = parse_all();
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_target_match(targets, (const char *const[]){NULL},
					   &(SatchelTargetFilter){0}, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_MATCHING_TARGET);
	g_assert_nonnull(strstr(error->message, "hardware id any, tag any"));
}

typedef struct {
	SatchelTargetQuestion question;
	SatchelTargetChoice choice;
	GError *error;
} Choosing;

static void
choosing_clear(Choosing *self)
{
	g_ptr_array_unref(self->question.candidates);
	satchel_target_choice_clear(&self->choice);
	g_clear_error(&self->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Choosing, choosing_clear)

static const char three[] = SIMPLE("lmp-1", "1") "," SIMPLE("lmp-2", "2") "," SIMPLE("lmp-3", "3");

static Choosing
choose(const char *candidates, SatchelTargetQuestion question)
{
	Choosing self = {.question = question};
	g_autoptr(SatchelTargets) targets = parse_targets(candidates);

	self.question.candidates = satchel_target_match(
		targets, NULL, &(SatchelTargetFilter){.hardware_id = "board"}, NULL, &self.error);
	g_assert_no_error(self.error);
	if (satchel_target_choose(&self.question, &self.choice, &self.error))
		g_assert_no_error(self.error);
	else
		g_assert_nonnull(self.error);
	return self;
}

static void
assert_chosen(const Choosing *self, SatchelTargetChoiceKind kind, const char *name)
{
	g_assert_no_error(self->error);
	g_assert_cmpint(self->choice.kind, ==, kind);
	g_assert_nonnull(self->choice.text);
	if (name == NULL)
		g_assert_null(self->choice.selected);
	else
		g_assert_cmpstr(satchel_ostree_target_get_name(self->choice.selected), ==, name);
}

static void
assert_no_choice(const Choosing *self, SatchelError code)
{
	g_assert_error(self->error, SATCHEL_ERROR, (int)code);
	g_assert_null(self->choice.selected);
	g_assert_null(self->choice.text);
}

static const char *const failing_3[] = {"lmp-3", NULL};

static void
test_the_newest_is_chosen(void)
{
	g_auto(Choosing) from_none = choose(three, (SatchelTargetQuestion){0});
	g_auto(Choosing) from_one = choose(three, (SatchelTargetQuestion){
							  .current_name = "lmp-1",
							  .current_version = 1,
						  });

	assert_chosen(&from_none, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-3");
	g_assert_cmpstr(from_none.choice.text, ==, "Updating from unknown to lmp-3");
	assert_chosen(&from_one, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-3");
	g_assert_cmpstr(from_one.choice.text, ==, "Updating from lmp-1 to lmp-3");
}

static void
test_the_current_one_is_synced(void)
{
	g_auto(Choosing) self = choose(three, (SatchelTargetQuestion){
						      .current_name = "lmp-3",
						      .current_version = 3,
					      });

	assert_chosen(&self, SATCHEL_TARGET_CHOICE_SYNC, "lmp-3");
}

static void
test_a_failing_target_is_not_chosen_by_itself(void)
{
	g_auto(Choosing) self = choose(three, (SatchelTargetQuestion){
						      .current_name = "lmp-1",
						      .current_version = 1,
						      .failing_names = failing_3,
					      });

	assert_chosen(&self, SATCHEL_TARGET_CHOICE_NOTHING, NULL);
}

static void
test_a_failing_target_can_be_named(void)
{
	g_auto(Choosing) self = choose(three, (SatchelTargetQuestion){
						      .current_name = "lmp-1",
						      .current_version = 1,
						      .failing_names = failing_3,
						      .wanted = "lmp-3",
					      });

	assert_chosen(&self, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-3");
}

static void
test_a_failing_current_target_goes_back(void)
{
	g_auto(Choosing) self = choose(three, (SatchelTargetQuestion){
						      .current_name = "lmp-3",
						      .current_version = 3,
						      .failing_names = failing_3,
						      .rollback_name = "lmp-2",
					      });

	assert_chosen(&self, SATCHEL_TARGET_CHOICE_ROLLBACK, "lmp-2");
}

static void
test_a_failing_current_target_without_another_is_an_error(void)
{
	g_auto(Choosing) none = choose(three, (SatchelTargetQuestion){
						      .current_name = "lmp-3",
						      .current_version = 3,
						      .failing_names = failing_3,
					      });
	g_auto(Choosing) gone = choose(three, (SatchelTargetQuestion){
						      .current_name = "lmp-3",
						      .current_version = 3,
						      .failing_names = failing_3,
						      .rollback_name = "lmp-0",
					      });

	assert_no_choice(&none, SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND);
	assert_no_choice(&gone, SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND);
}

static void
test_nobody_goes_back_by_itself(void)
{
	g_auto(Choosing) self = choose(three, (SatchelTargetQuestion){
						      .current_name = "lmp-4",
						      .current_version = 4,
					      });

	assert_chosen(&self, SATCHEL_TARGET_CHOICE_NOTHING, NULL);
}

static void
test_an_older_target_can_be_named(void)
{
	g_auto(Choosing) by_name = choose(three, (SatchelTargetQuestion){
							 .current_name = "lmp-3",
							 .current_version = 3,
							 .wanted = "lmp-1",
						 });
	g_auto(Choosing) by_version = choose(three, (SatchelTargetQuestion){
							    .current_name = "lmp-3",
							    .current_version = 3,
							    .wanted = "1",
						    });

	assert_chosen(&by_name, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-1");
	assert_chosen(&by_version, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-1");
}

static void
test_a_name_that_begins_with_digits_is_a_name(void)
{
	static const char digits[] =
		SIMPLE("5", "6") "," SIMPLE("lmp-5", "5") "," SIMPLE("5g-board-lmp-10", "10");
	g_auto(Choosing) exact = choose(digits, (SatchelTargetQuestion){.wanted = "5"});
	g_auto(Choosing) name =
		choose(digits, (SatchelTargetQuestion){.wanted = "5g-board-lmp-10"});
	g_auto(Choosing) part = choose(digits, (SatchelTargetQuestion){.wanted = "5g"});

	assert_chosen(&exact, SATCHEL_TARGET_CHOICE_NEW_VERSION, "5");
	assert_chosen(&name, SATCHEL_TARGET_CHOICE_NEW_VERSION, "5g-board-lmp-10");
	assert_no_choice(&part, SATCHEL_ERROR_TARGET_NOT_FOUND);
}

static void
test_what_is_no_name_and_no_version_is_not_found(void)
{
	static const char *const wanted[] = {
		"", "4", "-1", "+3", " 3", "0x3", "99999999999999999999", "LMP-3", "odd-version"};

	for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
		g_auto(Choosing) self = choose(SIMPLE("lmp-3", "3") "," SIMPLE("odd", "odd"),
					       (SatchelTargetQuestion){.wanted = wanted[i]});

		assert_no_choice(&self, SATCHEL_ERROR_TARGET_NOT_FOUND);
	}
}

static void
test_without_candidates_nothing_is_found(void)
{
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	SatchelTargetQuestion question = {.candidates = none};
	g_auto(SatchelTargetChoice) choice = {0};
	g_autoptr(GError) error = NULL;

	g_assert_false(satchel_target_choose(&question, &choice, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_TARGET_NOT_FOUND);
}

/* Decimal, from zero on; what is no number must not come out as version zero. */
static void
test_a_version_is_a_decimal_number(void)
{
	static const char versions[] = SIMPLE("lmp-0", "0") "," SIMPLE("lmp-9", "9") "," SIMPLE(
		"lmp-10", "10") "," SIMPLE("lmp-11", "11");
	g_auto(Choosing) ten = choose(versions, (SatchelTargetQuestion){.wanted = "10"});
	g_auto(Choosing) zero = choose(versions, (SatchelTargetQuestion){.wanted = "0"});
	g_auto(Choosing) letters = choose(versions, (SatchelTargetQuestion){.wanted = "a"});
	g_auto(Choosing) nothing = choose(versions, (SatchelTargetQuestion){.wanted = ""});

	assert_chosen(&ten, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-10");
	assert_chosen(&zero, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-0");
	assert_no_choice(&letters, SATCHEL_ERROR_TARGET_NOT_FOUND);
	assert_no_choice(&nothing, SATCHEL_ERROR_TARGET_NOT_FOUND);
}

static void
test_any_candidate_can_be_the_one_to_go_back_to(void)
{
	static const char *const names[] = {"lmp-1", "lmp-2"};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_auto(Choosing) self = choose(three, (SatchelTargetQuestion){
							      .current_name = "lmp-3",
							      .current_version = 3,
							      .failing_names = failing_3,
							      .rollback_name = names[i],
						      });

		assert_chosen(&self, SATCHEL_TARGET_CHOICE_ROLLBACK, names[i]);
	}
}

/* It is not older, so it may be another build of the same version. */
static void
test_another_target_of_the_current_version_is_chosen(void)
{
	g_auto(Choosing) self = choose(three, (SatchelTargetQuestion){
						      .current_name = "other-3",
						      .current_version = 3,
					      });

	assert_chosen(&self, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-3");
}

static void
test_an_only_candidate_is_chosen(void)
{
	g_auto(Choosing) self = choose(SIMPLE("lmp-1", "1"), (SatchelTargetQuestion){0});

	assert_chosen(&self, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-1");
}

static void
assert_no_target(const char *const *names, const char *const *tags, const char *message)
{
	g_autoptr(SatchelTargets) targets = parse_all();
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_target_match(targets, names, &(SatchelTargetFilter){.tags = tags},
					   NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_NO_MATCHING_TARGET);
	g_assert_cmpstr(error->message, ==, message);
}

static void
test_the_message_has_the_devices_words_and_no_more(void)
{
	static const char *const nothing[] = {NULL};

	assert_no_target(nothing, NULL, "no target for hardware id any, tag any");
	assert_no_target(nothing, nothing, "no target for hardware id any, tag any");
	assert_no_target(nothing, (const char *const[]){"devel", NULL},
			 "no target for hardware id any, tag devel");
}

#define FLOORED(name, version, hardware, tags, lowest)                                             \
	"\"" name "\": {\"length\": 0, \"hashes\": {\"sha256\": \"" COMMIT "\"}, \"custom\": "     \
	"{\"version\": \"" version "\", \"hardwareIds\": [\"" hardware "\"], \"tags\": [\"" tags   \
	"\"], \"targetFormat\": \"OSTREE\", \"x-satchel\": {\"lowest-version\": " lowest "}}}"

static void
test_the_highest_floor_of_the_devices_targets_counts(void)
{
	static const char floored[] = FLOORED("a-9", "9", "board", "devel", "3") "," FLOORED(
		"b-8", "8", "board", "devel", "5") "," FLOORED("c-9", "9", "other", "devel",
							       "8") "," FLOORED("d-9", "9", "board",
										"test", "7");
	g_autoptr(SatchelTargets) targets = parse_targets(floored);
	g_autoptr(SatchelTargets) plain = parse_all();
	SatchelTargetFilter filter = {.hardware_id = "board", .tags = devel};

	g_assert_cmpint(satchel_target_lowest_version(targets, &filter), ==, 5);
	g_assert_cmpint(satchel_target_lowest_version(plain, &filter), ==, 0);
	filter.hardware_id = "nobody";
	g_assert_cmpint(satchel_target_lowest_version(targets, &filter), ==, 0);
}

static void
assert_too_old(const Choosing *self, const char *name)
{
	g_autoptr(GError) error = NULL;

	assert_chosen(self, SATCHEL_TARGET_CHOICE_TOO_OLD, NULL);
	g_assert_nonnull(strstr(self->choice.text, name));
	g_assert_false(satchel_target_choice_check(&self->choice, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNGRADE_REFUSED);
	g_assert_cmpstr(error->message, ==, self->choice.text);
}

static void
test_nothing_below_the_floor_is_taken_named_or_not(void)
{
	g_auto(Choosing) named =
		choose(three, (SatchelTargetQuestion){.wanted = "lmp-2", .lowest_version = 3});
	g_auto(Choosing) at_floor =
		choose(three, (SatchelTargetQuestion){.wanted = "3", .lowest_version = 3});
	g_auto(Choosing) by_itself = choose(three, (SatchelTargetQuestion){.lowest_version = 4});
	g_auto(Choosing) unnumbered =
		choose(SIMPLE("odd", "odd"),
		       (SatchelTargetQuestion){.wanted = "odd", .lowest_version = 1});
	g_auto(Choosing) without =
		choose(SIMPLE("odd", "odd"), (SatchelTargetQuestion){.wanted = "odd"});
	g_autoptr(GError) error = NULL;

	assert_chosen(&without, SATCHEL_TARGET_CHOICE_NEW_VERSION, "odd");
	assert_too_old(&named, "lmp-2");
	assert_too_old(&by_itself, "lmp-3");
	assert_too_old(&unnumbered, "odd");
	assert_chosen(&at_floor, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-3");
	g_assert_true(satchel_target_choice_check(&at_floor.choice, &error));
	g_assert_no_error(error);
}

static void
test_what_runs_is_not_below_the_floor(void)
{
	SatchelTargetQuestion question = {
		.current_name = "lmp-3",
		.current_version = 3,
		.running_commit = COMMIT,
		.lowest_version = 4,
	};
	g_auto(Choosing) self = choose(three, question);

	assert_chosen(&self, SATCHEL_TARGET_CHOICE_SYNC, "lmp-3");
}

static void
test_nobody_goes_back_below_the_floor(void)
{
	g_auto(Choosing) self = choose(three, (SatchelTargetQuestion){
						      .current_name = "lmp-3",
						      .current_version = 3,
						      .failing_names = failing_3,
						      .rollback_name = "lmp-2",
						      .lowest_version = 3,
					      });

	assert_no_choice(&self, SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND);
}

static void
test_who_may_goes_back_by_itself(void)
{
	SatchelTargetQuestion question = {
		.current_name = "lmp-4",
		.current_version = 4,
		.auto_downgrade = TRUE,
	};
	g_auto(Choosing) allowed = choose(three, question);
	g_auto(Choosing) barred = {0};

	assert_chosen(&allowed, SATCHEL_TARGET_CHOICE_NEW_VERSION, "lmp-3");
	question.lowest_version = 4;
	barred = choose(three, question);
	assert_too_old(&barred, "lmp-3");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/target-match/targets-come-by-version-then-name",
			test_targets_come_by_version_then_name);
	g_test_add_func("/target-match/any-of-the-tags-will-do", test_any_of_the_tags_will_do);
	g_test_add_func("/target-match/exactly-one-hardware-id-is-expected",
			test_exactly_one_hardware_id_is_expected);
	g_test_add_func("/target-match/only-what-the-bundle-lists-counts",
			test_only_what_the_bundle_lists_counts);
	g_test_add_func("/target-match/what-is-passed-over-is-named",
			test_what_is_passed_over_is_named);
	g_test_add_func("/target-match/no-match-is-an-error-that-says-why",
			test_no_match_is_an_error_that_says_why);
	g_test_add_func("/target-match/an-empty-list-matches-nothing",
			test_an_empty_list_matches_nothing);
	g_test_add_func("/target-choose/the-newest-is-chosen", test_the_newest_is_chosen);
	g_test_add_func("/target-choose/the-current-one-is-synced", test_the_current_one_is_synced);
	g_test_add_func("/target-choose/a-failing-target-is-not-chosen-by-itself",
			test_a_failing_target_is_not_chosen_by_itself);
	g_test_add_func("/target-choose/a-failing-target-can-be-named",
			test_a_failing_target_can_be_named);
	g_test_add_func("/target-choose/a-failing-current-target-goes-back",
			test_a_failing_current_target_goes_back);
	g_test_add_func("/target-choose/a-failing-current-target-without-another-is-an-error",
			test_a_failing_current_target_without_another_is_an_error);
	g_test_add_func("/target-choose/nobody-goes-back-by-itself",
			test_nobody_goes_back_by_itself);
	g_test_add_func("/target-choose/an-older-target-can-be-named",
			test_an_older_target_can_be_named);
	g_test_add_func("/target-choose/a-name-that-begins-with-digits-is-a-name",
			test_a_name_that_begins_with_digits_is_a_name);
	g_test_add_func("/target-choose/what-is-no-name-and-no-version-is-not-found",
			test_what_is_no_name_and_no_version_is_not_found);
	g_test_add_func("/target-choose/without-candidates-nothing-is-found",
			test_without_candidates_nothing_is_found);
	g_test_add_func("/target-choose/a-version-is-a-decimal-number",
			test_a_version_is_a_decimal_number);
	g_test_add_func("/target-choose/any-candidate-can-be-the-one-to-go-back-to",
			test_any_candidate_can_be_the_one_to_go_back_to);
	g_test_add_func("/target-choose/another-target-of-the-current-version-is-chosen",
			test_another_target_of_the_current_version_is_chosen);
	g_test_add_func("/target-choose/an-only-candidate-is-chosen",
			test_an_only_candidate_is_chosen);
	g_test_add_func("/target-choose/the-message-has-the-devices-words-and-no-more",
			test_the_message_has_the_devices_words_and_no_more);
	g_test_add_func("/target-match/targets-for-secondary-hardware-ids-are-passed-over",
			test_targets_for_secondary_hardware_ids_are_passed_over);
	g_test_add_func("/target-match/targets-for-secondary-hardware-ids-alone",
			test_targets_for_secondary_hardware_ids_alone_are_none_to_choose);
	g_test_add_func("/target-match/the-highest-floor-of-the-devices-targets-counts",
			test_the_highest_floor_of_the_devices_targets_counts);
	g_test_add_func("/target-choose/nothing-below-the-floor-is-taken-named-or-not",
			test_nothing_below_the_floor_is_taken_named_or_not);
	g_test_add_func("/target-choose/what-runs-is-not-below-the-floor",
			test_what_runs_is_not_below_the_floor);
	g_test_add_func("/target-choose/nobody-goes-back-below-the-floor",
			test_nobody_goes_back_below_the_floor);
	g_test_add_func("/target-choose/who-may-goes-back-by-itself",
			test_who_may_goes_back_by_itself);
	return g_test_run();
}
