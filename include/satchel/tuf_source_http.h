#pragma once
#include <satchel/tuf_source.h>
#pragma GCC visibility push(default)

/*
 * How to reach a TUF server. The zero value is the strictest: https only, certificates by the
 * system's roots, no redirects, no proxy. Strings are borrowed for the call.
 */
typedef struct {
	const char *metadata_url; /* folder of the roles; no query, no credentials */
	const char *artifact_url; /* (nullable): folder of the targets; NULL: none are served */

	gboolean allow_plain_http; /* http, too; the metadata is signed, but seen by others */
	guint max_redirects;	   /* 0: not followed. Never to another scheme than http and https,
				    * and never from https down to http */

	const char *ca_file; /* (nullable): PEM; only these are trusted. NULL: the system's roots */
	/* (nullable): the device's certificate and private key: a PEM file each (one file may hold
	 * both), or `pkcs11:` URIs, which OpenSSL's engine `pkcs11` opens. */
	const char *client_certificate;
	const char *client_key; /* NULL: in client_certificate */

	const char *proxy; /* (nullable): URL of a proxy */
	gboolean
		proxy_from_environment; /* where proxy is NULL: http_proxy, https_proxy, no_proxy */

	guint connect_timeout_s; /* 0: SATCHEL_TUF_SOURCE_HTTP_TIMEOUT_S */
	/* A transfer ends when it stays below SATCHEL_TUF_SOURCE_HTTP_LOW_SPEED for this long, the
	 * wait for the first byte included. 0: SATCHEL_TUF_SOURCE_HTTP_TIMEOUT_S */
	guint stall_timeout_s;

	const char *user_agent; /* (nullable): NULL: "satchel/VERSION" */
} SatchelTufSourceHttpOptions;

#define SATCHEL_TUF_SOURCE_HTTP_TIMEOUT_S 30u
#define SATCHEL_TUF_SOURCE_HTTP_LOW_SPEED 1000u /* bytes a second */

/**
 * satchel_tuf_source_http_new:
 * @options: borrowed for the call
 *
 * Asks nothing yet. Role names and target paths are percent-encoded and sent as they are; limits
 * on size hold while the answer comes; one connection serves all requests. 403 and 404 are "not
 * there"; any other status than 200, and any answer that ends early, is an error. Passwords in
 * ~/.netrc are not looked at.
 *
 * Errors: SATCHEL_ERROR_USAGE for options that cannot be.
 *
 * Returns: (transfer full): the source, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelTufSource *satchel_tuf_source_http_new(const SatchelTufSourceHttpOptions *options,
					      GError **error);

#pragma GCC visibility pop
