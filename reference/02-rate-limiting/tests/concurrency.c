/* concurrency.c: limits on what is under way, and a toy server to find one for. */
#include "limiters.h"

#include <math.h>
#include <string.h>

TestSuite(concurrency, .timeout = 120);

static void end(struct limiter_run *l, uint64_t key, uint64_t now, uint32_t cost, uint64_t latency, enum rl_outcome o)
{
    l->ops->done(l->limiter, key, now, cost, latency, o);
}

Test(concurrency, counts_what_is_under_way)
{
    enum { keys = 50, most = 4000 };
    static struct {
        uint64_t key;
        uint32_t cost;
    } flying[most];
    static const uint64_t limits[] = {1, 10, 1000, RL_MAX_UNITS};
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct rl_config config = plain_config(limits[seed % 4], 1);
        struct limiter_run l;
        struct rng r;
        uint64_t inside[keys] = {0}, limit = config.limit;
        uint32_t flights = 0;
        rng_seed(&r, seed, 11);
        cr_assert(limiter_start(&l, "concurrency-limit", &config) == 0, "created");
        for (uint64_t now = 0; now < 20000; now++) {
            uint64_t k = rng_below(&r, keys);
            uint32_t cost = draw_cost(&r, &config, limit - inside[k]);
            if (flights < most && rng_below(&r, 2)) {
                struct rl_answer a = ask(&l, k, now, cost);
                bool fits = inside[k] + cost <= limit;
                inside[k] += fits ? cost : 0;
                struct rl_answer right = {.allowed = fits,
                                          .retry_ns = fits || cost <= limit ? RL_UNKNOWN : RL_NEVER,
                                          .left = limit - inside[k]};
                expect_answer("concurrency-limit", (uint32_t)now, a, right);
                flying[flights].key = k;
                flying[flights].cost = cost;
                flights += fits;
            } else if (flights > 0) {
                uint32_t i = rng_below(&r, flights);
                end(&l, flying[i].key, now, flying[i].cost, 5, i % 2 ? RL_OK : RL_DROPPED);
                inside[flying[i].key] -= flying[i].cost;
                flying[i] = flying[--flights];
            }
        }
        limiter_stop(&l);
    }
    cr_assert(true, "all as counted");
}

Test(concurrency, forgets_who_has_nothing_under_way)
{
    struct rl_config config = plain_config(2, 1);
    struct limiter_run l;
    cr_assert(limiter_start(&l, "concurrency-limit", &config) == 0, "created");
    cr_assert(ask(&l, 7, 0, 2).allowed, "the first");
    for (uint64_t k = 0; k < 500000; k++) {
        cr_assert_neq(ask(&l, 100 + k, k, 1).allowed, 0);
        end(&l, 100 + k, k, 1, 1, RL_OK);
    }
    bool still = !ask(&l, 7, 500000, 1).allowed;
    end(&l, 7, 500000, 2, 500000, RL_OK);
    bool again = ask(&l, 7, 500000, 2).allowed;
    cr_assert(still && again && l.ops->bytes(l.limiter) < 10000,
              "half a million that ended: expected: one remembered, few bytes; actual: %d, %d, %zu", still, again,
              l.ops->bytes(l.limiter));
    limiter_stop(&l);
}

/* ---- adaptive --------------------------------------------------------------------------------------------------- */

/* The limit as one sees it from outside: fill up, count, and go away again without a word of how long it took. */
static uint64_t limit_of(struct limiter_run *l, uint64_t now)
{
    uint64_t n = 0;
    while (n < 100000 && ask(l, 0, now, 1).allowed)
        n++;
    for (uint64_t i = 0; i < n; i++)
        end(l, 0, now, 1, UINT64_MAX, RL_OK); /* sent before anything: no sample */
    return n;
}

/* One round with `flying` under way, each answer after `latency`. */
static void play_round(struct limiter_run *l, uint64_t *now, uint64_t flying, uint64_t latency, enum rl_outcome outcome)
{
    uint64_t limit = limit_of(l, *now), n = flying < limit ? flying : limit,
             answers = outcome != RL_OK ? 1
                       : limit > 32     ? 2 * limit
                                        : 64;
    *now += 1;
    for (uint64_t i = 0; i < n; i++)
        ask(l, 0, *now, 1);
    *now += latency;
    for (uint64_t i = 0; i < answers; i++) { /* all but the last are replaced at once */
        end(l, 0, *now, 1, latency, outcome);
        if (i + 1 < answers)
            ask(l, 0, *now, 1);
    }
    for (uint64_t i = 1; i < n; i++)
        end(l, 0, *now, 1, UINT64_MAX, RL_OK);
}

/* The steps of Netflix's VegasLimit, as its tests have them: base 10 ms, limit 10. */
Test(concurrency, steps_are_those_of_vegas)
{
    static const struct {
        uint64_t flying, latency, expected;
        enum rl_outcome outcome;
    } step[] = {{10, 10000000, 16, RL_OK},    {10, 50000000, 9, RL_OK}, {10, 14000000, 10, RL_OK},
                {10, 12500000, 11, RL_OK},    {4, 10000000, 10, RL_OK}, {10, 11000000, 16, RL_OK},
                {10, 10000000, 9, RL_DROPPED}};
    for (uint32_t i = 0; i < sizeof step / sizeof *step; i++) {
        struct rl_config config = plain_config(20000, 1000000000000);
        struct limiter_run l;
        uint64_t now = 1000;
        cr_assert(limiter_start(&l, "adaptive-concurrency", &config) == 0, "created");
        cr_assert(limit_of(&l, now) == 10, "expected: starts at 10; actual: %lu", limit_of(&l, now));
        play_round(&l, &now, 10, 10000000, RL_OK);
        cr_assert(limit_of(&l, now) == 10, "the base alone: expected: 10; actual: %lu", limit_of(&l, now));
        play_round(&l, &now, step[i].flying, step[i].latency, step[i].outcome);
        uint64_t limit = limit_of(&l, now);
        cr_assert(limit == step[i].expected, "%lu under way, %lu ns: expected: %lu; actual: %lu", step[i].flying,
                  step[i].latency, step[i].expected, limit);
        limiter_stop(&l);
    }
}

Test(concurrency, steps_grow_with_the_digits)
{
    struct rl_config config = plain_config(20000, 1000000000000);
    struct limiter_run l;
    uint64_t now = 1000, limit = 0, before;
    cr_assert(limiter_start(&l, "adaptive-concurrency", &config) == 0, "created");
    play_round(&l, &now, 10, 10000000, RL_OK);
    do {
        before = limit_of(&l, now);
        play_round(&l, &now, 20000, 10000000, RL_OK);
        limit = limit_of(&l, now);
        uint64_t step = before >= 10000 ? 24 : before >= 1000 ? 18 : before >= 100 ? 12 : 6;
        cr_assert(limit == before + step || limit == 20000, "from %lu: expected: %lu more; actual: %lu", before, step,
                  limit);
    } while (limit < 20000);
    limiter_stop(&l);
}

/* ---- a server --------------------------------------------------------------------------------------------------- */

#define MOST_INSIDE 4000u

/* `workers` at once, first come first served; demand without end. */
struct server {
    uint32_t workers, inside;
    uint64_t now, free_at[64];
    uint64_t began[MOST_INSIDE], ends[MOST_INSIDE];
    struct rng random;
};

enum work { EVEN, UNIFORM /* half the mean to one and a half */, EXPONENTIAL };

static uint64_t service_time(struct server *s, uint64_t mean, enum work work)
{
    return work == EVEN      ? mean
           : work == UNIFORM ? mean / 2 + rng_below(&s->random, (uint32_t)mean)
                             : 1 + (uint64_t)((double)mean * -log(rng_open(&s->random)));
}

static void send_one(struct server *s, uint64_t mean, enum work work)
{
    uint32_t w = 0;
    for (uint32_t i = 1; i < s->workers; i++)
        w = s->free_at[i] < s->free_at[w] ? i : w;
    uint64_t start = s->free_at[w] > s->now ? s->free_at[w] : s->now;
    s->free_at[w] = start + service_time(s, mean, work);
    s->began[s->inside] = s->now;
    s->ends[s->inside++] = s->free_at[w];
}

/* Sends all that the limiter lets through, until `answers` have come; the mean number inside over the second half. */
static double serve(struct server *s, struct limiter_run *l, uint32_t answers, uint64_t mean, enum work work)
{
    double sum = 0, time = 0;
    for (uint32_t k = 0; k < answers; k++) {
        while (s->inside < MOST_INSIDE && ask(l, k, s->now, 1).allowed)
            send_one(s, mean, work);
        cr_assert(s->inside >= 1, "expected: at least one under way; actual: none");
        uint32_t first = 0;
        for (uint32_t i = 1; i < s->inside; i++)
            first = s->ends[i] < s->ends[first] ? i : first;
        if (k >= answers / 2) {
            sum += (double)s->inside * (double)(s->ends[first] - s->now);
            time += (double)(s->ends[first] - s->now);
        }
        s->now = s->ends[first];
        uint64_t latency = s->now - s->began[first];
        s->inside--;
        s->ends[first] = s->ends[s->inside];
        s->began[first] = s->began[s->inside];
        end(l, k, s->now, 1, latency, RL_OK);
    }
    return sum / time;
}

/* W workers can use W at a time; the limiter doesn't know W, and should come to that and a few more. */
Test(concurrency, adaptive_finds_the_capacity)
{
    static const uint32_t workers[] = {1, 2, 5, 10, 30, 64};
    static struct server s;
    for (uint32_t i = 0; i < 6; i++)
        for (enum work work = EVEN; work <= EXPONENTIAL; work++) {
            struct rl_config config = plain_config(MOST_INSIDE, 2000000000);
            struct limiter_run l;
            s = (struct server){.workers = workers[i]};
            rng_seed(&s.random, i, 12);
            cr_assert(limiter_start(&l, "adaptive-concurrency", &config) == 0, "created");
            double inside = serve(&s, &l, 60000, 10000000, work);
            cr_assert(inside >= 0.95 * workers[i] && inside <= (work == EVEN ? 1 : 1.4) * workers[i] + 8,
                      "%u workers, work %d: expected: about as many and 3 to 6 more under way; actual: %.1f",
                      workers[i], (int)work, inside);
            limiter_stop(&l);
        }
}

/* The server becomes three times slower, and faster again: the base is measured anew. */
Test(concurrency, adaptive_follows_the_base)
{
    static struct server s;
    struct rl_config config = plain_config(MOST_INSIDE, 2000000000);
    struct limiter_run l;
    s = (struct server){.workers = 20};
    rng_seed(&s.random, 1, 13);
    cr_assert(limiter_start(&l, "adaptive-concurrency", &config) == 0, "created");
    double before = serve(&s, &l, 30000, 10000000, EVEN), slow = serve(&s, &l, 30000, 30000000, EVEN),
           after = serve(&s, &l, 30000, 10000000, EVEN);
    limiter_stop(&l);
    cr_assert(before >= 18 && before <= 31 && slow >= 18 && slow <= 31 && after >= 18 && after <= 31,
              "20 workers at 10, 30, 10 ms: expected: 20 and a few more under way; actual: %.1f, %.1f, %.1f", before,
              slow, after);
}

/* Whatever it is told, there is always room for one; and never for more than N. */
Test(concurrency, adaptive_keeps_within_its_bounds)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct rl_config config = plain_config(1 + seed % 7 * 9, 1 + seed * 1000);
        struct limiter_run l;
        struct rng r;
        uint64_t inside = 0, now = 0, most = 0;
        rng_seed(&r, seed, 14);
        cr_assert(limiter_start(&l, "adaptive-concurrency", &config) == 0, "created");
        for (uint32_t step = 0; step < 20000; step++) {
            now += rng_below(&r, 2000);
            if (inside == 0 || rng_below(&r, 2)) {
                struct rl_answer a = ask(&l, 0, now, 1);
                cr_assert(a.allowed || inside > 0, "nothing under way: expected: allowed; actual: refused");
                inside += a.allowed;
            } else {
                end(&l, 0, now, 1, rng_below(&r, 5000), rng_below(&r, 1 + (uint32_t)seed % 5) ? RL_DROPPED : RL_OK);
                inside--;
            }
            most = inside > most ? inside : most;
        }
        struct rl_answer never = ask(&l, 0, now, (uint32_t)config.limit + 1);
        cr_assert(most <= config.limit && never.retry_ns == RL_NEVER, "expected: at most %lu; actual: %lu",
                  config.limit, most);
        limiter_stop(&l);
    }
}

/* Drops alone bring it down to one, and no further; then it recovers. */
Test(concurrency, adaptive_survives_an_outage)
{
    struct rl_config config = plain_config(1000, 1000000000000);
    struct limiter_run l;
    uint64_t now = 1000;
    cr_assert(limiter_start(&l, "adaptive-concurrency", &config) == 0, "created");
    for (uint32_t k = 0; k < 30; k++)
        play_round(&l, &now, 1000, 10000000, RL_OK);
    uint64_t before = limit_of(&l, now);
    for (uint32_t k = 0; k < 100; k++)
        play_round(&l, &now, 1000, 10000000, RL_DROPPED);
    uint64_t least = limit_of(&l, now);
    for (uint32_t k = 0; k < 40; k++)
        play_round(&l, &now, 1000, 10000000, RL_OK);
    uint64_t after = limit_of(&l, now);
    limiter_stop(&l);
    cr_assert(before > 100 && least == 1 && after > 100, "expected: many, 1, many; actual: %lu, %lu, %lu", before,
              least, after);
}
