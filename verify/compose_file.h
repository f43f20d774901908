#pragma once
#include "image_reference.h"

/*
 * docker-compose.yml, as far as it has to be known what an app consists of: its services and their
 * images. The rest is for the Compose program. Pure.
 */

/* What Compose looks for first in an app's folder; the only name that composectl knows. */
#define SATCHEL_COMPOSE_FILE "docker-compose.yml"

typedef struct {
	char *name;
	SatchelImageReference *image;
	gboolean has_config_hash; /* the label with which composectl tells changes apart */
	gboolean is_optional;	  /* an app that is up may be without a container of it */
} SatchelComposeService;

typedef struct {
	GPtrArray *services; /* of SatchelComposeService, in the order of the file */
} SatchelComposeFile;

/**
 * satchel_compose_file_parse:
 * @text: borrowed
 *
 * Every service names its image itself, or by a merge, and pinned by digest; `include` is refused:
 * what comes from elsewhere could name images that nobody collected.
 *
 * Errors: SATCHEL_ERROR_CONTENT_INVALID; the message names file, line or service.
 *
 * Returns: (transfer full): the file, or NULL
 */
G_GNUC_WARN_UNUSED_RESULT
SatchelComposeFile *satchel_compose_file_parse(GBytes *text, GError **error);

/* A service's name, which becomes part of container names and of files. */
gboolean satchel_compose_service_name_is_safe(const char *name);

void satchel_compose_file_free(SatchelComposeFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelComposeFile, satchel_compose_file_free)
