/* CLOCK: a ring, a bit for each object, and a hand: LRU from far away.
 *
 * Idea       The objects stand in a ring, and the hand points at the oldest. A hit sets the object's bit. The hand
 *            clears the bit of the object that it points at and goes on, or evicts it when it has none. A new object
 *            takes the place behind the hand, where it comes by last.
 *            The same as a queue in which what was hit comes in again in front ("second chance", "FIFO reinsertion").
 * Cost       A hit writes one word. An eviction looks at as many objects as hits set bits, so at most one more a hit;
 *            nothing is moved.
 * Gets wrong A new object stays for a whole turn, also one that nobody asks for again, in between those that survived:
 *            there SIEVE does better. One bit does not tell once from a thousand times. When everything has been hit
 *            it is FIFO.
 * Source     Corbato 1968, "A paging experiment with the Multics system".
 */
#include "hand.h"

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct hand_cache), 1, 0, cache);
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    return hand_request(cache, r, evicted, true);
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(clock, "clock", "a hand gives what was hit a second chance", &ops);
