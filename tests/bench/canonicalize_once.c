#include <satchel/canonical_json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* For bench_tuf.py. Usage: canonicalize_once tuf|uptane FILE
 *
 * Prints the milliseconds of processor time, and 1 where the document was refused, which takes its
 * time too.
 */

static double
cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

int
main(int argc, char **argv)
{
	g_autoptr(GBytes) document = NULL;
	g_autoptr(GBytes) canonical = NULL;
	g_autoptr(GError) error = NULL;
	char *content = NULL;
	gsize n_bytes = 0;
	SatchelDialect dialect;
	double begin_ms;

	if (argc != 3)
		return 1;
	if (!g_file_get_contents(argv[2], &content, &n_bytes, &error))
		g_error("%s", error->message);
	document = g_bytes_new_take(content, n_bytes);
	dialect = strcmp(argv[1], "uptane") == 0 ? SATCHEL_DIALECT_UPTANE : SATCHEL_DIALECT_TUF;
	begin_ms = cpu_ms();
	canonical = satchel_canonical_json(document, dialect, &error);
	printf("%.3f %d\n", cpu_ms() - begin_ms, canonical == NULL);
	return 0;
}
