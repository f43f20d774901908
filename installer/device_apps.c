#include "device_apps.h"
#include "../verify/app_source.h"
#include "../verify/cancel.h"
#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "app_folder.h"
#include "app_override.h"
#include "apps_load.h"
#include "apps_start.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* What the work on a target's apps needs, opened for one call. */
typedef struct {
	SatchelDevice *device;
	const SatchelAppsSettings *settings;
	SatchelOciPlatform *platform;
	SatchelBlobStore *store;
	SatchelEngine *engine;
	SatchelCompose compose;
	int root_fd; /* compose_apps_root */
	GCancellable *cancellable;
} AppsWork;

static void
apps_work_clear(AppsWork *self)
{
	g_clear_pointer(&self->platform, satchel_oci_platform_free);
	g_clear_pointer(&self->store, satchel_blob_store_free);
	g_clear_pointer(&self->engine, satchel_engine_free);
	if (self->root_fd >= 0)
		close(self->root_fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AppsWork, apps_work_clear)

static gboolean
open_root(AppsWork *self, GError **error)
{
	const char *path = self->settings->folder;
	g_autofree char *quoted = NULL;

	if (g_mkdir_with_parents(path, 0755) == 0)
		self->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self->root_fd >= 0)
		return TRUE;
	quoted = satchel_path_quote(path);
	g_set_error(error, SATCHEL_ERROR,
		    errno == ENOSPC ? SATCHEL_ERROR_NO_SPACE : SATCHEL_ERROR_FAILED, "%s: %s",
		    quoted, g_strerror(errno));
	return FALSE;
}

static gboolean
open_engine(AppsWork *self, GError **error)
{
	const char *host = g_getenv("DOCKER_HOST");

	if (host == NULL || *host == '\0')
		host = SATCHEL_ENGINE_DEFAULT_HOST;
	if (!satchel_engine_is_host(host)) {
		g_autofree char *quoted = satchel_path_quote(host);

		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE,
			    "DOCKER_HOST is %s; expected unix:///path", quoted);
		return FALSE;
	}
	self->engine = satchel_engine_new(host);
	satchel_engine_set_cancellable(self->engine, self->cancellable);
	self->compose = (SatchelCompose){
		.program = (const char *const *)self->settings->program,
		.host = host,
		.limit_s = (guint)self->settings->start_s,
		.settle_s = (guint)self->settings->settle_s,
	};
	return TRUE;
}

/* The processor's, for images that come for several. (transfer full) */
static SatchelOciPlatform *
find_platform(GError **error)
{
	struct utsname machine;
	SatchelOciPlatform *platform = NULL;

	(void)uname(&machine);
	platform = satchel_oci_platform_of_machine(machine.machine);
	if (platform == NULL)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "no container image is known for a machine of type %s",
			    machine.machine);
	return platform;
}

static gboolean
work_open(AppsWork *self, SatchelDevice *device, GCancellable *cancellable, GError **error)
{
	*self = (AppsWork){
		.device = device,
		.settings = device->settings->apps,
		.root_fd = -1,
		.cancellable = cancellable,
	};
	self->platform = find_platform(error);
	if (self->platform == NULL || !open_engine(self, error) || !open_root(self, error))
		return FALSE;
	self->store = satchel_blob_store_open(self->settings->store, error);
	return self->store != NULL;
}

/* ---- which apps */

typedef gboolean (*AppFilter)(const SatchelAppsSettings *settings, const char *app);

/* Those of @target that pass. Each becomes a folder and a Compose project, so that their names are
 * checked, and no two may become the same. (transfer container) */
static GPtrArray *
list_apps(const SatchelDevice *device, const SatchelStateTarget *target, AppFilter filter,
	  GError **error)
{
	g_autoptr(GPtrArray) apps = g_ptr_array_new();
	g_autoptr(GHashTable) projects =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < target->apps->len; i++) {
		SatchelStateApp *app = g_ptr_array_index(target->apps, i);
		g_autofree char *project = NULL;

		if (!filter(device->settings->apps, app->name))
			continue;
		project = satchel_compose_project(app->name);
		if (project == NULL || !satchel_app_folder_is_name(app->name) ||
		    !g_hash_table_add(projects, g_steal_pointer(&project))) {
			g_autofree char *quoted = satchel_path_quote(app->name);

			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_CONTENT_INVALID,
				    "app %s of %s cannot be told from others by its name", quoted,
				    target->name);
			return NULL;
		}
		g_ptr_array_add(apps, app);
	}
	return g_steal_pointer(&apps);
}

static void
closure_destroy(gpointer closure)
{
	satchel_app_closure_free(closure);
}

/* ---- the store */

static gboolean
list_in_bundle(const SatchelDevice *device, const SatchelOciPlatform *platform,
	       SatchelBundleReader *bundle, const SatchelStateTarget *target, GPtrArray *closures,
	       GError **error)
{
	SatchelAppSource source = satchel_app_source_bundle(bundle);
	g_autoptr(GPtrArray) apps = list_apps(device, target, satchel_apps_settings_keeps, error);

	for (guint i = 0; apps != NULL && i < apps->len; i++) {
		const SatchelStateApp *app = g_ptr_array_index(apps, i);
		SatchelAppClosure *closure =
			satchel_app_closure_new(&source, app->uri, platform, error);

		if (closure == NULL)
			return FALSE;
		g_ptr_array_add(closures, closure);
	}
	return apps != NULL;
}

gboolean
satchel_device_apps_check_bundle(const SatchelDevice *device, SatchelBundleReader *bundle,
				 const SatchelStateTarget *target, GError **error)
{
	g_autoptr(GPtrArray) closures = g_ptr_array_new_with_free_func(closure_destroy);
	g_autoptr(SatchelOciPlatform) platform = NULL;

	if (device->settings->apps == NULL)
		return TRUE;
	platform = find_platform(error);
	return platform != NULL &&
	       list_in_bundle(device, platform, bundle, target, closures, error);
}

/* All that is to be on the device is in the store. @closures: of those that are to run, in the
 * order of the apps. */
static gboolean
list_in_store(const AppsWork *work, const SatchelStateTarget *target, GPtrArray *closures,
	      GError **error)
{
	g_autoptr(GPtrArray) apps =
		list_apps(work->device, target, satchel_apps_settings_keeps, error);

	for (guint i = 0; apps != NULL && i < apps->len; i++) {
		const SatchelStateApp *app = g_ptr_array_index(apps, i);
		SatchelAppClosure *closure =
			satchel_blob_store_find(work->store, app->uri, work->platform, error);

		if (closure == NULL)
			return FALSE;
		if (satchel_apps_settings_runs(work->settings, app->name))
			g_ptr_array_add(closures, closure);
		else
			satchel_app_closure_free(closure);
	}
	return apps != NULL;
}

gboolean
satchel_device_apps_check_store(SatchelDevice *device, const SatchelStateTarget *target,
				GError **error)
{
	g_autoptr(GPtrArray) closures = g_ptr_array_new_with_free_func(closure_destroy);
	g_autoptr(GError) local_error = NULL;
	g_auto(AppsWork) work = {.root_fd = -1};

	if (device->settings->apps == NULL)
		return TRUE;
	if (!work_open(&work, device, NULL, error))
		return FALSE;
	if (list_in_store(&work, target, closures, &local_error))
		return TRUE;
	/* What is not there was not pulled. */
	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_NO_TARGET_CONTENT))
		local_error->code = SATCHEL_ERROR_DOWNLOAD_FAILED;
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

/* ---- one app */

static gboolean
stage(const AppsWork *work, const char *app, const SatchelAppClosure *closure, GError **error)
{
	g_autoptr(GBytes) override = satchel_app_override_new(closure);
	g_autoptr(GBytes) archive = satchel_blob_store_load(work->store, closure->manifest->archive,
							    SATCHEL_LIMIT_APP_ARCHIVE_BYTES, error);

	return archive != NULL &&
	       satchel_app_folder_stage(work->root_fd, app, archive, SATCHEL_COMPOSE_OVERRIDE,
					override, error);
}

/* What is to have containers of that version as it lies in the app's folder; NULL: that is another
 * version's. (transfer full) */
static GStrv
list_placed(const AppsWork *work, const char *app, const char *sha256)
{
	g_autoptr(GBytes) override = satchel_app_folder_read(
		work->root_fd, app, SATCHEL_COMPOSE_OVERRIDE, SATCHEL_APP_OVERRIDE_MAX_BYTES);

	return satchel_app_override_list_services(override, sha256);
}

/* FALSE also where its folder is another version's: what was put there has not been started. */
static gboolean
look(const AppsWork *work, const char *app, const char *sha256, SatchelAppView *view,
     GError **error)
{
	g_autofree char *project = satchel_compose_project(app);
	g_auto(GStrv) services = list_placed(work, app, sha256);

	return project != NULL && services != NULL &&
	       satchel_app_containers_look(work->engine, project, sha256,
					   (const char *const *)services, view, error) &&
	       view->health == SATCHEL_APP_RUNS;
}

/* Some of it runs, and what does not has done what it was to do. */
static gboolean
runs(const AppsWork *work, const char *app, const char *sha256, GError **error)
{
	g_auto(SatchelAppView) view = {0};

	return look(work, app, sha256, &view, error) && view.n_running > 0;
}

/* The same, where an engine that cannot be asked is no matter. */
static gboolean
is_running(const AppsWork *work, const char *app, const char *sha256)
{
	return runs(work, app, sha256, NULL);
}

/* Some of it runs, or all of it has done what it was to do. It may be a service that somebody
 * stopped: whoever starts apps starts it anew. */
static gboolean
is_as_it_should_be(const AppsWork *work, const char *app, const char *sha256)
{
	g_auto(SatchelAppView) view = {0};

	return look(work, app, sha256, &view, NULL);
}

static gboolean
check_one(const AppsWork *work, const char *app, const SatchelAppClosure *closure, GError **error)
{
	g_autofree char *project = satchel_compose_project(app);
	g_autofree char *folder = satchel_app_folder_staged_path(work->settings->folder, app);

	if (!satchel_cancel_check(work->cancellable, error))
		return FALSE;
	/* What runs has passed all this, and nothing is going to be done to it. */
	if (is_running(work, app, closure->reference->sha256))
		return TRUE;
	return stage(work, app, closure, error) &&
	       satchel_compose_check(&work->compose, folder, project, error);
}

/* A disk that is full is no reason not to go back to what lies there already. */
static gboolean
place(const AppsWork *work, const char *app, const SatchelAppClosure *closure, GError **error)
{
	g_auto(GStrv) placed = NULL;
	g_autoptr(GError) local_error = NULL;

	if (stage(work, app, closure, &local_error))
		return satchel_app_folder_place(work->root_fd, app, SATCHEL_COMPOSE_OVERRIDE,
						error);
	placed = list_placed(work, app, closure->reference->sha256);
	if (g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE) && placed != NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local_error));
	return FALSE;
}

static gboolean
put_in_place(const AppsWork *work, const char *app, const SatchelAppClosure *closure,
	     GError **error)
{
	return satchel_apps_load(work->engine, work->store, closure, (guint)work->settings->load_s,
				 &work->device->sink, work->cancellable, error) &&
	       place(work, app, closure, error);
}

/* ---- all of a target */

/* The target's apps that run here, each with its closure. */
typedef struct {
	GPtrArray *apps;     /* SatchelStateApp, borrowed */
	GPtrArray *closures; /* SatchelAppClosure */
} RunningSet;

static void
running_set_clear(RunningSet *self)
{
	g_clear_pointer(&self->apps, g_ptr_array_unref);
	g_clear_pointer(&self->closures, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RunningSet, running_set_clear)

static const char *
app_at(const RunningSet *set, guint index)
{
	return ((const SatchelStateApp *)g_ptr_array_index(set->apps, index))->name;
}

static gboolean
open_set(AppsWork *work, SatchelDevice *device, const SatchelStateTarget *target,
	 GCancellable *cancellable, RunningSet *set, GError **error)
{
	set->closures = g_ptr_array_new_with_free_func(closure_destroy);
	if (!work_open(work, device, cancellable, error))
		return FALSE;
	set->apps = list_apps(device, target, satchel_apps_settings_runs, error);
	return set->apps != NULL && list_in_store(work, target, set->closures, error);
}

typedef gboolean (*AppWork)(const AppsWork *work, const char *app, const SatchelAppClosure *closure,
			    GError **error);

static gboolean
for_each(const AppsWork *work, const RunningSet *set, AppWork one, GError **error)
{
	for (guint i = 0; i < set->apps->len; i++) {
		if (!one(work, app_at(set, i), g_ptr_array_index(set->closures, i), error)) {
			g_prefix_error(error, "app %s: ", app_at(set, i));
			return FALSE;
		}
	}
	return TRUE;
}

/* What was copied is looked at once more where it lies, the Compose program included. */
static gboolean
check_pulled(SatchelDevice *device, const SatchelStateTarget *target, GCancellable *cancellable,
	     GError **error)
{
	g_auto(AppsWork) work = {.root_fd = -1};
	g_auto(RunningSet) set = {0};

	return open_set(&work, device, target, cancellable, &set, error) &&
	       for_each(&work, &set, check_one, error);
}

gboolean
satchel_device_apps_pull(SatchelDevice *device, SatchelBundleReader *bundle,
			 const SatchelStateTarget *target, GCancellable *cancellable,
			 GError **error)
{
	g_autoptr(GPtrArray) closures = g_ptr_array_new_with_free_func(closure_destroy);
	g_auto(AppsWork) work = {.root_fd = -1};

	if (device->settings->apps == NULL)
		return TRUE;
	return work_open(&work, device, cancellable, error) &&
	       list_in_bundle(device, work.platform, bundle, target, closures, error) &&
	       satchel_blob_store_pull(work.store, bundle, closures, work.settings->watermark,
				       &device->sink, cancellable, error) &&
	       check_pulled(device, target, cancellable, error);
}

static gboolean
load_one(const AppsWork *work, const char *app, const SatchelAppClosure *closure, GError **error)
{
	return satchel_cancel_check(work->cancellable, error) &&
	       satchel_apps_load(work->engine, work->store, closure, (guint)work->settings->load_s,
				 &work->device->sink, work->cancellable, error);
}

gboolean
satchel_device_apps_load(SatchelDevice *device, const SatchelStateTarget *target,
			 GCancellable *cancellable, GError **error)
{
	g_auto(AppsWork) work = {.root_fd = -1};
	g_auto(RunningSet) set = {0};

	return device->settings->apps == NULL ||
	       (open_set(&work, device, target, cancellable, &set, error) &&
		for_each(&work, &set, load_one, error));
}

void
satchel_device_apps_stop_old(SatchelDevice *device, const SatchelStateTarget *target)
{
	g_auto(AppsWork) work = {.root_fd = -1};
	g_auto(RunningSet) set = {0};
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) folders = NULL;

	if (device->settings->apps == NULL || !device->settings->apps->stop)
		return;
	if (!open_set(&work, device, target, NULL, &set, &error)) {
		satchel_device_remark(device, "apps are not stopped: %s", error->message);
		return;
	}
	folders = satchel_app_folder_list(work.root_fd);
	for (char **app = folders; *app != NULL; app++) {
		g_autofree char *project = satchel_compose_project(*app);
		gboolean same = FALSE;

		for (guint i = 0; i < set.apps->len && !same; i++) {
			const SatchelAppClosure *closure = g_ptr_array_index(set.closures, i);

			same = g_str_equal(app_at(&set, i), *app) &&
			       is_running(&work, *app, closure->reference->sha256);
		}
		if (same || project == NULL ||
		    satchel_app_containers_stop(work.engine, project, &error))
			continue;
		satchel_device_remark(device, "app %s is not stopped: %s", *app, error->message);
		g_clear_error(&error);
	}
}

void
satchel_device_apps_create(SatchelDevice *device, const SatchelStateTarget *target)
{
	g_auto(AppsWork) work = {.root_fd = -1};
	g_auto(RunningSet) set = {0};
	g_autoptr(GError) error = NULL;

	if (device->settings->apps == NULL || !device->settings->apps->create)
		return;
	if (open_set(&work, device, target, NULL, &set, &error)) {
		for (guint i = 0; i < set.apps->len && error == NULL; i++) {
			const SatchelAppClosure *closure = g_ptr_array_index(set.closures, i);
			const char *app = app_at(&set, i);
			g_autofree char *project = satchel_compose_project(app);
			g_autofree char *folder =
				g_build_filename(work.settings->folder, app, NULL);

			if (!is_running(&work, app, closure->reference->sha256) &&
			    put_in_place(&work, app, closure, &error))
				(void)!satchel_compose_create(&work.compose, folder, project,
							      &error);
		}
	}
	if (error != NULL)
		satchel_device_remark(device, "containers are not made before the reboot: %s",
				      error->message);
}

/* What has a folder and is not to run any more. */
static gboolean
remove_others(const AppsWork *work, const RunningSet *set, GError **error)
{
	g_auto(GStrv) folders = satchel_app_folder_list(work->root_fd);

	for (char **app = folders; *app != NULL; app++) {
		g_autofree char *project = satchel_compose_project(*app);
		gboolean wanted = FALSE;

		for (guint i = 0; i < set->apps->len; i++)
			wanted = wanted || g_str_equal(app_at(set, i), *app);
		if (wanted)
			continue;
		if (project != NULL &&
		    !satchel_app_containers_remove(work->engine, project, error)) {
			g_prefix_error(error, "app %s: ", *app);
			return FALSE;
		}
		satchel_app_folder_remove(work->root_fd, *app);
	}
	return TRUE;
}

/* Once more where the program fails: an engine that was started anew meanwhile had cut it off. */
static gboolean
bring_up(const AppsWork *work, const char *folder, const char *project, GError **error)
{
	return satchel_compose_up(&work->compose, folder, project, NULL) ||
	       (satchel_compose_pause(work->cancellable, error) &&
		satchel_compose_up(&work->compose, folder, project, error));
}

static gboolean
start_one(const AppsWork *work, const char *app, const SatchelAppClosure *closure, GError **error)
{
	g_autofree char *project = satchel_compose_project(app);
	g_autofree char *folder = g_build_filename(work->settings->folder, app, NULL);
	g_autoptr(GError) local_error = NULL;

	if (!satchel_cancel_check(work->cancellable, error))
		return FALSE;
	if (runs(work, app, closure->reference->sha256, &local_error))
		return TRUE;
	if (local_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	return put_in_place(work, app, closure, error) && bring_up(work, folder, project, error);
}

static void
started_clear(gpointer data)
{
	SatchelComposeApp *app = data;

	g_free((char *)(guintptr)app->project);
	g_strfreev(app->services);
	g_free(app->mark);
}

static gboolean
wait_for_all(const AppsWork *work, const RunningSet *set, GError **error)
{
	g_autoptr(GArray) apps = g_array_new(FALSE, FALSE, sizeof(SatchelComposeApp));

	g_array_set_clear_func(apps, started_clear);
	for (guint i = 0; i < set->apps->len; i++) {
		const SatchelAppClosure *closure = g_ptr_array_index(set->closures, i);
		SatchelComposeApp app = {
			.name = app_at(set, i),
			.project = satchel_compose_project(app_at(set, i)),
			.sha256 = closure->reference->sha256,
			.services = list_placed(work, app_at(set, i), closure->reference->sha256),
		};

		g_array_append_val(apps, app);
		if (app.services == NULL) {
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
				    "app %s: its folder does not stay as it was put there",
				    app.name);
			return FALSE;
		}
	}
	return satchel_compose_wait(&work->compose, work->engine, apps, work->cancellable, error);
}

static gboolean
start_all(const AppsWork *work, const RunningSet *set, gboolean decides, GError **error)
{
	return remove_others(work, set, error) && for_each(work, set, start_one, error) &&
	       (!decides || wait_for_all(work, set, error));
}

/* Apps are judged only where nobody wants this process to end, which ends the Compose program, too,
 * and where there is an engine: at boot it may come late, and at shutdown it goes. */
static gboolean
start_patiently(const AppsWork *work, const RunningSet *set, gboolean decides, GError **error)
{
	const guint64 limit_s = decides ? work->settings->start_s : work->settings->engine_wait_s;
	const gint64 end_us = g_get_monotonic_time() + (gint64)limit_s * G_USEC_PER_SEC;

	for (;;) {
		g_autoptr(GError) local_error = NULL;

		if (start_all(work, set, decides, &local_error))
			return TRUE;
		if (!satchel_cancel_check(work->cancellable, error))
			return FALSE;
		if (satchel_engine_answers(work->engine)) {
			g_propagate_error(error, g_steal_pointer(&local_error));
			return FALSE;
		}
		if (g_get_monotonic_time() >= end_us) {
			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_ENGINE_UNREACHABLE,
				    "%s, for %" G_GUINT64_FORMAT " s", local_error->message,
				    limit_s);
			return FALSE;
		}
		if (!satchel_compose_pause(work->cancellable, error))
			return FALSE;
	}
}

/* @decides: something waits for what comes of it. */
static gboolean
bring_up_target(SatchelDevice *device, const SatchelStateTarget *target, gboolean decides,
		GCancellable *cancellable, GError **error)
{
	g_auto(AppsWork) work = {.root_fd = -1};
	g_auto(RunningSet) set = {0};

	return device->settings->apps == NULL ||
	       (open_set(&work, device, target, cancellable, &set, error) &&
		start_patiently(&work, &set, decides, error));
}

gboolean
satchel_device_apps_start(SatchelDevice *device, const SatchelStateTarget *target,
			  GCancellable *cancellable, GError **error)
{
	return bring_up_target(device, target, TRUE, cancellable, error);
}

gboolean
satchel_device_apps_keep_up(SatchelDevice *device, const SatchelStateTarget *target,
			    GCancellable *cancellable, GError **error)
{
	return bring_up_target(device, target, FALSE, cancellable, error);
}

/* ---- afterwards */

static void
add_uris(const SatchelDevice *device, const SatchelStateTarget *target, GStrvBuilder *uris)
{
	for (guint i = 0; target != NULL && i < target->apps->len; i++) {
		const SatchelStateApp *app = g_ptr_array_index(target->apps, i);

		if (satchel_apps_settings_keeps(device->settings->apps, app->name))
			g_strv_builder_add(uris, app->uri);
	}
}

void
satchel_device_apps_prune(SatchelDevice *device)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) uris = NULL;
	g_auto(AppsWork) work = {.root_fd = -1};
	g_auto(RunningSet) set = {0};

	if (device->settings->apps == NULL || device->state->current == NULL ||
	    !open_set(&work, device, device->state->current, NULL, &set, NULL))
		return;
	add_uris(device, device->state->current, builder);
	add_uris(device, device->state->pending, builder);
	add_uris(device, device->state->rollback, builder);
	uris = g_strv_builder_end(builder);
	satchel_blob_store_prune(work.store, (const char *const *)uris, work.platform);
	if (work.settings->prune)
		satchel_apps_load_prune(work.engine, set.closures);
}

/* ---- looking only */

/* The digest at the end of a URI; NULL: it is none. */
static const char *
uri_sha256(const char *uri)
{
	const char *at = strrchr(uri, ':');

	return at != NULL && strlen(at + 1) == 64 ? at + 1 : NULL;
}

/* Makes nothing: without its folder no app runs. */
static gboolean
open_view(AppsWork *self, const SatchelDevice *device)
{
	*self = (AppsWork){.settings = device->settings->apps, .root_fd = -1};
	if (self->settings == NULL)
		return FALSE;
	self->root_fd = open(self->settings->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return self->root_fd >= 0 && open_engine(self, NULL);
}

gboolean
satchel_device_apps_is_running(const SatchelDevice *device, const char *app, const char *uri)
{
	const char *sha256 = uri_sha256(uri);
	g_auto(AppsWork) work = {.root_fd = -1};

	return sha256 != NULL && open_view(&work, device) && is_running(&work, app, sha256);
}

/* An app that is not to run any more, and has its folder still. (transfer full) */
static char *
find_left_over(const AppsWork *work, const GPtrArray *apps)
{
	g_auto(GStrv) folders = work->root_fd >= 0 ? satchel_app_folder_list(work->root_fd) : NULL;

	for (char **name = folders; name != NULL && *name != NULL; name++) {
		gboolean wanted = FALSE;

		for (guint i = 0; i < apps->len; i++)
			wanted = wanted ||
				 g_str_equal(((SatchelStateApp *)g_ptr_array_index(apps, i))->name,
					     *name);
		if (!wanted)
			return g_strdup_printf("%s: not to run any more", *name);
	}
	return NULL;
}

typedef gboolean (*AppIsGood)(const AppsWork *work, const char *app, const char *sha256);

static char *
find_work(const SatchelDevice *device, const SatchelStateTarget *target, AppIsGood is_good)
{
	g_auto(AppsWork) work = {.root_fd = -1};
	g_autoptr(GPtrArray) apps = NULL;
	gboolean seen = FALSE;

	if (device->settings->apps == NULL)
		return NULL;
	seen = open_view(&work, device);
	apps = list_apps(device, target, satchel_apps_settings_runs, NULL);
	for (guint i = 0; apps != NULL && i < apps->len; i++) {
		const SatchelStateApp *app = g_ptr_array_index(apps, i);
		const char *sha256 = uri_sha256(app->uri);

		if (!seen || sha256 == NULL || !is_good(&work, app->name, sha256))
			return g_strdup_printf("%s: not running in this version", app->name);
	}
	return apps != NULL ? find_left_over(&work, apps) : NULL;
}

char *
satchel_device_apps_find_work(const SatchelDevice *device, const SatchelStateTarget *target)
{
	return find_work(device, target, is_as_it_should_be);
}

gboolean
satchel_device_apps_are_running(const SatchelDevice *device, const SatchelStateTarget *target)
{
	g_autofree char *work = find_work(device, target, is_running);

	return work == NULL;
}
