/* parts.h: the claims of lab 02, by subject; claims.c puts them in a row. */
#ifndef PARTS_H
#define PARTS_H

#include "report/claims.h"

extern const struct claim_part part_window; /* what each rule lets through in the worst window */
extern const struct claim_part part_trace;  /* what the sliding counter's guess is worth on recorded traffic */
extern const struct claim_part part_hot;    /* one hot key, on this machine */
extern const struct claim_part part_bucket; /* buckets, and the timestamp that is one */
extern const struct claim_part part_many;   /* several nodes, several clients, and who stands behind the limiter */
extern const struct claim_part part_remote; /* a real Redis */
extern const struct claim_part plots_window;

#endif
