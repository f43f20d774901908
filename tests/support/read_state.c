#include "../../installer/state.h"
#include <stdio.h>

/*
 * For integration tests. Each line of stdin is a device's state.json; the line of stdout that
 * answers it is `good` or `damaged: REASON`.
 */

static void
answer(const char *line, gsize n_bytes)
{
	g_autoptr(GBytes) bytes = g_bytes_new(line, n_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelState) state = satchel_state_parse(bytes, &error);

	if (state != NULL)
		puts("good");
	else
		printf("damaged: %s\n", error->message);
}

int
main(void)
{
	char *line = NULL;
	size_t n_allocated = 0;
	ssize_t n_bytes;

	while ((n_bytes = getline(&line, &n_allocated, stdin)) > 0)
		answer(line, (gsize)n_bytes);
	free(line);
	return 0;
}
