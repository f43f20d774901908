#include "show_thin.h"
#include "../verify/bundle_thin.h"
#include "../verify/path_safety.h"
#include "../verify/progress.h"
#include <stdio.h>
#include <string.h>

/* What the commits take in the bundle: objects and deltas. */
static guint64
carried_bytes(const SatchelBundleThin *thin, const SatchelBundleSize *size)
{
	guint64 total = size->object_bytes;

	for (guint i = 0; i < thin->n_deltas; i++)
		total += thin->deltas[i].size_bytes;
	return total;
}

json_t *
satchel_show_thin_to_json(const SatchelBundleThin *thin, const SatchelBundleSize *size)
{
	json_t *object;

	if (thin == NULL)
		return json_null();
	object = json_object();
	satchel_bundle_thin_to_json(thin, object);
	if (thin->n_deltas == 0)
		json_object_set_new(object, "deltas", json_array());
	json_object_set_new(object, "carried_bytes",
			    json_integer((json_int_t)carried_bytes(thin, size)));
	return object;
}

/* "12.3 MB (45% of WHAT)" (transfer full) */
static char *
format_part(guint64 part_bytes, guint64 whole_bytes, const char *what)
{
	g_autofree char *part = satchel_progress_format_bytes(part_bytes);

	if (whole_bytes == 0)
		return g_steal_pointer(&part);
	return g_strdup_printf("%s (%.0f%% of %s)", part,
			       (double)part_bytes * 100 / (double)whole_bytes, what);
}

static void
print_deltas(const SatchelBundleThin *thin, const SatchelBundleBase *base)
{
	for (guint i = 0; i < thin->n_deltas; i++) {
		const SatchelBundleDelta *delta = &thin->deltas[i];
		g_autofree char *size = NULL;

		if (strcmp(delta->from, base->commit) != 0)
			continue;
		size = format_part(delta->size_bytes, base->lacks.size_bytes, "these");
		printf("%-12s  a delta to commit %.12s instead: %s\n", "", delta->to, size);
	}
}

static void
print_base(const SatchelBundleThin *thin, const SatchelBundleBase *base)
{
	g_autofree char *joined = g_strjoinv(", ", base->names);
	g_autofree char *names = satchel_path_quote(*joined == '\0' ? "-" : joined);
	g_autofree char *size = format_part(base->lacks.size_bytes, thin->full.size_bytes, "all");

	printf("%-12s%s, commit %s\n", "serves", names, base->commit);
	printf("%-12s  lacks %" G_GUINT64_FORMAT " objects: %s\n", "", base->lacks.n_objects, size);
	print_deltas(thin, base);
}

void
satchel_show_thin_print(const SatchelBundleThin *thin, const SatchelBundleSize *size)
{
	g_autofree char *carried = NULL;
	g_autofree char *full = NULL;

	if (thin == NULL)
		return;
	full = satchel_progress_format_bytes(thin->full.size_bytes);
	carried = format_part(carried_bytes(thin, size), thin->full.size_bytes, "that");
	printf("%-12sall objects: %" G_GUINT64_FORMAT ", %s; carried: %" G_GUINT64_FORMAT
	       " and %u deltas, %s\n",
	       "thin", thin->full.n_objects, full, size->n_objects, thin->n_deltas, carried);
	for (guint i = 0; i < thin->n_bases; i++)
		print_base(thin, &thin->bases[i]);
}
