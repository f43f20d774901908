#include "write_all.h"
#include <errno.h>
#include <unistd.h>

gboolean
satchel_write_all(int fd, gconstpointer data, gsize n_bytes)
{
	const guint8 *next = data;

	while (n_bytes > 0) {
		ssize_t n_written = write(fd, next, n_bytes);

		if (n_written < 0 && errno == EINTR)
			continue;
		if (n_written < 0)
			return FALSE;
		next += n_written;
		n_bytes -= (gsize)n_written;
	}
	return TRUE;
}
