#include "../../installer/state.h"
#include "answer_lines.h"

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
	answer_lines(answer);
	return 0;
}
