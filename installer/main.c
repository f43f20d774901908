#include "../verify/cli.h"
#include "command_line.h"
#include "commands.h"
#include <satchel/media.h>

static const SatchelCommand commands[] = {
	{"check", "[TARGET] --src-dir DIR", "Check a bundle and list what it has for this device",
	 satchel_cmd_check},
	{"list", "[TARGET] [--src-dir DIR]", "List the targets, by the metadata of the last check",
	 satchel_cmd_list},
	{"pull", "[TARGET] --src-dir DIR", "Check a bundle and bring a target's content in",
	 satchel_cmd_pull},
	{"install", "[TARGET] [--src-dir DIR]", "Deploy a target that was pulled",
	 satchel_cmd_install},
	{"update", "[TARGET] --src-dir DIR", "Check, pull and install", satchel_cmd_update},
	{"status", "", "Show what runs and what is pending", satchel_cmd_status},
	{"finalize", "", "Finish an installation after the reboot", satchel_cmd_run},
	{"run", "", "The same as finalize", satchel_cmd_run},
	{"rollback", "[--src-dir DIR]", "Call an installation off, or go back to the one before",
	 satchel_cmd_rollback},
	{"daemon", "[--src-dir DIR]", "Wait for a bundle and update from it; then reboot",
	 satchel_cmd_daemon},
	{"media", "DEVICE|MOUNTPOINT|--watch",
	 "Update from the best bundle on a stick; then reboot", satchel_cmd_media},
	{"history", "", "Show what came of sticks and reboots so far", satchel_cmd_history},
	{NULL, NULL, NULL, NULL},
};

static const SatchelProgram program = {
	.program = "satchel-installer",
	.purpose = "Checks an offline update bundle and installs it on this device.",
	.commands = commands,
	.epilog = "The configuration is described in satchel.toml(5), the exit statuses in "
		  "satchel-installer(8).",
	.options = satchel_command_line_options,
	.command_option = "command",
};

int
main(int argc, char **argv)
{
	satchel_media_begin(argc, argv);
	return satchel_cli_main(&program, argc, argv);
}
