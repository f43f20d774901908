#include <satchel/error.h>

G_DEFINE_QUARK(satchel - error - quark, satchel_error)
