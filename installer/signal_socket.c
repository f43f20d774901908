#include "signal_socket.h"
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* -1: nobody is there. */
static int
connect_to(const char *path, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

void
satchel_signal_socket_send_line(int *fd, const char *path, const char *line)
{
	g_autofree char *text = g_strconcat(line, "\n", NULL);
	ssize_t length = (ssize_t)strlen(text);

	if (*fd < 0)
		*fd = connect_to(path, SOCK_STREAM);
	if (*fd < 0)
		return;
	/* Half a line is worse than none: whoever reads too slowly is left. */
	if (send(*fd, text, (size_t)length, MSG_NOSIGNAL | MSG_DONTWAIT) == length)
		return;
	close(*fd);
	*fd = -1;
}

void
satchel_signal_socket_log(const char *path, const char *const *fields)
{
	g_autofree char *joined = g_strjoinv("\n", (GStrv)(guintptr)fields);
	g_autofree char *text = g_strconcat(joined, "\n", NULL);
	int fd = connect_to(path, SOCK_DGRAM);

	if (fd < 0)
		return;
	/* No journal is no error: the same is on standard error. */
	if (send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		close(fd);
		return;
	}
	close(fd);
}
