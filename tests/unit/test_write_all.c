#include "../../verify/write_all.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Several times what a pipe holds, so that write() takes a part at a time. */
#define N_BYTES (1u << 20)

static gpointer
read_to_end(gpointer data)
{
	int fd = GPOINTER_TO_INT(data);
	GByteArray *found = g_byte_array_new();
	guint8 piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0)
		g_byte_array_append(found, piece, (guint)n);
	return found;
}

static guint8 *
make_bytes(void)
{
	guint8 *bytes = g_malloc(N_BYTES);

	for (guint i = 0; i < N_BYTES; i++)
		bytes[i] = (guint8)(i * 31 + i / 4096);
	return bytes;
}

static void
test_what_is_taken_in_parts_is_written_whole(void)
{
	g_autofree guint8 *bytes = make_bytes();
	g_autoptr(GByteArray) found = NULL;
	GThread *reader;
	int fds[2];

	g_assert_cmpint(pipe(fds), ==, 0);
	reader = g_thread_new("reader", read_to_end, GINT_TO_POINTER(fds[0]));
	g_assert_true(satchel_write_all(fds[1], bytes, N_BYTES));
	close(fds[1]);
	found = g_thread_join(reader);
	close(fds[0]);
	g_assert_cmpmem(found->data, found->len, bytes, N_BYTES);
}

/* A pipe that nobody reads takes what it holds, and then says so. */
static void
test_what_cannot_be_written_whole_fails_with_its_reason(void)
{
	g_autofree guint8 *bytes = make_bytes();
	int fds[2];

	g_assert_cmpint(pipe(fds), ==, 0);
	g_assert_cmpint(fcntl(fds[1], F_SETFL, O_NONBLOCK), ==, 0);
	errno = 0;
	g_assert_false(satchel_write_all(fds[1], bytes, N_BYTES));
	g_assert_cmpint(errno, ==, EAGAIN);
	close(fds[0]);
	close(fds[1]);
}

static void
test_no_bytes_need_no_file(void)
{
	g_assert_true(satchel_write_all(-1, NULL, 0));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/write-all/parts", test_what_is_taken_in_parts_is_written_whole);
	g_test_add_func("/write-all/fails",
			test_what_cannot_be_written_whole_fails_with_its_reason);
	g_test_add_func("/write-all/nothing", test_no_bytes_need_no_file);
	return g_test_run();
}
