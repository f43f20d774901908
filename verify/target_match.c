#include "target_match.h"
#include "path_safety.h"
#include <string.h>

static gboolean
match_contains(const char *const *list, const char *text)
{
	return list != NULL && g_strv_contains(list, text);
}

/* Any of the device's tags; a device without tags takes all. */
static gboolean
match_tags(const SatchelOstreeTarget *target, const char *const *tags)
{
	const char *const *carried = satchel_ostree_target_get_tags(target);

	if (tags == NULL || *tags == NULL)
		return TRUE;
	for (; *tags != NULL; tags++) {
		if (match_contains(carried, *tags))
			return TRUE;
	}
	return FALSE;
}

/* What came of it. */
typedef struct {
	const SatchelTargetFilter *filter;
	GPtrArray *found;
	GPtrArray *ignored; /* one line each */
	gboolean secondary; /* one was for a secondary hardware id, and nothing else was wrong */
} Matching;

/* NULL where the target counts, else why not. */
static const char *
match_objection(Matching *self, const SatchelOstreeTarget *target)
{
	const SatchelTargetFilter *filter = self->filter;
	const char *const *hardware_ids = satchel_ostree_target_get_hardware_ids(target);
	gboolean secondary = FALSE;

	if (hardware_ids[0] == NULL || hardware_ids[1] != NULL)
		return "it does not name exactly one hardware id";
	if (filter->hardware_id != NULL && strcmp(hardware_ids[0], filter->hardware_id) != 0) {
		secondary = match_contains(filter->secondary_hardware_ids, hardware_ids[0]);
		if (!secondary)
			return "it is for another hardware id";
	}
	if (!match_tags(target, filter->tags))
		return "it carries none of the device's tags";
	if (!secondary)
		return NULL;
	self->secondary = TRUE;
	return "it is for a secondary hardware id, which is not updated from here";
}

static void
match_ignore(Matching *self, const char *name, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(name);

	g_ptr_array_add(self->ignored,
			g_strdup_printf("target '%s' is passed over: %s", quoted, reason));
}

static void
match_one(Matching *self, const SatchelTarget *entry)
{
	const char *name = satchel_target_get_name(entry);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(SatchelOstreeTarget) target = satchel_ostree_target_new(entry, &local_error);
	const char *objection;

	if (target == NULL) {
		match_ignore(self, name, local_error->message);
		return;
	}
	objection = match_objection(self, target);
	if (objection != NULL)
		match_ignore(self, name, objection);
	else
		g_ptr_array_add(self->found, g_steal_pointer(&target));
}

static void
match_named(Matching *self, const SatchelTargets *targets, const char *const *names)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; names[i] != NULL; i++) {
		const SatchelTarget *entry = satchel_targets_lookup(targets, names[i]);

		if (!g_hash_table_add(seen, g_strdup(names[i])))
			continue;
		if (entry == NULL)
			match_ignore(self, names[i], "the targets role does not have it");
		else
			match_one(self, entry);
	}
}

static int
match_compare(gconstpointer a, gconstpointer b)
{
	const SatchelOstreeTarget *left = *(SatchelOstreeTarget *const *)a;
	const SatchelOstreeTarget *right = *(SatchelOstreeTarget *const *)b;
	gint64 left_version = satchel_ostree_target_get_version(left);
	gint64 right_version = satchel_ostree_target_get_version(right);

	if (left_version != right_version)
		return left_version < right_version ? -1 : 1;
	return strcmp(satchel_ostree_target_get_name(left), satchel_ostree_target_get_name(right));
}

/* The device's own words, then the first objection, which with one target is the whole story. */
static void
match_set_error(const Matching *self, GError **error)
{
	const char *const *tags = self->filter->tags;
	const char *hardware_id = self->filter->hardware_id;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *quoted = NULL;

	g_string_append_printf(text, "hardware id %s, tag ",
			       hardware_id != NULL ? hardware_id : "any");
	for (guint i = 0; tags != NULL && tags[i] != NULL; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? "," : "", tags[i]);
	if (tags == NULL || *tags == NULL)
		g_string_append(text, "any");
	quoted = satchel_path_quote(text->str);
	/* As aktualizr-lite has it, such targets are the device's, and none of them is to choose.
	 */
	g_set_error(error, SATCHEL_ERROR,
		    self->secondary ? SATCHEL_ERROR_TARGET_NOT_FOUND
				    : SATCHEL_ERROR_NO_MATCHING_TARGET,
		    "no target for %s%s%s%s", quoted,
		    self->secondary ? ", only for secondary hardware ids" : "",
		    self->ignored->len > 0 ? "; " : "",
		    self->ignored->len > 0 ? (const char *)self->ignored->pdata[0] : "");
}

GPtrArray *
satchel_target_match(const SatchelTargets *targets, const char *const *names,
		     const SatchelTargetFilter *filter, GStrv *ignored, GError **error)
{
	g_autoptr(GPtrArray) found =
		g_ptr_array_new_with_free_func((GDestroyNotify)satchel_ostree_target_unref);
	g_autoptr(GPtrArray) passed_over = g_ptr_array_new_with_free_func(g_free);
	Matching self = {.filter = filter, .found = found, .ignored = passed_over};

	if (names != NULL) {
		match_named(&self, targets, names);
	} else {
		for (guint i = 0; i < satchel_targets_get_n_targets(targets); i++)
			match_one(&self, satchel_targets_get_target(targets, i));
	}
	g_ptr_array_sort(found, match_compare);
	if (found->len == 0)
		match_set_error(&self, error);
	if (ignored != NULL) {
		g_ptr_array_add(passed_over, NULL);
		*ignored = (GStrv)g_ptr_array_steal(passed_over, NULL);
	}
	return found->len == 0 ? NULL : g_steal_pointer(&found);
}

gint64
satchel_target_lowest_version(const SatchelTargets *targets, const SatchelTargetFilter *filter)
{
	g_autoptr(GPtrArray) all = satchel_target_match(targets, NULL, filter, NULL, NULL);
	gint64 lowest = 0;

	for (guint i = 0; all != NULL && i < all->len; i++)
		lowest = MAX(lowest, satchel_ostree_target_get_lowest_version(all->pdata[i]));
	return lowest;
}

gboolean
satchel_target_check_floor(const SatchelOstreeTarget *target, gint64 lowest_version,
			   const char *running_commit, GError **error)
{
	g_autofree char *quoted = NULL;

	if (lowest_version == 0 || satchel_ostree_target_get_version(target) >= lowest_version ||
	    g_strcmp0(running_commit, satchel_ostree_target_get_commit(target)) == 0)
		return TRUE;
	quoted = satchel_path_quote(satchel_ostree_target_get_name(target));
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNGRADE_REFUSED,
		    "%s is of version %" G_GINT64_FORMAT
		    ", and this device takes none below %" G_GINT64_FORMAT " any more",
		    quoted, satchel_ostree_target_get_version(target), lowest_version);
	return FALSE;
}

/* The exact name wins over a version, so that `5g-board-lmp-10` is never taken for version 5. */
static const SatchelOstreeTarget *
choose_wanted(const SatchelTargetQuestion *question)
{
	GPtrArray *candidates = question->candidates;
	guint64 version = 0;

	for (guint i = 0; i < candidates->len; i++) {
		if (strcmp(satchel_ostree_target_get_name(candidates->pdata[i]),
			   question->wanted) == 0)
			return candidates->pdata[i];
	}
	/* Refuses signs, white space and what does not fit, so that only digits are a version. */
	if (!g_ascii_string_to_unsigned(question->wanted, 10, 0, G_MAXINT64, &version, NULL))
		return NULL;
	for (guint i = candidates->len; i > 0; i--) {
		if (satchel_ostree_target_get_version(candidates->pdata[i - 1]) == (gint64)version)
			return candidates->pdata[i - 1];
	}
	return NULL;
}

static gboolean
choose_is_current(const SatchelTargetQuestion *question, const SatchelOstreeTarget *target)
{
	return question->current_name != NULL &&
	       strcmp(question->current_name, satchel_ostree_target_get_name(target)) == 0;
}

static gboolean
choose_is_failing(const SatchelTargetQuestion *question, const SatchelOstreeTarget *target)
{
	return match_contains(question->failing_names, satchel_ostree_target_get_name(target));
}

static gboolean
choose_set(SatchelTargetChoice *choice, SatchelTargetChoiceKind kind,
	   const SatchelOstreeTarget *selected, char *text)
{
	choice->kind = kind;
	choice->selected = selected;
	choice->text = text;
	return TRUE;
}

static gboolean
choose_move(const SatchelTargetQuestion *question, const SatchelOstreeTarget *target,
	    SatchelTargetChoice *choice)
{
	const char *name = satchel_ostree_target_get_name(target);
	const char *from = question->current_name != NULL ? question->current_name : "unknown";
	g_autoptr(GError) too_old = NULL;

	if (!satchel_target_check_floor(target, question->lowest_version, question->running_commit,
					&too_old))
		return choose_set(choice, SATCHEL_TARGET_CHOICE_TOO_OLD, NULL,
				  g_strdup(too_old->message));
	if (choose_is_current(question, target))
		return choose_set(choice, SATCHEL_TARGET_CHOICE_SYNC, target,
				  g_strdup_printf("%s is the current target", name));
	return choose_set(choice, SATCHEL_TARGET_CHOICE_NEW_VERSION, target,
			  g_strdup_printf("Updating from %s to %s", from, name));
}

static gboolean
choose_rollback(const SatchelTargetQuestion *question, SatchelTargetChoice *choice, GError **error)
{
	for (guint i = 0; question->rollback_name != NULL && i < question->candidates->len; i++) {
		const SatchelOstreeTarget *target = question->candidates->pdata[i];

		if (strcmp(satchel_ostree_target_get_name(target), question->rollback_name) == 0 &&
		    satchel_target_check_floor(target, question->lowest_version,
					       question->running_commit, NULL))
			return choose_set(choice, SATCHEL_TARGET_CHOICE_ROLLBACK, target,
					  g_strdup_printf("Rolling back from %s to %s",
							  question->current_name,
							  question->rollback_name));
	}
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND,
		    "the current target %s is failing, and there is none to go back to",
		    question->current_name);
	return FALSE;
}

static gboolean
choose_by_itself(const SatchelTargetQuestion *question, SatchelTargetChoice *choice, GError **error)
{
	const SatchelOstreeTarget *newest =
		question->candidates->pdata[question->candidates->len - 1];
	const char *name = satchel_ostree_target_get_name(newest);

	if (choose_is_failing(question, newest)) {
		if (choose_is_current(question, newest))
			return choose_rollback(question, choice, error);
		return choose_set(
			choice, SATCHEL_TARGET_CHOICE_NOTHING, NULL,
			g_strdup_printf("%s was tried and failed; name it to try again", name));
	}
	if (!question->auto_downgrade && question->current_name != NULL &&
	    !choose_is_current(question, newest) &&
	    satchel_ostree_target_get_version(newest) < question->current_version)
		return choose_set(choice, SATCHEL_TARGET_CHOICE_NOTHING, NULL,
				  g_strdup_printf("%s is older than the current %s; name it to go "
						  "back",
						  name, question->current_name));
	return choose_move(question, newest, choice);
}

gboolean
satchel_target_choose(const SatchelTargetQuestion *question, SatchelTargetChoice *choice,
		      GError **error)
{
	const SatchelOstreeTarget *wanted;
	g_autofree char *quoted = NULL;

	memset(choice, 0, sizeof *choice);
	if (question->wanted == NULL && question->candidates->len > 0)
		return choose_by_itself(question, choice, error);
	wanted = question->wanted != NULL ? choose_wanted(question) : NULL;
	if (wanted != NULL)
		return choose_move(question, wanted, choice);
	quoted = satchel_path_quote(question->wanted != NULL ? question->wanted : "");
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_TARGET_NOT_FOUND,
		    "no target of name or version '%s' for this device", quoted);
	return FALSE;
}

gboolean
satchel_target_choice_check(const SatchelTargetChoice *self, GError **error)
{
	if (self->kind != SATCHEL_TARGET_CHOICE_TOO_OLD)
		return TRUE;
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNGRADE_REFUSED, self->text);
	return FALSE;
}

void
satchel_target_choice_clear(SatchelTargetChoice *self)
{
	g_clear_pointer(&self->text, g_free);
}
