#pragma once
#include "device_parts.h"

/*
 * The program that parses a stick: started by media_scan.h in a process of its own, shut in by
 * media_jail.h, and begun by satchel_media_begin() of satchel/media.h. Its arguments: whom it
 * becomes, a path on the stick or "" for a search, what satchel_offer_find_app_work() gave or ""
 * for NULL, and configuration files as satchel_device_open() takes them.
 */

/* How long one reader may take; a slow stick with a long manifest takes seconds. */
#define SATCHEL_MEDIA_READER_LIMIT_S 100u

/* Last lines of what a search gives; no path is that short and of that kind. */
#define SATCHEL_MEDIA_ALL_LINE "\t"
#define SATCHEL_MEDIA_MORE_LINE "\t\t"

/* The program that is a reader: this one, or for who links the library the installed one. */
const char *satchel_media_reader_get_program(void);

/* The trust store as it is, in memory: no reader could read it later, and need not. */
typedef struct {
	SatchelTrustStore *store; /* (owned) */
	SatchelDeviceProfile profile;
	gboolean first_root; /* the store has none, and the bundle's may be believed */
} SatchelMediaTrust;

/* Errors: those of satchel_device_open_store(). */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_media_trust_load(SatchelMediaTrust *self, SatchelDevice *device, GError **error);

void satchel_media_trust_clear(SatchelMediaTrust *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SatchelMediaTrust, satchel_media_trust_clear)
