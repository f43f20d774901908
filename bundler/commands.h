#pragma once
#include "../verify/cli.h"

/* The commands of satchel-bundler, as SatchelCommand.run wants them. */
gboolean satchel_cmd_repo_init(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_repo_add(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_repo_publish(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_repo_rotate(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_build(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_pack(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_unpack(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_copy(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_sign(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_show(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_app_add(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_app_list(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_app_show(int argc, char **argv, SatchelOutcome *outcome, GError **error);
gboolean satchel_cmd_app_check(int argc, char **argv, SatchelOutcome *outcome, GError **error);
