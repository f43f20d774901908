/*
 * Gets one target of a TUF repository with the public API alone:
 *
 *   tuf_get http   STORE ROOT.json METADATA-URL TARGET-URL TARGET FOLDER
 *   tuf_get memory STORE ROOT.json METADATA-DIR TARGET-DIR TARGET FOLDER
 *
 * The first asks a server. The second shows how an agent brings a source of its own: here a table
 * in memory, filled from two folders before anything is asked.
 *
 *   cc tuf_get.c $(pkg-config --cflags --libs satchel)
 */
#include <satchel/status.h>
#include <satchel/tuf_client.h>
#include <satchel/tuf_source_http.h>
#include <stdio.h>
#include <string.h>

/* ---- a source of one's own: the table comes first in the object */

typedef struct {
	SatchelTufSource source;
	GHashTable *roles;     /* file name → GBytes */
	GHashTable *artifacts; /* path → GBytes */
} MemorySource;

static GBytes *
memory_fetch_metadata(SatchelTufSource *source, const char *role, gint64 version, gsize max_bytes,
		      GError **error)
{
	MemorySource *self = (MemorySource *)source;
	g_autofree char *name =
		version != 0 ? g_strdup_printf("%" G_GINT64_FORMAT ".%s.json", version, role)
			     : g_strdup_printf("%s.json", role);
	GBytes *document = g_hash_table_lookup(self->roles, name);

	/* The one error that may end the search for newer roots. */
	if (document == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_NOT_FOUND,
			    "%s: not in memory", name);
		return NULL;
	}
	if (g_bytes_get_size(document) > max_bytes) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_METADATA_INVALID, "%s: too long",
			    name);
		return NULL;
	}
	return g_bytes_ref(document);
}

static gboolean
memory_fetch_artifact(SatchelTufSource *source, const char *path, guint64 max_bytes,
		      gboolean (*sink)(gconstpointer, gsize, gpointer, GError **),
		      gpointer user_data, GError **error)
{
	MemorySource *self = (MemorySource *)source;
	GBytes *content = g_hash_table_lookup(self->artifacts, path);

	if (content == NULL || g_bytes_get_size(content) > max_bytes) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s: not in memory, or too long", path);
		return FALSE;
	}
	return sink(g_bytes_get_data(content, NULL), g_bytes_get_size(content), user_data, error);
}

static void
memory_free(SatchelTufSource *source)
{
	MemorySource *self = (MemorySource *)source;

	g_hash_table_unref(self->roles);
	g_hash_table_unref(self->artifacts);
	g_free(self);
}

/* Each regular file of a folder by its name. */
static GHashTable *
load_folder(const char *path, GError **error)
{
	g_autoptr(GHashTable) table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							    (GDestroyNotify)g_bytes_unref);
	g_autoptr(GDir) dir = g_dir_open(path, 0, error);

	if (dir == NULL)
		return NULL;
	for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		char *content = NULL;
		gsize n_bytes = 0;

		if (!g_file_get_contents(file, &content, &n_bytes, error))
			return NULL;
		g_hash_table_insert(table, g_strdup(name), g_bytes_new_take(content, n_bytes));
	}
	return g_steal_pointer(&table);
}

static SatchelTufSource *
memory_source_new(const char *metadata_dir, const char *target_dir, GError **error)
{
	static const SatchelTufSourceClass klass = {
		.fetch_metadata = memory_fetch_metadata,
		.fetch_artifact = memory_fetch_artifact,
		.free = memory_free,
	};
	g_autoptr(GHashTable) roles = load_folder(metadata_dir, error);
	g_autoptr(GHashTable) artifacts = roles != NULL ? load_folder(target_dir, error) : NULL;
	MemorySource *self = NULL;

	if (artifacts == NULL)
		return NULL;
	self = g_new0(MemorySource, 1);
	self->source.klass = &klass;
	self->roles = g_steal_pointer(&roles);
	self->artifacts = g_steal_pointer(&artifacts);
	return &self->source;
}

/* ---- the four steps: trust a root, refresh, find, download */

static SatchelTufSource *
open_source(char **argv, GError **error)
{
	SatchelTufSourceHttpOptions options = {
		.metadata_url = argv[4],
		.artifact_url = argv[5],
		.allow_plain_http = TRUE, /* the metadata is signed */
	};

	if (strcmp(argv[1], "memory") == 0)
		return memory_source_new(argv[4], argv[5], error);
	return satchel_tuf_source_http_new(&options, error);
}

static gboolean
get_target(char **argv, GError **error)
{
	g_autoptr(SatchelTrustStore) store =
		satchel_trust_store_open(argv[2], SATCHEL_TRUST_STORE_DIRECT, error);
	g_autoptr(SatchelTufSource) source = store != NULL ? open_source(argv, error) : NULL;
	g_autoptr(SatchelTufClient) client = NULL;
	g_autoptr(GBytes) root = NULL;
	g_autofree char *placed = NULL;
	const SatchelTarget *target = NULL;
	char *text = NULL;
	gsize n_bytes = 0;
	gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
	gint64 floor_s = 0;

	if (source == NULL || !g_file_get_contents(argv[3], &text, &n_bytes, error))
		return FALSE;
	root = g_bytes_new_take(text, n_bytes);
	if (!satchel_tuf_client_init(store, root, error) ||
	    !satchel_trust_store_load_floor(store, &floor_s, error))
		return FALSE;
	client = satchel_tuf_client_new(store, source, MAX(now_s, floor_s), error);
	if (client == NULL || !satchel_tuf_client_refresh(client, error))
		return FALSE;
	target = satchel_tuf_client_find_target(client, argv[6], error);
	if (target == NULL || !satchel_tuf_client_download(client, target, argv[7], &placed, error))
		return FALSE;
	printf("%s: %" G_GUINT64_FORMAT " bytes in %s\n", satchel_target_get_name(target),
	       satchel_target_get_length_bytes(target), placed);
	return TRUE;
}

int
main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	if (argc != 8) {
		fprintf(stderr,
			"usage: tuf_get http|memory STORE ROOT METADATA TARGETS NAME FOLDER\n");
		return 1;
	}
	if (!get_target(argv, &error))
		fprintf(stderr, "tuf_get: %s\n", error->message);
	/* The same numbers as those of Satchel's own programs. */
	return (int)satchel_status_from_result(SATCHEL_OUTCOME_DONE, error);
}
