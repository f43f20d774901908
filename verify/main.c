#include "commands.h"

static const SatchelCommand commands[] = {
	{"",
	 "[--root ROOT.json | --store DIR] [--hardware-id ID] [--tag TAG]... [--type ci|prod] "
	 "[--at TIME] [--full] [--json] BUNDLE",
	 "Tell whether a device would accept a bundle, and why not", satchel_cmd_verify},
	{"tuf", "--metadata-dir DIR [OPTION]... (init ROOT.json | refresh | download | show)",
	 "Be a TUF client: trust a root, update metadata, get targets", satchel_cmd_tuf},
	{NULL, NULL, NULL, NULL},
};

static const SatchelProgram program = {
	.program = "satchel-verify",
	.purpose = "Checks offline update bundles and TUF repositories, and changes no bundle.",
	.commands = commands,
	.epilog = "Example: satchel-verify --root 1.root.json --tag devel /media/stick\n"
		  "Manual: satchel-verify(1)",
};

int
main(int argc, char **argv)
{
	return satchel_cli_main(&program, argc, argv);
}
