#include <satchel/canonical_json.h>
#include <stdio.h>
#include <string.h>

/*
 * For integration tests. Usage: canonicalize tuf|uptane
 *
 * Each line of stdin is a document; the line of stdout that answers it is its canonical form in hex
 * or `refused: REASON`.
 */

static void
answer(const char *line, gsize n_bytes, SatchelDialect dialect)
{
	g_autoptr(GBytes) document = g_bytes_new(line, n_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) canonical = satchel_canonical_json(document, dialect, &error);
	const guint8 *data;
	gsize n_canonical = 0;

	if (canonical == NULL) {
		printf("refused: %s\n", error->message);
		return;
	}
	data = g_bytes_get_data(canonical, &n_canonical);
	for (gsize i = 0; i < n_canonical; i++)
		printf("%02x", data[i]);
	putchar('\n');
}

int
main(int argc, char **argv)
{
	char *line = NULL;
	size_t n_allocated = 0;
	ssize_t n_bytes;
	SatchelDialect dialect;

	if (argc != 2)
		return 1;
	dialect = strcmp(argv[1], "uptane") == 0 ? SATCHEL_DIALECT_UPTANE : SATCHEL_DIALECT_TUF;
	while ((n_bytes = getline(&line, &n_allocated, stdin)) > 0) {
		if (line[n_bytes - 1] == '\n')
			n_bytes--;
		answer(line, (gsize)n_bytes, dialect);
	}
	free(line);
	return 0;
}
