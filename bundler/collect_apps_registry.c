#include "../verify/path_safety.h"
#include "../verify/safe_read.h"
#include "http_client.h"
#include "image_source.h"
#include "interrupt.h"
#include "registry_auth.h"
#include <string.h>

/* The distribution specification's pull side, 1.1: `/v2/NAME/manifests/REFERENCE` and
 * `/v2/NAME/blobs/DIGEST`. */

#define N_PARALLEL 4
#define MAX_TRIES 6u
#define FIRST_PAUSE_US (200u * 1000u)
#define DOCKER_HUB "docker.io"
#define DOCKER_HUB_SERVER "registry-1.docker.io"
#define STATUS_OK 200
#define STATUS_PARTIAL 206
#define STATUS_UNAUTHORIZED 401
#define STATUS_NOT_FOUND 404
#define STATUS_RANGE 416
#define STATUS_TOO_MANY 429
#define REFUSAL_BYTES (64u * 1024u)
#define TOKEN_BYTES (256u * 1024u)

#define ACCEPT                                                                                     \
	"application/vnd.oci.image.index.v1+json, "                                                \
	"application/vnd.oci.image.manifest.v1+json, "                                             \
	"application/vnd.docker.distribution.manifest.list.v2+json, "                              \
	"application/vnd.docker.distribution.manifest.v2+json"

typedef struct {
	SatchelImageSource parent;
	SatchelRegistryOptions options;
	SatchelHttpClient *client;
	GBytes *config; /* (nullable): the file of credentials */
	GMutex lock;
	GHashTable *tokens;  /* HOST/PATH to the value of Authorization */
	GHashTable *schemes; /* HOST to "https" or "http" */
} RegistrySource;

/* One thing that is to be had, in as many tries as it takes. */
typedef struct {
	RegistrySource *source;
	const SatchelImageName *name;
	const char *path;	   /* "manifests/latest" */
	GByteArray *content;	   /* of a document, or NULL */
	SatchelBlobWriter *writer; /* of a blob, or NULL */
	gsize max_bytes;
	gsize n_refusal_bytes;
} Fetch;

static gboolean G_GNUC_PRINTF(3, 4) fail(GError **error, SatchelError code, const char *format, ...)
{
	g_autofree char *text = NULL;
	g_autofree char *quoted = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	quoted = satchel_path_quote(text);
	g_set_error_literal(error, SATCHEL_ERROR, (int)code, quoted);
	return FALSE;
}

/* ---- which server */

static gboolean
ignore_data(long status, gconstpointer data, gsize n_bytes, gpointer user_data, GError **error)
{
	(void)status;
	(void)data;
	(void)n_bytes;
	(void)user_data;
	(void)error;
	return TRUE;
}

/* As Docker does it: TLS first, and plain http only to this machine, or where it is allowed. */
static const char *
find_scheme(RegistrySource *self, const char *host, GError **error)
{
	g_autofree char *url = g_strconcat("https://", host, "/v2/", NULL);
	SatchelHttpRequest request = {.url = url, .sink = ignore_data};
	g_auto(SatchelHttpAnswer) answer = {0};

	if (!satchel_registry_auth_is_loopback(host) && !self->options.allow_http)
		return "https";
	if (!satchel_http_client_get(self->client, &request, &answer, error))
		return NULL;
	return answer.is_tls_fault ? "http" : "https";
}

/* (transfer full) */
static char *
server_url(RegistrySource *self, const char *host, GError **error)
{
	const char *server = strcmp(host, DOCKER_HUB) == 0 ? DOCKER_HUB_SERVER : host;
	const char *scheme;

	g_mutex_lock(&self->lock);
	scheme = g_hash_table_lookup(self->schemes, host);
	g_mutex_unlock(&self->lock);
	if (scheme == NULL) {
		scheme = find_scheme(self, server, error);
		if (scheme == NULL)
			return NULL;
		g_mutex_lock(&self->lock);
		g_hash_table_replace(self->schemes, g_strdup(host), (gpointer)(guintptr)scheme);
		g_mutex_unlock(&self->lock);
	}
	return g_strconcat(scheme, "://", server, NULL);
}

/* ---- credentials */

static gboolean
collect_data(long status, gconstpointer data, gsize n_bytes, gpointer user_data, GError **error)
{
	GByteArray *content = user_data;

	(void)status;
	if (n_bytes > TOKEN_BYTES - content->len)
		return fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the registry's answer is too long");
	g_byte_array_append(content, data, (guint)n_bytes);
	return TRUE;
}

/* Credentials are shown only to a server that has proven who it is, or to this machine. */
static gboolean
may_show_credentials(const RegistrySource *self, const char *url)
{
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
	const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;

	return host != NULL &&
	       (strcmp(g_uri_get_scheme(uri), "https") == 0 ||
		satchel_registry_auth_is_loopback(host) || self->options.allow_http);
}

static char *
fetch_token(RegistrySource *self, const SatchelRegistryChallenge *challenge,
	    const SatchelImageName *name, const char *basic, GError **error)
{
	g_autofree char *scope = g_strconcat("repository:", name->path, ":pull", NULL);
	g_autofree char *url = satchel_registry_challenge_url(challenge, scope);
	g_autoptr(GByteArray) content = g_byte_array_new();
	g_autoptr(GBytes) bytes = NULL;
	SatchelHttpRequest request = {
		.url = url, .authorization = basic, .sink = collect_data, .user_data = content};
	g_auto(SatchelHttpAnswer) answer = {0};
	char *token;

	if (!may_show_credentials(self, url)) {
		fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED,
		     "%s wants credentials to be sent to %s, which is no https", name->host, url);
		return NULL;
	}
	if (!satchel_http_client_get(self->client, &request, &answer, error))
		return NULL;
	bytes = g_byte_array_free_to_bytes(g_steal_pointer(&content));
	token = answer.status == STATUS_OK ? satchel_registry_auth_parse_token(bytes) : NULL;
	if (token == NULL)
		fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s gives no token for %s: %s", url,
		     name->path,
		     answer.reason != NULL ? answer.reason : "the credentials may be wrong");
	return token;
}

/* What the registry wants to see from now on. */
static gboolean
answer_challenge(Fetch *self, const char *text, GError **error)
{
	RegistrySource *source = self->source;
	g_autofree char *repository = satchel_image_name_format(self->name);
	g_auto(SatchelRegistryChallenge) challenge = {0};
	g_autofree char *basic = NULL;
	char *value;

	if (text == NULL || !satchel_registry_challenge_parse(text, &challenge))
		return fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "%s wants credentials of an unknown kind", self->name->host);
	if (source->config != NULL &&
	    !satchel_registry_auth_find(source->config, self->name->host, &basic, error))
		return FALSE;
	if (challenge.is_bearer) {
		value = fetch_token(source, &challenge, self->name, basic, error);
	} else {
		value = g_steal_pointer(&basic);
		if (value == NULL)
			fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED,
			     "%s wants a password, and there is none for it: docker login, or "
			     "--registry-auth",
			     self->name->host);
	}
	if (value == NULL)
		return FALSE;
	g_mutex_lock(&source->lock);
	g_hash_table_replace(source->tokens, g_steal_pointer(&repository), value);
	g_mutex_unlock(&source->lock);
	return TRUE;
}

/* (transfer full) (nullable) */
static char *
get_authorization(Fetch *self)
{
	g_autofree char *repository = satchel_image_name_format(self->name);
	char *value;

	g_mutex_lock(&self->source->lock);
	value = g_strdup(g_hash_table_lookup(self->source->tokens, repository));
	g_mutex_unlock(&self->source->lock);
	return value;
}

/* ---- one thing */

static gboolean
on_data(long status, gconstpointer data, gsize n_bytes, gpointer user_data, GError **error)
{
	Fetch *self = user_data;

	if (status != STATUS_OK && status != STATUS_PARTIAL) {
		self->n_refusal_bytes += n_bytes;
		return self->n_refusal_bytes <= REFUSAL_BYTES ||
		       fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED,
			    "the registry answers with status %ld and a long page", status);
	}
	if (self->content != NULL) {
		if (n_bytes > self->max_bytes - self->content->len)
			return fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED,
				    "the manifest is longer than %" G_GSIZE_FORMAT " bytes",
				    self->max_bytes);
		g_byte_array_append(self->content, data, (guint)n_bytes);
		return TRUE;
	}
	return satchel_blob_writer_append(self->writer, data, n_bytes, error);
}

/* A server that gives the whole where the rest was asked for: from the beginning, then. */
static gboolean
on_blob_data(long status, gconstpointer data, gsize n_bytes, gpointer user_data, GError **error)
{
	Fetch *self = user_data;

	if (status == STATUS_OK && self->max_bytes > 0) {
		self->max_bytes = 0;
		if (!satchel_blob_writer_restart(self->writer, error))
			return FALSE;
	}
	return on_data(status, data, n_bytes, user_data, error);
}

static gboolean
try_once(Fetch *self, SatchelHttpAnswer *answer, GError **error)
{
	g_autofree char *server = server_url(self->source, self->name->host, error);
	g_autofree char *authorization = get_authorization(self);
	g_autofree char *url = NULL;
	SatchelHttpRequest request = {.authorization = authorization, .user_data = self};

	if (server == NULL)
		return FALSE;
	url = g_strconcat(server, "/v2/", self->name->path, "/", self->path, NULL);
	request.url = url;
	self->n_refusal_bytes = 0;
	if (self->content != NULL) {
		g_byte_array_set_size(self->content, 0);
		request.accept = ACCEPT;
		request.sink = on_data;
	} else {
		request.offset_bytes = satchel_blob_writer_get_offset(self->writer);
		/* More than nothing is there: on_blob_data() looks whether it goes on there. */
		self->max_bytes = request.offset_bytes > 0 ? 1 : 0;
		request.sink = on_blob_data;
	}
	return satchel_http_client_get(self->source->client, &request, answer, error);
}

static gboolean
is_passing(const SatchelHttpAnswer *answer)
{
	return answer->status == 0 || answer->status >= 500 || answer->status == STATUS_TOO_MANY ||
	       answer->status == STATUS_RANGE || (answer->reason != NULL && answer->status < 300);
}

static gboolean
fail_answer(const Fetch *self, const SatchelHttpAnswer *answer, GError **error)
{
	if (answer->status == STATUS_NOT_FOUND)
		return fail(error, SATCHEL_ERROR_NO_TARGET_CONTENT, "%s has no %s of %s",
			    self->name->host, self->path, self->name->path);
	if (answer->reason != NULL)
		return fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s: %s: %s", self->name->host,
			    self->path, answer->reason);
	return fail(error, SATCHEL_ERROR_DOWNLOAD_FAILED, "%s answers with status %ld for %s of %s",
		    self->name->host, answer->status, self->path, self->name->path);
}

/* Doubles each time, so that a server that is busy is left in peace. */
static gboolean
pause_before(guint try, GError **error)
{
	g_usleep((gulong)FIRST_PAUSE_US << try);
	return satchel_interrupt_check(error);
}

static gboolean
fetch(Fetch *self, GError **error)
{
	gboolean asked = FALSE;

	for (guint try = 0;;) {
		g_auto(SatchelHttpAnswer) answer = {0};
		guint64 before_bytes =
			self->writer != NULL ? satchel_blob_writer_get_offset(self->writer) : 0;

		if (!try_once(self, &answer, error))
			return FALSE;
		if (answer.reason == NULL &&
		    (answer.status == STATUS_OK || answer.status == STATUS_PARTIAL))
			return TRUE;
		/* Once more where a token has run out between two blobs. */
		if (answer.status == STATUS_UNAUTHORIZED && !asked) {
			asked = TRUE;
			if (!answer_challenge(self, answer.challenge, error))
				return FALSE;
			continue;
		}
		if (answer.status == STATUS_RANGE && self->writer != NULL &&
		    !satchel_blob_writer_restart(self->writer, error))
			return FALSE;
		/* What brings something is no failed try. */
		if (self->writer != NULL &&
		    satchel_blob_writer_get_offset(self->writer) > before_bytes)
			try = 0;
		if (!is_passing(&answer) || try + 1 >= MAX_TRIES)
			return fail_answer(self, &answer, error);
		if (!pause_before(try++, error))
			return FALSE;
	}
}

/* ---- the table */

static GBytes *
load_path(SatchelImageSource *source, const SatchelImageName *name, const char *path,
	  GError **error)
{
	g_autoptr(GByteArray) content = g_byte_array_new();
	Fetch self = {
		.source = (RegistrySource *)source,
		.name = name,
		.path = path,
		.content = content,
		.max_bytes = SATCHEL_LIMIT_IMAGE_MANIFEST_BYTES,
	};

	return fetch(&self, error) ? g_byte_array_free_to_bytes(g_steal_pointer(&content)) : NULL;
}

static GBytes *
registry_load_manifest(SatchelImageSource *source, const SatchelImageName *name, const char *sha256,
		       GError **error)
{
	g_autofree char *path = g_strconcat("manifests/sha256:", sha256, NULL);

	return load_path(source, name, path, error);
}

static GBytes *
registry_load_root(SatchelImageSource *source, const SatchelImageName *name, GError **error)
{
	g_autofree char *path = NULL;

	if (*name->sha256 != '\0')
		return registry_load_manifest(source, name, name->sha256, error);
	path = g_strconcat("manifests/", name->tag, NULL);
	return load_path(source, name, path, error);
}

static gboolean
registry_copy_blob(SatchelImageSource *source, const SatchelImageName *name, const char *sha256,
		   SatchelBlobWriter *writer, GError **error)
{
	g_autofree char *path = g_strconcat("blobs/sha256:", sha256, NULL);
	Fetch self = {
		.source = (RegistrySource *)source, .name = name, .path = path, .writer = writer};

	return fetch(&self, error);
}

static void
registry_free(SatchelImageSource *source)
{
	RegistrySource *self = (RegistrySource *)source;

	g_clear_pointer(&self->config, g_bytes_unref);
	g_hash_table_unref(self->tokens);
	g_hash_table_unref(self->schemes);
	satchel_http_client_free(self->client);
	g_mutex_clear(&self->lock);
	g_free(self);
}

/* Where nobody names it, the file need not be there. */
static gboolean
load_config(RegistrySource *self, GError **error)
{
	g_autofree char *own = g_build_filename(g_get_home_dir(), ".docker", "config.json", NULL);
	const char *path = self->options.auth_file != NULL ? self->options.auth_file : own;

	if (self->options.auth_file == NULL && !g_file_test(own, G_FILE_TEST_EXISTS))
		return TRUE;
	self->config = satchel_safe_read_named(path, SATCHEL_LIMIT_CONFIG_BYTES, error);
	return self->config != NULL;
}

SatchelImageSource *
satchel_image_source_registry_new(const SatchelRegistryOptions *options, GError **error)
{
	static const SatchelImageSourceClass klass = {
		.load_root = registry_load_root,
		.load_manifest = registry_load_manifest,
		.copy_blob = registry_copy_blob,
		.n_parallel = N_PARALLEL,
		.free = registry_free,
	};
	RegistrySource *self = g_new0(RegistrySource, 1);
	g_autoptr(SatchelImageSource) source = &self->parent;

	self->parent.klass = &klass;
	self->options = *options;
	self->client = satchel_http_client_new(options->ca_file);
	self->tokens = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	self->schemes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_mutex_init(&self->lock);
	return load_config(self, error) ? g_steal_pointer(&source) : NULL;
}
