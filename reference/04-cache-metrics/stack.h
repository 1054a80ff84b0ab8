/* stack.h: LRU stack distances: how many different keys were asked for since the last request for this one.
 *
 * Idea    Each request has a position, one after the other, and a bit for each position says whether it is the last
 *         request of its key. The distance is the number of bits from the key's last position on (Bennett & Kruskal
 *         1975). Bits are counted in blocks of 512, a line of memory; of the blocks' sums there is a Fenwick tree.
 * Cost    O(log n) for n keys: for a million, eight words of one block and two walks of 13 steps in a tree that stays
 *         in the first cache. When the positions are used up, the bits are moved together; there are at least twice as
 *         many as keys, so that costs O(1) a request. 48 to 60 bytes a key.
 */
#ifndef STACK_H
#define STACK_H

#include "store.h"

enum { STACK_LINE = 8 }; /* words of a block */

struct stack {
    struct store *store; /* of keys; on no list: an object's prev is the position of its last request */
    uint64_t *bits;      /* [STACK_LINE blocks] */
    uint32_t *sum;       /* [blocks + 1] Fenwick tree */
    uint32_t *at;        /* [512 blocks] whose position it is */
    uint32_t blocks;     /* a power of two */
    uint32_t next, live; /* the next position; how many bits are set */
};

int stack_create(struct stack *s); /* 0; -ENOMEM */
void stack_end(struct stack *s);   /* also after a create that failed */

/* A request. Gives the object, or 0: no memory. *distance: 1 for the key that was asked for last; 0: never yet. */
uint32_t stack_ask(struct stack *s, uint64_t key, uint32_t *distance);
/* As if it had never been asked for. */
void stack_forget(struct stack *s, uint32_t n);

#endif
