/* parts.h: the claims of lab 04, by subject; claims.c puts them in a row. */
#ifndef PARTS_H
#define PARTS_H

#include "report/claims.h"

extern const struct claim_part part_article;   /* what a hit ratio does not say */
extern const struct claim_part part_policies;  /* who is evicted, and what that costs */
extern const struct claim_part part_curves;    /* misses at every size */
extern const struct claim_part part_recompute; /* what happens when a value expires */
extern const struct claim_part part_live;      /* a real database */

#endif
