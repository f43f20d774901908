#include "freeze_guard.h"
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sets whether CAP_SYS_ADMIN, which FIFREEZE asks for, is in effect. TRUE where that was a change.
 */
static gboolean
set_effective(gboolean wanted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	const guint32 bit = CAP_TO_MASK(CAP_SYS_ADMIN);
	const guint word = CAP_TO_INDEX(CAP_SYS_ADMIN);

	if (syscall(SYS_capget, &header, data) != 0)
		return FALSE;
	if (((data[word].effective & bit) != 0) == wanted)
		return FALSE;
	data[word].effective ^= bit;
	return syscall(SYS_capset, &header, data) == 0;
}

void
satchel_freeze_guard_begin(SatchelFreezeGuard *self)
{
	self->dropped = set_effective(FALSE);
}

void
satchel_freeze_guard_end(SatchelFreezeGuard *self)
{
	if (self->dropped)
		(void)set_effective(TRUE);
	self->dropped = FALSE;
}
