#pragma once
#include <satchel/error.h>

/*
 * An image as a Compose file of the developer names it: [HOST/]PATH[:TAG][@sha256:HEX], with
 * Docker's defaults filled in. Pure.
 */
typedef struct {
	char *host; /* docker.io where none is given */
	char *path; /* library/NAME where that is short */
	char *tag;  /* "latest" where neither tag nor digest is given; NULL beside a digest alone */
	char sha256[65]; /* empty where it is not pinned */
} SatchelImageName;

/* Errors: SATCHEL_ERROR_CONTENT_INVALID. (transfer full) */
G_GNUC_WARN_UNUSED_RESULT
SatchelImageName *satchel_image_name_parse(const char *text, GError **error);

/* HOST/PATH, HOST/PATH:TAG; the latter NULL where there is no tag. (transfer full) */
char *satchel_image_name_format(const SatchelImageName *self);
char *satchel_image_name_format_tagged(const SatchelImageName *self);

void satchel_image_name_free(SatchelImageName *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SatchelImageName, satchel_image_name_free)
