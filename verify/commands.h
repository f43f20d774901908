#pragma once
#include "cli.h"

/* The commands of satchel-verify, one a file. */
gboolean satchel_cmd_verify(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_tuf(int argc, char **argv, SatchelOutcome *outcome, GError **error);
