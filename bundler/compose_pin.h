#pragma once
#include <satchel/error.h>

/*
 * Pins the images of a Compose file by digest, and gives each service the label by which composectl
 * and aktualizr-lite tell whether its configuration changed. The text stays as it was written but
 * for these places: comments, order and quoting are the developer's. Pure.
 *
 * Errors: SATCHEL_ERROR_CONTENT_INVALID, naming the service.
 */

/* The images of the services as they are written, each once, in their order. Refused: `include`,
 * `extends` and `build`, whose images nobody could collect. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
GStrv satchel_compose_pin_list_images(GBytes *text, GError **error);

/**
 * satchel_compose_pin:
 * @images: as they are written
 * @pinned: likewise many: what each becomes, HOST/PATH@sha256:HEX
 *
 * What comes of it has been parsed again, and has these images.
 *
 * Returns: (transfer full): the new text
 */
G_GNUC_WARN_UNUSED_RESULT
GBytes *satchel_compose_pin(GBytes *text, const char *const *images, const char *const *pinned,
			    GError **error);
