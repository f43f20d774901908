#include "answer_lines.h"
#include "signed_document.h"
#include <string.h>

/*
 * For integration tests. Each line of stdin is {"dialect": "tuf"|"uptane", "keys": {…}, "role":
 * {"keyids", "threshold"}, "document": "text of a signed document of type targets"}; the line of
 * stdout that answers it is `good` or `refused: REASON`.
 */

static gboolean
check(const json_t *test_case, GError **error)
{
	const char *name = satchel_json_get_string(test_case, "dialect", error);
	const char *text = satchel_json_get_string(test_case, "document", error);
	SatchelDialect dialect;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(SatchelRoleKeys) keys = NULL;
	g_autoptr(SatchelSignedDocument) document = NULL;

	if (name == NULL || text == NULL)
		return FALSE;
	dialect = strcmp(name, "uptane") == 0 ? SATCHEL_DIALECT_UPTANE : SATCHEL_DIALECT_TUF;
	keys = satchel_role_keys_new(json_object_get(test_case, "keys"),
				     json_object_get(test_case, "role"), dialect, error);
	if (keys == NULL)
		return FALSE;
	bytes = g_bytes_new(text, strlen(text));
	document = satchel_signed_document_parse(bytes, "targets", dialect, error);
	if (document == NULL)
		return FALSE;
	return satchel_role_keys_verify(keys, document->signatures, document->message, error);
}

static void
answer(const char *line, gsize n_bytes)
{
	g_autoptr(GBytes) bytes = g_bytes_new(line, n_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(SatchelJson) test_case = satchel_json_parse(bytes, &error);

	if (test_case != NULL && check(test_case, &error))
		puts("good");
	else
		printf("refused: %s\n", error->message);
}

int
main(void)
{
	answer_lines(answer);
	return 0;
}
