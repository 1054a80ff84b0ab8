/* exact.c: every answer of every entry, against the oracle and against itself. */
#include "limiters.h"

TestSuite(exact, .timeout = 120);

#define KEYS       3u
#define MOST_ALIKE 8u /* entries with the same promise */

/* One random sequence, the same for all entries that promise this; how many of them can keep the configuration is added
 * up in run[candidates]. */
static void follow_oracle(enum promise promise, uint64_t seed, uint32_t *run)
{
    static const uint64_t key[KEYS] = {0, UINT64_MAX, 77};
    static struct oracle o[KEYS];
    struct limiter_run l[MOST_ALIKE];
    struct rng r;
    uint32_t n = 0;
    rng_seed(&r, seed, 1);
    struct rl_config config = draw_config(&r);
    for (uint32_t i = 0; i < candidates_count; i++)
        if (candidates[i].promise == promise && limiter_start(&l[n], candidates[i].name, &config) == 0) {
            run[i]++;
            n++;
        }
    uint64_t now = draw_start(&r, &config), left = config.limit;
    for (uint32_t k = 0; k < KEYS; k++) {
        o[k].promise = promise;
        o[k].config = config;
        o[k].count = 0;
    }
    for (uint32_t step = 0; n && step < 250; step++) {
        uint32_t k = rng_below(&r, 8) < 6 ? 0 : rng_below(&r, KEYS), node = rng_below(&r, config.nodes);
        now = draw_next(&r, &config, now);
        uint32_t cost = draw_cost(&r, &config, left);
        struct rl_answer right = oracle_ask(&o[k], now, cost, node);
        for (uint32_t i = 0; i < n; i++)
            expect_answer(l[i].name, step, l[i].ops->allow(l[i].limiter, key[k], now, cost, node), right);
        left = right.left;
    }
    for (uint32_t i = 0; i < n; i++)
        limiter_stop(&l[i]);
}

static void all_follow_oracle(enum promise first, enum promise last)
{
    enum { tried = 300 };
    uint32_t run[32] = {0};
    for (enum promise p = first; p <= last; p++)
        for (uint64_t seed = 1; seed <= tried; seed++)
            follow_oracle(p, seed, run);
    for (uint32_t i = 0; i < candidates_count; i++)
        if (candidates[i].promise >= first && candidates[i].promise <= last)
            cr_assert(run[i] >= tried / 2, "%s: expected: keeps at least half of %u configurations; actual: %u",
                      candidates[i].name, tried, run[i]);
}

Test(exact, fixed_windows_answer_as_defined)
{
    all_follow_oracle(FIXED, FIXED);
}

Test(exact, sliding_windows_answer_as_defined)
{
    all_follow_oracle(LOG, COUNTER);
}

Test(exact, buckets_answer_as_defined)
{
    all_follow_oracle(BUCKET, BUCKET);
}

Test(exact, queue_answers_as_defined)
{
    all_follow_oracle(QUEUE, QUEUE);
}

Test(exact, nodes_answer_as_defined)
{
    all_follow_oracle(LOCAL, DISTRIBUTED);
}

/* ---- a second limiter, given the same history ------------------------------------------------------------------- */

#define STEPS 80u

struct call {
    uint64_t key, now;
    uint32_t cost, node;
    struct rl_answer answer;
};

static uint32_t record(struct limiter_run *l, const struct rl_config *config, struct rng *r, struct call call[STEPS])
{
    uint64_t now = draw_start(r, config), left = config->limit;
    for (uint32_t i = 0; i < STEPS; i++) {
        now = draw_next(r, config, now);
        call[i] = (struct call){.key = rng_below(r, 2),
                                .now = now,
                                .cost = draw_cost(r, config, left),
                                .node = rng_below(r, config->nodes)};
        call[i].answer = l->ops->allow(l->limiter, call[i].key, now, call[i].cost, call[i].node);
        left = call[i].answer.left;
    }
    return STEPS;
}

/* What the entry says to the request of call n, `wait` later or for another cost, after the calls before it. */
static struct rl_answer instead(const char *name, const struct rl_config *config, const struct call *call, uint32_t n,
                                uint64_t wait, uint64_t cost)
{
    struct limiter_run l;
    int code = limiter_start(&l, name, config);
    cr_assert(code == 0, "%s: a second one: %d", name, code);
    for (uint32_t i = 0; i < n; i++)
        l.ops->allow(l.limiter, call[i].key, call[i].now, call[i].cost, call[i].node);
    struct rl_answer a = l.ops->allow(l.limiter, call[n].key, call[n].now + wait, (uint32_t)cost, call[n].node);
    limiter_stop(&l);
    return a;
}

static void keep_word(const char *name, const struct rl_config *config, const struct call *call, uint32_t n)
{
    const struct rl_answer *said = &call[n].answer;
    uint64_t retry = said->retry_ns, left = said->left;
    if (!said->allowed && retry != RL_NEVER && call[n].now + retry < RL_MAX_TIME) {
        bool early = instead(name, config, call, n, retry - 1, call[n].cost).allowed;
        bool then = instead(name, config, call, n, retry, call[n].cost).allowed;
        cr_assert(!early && then, "%s, call %u, told to wait %lu: expected: 0 1 ns before and 1 then; actual: %d, %d",
                  name, n, retry, early, then);
    }
    if (said->allowed || left + 1 > RL_MAX_UNITS)
        return;
    bool fits = left == 0 || instead(name, config, call, n, 0, left).allowed;
    bool more = instead(name, config, call, n, 0, left + 1).allowed;
    cr_assert(fits && !more, "%s, call %u, %lu left: expected: 1 for that, 0 for one more; actual: %d, %d", name, n,
              left, fits, more);
}

Test(exact, waits_and_rests_are_true)
{
    static struct call call[STEPS];
    for (uint32_t i = 0; i < candidates_count; i++)
        for (uint64_t seed = 1; seed <= 40; seed++) {
            struct limiter_run l;
            struct rng r;
            rng_seed(&r, seed, 2);
            struct rl_config config = draw_config(&r);
            if (limiter_start(&l, candidates[i].name, &config) != 0)
                continue;
            uint32_t n = record(&l, &config, &r, call);
            limiter_stop(&l);
            for (uint32_t k = 0; k < n; k++)
                keep_word(candidates[i].name, &config, call, k);
        }
    cr_assert(true, "all kept their word");
}

Test(exact, refusals_change_nothing)
{
    static struct call call[STEPS];
    uint32_t refused = 0;
    for (uint32_t i = 0; i < candidates_count; i++)
        for (uint64_t seed = 1; seed <= 200; seed++) {
            struct limiter_run l;
            struct rng r;
            rng_seed(&r, seed, 3);
            struct rl_config config = draw_config(&r);
            if (limiter_start(&l, candidates[i].name, &config) != 0)
                continue;
            uint32_t n = record(&l, &config, &r, call);
            limiter_stop(&l);
            limiter_start(&l, candidates[i].name, &config);
            for (uint32_t k = 0; k < n; k++) {
                refused += !call[k].answer.allowed;
                if (call[k].answer.allowed)
                    expect_answer(candidates[i].name, k,
                                  l.ops->allow(l.limiter, call[k].key, call[k].now, call[k].cost, call[k].node),
                                  call[k].answer);
            }
            limiter_stop(&l);
        }
    cr_assert(refused > 10000, "expected: many refusals to leave out; actual: %u", refused);
}

/* ---- the same thing in three forms ------------------------------------------------------------------------------ */

Test(exact, gcra_is_token_bucket_is_leaky_bucket)
{
    static const char *const name[] = {"token-bucket", "leaky-bucket", "gcra", "gcra-atomic", "gcra-mutex"};
    enum { forms = 5 };
    uint32_t decisions = 0;
    for (uint64_t seed = 1; decisions < 1500000; seed++) {
        struct limiter_run l[forms];
        struct rng r;
        rng_seed(&r, seed, 4);
        struct rl_config config = draw_config(&r);
        uint64_t now = draw_start(&r, &config), left = config.burst;
        int code = limiter_start(&l[0], name[0], &config);
        for (uint32_t i = 1; i < forms; i++) {
            int other = limiter_start(&l[i], name[i], &config);
            cr_assert(other == code, "%s, %s: expected: the same configurations; actual: %d, %d", name[0], name[i],
                      code, other);
        }
        for (uint32_t step = 0; code == 0 && step < 2000; step++, decisions++) {
            now = draw_next(&r, &config, now);
            uint64_t key = rng_below(&r, 3);
            uint32_t cost = draw_cost(&r, &config, left);
            struct rl_answer first = ask(&l[0], key, now, cost);
            for (uint32_t i = 1; i < forms; i++)
                expect_answer(name[i], step, ask(&l[i], key, now, cost), first);
            left = first.left;
        }
        for (uint32_t i = 0; code == 0 && i < forms; i++)
            limiter_stop(&l[i]);
    }
    cr_assert(decisions >= 1000000, "expected: a million decisions; actual: %u", decisions);
}

/* 3 in 10 s, 3 at once: who asks every ns, or every odd number of ns, gets neither more nor less than who comes when he
 * is told to. */
Test(exact, asking_often_changes_nothing)
{
    static const uint64_t step[] = {1, 2, 7, 33, 1000};
    for (uint32_t i = 0; i < candidates_count; i++)
        for (uint32_t s = 0; s < 5 && candidates[i].promise == BUCKET; s++) {
            struct rl_config config = plain_config(3, 100000);
            struct limiter_run l;
            uint64_t allowed = 0, end = 10 * config.window_ns;
            int code = limiter_start(&l, candidates[i].name, &config);
            cr_assert(code == 0, "%s: %d", candidates[i].name, code);
            for (uint64_t now = 0; now <= end; now += step[s])
                allowed += ask(&l, 5, now, 1).allowed;
            limiter_stop(&l);
            cr_assert(allowed == 3 + 30 || (allowed == 3 + 29 && end % step[s]),
                      "%s, asked every %lu ns: expected: 3 + 30 in 10 windows; actual: %lu", candidates[i].name,
                      step[s], allowed);
        }
}
