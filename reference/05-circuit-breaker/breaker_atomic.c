/* Atomic breaker: the count breaker for many threads, without a lock while all is well.
 *
 * Idea       Successes are counted by one atomic addition; failures take a lock, put down what was counted, and judge.
 *            successes.h says why that is exact.
 * Cost       allow: a load. record: a load and an addition. 8 bytes for each call of the window, touched where calls fail.
 * Gets wrong All threads add to one counter, so its line travels from core to core with each call: breaker_sharded.c. When
 *            many calls fail, and the breaker may not open (a threshold of 90 % at 50 % failures), each of them takes the lock.
 * Source     The state and generation in one word: resilience4j's atomic reference to a state object. Its lock-free
 *            windows lose to its own locked ones at two threads, since each outcome allocates and swaps: here nothing is
 *            swapped.
 */
#include "successes.h"

static int create(const struct cb_breaker_config *config, void **breaker)
{
    return successes_create(config, 1, breaker);
}

static void record(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency)
{
    successes_record(breaker, 0, ticket, now, outcome, latency);
}

static const struct cb_breaker_ops ops = {.create = create,
                                          .destroy = successes_destroy,
                                          .allow = successes_allow,
                                          .record = record,
                                          .state = successes_state,
                                          .bytes = successes_bytes,
                                          .can = CB_THREADS};
CB_BREAKER(breaker_atomic, "breaker-atomic", "the count breaker for threads: successes are one addition", &ops);
