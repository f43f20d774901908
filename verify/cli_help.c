#include "cli_help.h"
#include <stdio.h>
#include <string.h>

#define HELP_COLUMNS 79

/* Appends @text in lines of at most HELP_COLUMNS, breaking at spaces; @column is where the first
 * word goes. The following lines begin at @indent. */
static void
append_wrapped(GString *out, const char *text, gsize column, gsize indent)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	gboolean first = TRUE;

	for (char **word = words; *word != NULL; word++) {
		gsize n = strlen(*word);

		if (!first && column + 1 + n > HELP_COLUMNS) {
			g_string_append_printf(out, "\n%*s", (int)indent, "");
			column = indent;
			first = TRUE;
		}
		g_string_append_printf(out, "%s%s", first ? "" : " ", *word);
		column += n + (first ? 0 : 1);
		first = FALSE;
	}
	g_string_append_c(out, '\n');
}

/* "  TERM   explanation": on a line of its own where the term is long. */
static void
append_term(GString *out, const char *term, const char *explanation, gsize indent)
{
	gsize column = 2 + strlen(term);

	g_string_append_printf(out, "  %s", term);
	if (column + 2 > indent) {
		g_string_append_c(out, '\n');
		column = 0;
	}
	g_string_append_printf(out, "%*s", (int)(indent - column), "");
	append_wrapped(out, explanation, indent, indent);
}

static void
append_options(GString *out, const GOptionEntry *options)
{
	for (const GOptionEntry *o = options; o != NULL && o->long_name != NULL; o++) {
		g_autoptr(GString) term = g_string_new(NULL);

		if ((o->flags & G_OPTION_FLAG_HIDDEN) != 0 || *o->long_name == '\0')
			continue;
		if (o->short_name != '\0')
			g_string_append_printf(term, "-%c, ", o->short_name);
		else
			g_string_append(term, "    ");
		g_string_append_printf(term, "--%s", o->long_name);
		if (o->arg_description != NULL)
			g_string_append_printf(term, " %s", o->arg_description);
		append_term(out, term->str, o->description != NULL ? o->description : "", 32);
	}
}

/* Commands whose name begins with @prefix. */
static void
append_commands(GString *out, const SatchelProgram *program, const char *prefix)
{
	gsize indent = 0;

	for (const SatchelCommand *c = program->commands; c->name != NULL; c++)
		indent = MAX(indent, strlen(c->name) + 4);
	for (const SatchelCommand *c = program->commands; c->name != NULL; c++) {
		if (*c->name != '\0' && g_str_has_prefix(c->name, prefix))
			append_term(out, c->name, c->summary, indent);
	}
}

static void
append_usage(GString *out, const char *program, const SatchelCommand *command)
{
	g_autoptr(GString) line = g_string_new(program);
	gsize indent = strlen("Usage: ") + strlen(program) + 1;

	if (*command->name != '\0')
		g_string_append_printf(line, " %s", command->name);
	if (command->usage != NULL && *command->usage != '\0')
		g_string_append_printf(line, " %s", command->usage);
	g_string_append(out, "Usage: ");
	append_wrapped(out, line->str, strlen("Usage: "), indent);
}

static void
append_epilog(GString *out, const SatchelProgram *program)
{
	g_auto(GStrv) lines = NULL;

	if (program->epilog == NULL)
		return;
	lines = g_strsplit(program->epilog, "\n", -1);
	g_string_append_c(out, '\n');
	for (char **line = lines; *line != NULL; line++) {
		if (**line != '\0' || line[1] != NULL)
			append_wrapped(out, *line, 0, 0);
	}
}

void
satchel_cli_help_print_program(const SatchelProgram *program, const char *prefix,
			       const GOptionEntry *builtin)
{
	g_autoptr(GString) out = g_string_new(NULL);

	g_string_append_printf(out, "Usage: %s %sCOMMAND [OPTION]...\n", program->program, prefix);
	append_wrapped(out, program->purpose, 0, 0);
	g_string_append(out, "\nCommands:\n");
	append_commands(out, program, prefix);
	/* Those of the program are not for each command: it refuses what it has no use for. */
	g_string_append(out, program->options != NULL ? "\nOptions:\n"
						      : "\nOptions of every command:\n");
	append_options(out, program->options);
	append_options(out, builtin);
	append_term(out, "-v, --version", "Show the version (in a command's place)", 32);
	g_string_append_printf(out, "\nMore on one of them: %s COMMAND --help\n", program->program);
	append_epilog(out, program);
	fputs(out->str, stdout);
}

static gboolean
has_named_commands(const SatchelProgram *program)
{
	for (const SatchelCommand *c = program->commands; c->name != NULL; c++) {
		if (*c->name != '\0')
			return TRUE;
	}
	return FALSE;
}

void
satchel_cli_help_print_command(const SatchelProgram *program, const SatchelCommand *command,
			       const GOptionEntry *options, const GOptionEntry *builtin)
{
	g_autoptr(GString) out = g_string_new(NULL);
	gboolean is_default = *command->name == '\0';

	append_usage(out, program->program, command);
	if (is_default && has_named_commands(program))
		g_string_append_printf(out, "       %s COMMAND [OPTION]...\n", program->program);
	append_wrapped(out, command->summary, 0, 0);
	g_string_append(out, "\nOptions:\n");
	append_options(out, options);
	append_options(out, program->options);
	append_options(out, builtin);
	if (is_default) {
		append_term(out, "-v, --version", "Show the version", 32);
		if (has_named_commands(program)) {
			g_string_append(out, "\nCommands:\n");
			append_commands(out, program, "");
		}
		append_epilog(out, program);
	}
	fputs(out->str, stdout);
}
