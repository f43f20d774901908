#pragma once
#include "role_author.h"

/*
 * One target of the targets role, in the form of Foundries.io. Pure.
 */

/* A Compose app, named by its manifest's digest. */
typedef struct {
	char *name;
	char *uri;
} SatchelAppDraft;

typedef struct {
	const char *name;	 /* the target is called NAME-VERSION */
	gint64 version;		 /* 1 and up */
	const char *hardware_id; /* the field's devices want exactly one */
	const char *const *tags; /* at least one */
	const char *commit;	 /* OSTree checksum */
	GPtrArray *apps;	 /* (element-type SatchelAppDraft) */
	json_t *custom;		 /* (nullable): further members of `custom` */
	gint64 now_s;		 /* createdAt, updatedAt */
	gint64 lowest_version;	 /* 0: none is named, else 1 to version */
} SatchelTargetDraft;

/* `NAME=HOST/FACTORY/APP@sha256:HEX`. Errors: SATCHEL_ERROR_USAGE. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelAppDraft *satchel_target_author_parse_app(const char *text, GError **error);
void satchel_target_author_free_app(SatchelAppDraft *app);

/* One name that stands in a role and on command lines: printable ASCII without blanks, `/`, `,`,
 * `"` and `\`, not starting with `.` or `-`, at most 128 bytes. @what: "--name". Errors:
 * SATCHEL_ERROR_USAGE. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_target_author_check_name(const char *what, const char *name, GError **error);

/**
 * satchel_target_author_add:
 * @targets: the `signed` part of a targets role, changed on success only
 * @draft: borrowed
 *
 * Errors: SATCHEL_ERROR_USAGE for a draft of a wrong form; SATCHEL_ERROR_FAILED where the role has
 * a target of that name.
 *
 * Returns: (transfer full): what the target is called, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
char *satchel_target_author_add(json_t *targets, const SatchelTargetDraft *draft, GError **error);
