#pragma once

/*
 * Every limit on input that comes from a medium or a server. Going past one is an error that names
 * it; nothing is read, parsed or allocated beyond it. TUF 1.0.34, 5.3 to 5.6, asks for the first
 * ones.
 */

/* Largest role file accepted, in bytes. Readers stop here before parsing. Set when the library is
 * built, as in `make CPPFLAGS=-DSATCHEL_LIMIT_TARGETS_BYTES=33554432u`; the same for what is built
 * against it. */
#ifndef SATCHEL_LIMIT_ROOT_BYTES
#define SATCHEL_LIMIT_ROOT_BYTES (512u * 1024u)
#endif
#ifndef SATCHEL_LIMIT_TIMESTAMP_BYTES
#define SATCHEL_LIMIT_TIMESTAMP_BYTES (64u * 1024u)
#endif
#ifndef SATCHEL_LIMIT_SNAPSHOT_BYTES
#define SATCHEL_LIMIT_SNAPSHOT_BYTES (2u * 1024u * 1024u)
#endif
#ifndef SATCHEL_LIMIT_TARGETS_BYTES
#define SATCHEL_LIMIT_TARGETS_BYTES (16u * 1024u * 1024u)
#endif
#define SATCHEL_LIMIT_BUNDLE_META_BYTES (1024u * 1024u)

/* Root versions followed in one run, delegated roles visited in one search. */
#define SATCHEL_LIMIT_ROOT_ROTATIONS 256u
#define SATCHEL_LIMIT_DELEGATIONS 32u

/* JSON: nesting, bytes that the values of one document take in memory, bytes in one string. */
#define SATCHEL_LIMIT_JSON_DEPTH 32u
#define SATCHEL_LIMIT_JSON_MEMORY_BYTES (56u * 1024u * 1024u)
#define SATCHEL_LIMIT_JSON_STRING_BYTES (1024u * 1024u)

/* Releases that a thin bundle builds on, and static deltas in it. */
#define SATCHEL_LIMIT_BUNDLE_BASES 1024u

/* Keys and signatures in one role. */
#define SATCHEL_LIMIT_KEYS 1024u
#define SATCHEL_LIMIT_SIGNATURES 1024u

/* A path inside a bundle, a role name, a target name, in bytes. */
#define SATCHEL_LIMIT_PATH_BYTES 4096u
#define SATCHEL_LIMIT_NAME_BYTES 255u

/* What a device holds of a bundle while it reads it: together with these, and with what is on its
 * way from the medium, an import stays within 64 MiB whatever the bundle is. Set when the library
 * is built, as above, for devices with more memory and larger systems. */

/* manifest.mtree: bytes and members. */
#ifndef SATCHEL_LIMIT_MANIFEST_BYTES
#define SATCHEL_LIMIT_MANIFEST_BYTES (20u * 1024u * 1024u)
#endif
#ifndef SATCHEL_LIMIT_MANIFEST_MEMBERS
#define SATCHEL_LIMIT_MANIFEST_MEMBERS 100000u
#endif

/* The packed form: members up to the manifest, and parts of one bundle. */
#define SATCHEL_LIMIT_PACKED_HEAD_MEMBERS 4096u
#define SATCHEL_LIMIT_PACKED_PARTS 1000u

/* OSTree: one commit, dirtree or dirmeta object, and folder depth. */
#ifndef SATCHEL_LIMIT_OSTREE_METADATA_BYTES
#define SATCHEL_LIMIT_OSTREE_METADATA_BYTES (8u * 1024u * 1024u)
#endif
#define SATCHEL_LIMIT_OSTREE_DEPTH 256u
/* Objects in the closure of the commits of one bundle. */
#ifndef SATCHEL_LIMIT_OSTREE_OBJECTS
#define SATCHEL_LIMIT_OSTREE_OBJECTS SATCHEL_LIMIT_MANIFEST_MEMBERS
#endif
/* The header of one file object: owner, mode, link target, extended attributes. */
#define SATCHEL_LIMIT_OSTREE_FILE_HEADER_BYTES (1024u * 1024u)

/* An app: its manifest, its archive (held in memory until its hash is known), what the archive
 * unpacks to, and what is in it. */
#define SATCHEL_LIMIT_APP_MANIFEST_BYTES (64u * 1024u)
#ifndef SATCHEL_LIMIT_APP_ARCHIVE_BYTES
#define SATCHEL_LIMIT_APP_ARCHIVE_BYTES (64u * 1024u * 1024u)
#endif
#define SATCHEL_LIMIT_APP_UNPACKED_BYTES (1024u * 1024u * 1024u)
#define SATCHEL_LIMIT_APP_FILES 65536u
#define SATCHEL_LIMIT_APP_SERVICES 256u

/* A Compose file: bytes, values, nesting. */
#define SATCHEL_LIMIT_YAML_BYTES (1024u * 1024u)
#define SATCHEL_LIMIT_YAML_NODES 65536u
#define SATCHEL_LIMIT_YAML_DEPTH 32u

/* An image: one index or manifest, its configuration, platforms in an index, layers. */
#define SATCHEL_LIMIT_IMAGE_MANIFEST_BYTES (1024u * 1024u)
#define SATCHEL_LIMIT_IMAGE_CONFIG_BYTES (8u * 1024u * 1024u)
#define SATCHEL_LIMIT_IMAGE_PLATFORMS 256u
#define SATCHEL_LIMIT_IMAGE_LAYERS 1024u

/* Configuration and state on the device. */
#define SATCHEL_LIMIT_CONFIG_BYTES (1024u * 1024u)
#define SATCHEL_LIMIT_STATE_BYTES (16u * 1024u * 1024u)
