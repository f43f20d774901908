#include "../../installer/state_file.h"
#include "../support/temp_dir.h"
#include <fcntl.h>
#include <unistd.h>

typedef struct {
	char *path;
	int fd;
} Folder;

static void
folder_set_up(Folder *folder, gconstpointer data)
{
	folder->path = temp_dir_new();
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(folder->fd, >=, 0);
}

static void
folder_tear_down(Folder *folder, gconstpointer data)
{
	close(folder->fd);
	temp_dir_free(folder->path);
}

static void
write_file(const Folder *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder->path, name, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
assert_content(const Folder *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder->path, name, NULL);
	g_autofree char *content = NULL;

	g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
	g_assert_cmpstr(content, ==, text);
}

static void
test_no_state_is_an_empty_one(Folder *folder, gconstpointer data)
{
	g_autofree char *damage = NULL;
	gboolean absent = FALSE;
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelState) state =
		satchel_state_file_load(folder->fd, &absent, &damage, &error);

	g_assert_no_error(error);
	g_assert_nonnull(state);
	g_assert_null(damage);
	g_assert_true(absent);
}

static void
test_a_saved_state_is_loaded(Folder *folder, gconstpointer data)
{
	g_autofree char *damage = NULL;
	gboolean absent = FALSE;
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelState) state = satchel_state_new();
	g_autoptr(SatchelState) again = NULL;
	g_autofree char *commit = g_strnfill(64, 'a');
	g_autoptr(SatchelStateTarget) target = satchel_state_target_new_from_parts("a", 1, commit);

	satchel_state_adopt(state, target, 1);
	g_assert_true(satchel_state_file_save(folder->fd, state, &error));
	again = satchel_state_file_load(folder->fd, &absent, &damage, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(again->current->name, ==, "a");
	g_assert_false(absent);
}

static void
test_loading_damage_tells_and_writes_nothing(Folder *folder, gconstpointer data)
{
	g_autofree char *damage = NULL;
	gboolean absent = FALSE;
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelState) state = NULL;

	write_file(folder, "state.json", "{");
	state = satchel_state_file_load(folder->fd, &absent, &damage, &error);
	g_assert_no_error(error);
	g_assert_nonnull(state);
	g_assert_nonnull(damage);
	g_assert_false(absent);
	g_assert_cmpint(faccessat(folder->fd, "state.json", F_OK, 0), ==, 0);
}

static void
test_a_later_form_is_refused_and_no_damage(Folder *folder, gconstpointer data)
{
	g_autofree char *damage = NULL;
	gboolean absent = FALSE;
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelState) state = NULL;

	write_file(folder, "state.json", "{\"format\": 2}");
	state = satchel_state_file_load(folder->fd, &absent, &damage, &error);
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	g_assert_nonnull(strstr(error->message, "newer version"));
	g_assert_null(state);
	g_assert_null(damage);
}

static void
test_a_state_that_could_not_be_read_again_is_not_written(Folder *folder, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelState) state = satchel_state_new();
	g_autofree char *commit = g_strnfill(64, 'a');
	g_autofree char *name = g_strnfill(SATCHEL_LIMIT_STATE_BYTES, 'n');
	g_autoptr(SatchelStateTarget) target = satchel_state_target_new_from_parts(name, 1, commit);

	write_file(folder, "state.json", "old");
	satchel_state_adopt(state, target, 1);
	g_assert_false(satchel_state_file_save(folder->fd, state, &error));
	g_assert_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED);
	assert_content(folder, "state.json", "old");
}

static void
test_keeping_damage_never_replaces_older_evidence(Folder *folder, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *first = NULL;
	g_autofree char *second = NULL;

	write_file(folder, "state.json", "1");
	first = satchel_state_file_keep_damaged(folder->fd, &error);
	write_file(folder, "state.json", "2");
	second = satchel_state_file_keep_damaged(folder->fd, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(first, ==, "state.json.damaged-1");
	g_assert_cmpstr(second, ==, "state.json.damaged-2");
	assert_content(folder, "state.json.damaged-1", "1");
	/* Until a whole one takes its place. */
	assert_content(folder, "state.json", "2");
}

#define ADD(name)                                                                                  \
	g_test_add("/state_file/" #name, Folder, NULL, folder_set_up, test_##name, folder_tear_down)

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD(no_state_is_an_empty_one);
	ADD(a_saved_state_is_loaded);
	ADD(loading_damage_tells_and_writes_nothing);
	ADD(a_later_form_is_refused_and_no_damage);
	ADD(a_state_that_could_not_be_read_again_is_not_written);
	ADD(keeping_damage_never_replaces_older_evidence);
	return g_test_run();
}
