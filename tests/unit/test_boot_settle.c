#include "../../installer/boot_settle.h"
#include "../../installer/run_command.h"
#include "../support/temp_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the calls saw and are to do; shared with the process that stands by. */
static struct {
	pid_t program; /* whose calls these are; those of another are the one's that stands by */
	char done[16]; /* letters: synced, frozen, thawed; T: thawed by who stands by */
	int n_done;
	int sync_errno;
	int freeze_errno;
	int thaw_errno;
	gboolean blocked;  /* signals, while it was frozen */
	gboolean dies;	   /* between freezing and thawing */
	gboolean for_real; /* freezes and thaws */
} * fake;

static int
note(char letter, int problem)
{
	if (problem == 0 && fake->n_done < (int)sizeof fake->done - 1)
		fake->done[fake->n_done++] = letter;
	errno = problem;
	return problem == 0 ? 0 : -1;
}

static int
fake_sync(int fd)
{
	return note('s', fake->sync_errno);
}

static int
fake_freeze(int fd)
{
	sigset_t now;

	fake->program = getpid();
	sigemptyset(&now);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &now);
	fake->blocked = sigismember(&now, SIGTERM) == 1 && sigismember(&now, SIGHUP) == 1;
	if (fake->for_real && ioctl(fd, FIFREEZE, 0) != 0)
		return note('?', errno);
	return note('f', fake->freeze_errno);
}

static int
fake_thaw(int fd)
{
	gboolean stands_by = getpid() != fake->program;

	if (fake->dies && !stands_by)
		(void)kill(getpid(), SIGKILL);
	if (fake->for_real && ioctl(fd, FITHAW, 0) != 0)
		return note('?', errno);
	return stands_by ? note('T', 0) : note('t', fake->thaw_errno);
}

static const SatchelFreezeCalls calls = {fake_sync, fake_freeze, fake_thaw};

static gboolean
settle(gboolean freeze, GError **error)
{
	return satchel_boot_settle_with(&calls, -1, freeze, error);
}

static void
reset(void)
{
	memset(fake, 0, sizeof *fake);
}

static void
test_it_is_synced_frozen_and_thawed(void)
{
	g_autoptr(GError) error = NULL;
	sigset_t after;

	reset();
	g_assert_true(settle(TRUE, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(fake->done, ==, "sft");
	g_assert_true(fake->blocked);
	g_assert_cmpint(pthread_sigmask(SIG_BLOCK, NULL, &after), ==, 0);
	g_assert_cmpint(sigismember(&after, SIGTERM), ==, 0);
}

static void
test_what_does_not_run_is_only_synced(void)
{
	g_autoptr(GError) error = NULL;

	reset();
	g_assert_true(settle(FALSE, &error));
	g_assert_cmpstr(fake->done, ==, "s");
}

static void
test_what_cannot_freeze_is_only_synced(void)
{
	static const int problems[] = {EOPNOTSUPP, ENOTTY, ENOSYS};

	for (guint i = 0; i < G_N_ELEMENTS(problems); i++) {
		g_autoptr(GError) error = NULL;

		reset();
		fake->freeze_errno = problems[i];
		g_assert_true(settle(TRUE, &error));
		g_assert_no_error(error);
		g_assert_cmpstr(fake->done, ==, "s");
	}
}

static void
test_a_failure_is_told_and_a_foreign_freeze_left_alone(void)
{
	g_autoptr(GError) error = NULL;

	reset();
	fake->sync_errno = EIO;
	g_assert_false(settle(TRUE, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_cmpstr(fake->done, ==, "");
	g_clear_error(&error);
	reset();
	fake->freeze_errno = EBUSY;
	g_assert_false(settle(TRUE, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, "cannot be frozen"));
	g_assert_cmpstr(fake->done, ==, "s");
}

static void
test_who_stands_by_thaws_where_thawing_failed(void)
{
	g_autoptr(GError) error = NULL;

	reset();
	fake->thaw_errno = EIO;
	g_assert_false(settle(TRUE, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_cmpstr(fake->done, ==, "sfT");
}

static gboolean
run_tool(const char *const *argv)
{
	SatchelCommand command = {argv, NULL, 60};
	g_auto(SatchelCommandResult) result = {0};

	return satchel_run_command(&command, &result, NULL) && result.exit_status == 0;
}

/* A small ext4 of its own at @folder/boot, for as long as this process lives. */
static int
mount_boot(const char *folder)
{
	g_autofree char *image = g_build_filename(folder, "image", NULL);
	g_autofree char *boot = g_build_filename(folder, "boot", NULL);
	const char *const mkfs[] = {"mkfs.ext4", "-q", "-F", image, "8M", NULL};
	const char *const mounting[] = {"mount", "-o", "loop", image, boot, NULL};

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return -1;
	g_assert_cmpint(g_mkdir(boot, 0700), ==, 0);
	if (!run_tool(mkfs) || !run_tool(mounting))
		return -1;
	return open(boot, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Freezes and is killed by its own hand before it thaws. */
static void
freeze_and_die(int fd)
{
	pid_t child = fork();
	int status = 0;

	g_assert_cmpint(child, >=, 0);
	if (child == 0) {
		(void)!satchel_boot_settle_with(&calls, fd, TRUE, NULL);
		_exit(0);
	}
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void
test_a_death_while_frozen_leaves_it_thawed(void)
{
	g_autofree char *folder = temp_dir_new();
	g_autofree char *boot = g_build_filename(folder, "boot", NULL);
	int fd = mount_boot(folder);
	gint64 end = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
	gboolean thawed = FALSE;

	if (fd < 0) {
		temp_dir_free(g_steal_pointer(&folder));
		g_test_skip("no right to mount");
		return;
	}
	reset();
	fake->dies = TRUE;
	fake->for_real = TRUE;
	freeze_and_die(fd);
	while (!thawed && g_get_monotonic_time() < end) {
		g_thread_yield();
		thawed = strchr(fake->done, 'T') != NULL;
	}
	/* One that is frozen still would be thawed by this; one that is not cannot be. */
	g_assert_cmpint(ioctl(fd, FITHAW, 0), ==, -1);
	g_assert_cmpint(errno, ==, EINVAL);
	g_assert_cmpstr(fake->done, ==, "sfT");
	close(fd);
	/* The process that stood by may hold it for a moment more. */
	g_assert_cmpint(umount2(boot, MNT_DETACH), ==, 0);
	temp_dir_free(g_steal_pointer(&folder));
}

/* The inode of a name in @folder; 0: there is none. */
static guint64
inode_of(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	GStatBuf info;

	return g_lstat(path, &info) == 0 ? (guint64)info.st_ino : 0;
}

static void
test_the_pin_follows_the_loader(void)
{
	g_autofree char *folder = temp_dir_new();
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(GError) error = NULL;
	guint64 first = 0;

	g_assert_true(satchel_boot_settle_pin(fd, &error)); /* no loader yet */
	g_assert_cmpuint(inode_of(folder, ".loader.pin"), ==, 0);
	g_assert_cmpint(symlinkat("loader.0", fd, "loader"), ==, 0);
	g_assert_true(satchel_boot_settle_pin(fd, &error));
	first = inode_of(folder, "loader");
	g_assert_cmpuint(inode_of(folder, ".loader.pin"), ==, first);
	g_assert_cmpint(symlinkat("loader.1", fd, "loader.tmp"), ==, 0);
	g_assert_cmpint(renameat(fd, "loader.tmp", fd, "loader"), ==, 0);
	g_assert_cmpuint(inode_of(folder, ".loader.pin"), ==, first); /* alive by it */
	g_assert_true(satchel_boot_settle_pin(fd, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(inode_of(folder, ".loader.pin"), ==, inode_of(folder, "loader"));
	close(fd);
	temp_dir_free(g_steal_pointer(&folder));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	fake = mmap(NULL, sizeof *fake, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	g_assert_true(fake != MAP_FAILED);
	g_test_add_func("/boot-settle/order", test_it_is_synced_frozen_and_thawed);
	g_test_add_func("/boot-settle/not-running", test_what_does_not_run_is_only_synced);
	g_test_add_func("/boot-settle/cannot-freeze", test_what_cannot_freeze_is_only_synced);
	g_test_add_func("/boot-settle/failures",
			test_a_failure_is_told_and_a_foreign_freeze_left_alone);
	g_test_add_func("/boot-settle/thaw-failed", test_who_stands_by_thaws_where_thawing_failed);
	g_test_add_func("/boot-settle/death", test_a_death_while_frozen_leaves_it_thawed);
	g_test_add_func("/boot-settle/pin", test_the_pin_follows_the_loader);
	return g_test_run();
}
