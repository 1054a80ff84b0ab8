/* parts.h: the claims of lab 04, by subject; claims.c puts them in a row. */
#ifndef PARTS_H
#define PARTS_H

#include "report/claims.h"

extern const struct claim_part part_ratio;    /* what a hit ratio says of time and of the origin's work */
extern const struct claim_part part_cost;     /* caches that know what a miss costs */
extern const struct claim_part part_policy;   /* who goes: laws and limits of the policies */
extern const struct claim_part part_curve;    /* hit ratios of all sizes at once, and by formula */
extern const struct claim_part part_expiry;   /* who computes when a value expires */
extern const struct claim_part part_waiting;  /* and who waits for it */
extern const struct claim_part part_database; /* a real database behind a cache, on this machine */

#endif
