/* touched.h: how many lines of memory a lookup touches, counted by the host (host/lines.h): the same on every run. */
#ifndef TOUCHED_H
#define TOUCHED_H

#include "base/error.h"

#include <stdint.h>

/* Lines a lookup of this entry of the reference touches on average, with so many nodes, beyond what the world itself
 * does. NaN and why not, where nothing can be counted or the entry can't have so many nodes. May be called on several
 * threads at once. */
double touched_lines(const char *entry, uint32_t nodes, struct error *err);

#endif
