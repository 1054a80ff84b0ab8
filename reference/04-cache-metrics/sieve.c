/* SIEVE: a queue, a bit for each object, and a hand that sifts.
 *
 * Idea       New objects come in front. A hit sets the object's bit and moves nothing. The hand goes from the back to
 *            the front: where the bit is set it clears it and goes on, and what it finds without one is evicted. The
 *            hand stays there: what is behind it has survived, what is in front of it came later.
 * Against CLOCK: the survivors stay where they are, so new objects do not come between them, and one that is never
 *            asked for again meets the hand soon. That is quick demotion.
 * Law        Until the hand first comes round, it evicts exactly what LFU does that counts only while objects are kept
 *            and takes the oldest among equals: both evict the oldest of those that were never hit.
 * Cost       A hit writes one word. An eviction looks at as many objects as hits set bits, so at most one more a hit.
 * Gets wrong A scan is let in, and sweeps out what has not been hit since the hand was there last. A working set that
 *            comes back period after period, each object hit once, can drive its hit ratio towards zero.
 * Source     Zhang, Yang, Yue, Vigfusson & Rashmi 2024, "SIEVE is simpler than LRU" (NSDI).
 */
#include "hand.h"

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct hand_cache), 1, 0, cache);
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    return hand_request(cache, r, evicted, false);
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(sieve, "sieve", "a hand sifts a queue: what was hit stays where it is", &ops);
