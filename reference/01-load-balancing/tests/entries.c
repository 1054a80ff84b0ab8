/* entries.c: what holds for every entry, whatever its algorithm: whom it may pick, that its numbers are its own, that
 * it gives back what it took.
 */
#include "entries.h"

#include "host/log.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(entries, .timeout = 60);

static const uint32_t sizes[] = {1, 2, 7, 64};
#define SIZES (sizeof sizes / sizeof *sizes)

/* Calls `test` for each entry that stands alone, and for each wrapper round each of them. */
static uint32_t for_each(void (*test)(const char *name))
{
    const struct plugin_entry *const *first = linked.first, *const *last = linked.last;
    uint32_t count = 0;
    for (const struct plugin_entry *const *e = first; e != last; e++) {
        if (!entry_wraps(*e)) {
            test((*e)->name);
            count++;
            continue;
        }
        for (const struct plugin_entry *const *in = first; in != last; in++) {
            char name[120];
            if (entry_wraps(*in))
                continue;
            snprintf(name, sizeof name, "%s+%s", (*e)->name, (*in)->name);
            test(name);
            count++;
        }
    }
    return count;
}

static void survive(const char *name)
{
    for (size_t s = 0; s < SIZES; s++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct driver d;
            driver_start(&d, name, sizes[s], seed);
            for (uint32_t k = 0; k < 4000; k++)
                driver_step(&d, true);
            /* All answers come in, all leave: then there is none to pick. */
            while (d.flights > 0)
                driver_end(&d, 0, LB_TIMEOUT, 1);
            for (uint32_t i = 0; i < sizes[s]; i++)
                if (d.member[i])
                    driver_remove(&d, i);
            uint32_t backend = driver_pick(&d);
            cr_assert(backend == LB_NONE, "%s without members: expected: LB_NONE; actual: %u", name, backend);
            driver_stop(&d);
        }
}

Test(entries, pick_members_through_any_changes)
{
    uint32_t tested = for_each(survive);
    cr_assert(tested >= 18 + 17, "expected: at least 18 entries and a wrapper round each; actual: %u tests", tested);
}

/* Each of many members that stay gets something, given time: nobody is forgotten by a change. */
static void reach_all(const char *name)
{
    enum { n = 7 };
    struct driver d;
    uint32_t got[n] = {0};
    driver_start(&d, name, n, 9);
    for (uint32_t k = 0; k < 3000; k++)
        driver_step(&d, true);
    while (d.flights > 0)
        driver_end(&d, 0, LB_OK, 1000000);
    for (uint32_t i = 0; i < n; i++) {
        if (d.member[i])
            driver_weight(&d, i, 3);
        else
            driver_add(&d, i, 3);
        driver_report(&d, i, 0);
    }
    d.now += 1000000000000; /* who was ejected is back */
    for (uint32_t k = 0; k < 700; k++) {
        d.now += 1000000;
        uint32_t backend = driver_pick(&d);
        cr_assert(backend < n, "%s: expected: a backend below %d; actual: %u", name, n, backend);
        got[backend]++;
        if (k % 20 == 19) /* twenty at a time, so that all entries that look at the load see some */
            while (d.flights > 0)
                driver_end(&d, 0, LB_OK, 1000000);
    }
    for (uint32_t i = 0; i < n; i++)
        cr_assert(got[i] >= 40,
                  "%s: expected: each of %d equal members gets about 100 of 700 picks; actual: backend %u %u", name, n,
                  i, got[i]);
    driver_stop(&d);
}

Test(entries, leave_out_no_member)
{
    for_each(reach_all);
    cr_assert(true, "each entry was asked");
}

#define STEPS 2000u

/* The picks of a run whose driver's numbers are always the same; only the entry's own differ with the seed. */
static uint32_t record(const char *name, uint64_t seed, uint32_t picks[STEPS])
{
    struct driver d;
    uint32_t count = 0;
    driver_start(&d, name, 7, seed);
    rng_seed(&d.random, 77, 2);
    for (uint32_t i = 0; i < 7; i++)
        driver_add(&d, i, 1 + i);
    while (count < STEPS) {
        d.now += 1000000;
        picks[count++] = driver_pick(&d);
        if (rng_below(&d.random, 3) || d.flights > 30)
            driver_end(&d, rng_below(&d.random, d.flights), LB_OK, 1000000 + rng_below(&d.random, 1000000));
    }
    driver_stop(&d);
    return count;
}

static bool draws(const char *name)
{
    const struct lb_ops *inner, *ops = adapter_find(&linked, name, &inner);
    return (inner ? inner : ops)->can & LB_RANDOM;
}

static void repeat(const char *name)
{
    static uint32_t first[STEPS], again[STEPS], other[STEPS];
    record(name, 1, first);
    record(name, 1, again);
    record(name, 2, other);
    uint32_t same = 0, alike = 0;
    for (uint32_t k = 0; k < STEPS; k++) {
        same += first[k] == again[k];
        alike += first[k] == other[k];
    }
    cr_assert(same == STEPS, "%s, the same seed twice: expected: the same %u picks; actual: %u of them", name, STEPS,
              same);
    if (draws(name))
        cr_assert(alike < STEPS / 2, "%s, two seeds: expected: other picks; actual: %u of %u alike", name, alike,
                  STEPS);
}

Test(entries, repeat_with_the_same_seed)
{
    for_each(repeat);
}

/* Two balancers of one entry, called in turns, do as each does alone: no state is shared. */
static void stand_alone(const char *name)
{
    static uint32_t alone[STEPS];
    struct driver a, b;
    driver_start(&a, name, 7, 5);
    for (uint32_t k = 0; k < STEPS; k++) {
        driver_step(&a, true);
        alone[k] = a.flights > 0 ? a.flying[a.flights - 1] : LB_NONE;
    }
    driver_stop(&a);
    driver_start(&a, name, 7, 5);
    driver_start(&b, name, 7, 6);
    for (uint32_t k = 0; k < STEPS; k++) {
        driver_step(&a, true);
        driver_step(&b, true);
        uint32_t last = a.flights > 0 ? a.flying[a.flights - 1] : LB_NONE;
        cr_assert(last == alone[k], "%s, step %u beside another balancer: expected: %u; actual: %u", name, k, alone[k],
                  last);
    }
    driver_stop(&a);
    driver_stop(&b);
}

Test(entries, share_no_state)
{
    for_each(stand_alone);
}

/* Bytes that are allocated and not freed, by the C library's own account. */
static size_t allocated(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* Without a single assertion between the two accounts: those allocate too. */
static void give_back(const char *name)
{
    enum { n = 16, rounds = 300 };
    const struct lb_ops *inner, *ops = adapter_find(&linked, name, &inner);
    struct script *script = calloc(1, SCRIPT_SIZE(STEPS));
    struct decision_log nothing = {.record_size = sizeof(uint32_t)};
    struct rng r;
    rng_seed(&r, 1, 1);
    script->config = (struct lb_config){
        .max_backends = n, .ewma_decay_ns = 1000, .eject_after = 1, .eject_max_percent = 50, .eject_for_ns = 100};
    rng_seed(&script->config.random, 1, 2);
    for (uint32_t k = 0; k < STEPS; k++)
        script->step[script->steps++] = (struct script_step){.at = k,
                                                             .op = k < n ? SCRIPT_ADD : rng_below(&r, SCRIPT_ANSWER),
                                                             .id = rng_below(&r, 50),
                                                             .backend = k < n ? k : rng_below(&r, n),
                                                             .value = rng_below(&r, 4)};
    size_t before = 0, after;
    int failed = 0;
    for (uint32_t round = 0; round < 2 * rounds && !failed; round++) {
        if (round == rounds)
            before = allocated();
        failed = script_run(script, ops, inner, &nothing);
    }
    after = allocated();
    free(script);
    cr_assert(failed == 0, "%s: expected: the script runs; actual: %d", name, failed);
    cr_assert(after < before + 8 * rounds, "%s, %d times: expected: %zu bytes as before; actual: %zu", name, rounds,
              before, after);
}

Test(entries, give_back_their_memory)
{
    for_each(give_back);
}

Test(entries, are_created_for_no_backends_or_refused)
{
    for (const struct plugin_entry *const *e = linked.first; e != linked.last; e++) {
        const struct lb_ops *ops = (*e)->ops;
        struct lb_config config = {.max_backends = 0, .ewma_decay_ns = 1, .eject_after = 1};
        void *balancer = NULL;
        rng_seed(&config.random, 1, 1);
        int code = ops->create(&config, &balancer);
        if (code == 0) {
            uint32_t backend = ops->pick(balancer, 0);
            cr_assert(backend == LB_NONE, "%s for no backends: expected: LB_NONE; actual: %u", (*e)->name, backend);
            ops->destroy(balancer);
        } else {
            cr_assert(code < 0 && balancer == NULL,
                      "%s for no backends: expected: -errno and nothing; actual: %d and %p", (*e)->name, code,
                      balancer);
        }
        cr_assert(!ops->wraps || code != 0, "%s without an inner entry: expected: refused; actual: %d", (*e)->name,
                  code);
    }
}
