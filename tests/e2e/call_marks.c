/*
 * Loaded into a program before all else: counts its calls that change what is on a disk or make it
 * last, over all its threads, and can hold the program at one of them for ever, so that the machine
 * under it can be cut off at just that point.
 *
 *     MARKS_LIST=FILE     writes "number call name" of each call there
 *     MARKS_HOLD=N        holds before the Nth call
 *     MARKS_HOLD=TEXT     holds behind the first call whose "call name" begins with the text;
 *                         A+B: behind the first B that follows an A
 *     MARKS_PORT=FILE     where "HELD number call name" is said then
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int count;
static int list_fd = -1;
static char *hold_text;
static int hold_number;
static const char *port;

__attribute__((constructor)) static void
begin(void)
{
	const char *list = getenv("MARKS_LIST");
	const char *hold = getenv("MARKS_HOLD");

	port = getenv("MARKS_PORT");
	if (list != NULL)
		list_fd = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (hold == NULL)
		return;
	hold_number = atoi(hold);
	if (hold_number == 0)
		hold_text = strdup(hold);
}

static void
hold(const char *line)
{
	int fd = open(port == NULL ? "/dev/null" : port, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		dprintf(fd, "HELD %s", line);
	for (;;)
		pause();
}

static void
say(int number, const char *call, const char *name, char *line, size_t size)
{
	snprintf(line, size, "%d %s %s\n", number, call, name == NULL ? "-" : name);
}

static int
before(const char *call, const char *name)
{
	int number = atomic_fetch_add(&count, 1) + 1;
	char line[512];

	say(number, call, name, line, sizeof line);
	if (list_fd >= 0 && write(list_fd, line, strlen(line)) < 0)
		abort();
	if (number == hold_number)
		hold(line);
	return number;
}

/* The first text of those that are left is what is waited for. */
static void
behind(int number, const char *call, const char *name)
{
	char line[512];
	char *rest = hold_text == NULL ? NULL : strchr(hold_text, '+');
	size_t length = hold_text == NULL ? 0 : strcspn(hold_text, "+");

	if (hold_text == NULL)
		return;
	say(number, call, name, line, sizeof line);
	if (strncmp(strchr(line, ' ') + 1, hold_text, length) != 0)
		return;
	if (rest == NULL)
		hold(line);
	hold_text = rest + 1;
}

/* The real function does what it does between the two marks. */
#define MARKED(call, name, ...)                                                                    \
	do {                                                                                       \
		static __typeof__(&call) next;                                                     \
		int number = before(#call, name);                                                  \
		int result;                                                                        \
                                                                                                   \
		if (next == NULL)                                                                  \
			next = (__typeof__(&call))dlsym(RTLD_NEXT, #call);                         \
		result = next(__VA_ARGS__);                                                        \
		behind(number, #call, name);                                                       \
		return result;                                                                     \
	} while (0)

int
rename(const char *from, const char *to)
{
	MARKED(rename, to, from, to);
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	MARKED(renameat, to, from_fd, from, to_fd, to);
}

int
renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	MARKED(renameat2, to, from_fd, from, to_fd, to, flags);
}

int
linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	MARKED(linkat, to, from_fd, from, to_fd, to, flags);
}

int
symlinkat(const char *target, int fd, const char *name)
{
	MARKED(symlinkat, name, target, fd, name);
}

int
unlink(const char *name)
{
	MARKED(unlink, name, name);
}

int
unlinkat(int fd, const char *name, int flags)
{
	MARKED(unlinkat, name, fd, name, flags);
}

int
mkdirat(int fd, const char *name, mode_t mode)
{
	MARKED(mkdirat, name, fd, name, mode);
}

int
fsync(int fd)
{
	MARKED(fsync, NULL, fd);
}

int
fdatasync(int fd)
{
	MARKED(fdatasync, NULL, fd);
}

int
syncfs(int fd)
{
	MARKED(syncfs, NULL, fd);
}

static int
plain_ioctl(int fd, unsigned long request, void *argument)
{
	static int (*next)(int, unsigned long, ...);

	if (next == NULL)
		next = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	return next(fd, request, argument);
}

int
ioctl(int fd, unsigned long request, ...)
{
	const char *name = request == FIFREEZE ? "FIFREEZE" : request == FITHAW ? "FITHAW" : NULL;
	int number = name == NULL ? 0 : before("ioctl", name);
	va_list list;
	void *argument;
	int result;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	result = plain_ioctl(fd, request, argument);
	if (name != NULL)
		behind(number, "ioctl", name);
	return result;
}
