#pragma once
#include "threshold.h"
#include <satchel/root.h>

/* Who may sign @role ("root", "timestamp", "snapshot", "targets") under this root. Borrowed. */
const SatchelRoleKeys *satchel_root_get_role_keys(const SatchelRoot *self, const char *role);
