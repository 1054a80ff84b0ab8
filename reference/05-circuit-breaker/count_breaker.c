/* Count breaker: opens when too many of the last so many calls failed or were slow.
 *
 * Idea       A ring of the last window_calls outcomes, two bits each, and the sums of what is in it: an outcome that comes
 *            takes the place of the oldest.
 * Cost       O(1) a call, whatever the window; window_calls / 4 bytes.
 * Gets wrong A window of calls has no time: on a quiet line yesterday's failures still count. (time_breaker.c) With few
 *            calls chance decides: 10 calls that fail with probability 0.2 are half failures or more once in 30 windows.
 * Source     machine.h.
 */
#include "machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FAILED = 1, SLOW = 2 };

struct breaker {
    struct machine machine;
    struct tally window;
    uint32_t at;    /* where the next outcome goes */
    uint8_t ring[]; /* [window_calls / 4] */
};

static int create(const struct cb_breaker_config *config, void **breaker)
{
    struct machine m;
    if (!machine_begin(&m, config) || config->window_calls < 1 || config->window_calls > MACHINE_MOST_CALLS)
        return -EINVAL;
    struct breaker *b = calloc(1, sizeof *b + (config->window_calls + 3) / 4);
    if (!b)
        return -ENOMEM;
    b->machine = m;
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
    memset(b->ring, 0, (b->machine.config.window_calls + 3) / 4);
    b->window = (struct tally){0};
    b->at = 0;
}

static void window_change(struct breaker *b, uint8_t *byte, unsigned shift, unsigned old, unsigned new)
{
    b->window.failures += (new &FAILED) - (old & FAILED);
    b->window.slow += new / SLOW - old / SLOW;
    *byte ^= (uint8_t)((old ^ new) << shift);
}

/* A success in the place of a success, as nearly all are, changes nothing. */
static void window_add(struct breaker *b, unsigned new)
{
    uint8_t *byte = &b->ring[b->at / 4];
    const unsigned shift = b->at % 4 * 2, old = *byte >> shift & 3u;
    if (old != new)
        window_change(b, byte, shift, old, new);
    if (b->window.calls < b->machine.config.window_calls)
        b->window.calls++;
    if (++b->at == b->machine.config.window_calls)
        b->at = 0;
}

/* Ignored, or of a probe: seldom, and apart, so that the usual way is short. */
static __attribute__((noinline)) void record_other(struct breaker *b, uint64_t now, enum cb_outcome outcome, bool slow)
{
    struct machine *m = &b->machine;
    if (outcome == CB_IGNORED)
        m->permits += m->state == CB_HALF_OPEN;
    else if (machine_probe_ended(m, now, machine_failed(outcome), slow))
        window_empty(b);
}

static void record(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency)
{
    struct breaker *b = breaker;
    struct machine *m = &b->machine;
    const bool slow = latency >= m->config.slow_ns;
    if (ticket != m->generation)
        return;
    if (outcome == CB_IGNORED || m->state == CB_HALF_OPEN) {
        record_other(b, now, outcome, slow);
        return;
    }
    window_add(b, (machine_failed(outcome) ? FAILED : 0u) + (slow ? SLOW : 0u));
    const bool some = b->window.failures | b->window.slow; /* else no threshold is reached, as none is 0 */
    if (some && b->window.calls >= m->config.least_calls && machine_is_bad(m, &b->window))
        machine_open(m, now);
}

static enum cb_state state(const void *breaker)
{
    return ((const struct breaker *)breaker)->machine.state;
}

static size_t bytes(const void *breaker)
{
    const struct breaker *b = breaker;
    return sizeof *b + (b->machine.config.window_calls + 3) / 4;
}

static const struct cb_breaker_ops ops = {
    .create = create, .destroy = destroy, .allow = allow, .record = record, .state = state, .bytes = bytes};
CB_BREAKER(count_breaker, "count-breaker", "opens by the last so many calls", &ops);
