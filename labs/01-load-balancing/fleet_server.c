/* fleet_server.c: the parts of a server that are not on the fastest path: growth, processor sharing, changes under way.
 *
 * The heap of processor sharing is an ordinary binary one, ordered by mark, and by ticket where marks are equal:
 * requests with equal work that came at the same moment are done in the order they came.
 */
#include "fleet_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BITS = 3 };

static struct pending *places(unsigned bits)
{
    return aligned_alloc(64, sizeof(struct pending) << bits);
}

int server_create(struct server *s, uint32_t sharing)
{
    *s = (struct server){.queue = places(FIRST_BITS), .bits = FIRST_BITS, .sharing = (uint8_t)sharing};
    return s->queue ? 0 : -ENOMEM;
}

void server_destroy(struct server *s)
{
    free(s->queue);
    s->queue = NULL;
}

int server_grow(struct server *s)
{
    if (s->bits == 31)
        return -ENOMEM;
    struct pending *queue = places(s->bits + 1u);
    if (!queue)
        return -ENOMEM;
    const uint32_t first = (1u << s->bits) - s->head; /* the ring is full: from head to its end, then the rest */
    memcpy(queue, s->queue + s->head, first * sizeof *queue);
    memcpy(queue + first, s->queue, (s->held - first) * sizeof *queue);
    free(s->queue);
    s->queue = queue;
    s->head = 0;
    s->bits++;
    return 0;
}

void server_settle(struct server *s, uint64_t now)
{
    if (server_works(s)) {
        const uint64_t elapsed = now - s->since;
        const double units = (double)elapsed / s->ns_per_unit;
        s->busy_ns += elapsed;
        if (s->sharing) {
            const double to = s->attained + units / (double)s->held;
            s->attained = to < s->queue[0].work ? to : s->queue[0].work; /* an end was rounded down */
        } else {
            double *left = &s->queue[s->head].work;
            *left = units < *left ? *left - units : 0;
        }
    }
    s->since = now;
}

static bool sooner(const struct pending *a, const struct pending *b)
{
    return a->work < b->work || (a->work == b->work && a->ticket < b->ticket);
}

void server_share(struct server *s, struct pending p, uint64_t now)
{
    if (s->held == 0)
        s->attained = 0;
    server_settle(s, now);
    p.work += s->attained;
    uint32_t i = s->held++;
    for (; i && sooner(&p, &s->queue[(i - 1) / 2]); i = (i - 1) / 2)
        s->queue[i] = s->queue[(i - 1) / 2];
    s->queue[i] = p;
}

struct pending server_finish_shared(struct server *s, uint64_t now)
{
    server_settle(s, now);
    const struct pending done = s->queue[0], last = s->queue[--s->held];
    s->attained = done.work; /* exactly, so that rounding to nanoseconds does not add up */
    uint32_t i = 0;
    for (uint32_t child = 1; child < s->held; child = 2 * i + 1) {
        if (child + 1 < s->held && sooner(&s->queue[child + 1], &s->queue[child]))
            child++;
        if (!sooner(&s->queue[child], &last))
            break;
        s->queue[i] = s->queue[child];
        i = child;
    }
    s->queue[i] = last;
    return done;
}

static int by_ticket(const void *a, const void *b)
{
    const uint64_t x = ((const struct pending *)a)->ticket, y = ((const struct pending *)b)->ticket;
    return (x > y) - (x < y);
}

void server_sort(struct server *s)
{
    /* A ring is closed up first: its part at the end of the memory moves down to where the wrapped part stops. */
    if (s->head) {
        const uint32_t size = 1u << s->bits;
        const uint32_t wrapped = s->head + s->held > size ? s->head + s->held - size : 0;
        memmove(s->queue + wrapped, s->queue + s->head, (s->held - wrapped) * sizeof *s->queue);
        s->head = 0;
    }
    qsort(s->queue, s->held, sizeof *s->queue, by_ticket);
}
