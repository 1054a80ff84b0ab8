/* evicted.c: the list that a cache names its evictions in. */
#include "cache_metrics.h"

#include <stdlib.h>

void cm_evicted_more(struct cm_evicted *e)
{
    const uint32_t room = e->room ? 2 * e->room : 16;
    uint64_t *key = realloc(e->key, room * sizeof *key);
    e->failed = e->failed || !key;
    if (!key)
        return;
    e->key = key;
    e->room = room;
}
