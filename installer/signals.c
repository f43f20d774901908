#include "signals.h"
#include "../verify/clock.h"
#include "../verify/path_safety.h"
#include "../verify/utc_time.h"
#include "run_command.h"
#include "signal_led.h"
#include "signal_socket.h"
#include <gio/gio.h>
#include <jansson.h>
#include <unistd.h>

/* A buzzer that does not end holds up nobody for longer. */
#define COMMAND_LIMIT_S 10u

#define BUS_PATH "/org/satchel/Media1"
#define BUS_INTERFACE "org.satchel.Media1"

struct SatchelSignals {
	const SatchelSignalSettings *settings;
	SatchelSignalMemory memory;
	GDBusConnection *bus;	      /* NULL: not asked for, or not there */
	int socket_fd;		      /* -1: nobody listens */
	int lights[SATCHEL_N_LIGHTS]; /* SatchelLedMode; -1: unknown */
};

SatchelSignals *
satchel_signals_new(const SatchelSignalSettings *settings)
{
	SatchelSignals *self = g_new0(SatchelSignals, 1);

	self->settings = settings;
	self->socket_fd = -1;
	for (guint i = 0; i < SATCHEL_N_LIGHTS; i++)
		self->lights[i] = -1;
	if (settings->bus)
		self->bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);
	/* A bus that goes away must not take the update with it. */
	if (self->bus != NULL)
		g_dbus_connection_set_exit_on_close(self->bus, FALSE);
	return self;
}

static void
set_lights(SatchelSignals *self, const SatchelSignalRow *row)
{
	for (guint i = 0; i < SATCHEL_N_LIGHTS; i++) {
		/* Setting a light that blinks to blinking is a flicker. */
		if (self->settings->leds[i] == NULL || self->lights[i] == (int)row->lights[i])
			continue;
		satchel_signal_led_set(self->settings->leds_path, self->settings->leds[i],
				       row->lights[i]);
		self->lights[i] = (int)row->lights[i];
	}
}

static void
run_command(const SatchelSignals *self, const SatchelSignalRow *row, const char *text)
{
	GStrv argv = self->settings->command;
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_auto(SatchelCommandResult) result = {0};
	SatchelCommand command = {.limit_s = COMMAND_LIMIT_S};

	if (argv == NULL)
		return;
	for (guint i = 0; argv[i] != NULL; i++)
		g_ptr_array_add(words, argv[i]);
	g_ptr_array_add(words, (gpointer)(guintptr)row->name);
	g_ptr_array_add(words, (gpointer)(guintptr)text);
	g_ptr_array_add(words, NULL);
	command.argv = (const char *const *)words->pdata;
	if (!satchel_run_command(&command, &result, NULL))
		return;
}

static void
log_to_journal(const SatchelSignals *self, const SatchelSignalRow *row, const char *line,
	       const char *text)
{
	g_autofree char *message = g_strconcat("MESSAGE=", line, NULL);
	g_autofree char *id = g_strconcat("MESSAGE_ID=", row->message_id, NULL);
	g_autofree char *priority = g_strdup_printf("PRIORITY=%u", row->priority);
	g_autofree char *state = g_strconcat("SATCHEL_STATE=", row->name, NULL);
	g_autofree char *what = g_strconcat("SATCHEL_TEXT=", text, NULL);
	const char *const fields[] = {
		message, id, priority, state, what, "SYSLOG_IDENTIFIER=satchel-installer", NULL};

	if (self->settings->journal != NULL)
		satchel_signal_socket_log(self->settings->journal, fields);
}

static void
write_status(const SatchelSignals *self, const char *line)
{
	g_autofree char *text = g_strconcat(line, "\n", NULL);

	g_autofree char *folder = NULL;

	if (self->settings->status_file == NULL)
		return;
	/* Below /run nothing is there after a boot. */
	folder = g_path_get_dirname(self->settings->status_file);
	(void)g_mkdir_with_parents(folder, 0755);
	/* By another name first: who reads it meanwhile has a whole line. */
	(void)g_file_set_contents_full(self->settings->status_file, text, -1,
				       G_FILE_SET_CONTENTS_CONSISTENT, 0644, NULL);
}

static void
send_json(SatchelSignals *self, const SatchelSignalRow *row, int percent, const char *text)
{
	g_autofree char *at = satchel_utc_time_format(satchel_clock_now_s());
	json_t *object = NULL;
	char *line = NULL;

	if (self->settings->socket == NULL)
		return;
	object = json_pack("{s:s, s:s, s:s}", "at", at, "state", row->name, "text", text);
	if (percent >= 0)
		json_object_set_new(object, "percent", json_integer(percent));
	line = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	satchel_signal_socket_send_line(&self->socket_fd, self->settings->socket, line);
	free(line);
	json_decref(object);
}

static void
emit(const SatchelSignals *self, const SatchelSignalRow *row, int percent, const char *text)
{
	if (self->bus == NULL ||
	    !g_dbus_connection_emit_signal(self->bus, NULL, BUS_PATH, BUS_INTERFACE, "StateChanged",
					   g_variant_new("(sis)", row->name, percent, text), NULL))
		return;
	/* It is out before a process forks or ends. */
	if (!g_dbus_connection_flush_sync(self->bus, NULL, NULL))
		return;
}

void
satchel_signals_tell(SatchelSignals *self, SatchelSignalState state, int percent, const char *text)
{
	SatchelSignalNews news = satchel_signal_memory_take(&self->memory, state, percent);
	const SatchelSignalRow *row = satchel_signal_table_get(state);
	g_autofree char *plain = satchel_path_quote(text != NULL ? text : "");
	g_autofree char *line = NULL;

	if (news == SATCHEL_SIGNAL_NO_NEWS)
		return;
	line = satchel_signal_line(state, percent, plain);
	write_status(self, line);
	send_json(self, row, percent, plain);
	emit(self, row, percent, plain);
	if (news == SATCHEL_SIGNAL_PROGRESS)
		return;
	set_lights(self, row);
	log_to_journal(self, row, line, plain);
	run_command(self, row, plain);
}

void
satchel_signals_free(SatchelSignals *self)
{
	if (self->socket_fd >= 0)
		close(self->socket_fd);
	g_clear_object(&self->bus);
	g_free(self);
}
