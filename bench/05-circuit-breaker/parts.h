/* parts.h: the claims of lab 05, by subject; claims.c puts them in a row. */
#ifndef PARTS_H
#define PARTS_H

#include "report/claims.h"

extern const struct claim_part part_retries; /* what retries do to a service that was down */
extern const struct claim_part part_cures;   /* what heals it */
extern const struct claim_part part_counts;  /* amplification, chance, threads that wait, bulkheads */
extern const struct claim_part part_event;   /* 20 September 2015 */
extern const struct claim_part part_nginx;   /* a real upstream that is slow, gone, and back */
extern const struct claim_part plots_time;   /* goodput and load against time */
extern const struct claim_part plots_phase;  /* heals or never, by load and length of the fault */

#endif
