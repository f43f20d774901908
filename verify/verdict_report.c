#include "verdict_report.h"
#include "utc_time.h"
#include <jansson.h>

/* Names of error codes in JSON. */
static const char *
report_code_name(int code)
{
	switch ((SatchelError)code) { /* no default: a new code must not compile unnamed */
	case SATCHEL_ERROR_FAILED:
		return "failed";
	case SATCHEL_ERROR_USAGE:
		return "usage";
	case SATCHEL_ERROR_BUSY:
		return "busy";
	case SATCHEL_ERROR_METADATA_FAILURE:
		return "metadata-failure";
	case SATCHEL_ERROR_METADATA_INVALID:
		return "metadata-invalid";
	case SATCHEL_ERROR_METADATA_EXPIRED:
		return "metadata-expired";
	case SATCHEL_ERROR_METADATA_DOWNLOAD:
		return "metadata-download";
	case SATCHEL_ERROR_METADATA_NOT_FOUND:
		return "metadata-not-found";
	case SATCHEL_ERROR_BUNDLE_INVALID:
	case SATCHEL_ERROR_OTHER_TAG:
		return "bundle-invalid";
	case SATCHEL_ERROR_NO_MATCHING_TARGET:
		return "no-matching-target";
	case SATCHEL_ERROR_NO_TARGET_CONTENT:
		return "no-target-content";
	case SATCHEL_ERROR_TARGET_NOT_FOUND:
		return "target-not-found";
	case SATCHEL_ERROR_ROLLBACK_TARGET_NOT_FOUND:
		return "rollback-target-not-found";
	case SATCHEL_ERROR_INSTALLATION_IN_PROGRESS:
		return "installation-in-progress";
	case SATCHEL_ERROR_NO_PENDING_INSTALLATION:
		return "no-pending-installation";
	case SATCHEL_ERROR_DOWNLOAD_FAILED:
		return "download-failed";
	case SATCHEL_ERROR_NO_SPACE:
		return "no-space";
	case SATCHEL_ERROR_CONTENT_INVALID:
		return "content-invalid";
	case SATCHEL_ERROR_DOWNGRADE_REFUSED:
		return "downgrade-refused";
	case SATCHEL_ERROR_ROLLED_BACK:
		return "rolled-back";
	case SATCHEL_ERROR_ROLLBACK_FAILED:
		return "rollback-failed";
	case SATCHEL_ERROR_TARGET_UNREADABLE:
		return "target-unreadable";
	case SATCHEL_ERROR_REBOOT_FOR_BOOT_FIRMWARE:
		return "reboot-for-boot-firmware";
	case SATCHEL_ERROR_ROLLBACK_NEEDS_REBOOT:
		return "rollback-needs-reboot";
	case SATCHEL_ERROR_CANCELLED:
		return "cancelled";
	case SATCHEL_ERROR_ENGINE_UNREACHABLE:
		return "engine-unreachable";
	}
	return "failed";
}

/* What a device with nothing on it would take. */
static const SatchelOstreeTarget *
report_choice(const SatchelVerdict *verdict)
{
	SatchelTargetQuestion question = {.candidates = verdict->targets, .current_version = -1};
	g_auto(SatchelTargetChoice) choice = {0};

	if (!satchel_verdict_is_accepted(verdict) ||
	    !satchel_target_choose(&question, &choice, NULL))
		return NULL;
	return choice.selected;
}

/* One line that a terminal does not obey. */
static void
report_line(GString *text, const char *indent, const char *line)
{
	g_autofree char *valid = g_utf8_make_valid(line, -1);

	g_string_append(text, indent);
	for (char *c = valid; *c != '\0'; c = g_utf8_next_char(c)) {
		gunichar letter = g_utf8_get_char(c);

		if (g_unichar_iscntrl(letter))
			g_string_append_printf(text, "\\x%02x", letter);
		else
			g_string_append_unichar(text, letter);
	}
	g_string_append_c(text, '\n');
}

static void
report_meta_text(GString *text, const SatchelBundleMeta *meta)
{
	g_autofree char *expires = satchel_utc_time_format(satchel_bundle_meta_get_expires_s(meta));
	g_autofree char *line = g_strdup_printf("bundle: type %s, tag %s, expires %s",
						satchel_bundle_meta_get_type(meta),
						satchel_bundle_meta_get_tag(meta), expires);

	report_line(text, "", line);
}

static void
report_target_text(GString *text, const char *what, const SatchelOstreeTarget *target)
{
	g_autofree char *line = g_strdup_printf("%s: %s, version %" G_GINT64_FORMAT ", commit %s",
						what, satchel_ostree_target_get_name(target),
						satchel_ostree_target_get_version(target),
						satchel_ostree_target_get_commit(target));

	report_line(text, "", line);
}

char *
satchel_verdict_report_text(const SatchelVerdict *verdict, const SatchelVerdictContext *context)
{
	GString *text = g_string_new(NULL);
	const SatchelOstreeTarget *choice = report_choice(verdict);

	report_line(text, "", satchel_verdict_is_accepted(verdict) ? "accepted" : "refused");
	for (guint i = 0; i < satchel_verdict_get_n_reasons(verdict); i++) {
		const GError *reason = satchel_verdict_get_reason(verdict, i);
		g_autofree char *line =
			g_strdup_printf("%s: %s", report_code_name(reason->code), reason->message);

		report_line(text, "  ", line);
	}
	if (choice != NULL)
		report_target_text(text, "takes", choice);
	if (verdict->meta != NULL)
		report_meta_text(text, verdict->meta);
	if (verdict->used_stored_metadata)
		report_line(text, "", "note: judged by the store's newer metadata");
	for (guint i = 0; i < satchel_verdict_get_n_notes(verdict); i++)
		report_line(text, "note: ", satchel_verdict_get_note(verdict, i));
	if (context->full && satchel_verdict_is_accepted(verdict))
		report_line(text, "", "all content was read and hashed");
	return g_string_free(text, FALSE);
}

/* jansson takes valid UTF-8 only; a path may be anything. */
static json_t *
report_string(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	return json_string(valid);
}

static json_t *
report_time(gint64 seconds)
{
	g_autofree char *text = satchel_utc_time_format(seconds);

	return json_string(text);
}

static json_t *
report_target_json(const SatchelOstreeTarget *target)
{
	if (target == NULL)
		return json_null();
	return json_pack("{s:o, s:I, s:s}", "name",
			 report_string(satchel_ostree_target_get_name(target)), "version",
			 (json_int_t)satchel_ostree_target_get_version(target), "commit",
			 satchel_ostree_target_get_commit(target));
}

static json_t *
report_meta_json(const SatchelBundleMeta *meta)
{
	json_t *object;

	if (meta == NULL)
		return json_null();
	object = json_pack("{s:o, s:o, s:o, s:I}", "type",
			   report_string(satchel_bundle_meta_get_type(meta)), "tag",
			   report_string(satchel_bundle_meta_get_tag(meta)), "expires",
			   report_time(satchel_bundle_meta_get_expires_s(meta)), "version",
			   (json_int_t)satchel_bundle_meta_get_version(meta));
	if (satchel_bundle_meta_get_issued_s(meta) >= 0)
		json_object_set_new(object, "issued",
				    report_time(satchel_bundle_meta_get_issued_s(meta)));
	return object;
}

static json_t *
report_reasons_json(const SatchelVerdict *verdict)
{
	json_t *array = json_array();

	for (guint i = 0; i < satchel_verdict_get_n_reasons(verdict); i++) {
		const GError *reason = satchel_verdict_get_reason(verdict, i);

		json_array_append_new(array, json_pack("{s:s, s:o}", "reason",
						       report_code_name(reason->code), "message",
						       report_string(reason->message)));
	}
	return array;
}

char *
satchel_verdict_report_json(const SatchelVerdict *verdict, const SatchelVerdictContext *context)
{
	const SatchelDeviceProfile *profile = context->profile;
	json_t *targets = json_array();
	json_t *notes = json_array();
	json_t *document;
	char *dumped, *text;

	for (guint i = 0; i < satchel_verdict_get_n_targets(verdict); i++)
		json_array_append_new(targets,
				      report_target_json(satchel_verdict_get_target(verdict, i)));
	for (guint i = 0; i < satchel_verdict_get_n_notes(verdict); i++)
		json_array_append_new(notes, report_string(satchel_verdict_get_note(verdict, i)));
	document = json_pack(
		"{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "accepted",
		satchel_verdict_is_accepted(verdict), "bundle", report_string(context->bundle),
		"reasons", report_reasons_json(verdict), "target",
		report_target_json(report_choice(verdict)), "targets", targets, "notes", notes,
		"metadata", report_meta_json(verdict->meta), "clock", report_time(profile->clock_s),
		"floor", report_time(profile->floor_s), "used_stored_metadata",
		verdict->used_stored_metadata, "full", context->full);
	dumped = json_dumps(document, JSON_INDENT(2));
	text = g_strconcat(dumped, "\n", NULL);
	free(dumped);
	json_decref(document);
	return text;
}
