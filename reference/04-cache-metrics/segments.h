/* segments.h: a cache of several lists, each of which has a size: what SLRU, 2Q, ARC, S3-FIFO and W-TinyLFU have in
 * common.
 *
 * An object's note says which list it is on, in its two lower bits; the others are the cache's. Objects on lists of
 * ghosts are keys only: they are in the index, but not in what the store keeps.
 */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#include "store.h"

enum { SEGMENTS_MOST = 4 };

struct segments {
    struct store store;
    uint64_t size[SEGMENTS_MOST]; /* of all objects on each list */
};

static inline uint32_t segment_of(const struct segments *c, uint32_t n)
{
    return c->store.object[n].note % SEGMENTS_MOST;
}

static inline void segment_leave(struct segments *c, uint32_t n)
{
    c->size[segment_of(c, n)] -= c->store.object[n].size;
    list_unlink(&c->store, n);
}

/* In front, and the rest of its note is 0. */
static inline void segment_enter(struct segments *c, uint32_t list, uint32_t n)
{
    c->store.object[n].note = list;
    c->size[list] += c->store.object[n].size;
    list_push(&c->store, list, n);
}

static inline bool segment_empty(const struct segments *c, uint32_t list)
{
    return list_last(&c->store, list) == list;
}

/* An object that is kept goes, and nobody is told. */
static inline void segment_remove(struct segments *c, uint32_t n)
{
    segment_leave(c, n);
    store_release(&c->store, n);
}

static inline void segment_evict(struct segments *c, uint32_t n, struct cm_evicted *evicted)
{
    cm_evict(evicted, c->store.object[n].key);
    segment_remove(c, n);
}

/* The object is evicted, and its key remembered on a list of ghosts. */
static inline void segment_haunt(struct segments *c, uint32_t ghosts, uint32_t n, struct cm_evicted *evicted)
{
    cm_evict(evicted, c->store.object[n].key);
    segment_leave(c, n);
    c->store.kept -= c->store.object[n].size;
    segment_enter(c, ghosts, n);
}

/* A key that was only remembered is forgotten. */
static inline void segment_drop(struct segments *c, uint32_t n)
{
    segment_leave(c, n);
    store_forget(&c->store, n);
}

/* An LRU list of what was hit again, and one for all others: a hit moves to the first, and what that is too much goes
 * to the front of the second. */
static inline void segment_protect(struct segments *c, uint32_t n, uint32_t guarded, uint32_t probation, uint64_t most)
{
    segment_leave(c, n);
    segment_enter(c, guarded, n);
    while (c->size[guarded] > most) {
        const uint32_t last = list_last(&c->store, guarded);
        segment_leave(c, last);
        segment_enter(c, probation, last);
    }
}

#endif
