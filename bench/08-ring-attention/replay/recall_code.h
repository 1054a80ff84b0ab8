/* recall_code.h: keys and values by which attention finds in a text what came after some words: an induction head made
 * by hand, with nothing learned.
 *
 * Idea       A key is a context, its value the word that followed. Who asks with a context of his own gets the values
 *            of the keys that are like it: what came next, the last time these words stood here. Each word has two
 *            codes of d = 128 signs, drawn from the hash of its letters. A value is the word's second code. A key of m
 *            words is made of m slices: the first coordinates from the first code of the last word, the next ones from
 *            that of the word before it, and so on.
 * Invariant  All numbers are 1 or -1: exact in bfloat16 too. q . k = coordinates that agree - those that don't, a
 *            whole number: d for the same m words, and for no others (but by chance, below). So every key with the
 *            same words has the same weight, and
 *
 *                exp(lse - tau d)     how many places have these m words, and what all others weigh beside one of them
 *                out . code(w) / d    how much of the weight says w (and noise: a root mean square of 1/sqrt(d) of the
 *                                     weight that says something else)
 *
 * Cost       The score of a coordinate, tau, must be such that one place outweighs N others. A place that differs in
 *            one word, in a slice of `width` coordinates, agrees in each of them with probability 1/2, and each that
 *            does not costs exp(-2 tau). So it weighs ((1 + exp(-2 tau)) / 2)^width beside the right one, on average.
 *            All N of them together weigh `others`, on average, when
 *
 *                tau = -1/2 log(2 (others / N)^(1 / width) - 1)
 *
 *            There is one only when N / others < 2^width: the codes of two words must differ. For a million places
 *            and others = 1/128 that takes 28 bits for each word: 4 words in 128 coordinates, and tau = 1.08. Places
 *            that differ in more words weigh even less; so in a real text, where few differ in just one, the others
 *            weigh far less than that.
 * Tried      A sum of random vectors, one for each place and word, in place of slices. Then the slices are all of d,
 *            but they disturb each other: the length of a key varies by a tenth, which has to be divided out, and a
 *            tenth of a score is more than what a word is worth.
 * Gets wrong Finds words, not what they mean. A context that differs in a word is unlike all others; the nearest one
 *            has the largest weight, but not by much. Keys are handed their context, where a model has a layer of its
 *            own to bring it there.
 * Source     Olsson et al. 2022 (induction heads); Ramsauer et al. 2020 (what attention can store); Kanerva 2009
 *            (codes of many random signs).
 */
#ifndef RECALL_CODE_H
#define RECALL_CODE_H

#include "recall_text.h"
#include "ring_attention.h"

#define RECALL_D            128u
#define RECALL_BYTES        (RECALL_D / 8)
#define RECALL_MOST_CONTEXT RECALL_BYTES /* a slice has whole bytes */
#define RECALL_OTHERS       (1.0 / 128)  /* what all other places weigh beside the right one, on average */

struct recall_code {
    const struct recall_text *text;
    uint32_t context;                      /* words of a key */
    float tau;                             /* the scale of scores */
    uint8_t (*key)[RECALL_BYTES];          /* [words] signs of the first code: bit 1 is 1, bit 0 is -1 */
    uint8_t (*value)[RECALL_BYTES];        /* [words] of the second */
    uint8_t back[RECALL_BYTES];            /* which word before a place has these coordinates: 0 is the last */
    float as_f32[256][8], as_bf16[256][4]; /* eight signs as they stand in a row (two bfloat16 in a float) */
};

/* Coordinates of the smallest slice of a key of so many words. */
uint32_t recall_width(uint32_t context);
/* As above; NaN where there is none. */
double recall_tau(double places, uint32_t width, double others);
/* The longest context for which there is one; 0: not even for one word. */
uint32_t recall_longest(double places, double others);

/* Codes of all words of a text, of which so many places are keys. 0 or -ENOMEM; -EDOM: there is no tau. */
int recall_code_create(const struct recall_text *text, uint32_t context, double places, uint64_t seed,
                       struct recall_code *out);
void recall_code_free(struct recall_code *code);

/* A row of RECALL_D elements: the key of the words that stand before `after` (a query is the same), and a word's
 * value. */
void recall_key(const struct recall_code *code, const uint32_t *after, enum at_type type, void *row);
void recall_value(const struct recall_code *code, uint32_t word, enum at_type type, void *row);

/* The word that an output says, and how much of the weight says so. Of words that differ by less than 0.002 the first
 * in the text: which one it is must not hang on rounding. */
uint32_t recall_read(const struct recall_code *code, const float *out, double *share);

/* How many places have the words that were asked for, from the log-sum-exp. Less than 1/2: none has. */
double recall_places(const struct recall_code *code, float lse);

#endif
