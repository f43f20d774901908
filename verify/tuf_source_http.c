#include "path_safety.h"
#include "tuf_source_stream.h"
#include <curl/curl.h>
#include <satchel/tuf_source_http.h>
#include <string.h>

/* Of an answer that is no success this much is read, so that the connection can serve on. */
#define REFUSAL_BYTES (64u * 1024u)
/* Of the headers of one request, those after the content and of all that redirects included:
 * libcurl keeps them, and has a limit for none but the first. */
#define HEADER_BYTES (300u * 1024u)
#define STATUS_OK 200
#define STATUS_FORBIDDEN 403
#define STATUS_NOT_FOUND 404

typedef gboolean (*Sink)(gconstpointer data, gsize n_bytes, gpointer user_data, GError **error);

typedef struct {
	SatchelTufSource parent;
	CURL *curl;
	char *metadata_url; /* ends with `/` */
	char *artifact_url; /* the same, or NULL */
	char message[CURL_ERROR_SIZE];
} HttpSource;

/* One request. */
typedef struct {
	CURL *curl;
	guint64 max_bytes;
	guint64 n_bytes;
	gboolean too_long;
	gsize n_header_bytes;
	gboolean headers_too_long;
	Sink sink;
	gpointer user_data;
	GError *sink_error;
	long status; /* 0: no answer */
	CURLcode result;
} Transfer;

static void
transfer_clear(Transfer *self)
{
	g_clear_error(&self->sink_error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Transfer, transfer_clear)

static size_t
on_data(char *data, size_t size, size_t n_items, void *user_data)
{
	Transfer *self = user_data;
	size_t n_bytes = size * n_items; /* curl: size is always 1 */
	gboolean wanted = FALSE;
	guint64 limit;

	curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &self->status);
	wanted = self->status == STATUS_OK;
	limit = wanted ? self->max_bytes : REFUSAL_BYTES;
	if (n_bytes > limit - self->n_bytes) {
		self->too_long = wanted;
		return CURL_WRITEFUNC_ERROR;
	}
	self->n_bytes += n_bytes;
	if (wanted && !self->sink(data, n_bytes, self->user_data, &self->sink_error))
		return CURL_WRITEFUNC_ERROR;
	return n_bytes;
}

static size_t
on_header(char *data, size_t size, size_t n_items, void *user_data)
{
	Transfer *self = user_data;
	size_t n_bytes = size * n_items; /* curl: size is always 1 */

	if (n_bytes > HEADER_BYTES - self->n_header_bytes) {
		self->headers_too_long = TRUE;
		return CURL_WRITEFUNC_ERROR;
	}
	self->n_header_bytes += n_bytes;
	return n_bytes;
}

/* Fills in status and result. */
static void
transfer_run(Transfer *self, HttpSource *source, const char *url)
{
	CURL *curl = source->curl;

	self->curl = curl;
	*source->message = '\0';
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, self);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, self);
	/* A length that is announced is refused before the content comes; 0 would mean no limit. */
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE,
			 (curl_off_t)CLAMP(self->max_bytes, 1, G_MAXINT64));
	self->result = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &self->status);
	if (self->result == CURLE_FILESIZE_EXCEEDED && self->status == STATUS_OK)
		self->too_long = TRUE;
}

/* Why a transfer failed, for people. */
static char *
transfer_describe(const Transfer *self, const HttpSource *source)
{
	if (self->headers_too_long)
		return g_strdup_printf("the headers of the answer exceed %u bytes", HEADER_BYTES);
	if (self->status >= 300 && self->status < 400)
		return g_strdup_printf("the server redirects (status %ld), which is not followed",
				       self->status);
	if (self->result == CURLE_OK && self->status != STATUS_OK)
		return g_strdup_printf("the server answers with status %ld", self->status);
	if (self->result == CURLE_WRITE_ERROR && self->status != STATUS_OK)
		return g_strdup_printf("the server answers with status %ld and a long page",
				       self->status);
	if (self->result == CURLE_SSL_ENGINE_NOTFOUND ||
	    self->result == CURLE_SSL_ENGINE_INITFAILED)
		return g_strdup(
			"OpenSSL has no engine 'pkcs11' (package libengine-pkcs11-openssl)");
	return g_strdup(*source->message != '\0' ? source->message
						 : curl_easy_strerror(self->result));
}

static gboolean
transfer_found_nothing(const Transfer *self)
{
	return !self->headers_too_long &&
	       (self->status == STATUS_FORBIDDEN || self->status == STATUS_NOT_FOUND);
}

static gboolean
fail(GError **error, SatchelError code, const char *name, const char *reason)
{
	g_autofree char *quoted = satchel_path_quote(name);

	g_set_error(error, SATCHEL_ERROR, (int)code, "%s: %s", quoted, reason);
	return FALSE;
}

/* All bytes but the unreserved ones, `/` included. */
static char *
escape(const char *text)
{
	return g_uri_escape_string(text, NULL, FALSE);
}

static gboolean
collect(gconstpointer data, gsize n_bytes, gpointer user_data, GError **error)
{
	g_byte_array_append(user_data, data, (guint)n_bytes);
	return TRUE;
}

static GBytes *
http_fetch_metadata(SatchelTufSource *source, const char *role, gint64 version, gsize max_bytes,
		    GError **error)
{
	HttpSource *self = (HttpSource *)source;
	g_autofree char *escaped = escape(role);
	g_autofree char *name = satchel_tuf_source_file_name(escaped, version);
	g_autofree char *url = g_strconcat(self->metadata_url, name, NULL);
	g_autofree char *reason = NULL;
	g_autoptr(GByteArray) content = g_byte_array_new();
	g_auto(Transfer) transfer = {
		.max_bytes = MIN(max_bytes, (gsize)G_MAXINT),
		.sink = collect,
		.user_data = content,
	};

	transfer_run(&transfer, self, url);
	if (transfer.result == CURLE_OK && transfer.status == STATUS_OK)
		return g_byte_array_free_to_bytes(g_steal_pointer(&content));
	if (transfer.too_long) {
		reason = g_strdup_printf("longer than the %" G_GSIZE_FORMAT " bytes it may have",
					 max_bytes);
		fail(error, SATCHEL_ERROR_METADATA_INVALID, name, reason);
		return NULL;
	}
	reason = transfer_describe(&transfer, self);
	fail(error,
	     transfer_found_nothing(&transfer) ? SATCHEL_ERROR_METADATA_NOT_FOUND
					       : SATCHEL_ERROR_METADATA_DOWNLOAD,
	     name, reason);
	return NULL;
}

/* Each component by itself: `/` stays what it is. */
static char *
escape_path(const char *path)
{
	g_auto(GStrv) components = g_strsplit(path, "/", -1);

	for (char **component = components; *component != NULL; component++) {
		char *escaped = escape(*component);

		g_free(*component);
		*component = escaped;
	}
	return g_strjoinv("/", components);
}

static gboolean
http_fetch_artifact(SatchelTufSource *source, const char *path, guint64 max_bytes, Sink sink,
		    gpointer user_data, GError **error)
{
	HttpSource *self = (HttpSource *)source;
	g_autofree char *escaped = escape_path(path);
	g_autofree char *url = NULL;
	g_autofree char *reason = NULL;
	g_auto(Transfer) transfer = {
		.max_bytes = max_bytes,
		.sink = sink,
		.user_data = user_data,
	};

	if (self->artifact_url == NULL)
		return fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED, path,
			    "this source has no artifacts");
	url = g_strconcat(self->artifact_url, escaped, NULL);
	transfer_run(&transfer, self, url);
	if (transfer.result == CURLE_OK && transfer.status == STATUS_OK)
		return TRUE;
	if (transfer.sink_error != NULL) {
		g_propagate_error(error, g_steal_pointer(&transfer.sink_error));
		return FALSE;
	}
	reason = transfer.too_long ? g_strdup("longer than its role says")
				   : transfer_describe(&transfer, self);
	return fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED, path, reason);
}

static void
http_free(SatchelTufSource *source)
{
	HttpSource *self = (HttpSource *)source;

	g_clear_pointer(&self->curl, curl_easy_cleanup);
	g_free(self->metadata_url);
	g_free(self->artifact_url);
	g_free(self);
}

/* ---- options */

static gboolean
has_credentials(const char *url)
{
	const char *authority = strstr(url, "://");

	if (authority == NULL)
		return FALSE;
	authority += strlen("://");
	return memchr(authority, '@', strcspn(authority, "/")) != NULL;
}

/* A folder's URL with exactly one `/` at its end, or NULL. (transfer full) */
static char *
check_url(const char *url, gboolean allow_plain_http, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(url);
	g_autofree char *scheme = g_uri_parse_scheme(url);
	gsize n_bytes = strlen(url);

	if (scheme == NULL ||
	    (g_ascii_strcasecmp(scheme, "https") != 0 && g_ascii_strcasecmp(scheme, "http") != 0)) {
		fail(error, SATCHEL_ERROR_USAGE, quoted, "is no URL of http or https");
		return NULL;
	}
	if (!allow_plain_http && g_ascii_strcasecmp(scheme, "http") == 0) {
		fail(error, SATCHEL_ERROR_USAGE, quoted, "is no URL of https");
		return NULL;
	}
	/* What is put behind it must be the path; and it may stand in messages. */
	if (strpbrk(url, "?#") != NULL || has_credentials(url)) {
		fail(error, SATCHEL_ERROR_USAGE, quoted,
		     "a URL with a query, a fragment or credentials cannot be a folder's");
		return NULL;
	}
	while (n_bytes > 0 && url[n_bytes - 1] == '/')
		n_bytes--;
	return g_strdup_printf("%.*s/", (int)n_bytes, url);
}

static void
set_tls(CURL *curl, const SatchelTufSourceHttpOptions *options)
{
	const char *certificate = options->client_certificate;
	const char *key = options->client_key != NULL ? options->client_key : certificate;

	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (options->ca_file != NULL) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
		/* Or else the system's folder would be trusted beside it. */
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (certificate == NULL)
		return;
	curl_easy_setopt(curl, CURLOPT_SSLCERT, certificate);
	curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE,
			 g_str_has_prefix(certificate, "pkcs11:") ? "ENG" : "PEM");
	curl_easy_setopt(curl, CURLOPT_SSLKEY, key);
	curl_easy_setopt(curl, CURLOPT_SSLKEYTYPE,
			 g_str_has_prefix(key, "pkcs11:") ? "ENG" : "PEM");
}

static gboolean
set_engine(CURL *curl, const SatchelTufSourceHttpOptions *options, GError **error)
{
	gboolean needed =
		(options->client_certificate != NULL &&
		 g_str_has_prefix(options->client_certificate, "pkcs11:")) ||
		(options->client_key != NULL && g_str_has_prefix(options->client_key, "pkcs11:"));

	if (!needed || curl_easy_setopt(curl, CURLOPT_SSLENGINE, "pkcs11") == CURLE_OK)
		return TRUE;
	return fail(error, SATCHEL_ERROR_USAGE, "pkcs11",
		    "OpenSSL has no such engine (package libengine-pkcs11-openssl)");
}

static void
set_limits(CURL *curl, const SatchelTufSourceHttpOptions *options)
{
	guint connect_s = options->connect_timeout_s != 0 ? options->connect_timeout_s
							  : SATCHEL_TUF_SOURCE_HTTP_TIMEOUT_S;
	guint stall_s = options->stall_timeout_s != 0 ? options->stall_timeout_s
						      : SATCHEL_TUF_SOURCE_HTTP_TIMEOUT_S;
	/* Not only the first URL's scheme counts, but that of each redirect, too. */
	gboolean plain = options->allow_plain_http;
	gboolean all_plain = plain && g_ascii_strncasecmp(options->metadata_url, "http:", 5) == 0 &&
			     (options->artifact_url == NULL ||
			      g_ascii_strncasecmp(options->artifact_url, "http:", 5) == 0);

	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http,https" : "https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, all_plain ? "http,https" : "https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, options->max_redirects > 0 ? 1L : 0L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MIN(options->max_redirects, 32));
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)MIN(connect_s, (guint)G_MAXINT));
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)MIN(stall_s, (guint)G_MAXINT));
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SATCHEL_TUF_SOURCE_HTTP_LOW_SPEED);
}

static void
set_general(CURL *curl, const SatchelTufSourceHttpOptions *options, char *message)
{
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_USERAGENT,
			 options->user_agent != NULL ? options->user_agent
						     : "satchel/" SATCHEL_VERSION);
	/* `..` in a path is the server's to judge, not to be resolved on the way. */
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	if (options->proxy != NULL)
		curl_easy_setopt(curl, CURLOPT_PROXY, options->proxy);
	else if (!options->proxy_from_environment)
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

/* curl's global state, for once and for all. */
static void
init_curl(void)
{
	static gsize done;

	if (g_once_init_enter(&done)) {
		if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
			g_error("libcurl cannot be initialized");
		g_once_init_leave(&done, 1);
	}
}

SatchelTufSource *
satchel_tuf_source_http_new(const SatchelTufSourceHttpOptions *options, GError **error)
{
	static const SatchelTufSourceClass klass = {
		.fetch_metadata = http_fetch_metadata,
		.fetch_artifact = http_fetch_artifact,
		.free = http_free,
	};
	HttpSource *self = g_new0(HttpSource, 1);
	g_autoptr(SatchelTufSource) source = &self->parent;

	self->parent.klass = &klass;
	if (options->metadata_url == NULL) {
		g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_USAGE, "no URL of the metadata");
		return NULL;
	}
	self->metadata_url = check_url(options->metadata_url, options->allow_plain_http, error);
	if (self->metadata_url == NULL)
		return NULL;
	if (options->artifact_url != NULL) {
		self->artifact_url =
			check_url(options->artifact_url, options->allow_plain_http, error);
		if (self->artifact_url == NULL)
			return NULL;
	}
	init_curl();
	self->curl = curl_easy_init();
	if (self->curl == NULL)
		g_error("libcurl is out of memory");
	if (!set_engine(self->curl, options, error))
		return NULL;
	set_general(self->curl, options, self->message);
	set_limits(self->curl, options);
	set_tls(self->curl, options);
	return g_steal_pointer(&source);
}
