/* cost_check.h: is an entry right enough to be timed? Short; the unit tests of the reference look closer. */
#ifndef COST_CHECK_H
#define COST_CHECK_H

#include "cache_metrics.h"

/* NULL, or what is wrong: a sentence that is good until the same thread asks again. */
const char *cost_check(const struct cm_ops *ops);

#endif
