/* parts.h: the claims of lab 08, by subject; claims.c puts them in a row. */
#ifndef PARTS_H
#define PARTS_H

#include "base/memory.h"
#include "report/claims.h"

extern const struct claim_part part_memory;  /* what each way of computing takes, and where it dies */
extern const struct claim_part part_exact;   /* what is computed in blocks is what is computed at once */
extern const struct claim_part part_traffic; /* what goes round */
extern const struct claim_part part_balance; /* who has how much to do under a mask */
extern const struct claim_part part_overlap; /* what is hidden behind what */
extern const struct claim_part part_here;    /* the same on this machine's clock */
extern const struct claim_part part_misses;  /* what the caches see of it */

#endif
