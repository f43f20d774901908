#include "../verify/write_all.h"
#include "address_shadow.h"
#include "media_filter.h"
#include "media_jail.h"
#include "media_jail_fds.h"
#include <grp.h>
#include <pwd.h>
#include <satchel/limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Who has no rights anywhere, also where no user of that name is known. */
#define NOBODY 65534u

/* The first byte that comes out: an answer follows. */
#define ANSWER '+'

/* Memory beyond what the program has when it is shut in; several times the largest document that a
 * reader holds. */
#define MEMORY_BYTES (256u * 1024u * 1024u)

/* Each part of a bundle, and the folders that a reader keeps open, and some. */
#define MAX_FDS (SATCHEL_LIMIT_PACKED_PARTS + 400u)

static void
look_up_user(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *entry = getpwnam(name);

	*uid = entry != NULL && entry->pw_uid != 0 ? entry->pw_uid : NOBODY;
	*gid = entry != NULL && entry->pw_gid != 0 ? entry->pw_gid : NOBODY;
}

static gboolean
set_limit(int resource, rlim_t value)
{
	struct rlimit limit = {value, value};

	return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

/* Of the address space, for what is mapped and not touched yet is what a bomb asks for. Sanitizers
 * reserve terabytes of it. */
static gboolean
limit_memory(void)
{
#ifdef SATCHEL_ADDRESS_SHADOW
	return TRUE;
#else
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;
	gboolean known = file != NULL && fscanf(file, "%lu", &pages) == 1;

	if (file != NULL)
		(void)fclose(file);
	return known &&
	       set_limit(RLIMIT_AS, (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY_BYTES);
#endif
}

/* What is allowed already cannot be more without privileges. */
static gboolean
limit_files(void)
{
	struct rlimit present = {0};

	return getrlimit(RLIMIT_NOFILE, &present) == 0 &&
	       set_limit(RLIMIT_NOFILE, MIN(present.rlim_max, MAX_FDS));
}

/* A file of no bytes can be grown by nobody; a dump would hold what was read. */
static gboolean
limit_all(guint limit_s)
{
	return set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_FSIZE, 0) &&
	       set_limit(RLIMIT_CPU, limit_s) && limit_files() && limit_memory();
}

/* Another root folder for root only; another user, too: nobody else may ask for these. */
static gboolean
leave_privileges(uid_t uid, gid_t gid)
{
	if (fchdir(SATCHEL_JAIL_ROOT_FD) != 0)
		return FALSE;
	if (geteuid() == 0 && (chroot(".") != 0 || chdir("/") != 0 || setgroups(0, NULL) != 0 ||
			       setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0))
		return FALSE;
	/* Another user had the kernel forget whose end is this one's, too. */
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0;
}

void
satchel_media_jail_prepare(void)
{
	/* Should the caller die, nobody waits for an answer. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)close_range(SATCHEL_JAIL_N_FDS, ~0U, 0);
}

static gboolean
begin_answer(void)
{
	const char answer = ANSWER;

	return satchel_write_all(SATCHEL_JAIL_PIPE_FD, &answer, 1);
}

gboolean
satchel_media_jail_enter(const char *user, guint limit_s)
{
	uid_t uid;
	gid_t gid;

	look_up_user(user, &uid, &gid);
	return limit_all(limit_s) && close_range(SATCHEL_JAIL_N_FDS, ~0U, 0) == 0 &&
	       leave_privileges(uid, gid) && satchel_media_filter_apply(SATCHEL_JAIL_PIPE_FD) &&
	       begin_answer();
}

void
satchel_media_jail_leave(const char *result)
{
	if (result != NULL)
		(void)!satchel_write_all(SATCHEL_JAIL_PIPE_FD, result,
					 MIN(strlen(result), SATCHEL_MEDIA_JAIL_BYTES));
	_exit(0);
}

void
satchel_media_jail_stay_out(const char *result)
{
	satchel_media_jail_leave(begin_answer() ? result : NULL);
}
