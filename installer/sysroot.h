#pragma once
#include <ostree.h>
#include <satchel/error.h>

/*
 * The device's OSTree sysroot as it is: which deployments there are, which one runs. Not
 * thread-safe. libostree's errors become SATCHEL_ERROR here.
 */
typedef struct SatchelSysroot SatchelSysroot;

typedef enum {
	SATCHEL_SYSROOT_STAGED, /* not running: its first deployment counts as what is booted */
	SATCHEL_SYSROOT_BOOTED, /* this system's own */
} SatchelSysrootKind;

/**
 * satchel_sysroot_open:
 * @path: borrowed
 * @os: name of the operating system whose deployments count, borrowed
 * @kind: see above
 * @writable: TRUE: for a booted one, this thread gets a mount namespace of its own, in which
 *   libostree may make /boot and /sysroot writable
 *
 * Errors: SATCHEL_ERROR_FAILED: no sysroot, or not the running one.
 *
 * Returns: (transfer full): the sysroot, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelSysroot *satchel_sysroot_open(const char *path, const char *os, SatchelSysrootKind kind,
				     gboolean writable, GError **error);

/* Reads the deployments again, after they were changed. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_sysroot_reload(SatchelSysroot *self, GError **error);

const char *satchel_sysroot_get_path(const SatchelSysroot *self);
const char *satchel_sysroot_get_os(const SatchelSysroot *self);
gboolean satchel_sysroot_is_booted(const SatchelSysroot *self);
/* Borrowed. */
OstreeSysroot *satchel_sysroot_get_ostree(const SatchelSysroot *self);
OstreeRepo *satchel_sysroot_get_repo(const SatchelSysroot *self);

/* Of its file system, to be left free by pulls, beside what the repository itself wants; 0, as at
 * first: none. */
void satchel_sysroot_set_reserved_percent(SatchelSysroot *self, guint64 percent);
guint64 satchel_sysroot_get_reserved_percent(const SatchelSysroot *self);

/* The commit that was booted; of a staged sysroot, that of the first deployment. NULL: there is no
 * deployment. Borrowed until the next reload. */
const char *satchel_sysroot_get_booted_commit(const SatchelSysroot *self);
/* The commit that the next boot takes; NULL: there is no deployment. Borrowed likewise. */
const char *satchel_sysroot_get_default_commit(const SatchelSysroot *self);

/* The first deployment that is neither of these: where a rollback leads. NULL: there is none.
 * Borrowed likewise. */
const char *satchel_sysroot_get_fallback_commit(const SatchelSysroot *self);
/* Of all deployments, whatever their system; NULL-terminated. Borrowed until the next reload or
 * call. */
const char *const *satchel_sysroot_get_commits(SatchelSysroot *self);
/* Whether @commit is in the repository; its content may be another matter. */
gboolean satchel_sysroot_has_commit(const SatchelSysroot *self, const char *commit);

/* TRUE where @commit is deployed. */
gboolean satchel_sysroot_has_deployment(const SatchelSysroot *self, const char *commit);

/* When @commit was made, as it says itself; 0 where it is not in the repository. */
gint64 satchel_sysroot_get_commit_time_s(const SatchelSysroot *self, const char *commit);

/* Makes @error, of libostree or GIO, one of ours: SATCHEL_ERROR_NO_SPACE, _CANCELLED or @code, with
 * @what in front. (transfer full) @error is taken. Always FALSE. */
gboolean satchel_sysroot_take_error(GError *from, SatchelError code, const char *what,
				    GError **error);

void satchel_sysroot_free(SatchelSysroot *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelSysroot, satchel_sysroot_free)
