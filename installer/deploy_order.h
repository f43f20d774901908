#pragma once
#include <satchel/error.h>

/*
 * The order in which a deployment is written, apart from how: so that a power cut at any place
 * leaves a /boot that boots. Nothing that a boot loader may still want is deleted before what takes
 * its place is on the disk itself, and not in a journal that boot loaders do not replay. Pure.
 */
typedef gboolean (*SatchelDeployStep)(gpointer data, GError **error);

typedef struct {
	SatchelDeployStep check_room; /* SATCHEL_ERROR_NO_SPACE; writes nothing */
	SatchelDeployStep pin;	      /* keeps the inode of the present loader link alive */
	SatchelDeployStep settle;     /* what was written to /boot is in its place on the disk */
	SatchelDeployStep prepare;    /* the new list of deployments, its first one checked out */
	SatchelDeployStep write;      /* the list; swaps the loader, deletes nothing */
	SatchelDeployStep clean;      /* deletes what no deployment on the disk's list needs */
} SatchelDeploySteps;

/* A whole deployment. Where room lacks, what an earlier one left behind is cleaned up first. The
 * first step that fails is the last one, and its error is given. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_deploy_order_run(const SatchelDeploySteps *steps, gpointer data, GError **error);

/* The second half of one that was cut off behind its swap. */
G_GNUC_WARN_UNUSED_RESULT
gboolean satchel_deploy_order_finish(const SatchelDeploySteps *steps, gpointer data,
				     GError **error);
