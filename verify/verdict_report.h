#pragma once
#include "verdict.h"

/* What is told besides the verdict. All borrowed. */
typedef struct {
	const char *bundle; /* as the user named it */
	const SatchelDeviceProfile *profile;
	gboolean full; /* the content was looked at too */
} SatchelVerdictContext;

/* The verdict for people: first line "accepted" or "refused". (transfer full) */
char *satchel_verdict_report_text(const SatchelVerdict *verdict,
				  const SatchelVerdictContext *context);

/* By schemas/verify-verdict.schema.json, with a newline at its end. (transfer full) */
char *satchel_verdict_report_json(const SatchelVerdict *verdict,
				  const SatchelVerdictContext *context);
