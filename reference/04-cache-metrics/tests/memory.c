/* memory.c: what a cache does when there is no more memory. */
#include "caches.h"

#include <stdio.h>
#include <sys/resource.h>

TestSuite(memory, .timeout = 240);

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define LIMITS 0 /* sanitizers need the address space for themselves */
#else
#define LIMITS 1
#endif

static rlim_t address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert(file && fscanf(file, "%lu", &pages) == 1, "/proc/self/statm");
    fclose(file);
    return pages * 4096;
}

/* Objects that are never evicted, until one is passed on. How many were kept. */
static uint64_t fill(struct cache_run *run)
{
    struct cm_request r = {.size = 1, .next = CM_NEVER};
    while (r.key < 3000000 && cache_ask(run, &r) == CM_MISS)
        r.key++;
    return r.key;
}

Test(memory, without_it_objects_are_passed_on)
{
    for (const char *const *e = cache_entries; *e && LIMITS; e++) {
        struct cache_run run;
        struct rlimit before, now;
        cr_assert(cache_start(&run, *e, UINT64_C(1) << 48) == 0, "%s: created", *e);
        getrlimit(RLIMIT_AS, &before);
        now = before;
        now.rlim_cur = address_space() + (16 << 20);
        setrlimit(RLIMIT_AS, &now);
        const uint64_t kept = fill(&run);
        struct cm_request r = {.key = kept, .size = 1, .next = CM_NEVER};
        const enum cm_answer again = cache_ask(&run, &r);
        uint64_t hits = 0;
        for (r.key = 0; r.key < kept; r.key++)
            hits += cache_ask(&run, &r) == CM_HIT;
        setrlimit(RLIMIT_AS, &before);
        cr_assert(kept > 10000 && kept < 3000000, "%s: expected: memory ends; %lu objects", *e, kept);
        cr_assert(again == CM_BYPASS && run.evicted.n == 0, "%s: expected: passed on, and nothing evicted", *e);
        cr_assert(hits == kept, "%s: expected: %lu hits; actual: %lu", *e, kept, hits);
        r.key = kept;
        const enum cm_answer first = cache_ask(&run, &r), second = cache_ask(&run, &r);
        cr_assert(first == CM_MISS && second == CM_HIT, "%s: expected: kept, once there is memory", *e);
        cache_stop(&run);
    }
    cr_assert(true, "all went on without");
}

Test(memory, a_curve_says_that_there_was_none)
{
    enum { N = 3000000 };
    static const char *const name[] = {"mattson", "shards"};
    static uint64_t key[N];
    const struct cm_curve_config config = {.most_sampled = N};
    const uint64_t capacity = 5;
    double misses;
    for (uint32_t i = 0; i < N; i++)
        key[i] = i;
    for (uint32_t e = 0; e < 2 && LIMITS; e++) {
        struct rlimit before, now;
        getrlimit(RLIMIT_AS, &before);
        now = before;
        now.rlim_cur = address_space() + (16 << 20);
        setrlimit(RLIMIT_AS, &now);
        const int code = entry_ops(name[e])->curve->misses(&config, key, N, &capacity, 1, &misses);
        setrlimit(RLIMIT_AS, &before);
        cr_assert(code == -ENOMEM, "%s: expected: -ENOMEM; actual: %d", name[e], code);
        cr_assert(entry_ops(name[e])->curve->misses(&config, key, N, &capacity, 1, &misses) == 0 && misses == N,
                  "%s: expected: all are first requests", name[e]);
    }
    cr_assert(true, "both said so");
}
