#pragma once
#include "temp_dir.h"
#include "tuf_repo.h"
#include <satchel/tuf_client.h>

/* A repository in memory, a trust store in a folder that trusts its first root, and runs of the
 * client between the two, each with a store and a client of its own. */
typedef struct {
	Repo *repo;
	char *dir;
	gint64 now_s;
} TufLab;

static inline SatchelTrustStore *
lab_open_store(const TufLab *f, SatchelTrustStoreMode mode)
{
	g_autoptr(GError) error = NULL;
	SatchelTrustStore *store = satchel_trust_store_open(f->dir, mode, &error);

	g_assert_no_error(error);
	return store;
}

static inline void
lab_init(const TufLab *f)
{
	g_autoptr(SatchelTrustStore) store = lab_open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(GError) error = NULL;
	GBytes *root = g_hash_table_lookup(f->repo->files, "1.root.json");

	g_assert_true(satchel_tuf_client_init(store, root, &error));
	g_assert_no_error(error);
}

static inline void
lab_set_up(TufLab *f, gconstpointer data)
{
	f->repo = repo_new((SatchelDialect)GPOINTER_TO_INT(data));
	f->dir = temp_dir_new();
	f->now_s = REPO_NOW_S;
	lab_init(f);
}

static inline void
lab_tear_down(TufLab *f, gconstpointer data)
{
	satchel_tuf_source_free(&f->repo->source);
	temp_dir_free(f->dir);
}

/* ---- one run each */

static inline SatchelTufClient *
lab_new_client(const TufLab *f, SatchelTrustStore *store)
{
	g_autoptr(GError) error = NULL;
	SatchelTufClient *client =
		satchel_tuf_client_new(store, &f->repo->source, f->now_s, &error);

	g_assert_no_error(error);
	return client;
}

static inline GError *
lab_try_refresh(const TufLab *f)
{
	g_autoptr(SatchelTrustStore) store = lab_open_store(f, SATCHEL_TRUST_STORE_DIRECT);
	g_autoptr(SatchelTufClient) client = lab_new_client(f, store);
	GError *error = NULL;

	g_assert_cmpint(satchel_tuf_client_refresh(client, &error), ==, error == NULL);
	return error;
}

static inline void
lab_assert_asked(const TufLab *f, const char *requests)
{
	g_autofree char *asked = repo_take_requests(f->repo);

	g_assert_cmpstr(asked, ==, requests);
}

static inline void
lab_refresh(const TufLab *f)
{
	g_autoptr(GError) error = lab_try_refresh(f);

	g_assert_no_error(error);
	g_ptr_array_set_size(f->repo->requests, 0);
}

static inline void
lab_assert_refresh_fails(const TufLab *f, SatchelError code, const char *reason)
{
	g_autoptr(GError) error = lab_try_refresh(f);

	g_assert_error(error, SATCHEL_ERROR, (int)code);
	g_assert_nonnull(strstr(error->message, reason));
}

/* The version that the stored role has, 0 for none. */
static inline gint64
lab_stored_version(const TufLab *f, const char *role)
{
	g_autofree char *file = g_strconcat(role, ".json", NULL);
	g_autofree char *path = g_build_filename(f->dir, file, NULL);
	g_autoptr(GBytes) document = NULL;
	g_autoptr(SatchelJson) tree = NULL;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return 0;
	document = temp_dir_read(f->dir, file);
	tree = satchel_json_parse(document, NULL);
	g_assert_nonnull(tree);
	return json_integer_value(json_object_get(json_object_get(tree, "signed"), "version"));
}

static inline void
lab_assert_stored(const TufLab *f, gint64 root, gint64 timestamp, gint64 snapshot, gint64 targets)
{
	g_assert_cmpint(lab_stored_version(f, "root"), ==, root);
	g_assert_cmpint(lab_stored_version(f, "timestamp"), ==, timestamp);
	g_assert_cmpint(lab_stored_version(f, "snapshot"), ==, snapshot);
	g_assert_cmpint(lab_stored_version(f, "targets"), ==, targets);
}
