#pragma once
#include "temp_dir.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * A container engine that has an answer for each request that is expected of a unit, on a socket of
 * the test's own.
 */
typedef struct {
	const char *request; /* how it begins: "GET /containers/json" */
	guint status;	     /* 0: the connection ends without an answer */
	const char *body;
} FakeAnswer;

typedef struct {
	char *dir;
	char *host; /* as DOCKER_HOST has it */
	int listener;
	GThread *thread;
	const FakeAnswer *answers; /* up to one without a request */
	/* To be read once the engine has ended, or by who has got the answer. */
	GString *requests; /* a line for each, without the API's version */
	gsize n_uploaded_bytes;
} FakeEngine;

#define FAKE_ENGINE_VERSION "/v1.40"

static inline const FakeAnswer *
fake_engine_find(const FakeEngine *self, const char *request)
{
	static const FakeAnswer none = {"", 404, "{\"message\":\"no such thing\"}"};

	for (const FakeAnswer *one = self->answers; one->request != NULL; one++) {
		if (g_str_has_prefix(request, one->request))
			return one;
	}
	return &none;
}

/* "METHOD /path HTTP/1.1\r\n..." becomes "METHOD /path". (transfer full) */
static inline char *
fake_engine_get_request(const char *head)
{
	const char *path = strchr(head, ' ');
	const char *end = path != NULL ? strchr(path + 1, ' ') : NULL;
	g_autofree char *method = NULL;

	g_assert_nonnull(end);
	g_assert_true(g_str_has_prefix(path + 1, FAKE_ENGINE_VERSION));
	method = g_strndup(head, (gsize)(path + 1 - head));
	path += 1 + strlen(FAKE_ENGINE_VERSION);
	return g_strdup_printf("%s%.*s", method, (int)(end - path), path);
}

static inline void
fake_engine_drop_body(FakeEngine *self, int fd, const char *head, gsize n_rest)
{
	const char *length = g_strstr_len(head, -1, "\r\nContent-Length: ");
	gsize n_bytes = length != NULL ? strtoull(length + 18, NULL, 10) : 0;
	char piece[4096];

	self->n_uploaded_bytes += n_rest;
	for (gsize n_done = n_rest; n_done < n_bytes;) {
		gssize n = recv(fd, piece, sizeof(piece), 0);

		if (n <= 0)
			return;
		n_done += (gsize)n;
		self->n_uploaded_bytes += (gsize)n;
	}
}

static inline void
fake_engine_serve(FakeEngine *self, int fd)
{
	g_autoptr(GString) head = g_string_new(NULL);
	g_autofree char *request = NULL;
	g_autofree char *answer = NULL;
	const FakeAnswer *found = NULL;
	const char *end = NULL;
	char piece[4096];
	gssize n = 0;

	while (end == NULL && (n = recv(fd, piece, sizeof(piece), 0)) > 0) {
		g_string_append_len(head, piece, n);
		end = g_strstr_len(head->str, (gssize)head->len, "\r\n\r\n");
	}
	if (end == NULL)
		return;
	request = fake_engine_get_request(head->str);
	g_string_append_printf(self->requests, "%s\n", request);
	found = fake_engine_find(self, request);
	if (found->status == 0)
		return;
	fake_engine_drop_body(self, fd, head->str, head->len - (gsize)(end + 4 - head->str));
	answer = g_strdup_printf("HTTP/1.1 %u X\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n"
				 "%s",
				 found->status, strlen(found->body), found->body);
	(void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
}

static inline gpointer
fake_engine_run(gpointer user_data)
{
	FakeEngine *self = user_data;
	int fd = -1;

	while ((fd = accept(self->listener, NULL, NULL)) >= 0) {
		fake_engine_serve(self, fd);
		close(fd);
	}
	return NULL;
}

static inline void
fake_engine_init(FakeEngine *self, const FakeAnswer *answers)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	self->answers = answers;
	self->requests = g_string_new(NULL);
	self->dir = temp_dir_new();
	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", self->dir);
	self->host = g_strconcat("unix://", address.sun_path, NULL);
	self->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(
		bind(self->listener, (struct sockaddr *)(gpointer)&address, sizeof(address)), ==,
		0);
	g_assert_cmpint(listen(self->listener, 8), ==, 0);
	self->thread = g_thread_new("engine", fake_engine_run, self);
}

/* From now on nobody is there. */
static inline void
fake_engine_end(FakeEngine *self)
{
	if (self->thread == NULL)
		return;
	shutdown(self->listener, SHUT_RDWR);
	g_thread_join(g_steal_pointer(&self->thread));
	close(self->listener);
}

static inline void
fake_engine_clear(FakeEngine *self)
{
	fake_engine_end(self);
	g_string_free(self->requests, TRUE);
	g_free(self->host);
	temp_dir_free(self->dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FakeEngine, fake_engine_clear)
