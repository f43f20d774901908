#include "boot_rules.h"
#include "../verify/path_safety.h"
#include <string.h>

#define VERSION_NAME "bootfirmware_version"

typedef struct {
	const char *name;
	const SatchelBootFlag *armed;
	const SatchelBootFlag *confirmed;
	const char *const *reader;
	const char *writer;
	const char *unset; /* what the reader says of a variable without a value; %s: its name */
	gboolean firmware;
} ModeRules;

static const SatchelBootFlag nothing[] = {{NULL}};
static const SatchelBootFlag counting[] = {{"bootcount", "0"}, {NULL}};
static const SatchelBootFlag armed[] = {{"bootcount", "0"}, {"upgrade_available", "1"}, {NULL}};
static const SatchelBootFlag confirmed[] = {{"bootcount", "0"}, {"upgrade_available", "0"}, {NULL}};
static const SatchelBootFlag deployed[] = {{"rollback", "0"}, {NULL}};

static const char *const fw_reader[] = {"fw_printenv", "-n", NULL};
static const char *const fiovb_reader[] = {"fiovb_printenv", NULL};
static const char *const fioefi_reader[] = {"fioefi_printenv", NULL};

#define UBOOT_UNSET "\"%s\" not defined"
#define FIOVB_UNSET "value for %s failed: No such file or directory"

static const ModeRules modes[] = {
	[SATCHEL_ROLLBACK_MODE_NONE] = {"none", nothing, nothing},
	[SATCHEL_ROLLBACK_MODE_UBOOT_GENERIC] = {"uboot_generic", counting, counting, fw_reader,
						 "fw_setenv", UBOOT_UNSET},
	[SATCHEL_ROLLBACK_MODE_UBOOT_MASKED] = {"uboot_masked", armed, confirmed, fw_reader,
						"fw_setenv", UBOOT_UNSET, TRUE},
	[SATCHEL_ROLLBACK_MODE_FIOVB] = {"fiovb", armed, confirmed, fiovb_reader, "fiovb_setenv",
					 FIOVB_UNSET, TRUE},
	[SATCHEL_ROLLBACK_MODE_FIOEFI] = {"fioefi", armed, confirmed, fioefi_reader,
					  "fioefi_setenv", NULL, TRUE},
};

gboolean
satchel_rollback_mode_parse(const char *text, SatchelRollbackMode *mode)
{
	for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
		if (g_str_equal(text, modes[i].name)) {
			*mode = (SatchelRollbackMode)i;
			return TRUE;
		}
	}
	return FALSE;
}

const SatchelBootFlag *
satchel_boot_rules_get_armed(SatchelRollbackMode mode)
{
	return modes[mode].armed;
}

const SatchelBootFlag *
satchel_boot_rules_get_deployed(SatchelRollbackMode mode)
{
	return mode == SATCHEL_ROLLBACK_MODE_NONE ? nothing : deployed;
}

const SatchelBootFlag *
satchel_boot_rules_get_confirmed(SatchelRollbackMode mode)
{
	return modes[mode].confirmed;
}

const char *const *
satchel_boot_rules_get_reader(SatchelRollbackMode mode)
{
	return modes[mode].reader;
}

const char *
satchel_boot_rules_get_writer(SatchelRollbackMode mode)
{
	return modes[mode].writer;
}

gboolean
satchel_boot_rules_is_unset(SatchelRollbackMode mode, const char *name, const char *messages)
{
	g_auto(GStrv) parts = NULL;
	g_autofree char *said = NULL;

	if (modes[mode].unset == NULL)
		return FALSE;
	parts = g_strsplit(modes[mode].unset, "%s", 2);
	said = g_strjoinv(name, parts);
	return strstr(messages, said) != NULL;
}

gboolean
satchel_boot_rules_has_firmware(SatchelRollbackMode mode)
{
	return modes[mode].firmware;
}

gboolean
satchel_boot_rules_can_withdraw_firmware(SatchelRollbackMode mode)
{
	return modes[mode].firmware && mode != SATCHEL_ROLLBACK_MODE_FIOEFI;
}

char *
satchel_boot_rules_parse_version(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i] != NULL; i++) {
		const char *line = g_strstrip(lines[i]);

		if (!g_str_has_prefix(line, VERSION_NAME))
			continue;
		line += strlen(VERSION_NAME);
		if ((*line == '=' || *line == ':') && line[1] != '\0')
			return g_strstrip(g_strdup(line + 1));
	}
	return NULL;
}

static gboolean
parse_number(const char *text, guint64 *number)
{
	return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, number, NULL);
}

gboolean
satchel_boot_rules_check_protected(const char *text, const char *current, GError **error)
{
	g_autofree char *version = NULL;
	g_autofree char *quoted = NULL;
	guint64 wanted = 0;
	guint64 runs = 0;

	if (text == NULL)
		return TRUE;
	version = satchel_boot_rules_parse_version(text);
	quoted = satchel_path_quote(version == NULL ? "" : version);
	if (!parse_number(version, &wanted)) {
		g_set_error(
			error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
			"rollback protection is on, and the version of the boot firmware in /%s "
			"is '%s', which is no number",
			SATCHEL_FIRMWARE_FILE, quoted);
		return FALSE;
	}
	if (!parse_number(current, &runs) || wanted >= runs)
		return TRUE;
	g_set_error(error, SATCHEL_ERROR, SATCHEL_ERROR_FAILED,
		    "rollback protection is on, and its boot firmware %" G_GUINT64_FORMAT
		    " is older than %" G_GUINT64_FORMAT ", which runs",
		    wanted, runs);
	return FALSE;
}
