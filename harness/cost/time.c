/* Times every group of cells side by side.
 *
 * To each group two more candidates are added that no table shows: a second copy of its first entry, which sets the
 * floor below which no difference is claimed, and the yardstick, a fixed loop of this file: how fast the processor was
 * while this group was timed. Two runs on different days are linked by it (baseline.c). Where rates are told, the limits
 * that they stand under take their turns as well (rate.c).
 */
#include "cost/internal.h"

#include "base/memory.h"
#include "base/terminal.h"
#include "measure/ping_pong.h"

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSETTLED       1.5      /* the ping-pong before and after may differ by this factor */
#define MIDDLE_CHUNK_NS 1000000  /* chunks longer than this: two a sample ... */
#define LONG_CHUNK_NS   50000000 /* ... and one */

struct made {
    const struct cost_operation *operation;
    struct cost_subject subject;
    void *state;
    double bytes;
    struct error why;
};

/* Bytes of the heap in use, small and large blocks. */
static double heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return (double)m.uordblks + (double)m.hblkhd;
}

static void unmake(void *context)
{
    struct made *m = context;
    if (m->state)
        m->operation->destroy(m->state);
    m->state = NULL;
}

static int make(void *context)
{
    struct made *m = context;
    double before = heap_bytes();
    int code = m->operation->create(&m->subject, &m->state, &m->why);
    m->bytes = heap_bytes() - before;
    return code;
}

static void run_made(void *context, unsigned thread, uint64_t n)
{
    const struct made *m = context;
    m->operation->run(m->state, thread, n);
}

/* A chain of multiplications: its time is the processor's clock and nothing else. */
static void run_yardstick(void *context, unsigned thread, uint64_t n)
{
    uint64_t x = 1;
    (void)context;
    (void)thread;
    for (uint64_t i = 0; i < 20 * n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        __asm__ volatile("" : "+r"(x));
    }
}

/* ---- one group ---- */

/* Tries each entry once: which can be made at this size at all. */
static uint32_t try_cells(const struct cost_run *run, struct cost_group *g, struct made *made, uint32_t *cell)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->cells; i++) {
        struct cost_cell *c = &run->cell[g->first + i];
        struct made m = {c->operation, cost_subject_of(run, c), NULL, NAN, {""}};
        if (c->refused)
            continue;
        int code = make(&m);
        if (code) {
            c->refused = true;
            snprintf(c->reason, sizeof c->reason, "%.200s", m.why.text[0] ? m.why.text : strerror(-code));
            continue;
        }
        c->bytes = c->operation->parts ? NAN : m.bytes;
        unmake(&m);
        cell[n] = g->first + i;
        made[n++] = m;
    }
    return n;
}

static void keep_results(struct cost_run *run, struct cost_group *g, const struct compare_run *timed,
                         const uint32_t *cell, uint32_t n)
{
    uint32_t *rank = xcalloc(n, sizeof *rank);
    g->pinned = timed->pinned;
    memcpy(g->witness, timed->witness_sum, sizeof g->witness);
    compare_rank(timed, n, g->floor, rank);
    g->rounds_needed = timed->rounds < compare_rounds_needed(n) ? compare_rounds_needed(n) : 0;
    for (uint32_t i = 0; i < n; i++) {
        struct cost_cell *c = &run->cell[cell[i]];
        const struct compare_result *r = &timed->result[i];
        c->timed = true;
        c->time = r->time;
        c->p10 = r->p10;
        c->p50 = r->p50;
        c->p90 = r->p90;
        c->rank = g->unsettled ? 0 : rank[i];
        c->samples = r->samples;
        c->outliers = r->outliers;
        c->unexplained = r->unexplained;
        memcpy(c->explained, r->explained, sizeof c->explained);
        memcpy(c->live, r->count, sizeof c->live);
    }
    free(rank);
}

static void ping(const struct cost_run *run, const struct cost_group *g, const unsigned *place, double *ns)
{
    if (run->cell[g->first].threads == 2 && ping_pong_ns(run->topology, place, ns) != 0)
        *ns = NAN;
}

static void refuse_group(struct cost_run *run, const struct cost_group *g, const char *why)
{
    for (uint32_t i = 0; i < g->cells; i++)
        if (!run->cell[g->first + i].reason[0])
            snprintf(run->cell[g->first + i].reason, sizeof run->cell->reason, "%.200s", why);
}

/* At least as many as it takes for every candidate to follow every other. */
static uint32_t rounds_for(const struct cost_run *run, const struct cost_operation *o, uint32_t candidates)
{
    if (run->request.rounds)
        return run->request.rounds;
    return o->rounds ? o->rounds : candidates > COMPARE_ROUNDS ? candidates : COMPARE_ROUNDS;
}

/* Two copies of an entry are candidates of a group that was timed here; elsewhere there is none. */
static void find_floor(struct cost_group *g, const struct compare_run *timed, uint32_t n)
{
    g->unsettled = fmax(g->ping_before, g->ping_after) > UNSETTLED * fmin(g->ping_before, g->ping_after);
    g->floor = g->unsettled ? INFINITY : timed->candidates >= n + 2 ? compare_floor(timed, 0, n) : COMPARE_LEAST_FLOOR;
    g->yardstick = timed->candidates >= n + 2 ? timed->result[n + 1].time.median : NAN;
}

static struct compare_plan plan_of(const struct cost_run *run, const struct cost_cell *first, const unsigned *place,
                                   uint32_t candidates)
{
    const struct cost_operation *o = first->operation;
    const bool counted = first->state == COMPARE_STEADY && !o->own_threads; /* counters see the threads that are ours */
    return (struct compare_plan){.threads = o->own_threads ? 1 : first->threads,
                                 .place = place,
                                 .topology = run->topology,
                                 .counters = counted ? run->counters : NULL,
                                 .state = first->state,
                                 .rounds = rounds_for(run, o, candidates),
                                 .chunk_ns = o->chunk_ns,
                                 .chunks = o->chunk_ns > LONG_CHUNK_NS     ? 1
                                           : o->chunk_ns > MIDDLE_CHUNK_NS ? 2
                                                                           : 0,
                                 .together = o->shared};
}

/* Candidates: the cells that can be made, the first of them once more, the yardstick, the limits. */
static int time_here(struct cost_run *run, struct cost_group *g, const unsigned *place, struct made *made, uint32_t n,
                     struct compare_run *timed, struct error *err)
{
    const struct cost_cell *first = &run->cell[g->first];
    struct compare_candidate *candidate = xcalloc(n + 2 + g->limits, sizeof *candidate);
    struct cost_limit_made limit[COST_LIMITS];
    uint32_t candidates = 0;
    made[n] = made[0];
    for (; candidates <= n; candidates++)
        candidate[candidates] = (struct compare_candidate){"", &made[candidates], make, unmake, run_made};
    candidate[candidates++] = (struct compare_candidate){YARDSTICK, NULL, NULL, NULL, run_yardstick};
    for (uint32_t k = 0; k < g->limits; k++) {
        limit[k] = (struct cost_limit_made){&g->limit[k], run->topology, place,
                                            first->operation->own_threads ? first->threads : 1};
        candidate[candidates++] = cost_limit_candidate(&limit[k]);
    }
    struct compare_plan plan = plan_of(run, first, place, candidates);
    ping(run, g, place, &g->ping_before);
    int code = compare_run(&plan, candidate, candidates, timed, err);
    ping(run, g, place, &g->ping_after);
    free(candidate);
    return code;
}

static void time_group(struct cost_run *run, struct cost_group *g)
{
    const struct cost_cell *first = &run->cell[g->first];
    const bool elsewhere = first->operation->elsewhere != NULL;
    unsigned place[COMPARE_THREADS];
    struct error err = {""};
    if (!topology_is_this_machine(run->topology) ||
        topology_places(run->topology, first->threads, place, g->place, sizeof g->place, &err) != 0) {
        refuse_group(
            run, g, topology_is_this_machine(run->topology) ? err.text : "another machine's topology was put in place");
        return;
    }
    struct made *made = xcalloc(g->cells + 1, sizeof *made);
    uint32_t *cell = xcalloc(g->cells, sizeof *cell), n = 0;
    for (uint32_t i = 0; i < g->cells && elsewhere; i++)
        cell[n++] = g->first + i;
    if (!elsewhere)
        n = try_cells(run, g, made, cell);
    if (n > 0) {
        struct compare_run timed;
        cost_limits_find(run, g);
        int code = elsewhere ? cost_elsewhere(run, g, rounds_for(run, first->operation, 0), &timed, &err)
                             : time_here(run, g, place, made, n, &timed, &err);
        if (code) {
            refuse_group(run, g, err.text[0] ? err.text : strerror(-code));
        } else {
            find_floor(g, &timed, n);
            keep_results(run, g, &timed, cell, n);
            cost_rates(run, g, &timed, cell, n, n + 2);
            compare_free(&timed);
        }
    }
    free(made);
    free(cell);
}

void cost_time(struct cost_run *run)
{
    struct progress p;
    progress_start(&p, "timing", run->groups, run->request.quiet);
    for (uint32_t i = 0; i < run->groups; i++) {
        time_group(run, &run->group[i]);
        progress_set(&p, i + 1);
    }
    progress_end(&p);
}
