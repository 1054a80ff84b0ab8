/* Sharded breaker: the count breaker for many threads, with a counter of successes for each core.
 *
 * Idea       breaker_atomic.c, but each core adds to a line of its own, which nobody else writes while all is well. A failure
 *            sums the counters up.
 * Cost       allow: a load from a line that all cores share and nobody writes. record: which core is this?, and an addition
 *            to a line that is here. 128 bytes a core. A failure reads a line of every core.
 * Gets wrong With many failures it is a mutex with a long way to go inside it. A thread that is moved to another core between
 *            asking where it is and adding adds to a line that is elsewhere: slower once, not wrong.
 * Source     Linux's percpu_counter; LongAdder (Lea 2011).
 */
#include "successes.h"

#include <sched.h>
#include <sys/sysinfo.h>

#define MOST_PLACES 256u

static int create(const struct cb_breaker_config *config, void **breaker)
{
    const int cores = get_nprocs_conf();
    return successes_create(config,
                            cores < 1                       ? 1
                            : (uint32_t)cores < MOST_PLACES ? (uint32_t)cores
                                                            : MOST_PLACES,
                            breaker);
}

static void record(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency)
{
    struct successes *s = breaker;
    uint32_t place = (uint32_t)sched_getcpu();
    if (place >= s->places)
        place %= s->places;
    successes_record(s, place, ticket, now, outcome, latency);
}

static const struct cb_breaker_ops ops = {.create = create,
                                          .destroy = successes_destroy,
                                          .allow = successes_allow,
                                          .record = record,
                                          .state = successes_state,
                                          .bytes = successes_bytes,
                                          .can = CB_THREADS};
CB_BREAKER(breaker_sharded, "breaker-sharded", "the count breaker for threads: a counter for each core", &ops);
