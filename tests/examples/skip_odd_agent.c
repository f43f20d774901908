/*
 * An update agent with a policy of its own: it takes even versions only. With the public API alone:
 *
 *   skip_odd_agent [--cancel-when WORK] BUNDLE CONFIG.toml ...
 *
 * Each configuration is a device of this process, updated in a thread of its own. An installation
 * that waits is finalized instead. --cancel-when cancels all of it as soon as a piece of WORK, as
 * the progress names it ("pulling"), has begun. Ends with the highest status of all.
 *
 *   cc skip_odd_agent.c $(pkg-config --cflags --libs satchel-device)
 */
#include <satchel/device.h>
#include <stdio.h>
#include <string.h>

typedef struct {
	const char *bundle;
	const char *cancel_when; /* NULL: never */
	GCancellable *cancellable;
} Agent;

/* One device, and what came of it. */
typedef struct {
	const Agent *agent;
	const char *config;
	SatchelDevice *device;
	gboolean good;
	SatchelOutcome outcome;
	GError *error; /* set where it is not good */
} Instance;

static void
show_progress(const SatchelProgressReport *report, gpointer user_data)
{
	const Instance *self = user_data;

	if (report->phase == SATCHEL_PROGRESS_ENDED)
		printf("%s: %s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes\n",
		       self->config, report->what, report->done_bytes, report->total_bytes);
	if (report->phase == SATCHEL_PROGRESS_BEGUN &&
	    g_strcmp0(report->what, self->agent->cancel_when) == 0)
		g_cancellable_cancel(self->agent->cancellable);
}

/* The policy. NULL: nothing that is even, newer, and has not failed. */
static const SatchelOstreeTarget *
choose_even(const SatchelOffer *offer, const SatchelDevice *device)
{
	for (guint i = satchel_offer_get_n_targets(offer); i > 0; i--) {
		const SatchelOstreeTarget *target = satchel_offer_get_target(offer, i - 1);
		SatchelOfferMarks marks = satchel_offer_get_marks(offer, device, target);

		if (satchel_ostree_target_get_version(target) % 2 == 0 &&
		    (marks & SATCHEL_OFFER_MARK_NEWER) != 0 &&
		    (marks & SATCHEL_OFFER_MARK_FAILED) == 0)
			return target;
	}
	return NULL;
}

static gboolean
update(Instance *self, GError **error)
{
	GCancellable *cancellable = self->agent->cancellable;
	g_autoptr(SatchelOffer) offer =
		satchel_offer_from_bundle(self->device, self->agent->bundle, cancellable, error);
	const SatchelOstreeTarget *target = NULL;

	if (offer == NULL)
		return FALSE;
	target = choose_even(offer, self->device);
	if (target == NULL)
		return TRUE;
	printf("%s: takes %s\n", self->config, satchel_ostree_target_get_name(target));
	return satchel_update_pull(self->device, offer, target, cancellable, error) &&
	       satchel_update_install(self->device, offer, target, cancellable, &self->outcome,
				      error);
}

static gpointer
work(gpointer user_data)
{
	Instance *self = user_data;
	const char *const paths[] = {self->config, NULL};
	const SatchelProgressSink sink = {.report = show_progress, .user_data = self};
	const SatchelDeviceTarget *current = NULL;

	self->device = satchel_device_open(paths, SATCHEL_DEVICE_UPDATE, &self->error);
	if (self->device == NULL)
		return NULL;
	satchel_device_set_progress(self->device, &sink);
	self->good = satchel_device_get_pending(self->device) == NULL
			     ? update(self, &self->error)
			     : satchel_update_finalize(self->device, self->agent->cancellable,
						       &self->outcome, &self->error);
	current = satchel_device_get_current(self->device);
	printf("%s: runs %s\n", self->config,
	       current != NULL ? satchel_device_target_get_name(current) : "something unknown");
	satchel_device_close(self->device);
	return NULL;
}

static int
end(Instance *self)
{
	int status = (int)satchel_status_from_result(self->outcome, self->error);

	if (!self->good)
		fprintf(stderr, "%s: %s\n", self->config, self->error->message);
	g_clear_error(&self->error);
	return status;
}

int
main(int argc, char **argv)
{
	g_autoptr(GCancellable) cancellable = g_cancellable_new();
	Agent agent = {.cancellable = cancellable};
	g_autoptr(GPtrArray) threads = g_ptr_array_new();
	g_autofree Instance *instances = g_new0(Instance, (gsize)argc);
	int first = argc > 2 && strcmp(argv[1], "--cancel-when") == 0 ? 3 : 1;
	int status = 0;

	if (argc < first + 2) {
		fprintf(stderr, "usage: skip_odd_agent [--cancel-when WORK] BUNDLE CONFIG...\n");
		return 1;
	}
	agent.cancel_when = first == 3 ? argv[2] : NULL;
	agent.bundle = argv[first];
	for (int i = first + 1; i < argc; i++) {
		instances[i] = (Instance){.agent = &agent, .config = argv[i]};
		g_ptr_array_add(threads, g_thread_new("device", work, &instances[i]));
	}
	for (guint i = 0; i < threads->len; i++)
		g_thread_join(g_ptr_array_index(threads, i));
	for (int i = first + 1; i < argc; i++) {
		int one = end(&instances[i]);

		status = MAX(status, one);
	}
	return status;
}
