#pragma once
#include <satchel/error.h>

/*
 * What came of one candidate on a stick, and its form on the way from the reader without privileges
 * to whoever has them: one line of bounded length, of which nothing is believed. Pure.
 */
typedef enum {
	SATCHEL_MEDIA_REFUSED,	   /* @code and @reason say why */
	SATCHEL_MEDIA_NOTHING_NEW, /* good, and nothing to do for this device */
	SATCHEL_MEDIA_INSTALLABLE, /* good, and has a target that this device would take */
} SatchelMediaVerdictKind;

typedef struct {
	char *path; /* below the stick's root */
	SatchelMediaVerdictKind kind;
	SatchelError code; /* of a refusal */
	char *target;	   /* (nullable): of what is installable */
	gint64 version; /* of what it has for this device, as far as it was judged; -1: unknown */
	char *reason;	/* one line for people */
} SatchelMediaVerdict;

/* Longest line, its newline included; longer texts are cut. */
#define SATCHEL_MEDIA_VERDICT_BYTES 16384u

/* Copies. @target: (nullable). What is no printable character becomes \xNN. (transfer full) */
SatchelMediaVerdict *satchel_media_verdict_new(const char *path, SatchelMediaVerdictKind kind,
					       SatchelError code, const char *target,
					       gint64 version, const char *reason);
/* Makes it a refusal, of the same version. */
void satchel_media_verdict_refuse(SatchelMediaVerdict *self, const GError *reason);
/* A refusal. (transfer full) */
SatchelMediaVerdict *satchel_media_verdict_new_refused(const char *path, const GError *reason);

/* The line. (transfer full) */
char *satchel_media_verdict_to_line(const SatchelMediaVerdict *self);
/* Error: SATCHEL_ERROR_DOWNLOAD_FAILED where @line is of another form, or about another path than
 * @path. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelMediaVerdict *satchel_media_verdict_from_line(const char *line, const char *path,
						     GError **error);

/* Which of @verdicts (of SatchelMediaVerdict) to install: of those that are installable the one
 * with the highest version, of several with that version the first one. NULL: none. Borrowed. */
SatchelMediaVerdict *satchel_media_verdict_best(GPtrArray *verdicts);

/* Why nothing of @verdicts is installed, where the medium holds something for this device: the
 * refusal of the newest that is not "for another device", and not known to be older than one that
 * is SATCHEL_MEDIA_NOTHING_NEW. What has no known version may be newer than all others; what has
 * another tag is older. NULL: there is none. Borrowed. */
const SatchelMediaVerdict *satchel_media_verdict_newest_refusal(GPtrArray *verdicts);

/* TRUE where one of them is SATCHEL_MEDIA_NOTHING_NEW. */
gboolean satchel_media_verdict_is_any_good(GPtrArray *verdicts);

void satchel_media_verdict_free(SatchelMediaVerdict *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelMediaVerdict, satchel_media_verdict_free)
