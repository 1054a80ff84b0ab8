/* parts.h: the claims of lab 03, by subject; claims.c puts them in a row. */
#ifndef PARTS_H
#define PARTS_H

#include "report/claims.h"

extern const struct claim_part part_movement; /* which keys move when a node joins or leaves */
extern const struct claim_part part_balance;  /* how even the shares are, and who gets what a dead node had */
extern const struct claim_part part_lines;    /* memory that a lookup touches */
extern const struct claim_part part_outage;   /* what movement does to a cache tier */

#endif
