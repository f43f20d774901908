#pragma once
#include "signal_table.h"

/* Sets one light of the kernel's LED class; does nothing where it is not there. @folder: where they
 * are; @name: one component. */
void satchel_signal_led_set(const char *folder, const char *name, SatchelLedMode mode);
