#include "../../installer/media_jail.h"
#include "../support/temp_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A stick with one file, which everybody may read. */
static SatchelMediaJail
jail_at(const char *dir)
{
	g_autofree char *file = g_build_filename(dir, "file", NULL);

	g_assert_true(g_file_set_contents(file, "content", -1, NULL));
	g_assert_cmpint(chmod(dir, 0755), ==, 0);
	g_assert_cmpint(chmod(file, 0644), ==, 0);
	return (SatchelMediaJail){open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "nobody", 60};
}

static char *
read_file(gpointer user_data)
{
	char *text = NULL;

	(void)user_data;
	return g_file_get_contents("file", &text, NULL, NULL) ? text : NULL;
}

static void
test_it_reads_the_stick(void)
{
	char *dir = temp_dir_new();
	SatchelMediaJail jail = jail_at(dir);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = satchel_media_jail_run(&jail, read_file, NULL, &error);

	g_assert_no_error(error);
	g_assert_cmpstr(text, ==, "content");
	close(jail.root_fd);
	temp_dir_free(dir);
}

/* What of the outside can be reached: one word for each thing that can. */
static char *
break_out(gpointer user_data)
{
	GString *reached = g_string_new("-");

	if (open(user_data, O_RDONLY) >= 0)
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
	reached = satchel_media_jail_run(&jail, break_out, dir, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(reached, ==, "-");
	close(jail.root_fd);
	temp_dir_free(dir);
}

static char *
crash(gpointer user_data)
{
	(void)user_data;
	(void)signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	/* Without the call, an illegal instruction will do. */
	__builtin_trap();
	return NULL;
}

static char *
say_nothing(gpointer user_data)
{
	(void)user_data;
	return NULL;
}

static char *
say_too_much(gpointer user_data)
{
	(void)user_data;
	for (guint i = 0; i < 64; i++) {
		g_autofree char *text = g_strnfill(SATCHEL_MEDIA_JAIL_BYTES / 32, 'x');

		if (write(3, text, strlen(text)) < 0)
			break;
	}
	return NULL;
}

static char *
never_end(gpointer user_data)
{
	(void)user_data;
	while (TRUE)
		g_thread_yield();
	return NULL;
}

static void
test_whoever_kills_its_reader_is_unreadable(void)
{
	static const SatchelMediaWork works[] = {crash, say_nothing, say_too_much, never_end};
	char *dir = temp_dir_new();
	SatchelMediaJail jail = jail_at(dir);

	for (guint i = 0; i < G_N_ELEMENTS(works); i++) {
		g_autoptr(GError) error = NULL;

		jail.limit_s = works[i] == never_end ? 1 : 60;
		g_assert_null(satchel_media_jail_run(&jail, works[i], NULL, &error));
		g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED);
		g_assert_true(g_str_has_prefix(error->message, "the stick is unreadable"));
	}
	close(jail.root_fd);
	temp_dir_free(dir);
}

static void
test_who_cannot_be_shut_in_does_not_begin(void)
{
	SatchelMediaJail jail = {-1, "nobody", 60};
	g_autoptr(GError) error = NULL;

	g_assert_null(satchel_media_jail_run(&jail, read_file, NULL, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/media-jail/reads", test_it_reads_the_stick);
	g_test_add_func("/media-jail/nothing-else", test_nothing_else_can_be_reached);
	g_test_add_func("/media-jail/unreadable", test_whoever_kills_its_reader_is_unreadable);
	g_test_add_func("/media-jail/not-shut-in", test_who_cannot_be_shut_in_does_not_begin);
	return g_test_run();
}
