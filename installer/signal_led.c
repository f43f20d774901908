#include "signal_led.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The kernel takes a value in one write, and no file is made where there is none. */
static void
put(int led_fd, const char *file, const char *value)
{
	int fd = openat(led_fd, file, O_WRONLY | O_CLOEXEC | O_TRUNC);

	if (fd < 0)
		return;
	/* A lamp that does not do what it is told is no reason to stop. */
	if (write(fd, value, strlen(value)) < 0) {
		close(fd);
		return;
	}
	close(fd);
}

static void
put_full(int led_fd)
{
	char value[16] = {0};
	int fd = openat(led_fd, "max_brightness", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, value, sizeof value - 1) : 0;

	if (fd >= 0)
		close(fd);
	put(led_fd, "brightness", n > 0 ? g_strstrip(value) : "1");
}

void
satchel_signal_led_set(const char *folder, const char *name, SatchelLedMode mode)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	int led_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (led_fd < 0)
		return;
	put(led_fd, "trigger", mode == SATCHEL_LED_BLINK ? "timer" : "none");
	if (mode == SATCHEL_LED_OFF)
		put(led_fd, "brightness", "0");
	else
		put_full(led_fd);
	close(led_fd);
}
