/* ledger.h: the judge's own list of what a cache holds, kept from the answers alone.
 *
 * It knows the contract and no policy: a hit is right only for an object that was kept, is not evicted, and is fresh;
 * what is evicted must be there; and the sizes of all that is kept never pass the capacity.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "requests.h"

struct ledger_object {
    uint64_t key, fetched; /* when */
    uint32_t size, cost_us, ttl_ms;
    uint32_t number; /* how many were kept before it, ever */
};

struct ledger;
struct ledger *ledger_create(uint64_t capacity); /* NULL without memory */
void ledger_destroy(struct ledger *ledger);

/* Enters an answer. NULL when the contract allows it; else a sentence that says what is wrong, valid until the next
 * call, and the ledger is not to be used any more. */
const char *ledger_enter(struct ledger *ledger, const struct cm_request *request, const struct answer *answer);

/* What is kept, by key: NULL when it isn't. Is it a hit at this time? */
const struct ledger_object *ledger_find(const struct ledger *ledger, uint64_t key);
bool ledger_is_fresh(const struct ledger_object *object, uint64_t time);

uint64_t ledger_used(const struct ledger *ledger); /* of the capacity */
uint32_t ledger_objects(const struct ledger *ledger);

#endif
