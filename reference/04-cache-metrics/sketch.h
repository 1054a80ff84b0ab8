/* sketch.h: about how often each of many keys was asked for of late, in little room: a count-min sketch that ages.
 *
 * Idea    A key has four counters of 4 bits, chosen by its hash. The least of them is the estimate: other keys may have
 *         added to it, nobody takes away. A request adds 1 to those that are the least; the others are too high
 *         already. After ten times as many requests as there are objects all counters are halved: what was long ago
 *         fades.
 * Cost    8 bytes an object; a key's counters are in one line of memory. Halving costs a fraction of a nanosecond for
 *         each request since the last time.
 * Growing Twice the table is the table twice: each key finds the counts that it had.
 * Source  Cormode & Muthukrishnan 2005 (count-min); Estan & Varghese 2002 (adding to the least alone); Einziger,
 *         Friedman & Manes 2017 (aging); Putze, Sanders & Singler 2007 (blocks of one line).
 */
#ifndef SKETCH_H
#define SKETCH_H

#include "store.h"

struct sketch {
    uint64_t *word; /* [8 blocks], 16 counters each */
    uint32_t blocks;
    uint64_t added;
};

static inline size_t sketch_bytes(const struct sketch *k)
{
    return 8 * sizeof *k->word * k->blocks;
}

/* At least so many objects; false: no memory, and it is as it was. */
static inline bool sketch_fit(struct sketch *k, uint32_t objects)
{
    while (8 * (uint64_t)k->blocks < objects) {
        const uint32_t blocks = k->blocks ? 2 * k->blocks : 8;
        const size_t half = sketch_bytes(k);
        uint64_t *word = store_space(8 * sizeof *word * blocks);
        if (!word)
            return false;
        if (half) {
            memcpy(word, k->word, half);
            memcpy(word + 8 * (size_t)k->blocks, k->word, half);
        } else {
            memset(word, 0, 8 * sizeof *word * blocks);
        }
        free(k->word);
        k->word = word;
        k->blocks = blocks;
    }
    return true;
}

/* Counter `i` of a key: in word 2 i or 2 i + 1 of its block, and there in one of 16 places. */
struct sketch_counter {
    uint64_t *word;
    uint32_t shift;
};

static inline struct sketch_counter sketch_counter(const struct sketch *k, uint64_t hash, uint32_t i)
{
    const uint32_t bits = (uint32_t)(hash >> (32 + 8 * i));
    return (struct sketch_counter){.word = &k->word[8 * (size_t)(hash & (k->blocks - 1)) + 2 * (size_t)i + (bits & 1)],
                                   .shift = (bits >> 1 & 15) * 4};
}

static inline uint32_t sketch_count(struct sketch_counter c)
{
    return (uint32_t)(*c.word >> c.shift) & 15;
}

/* Not the hash of the index: its upper bits say where a key is there. */
static inline uint64_t sketch_hash(uint64_t key)
{
    const uint64_t h = store_hash(key) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

static inline uint32_t sketch_estimate(const struct sketch *k, uint64_t key)
{
    const uint64_t hash = sketch_hash(key);
    uint32_t least = 15;
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t count = sketch_count(sketch_counter(k, hash, i));
        least = count < least ? count : least;
    }
    return least;
}

static inline void sketch_halve(struct sketch *k)
{
    for (size_t i = 0; i < 8 * (size_t)k->blocks; i++)
        k->word[i] = k->word[i] >> 1 & UINT64_C(0x7777777777777777);
    k->added /= 2;
}

static inline void sketch_add(struct sketch *k, uint64_t key)
{
    const uint64_t hash = sketch_hash(key);
    const uint32_t least = sketch_estimate(k, key);
    for (uint32_t i = 0; i < 4; i++) {
        const struct sketch_counter c = sketch_counter(k, hash, i);
        *c.word += (uint64_t)(least < 15 && sketch_count(c) == least) << c.shift;
    }
    if (++k->added >= 10 * 8 * (uint64_t)k->blocks)
        sketch_halve(k);
}

#endif
