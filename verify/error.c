#include <satchel/error.h>

/* The macro makes the name of its words as they stand; clang-format would put blanks into it. */
/* clang-format off */
G_DEFINE_QUARK(satchel-error-quark, satchel_error)
/* clang-format on */
