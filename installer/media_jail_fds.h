#pragma once

/* The descriptors of a reader (media_jail.h); all up to the first are /dev/null. */
enum {
	SATCHEL_JAIL_NULL_FD = 2,
	SATCHEL_JAIL_PIPE_FD = 3,
	SATCHEL_JAIL_ROOT_FD = 4,
	SATCHEL_JAIL_N_FDS = 5,
};
