#pragma once
#include <satchel/device.h>

/* What the commands print, as text. (transfer full) */

/* `check --json 1`, `list --json 1`: schemas/installer-targets.schema.json. */
char *satchel_report_targets_json(const SatchelOffer *offer, const SatchelDevice *device,
				  const SatchelTargetChoice *choice);
/* The same for people. */
char *satchel_report_targets_text(const SatchelOffer *offer, const SatchelDevice *device,
				  const SatchelTargetChoice *choice);

/* `status --json 1`: schemas/installer-status.schema.json. */
char *satchel_report_status_json(const SatchelDevice *device);
char *satchel_report_status_text(const SatchelDevice *device);
