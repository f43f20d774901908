#include "engine_client.h"
#include "../verify/cancel.h"
#include "../verify/path_safety.h"
#include <curl/curl.h>
#include <string.h>

/* The oldest that has what is asked for: Docker 19.03. The host in the URL means nothing. */
#define API_URL "http://engine/v1.40"
#define SOCKET_PREFIX "unix://"
/* A list of all containers of a busy device. */
#define MAX_ANSWER_BYTES (16u * 1024u * 1024u)
#define ANSWER_LIMIT_S 60u
#define CONNECT_LIMIT_S 10L
#define UPLOAD_BUFFER_BYTES (512L * 1024L)

struct SatchelEngine {
	CURL *curl;
	char *socket;
	char message[CURL_ERROR_SIZE];
	GCancellable *cancellable; /* (nullable) */
	gboolean lost;		   /* the last request got no whole answer */
};

/* One request. */
typedef struct {
	GString *answer;
	gboolean too_long;
	SatchelEngineRead read;
	gpointer user_data;
	GError *read_error;
	GCancellable *cancellable;
	CURLcode result;
	long status; /* 0: no answer */
} Exchange;

static void
exchange_clear(Exchange *self)
{
	g_string_free(self->answer, TRUE);
	g_clear_error(&self->read_error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Exchange, exchange_clear)

gboolean
satchel_engine_is_host(const char *host)
{
	return g_str_has_prefix(host, SOCKET_PREFIX) &&
	       g_path_is_absolute(host + strlen(SOCKET_PREFIX));
}

SatchelEngine *
satchel_engine_new(const char *host)
{
	SatchelEngine *self = g_new0(SatchelEngine, 1);

	g_return_val_if_fail(satchel_engine_is_host(host), NULL);
	self->socket = g_strdup(host + strlen(SOCKET_PREFIX));
	self->curl = curl_easy_init();
	if (self->curl == NULL)
		g_error("libcurl gives no handle");
	return self;
}

void
satchel_engine_set_cancellable(SatchelEngine *self, GCancellable *cancellable)
{
	g_set_object(&self->cancellable, cancellable);
}

static size_t
on_data(char *data, size_t size, size_t n_items, void *user_data)
{
	Exchange *self = user_data;
	size_t n_bytes = size * n_items; /* curl: size is always 1 */

	if (n_bytes > MAX_ANSWER_BYTES - self->answer->len) {
		self->too_long = TRUE;
		return CURL_WRITEFUNC_ERROR;
	}
	g_string_append_len(self->answer, data, (gssize)n_bytes);
	return n_bytes;
}

static size_t
on_read(char *buffer, size_t size, size_t n_items, void *user_data)
{
	Exchange *self = user_data;
	gssize n = self->read(self->user_data, buffer, size * n_items, &self->read_error);

	return n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

static int
on_progress(void *user_data, curl_off_t total_down, curl_off_t down, curl_off_t total_up,
	    curl_off_t up)
{
	const Exchange *self = user_data;

	return g_cancellable_is_cancelled(self->cancellable) ? 1 : 0;
}

/* Not what curl, or we, refuse: what an engine that is not there, ends or hangs comes to. */
static gboolean
is_lost(CURLcode result)
{
	return result == CURLE_COULDNT_CONNECT || result == CURLE_OPERATION_TIMEDOUT ||
	       result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR ||
	       result == CURLE_GOT_NOTHING || result == CURLE_PARTIAL_FILE;
}

/* Fills in status and result. The method and body are set. */
static void
exchange_run(Exchange *self, SatchelEngine *engine, const char *path, guint limit_s)
{
	CURL *curl = engine->curl;
	g_autofree char *url = g_strconcat(API_URL, path, NULL);

	*engine->message = '\0';
	if (self->cancellable == NULL)
		self->cancellable = engine->cancellable;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, engine->socket);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, engine->message);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_LIMIT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)limit_s);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, self);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, self);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	self->result = curl_easy_perform(curl);
	engine->lost = is_lost(self->result);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &self->status);
}

/* The engine puts its reason into {"message":...}. */
static char *
get_message(const Exchange *self)
{
	g_autoptr(SatchelJson) answer =
		json_loadb(self->answer->str, self->answer->len, JSON_DISABLE_EOF_CHECK, NULL);
	const char *text = json_string_value(json_object_get(answer, "message"));

	return text == NULL ? NULL : satchel_path_quote(text);
}

static gboolean
exchange_fail(const Exchange *self, const SatchelEngine *engine, SatchelError code, GError **error)
{
	g_autofree char *socket = satchel_path_quote(engine->socket);
	g_autofree char *message = get_message(self);

	if (!satchel_cancel_check(self->cancellable, error))
		return FALSE;
	if (self->too_long)
		g_set_error(error, SATCHEL_ERROR, code,
			    "the engine at %s: its answer exceeds %u bytes", socket,
			    MAX_ANSWER_BYTES);
	else if (self->result != CURLE_OK)
		g_set_error(error, SATCHEL_ERROR, code, "the engine at %s: %s", socket,
			    *engine->message != '\0' ? engine->message
						     : curl_easy_strerror(self->result));
	else
		g_set_error(error, SATCHEL_ERROR, code, "the engine at %s: status %ld%s%s", socket,
			    self->status, message == NULL ? "" : ": ",
			    message == NULL ? "" : message);
	return FALSE;
}

SatchelJson *
satchel_engine_get(SatchelEngine *self, const char *path, gboolean *absent, GError **error)
{
	g_auto(Exchange) exchange = {.answer = g_string_new(NULL)};
	SatchelJson *value = NULL;

	curl_easy_reset(self->curl);
	exchange_run(&exchange, self, path, ANSWER_LIMIT_S);
	if (absent != NULL) {
		*absent = exchange.result == CURLE_OK && exchange.status == 404;
		if (*absent)
			return NULL;
	}
	if (exchange.result != CURLE_OK || exchange.status != 200) {
		exchange_fail(&exchange, self, SATCHEL_ERROR_FAILED, error);
		return NULL;
	}
	value = json_loadb(exchange.answer->str, exchange.answer->len, 0, NULL);
	if (value == NULL)
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			    "the engine at %s: its answer is no JSON", self->socket);
	return value;
}

gboolean
satchel_engine_answers(SatchelEngine *self)
{
	g_autoptr(SatchelJson) version = NULL;

	if (self->lost)
		return FALSE;
	version = satchel_engine_get(self, "/version", NULL, NULL);
	return !self->lost;
}

/* 304: it is stopped, or started, already. 404: it is gone already. */
static gboolean
request(SatchelEngine *self, const char *method, const char *path, guint limit_s, GError **error)
{
	g_auto(Exchange) exchange = {.answer = g_string_new(NULL)};

	curl_easy_reset(self->curl);
	curl_easy_setopt(self->curl, CURLOPT_CUSTOMREQUEST, method);
	exchange_run(&exchange, self, path, limit_s);
	if (exchange.result == CURLE_OK && ((exchange.status >= 200 && exchange.status < 300) ||
					    exchange.status == 304 || exchange.status == 404))
		return TRUE;
	return exchange_fail(&exchange, self, SATCHEL_ERROR_FAILED, error);
}

gboolean
satchel_engine_post(SatchelEngine *self, const char *path, guint limit_s, GError **error)
{
	return request(self, "POST", path, limit_s, error);
}

gboolean
satchel_engine_delete(SatchelEngine *self, const char *path, guint limit_s, GError **error)
{
	return request(self, "DELETE", path, limit_s, error);
}

char *
satchel_engine_escape(const char *text)
{
	return g_uri_escape_string(text, NULL, FALSE);
}

/* It answers with status 200 before it has begun, and with a line of JSON for each thing that comes
 * to pass; a failure is one of these. */
static gboolean
check_loaded(const Exchange *exchange, const SatchelEngine *engine, GError **error)
{
	const char *at = exchange->answer->str;
	const char *end = at + exchange->answer->len;

	while (at < end) {
		json_error_t position;
		g_autoptr(SatchelJson) line =
			json_loadb(at, (gsize)(end - at), JSON_DISABLE_EOF_CHECK, &position);
		const char *problem = json_string_value(json_object_get(line, "error"));

		if (line == NULL)
			break;
		if (problem != NULL) {
			g_autofree char *quoted = satchel_path_quote(problem);

			g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_TARGET_UNREADABLE,
				    "the engine at %s: %s", engine->socket, quoted);
			return FALSE;
		}
		at += position.position;
		while (at < end && g_ascii_isspace(*at))
			at++;
	}
	return TRUE;
}

gboolean
satchel_engine_load(SatchelEngine *self, SatchelEngineRead read, gpointer user_data,
		    guint64 total_bytes, guint limit_s, GCancellable *cancellable, GError **error)
{
	g_auto(Exchange) exchange = {
		.answer = g_string_new(NULL),
		.read = read,
		.user_data = user_data,
		.cancellable = cancellable,
	};
	struct curl_slist *headers = NULL;

	curl_easy_reset(self->curl);
	headers = curl_slist_append(headers, "Content-Type: application/x-tar");
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(self->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(self->curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(self->curl, CURLOPT_READDATA, &exchange);
	curl_easy_setopt(self->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)total_bytes);
	curl_easy_setopt(self->curl, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
	exchange_run(&exchange, self, "/images/load?quiet=1", limit_s);
	curl_easy_reset(self->curl);
	curl_slist_free_all(headers);
	if (exchange.read_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&exchange.read_error));
		return FALSE;
	}
	if (exchange.result != CURLE_OK || exchange.status != 200)
		return exchange_fail(&exchange, self, SATCHEL_ERROR_TARGET_UNREADABLE, error);
	return check_loaded(&exchange, self, error);
}

void
satchel_engine_free(SatchelEngine *self)
{
	curl_easy_cleanup(self->curl);
	g_clear_object(&self->cancellable);
	g_free(self->socket);
	g_free(self);
}
