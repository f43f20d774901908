#include "device_state.h"
#include "../verify/path_safety.h"
#include "deployed_release.h"
#include "state_file.h"
#include "take_over.h"
#include <satchel/tuf_client.h>

SatchelTargets *
satchel_device_load_trusted_targets(SatchelDevice *self)
{
	g_autoptr(SatchelTrustStore) store = satchel_device_open_store(self, NULL, NULL);
	g_autoptr(SatchelTufClient) client = NULL;

	if (store != NULL)
		client = satchel_tuf_client_new(store, NULL, 0, NULL);
	if (client == NULL || !satchel_tuf_client_load_stored(client, NULL))
		return NULL;
	return satchel_targets_ref(
		(SatchelTargets *)(guintptr)satchel_tuf_client_get_targets(client));
}

static void
rebuild(SatchelDevice *self)
{
	g_autoptr(SatchelTargets) role = satchel_device_load_trusted_targets(self);
	SatchelDeployed deployed = {
		.booted = satchel_sysroot_get_booted_commit(self->sysroot),
		.next = satchel_sysroot_get_default_commit(self->sysroot),
		.fallback = satchel_sysroot_get_fallback_commit(self->sysroot),
	};

	satchel_deployed_release_rebuild(self->state, &deployed, role, self->settings->hardware_id);
	self->rebuilt = TRUE;
}

static gboolean
replace_damaged(SatchelDevice *self, const char *damage, GError **error)
{
	g_autofree char *quoted = satchel_path_quote(self->dir);
	g_autofree char *name = NULL;

	rebuild(self);
	if (self->mode == SATCHEL_DEVICE_READ_ONLY) {
		satchel_device_remark(self,
				      "%s/state.json is damaged and was not used: %s; what is "
				      "shown is what the sysroot tells",
				      quoted, damage);
		return TRUE;
	}
	name = satchel_state_file_keep_damaged(self->dir_fd, error);
	if (name == NULL)
		return FALSE;
	satchel_device_remark(
		self,
		"%s/state.json was damaged (%s): it is now %s, and what runs and "
		"what is deployed is read from the sysroot; what failed before is not "
		"known any more",
		quoted, damage, name);
	return satchel_device_save(self, error);
}

gboolean
satchel_device_load_state(SatchelDevice *self, GError **error)
{
	g_autofree char *damage = NULL;
	gboolean absent = TRUE;
	gboolean taken = FALSE;

	if (self->dir_fd < 0)
		self->state = satchel_state_new();
	else
		self->state = satchel_state_file_load(self->dir_fd, &absent, &damage, error);
	if (self->state == NULL)
		return FALSE;
	if (damage != NULL)
		return replace_damaged(self, damage, error);
	if (!absent)
		return TRUE;
	if (!satchel_take_over(self, &taken, error))
		return FALSE;
	if (taken)
		return self->mode == SATCHEL_DEVICE_READ_ONLY || satchel_device_save(self, error);
	/* A deployment that waits for the reboot must not go unnoticed on a first start either. */
	if (g_strcmp0(satchel_sysroot_get_booted_commit(self->sysroot),
		      satchel_sysroot_get_default_commit(self->sysroot)) != 0)
		rebuild(self);
	return TRUE;
}
