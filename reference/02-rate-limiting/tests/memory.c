/* memory.c: keys that come and go by the million; and what an entry refuses to be created for. */
#include "limiters.h"

#include "keys.h"
#include "shared_keys.h"

#include <malloc.h>
#include <string.h>

TestSuite(memory, .timeout = 240);

/* ---- the table of keys.h ---------------------------------------------------------------------------------------- */

struct note {
    uint64_t id, value, until;
};

static bool note_idle(void *limiter, void *slot, uint64_t now)
{
    (void)limiter;
    return ((struct note *)slot)->until <= now;
}

#define MODEL 5000u

/* Against an array: what is not idle is never lost, and what was lost was idle. */
Test(memory, keys_keep_what_is_not_idle)
{
    static struct note model[MODEL];
    struct keys *k = NULL;
    struct rng r;
    rng_seed(&r, 1, 7);
    int code = keys_create(sizeof *k, sizeof(struct note), note_idle, (void **)&k);
    cr_assert(code == 0, "expected: created; actual: %d", code);
    for (uint64_t now = 0; now < 400000; now++) {
        uint32_t i = rng_below(&r, now / 50000 % 2 ? 50 : MODEL);
        uint64_t key = i == 0 ? 0 : i == 1 ? UINT64_MAX : i * UINT64_C(0x100000001);
        struct note *n = keys_find(k, sizeof *n, key, now);
        cr_assert(n != NULL, "no memory");
        bool lost = n->value == 0 && n->until == 0;
        if (lost ? model[i].until > now : n->value != model[i].value)
            cr_assert(false, "at %lu, key %u: expected: value %lu until %lu; actual: %lu", now, i, model[i].value,
                      model[i].until, n->value);
        n->value = model[i].value = now + 1;
        n->until = model[i].until = now + rng_below(&r, 20000);
    }
    size_t slots = k->mask + 1;
    cr_assert(slots <= 1024, "about 50 keys in use: expected: a table that has become small again; actual: %zu slots",
              slots);
    keys_end(k);
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

/* Bytes a key that an entry may need: slots of 16 to 48 bytes, up to four for each key that counts; twice as many where
 * old tables are kept; rings of four places. */
static size_t most_bytes(const char *name)
{
    if (strstr(name, "atomic") || strcmp(name, "sharded-window") == 0)
        return 256;
    return strcmp(name, "sliding-log") == 0 ? 64 + 24 + 64 : 192;
}

#define CROWD 240000u
#define WAVES 3u

/* A quarter of a million new keys in each wave, which are idle when the next one comes, and a few that stay and must not be
 * forgotten: their answers are those of a limiter that has only them. */
static void come_and_go(const char *name, enum promise promise)
{
    struct rl_config config = plain_config(3, 1000000000);
    config.burst = promise == QUEUE ? 2 : 3;
    struct limiter_run l, few;
    size_t peak[WAVES] = {0};
    cr_assert(limiter_start(&l, name, &config) == 0 && limiter_start(&few, name, &config) == 0, "%s: created", name);
    for (uint32_t wave = 0; wave < WAVES; wave++) {
        uint64_t start = wave * UINT64_C(10000000000);
        for (uint32_t i = 0; i < CROWD; i++) {
            uint64_t now = start + i * UINT64_C(100);
            struct rl_answer a = ask(&l, (uint64_t)wave << 32 | i, now, 1 + i % 3);
            if (!a.allowed || a.left != 2 - i % 3)
                cr_assert(false, "%s, a new key: expected: allowed, %u left; actual: %d, %lu", name, 2 - i % 3,
                          a.allowed, a.left);
            if (i % 1000 == 0) {
                uint64_t key = UINT64_MAX - i / 1000 % 7;
                expect_answer(name, i, ask(&l, key, now, 1), ask(&few, key, now, 1));
            }
        }
        peak[wave] = l.ops->bytes(l.limiter);
    }
    cr_assert(peak[0] <= (size_t)CROWD * most_bytes(name),
              "%s, so many keys: expected: at most %zu bytes each; actual: %zu", name, most_bytes(name),
              peak[0] / CROWD);
    cr_assert(peak[WAVES - 1] <= peak[0] + peak[0] / 8,
              "%s, the third wave: expected: %zu bytes as the first; actual: %zu", name, peak[0], peak[WAVES - 1]);
    limiter_stop(&l);
    limiter_stop(&few);
}

Test(memory, follows_the_keys_that_count)
{
    for (uint32_t i = 0; i < candidates_count; i++)
        if (!strstr(candidates[i].name, "mutex")) /* a twin's memory is that of the entry inside */
            come_and_go(candidates[i].name, candidates[i].promise);
    cr_assert(true, "all stay small");
}

/* Nobody but one key is left: what the many needed is given back, but by the tables that threads may still look
 * at. */
Test(memory, is_given_back)
{
    for (uint32_t i = 0; i < candidates_count; i++) {
        struct rl_config config = plain_config(3, 1000);
        struct limiter_run l;
        cr_assert(limiter_start(&l, candidates[i].name, &config) == 0, "%s: created", candidates[i].name);
        size_t nothing = l.ops->bytes(l.limiter);
        for (uint64_t k = 0; k < 100000; k++)
            ask(&l, k, 0, 1);
        size_t full = l.ops->bytes(l.limiter);
        cr_assert(full >= nothing + 1600000, "%s: expected: 16 bytes a key or more; actual: %zu", candidates[i].name,
                  full - nothing);
        for (uint64_t k = 0; k < 2000000; k++)
            ask(&l, 1, 100000 + k, 1);
        size_t after = l.ops->bytes(l.limiter);
        bool keeps = strstr(candidates[i].name, "atomic") || strstr(candidates[i].name, "sharded");
        cr_assert(keeps ? after <= full : after <= nothing + 1000, "%s: expected: %zu bytes as at first; actual: %zu",
                  candidates[i].name, nothing, after);
        limiter_stop(&l);
    }
}

/* Random keys, many of them once idle and back again: as an oracle that never forgets says. */
static void come_back(enum promise promise, uint64_t seed)
{
    enum { keys = 300 };
    static struct oracle o[keys];
    struct limiter_run l[8];
    struct rl_config config = plain_config(2 + seed, 900 + seed);
    struct rng r;
    uint32_t n = 0;
    rng_seed(&r, seed, 8);
    config.sync_ns = 100;
    for (uint32_t i = 0; i < candidates_count; i++)
        if (candidates[i].promise == promise) {
            int code = limiter_start(&l[n++], candidates[i].name, &config);
            cr_assert(code == 0, "%s: expected: created; actual: %d", candidates[i].name, code);
        }
    for (uint32_t k = 0; k < keys; k++) {
        o[k].promise = promise;
        o[k].config = config;
        o[k].count = 0;
    }
    uint64_t now = 0;
    for (uint32_t step = 0; step < 12000; step++) {
        now += rng_below(&r, 3000) == 0 ? 5000 : rng_below(&r, 6);
        uint32_t k = rng_below(&r, 2) ? rng_below(&r, 10) : rng_below(&r, keys);
        if (o[k].count > 300)
            k = keys - 1 - rng_below(&r, 100);
        struct rl_answer right = oracle_ask(&o[k], now, 1, 0);
        for (uint32_t i = 0; i < n; i++) {
            ask(&l[i], UINT64_C(1) << 40 | step, now, 1); /* a crowd beside them, so that slots change hands */
            expect_answer(l[i].name, step, ask(&l[i], k, now, 1), right);
        }
    }
    for (uint32_t i = 0; i < n; i++)
        limiter_stop(&l[i]);
}

Test(memory, forgetting_changes_no_decision)
{
    for (enum promise p = FIXED; p <= DISTRIBUTED; p++)
        for (uint64_t seed = 1; seed <= 4; seed++)
            come_back(p, seed);
    cr_assert(true, "none forgets too early");
}

static size_t allocated(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

Test(memory, all_of_it_is_freed)
{
    enum { rounds = 100 };
    for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++) {
        size_t before = 0;
        for (uint32_t round = 0; round < 2 * rounds; round++) {
            struct rl_config config = plain_config(3, 1000);
            struct limiter_run l;
            int code = limiter_start(&l, (*e)->name, &config);
            for (uint64_t k = 0; code == 0 && k < 3000; k++)
                ask(&l, k % 700, k, 1 + k % 2);
            if (code == 0)
                limiter_stop(&l);
            if (round == rounds)
                before = allocated();
        }
        size_t after = allocated();
        cr_assert(after < before + 8 * rounds, "%s, 100 times: expected: %zu bytes as before; actual: %zu", (*e)->name,
                  before, after);
    }
}

/* Keys whose hashes are alike in all low bits, as somebody could choose them who knows the hash: other keys don't
 * suffer, and memory doesn't explode. */
Test(memory, colliding_keys_do_little_harm)
{
    static const char *const name[] = {"gcra", "gcra-atomic", "fixed-window-atomic", "sharded-window"};
    for (uint32_t i = 0; i < 4; i++) {
        struct rl_config config = plain_config(3, 1000);
        struct limiter_run l;
        uint32_t refused = 0;
        cr_assert(limiter_start(&l, name[i], &config) == 0, "%s: created", name[i]);
        for (uint64_t k = 1; k <= 1000; k++) {
            uint64_t key = keys_unmix(k << 40);
            cr_assert(keys_mix(key) == k << 40, "keys_unmix: expected: %lx; actual: %lx", k << 40, keys_mix(key));
            struct rl_answer a = ask(&l, key, 5, 1);
            refused += !a.allowed;
            cr_assert(a.allowed || (a.retry_ns == RL_UNKNOWN && a.left == 0), "%s: a refusal of its own", name[i]);
        }
        cr_assert(i > 0 ? refused > 900 : refused == 0, "%s: expected: %s refused; actual: %u of 1000", name[i],
                  i > 0 ? "nearly all" : "none", refused);
        cr_assert(l.ops->bytes(l.limiter) < 200000 && ask(&l, 12345, 5, 1).allowed,
                  "%s: expected: few bytes, others served; actual: %zu bytes", name[i], l.ops->bytes(l.limiter));
        limiter_stop(&l);
    }
}
