#pragma once
#include <satchel/error.h>

/*
 * What boot loaders that count their boots are told, and what they tell: which variable has which
 * value when. The tools that read and write them are boot_flags.h's. Pure.
 */
typedef enum {
	SATCHEL_ROLLBACK_MODE_NONE, /* the boot loader does not count */
	SATCHEL_ROLLBACK_MODE_UBOOT_GENERIC,
	SATCHEL_ROLLBACK_MODE_UBOOT_MASKED, /* counts only while an update waits for its proof */
	SATCHEL_ROLLBACK_MODE_FIOVB,	    /* the same, the variables kept by OP-TEE */
	SATCHEL_ROLLBACK_MODE_FIOEFI,	    /* the same, by EFI */
} SatchelRollbackMode;

/* FALSE where @text, of the configuration, names none. */
gboolean satchel_rollback_mode_parse(const char *text, SatchelRollbackMode *mode);

typedef struct {
	const char *name;
	const char *value;
} SatchelBootFlag;

/* Each list ends with a flag without a name. All static. */

/* Before a deployment is written: count from now on. */
const SatchelBootFlag *satchel_boot_rules_get_armed(SatchelRollbackMode mode);
/* Once it is written: take the first entry again. Not before: where the boot loader went back, it
 * takes the second one by this flag, and the first is one that did not come up. */
const SatchelBootFlag *satchel_boot_rules_get_deployed(SatchelRollbackMode mode);
/* Where nothing waits for its proof. */
const SatchelBootFlag *satchel_boot_rules_get_confirmed(SatchelRollbackMode mode);

/* The command that prints a variable whose name is added to it, NULL-terminated; NULL: none. */
const char *const *satchel_boot_rules_get_reader(SatchelRollbackMode mode);
/* The one that sets name and value; NULL: none. */
const char *satchel_boot_rules_get_writer(SatchelRollbackMode mode);

/* A reader that failed with @messages: was it because @name has no value? */
gboolean satchel_boot_rules_is_unset(SatchelRollbackMode mode, const char *name,
				     const char *messages);

/* Whether the boot loader updates its own firmware from a deployment. */
gboolean satchel_boot_rules_has_firmware(SatchelRollbackMode mode);

/* Whether an update of it that was offered can be called off; fioefi_setenv begins with it at once.
 */
gboolean satchel_boot_rules_can_withdraw_firmware(SatchelRollbackMode mode);

/* The version that a deployment's file SATCHEL_FIRMWARE_FILE gives; NULL: none. (transfer full) */
char *satchel_boot_rules_parse_version(const char *text);
#define SATCHEL_FIRMWARE_FILE "usr/lib/firmware/version.txt"

/**
 * satchel_boot_rules_check_protected:
 * @text: (nullable): the deployment's SATCHEL_FIRMWARE_FILE; NULL: it has none, and changes nothing
 * @current: (nullable): the version of the firmware that runs; what is no number counts as 0
 *
 * With rollback protection, firmware that is older than what runs would not boot any more.
 *
 * Errors: SATCHEL_ERROR_FAILED: it is, or cannot be compared.
 */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_boot_rules_check_protected(const char *text, const char *current, GError **error);
