#pragma once
#include "../verify/app_closure.h"

/*
 * What is added to an app's Compose file, in a file beside it: its images by their local names, so
 * that nothing is fetched, the label that tells the app's version, and a member that no Compose
 * program looks at for those services of which there need be no container.
 */

/* Larger ones are none of ours: SATCHEL_LIMIT_APP_SERVICES services, each with two long names. */
#define SATCHEL_APP_OVERRIDE_MAX_BYTES (4u * 1024u * 1024u)

/* (transfer full) */
GBytes *satchel_app_override_new(const SatchelAppClosure *closure);

/* The services of which an app that is up has containers. NULL: it is not of that version.
 * @override: (nullable): as it lies in the app's folder; @sha256: of the app's manifest.
 * (transfer full) */
GStrv satchel_app_override_list_services(GBytes *override, const char *sha256);
