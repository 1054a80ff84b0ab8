/* Tests of task 5, the fixed window that several threads ask at the same time. */
#include "check_calls.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY "fixed-window-atomic"

/* ---- alone ---- */

/* The clocks of two callers differ: some calls come with a time that is a little older than the newest. */
static void clocks_differ(struct list *l, struct rng *r, uint32_t calls)
{
    const uint64_t n = l->config.limit, t = l->config.window_ns;
    uint64_t now = between(r, 2 * t, 5 * t);
    for (uint32_t i = 0; i < calls; i++) {
        const uint64_t cost = between(r, 1, (n + 2) / 3), key = some_key(r);
        now += rng_below(r, 3) ? between(r, 0, t / n) : 0;
        if (rng_below(r, 16) == 0) /* to the edge of the next window, or right before it */
            now = (now / t + 1) * t - rng_below(r, 2);
        list_ask(l, key, now, 1);
        if (rng_below(r, 4) == 0)
            list_ask(l, key, now - between(r, 1, t), cost);
        else
            list_ask(l, key, now, cost);
    }
}

CHECK(atomic_window, alone_it_is_right)
{
    struct rng r = random_of_test(41);
    struct list *l;
    for (uint32_t round = 0; round < 2; round++) {
        l = list_create(RULE_FIXED, between(&r, 3, round ? 40 : 8), between(&r, round ? 500 : 80, round ? 5000 : 200),
                        1);
        l->config.threads = 2;
        list_random(l, &r, between(&r, 0, 100), check_large() ? 4000 : 400);
        list_check(ENTRY, l, RETRY | LEFT, NULL);
    }
    l = list_create(RULE_FIXED, RL_MAX_UNITS, RL_MAX_WINDOW - between(&r, 0, 9), 1);
    l->config.threads = 2;
    list_random(l, &r, RL_MAX_TIME - 2000 * RL_MAX_WINDOW, 300);
    list_check(ENTRY, l, RETRY | LEFT, "Costs are up to 10^9: a few of them do not fit into 32 bits.");
    l = list_create(RULE_FIXED, between(&r, 4, 9), between(&r, 80, 200), 1);
    l->config.threads = 2;
    clocks_differ(l, &r, check_large() ? 4000 : 400);
    list_check(ENTRY, l, DECISIONS,
               "Time goes back here, as it does between two threads' clocks: a window that is over stays over, and "
               "such a request belongs to the newest window of its key.");
}

/* ---- together ---- */

static struct hammer hammer_of(uint64_t limit, uint64_t calls, uint32_t keys, uint32_t rounds)
{
    struct rng r = random_of_test(42);
    struct hammer h = {.config = config_of(limit, S, 1),
                       .now = between(&r, 1, 1000) * S,
                       .step = S,
                       .calls = calls,
                       .threads = 4,
                       .keys = keys,
                       .rounds = rounds};
    h.config.threads = h.threads;
    return h;
}

struct finding {
    uint32_t round, key, wrong; /* the first place where something is wrong, and how many there are */
    uint64_t total;             /* what was admitted there */
};

static uint64_t admitted_in(const struct hammer *h, const struct hammer_count *count, uint32_t round, uint32_t key)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < h->threads; i++)
        total += count[((size_t)round * h->threads + i) * h->keys + key].admitted;
    return total;
}

static _Noreturn void wrong_total(const struct hammer *h, const struct hammer_count *count, struct finding f,
                                  uint64_t right)
{
    char threads[200] = "";
    for (uint32_t i = 0; i < h->threads; i++)
        snprintf(threads + strlen(threads), sizeof threads - strlen(threads), "%s%llu", i ? " + " : "",
                 (ULL)count[((size_t)f.round * h->threads + i) * h->keys + f.key].admitted);
    check_fail(VERDICT_WRONG,
               "%u threads at the same time, N = %llu; each asks %llu times for each of %u key%s, in each of %u "
               "window%s%s.\nexpected: exactly %llu of each key's %llu requests in a window are allowed; actual: key "
               "%llu, in window %u, got %llu (%s, thread by thread); it was wrong %u times in %llu.\n%s",
               h->threads, (ULL)h->config.limit, (ULL)h->calls, h->keys, h->keys > 1 ? "s" : "", h->rounds,
               h->rounds > 1 ? "s" : "", h->fresh ? ", which has keys of its own" : "", (ULL)right,
               (ULL)h->calls * h->threads, (ULL)f.key + 1 + (h->fresh ? (ULL)f.round * h->keys : 0), f.round + 1,
               (ULL)f.total, threads, f.wrong, (ULL)h->rounds * h->keys,
               f.total > right ? "More than there may be: what one thread noted, another one overwrote, or never saw."
                               : "Fewer than would fit: somebody was refused although there was room.");
}

static void expect_exactly(const struct hammer *h)
{
    const size_t size = sizeof(struct adapter_header) + sizeof *h;
    const uint64_t asked = h->calls * h->threads, right = asked < h->config.limit ? asked : h->config.limit;
    struct adapter_header *block = room_for(NULL, 1, size);
    struct finding first = {0, 0, 0, 0};
    struct host_outcome o;
    *block = (struct adapter_header){.kind = ADAPTER_HAMMER};
    memcpy(block + 1, h, sizeof *h);
    check_host(ENTRY, block, size, sizeof(struct hammer_count), hammer_records(h), &o);
    for (uint32_t round = 0; round < h->rounds; round++)
        for (uint32_t key = 0; key < h->keys; key++) {
            const uint64_t total = admitted_in(h, o.records, round, key);
            if (total != right && first.wrong++ == 0)
                first = (struct finding){round, key, 1, total};
        }
    if (first.wrong)
        wrong_total(h, o.records, first, right);
    host_outcome_free(&o);
    free(block);
}

/* Some updates are lost in any long run; what goes wrong only where a limit ends or a window begins needs many of
 * those. The keys were all there before, so nothing depends on the table. The third has room for everybody. */
CHECK(atomic_window, exactly_n_threads)
{
    const uint32_t keys = check_large() ? 32768 : 8192;
    const uint64_t limits[] = {7, 3, 32}, calls[] = {8, 4, 8};
    for (uint32_t i = 0; i < 3; i++) {
        struct hammer h = hammer_of(limits[i], calls[i], keys, 2);
        h.warm = 1;
        expect_exactly(&h);
    }
    const uint64_t many = check_large() ? 2500000 : 250000;
    struct hammer h = hammer_of(2 * many, many, 1, 1);
    expect_exactly(&h);
}

/* New keys in every window, asked for by all threads at the same time: the table grows, and forgets, meanwhile. */
CHECK(atomic_window, many_keys_threads)
{
    const uint32_t keys = check_large() ? 32768 : 8192;
    struct hammer h = hammer_of(5, 4, keys, 4);
    h.fresh = 1;
    expect_exactly(&h);
    h = hammer_of(3, 2, keys, 3);
    expect_exactly(&h);
}
