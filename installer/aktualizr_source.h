#pragma once
#include "aktualizr_database.h"
#include <satchel/tuf_source.h>

/* The metadata in aktualizr-lite's database as a source like any other: it gives bytes and is
 * believed in nothing. @database: borrowed; must outlive the source. (transfer full) */
SatchelTufSource *satchel_aktualizr_source_new(SatchelAktualizrDatabase *database);
