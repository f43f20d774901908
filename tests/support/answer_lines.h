#pragma once
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

/* For the small programs of integration tests: each line of stdin is answered with one of stdout.
 */
static inline void
answer_lines(void (*answer)(const char *line, gsize n_bytes))
{
	char *line = NULL;
	size_t n_allocated = 0;
	ssize_t n_bytes;

	while ((n_bytes = getline(&line, &n_allocated, stdin)) > 0)
		answer(line, (gsize)n_bytes);
	free(line);
}
