#include "commands.h"

static const SatchelCommand commands[] = {
	{"repo init", "[--dialect uptane|tuf] [--key-type TYPE] [--expires ROLE=DAYS]... REPO",
	 "Make a TUF repository with keys for all roles.", satchel_cmd_repo_init},
	{"repo add",
	 "--name NAME --version N --hardware-id ID --tag TAG... --commit SHA256 [--app "
	 "NAME=URI]... "
	 "[--custom FILE.json] REPO",
	 "Add a release to the targets role.", satchel_cmd_repo_add},
	{"repo publish", "REPO", "Sign snapshot and timestamp over the present targets.",
	 satchel_cmd_repo_publish},
	{"repo rotate", "--role ROLE REPO", "Give a role new keys, by a new root.",
	 satchel_cmd_repo_rotate},
	{"app add",
	 "--name APP --compose FILE [--file PATH]... [--source SOURCE]... [--platform OS/ARCH]... "
	 "[--registry-auth FILE] --publish-as HOST/FACTORY/APP STORE",
	 "Put a Compose app with all its images into an app store.", satchel_cmd_app_add},
	{"app list", "STORE", "List the URIs of the apps in a store.", satchel_cmd_app_list},
	{"app show", "[--json] STORE", "Show what the apps in a store consist of.",
	 satchel_cmd_app_show},
	{"app check", "STORE", "Read and hash all content of the apps in a store.",
	 satchel_cmd_app_check},
	{"build",
	 "--tuf DIR --ostree REPO [--apps STORE] --target NAME-VERSION... [--from COMMIT]... "
	 "[--delta] --tag TAG --type ci|prod [--expires-in-days DAYS] [--key FILE]... [--format "
	 "dir|packed] [--split SIZE] "
	 "[--force] OUTPUT",
	 "Build a bundle of one or more targets.", satchel_cmd_build},
	{"pack", "[--split SIZE] [--force] DIR FILE",
	 "Make one file, or numbered ones, of a bundle.", satchel_cmd_pack},
	{"unpack", "[--force] FILE DIR", "Make the folder again of which a packed bundle was made.",
	 satchel_cmd_unpack},
	{"copy", "[--force] BUNDLE STICK", "Copy a bundle to a stick, and read it back from there.",
	 satchel_cmd_copy},
	{"sign", "--key FILE... BUNDLE", "Add signatures to a bundle.", satchel_cmd_sign},
	{"show", "[--json] BUNDLE", "Show what a bundle says of itself and who signed it.",
	 satchel_cmd_show},
	{NULL, NULL, NULL, NULL},
};

static const SatchelProgram program = {
	.program = "satchel-bundler",
	.purpose = "Authors TUF repositories and builds offline update bundles from them.",
	.commands = commands,
	.epilog = "The manual: man satchel-bundler",
};

int
main(int argc, char **argv)
{
	return satchel_cli_main(&program, argc, argv);
}
