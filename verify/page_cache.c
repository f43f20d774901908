#include "page_cache.h"
#include <fcntl.h>

/* No page is larger on the processors that Satchel runs on. */
#define PAGE_BYTES (64u * 1024u)

void
satchel_page_cache_advise(int fd, guint64 offset_bytes, guint64 n_bytes, SatchelBundleAdvice advice)
{
	guint64 from = offset_bytes - offset_bytes % PAGE_BYTES;
	guint64 length;

	if (offset_bytes > G_MAXINT64 / 2 || n_bytes > G_MAXINT64 / 2)
		return;
	if (advice == SATCHEL_BUNDLE_WILL_NEED) {
		(void)posix_fadvise(fd, (off_t)offset_bytes, (off_t)n_bytes, POSIX_FADV_WILLNEED);
		return;
	}
	length = (offset_bytes + n_bytes - from + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	(void)posix_fadvise(fd, (off_t)from, (off_t)length, POSIX_FADV_DONTNEED);
}
