/* fleet_server.h: one simulated server: what it holds and when its next request is done. Private to the fleet.
 *
 * First come, first served (FIFO): a ring of requests; only the head is worked on, so only the head has a time at which
 * it ends. Its work counts down only when something changes under way (settle); otherwise the end that was computed at
 * its start stands.
 *
 * Processor sharing: of n requests, each gets 1/n of the speed. To count down n of them at each event would cost O(n),
 * so the server keeps one number, the service that a request present since the busy period began would have attained; a
 * request that comes at attained service a with work w is done when the number reaches a + w, whatever else comes and
 * goes. So the requests stand in a heap by that mark and an event costs O(log n). The number starts at 0 with each busy
 * period, which keeps it small and so exact.
 *
 * Invariant: while a server works (holds something and is not stopped), books are right up to `since`: busy_ns, the
 * head's work, attained. Ends are rounded to whole nanoseconds once for each request.
 */
#ifndef FLEET_SERVER_H
#define FLEET_SERVER_H

#include <stdbool.h>
#include <stdint.h>

/* 146 years. No event may be later, so that the sum of two times never overflows. */
#define FLEET_FOREVER ((uint64_t)1 << 62)

enum server_health { SERVER_WELL, SERVER_FAILING, SERVER_STOPPED, SERVER_REFUSING };

struct pending {
    double work;      /* FIFO: units left to do; processor sharing: the attained service at which it is done */
    uint64_t arrival; /* ns */
    uint64_t ticket;  /* all requests that were taken in are numbered: the order between equals, and its place among the
                         timeouts */
    uint32_t balancer;
    uint32_t measured; /* 0 during the warm-up */
};

/* What each event touches: one cache line. */
struct server {
    struct pending *queue; /* FIFO: ring; processor sharing: heap. 1 << bits places */
    double ns_per_unit;    /* 1e9 / speed of the moment */
    uint64_t since;
    double attained;
    uint64_t busy_ns; /* time spent working */
    uint64_t ok;
    uint32_t head, held;
    uint32_t longest;
    uint8_t bits;
    uint8_t member;
    uint8_t health;  /* enum server_health */
    uint8_t sharing; /* enum fleet_discipline */
};
_Static_assert(sizeof(struct server) == 64, "a server's hot part is one cache line");

int server_create(struct server *s, uint32_t sharing); /* 0 or -ENOMEM */
void server_destroy(struct server *s);
int server_grow(struct server *s);
void server_share(struct server *s, struct pending p, uint64_t now);
struct pending server_finish_shared(struct server *s, uint64_t now);
void server_settle(struct server *s, uint64_t now);
void server_sort(struct server *s); /* all it holds into queue[0 …], oldest first */

static inline bool server_works(const struct server *s)
{
    return s->held && s->health != SERVER_STOPPED;
}

static inline uint64_t server_duration(const struct server *s, double work)
{
    const double ns = work * s->ns_per_unit + 0.5;
    return ns < (double)FLEET_FOREVER ? (uint64_t)(int64_t)ns : FLEET_FOREVER;
}

/* When the next request is done if nothing changes; books are settled up to now. UINT64_MAX: never. */
static inline uint64_t server_next_end(const struct server *s, uint64_t now)
{
    if (!server_works(s))
        return UINT64_MAX;
    if (s->sharing)
        return now + server_duration(s, (s->queue[0].work - s->attained) * (double)s->held);
    return now + server_duration(s, s->queue[s->head].work);
}

/* Takes a request in. True: the time of the next end is another one now. -ENOMEM is reported as *failed. */
static inline bool server_accept(struct server *s, struct pending p, uint64_t now, int *failed)
{
    if (s->held >> s->bits && (*failed = server_grow(s)) != 0)
        return false;
    if (s->sharing) {
        server_share(s, p, now);
        return true;
    }
    const uint32_t mask = (1u << s->bits) - 1;
    s->queue[(s->head + s->held) & mask] = p;
    if (s->held++)
        return false;
    s->since = now;
    return true;
}

/* The request that is done now. */
static inline struct pending server_finish(struct server *s, uint64_t now)
{
    if (s->sharing)
        return server_finish_shared(s, now);
    const struct pending p = s->queue[s->head];
    s->head = (s->head + 1) & ((1u << s->bits) - 1);
    s->held--;
    s->busy_ns += now - s->since;
    s->since = now;
    return p;
}

#endif
