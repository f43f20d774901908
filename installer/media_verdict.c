#include "media_verdict.h"
#include <string.h>

#define N_FIELDS 6u

/* Every character takes up to four in a line; paths have SATCHEL_LIMIT_NAME_BYTES twice at most. */
#define MAX_TEXT_BYTES 1200u

/* One line that neither a terminal nor a journal obeys. (transfer full) */
static char *
make_printable(const char *text)
{
	GString *line = g_string_new(NULL);

	for (const char *c = text; *c != '\0' && line->len < MAX_TEXT_BYTES; c++) {
		if (g_ascii_isprint(*c))
			g_string_append_c(line, *c);
		else
			g_string_append_printf(line, "\\x%02x", (guint8)*c);
	}
	return g_string_free(line, FALSE);
}

SatchelMediaVerdict *
satchel_media_verdict_new(const char *path, SatchelMediaVerdictKind kind, SatchelError code,
			  const char *target, gint64 version, const char *reason)
{
	SatchelMediaVerdict *self = g_new0(SatchelMediaVerdict, 1);

	self->path = g_strdup(path);
	self->kind = kind;
	self->code = code;
	self->target = target != NULL ? make_printable(target) : NULL;
	self->version = version;
	self->reason = make_printable(reason);
	return self;
}

void
satchel_media_verdict_refuse(SatchelMediaVerdict *self, const GError *reason)
{
	self->kind = SATCHEL_MEDIA_REFUSED;
	self->code = reason->domain == SATCHEL_ERROR ? (SatchelError)reason->code
						     : SATCHEL_ERROR_DOWNLOAD_FAILED;
	g_free(self->reason);
	self->reason = make_printable(reason->message);
}

SatchelMediaVerdict *
satchel_media_verdict_new_refused(const char *path, const GError *reason)
{
	SatchelMediaVerdict *self = satchel_media_verdict_new(path, SATCHEL_MEDIA_REFUSED,
							      SATCHEL_ERROR_FAILED, NULL, -1, "");

	satchel_media_verdict_refuse(self, reason);
	return self;
}

char *
satchel_media_verdict_to_line(const SatchelMediaVerdict *self)
{
	g_autofree char *path = g_strescape(self->path, NULL);
	g_autofree char *target = g_strescape(self->target != NULL ? self->target : "", NULL);
	g_autofree char *reason = g_strescape(self->reason, NULL);

	return g_strdup_printf("%d\t%d\t%" G_GINT64_FORMAT "\t%s\t%s\t%s\n", self->kind,
			       (int)self->code, self->version, path, target, reason);
}

static gboolean
parse_number(const char *text, gint64 min, gint64 max, gint64 *value)
{
	return g_ascii_string_to_signed(text, 10, min, max, value, NULL);
}

SatchelMediaVerdict *
satchel_media_verdict_from_line(const char *line, const char *path, GError **error)
{
	g_auto(GStrv) fields = g_strsplit(line, "\t", N_FIELDS + 1);
	gint64 kind = 0;
	gint64 code = 0;
	gint64 version = -1;

	if (strlen(line) < SATCHEL_MEDIA_VERDICT_BYTES && g_strv_length(fields) == N_FIELDS &&
	    parse_number(fields[0], SATCHEL_MEDIA_REFUSED, SATCHEL_MEDIA_INSTALLABLE, &kind) &&
	    parse_number(fields[1], 0, SATCHEL_ERROR_LAST, &code) &&
	    parse_number(fields[2], -1, G_MAXINT64, &version)) {
		g_autofree char *about = g_strcompress(fields[3]);
		g_autofree char *target = g_strcompress(fields[4]);
		g_autofree char *reason = g_strcompress(g_strchomp(fields[5]));

		if (g_str_equal(about, path))
			return satchel_media_verdict_new(
				path, (SatchelMediaVerdictKind)kind, (SatchelError)code,
				*target != '\0' ? target : NULL, version, reason);
	}
	g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the stick is unreadable: its reader gave no verdict");
	return NULL;
}

SatchelMediaVerdict *
satchel_media_verdict_best(GPtrArray *verdicts)
{
	SatchelMediaVerdict *best = NULL;

	for (guint i = 0; i < verdicts->len; i++) {
		SatchelMediaVerdict *one = verdicts->pdata[i];

		if (one->kind == SATCHEL_MEDIA_INSTALLABLE &&
		    (best == NULL || one->version > best->version))
			best = one;
	}
	return best;
}

static gboolean
is_for_another_device(const SatchelMediaVerdict *self)
{
	return self->code == SATCHEL_ERROR_NO_MATCHING_TARGET ||
	       self->code == SATCHEL_ERROR_TARGET_NOT_FOUND;
}

/* What nobody could find out may be the newest; what is for other devices is older than any. */
static gint64
get_age(const SatchelMediaVerdict *self)
{
	if (self->code == SATCHEL_ERROR_OTHER_TAG)
		return -1;
	return self->version >= 0 ? self->version : G_MAXINT64;
}

static gboolean
is_outdone(const SatchelMediaVerdict *self, const GPtrArray *verdicts)
{
	for (guint i = 0; i < verdicts->len; i++) {
		const SatchelMediaVerdict *one = verdicts->pdata[i];

		if (one->kind == SATCHEL_MEDIA_NOTHING_NEW && get_age(self) <= one->version)
			return TRUE;
	}
	return FALSE;
}

const SatchelMediaVerdict *
satchel_media_verdict_newest_refusal(GPtrArray *verdicts)
{
	const SatchelMediaVerdict *newest = NULL;

	for (guint i = 0; i < verdicts->len; i++) {
		const SatchelMediaVerdict *one = verdicts->pdata[i];

		if (one->kind == SATCHEL_MEDIA_REFUSED && !is_for_another_device(one) &&
		    !is_outdone(one, verdicts) &&
		    (newest == NULL || get_age(one) > get_age(newest)))
			newest = one;
	}
	return newest;
}

gboolean
satchel_media_verdict_is_any_good(GPtrArray *verdicts)
{
	for (guint i = 0; i < verdicts->len; i++) {
		const SatchelMediaVerdict *one = verdicts->pdata[i];

		if (one->kind == SATCHEL_MEDIA_NOTHING_NEW)
			return TRUE;
	}
	return FALSE;
}

void
satchel_media_verdict_free(SatchelMediaVerdict *self)
{
	g_free(self->path);
	g_free(self->target);
	g_free(self->reason);
	g_free(self);
}
