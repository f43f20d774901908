#pragma once
#include <satchel/progress.h>

/*
 * The programs' sink for progress: on a terminal one line of stderr that is rewritten, with bytes
 * done, total, and time left; plain lines otherwise, one every few seconds; nothing when quiet. One
 * piece of work at a time: it belongs to the process, as stderr does. Static.
 */
const SatchelProgressSink *satchel_cli_progress(void);
