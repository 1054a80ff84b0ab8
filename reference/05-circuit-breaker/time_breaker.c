/* Time breaker: opens when too many of the calls of the last so many seconds failed or were slow.
 *
 * Idea       Time is cut into slices; each has a tally, and the window is the slice of now and those before it. A tally that
 *            is older is taken off the sum when time moves on.
 * Cost       O(1) a call on average: a slice is taken off once. slices x 12 bytes, however many calls there are.
 * Gets wrong The window moves a slice at a time, so it is window_ns long or up to a slice shorter.
 * Source     machine.h; Hystrix's rolling window of ten buckets (Netflix 2012).
 */
#include "machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct breaker {
    struct machine machine;
    struct tally window; /* the sum of all slices */
    uint64_t slice_ns;
    uint64_t slice; /* number of the newest */
    struct tally tally[];
};

static int create(const struct cb_breaker_config *config, void **breaker)
{
    struct machine m;
    if (!machine_begin(&m, config) || config->slices < 1 || config->slices > 1024 ||
        config->window_ns < config->slices || config->window_ns % config->slices != 0)
        return -EINVAL;
    struct breaker *b = calloc(1, sizeof *b + config->slices * sizeof *b->tally);
    if (!b)
        return -ENOMEM;
    b->machine = m;
    b->slice_ns = config->window_ns / config->slices;
    *breaker = b;
    return 0;
}

static void destroy(void *breaker)
{
    free(breaker);
}

static struct cb_permit allow(void *breaker, uint64_t now)
{
    return machine_allow(&((struct breaker *)breaker)->machine, now);
}

static void window_empty(struct breaker *b)
{
    memset(b->tally, 0, b->machine.config.slices * sizeof *b->tally);
    b->window = (struct tally){0};
}

/* Slices up to that of now begin empty; what leaves the window is taken off the sum. */
static void window_move(struct breaker *b, uint64_t now)
{
    const uint64_t slice = now / b->slice_ns, slices = b->machine.config.slices;
    if (slice - b->slice >= slices)
        window_empty(b);
    for (uint64_t i = b->slice + 1; i <= slice && slice - b->slice < slices; i++) {
        struct tally *t = &b->tally[i % slices];
        b->window.calls -= t->calls;
        b->window.failures -= t->failures;
        b->window.slow -= t->slow;
        *t = (struct tally){0};
    }
    b->slice = slice;
}

static void record(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency)
{
    struct breaker *b = breaker;
    struct machine *m = &b->machine;
    const bool failed = machine_failed(outcome), slow = latency >= m->config.slow_ns;
    if (ticket != m->generation)
        return;
    if (outcome == CB_IGNORED) {
        m->permits += m->state == CB_HALF_OPEN;
        return;
    }
    if (m->state == CB_HALF_OPEN) {
        if (machine_probe_ended(m, now, failed, slow))
            window_empty(b);
        return;
    }
    window_move(b, now);
    tally_add(&b->tally[b->slice % m->config.slices], failed, slow);
    tally_add(&b->window, failed, slow);
    if (b->window.calls >= m->config.least_calls && machine_is_bad(m, &b->window))
        machine_open(m, now);
}

static enum cb_state state(const void *breaker)
{
    return ((const struct breaker *)breaker)->machine.state;
}

static size_t bytes(const void *breaker)
{
    const struct breaker *b = breaker;
    return sizeof *b + b->machine.config.slices * sizeof *b->tally;
}

static const struct cb_breaker_ops ops = {
    .create = create, .destroy = destroy, .allow = allow, .record = record, .state = state, .bytes = bytes};
CB_BREAKER(time_breaker, "time-breaker", "opens by the calls of the last so many seconds", &ops);
