#include "../../installer/address_shadow.h"
#include "../../installer/media_jail.h"
#include "../support/temp_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a reader does here: this very program, with the word and one of these names. */
typedef char *(*Work)(const char *argument);

/* A stick with one file, which everybody may read. */
static SatchelMediaJail
jail_at(const char *dir)
{
	g_autofree char *file = g_build_filename(dir, "file", NULL);

	g_assert_true(g_file_set_contents(file, "content", -1, NULL));
	g_assert_cmpint(chmod(dir, 0755), ==, 0);
	g_assert_cmpint(chmod(file, 0644), ==, 0);
	return (SatchelMediaJail){"/proc/self/exe", open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				  g_get_monotonic_time() + 120 * G_USEC_PER_SEC, NULL};
}

static char *
run(const SatchelMediaJail *jail, const char *work, const char *argument, GError **error)
{
	const char *const arguments[] = {work, argument, NULL};

	return satchel_media_jail_run(jail, arguments, error);
}

static char *
read_file(const char *argument)
{
	char *text = NULL;

	(void)argument;
	return g_file_get_contents("file", &text, NULL, NULL) ? text : NULL;
}

static void
test_it_reads_the_stick(void)
{
	char *dir = temp_dir_new();
	SatchelMediaJail jail = jail_at(dir);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = run(&jail, "read", "", &error);

	g_assert_no_error(error);
	g_assert_cmpstr(text, ==, "content");
	close(jail.root_fd);
	temp_dir_free(dir);
}

/* What of the outside can be reached: one word for each thing that can. */
static char *
break_out(const char *argument)
{
	GString *reached = g_string_new("-");

	if (open(argument, O_RDONLY) >= 0)
		g_string_append(reached, " its path");
	if (open("made", O_WRONLY | O_CREAT, 0644) >= 0)
		g_string_append(reached, " create");
	if (open("file", O_RDWR) >= 0)
		g_string_append(reached, " write");
	if (open("/etc/passwd", O_RDONLY) >= 0 || open("/../../etc/passwd", O_RDONLY) >= 0)
		g_string_append(reached, " outside");
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0)
		g_string_append(reached, " socket");
	if (fork() >= 0)
		g_string_append(reached, " fork");
	if (kill(getppid(), 0) == 0)
		g_string_append(reached, " kill");
	if (setresuid(0, 0, 0) == 0 || chroot(".") == 0)
		g_string_append(reached, " root");
	for (int fd = 5; fd < 64; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			g_string_append_printf(reached, " fd%d", fd);
	}
	if (geteuid() == 0 || getegid() == 0)
		g_string_append(reached, " user");
	return g_string_free(reached, FALSE);
}

static void
test_nothing_else_can_be_reached(void)
{
	char *dir = temp_dir_new();
	SatchelMediaJail jail = jail_at(dir);
	g_autoptr(GError) error = NULL;
	g_autofree char *reached = NULL;

	if (geteuid() != 0) {
		g_test_skip("only root can change root folder and user");
		close(jail.root_fd);
		temp_dir_free(dir);
		return;
	}
	reached = run(&jail, "break-out", dir, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(reached, ==, "-");
	close(jail.root_fd);
	temp_dir_free(dir);
}

static char *
crash(const char *argument)
{
	(void)argument;
	(void)signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	/* Without the call, an illegal instruction will do. */
	__builtin_trap();
	return NULL;
}

static char *
say_nothing(const char *argument)
{
	(void)argument;
	return NULL;
}

static char *
say_too_much(const char *argument)
{
	(void)argument;
	for (guint i = 0; i < 64; i++) {
		g_autofree char *text = g_strnfill(SATCHEL_MEDIA_JAIL_BYTES / 32, 'x');

		if (write(3, text, strlen(text)) < 0)
			break;
	}
	return NULL;
}

static char *
never_end(const char *argument)
{
	(void)argument;
	while (TRUE)
		g_thread_yield();
	return NULL;
}

/* Asks for memory until there is none; all that it is given it uses. */
static char *
explode(const char *argument)
{
	(void)argument;
	for (guint i = 0; i < 8; i++) {
		gsize n = 64u * 1024u * 1024u;

		memset(g_malloc(n), (int)i + 1, n);
	}
	return g_strdup("it has it all");
}

/* Never ends where somebody holds the other end. */
static char *
read_pipe(const char *argument)
{
	char byte;
	int fd = open("pipe", O_RDONLY);

	(void)argument;
	return read(fd, &byte, 1) == 1 ? g_strdup("a byte") : NULL;
}

static const struct {
	const char *name;
	Work work;
} works[] = {
	{"read", read_file},	  {"break-out", break_out},   {"crash", crash},
	{"nothing", say_nothing}, {"too-much", say_too_much}, {"never-end", never_end},
	{"explode", explode},	  {"read-pipe", read_pipe},
};

static void G_GNUC_NORETURN
be_reader(const char *name, const char *argument)
{
	satchel_media_jail_prepare();
	if (!satchel_media_jail_enter("nobody", g_str_equal(name, "spin") ? 1 : 60))
		satchel_media_jail_leave(NULL);
	if (g_str_equal(name, "spin"))
		name = "never-end";
	for (guint i = 0; i < G_N_ELEMENTS(works); i++) {
		if (g_str_equal(name, works[i].name))
			satchel_media_jail_leave(works[i].work(argument));
	}
	_exit(1);
}

static void
assert_unreadable(const SatchelMediaJail *jail, const char *work, const char *why)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(run(jail, work, "", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
	g_assert_true(g_str_has_prefix(error->message, "the stick is unreadable: its reader "));
	if (strstr(error->message, why) == NULL)
		g_error("'%s' is not in '%s'", why, error->message);
}

static void
test_whoever_kills_its_reader_is_unreadable(void)
{
	char *dir = temp_dir_new();
	SatchelMediaJail jail = jail_at(dir);

	assert_unreadable(&jail, "crash", "crashed by signal");
	assert_unreadable(&jail, "nothing", "gave no answer");
	assert_unreadable(&jail, "too-much", "said too much");
	/* The end of the time for all of a stick: it does not matter how much of it is left. */
	jail.end_us = g_get_monotonic_time() + G_USEC_PER_SEC / 10;
	assert_unreadable(&jail, "never-end", "took too long");
	jail.end_us = g_get_monotonic_time() - 1;
	assert_unreadable(&jail, "never-end", "took too long");
	close(jail.root_fd);
	temp_dir_free(dir);
}

static void
test_a_bomb_takes_its_reader_and_nobody_else(void)
{
	char *dir = temp_dir_new();
	SatchelMediaJail jail = jail_at(dir);

	/* Of processor time it has a second. */
	assert_unreadable(&jail, "spin", "crashed by signal 9");
#ifndef SATCHEL_ADDRESS_SHADOW
	assert_unreadable(&jail, "explode", "crashed by signal");
#endif
	close(jail.root_fd);
	temp_dir_free(dir);
}

typedef struct {
	int dir_fd;
	GCancellable *cancellable;
} Cancelling;

/* Once the reader has opened the other end, and waits for what never comes. */
static gpointer
cancel_when_it_reads(gpointer user_data)
{
	const Cancelling *self = user_data;
	int fd = openat(self->dir_fd, "pipe", O_WRONLY | O_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	g_cancellable_cancel(self->cancellable);
	return GINT_TO_POINTER(fd);
}

static void
test_who_is_told_to_stop_waits_for_no_reader(void)
{
	char *dir = temp_dir_new();
	SatchelMediaJail jail = jail_at(dir);
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	g_autoptr(GError) error = NULL;
	Cancelling cancelling = {jail.root_fd, cancellable};
	GThread *thread = NULL;

	g_assert_cmpint(mkfifoat(jail.root_fd, "pipe", 0644), ==, 0);
	g_assert_cmpint(fchmodat(jail.root_fd, "pipe", 0644, 0), ==, 0);
	jail.cancellable = cancellable;
	thread = g_thread_new("cancel", cancel_when_it_reads, &cancelling);
	g_assert_null(run(&jail, "read-pipe", "", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CANCELLED);
	close(GPOINTER_TO_INT(g_thread_join(thread)));
	close(jail.root_fd);
	temp_dir_free(dir);
}

static void
test_who_cannot_be_shut_in_does_not_begin(void)
{
	char *dir = temp_dir_new();
	SatchelMediaJail jail = jail_at(dir);
	g_autofree char *file = g_build_filename(dir, "file", NULL);
	g_autoptr(GError) error = NULL;

	close(jail.root_fd);
	jail.root_fd = open(file, O_RDONLY | O_CLOEXEC);
	g_assert_null(run(&jail, "read", "", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	close(jail.root_fd);
	temp_dir_free(dir);
}

static void
test_a_reader_that_is_not_there_is_named(void)
{
	char *dir = temp_dir_new();
	SatchelMediaJail jail = jail_at(dir);
	g_autoptr(GError) error = NULL;

	jail.program = "/nowhere/reader";
	g_assert_null(run(&jail, "read", "", &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, "/nowhere/reader"));
	close(jail.root_fd);
	temp_dir_free(dir);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && g_str_equal(argv[1], SATCHEL_MEDIA_READER_WORD))
		be_reader(argv[2], argv[3]);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-jail/reads", test_it_reads_the_stick);
	g_test_add_func("/media-jail/nothing-else", test_nothing_else_can_be_reached);
	g_test_add_func("/media-jail/unreadable", test_whoever_kills_its_reader_is_unreadable);
	g_test_add_func("/media-jail/bomb", test_a_bomb_takes_its_reader_and_nobody_else);
	g_test_add_func("/media-jail/cancel", test_who_is_told_to_stop_waits_for_no_reader);
	g_test_add_func("/media-jail/not-shut-in", test_who_cannot_be_shut_in_does_not_begin);
	g_test_add_func("/media-jail/not-there", test_a_reader_that_is_not_there_is_named);
	return g_test_run();
}
