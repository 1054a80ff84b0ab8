/* successes.h: a count window for many threads, in which a success is one addition to a counter.
 *
 * A window tells its successes apart by nothing but their number. And a success never opens a breaker that has enough
 * calls to judge by: it makes the share of failures smaller, or leaves it. So successes are only counted, without a lock;
 * whoever brings a failure or a slow call takes the lock, first puts down as many successes as have been counted, then his
 * own outcome, and judges. Nothing is estimated: it is the count breaker, late by nothing that could be seen.
 *
 * The window under the lock is a list of what was no success, each with its number: those that are window_calls old fall
 * off. A million successes are one addition there as well.
 *
 * What threads may see: a success whose thread was stopped between finding the breaker closed and counting it is counted
 * later, if need be in the next stay; one for each such thread.
 *
 * How many counters there are, and who uses which, is the entry's: breaker_atomic.c, breaker_sharded.c.
 */
#ifndef SUCCESSES_H
#define SUCCESSES_H

#include "machine.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LINE 128 /* two lines of 64, since processors fetch them in pairs */

struct successes_count {
    _Alignas(LINE) _Atomic uint64_t n; /* not yet put down */
};

struct successes {
    /* Read by all, written at changes of state: generation x 8 + SURE + state. */
    _Alignas(LINE) _Atomic uint64_t word;
    _Atomic uint64_t since;
    uint64_t open_ns, slow_ns;
    uint32_t places;
    /* Under the lock: */
    _Alignas(LINE) pthread_mutex_t lock;
    struct machine machine;
    uint64_t calls;  /* put down since it closed */
    uint64_t *other; /* [window_calls], a ring: number of the call x 4 + what it was */
    uint32_t first, others;
    uint32_t failures, slow; /* among them */
    struct successes_count count[];
};

enum { OTHER_FAILED = 1, OTHER_SLOW = 2, SURE = 4 /* enough calls to judge by */ };

static inline uint32_t successes_window(const struct successes *s)
{
    return s->machine.config.window_calls;
}

/* After each change under the lock. */
static inline void successes_tell(struct successes *s)
{
    const struct machine *m = &s->machine;
    const bool sure = m->state == CB_CLOSED && s->calls >= m->config.least_calls;
    const uint64_t word = m->generation * 8 + (sure ? SURE : 0) + m->state;
    if (atomic_load_explicit(&s->word, memory_order_relaxed) == word)
        return;
    atomic_store_explicit(&s->since, m->since, memory_order_relaxed);
    atomic_store_explicit(&s->word, word, memory_order_release);
}

static inline int successes_create(const struct cb_breaker_config *config, uint32_t places, void **breaker)
{
    struct machine m;
    if (!machine_begin(&m, config) || config->window_calls < 1 || config->window_calls > MACHINE_MOST_CALLS)
        return -EINVAL;
    struct successes *s = aligned_alloc(LINE, sizeof *s + places * sizeof s->count[0]);
    uint64_t *other = malloc(config->window_calls * sizeof *other); /* touched as far as there are failures */
    if (!s || !other) {
        free(s);
        free(other);
        return -ENOMEM;
    }
    *s = (struct successes){
        .machine = m, .open_ns = config->open_ns, .slow_ns = config->slow_ns, .places = places, .other = other};
    for (uint32_t i = 0; i < places; i++)
        atomic_init(&s->count[i].n, 0);
    pthread_mutex_init(&s->lock, NULL);
    *breaker = s;
    return 0;
}

static inline void successes_destroy(void *breaker)
{
    struct successes *s = breaker;
    pthread_mutex_destroy(&s->lock);
    free(s->other);
    free(s);
}

/* Threads read their clocks before they come here: one may be a little behind what another has brought. */
static inline uint64_t successes_time(const struct successes *s, uint64_t now)
{
    return now > s->machine.since ? now : s->machine.since;
}

static inline struct cb_permit successes_allow(void *breaker, uint64_t now)
{
    struct successes *s = breaker;
    const uint64_t word = atomic_load_explicit(&s->word, memory_order_acquire);
    if (word % 4 == CB_CLOSED)
        return (struct cb_permit){true, word / 8};
    if (word % 4 == CB_OPEN) { /* refusing writes nothing, so a crowd that is refused shares the line */
        const uint64_t since = atomic_load_explicit(&s->since, memory_order_relaxed);
        if (now < since || now - since < s->open_ns)
            return (struct cb_permit){false, 0};
    }
    pthread_mutex_lock(&s->lock);
    const struct cb_permit permit = machine_allow(&s->machine, successes_time(s, now));
    successes_tell(s);
    pthread_mutex_unlock(&s->lock);
    return permit;
}

/* ---- under the lock ---- */

static inline void successes_drop_first(struct successes *s)
{
    const uint64_t was = s->other[s->first];
    s->failures -= (was & OTHER_FAILED) != 0;
    s->slow -= (was & OTHER_SLOW) != 0;
    s->first = s->first + 1 == successes_window(s) ? 0 : s->first + 1;
    s->others--;
}

/* n more calls; what is too old falls off. */
static inline void successes_go_on(struct successes *s, uint64_t n)
{
    s->calls += n;
    while (s->others > 0 && s->other[s->first] / 4 + successes_window(s) < s->calls)
        successes_drop_first(s);
}

static inline void successes_put_down(struct successes *s)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s->places; i++)
        if (atomic_load_explicit(&s->count[i].n, memory_order_relaxed) > 0)
            n += atomic_exchange_explicit(&s->count[i].n, 0, memory_order_relaxed);
    successes_go_on(s, n);
}

static inline void successes_put_other(struct successes *s, bool failed, bool slow)
{
    const uint64_t number = s->calls;
    successes_go_on(s, 1);
    uint32_t at = s->first + s->others++;
    at -= at >= successes_window(s) ? successes_window(s) : 0;
    s->other[at] = number * 4 + (failed ? OTHER_FAILED : 0) + (slow ? OTHER_SLOW : 0);
    s->failures += failed;
    s->slow += slow;
}

static inline void successes_empty(struct successes *s)
{
    successes_put_down(s);
    s->calls = 0;
    s->first = s->others = s->failures = s->slow = 0;
}

static inline void successes_judge(struct successes *s, uint64_t now)
{
    const uint32_t window = successes_window(s);
    const struct tally t = {
        .calls = s->calls < window ? (uint32_t)s->calls : window, .failures = s->failures, .slow = s->slow};
    if (t.calls >= s->machine.config.least_calls && machine_is_bad(&s->machine, &t))
        machine_open(&s->machine, now);
}

static inline void successes_record_slowly(struct successes *s, uint64_t ticket, uint64_t now, enum cb_outcome outcome,
                                           bool slow)
{
    struct machine *m = &s->machine;
    const bool failed = machine_failed(outcome);
    pthread_mutex_lock(&s->lock);
    now = successes_time(s, now);
    if (ticket != m->generation) {
        /* of an earlier stay */
    } else if (outcome == CB_IGNORED) {
        m->permits += m->state == CB_HALF_OPEN;
    } else if (m->state == CB_HALF_OPEN) {
        if (machine_probe_ended(m, now, failed, slow))
            successes_empty(s);
    } else {
        successes_put_down(s);
        if (failed || slow)
            successes_put_other(s, failed, slow);
        else
            successes_go_on(s, 1);
        successes_judge(s, now);
    }
    successes_tell(s);
    pthread_mutex_unlock(&s->lock);
}

/* ---- without it ---- */

/* place: the counter to use. */
static inline void successes_record(struct successes *s, uint32_t place, uint64_t ticket, uint64_t now,
                                    enum cb_outcome outcome, uint64_t latency)
{
    const uint64_t word = atomic_load_explicit(&s->word, memory_order_acquire);
    if (word / 8 != ticket)
        return;
    if (outcome == CB_SUCCESS && latency < s->slow_ns && word % 8 == SURE + CB_CLOSED)
        atomic_fetch_add_explicit(&s->count[place].n, 1, memory_order_relaxed);
    else if (outcome != CB_IGNORED || word % 4 == CB_HALF_OPEN)
        successes_record_slowly(s, ticket, now, outcome, latency >= s->slow_ns);
}

static inline enum cb_state successes_state(const void *breaker)
{
    return (enum cb_state)(atomic_load_explicit(&((const struct successes *)breaker)->word, memory_order_relaxed) % 4);
}

static inline size_t successes_bytes(const void *breaker)
{
    const struct successes *s = breaker;
    return sizeof *s + s->places * sizeof s->count[0] + successes_window(s) * sizeof *s->other;
}

#endif
