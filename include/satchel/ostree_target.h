#pragma once
#include <satchel/metadata.h>
#pragma GCC visibility push(default)

/*
 * A verified target that a device can install: `targetFormat` OSTREE with the `custom` members of
 * Foundries.io. Immutable, reference-counted, pure; strings are borrowed from the object.
 */
typedef struct SatchelOstreeTarget SatchelOstreeTarget;

/* One Compose app of a target; a borrowed view. */
typedef struct {
	const char *name;
	const char *uri;     /* HOST/FACTORY/APP@sha256:HEX */
	gboolean is_bundled; /* FALSE: `fetched-apps` says that no bundle holds it */
} SatchelTargetApp;

/**
 * satchel_ostree_target_new:
 * @target: borrowed
 *
 * Errors: SATCHEL_ERROR_METADATA_INVALID where `custom` is not of Foundries.io's form;
 * SATCHEL_ERROR_NO_MATCHING_TARGET where the target's format is not OSTREE.
 *
 * Returns: (transfer full): the parsed target, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelOstreeTarget *satchel_ostree_target_new(const SatchelTarget *target, GError **error);

SatchelOstreeTarget *satchel_ostree_target_ref(const SatchelOstreeTarget *self);
void satchel_ostree_target_unref(SatchelOstreeTarget *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelOstreeTarget, satchel_ostree_target_unref)

const char *satchel_ostree_target_get_name(const SatchelOstreeTarget *self);
/* `custom.version` as a decimal number; -1 where it is none, as aktualizr-lite has it. */
gint64 satchel_ostree_target_get_version(const SatchelOstreeTarget *self);
/* `custom["x-satchel"]["lowest-version"]`: no device that could take this target may take one below
 * that version any more. 0: none is named, else 1 to the target's own version. */
gint64 satchel_ostree_target_get_lowest_version(const SatchelOstreeTarget *self);
/* The OSTree commit, 64 lower-case hex digits. */
const char *satchel_ostree_target_get_commit(const SatchelOstreeTarget *self);
/* NULL-terminated. */
const char *const *satchel_ostree_target_get_hardware_ids(const SatchelOstreeTarget *self);
const char *const *satchel_ostree_target_get_tags(const SatchelOstreeTarget *self);
/* Apps in order of name. */
guint satchel_ostree_target_get_n_apps(const SatchelOstreeTarget *self);
const SatchelTargetApp *satchel_ostree_target_get_app(const SatchelOstreeTarget *self, guint index);
/* The whole `custom` object, compact JSON. */
GBytes *satchel_ostree_target_get_custom(const SatchelOstreeTarget *self);

#pragma GCC visibility pop
