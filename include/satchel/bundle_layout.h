#pragma once

/* Names inside a bundle, relative to its top, as aktualizr-lite and fioctl have them. */
#define SATCHEL_BUNDLE_TUF "tuf"
#define SATCHEL_BUNDLE_META "tuf/bundle-targets.json"
#define SATCHEL_BUNDLE_TIMESTAMP "tuf/timestamp.json"
#define SATCHEL_BUNDLE_SNAPSHOT "tuf/snapshot.json"
#define SATCHEL_BUNDLE_TARGETS "tuf/targets.json"
#define SATCHEL_BUNDLE_OSTREE_REPO "ostree_repo"
#define SATCHEL_BUNDLE_OSTREE_CONFIG "ostree_repo/config"
#define SATCHEL_BUNDLE_OSTREE_OBJECTS "ostree_repo/objects"
/* libostree's own place for static deltas. */
#define SATCHEL_BUNDLE_OSTREE_DELTAS "ostree_repo/deltas"
/* An app store in composectl's layout: apps/<app>/<sha256>/ and blobs/sha256/<sha256> in it. */
#define SATCHEL_BUNDLE_APPS "apps"
#define SATCHEL_APP_STORE_APPS "apps"
#define SATCHEL_APP_STORE_BLOBS "blobs/sha256"
/* Satchel's addition: every other file with size and sha256, in the packed form's order. */
#define SATCHEL_BUNDLE_MANIFEST "manifest.mtree"
