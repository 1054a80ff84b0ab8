/* floor.c: how small a difference this machine can resolve, and whether the comparison keeps its promises. */
#include "measure/floor.h"

#include "base/terminal.h"
#include "measure/compare.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* ---- the loop: each step waits for the one before, so its time does not depend on what surrounds it ---- */

#define STEPS 20 /* of an operation; the planted one has one more: 5 % */
#define WORDS (256u << 10 >> 3)

struct loop {
    uint64_t steps;
    uint64_t *table; /* [WORDS]: the steps wander through it, out of the first cache; NULL: arithmetic only */
    uint64_t x;      /* goes on from call to call: the way must not depend on how many operations a call has */
};

static void run_loop(void *context, unsigned thread, uint64_t n)
{
    struct loop *loop = context;
    uint64_t x = loop->x;
    (void)thread;
    for (uint64_t i = 0; i < n * loop->steps; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        if (loop->table)
            x += loop->table[x >> 40 & (WORDS - 1)];
        __asm__ volatile("" : "+r"(x)); /* every step is taken, one after the other */
    }
    loop->x = x;
}

static int make(void *context)
{
    struct loop *loop = context;
    loop->table = malloc(WORDS * sizeof *loop->table);
    for (uint64_t i = 0; loop->table && i < WORDS; i++)
        loop->table[i] = i * 0x9e3779b97f4a7c15u;
    return loop->table ? 0 : -ENOMEM;
}

static void unmake(void *context)
{
    struct loop *loop = context;
    free(loop->table);
    loop->table = NULL;
}

/* ---- the floor ---- */

static int run_pinned(const struct topology *topology, const struct compare_candidate *candidate, uint32_t n,
                      struct compare_run *run, struct error *err)
{
    unsigned place[1];
    char words[100];
    bool placed = topology && topology_places(topology, 1, place, words, sizeof words, NULL) == 0;
    struct compare_plan plan = {.threads = 1, .place = placed ? place : NULL, .topology = topology};
    return compare_run(&plan, candidate, n, run, err);
}

int floor_measure(const struct topology *topology, double *floor, struct error *err)
{
    struct loop loop = {STEPS, NULL, 1};
    const struct compare_candidate candidates[] = {{"A", &loop, NULL, NULL, run_loop},
                                                   {"A", &loop, NULL, NULL, run_loop}};
    struct compare_run run;
    int code = run_pinned(topology, candidates, 2, &run, err);
    if (code)
        return code;
    *floor = compare_floor(&run, 0, 1);
    compare_free(&run);
    return 0;
}

/* ---- trials ---- */

static void *burn(void *stop)
{
    while (!atomic_load_explicit((_Atomic bool *)stop, memory_order_relaxed))
        for (volatile int i = 0; i < 100000; i++) {
        }
    return NULL;
}

static void judge(const struct compare_run *run, struct floor_trials *out, double *floor)
{
    *floor = compare_floor(run, 0, 1);
    struct compare_difference same = compare_two(run, 0, 2, 2, *floor), slower = compare_two(run, 0, 3, 2, *floor);
    out->false_claims += same.verdict != COMPARE_NOT_RESOLVED;
    out->found += slower.verdict == COMPARE_SLOWER;
    out->wrong_way += slower.verdict == COMPARE_FASTER;
    out->worst_aa = fmax(out->worst_aa, fabs(same.ratio - 1));
}

/* Every other trial does arithmetic only; the rest read memory as well. */
static int one_trial(const struct topology *topology, bool memory, struct floor_trials *out, double *floor,
                     struct error *err)
{
    struct loop loop[4] = {{STEPS, NULL, 1}, {STEPS, NULL, 1}, {STEPS, NULL, 1}, {STEPS + 1, NULL, 1}};
    struct compare_candidate candidate[4];
    struct compare_run run;
    for (int i = 0; i < 4; i++)
        candidate[i] = (struct compare_candidate){i < 3 ? "A" : "B", &loop[i], memory ? make : NULL,
                                                  memory ? unmake : NULL, run_loop};
    int code = run_pinned(topology, candidate, 4, &run, err);
    if (code == 0) {
        judge(&run, out, floor);
        compare_free(&run);
    }
    return code;
}

int floor_trials(const struct topology *topology, uint32_t trials, unsigned load, bool quiet, struct floor_trials *out,
                 struct error *err)
{
    enum { MOST_LOAD = 64 };
    pthread_t busy[MOST_LOAD];
    _Atomic bool stop = false;
    unsigned started = 0;
    double *floor = calloc(trials ? trials : 1, sizeof *floor);
    if (!floor)
        return error_set(err, -ENOMEM, "out of memory");
    *out = (struct floor_trials){.trials = trials, .planted = 1.0 / STEPS};
    while (started < load && started < MOST_LOAD && pthread_create(&busy[started], NULL, burn, &stop) == 0)
        started++;
    struct progress p;
    int code = started < load ? error_set(err, -EAGAIN, "%u busy threads could not be started", load) : 0;
    progress_start(&p, "A/A trials", trials, quiet);
    for (uint32_t i = 0; i < trials && code == 0; i++) {
        code = one_trial(topology, i % 2 == 1, out, &floor[i], err);
        progress_set(&p, i + 1);
    }
    progress_end(&p);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < started; i++)
        pthread_join(busy[i], NULL);
    out->median_floor = stats_median(floor, trials);
    free(floor);
    return code;
}
