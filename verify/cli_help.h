#pragma once
#include "cli.h"

/* What --help shows, on stdout, within 80 columns, from the tables that the programs dispatch by.
 * @builtin: options that every command knows; all tables end with a row of NULL long_name. */

/* The program's commands; of them those that begin with @prefix, "" for all. */
void satchel_cli_help_print_program(const SatchelProgram *program, const char *prefix,
				    const GOptionEntry *builtin);

/* @options: (nullable): those that @command has of its own. */
void satchel_cli_help_print_command(const SatchelProgram *program, const SatchelCommand *command,
				    const GOptionEntry *options, const GOptionEntry *builtin);
