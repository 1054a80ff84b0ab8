/* recall_pass.h: attention of some questions over all keys of a text, which are never in memory at once.
 *
 * Keys and values are made from the text a block at a time, given to an entry, and what it found is merged into what
 * was found before: that is what the merge is for. So memory is that of the text and a few blocks, not of a million
 * keys. As a ring it goes the same way, with a ring of ranks in the place of each call: every rank has its share of the
 * questions and of the keys, and all keys go round.
 *
 * The keys are cut into stripes by their number alone, and stripes merged in order: so a result does not depend on how
 * many threads there are.
 */
#ifndef RECALL_PASS_H
#define RECALL_PASS_H

#include "recall_code.h"

#define RECALL_STRIPES 32u

/* How it is computed. */
struct recall_way {
    const struct at_ops *blocks; /* has forward and merge */
    const struct at_ops *ring;   /* has ring_forward; NULL: blocks alone */
    uint32_t ranks;              /* of the ring, on the loop transport */
};

struct recall_pass {
    const struct recall_code *code;
    const uint32_t *const *after; /* [n] each question is: what follows the words that stand before this? */
    uint32_t n;
    size_t first, end; /* the keys: tokens first ... end-1 of the text, each with the words before it */
    float *out, *lse;  /* [n][RECALL_D], [n] */
};

/* Bytes of an element of keys and values: bfloat16 where the entry takes it, since signs are exact in it. */
enum at_type recall_type(const struct recall_way *way);

/* How many steps it takes. */
uint32_t recall_steps(const struct recall_pass *pass);

/* On all cores; done (may be NULL) as parallel_for has it. 0 or -errno, of the entry or -ENOMEM. first >= the code's context. */
int recall_attend(const struct recall_way *way, const struct recall_pass *pass,
                  void (*done)(uint32_t finished, void *context), void *context);

#endif
