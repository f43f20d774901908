#include "http_client.h"
#include "interrupt.h"
#include <curl/curl.h>
#include <string.h>

#define CHALLENGE "www-authenticate:"
#define HEADER_BYTES (256u * 1024u)
#define MAX_REDIRECTS 8L
#define TIMEOUT_S 30L
#define LOW_SPEED 100L /* bytes a second */

struct SatchelHttpClient {
	GMutex lock;
	GPtrArray *idle; /* of CURL: each with its connections */
	char *ca_file;
};

typedef struct {
	CURL *curl;
	const SatchelHttpRequest *request;
	SatchelHttpAnswer *answer;
	GError *error;
	gsize n_header_bytes;
	char message[CURL_ERROR_SIZE];
} Transfer;

static size_t
on_data(char *data, size_t size, size_t n_items, void *user_data)
{
	Transfer *self = user_data;
	long status = 0;

	curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
	return self->request->sink(status, data, size * n_items, self->request->user_data,
				   &self->error)
		       ? size * n_items
		       : CURL_WRITEFUNC_ERROR;
}

static size_t
on_header(char *data, size_t size, size_t n_items, void *user_data)
{
	Transfer *self = user_data;
	size_t n_bytes = size * n_items;

	self->n_header_bytes += n_bytes;
	if (self->n_header_bytes > HEADER_BYTES)
		return CURL_WRITEFUNC_ERROR;
	if (n_bytes > strlen(CHALLENGE) &&
	    g_ascii_strncasecmp(data, CHALLENGE, strlen(CHALLENGE)) == 0) {
		g_free(self->answer->challenge);
		self->answer->challenge = g_strstrip(
			g_strndup(data + strlen(CHALLENGE), n_bytes - strlen(CHALLENGE)));
	}
	return n_bytes;
}

/* Whoever interrupts does not want to wait for a server. */
static int
on_progress(void *user_data, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
	Transfer *self = user_data;

	(void)total;
	(void)now;
	(void)up_total;
	(void)up;
	return self->error == NULL && satchel_interrupt_check(&self->error) ? 0 : 1;
}

static CURL *
client_new_handle(const SatchelHttpClient *self)
{
	CURL *curl = curl_easy_init();

	g_assert(curl != NULL);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "satchel/" SATCHEL_VERSION);
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 512L * 1024L);
	if (self->ca_file != NULL) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, self->ca_file);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	return curl;
}

static CURL *
client_borrow_handle(SatchelHttpClient *self)
{
	CURL *curl = NULL;

	g_mutex_lock(&self->lock);
	if (self->idle->len > 0)
		curl = g_ptr_array_steal_index_fast(self->idle, self->idle->len - 1);
	g_mutex_unlock(&self->lock);
	return curl != NULL ? curl : client_new_handle(self);
}

static void
client_return_handle(SatchelHttpClient *self, CURL *curl)
{
	g_mutex_lock(&self->lock);
	g_ptr_array_add(self->idle, curl);
	g_mutex_unlock(&self->lock);
}

static struct curl_slist *
add_header(struct curl_slist *list, const char *name, const char *value)
{
	g_autofree char *line = g_strconcat(name, ": ", value, NULL);

	return value != NULL ? curl_slist_append(list, line) : list;
}

static void
transfer_run(Transfer *self)
{
	const SatchelHttpRequest *request = self->request;
	/* As a range, so that a server that gives the whole instead is heard out. */
	g_autofree char *range =
		request->offset_bytes > 0
			? g_strdup_printf("%" G_GUINT64_FORMAT "-", request->offset_bytes)
			: NULL;
	gboolean is_https = g_str_has_prefix(request->url, "https:");
	struct curl_slist *headers = add_header(NULL, "Accept", request->accept);
	CURLcode result;

	headers = add_header(headers, "Authorization", request->authorization);
	curl_easy_setopt(self->curl, CURLOPT_URL, request->url);
	curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, headers);
	/* Never from https down. */
	curl_easy_setopt(self->curl, CURLOPT_REDIR_PROTOCOLS_STR,
			 is_https ? "https" : "http,https");
	curl_easy_setopt(self->curl, CURLOPT_RANGE, range);
	curl_easy_setopt(self->curl, CURLOPT_WRITEDATA, self);
	curl_easy_setopt(self->curl, CURLOPT_HEADERDATA, self);
	curl_easy_setopt(self->curl, CURLOPT_XFERINFODATA, self);
	curl_easy_setopt(self->curl, CURLOPT_ERRORBUFFER, self->message);
	result = curl_easy_perform(self->curl);
	curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &self->answer->status);
	curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(self->curl, CURLOPT_RANGE, NULL);
	curl_easy_setopt(self->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(headers);
	self->answer->is_tls_fault = result == CURLE_SSL_CONNECT_ERROR;
	if (result != CURLE_OK)
		self->answer->reason = g_strdup(
			*self->message != '\0' ? self->message : curl_easy_strerror(result));
}

gboolean
satchel_http_client_get(SatchelHttpClient *self, const SatchelHttpRequest *request,
			SatchelHttpAnswer *answer, GError **error)
{
	Transfer transfer = {.request = request, .answer = answer};

	transfer.curl = client_borrow_handle(self);
	transfer_run(&transfer);
	client_return_handle(self, transfer.curl);
	if (transfer.error == NULL)
		return TRUE;
	g_propagate_error(error, transfer.error);
	return FALSE;
}

SatchelHttpClient *
satchel_http_client_new(const char *ca_file)
{
	SatchelHttpClient *self = g_new0(SatchelHttpClient, 1);

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		g_error("no memory for transfers");
	g_mutex_init(&self->lock);
	self->idle = g_ptr_array_new_with_free_func(curl_easy_cleanup);
	self->ca_file = g_strdup(ca_file);
	return self;
}

void
satchel_http_answer_clear(SatchelHttpAnswer *self)
{
	g_clear_pointer(&self->challenge, g_free);
	g_clear_pointer(&self->reason, g_free);
}

void
satchel_http_client_free(SatchelHttpClient *self)
{
	g_ptr_array_unref(self->idle);
	g_mutex_clear(&self->lock);
	g_free(self->ca_file);
	g_free(self);
}
