/* dropped.c: the list that a queue names in what it throws away. */
#include "circuit_breaker.h"

#include <stdlib.h>

void cb_dropped_more(struct cb_dropped *d)
{
    const uint32_t room = d->room ? 2 * d->room : 16;
    uint32_t *id = realloc(d->id, room * sizeof *id);
    d->failed = d->failed || !id;
    if (!id)
        return;
    d->id = id;
    d->room = room;
}
