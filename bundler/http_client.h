#pragma once
#include <satchel/error.h>

/*
 * HTTP for the build host: one request after the other, on connections that are kept. Callable from
 * several threads at once. Redirects are followed, credentials are not taken along to other hosts.
 */
typedef struct SatchelHttpClient SatchelHttpClient;

/* FALSE ends the transfer with the error it set. @status: of the answer. */
typedef gboolean (*SatchelHttpSink)(long status, gconstpointer data, gsize n_bytes,
				    gpointer user_data, GError **error);

typedef struct {
	const char *url;
	const char *accept;	   /* (nullable) */
	const char *authorization; /* (nullable): the header's value */
	guint64 offset_bytes;	   /* from here on; 0: the whole */
	SatchelHttpSink sink;
	gpointer user_data;
} SatchelHttpRequest;

typedef struct {
	long status;	       /* 0: there was no answer */
	char *challenge;       /* (nullable): WWW-Authenticate */
	char *reason;	       /* (nullable): why the transfer failed, for people */
	gboolean is_tls_fault; /* the other side does not speak TLS */
} SatchelHttpAnswer;

/* @ca_file: (nullable): only these authorities. (transfer full) */
SatchelHttpClient *satchel_http_client_new(const char *ca_file);

/* FALSE with an error where the sink set one; else @answer tells, also of a transfer that broke
 * off. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_http_client_get(SatchelHttpClient *self, const SatchelHttpRequest *request,
				 SatchelHttpAnswer *answer, GError **error);

void satchel_http_answer_clear(SatchelHttpAnswer *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelHttpAnswer, satchel_http_answer_clear)
void satchel_http_client_free(SatchelHttpClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelHttpClient, satchel_http_client_free)
