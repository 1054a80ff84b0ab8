/* origin.c: a pool of connections, first come first served: when each query came, began and ended. */
#include "origin.h"

#include "base/error.h"
#include "base/memory.h"
#include "sim/event_queue.h"

#include <stdlib.h>

struct query {
    uint64_t came, began, ended;
};

struct origin {
    uint32_t pool, n, room;
    struct query *query;
    struct event_queue *ends; /* of connections that are in use, or were when somebody asked last */
};

struct origin *origin_create(uint32_t pool)
{
    struct origin *o = xcalloc(1, sizeof *o);
    o->pool = pool;
    if (event_queue_create(pool, &o->ends) != 0)
        error_exit(EXIT_CANNOT_TELL, "no memory for a pool of connections");
    return o;
}

void origin_destroy(struct origin *o)
{
    event_queue_destroy(o->ends);
    free(o->query);
    free(o);
}

/* With a pool each query but the first ones takes over the connection that is free first. */
static uint64_t begins(struct origin *o, uint64_t now, uint64_t takes)
{
    uint64_t begin = now;
    struct event end;
    if (o->pool == 0)
        return now;
    if (event_queue_size(o->ends) == o->pool && event_queue_pop(o->ends, &end) && end.time > now)
        begin = end.time;
    if (event_queue_push(o->ends, begin + takes, 0) != 0)
        error_exit(EXIT_CANNOT_TELL, "no memory for a connection");
    return begin;
}

void origin_ask(struct origin *o, uint64_t now, uint64_t takes)
{
    if (o->n == o->room) {
        o->room = o->room ? 2 * o->room : 1024;
        o->query = xrealloc(o->query, o->room, sizeof *o->query);
    }
    const uint64_t begin = begins(o, now, takes);
    o->query[o->n++] = (struct query){now, begin, begin + takes};
}

double origin_busy(const struct origin *o, uint64_t from, uint64_t until)
{
    uint64_t busy = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const uint64_t begin = o->query[i].began > from ? o->query[i].began : from,
                       end = o->query[i].ended < until ? o->query[i].ended : until;
        busy += end > begin ? end - begin : 0;
    }
    return (double)busy / (double)(until - from);
}

uint32_t origin_waiting(const struct origin *o, uint64_t now)
{
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < o->n; i++)
        waiting += o->query[i].came <= now && now < o->query[i].began;
    return waiting;
}
