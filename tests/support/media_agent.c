/* An update agent that serves a folder as a stick: CONFIG FOLDER. With a third word it leaves the
 * reading to satchel-installer. */
#include <satchel/media.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	SatchelOutcome outcome = SATCHEL_OUTCOME_DONE;

	if (argc != 4)
		satchel_media_begin(argc, argv);
	if (argc < 3 || !satchel_media_serve((const char *const[]){argv[1], NULL}, argv[2], NULL,
					     NULL, &outcome, &error))
		fprintf(stderr, "%s\n", error != NULL ? error->message : "CONFIG FOLDER");
	return (int)satchel_status_from_result(outcome, error);
}
