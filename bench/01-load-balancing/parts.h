/* parts.h: the claims and plots of lab 01, part by part; claims.c puts them together. */
#ifndef PARTS_H
#define PARTS_H

#include "report/claims.h"

extern const struct claim_part part_article; /* what round robin does to servers of unequal speed, and what helps */
extern const struct claim_part part_unequal; /* more on unequal servers: fixed splits, and weights that do not help */
extern const struct claim_part part_equal;   /* equal servers: what each piece of knowledge is worth */
extern const struct claim_part part_queues;  /* the queues themselves */
extern const struct claim_part part_trouble; /* old news, failing servers, several balancers */
extern const struct claim_part part_cost;    /* what a pick costs on this machine */

extern const struct claim_part plots_article; /* loss and time against load, on the article's fleet */
extern const struct claim_part plots_choices; /* what each piece of knowledge is worth, on equal servers */
extern const struct claim_part plots_trouble; /* the same three troubles */

#endif
