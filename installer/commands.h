#pragma once
#include <satchel/status.h>

/* The commands of satchel-installer, for its table in main.c: see SatchelCommand in verify/cli.h.
 */
gboolean satchel_cmd_check(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_list(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_pull(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_install(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_update(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_status(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_daemon(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_history(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_media(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_rollback(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_run(int argc, char **argv, SatchelOutcome *outcome, GError **error);
