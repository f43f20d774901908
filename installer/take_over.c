#include "take_over.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "aktualizr_database.h"
#include "aktualizr_target.h"
#include "reboot_sentinel.h"
#include "take_over_trust.h"

#define REASON "taken over from aktualizr-lite"
/* More names than that are told as a number. */
#define MAX_TOLD 4u

/* One take-over: who is asked, and what came of it. */
typedef struct {
	SatchelDevice *device;
	SatchelAktualizrDatabase *database;
	const char *booted;
	const char *next;
	SatchelState *state;
	gint64 current_id; /* of the current target's row; none is later where it has no row */
	GString *told;
} TakeOver;

static void
take_over_clear(TakeOver *run)
{
	g_clear_pointer(&run->database, satchel_aktualizr_database_free);
	g_clear_pointer(&run->state, satchel_state_free);
	if (run->told != NULL)
		g_string_free(run->told, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TakeOver, take_over_clear)

/* The newest answer; *@target is NULL where there is none. */
static gboolean
ask_newest(const TakeOver *run, SatchelAktualizrQuestion question, const char *commit,
	   SatchelStateTarget **target, gint64 *id, GError **error)
{
	g_autoptr(GPtrArray) answers =
		satchel_aktualizr_database_ask(run->database, question, commit, 0, error);
	const SatchelAktualizrVersion *newest = NULL;

	if (answers == NULL)
		return FALSE;
	if (answers->len == 0)
		return TRUE;
	newest = g_ptr_array_index(answers, 0);
	*target = satchel_state_target_copy(newest->target);
	*id = newest->id;
	return TRUE;
}

/* What ran before the pending one was installed: what the database calls current only where the
 * sysroot has it. */
static const char *
find_from(const TakeOver *run, const SatchelStateTarget *claimed)
{
	const SatchelSysroot *sysroot = run->device->sysroot;
	const char *pending = run->state->pending->commit;
	const char *fallback = satchel_sysroot_get_fallback_commit(sysroot);

	if (!g_str_equal(run->booted, pending))
		return run->booted;
	if (claimed != NULL && !g_str_equal(claimed->commit, pending) &&
	    satchel_sysroot_has_commit(sysroot, claimed->commit))
		return claimed->commit;
	return fallback != NULL ? fallback : run->booted;
}

/* The name of what runs, or ran before the pending one: by its commit, whatever is called current.
 */
static gboolean
take_current(TakeOver *run, GError **error)
{
	g_autoptr(SatchelStateTarget) claimed = NULL;
	gint64 id = 0;
	const char *commit = run->booted;

	if (!ask_newest(run, SATCHEL_AKTUALIZR_PENDING, NULL, &run->state->pending, &id, error) ||
	    !ask_newest(run, SATCHEL_AKTUALIZR_CURRENT, NULL, &claimed, &run->current_id, error))
		return FALSE;
	if (run->state->pending != NULL) {
		run->state->from_commit = g_strdup(find_from(run, claimed));
		commit = run->state->from_commit;
	}
	if (claimed != NULL && g_str_equal(claimed->commit, commit)) {
		run->state->current = g_steal_pointer(&claimed);
		return TRUE;
	}
	run->current_id = G_MAXINT64;
	return ask_newest(run, SATCHEL_AKTUALIZR_OF_COMMIT, commit, &run->state->current,
			  &run->current_id, error);
}

/* The newest before the current one that has run, and that is on the device. */
static gboolean
take_rollback(TakeOver *run, GError **error)
{
	const char *commit =
		run->state->from_commit != NULL ? run->state->from_commit : run->booted;
	const SatchelStateTarget *pending = run->state->pending;
	g_autoptr(GPtrArray) answers = satchel_aktualizr_database_ask(
		run->database, SATCHEL_AKTUALIZR_WORKED_BEFORE, commit, run->current_id, error);

	for (guint i = 0; answers != NULL && i < answers->len; i++) {
		const SatchelAktualizrVersion *version = g_ptr_array_index(answers, i);

		if ((pending != NULL && g_str_equal(pending->commit, version->target->commit)) ||
		    !satchel_sysroot_has_commit(run->device->sysroot, version->target->commit))
			continue;
		run->state->rollback = satchel_state_target_copy(version->target);
		break;
	}
	return answers != NULL;
}

static gboolean
take_failing(TakeOver *run, GError **error)
{
	const char *pending = run->state->pending != NULL ? run->state->pending->commit : NULL;
	g_autoptr(GPtrArray) answers = satchel_aktualizr_database_ask(
		run->database, SATCHEL_AKTUALIZR_FAILING, pending, 0, error);

	/* Oldest first. */
	for (guint i = answers != NULL ? answers->len : 0; i > 0; i--) {
		const SatchelAktualizrVersion *version = g_ptr_array_index(answers, i - 1);

		g_ptr_array_add(run->state->failing, satchel_state_target_copy(version->target));
		satchel_state_add_event(run->state, SATCHEL_STATE_EVENT_FAILED,
					run->device->clock_s, version->target, REASON);
	}
	return answers != NULL;
}

/* The next boot takes what nobody calls pending: somebody deployed it all the same. A failing one
 * is there where the boot loader went back and the list still begins with it. */
static gboolean
take_deployed(TakeOver *run, GError **error)
{
	SatchelState *state = run->state;
	g_autoptr(SatchelStateTarget) next = NULL;
	gint64 id = 0;

	if (state->pending != NULL || g_strcmp0(run->booted, run->next) == 0)
		return TRUE;
	if (!ask_newest(run, SATCHEL_AKTUALIZR_OF_COMMIT, run->next, &next, &id, error))
		return FALSE;
	if (next == NULL)
		next = satchel_state_target_new_from_parts(SATCHEL_STATE_UNKNOWN_NAME, -1,
							   run->next);
	if (satchel_state_is_failing(state, next->name, next->commit))
		return TRUE;
	state->installing = g_steal_pointer(&next);
	state->from_commit = g_strdup(run->booted);
	run->device->rebuilt = TRUE;
	return TRUE;
}

/* Without the flag of aktualizr-lite, a sentinel that is gone tells of no reboot: then only the
 * next one does. */
static gboolean
keep_reboot(const TakeOver *run, GError **error)
{
	const SatchelSettings *settings = run->device->settings;
	const SatchelStateTarget *pending = run->state->pending;

	if (pending == NULL || run->device->mode == SATCHEL_DEVICE_READ_ONLY ||
	    !satchel_sysroot_is_booted(run->device->sysroot) ||
	    g_str_equal(pending->commit, run->booted) ||
	    g_strcmp0(pending->commit, run->next) != 0 ||
	    satchel_aktualizr_database_get_need_reboot(run->database) == 1)
		return TRUE;
	return satchel_reboot_sentinel_set(settings->reboot_sentinel_dir,
					   settings->reboot_sentinel_name, error);
}

static void
tell_failing(const TakeOver *run)
{
	const GPtrArray *failing = run->state->failing;

	for (guint i = 0; i < failing->len && i < MAX_TOLD; i++) {
		const SatchelStateTarget *target = g_ptr_array_index(failing, i);

		g_string_append_printf(run->told, "%s%s", i == 0 ? "; failing: " : ", ",
				       target->name);
	}
	if (failing->len > MAX_TOLD)
		g_string_append_printf(run->told, " and %u more", failing->len - MAX_TOLD);
}

static void
tell_versions(const TakeOver *run)
{
	const SatchelState *state = run->state;
	guint n_odd = satchel_aktualizr_database_get_n_odd(run->database);

	g_string_append_printf(run->told, "; %s: %s",
			       state->pending != NULL ? "installed before" : "running",
			       state->current != NULL ? state->current->name : "unknown to it");
	if (state->pending != NULL)
		g_string_append_printf(run->told, "; waiting for 'run': %s", state->pending->name);
	if (state->rollback != NULL)
		g_string_append_printf(run->told, "; for rollback: %s", state->rollback->name);
	tell_failing(run);
	if (n_odd > 0)
		g_string_append_printf(run->told, "; passed over: %u rows that make no sense",
				       n_odd);
}

static void
note_events(const TakeOver *run)
{
	SatchelState *state = run->state;

	if (state->current != NULL)
		satchel_state_add_event(state, SATCHEL_STATE_EVENT_WORKING, run->device->clock_s,
					state->current, REASON);
	if (state->pending != NULL)
		satchel_state_add_event(state, SATCHEL_STATE_EVENT_DEPLOYED, run->device->clock_s,
					state->pending, REASON);
}

/* FALSE with SATCHEL_ERROR_METADATA_INVALID: the log is of no use. */
static gboolean
take_versions(TakeOver *run, GError **error)
{
	if (!take_current(run, error) || !take_rollback(run, error) || !take_failing(run, error) ||
	    !take_deployed(run, error) || !keep_reboot(run, error))
		return FALSE;
	note_events(run);
	tell_versions(run);
	return TRUE;
}

/* The log of targets; without one the state stays new. */
static gboolean
take_log(TakeOver *run, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	if (take_versions(run, &local_error))
		return TRUE;
	if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID)) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	satchel_state_free(run->state);
	run->state = satchel_state_new();
	g_string_append_printf(run->told, "; no targets taken: %s", local_error->message);
	return TRUE;
}

/* What an image brings along instead of a log. */
static gboolean
take_imported(TakeOver *run)
{
	g_autofree char *path =
		g_build_filename(run->device->settings->import_dir, "installed_versions", NULL);
	g_autofree char *quoted = satchel_path_quote(path);
	g_autoptr(GError) local_error = NULL;
	g_autoptr(GBytes) document =
		satchel_safe_read_named(path, SATCHEL_LIMIT_STATE_BYTES, &local_error);

	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND))
		return FALSE;
	if (document != NULL)
		run->state->current =
			satchel_aktualizr_target_find_imported(document, run->booted, &local_error);
	if (local_error != NULL)
		g_string_append_printf(run->told, "; not read: %s: %s", quoted,
				       local_error->message);
	else
		g_string_append_printf(run->told, "; running, by %s: %s", quoted,
				       run->state->current == NULL ? "unknown to it"
								   : run->state->current->name);
	note_events(run);
	return TRUE;
}

/* *@found: there is one, of use or not. */
static gboolean
open_database(TakeOver *run, gboolean *found, GError **error)
{
	g_autoptr(GError) local_error = NULL;

	run->database =
		satchel_aktualizr_database_open(run->device->settings->database_path, &local_error);
	*found = !g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND);
	if (run->database != NULL || !*found)
		return TRUE;
	if (!g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID)) {
		g_propagate_prefixed_error(error, g_steal_pointer(&local_error),
					   "nothing could be taken over from aktualizr-lite: ");
		return FALSE;
	}
	g_string_append_printf(run->told, "; not read: %s", local_error->message);
	return TRUE;
}

static gboolean
knows_nothing(const SatchelState *state)
{
	return state->current == NULL && state->pending == NULL && state->rollback == NULL &&
	       state->failing->len == 0;
}

gboolean
satchel_take_over(SatchelDevice *self, gboolean *taken, GError **error)
{
	g_auto(TakeOver) run = {.device = self, .current_id = G_MAXINT64};

	*taken = FALSE;
	run.booted = satchel_sysroot_get_booted_commit(self->sysroot);
	run.next = satchel_sysroot_get_default_commit(self->sysroot);
	if (run.booted == NULL)
		return TRUE;
	run.state = satchel_state_new();
	run.told = g_string_new(NULL);
	if (!open_database(&run, taken, error) || (run.database != NULL && !take_log(&run, error)))
		return FALSE;
	if (knows_nothing(run.state) && run.state->installing == NULL && take_imported(&run))
		*taken = TRUE;
	if (run.database != NULL && self->mode == SATCHEL_DEVICE_UPDATE &&
	    !satchel_take_over_trust(self, run.database, run.told, error))
		return FALSE;
	if (!*taken)
		return TRUE;
	satchel_device_remark(self, "aktualizr-lite was here before%s", run.told->str);
	satchel_state_free(self->state);
	self->state = g_steal_pointer(&run.state);
	return TRUE;
}
