/* The model solution of lab 05: the hand-in with full marks. */
#include "circuit_breaker.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN     1.08 /* on the shortest standstill: arrivals are drawn by chance */
#define FIRST_SPAN 16.0
#define GROWTH     1.3
#define LAST_SPAN  2.0

/* ---- retries: what all of them need, complete ---- */

struct retries {
    struct cb_retry_config config;
    uint64_t saved; /* hundredths of a retry */
};

static int retries_create(const struct cb_retry_config *config, void **retries)
{
    struct retries *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    r->config = *config;
    r->saved = 100 * (uint64_t)config->budget_most;
    *retries = r;
    return 0;
}

static void retries_destroy(void *retries)
{
    free(retries);
}

/* ---- naive retries, complete: at once, until the tries are used up ---- */

static bool naive_retry(void *retries, const struct cb_failed *failed, uint64_t *delay)
{
    const struct retries *r = retries;
    *delay = 0;
    return failed->tries < r->config.most_tries;
}

static const struct cb_retry_ops naive_ops = {
    .create = retries_create, .destroy = retries_destroy, .retry = naive_retry};
CB_RETRY(naive, "naive", "tries again at once", &naive_ops);

/* ---- task 0: break it ---- */

/* While the service stands still, tries pile up: rate a second at first, and once a time-out has gone by every try that was
 * given up is made again. When it goes on, each waits for all that came before. What is in the queue then is too old as soon
 * as it takes longer than the time-out to work it off; and since it is, all of it is tried again. */
static int break_it_make(const struct cb_bounds *bounds, struct cb_fault *fault)
{
    const double timeout = (double)bounds->timeout_ns * 1e-9, rate = (double)bounds->rate;
    const double enough = timeout * 1e9 / (double)bounds->service_ns; /* pieces of work */
    double waiting = 0, seconds = 0;
    const double step = 0.001;
    while (waiting < enough) {
        const double generations = floor(seconds / timeout) + 1;
        waiting += step * rate * (generations < bounds->most_tries ? generations : bounds->most_tries);
        seconds += step;
    }
    *fault = (struct cb_fault){.from = bounds->first, .length = (uint64_t)(MARGIN * seconds * 1e9), .kind = CB_DOWN};
    return 1;
}

static const struct cb_faults_ops break_it_ops = {.make = break_it_make};
CB_FAULTS(break_it, "break-it", "a fault that outlives itself", &break_it_ops);

/* ---- tasks 1 and 2: a breaker by the last so many calls ---- */

struct tally {
    uint32_t calls, failures, slow;
};

/* What both breakers have in common. */
struct machine {
    struct cb_breaker_config config;
    enum cb_state state;
    uint64_t since;      /* open or half-open */
    uint64_t generation; /* counted up at each change: tickets of earlier stays are worth nothing */
    uint32_t permits;    /* half-open: that are left */
    struct tally probes; /* half-open: that are back */
    struct tally window; /* closed */
};

static void machine_change(struct machine *m, enum cb_state state, uint64_t now)
{
    m->state = state;
    m->since = now;
    m->generation++;
    m->permits = m->config.probes;
    m->probes = m->window = (struct tally){0};
}

static struct cb_permit machine_allow(struct machine *m, uint64_t now)
{
    const struct cb_permit refused = {false, 0};
    if (m->state == CB_HALF_OPEN && now - m->since >= m->config.probes_ns)
        machine_change(m, CB_OPEN, now);
    if (m->state == CB_OPEN) {
        if (now - m->since < m->config.open_ns)
            return refused;
        machine_change(m, CB_HALF_OPEN, now);
    }
    if (m->state == CB_HALF_OPEN) {
        if (m->permits == 0)
            return refused;
        m->permits--;
    }
    return (struct cb_permit){true, m->generation};
}

static bool machine_is_bad(const struct machine *m, const struct tally *t)
{
    return 100 * (uint64_t)t->failures >= (uint64_t)m->config.failure_percent * t->calls ||
           100 * (uint64_t)t->slow >= (uint64_t)m->config.slow_percent * t->calls;
}

/* True: the outcome belongs into the window of a closed breaker. */
static bool machine_record(struct machine *m, uint64_t ticket, uint64_t now, enum cb_outcome outcome, bool failed,
                           bool slow)
{
    if (ticket != m->generation)
        return false;
    if (outcome == CB_IGNORED) {
        m->permits += m->state == CB_HALF_OPEN;
        return false;
    }
    if (m->state == CB_CLOSED)
        return true;
    m->probes.calls++;
    m->probes.failures += failed;
    m->probes.slow += slow;
    if (m->probes.calls == m->config.probes)
        machine_change(m, machine_is_bad(m, &m->probes) ? CB_OPEN : CB_CLOSED, now);
    return false;
}

static void machine_conclude(struct machine *m, uint64_t now)
{
    if (m->window.calls >= m->config.least_calls && machine_is_bad(m, &m->window))
        machine_change(m, CB_OPEN, now);
}

static bool is_failure(enum cb_outcome outcome)
{
    return outcome == CB_ERROR || outcome == CB_TIMEOUT;
}

/* The last outcomes in a ring; what is in it is summed up in machine.window. */
struct count_breaker {
    struct machine machine;
    uint32_t at;
    uint8_t ring[]; /* [window_calls]: FAILED | SLOW */
};
enum { FAILED = 1, SLOW = 2 };

static int count_create(const struct cb_breaker_config *config, void **breaker)
{
    struct count_breaker *b = calloc(1, sizeof *b + config->window_calls);
    if (!b)
        return -ENOMEM;
    b->machine.config = *config;
    *breaker = b;
    return 0;
}

static void count_destroy(void *breaker)
{
    free(breaker);
}

static struct cb_permit count_allow(void *breaker, uint64_t now)
{
    return machine_allow(&((struct count_breaker *)breaker)->machine, now);
}

static void count_record(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency)
{
    struct count_breaker *b = breaker;
    struct machine *m = &b->machine;
    const bool failed = is_failure(outcome), slow = latency >= m->config.slow_ns;
    if (!machine_record(m, ticket, now, outcome, failed, slow))
        return;
    uint8_t *place = &b->ring[b->at];
    if (m->window.calls == m->config.window_calls) {
        m->window.failures -= *place & FAILED;
        m->window.slow -= *place / SLOW;
        m->window.calls--;
    }
    *place = (uint8_t)(failed * FAILED + slow * SLOW);
    m->window.calls++;
    m->window.failures += failed;
    m->window.slow += slow;
    b->at = b->at + 1 == m->config.window_calls ? 0 : b->at + 1;
    machine_conclude(m, now);
}

static const struct cb_breaker_ops count_ops = {
    .create = count_create, .destroy = count_destroy, .allow = count_allow, .record = count_record};
CB_BREAKER(count_breaker, "count-breaker", "opens by the last so many calls", &count_ops);

/* ---- task 3: a breaker by the calls of the last so many seconds ---- */

/* A tally for each slice; what is in the window is summed up in machine.window. */
struct time_breaker {
    struct machine machine;
    uint64_t slice_ns, newest; /* newest: the slice that counts now */
    uint64_t stay;             /* the generation that the slices are of */
    struct tally slice[];      /* [slices], by number modulo slices */
};

static int time_create(const struct cb_breaker_config *config, void **breaker)
{
    struct time_breaker *b = calloc(1, sizeof *b + config->slices * sizeof *b->slice);
    if (!b)
        return -ENOMEM;
    b->machine.config = *config;
    b->slice_ns = config->window_ns / config->slices;
    *breaker = b;
    return 0;
}

static void time_destroy(void *breaker)
{
    free(breaker);
}

static struct cb_permit time_allow(void *breaker, uint64_t now)
{
    return machine_allow(&((struct time_breaker *)breaker)->machine, now);
}

/* Slices that come into the window are empty, and what they held before goes. */
static void time_move(struct time_breaker *b, uint64_t now)
{
    struct machine *m = &b->machine;
    const uint64_t slices = m->config.slices, newest = now / b->slice_ns;
    if (b->stay != m->generation || newest - b->newest >= slices) {
        memset(b->slice, 0, slices * sizeof *b->slice);
        m->window = (struct tally){0};
        b->stay = m->generation;
        b->newest = newest;
    }
    while (b->newest < newest) {
        struct tally *t = &b->slice[++b->newest % slices];
        m->window.calls -= t->calls;
        m->window.failures -= t->failures;
        m->window.slow -= t->slow;
        *t = (struct tally){0};
    }
}

static void time_record(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency)
{
    struct time_breaker *b = breaker;
    struct machine *m = &b->machine;
    const bool failed = is_failure(outcome), slow = latency >= m->config.slow_ns;
    if (!machine_record(m, ticket, now, outcome, failed, slow))
        return;
    time_move(b, now);
    struct tally *t = &b->slice[b->newest % m->config.slices];
    t->calls++;
    t->failures += failed;
    t->slow += slow;
    m->window.calls++;
    m->window.failures += failed;
    m->window.slow += slow;
    machine_conclude(m, now);
}

static const struct cb_breaker_ops time_ops = {
    .create = time_create, .destroy = time_destroy, .allow = time_allow, .record = time_record};
CB_BREAKER(time_breaker, "time-breaker", "opens by the calls of the last so many seconds", &time_ops);

/* ---- task 4: full jitter, with a budget ---- */

static bool budget_retry(void *retries, const struct cb_failed *failed, uint64_t *delay)
{
    struct retries *r = retries;
    const double cap = (double)r->config.cap_ns;
    double most = (double)r->config.base_ns;
    for (uint32_t i = 1; i < failed->tries && most < cap; i++)
        most *= 2;
    *delay = (uint64_t)(failed->u * (most < cap ? most : cap));
    if (failed->tries >= r->config.most_tries || failed->now + *delay >= failed->deadline || r->saved < 100)
        return false;
    r->saved -= 100;
    return true;
}

static void budget_succeeded(void *retries, uint64_t now)
{
    struct retries *r = retries;
    const uint64_t most = 100 * (uint64_t)r->config.budget_most;
    (void)now;
    r->saved += r->config.budget_percent;
    if (r->saved > most)
        r->saved = most;
}

static const struct cb_retry_ops budget_ops = {
    .create = retries_create, .destroy = retries_destroy, .retry = budget_retry, .succeeded = budget_succeeded};
CB_RETRY(retry_budget, "retry-budget", "full jitter, paid for by what succeeded", &budget_ops);

/* ---- task 5: shedding ---- */

/* Last come, first served: in overload the newest work is what its caller still waits for. Old work falls off the other
 * end. */
struct shedding {
    uint32_t most, first, n;
    uint32_t id[]; /* a ring of `most`, from old to new */
};

static int shedding_create(const struct cb_queue_config *config, void **queue)
{
    struct shedding *q = calloc(1, sizeof *q + config->most * sizeof *q->id);
    if (!q)
        return -ENOMEM;
    q->most = config->most;
    *queue = q;
    return 0;
}

static void shedding_destroy(void *queue)
{
    free(queue);
}

static bool shedding_arrive(void *queue, uint64_t now, const struct cb_work *work, struct cb_dropped *dropped)
{
    struct shedding *q = queue;
    (void)now;
    if (q->n == q->most) {
        cb_drop(dropped, q->id[q->first]);
        q->first = (q->first + 1) % q->most;
        q->n--;
    }
    q->id[(q->first + q->n++) % q->most] = work->id;
    return true;
}

static uint32_t shedding_take(void *queue, uint64_t now, struct cb_dropped *dropped)
{
    struct shedding *q = queue;
    (void)now;
    (void)dropped;
    return q->n > 0 ? q->id[(q->first + --q->n) % q->most] : CB_NOTHING;
}

static const struct cb_queue_ops shedding_ops = {
    .create = shedding_create, .destroy = shedding_destroy, .arrive = shedding_arrive, .take = shedding_take};
CB_QUEUE(shedding, "shedding", "does what is still of use", &shedding_ops);

/* ---- task 6: a policy of your own for 20 September 2015 ---- */

/* Nobody knows how many others there are, but each knows how often it was in vain: each time the others must be twice as
 * many as it thought. So the time that it draws its next try from grows from many time-outs to the interval of the
 * everyday fetches and beyond, where all of them have room. */
static bool own_retry(void *retries, const struct cb_failed *failed, uint64_t *delay)
{
    const struct retries *r = retries;
    double span = FIRST_SPAN * (double)r->config.base_ns;
    for (uint32_t i = 1; i < failed->tries && span < LAST_SPAN * (double)r->config.cap_ns; i++)
        span *= GROWTH;
    *delay = (uint64_t)(failed->u * span);
    return true;
}

static const struct cb_retry_ops own_ops = {.create = retries_create, .destroy = retries_destroy, .retry = own_retry};
CB_RETRY(own_policy, "own-policy", "my own", &own_ops);
