#include "signed_document.h"
#include <stdio.h>
#include <time.h>

/*
 * For bench_tuf.py. Usage: verify_targets DOCUMENT KEYS.json
 *
 * Parses, canonicalises and verifies a targets role once, as a device does, and prints the
 * milliseconds of processor time that it took and the largest resident size in KiB. KEYS.json:
 * {"keys": {…}, "role": {…}}.
 */

static GBytes *
read_file(const char *path)
{
	g_autoptr(GError) error = NULL;
	char *content = NULL;
	gsize n_bytes = 0;

	if (!g_file_get_contents(path, &content, &n_bytes, &error))
		g_error("%s", error->message);
	return g_bytes_new_take(content, n_bytes);
}

/* What Python's time.process_time() gives. */
static double
cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

/* The largest resident size so far. getrusage() would count what forked us, too. */
static gint64
peak_kib(void)
{
	g_autofree char *status = NULL;
	const char *line;

	if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL))
		return 0;
	line = strstr(status, "VmHWM:");
	return line != NULL ? g_ascii_strtoll(line + strlen("VmHWM:"), NULL, 10) : 0;
}

static SatchelSignedDocument *
verify(GBytes *bytes, const json_t *delegator)
{
	g_autoptr(SatchelSignedDocument) document = NULL;
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(GError) error = NULL;

	document = satchel_signed_document_parse(bytes, "targets", SATCHEL_DIALECT_TUF, &error);
	g_assert_no_error(error);
	keys = satchel_role_keys_new(json_object_get(delegator, "keys"),
				     json_object_get(delegator, "role"), SATCHEL_DIALECT_TUF,
				     &error);
	g_assert_no_error(error);
	if (!satchel_role_keys_verify(keys, document->signatures, document->message, &error))
		g_error("%s", error->message);
	return g_steal_pointer(&document);
}

int
main(int argc, char **argv)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GBytes) delegator_bytes = NULL;
	g_autoptr(SatchelJson) delegator = NULL;
	g_autoptr(SatchelSignedDocument) document = NULL;
	g_autoptr(GError) error = NULL;
	double begin_ms;

	if (argc != 3)
		return 1;
	bytes = read_file(argv[1]);
	delegator_bytes = read_file(argv[2]);
	delegator = satchel_json_parse(delegator_bytes, &error);
	g_assert_no_error(error);
	begin_ms = cpu_ms();
	document = verify(bytes, delegator);
	printf("%.3f ", cpu_ms() - begin_ms);
	printf("%" G_GINT64_FORMAT "\n", peak_kib());
	return 0;
}
