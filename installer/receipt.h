#pragma once
#include <jansson.h>
#include <satchel/error.h>

/*
 * What came of a stick, on paper: for whoever carries it, and signed for whoever gets it back.
 * Pure. Its form: schemas/installer-receipt.schema.json.
 */
typedef struct {
	const char *name; /* NULL: unknown, or nothing */
	gint64 version;	  /* -1: none */
	const char *commit;
} SatchelReceiptTarget;

/* All borrowed. */
typedef struct {
	const char *step;	 /* "media"; "run": after the reboot */
	const char *device_uuid; /* (nullable) */
	const char *device_name;
	const char *hardware_id;
	const char *const *tags; /* (nullable) */
	const char *medium;	 /* (nullable): by what the stick is known again */
	gint64 begun_s, ended_s;
	int status; /* exit status */
	const char *text;
	const GPtrArray *verdicts;   /* (nullable): of SatchelMediaVerdict */
	const char *chosen;	     /* (nullable): the path of the one that was taken */
	const char *bundle_sha256;   /* (nullable) */
	SatchelReceiptTarget before; /* what ran then */
	SatchelReceiptTarget after;  /* what runs, or will after the reboot */
	int (*status_of)(SatchelError code);
} SatchelReceipt;

/* The part that is signed. (transfer full) */
json_t *satchel_receipt_to_json(const SatchelReceipt *self);
/* The same for people; from the JSON, so that it cannot tell anything else. (transfer full) */
char *satchel_receipt_json_to_text(const json_t *receipt);

/* "SATCHEL-DEVICE-YYYYMMDD-", with nothing in it that a file system minds. (transfer full) */
char *satchel_receipt_stem(const char *device, gint64 at_s);
/* TRUE for STEM followed by a number and `.json`. *@number orders a device's receipts by age. */
gboolean satchel_receipt_name_parse(const char *file_name, guint *date, guint *number);
