/* recall_needle.h: sentences that stand in a text once, at known places: does attention find them?
 *
 * A needle is a row of words of the text itself, drawn as often as they occur in it, in an order that occurs nowhere:
 * so nothing but its place tells it from the text. It replaces as many words there. Its first words are the question;
 * those behind them are the answer, asked for word by word, each after the right ones. A needle is found when every one
 * of them comes out: then, and only then, does who is given the question and writes on write the sentence.
 */
#ifndef RECALL_NEEDLE_H
#define RECALL_NEEDLE_H

#include "recall_text.h"

#include <stdbool.h>

#define RECALL_DEPTHS      11u                   /* 0, 10, ... 100 % of the text */
#define RECALL_ANSWER      4u                    /* words */
#define RECALL_EACH        64u                   /* needles of a depth, at most */
#define RECALL_MOST_NEEDLE (16u + RECALL_ANSWER) /* words of one */

struct recall_needles {
    uint32_t context; /* words of a question */
    uint32_t each;    /* at each depth, side by side */
    uint32_t count;   /* RECALL_DEPTHS x each */
    size_t at[RECALL_DEPTHS * RECALL_EACH];
    uint32_t questions;                                                 /* count x RECALL_ANSWER */
    const uint32_t *after[RECALL_DEPTHS * RECALL_EACH * RECALL_ANSWER]; /* as struct recall_pass has them: what is
                                                                          right stands there */
};

/* How many words a text must have for so many at each depth: they take at most half of it. */
size_t recall_needles_room(uint32_t context, uint32_t each);

/* Plants them into the text. 0; -ENOSPC: it has not the room; -EDEADLK and a sentence: no order of its words was found
 * that does not occur. */
int recall_plant(struct recall_text *text, uint32_t context, uint32_t each, uint64_t seed, struct recall_needles *out,
                 struct error *err);

/* Of each depth, how many were found, from what was read for each question. */
void recall_score(const struct recall_needles *needles, const uint32_t *read, uint32_t found[RECALL_DEPTHS]);

/* Where words stand in a row: how often, and before which token the first and the last of these places is. */
struct recall_places {
    uint64_t count;
    size_t first, last;
};
struct recall_places recall_where(const struct recall_text *text, const uint32_t *words, uint32_t n);
/* The place that has most of the words that stand before `after`, each in its own place: how many; the first such. */
uint32_t recall_nearest(const struct recall_text *text, const uint32_t *after, uint32_t context, size_t *place);

/* `found` of n: the interval that holds the true ratio, but for a probability of 5 %, whatever it is (Clopper & Pearson
 * 1934). */
void recall_interval(uint32_t found, uint32_t n, double *low, double *high);

#endif
