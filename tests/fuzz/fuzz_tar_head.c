/* The head of a packed bundle: whatever it is, members come in order, within bounds and with safe
 * paths, or an error comes that names the bundle as invalid. */
#include "../../verify/path_safety.h"
#include "../../verify/tar_header.h"
#include "../../verify/tar_layout.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes);

typedef struct {
	const guint8 *data;
	size_t n_bytes;
} Input;

static gboolean
read_input(gpointer source, guint64 offset_bytes, gpointer buffer, gsize n_bytes, GError **error)
{
	const Input *input = source;

	if (offset_bytes > input->n_bytes || n_bytes > input->n_bytes - offset_bytes) {
		g_set_error_literal(error, SATCHEL_ERROR, SATCHEL_ERROR_DOWNLOAD_FAILED, "short");
		return FALSE;
	}
	memcpy(buffer, input->data + offset_bytes, n_bytes);
	return TRUE;
}

/* A changed byte would be stopped at the checksum; the rest is to be reached as well. */
static void
mend_checksums(guint8 *data, size_t n_bytes)
{
	for (size_t at = 0; at + 512 <= n_bytes; at += 512) {
		guint sum = 8 * ' ';
		char text[8];

		if (memcmp(data + at + 257, "ustar", 5) != 0)
			continue;
		for (guint i = 0; i < 512; i++)
			sum += i >= 148 && i < 156 ? 0 : data[at + i];
		g_snprintf(text, sizeof text, "%06o", sum);
		memcpy(data + at + 148, text, 7);
	}
}

static guint64
check_member(const SatchelTarMember *member, guint64 at)
{
	g_assert(satchel_path_check(member->path, NULL));
	g_assert(member->content_at_bytes > at);
	g_assert(member->next_at_bytes >= member->content_at_bytes + member->size_bytes);
	if (member->kind == SATCHEL_TAR_FILE)
		g_assert(member->content_at_bytes - at ==
			 satchel_tar_layout_header_bytes(member->path, member->size_bytes));
	return member->next_at_bytes;
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t n_bytes)
{
	g_autofree guint8 *mended = g_malloc(n_bytes + 1);
	Input input = {mended, n_bytes};
	guint64 at = 0;

	if (n_bytes > 0)
		memcpy(mended, data, n_bytes);
	mend_checksums(mended, n_bytes);
	for (;;) {
		g_auto(SatchelTarMember) member = {0};
		g_autoptr(GError) error = NULL;

		if (!satchel_tar_member_read(read_input, &input, at, &member, &error)) {
			g_assert(error->code == SATCHEL_ERROR_BUNDLE_INVALID ||
				 error->code == SATCHEL_ERROR_DOWNLOAD_FAILED);
			return 0;
		}
		if (member.kind == SATCHEL_TAR_END)
			return 0;
		at = check_member(&member, at);
	}
}
