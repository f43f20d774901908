#include "device_parts.h"
#include "media_device.h"
#include <errno.h>
#include <libudev.h>
#include <satchel/media.h>
#include <string.h>

typedef struct udev Udev;
typedef struct udev_device UdevDevice;
typedef struct udev_enumerate UdevEnumerate;
typedef struct udev_monitor UdevMonitor;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Udev, udev_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UdevDevice, udev_device_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UdevEnumerate, udev_enumerate_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UdevMonitor, udev_monitor_unref)

/* Ends the list of those that wait; no device has such a name. */
#define NO_MORE ""

typedef struct {
	const char *const *config_paths;
	const SatchelMediaListener *listener;
	GCancellable *cancellable;
	SatchelDevice *device; /* (owned): read-only, for its settings */
	GHashTable *present;   /* of char *: nodes that were noticed and not taken away */
	GAsyncQueue *waiting;  /* of char *: nodes */
	gint n_unserved;       /* with the one that is served */
} Watch;

static void
watch_clear(Watch *self)
{
	g_clear_pointer(&self->device, satchel_device_close);
	g_hash_table_unref(self->present);
	g_async_queue_unref(self->waiting);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Watch, watch_clear)

static void
say(const Watch *self, const char *node, const char *text)
{
	g_autofree char *line = g_strdup_printf("%s: %s", node, text);

	if (self->listener != NULL && self->listener->say != NULL)
		self->listener->say(line, self->listener->user_data);
}

typedef struct {
	const Watch *watch;
	const char *node;
} Job;

/* In a thread of its own: the mounts that it gets end with it. */
static gpointer
serve_one(gpointer user_data)
{
	const Job *job = user_data;
	SatchelOutcome outcome = SATCHEL_OUTCOME_DONE;
	g_autoptr(GError) error = NULL;

	if (!satchel_media_serve(job->watch->config_paths, job->node, job->watch->listener,
				 job->watch->cancellable, &outcome, &error))
		say(job->watch, job->node, error->message);
	return NULL;
}

/* One after the other. */
static gpointer
serve_all(gpointer user_data)
{
	Watch *self = user_data;

	for (;;) {
		g_autofree char *node = g_async_queue_pop(self->waiting);
		Job job = {self, node};

		if (g_str_equal(node, NO_MORE))
			return NULL;
		g_thread_join(g_thread_new("stick", serve_one, &job));
		g_atomic_int_add(&self->n_unserved, -1);
	}
}

static void
notice(Watch *self, struct udev_device *device)
{
	g_autoptr(SatchelMediaDevice) stick =
		satchel_media_device_new(device, self->device->settings->media, NULL);

	if (stick == NULL || !g_hash_table_add(self->present, g_strdup(stick->node)))
		return;
	if (g_atomic_int_add(&self->n_unserved, 1) > 0)
		say(self, stick->node, "this stick waits, another one is being served");
	g_async_queue_push(self->waiting, g_strdup(stick->node));
}

static void
notice_present(Watch *self, struct udev *context)
{
	g_autoptr(UdevEnumerate) list = udev_enumerate_new(context);
	struct udev_list_entry *entry = NULL;

	if (list == NULL || udev_enumerate_add_match_subsystem(list, "block") < 0 ||
	    udev_enumerate_scan_devices(list) < 0)
		return;
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list))
	{
		g_autoptr(UdevDevice) device =
			udev_device_new_from_syspath(context, udev_list_entry_get_name(entry));

		if (device != NULL)
			notice(self, device);
	}
}

static void
take_event(Watch *self, struct udev_monitor *monitor)
{
	g_autoptr(UdevDevice) device = udev_monitor_receive_device(monitor);
	const char *node = device != NULL ? udev_device_get_devnode(device) : NULL;

	if (node == NULL)
		return;
	if (g_strcmp0(udev_device_get_action(device), "remove") == 0)
		g_hash_table_remove(self->present, node);
	else
		notice(self, device);
}

static void
take_events(Watch *self, struct udev_monitor *monitor)
{
	GPollFD watched[2] = {{.fd = udev_monitor_get_fd(monitor), .events = G_IO_IN}};

	if (!g_cancellable_make_pollfd(self->cancellable, &watched[1]))
		return;
	while (!g_cancellable_is_cancelled(self->cancellable)) {
		(void)g_poll(watched, 2, -1);
		if (watched[0].revents != 0)
			take_event(self, monitor);
	}
	g_cancellable_release_fd(self->cancellable);
}

/* Listens first and looks then: what comes in between is seen twice, and noticed once. */
static UdevMonitor *
listen(struct udev *context, GError **error)
{
	g_autoptr(UdevMonitor) monitor =
		context != NULL ? udev_monitor_new_from_netlink(context, "udev") : NULL;

	if (monitor != NULL &&
	    udev_monitor_filter_add_match_subsystem_devtype(monitor, "block", NULL) >= 0 &&
	    udev_monitor_enable_receiving(monitor) >= 0)
		return g_steal_pointer(&monitor);
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED, "udev cannot be listened to: %s",
		    g_strerror(errno));
	return NULL;
}

gboolean
satchel_media_watch(const char *const *config_paths, const SatchelMediaListener *listener,
		    GCancellable *cancellable, GError **error)
{
	g_autoptr(Udev) context = udev_new();
	g_autoptr(UdevMonitor) monitor = NULL;
	g_auto(Watch) self = {
		.config_paths = config_paths,
		.listener = listener,
		.cancellable = cancellable,
		.present = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.waiting = g_async_queue_new_full(g_free),
	};
	GThread *server = NULL;

	self.device = satchel_device_open(config_paths, SATCHEL_DEVICE_READ_ONLY, error);
	if (self.device == NULL)
		return FALSE;
	monitor = listen(context, error);
	if (monitor == NULL)
		return FALSE;
	server = g_thread_new("sticks", serve_all, &self);
	notice_present(&self, context);
	take_events(&self, monitor);
	g_async_queue_push_front(self.waiting, g_strdup(NO_MORE));
	g_thread_join(server);
	/* cppcheck-suppress memleak ; it was joined, which frees it */
	return TRUE;
}
