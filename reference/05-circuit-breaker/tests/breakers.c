/* breakers.c: every breaker against the literal model, and against sequences whose end is known: the transition table of
 * resilience4j's tests (window of 20 s, 5 calls at least, 50 %, 4 probes, 5 s open, 1 s half-open), and gobreaker's rules
 * for late results. */
#include "entries.h"

TestSuite(breakers, .timeout = 120);

static uint64_t below(struct rng *r, uint32_t n)
{
    return rng_below(r, n);
}

static struct cb_breaker_config random_config(struct rng *r)
{
    const uint32_t slices = (uint32_t)(1 + below(r, 6));
    return (struct cb_breaker_config){.window_calls = (uint32_t)(1 + below(r, 1u << below(r, 7))),
                                      .window_ns = slices * (1 + below(r, 30)),
                                      .slices = slices,
                                      .least_calls = (uint32_t)(1 + below(r, 12)),
                                      .failure_percent = (uint32_t)(1 + below(r, 100)),
                                      .slow_percent = (uint32_t)(1 + below(r, 100)),
                                      .slow_ns = below(r, 40),
                                      .open_ns = 1 + below(r, 40),
                                      .probes = (uint32_t)(1 + below(r, 5)),
                                      .probes_ns = 1 + below(r, 60)};
}

struct going {
    uint64_t ticket, stay, began;
};

/* Calls that overlap, end late or never, in windows of a few calls or nanoseconds. */
static void compare(const char *name, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed, 7);
    const struct cb_breaker_config config = random_config(&r);
    struct breaker b = breaker_start(name, &config);
    struct model m;
    struct going going[64];
    uint32_t n = 0, fail_percent = 10 + rng_below(&r, 80);
    uint64_t now = below(&r, 2) ? 0 : (UINT64_C(1) << 62) - 100000;
    model_start(&m, &config, strcmp(name, "time-breaker") == 0);
    for (uint32_t step = 0; step < 3000; step++) {
        now += below(&r, 4) ? 0 : below(&r, 16);
        if (step % 500 == 499)
            fail_percent = rng_below(&r, 100);
        if (n < 64 && below(&r, 2)) {
            uint64_t stay;
            const bool expected = model_allow(&m, now, &stay);
            const struct cb_permit p = ask(&b, now);
            cr_assert(p.allowed == expected, "%s, seed %lu, step %u: allowed %d, by the model %d", name, seed, step,
                      p.allowed, expected);
            if (p.allowed)
                going[n++] = (struct going){p.ticket, stay, now};
        } else if (n > 0) {
            const uint32_t i = rng_below(&r, n);
            const struct going g = going[i];
            const enum cb_outcome outcome = below(&r, 16) == 0                  ? CB_IGNORED
                                            : rng_below(&r, 100) < fail_percent ? CB_ERROR + rng_below(&r, 2)
                                                                                : CB_SUCCESS;
            going[i] = going[--n];
            if (below(&r, 20) > 0) { /* else it never tells */
                model_record(&m, g.stay, now, outcome, now - g.began);
                tell(&b, g.ticket, now, outcome, now - g.began);
            }
        }
        cr_assert(b.ops->state(b.state) == m.state, "%s, seed %lu, step %u: state %d, by the model %d", name, seed,
                  step, b.ops->state(b.state), m.state);
    }
    model_stop(&m);
    breaker_stop(&b);
}

Test(breakers, as_the_model)
{
    for (const char *const *name = breakers; *name; name++)
        for (uint64_t seed = 0; seed < 300; seed++)
            compare(*name, seed);
}

/* NOLINTBEGIN(bugprone-macro-parentheses): b is a name that is declared here. */
#define EACH(b, config)                                                                                                \
    for (const char *const *each_ = breakers; *each_; each_++)                                                         \
        for (struct breaker b = breaker_start(*each_, config), *once_ = &b; once_; breaker_stop(&b), once_ = NULL)
/* NOLINTEND(bugprone-macro-parentheses) */

#define STATE(b, expected)                                                                                             \
    cr_assert((b).ops->state((b).state) == (expected), "%s: state %d, not %d", (b).name, (b).ops->state((b).state),    \
              (expected))

Test(breakers, least_calls_first)
{
    const struct cb_breaker_config c = usual();
    EACH(b, &c)
    {
        cr_assert(calls(&b, S, "FFFS") == 4, "%s refuses before there are five", b.name);
        STATE(b, CB_CLOSED);
        cr_assert(calls(&b, S, "S") == 1, "%s", b.name);
        STATE(b, CB_OPEN); /* at a success: 3 of 5 */
        cr_assert(calls(&b, S, "S") == 0, "%s lets a call go while open", b.name);
    }
}

Test(breakers, half_is_enough)
{
    const struct cb_breaker_config c = usual();
    EACH(b, &c)
    {
        calls(&b, S, "SSSFF");
        STATE(b, CB_CLOSED); /* 40 % */
        calls(&b, S, "F");
        STATE(b, CB_OPEN); /* 50 % */
    }
}

Test(breakers, open_to_the_nanosecond)
{
    const struct cb_breaker_config c = usual();
    EACH(b, &c)
    {
        calls(&b, S, "FFFFF");
        cr_assert(calls(&b, 6 * S - 1, "S") == 0, "%s is open for too short", b.name);
        cr_assert(ask(&b, 6 * S).allowed, "%s is open for too long", b.name);
        STATE(b, CB_HALF_OPEN);
    }
}

/* Exactly four go; a fifth does not, nor a sixth. */
Test(breakers, so_many_probes)
{
    const struct cb_breaker_config c = usual();
    EACH(b, &c)
    {
        struct cb_permit p[6];
        calls(&b, S, "FFFFF");
        for (uint32_t i = 0; i < 6; i++)
            p[i] = ask(&b, 6 * S);
        cr_assert(p[0].allowed && p[3].allowed && !p[4].allowed && !p[5].allowed, "%s", b.name);
        tell(&b, p[1].ticket, 6 * S, CB_IGNORED, 0); /* gives its permit back */
        cr_assert(ask(&b, 6 * S).allowed && !ask(&b, 6 * S).allowed, "%s: one came back", b.name);
    }
}

static void after_probes(const char *letters, enum cb_state expected)
{
    const struct cb_breaker_config c = usual();
    EACH(b, &c)
    {
        calls(&b, S, "TTTTT");
        cr_assert(calls(&b, 6 * S, letters) == strlen(letters), "%s refuses a probe", b.name);
        STATE(b, expected);
    }
}

Test(breakers, probes_decide)
{
    after_probes("FFS", CB_HALF_OPEN);
    after_probes("FFSF", CB_OPEN);
    after_probes("FSSS", CB_CLOSED);
    after_probes("LLLS", CB_OPEN); /* slow, all answered */
    after_probes("LSSS", CB_CLOSED);
    after_probes("IIIIIISSSS", CB_CLOSED);
}

/* Closed again, it knows nothing of before. */
Test(breakers, begins_anew)
{
    const struct cb_breaker_config c = usual();
    EACH(b, &c)
    {
        calls(&b, S, "FFFFF");
        calls(&b, 6 * S, "SSSS");
        calls(&b, 6 * S, "FFFF");
        STATE(b, CB_CLOSED);
        calls(&b, 6 * S, "F");
        STATE(b, CB_OPEN);
    }
}

/* gobreaker: what a call of an earlier generation says counts nowhere. */
Test(breakers, late_results_are_ignored)
{
    const struct cb_breaker_config c = usual();
    EACH(b, &c)
    {
        struct cb_permit late[10], probe[4];
        for (uint32_t i = 0; i < 10; i++)
            late[i] = ask(&b, S);
        calls(&b, S, "FFFFF");
        for (uint32_t i = 0; i < 4; i++)
            probe[i] = ask(&b, 6 * S);
        for (uint32_t i = 0; i < 5; i++)
            tell(&b, late[i].ticket, 6 * S, CB_SUCCESS, 5 * S);
        STATE(b, CB_HALF_OPEN);
        for (uint32_t i = 0; i < 4; i++)
            tell(&b, probe[i].ticket, 6 * S, CB_SUCCESS, 0);
        STATE(b, CB_CLOSED);
        for (uint32_t i = 5; i < 10; i++)
            tell(&b, late[i].ticket, 6 * S, CB_ERROR, 0);
        STATE(b, CB_CLOSED);
    }
}

/* Probes that never come back hold it half-open for probes_ns, and not for ever. */
Test(breakers, lost_probes)
{
    const struct cb_breaker_config c = usual();
    EACH(b, &c)
    {
        calls(&b, S, "FFFFF");
        for (uint32_t i = 0; i < 4; i++)
            ask(&b, 6 * S);
        cr_assert(!ask(&b, 7 * S - 1).allowed, "%s", b.name);
        STATE(b, CB_HALF_OPEN);
        cr_assert(!ask(&b, 7 * S).allowed, "%s", b.name);
        STATE(b, CB_OPEN);
        cr_assert(!ask(&b, 12 * S - 1).allowed && ask(&b, 12 * S).allowed, "%s is open for 5 s again", b.name);
    }
}

/* A count window forgets by calls, a time window by time. */
Test(breakers, windows_forget)
{
    struct cb_breaker_config c = usual();
    c.window_calls = 10;
    c.failure_percent = 60;
    EACH(b, &c)
    {
        const bool by_time = strcmp(b.name, "time-breaker") == 0;
        calls(&b, S, "SSSSSFFFFF"); /* 50 % */
        STATE(b, CB_CLOSED);
        if (by_time) {
            calls(&b, 21 * S, "FF"); /* the slice of second 1 is gone */
            STATE(b, CB_CLOSED);
            calls(&b, 21 * S, "FFF");
        } else {
            calls(&b, 21 * S, "F"); /* in the place of a success */
        }
        STATE(b, CB_OPEN);
    }
}

Test(breakers, side_by_side)
{
    const struct cb_breaker_config c = usual();
    for (const char *const *name = breakers; *name; name++) {
        struct breaker one = breaker_start(*name, &c), other = breaker_start(*name, &c);
        calls(&one, S, "FFFFF");
        STATE(one, CB_OPEN);
        STATE(other, CB_CLOSED);
        cr_assert(calls(&other, S, "SSSS") == 4, "%s", *name);
        breaker_stop(&one);
        breaker_stop(&other);
    }
}

Test(breakers, bounds)
{
    for (const char *const *name = breakers; *name; name++) {
        const struct cb_breaker_ops *ops = entry_named(*name)->breaker;
        const bool by_time = strcmp(*name, "time-breaker") == 0;
        for (uint32_t i = 0; i < 9; i++) {
            struct cb_breaker_config c = usual();
            void *state;
            uint32_t *const field[] = {&c.least_calls,
                                       &c.failure_percent,
                                       &c.slow_percent,
                                       &c.probes,
                                       &c.failure_percent,
                                       &c.slow_percent,
                                       &c.probes,
                                       by_time ? &c.slices : &c.window_calls,
                                       by_time ? &c.slices : &c.window_calls};
            const uint32_t bad[] = {0, 0, 0, 0, 101, 101, 10001, 0, by_time ? 1025 : (1u << 20) + 1};
            *field[i] = bad[i];
            cr_assert(ops->create(&c, &state) == -22, "%s takes configuration %u", *name, i);
        }
        struct cb_breaker_config c = usual();
        void *state;
        c.open_ns = 0;
        cr_assert(ops->create(&c, &state) == -22, "%s: open_ns 0", *name);
        c = usual();
        c.probes_ns = 0;
        cr_assert(ops->create(&c, &state) == -22, "%s: probes_ns 0", *name);
    }
}
