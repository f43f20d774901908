#include "deploy_order.h"

gboolean
satchel_deploy_order_finish(const SatchelDeploySteps *steps, gpointer data, GError **error)
{
	return steps->settle(data, error) && steps->clean(data, error);
}

gboolean
satchel_deploy_order_run(const SatchelDeploySteps *steps, gpointer data, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	gboolean room = steps->check_room(data, &local_error);

	if (!room && !g_error_matches(local_error, SATCHEL_ERROR, SATCHEL_ERROR_NO_SPACE)) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return FALSE;
	}
	/* What is there now must be in place before anything is deleted, the pin included. */
	if (!steps->pin(data, error) || !steps->settle(data, error))
		return FALSE;
	if (!room && (!steps->clean(data, error) || !steps->check_room(data, error)))
		return FALSE;
	return steps->prepare(data, error) && steps->write(data, error) &&
	       satchel_deploy_order_finish(steps, data, error);
}
