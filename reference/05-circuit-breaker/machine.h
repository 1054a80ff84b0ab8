/* machine.h: the three states of a breaker, for any window: closed, open, half-open.
 *
 * What a window knows is how many calls it holds, and how many of them failed or were slow. The machine asks it after
 * each outcome. A generation number says which stay in a state a ticket is from: it is counted up at each change, so what
 * a call of an earlier stay says counts nowhere. That takes one comparison, and no list of calls.
 *
 * Sources: Nygard 2007, "Release it!" (the pattern); Resilience4j's documentation (minimum number of calls, slow calls,
 * permitted calls in half-open); sony/gobreaker (generations).
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "circuit_breaker.h"

#define MACHINE_MOST_CALLS (1u << 20)

struct tally {
    uint32_t calls, failures, slow;
};

struct machine {
    struct cb_breaker_config config;
    enum cb_state state;
    uint64_t generation;
    uint64_t since;      /* open or half-open */
    uint32_t permits;    /* half-open: so many may still go */
    struct tally probes; /* half-open: that came back */
};

/* False: out of bounds. */
static inline bool machine_begin(struct machine *m, const struct cb_breaker_config *c)
{
    const bool percents =
        c->failure_percent >= 1 && c->failure_percent <= 100 && c->slow_percent >= 1 && c->slow_percent <= 100;
    *m = (struct machine){.config = *c, .state = CB_CLOSED};
    return percents && c->least_calls >= 1 && c->open_ns >= 1 && c->probes >= 1 && c->probes <= 10000 &&
           c->probes_ns >= 1;
}

static inline void machine_open(struct machine *m, uint64_t now)
{
    m->state = CB_OPEN;
    m->since = now;
    m->generation++;
}

static inline bool machine_is_bad(const struct machine *m, const struct tally *t)
{
    return 100 * (uint64_t)t->failures >= (uint64_t)m->config.failure_percent * t->calls ||
           100 * (uint64_t)t->slow >= (uint64_t)m->config.slow_percent * t->calls;
}

static inline struct cb_permit machine_allow(struct machine *m, uint64_t now)
{
    if (m->state == CB_CLOSED)
        return (struct cb_permit){true, m->generation};
    if (m->state == CB_HALF_OPEN && now - m->since >= m->config.probes_ns)
        machine_open(m, now); /* some of them are lost, and would hold their permits for ever */
    if (m->state == CB_OPEN) {
        if (now - m->since < m->config.open_ns)
            return (struct cb_permit){false, 0};
        m->state = CB_HALF_OPEN;
        m->since = now;
        m->generation++;
        m->permits = m->config.probes;
        m->probes = (struct tally){0};
    }
    if (m->permits == 0)
        return (struct cb_permit){false, 0};
    m->permits--;
    return (struct cb_permit){true, m->generation};
}

static inline void tally_add(struct tally *t, bool failed, bool slow)
{
    t->calls++;
    t->failures += failed;
    t->slow += slow;
}

/* An outcome that counts while half-open. True: it has closed, and the window is to be emptied. */
static inline bool machine_probe_ended(struct machine *m, uint64_t now, bool failed, bool slow)
{
    tally_add(&m->probes, failed, slow);
    if (m->probes.calls < m->config.probes)
        return false;
    if (machine_is_bad(m, &m->probes)) {
        machine_open(m, now);
        return false;
    }
    m->state = CB_CLOSED;
    m->generation++;
    return true;
}

static inline bool machine_failed(enum cb_outcome outcome)
{
    return outcome == CB_ERROR || outcome == CB_TIMEOUT;
}

#endif
