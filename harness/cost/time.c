/* Times every group of cells side by side.
 *
 * To each group two more candidates are added that no table shows: a second copy of its first entry, which sets the
 * floor below which no difference is claimed, and the yardstick, a fixed loop of this file: how fast the processor was
 * while this group was timed. Two runs on different days are linked by it (baseline.c).
 */
#include "cost/internal.h"

#include "base/terminal.h"
#include "measure/ping_pong.h"

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSETTLED 1.5 /* the ping-pong before and after may differ by this factor */

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
    uint32_t *rank = cost_allocate(n, sizeof *rank);
    g->floor = g->unsettled ? INFINITY : compare_floor(timed, 0, n);
    g->yardstick = timed->result[n + 1].time.median;
    g->pinned = timed->pinned;
    memcpy(g->witness, timed->witness_sum, sizeof g->witness);
    compare_rank(timed, n, g->floor, rank);
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

static void time_group(struct cost_run *run, struct cost_group *g)
{
    const struct cost_cell *first = &run->cell[g->first];
    unsigned place[COMPARE_THREADS];
    struct error err;
    if (!topology_is_this_machine(run->topology) ||
        topology_places(run->topology, first->threads, place, g->place, sizeof g->place, &err) != 0) {
        refuse_group(
            run, g, topology_is_this_machine(run->topology) ? err.text : "another machine's topology was put in place");
        return;
    }
    struct made *made = cost_allocate(g->cells + 1, sizeof *made);
    uint32_t *cell = cost_allocate(g->cells, sizeof *cell), n = try_cells(run, g, made, cell);
    if (n > 0) {
        struct compare_candidate *candidate = cost_allocate(n + 2, sizeof *candidate);
        made[n] = made[0];
        for (uint32_t i = 0; i <= n; i++)
            candidate[i] = (struct compare_candidate){"", &made[i], make, unmake, run_made};
        candidate[n + 1] = (struct compare_candidate){YARDSTICK, NULL, NULL, NULL, run_yardstick};
        struct compare_plan plan = {.threads = first->threads,
                                    .place = place,
                                    .topology = run->topology,
                                    .counters = first->state == COMPARE_STEADY ? run->counters : NULL,
                                    .state = first->state,
                                    .rounds = rounds_for(run, first->operation, n + 2),
                                    .chunk_ns = first->operation->chunk_ns,
                                    .chunks = first->operation->chunk_ns > 1000000 ? 2 : 0};
        struct compare_run timed;
        ping(run, g, place, &g->ping_before);
        int code = compare_run(&plan, candidate, n + 2, &timed, &err);
        ping(run, g, place, &g->ping_after);
        g->unsettled = fmax(g->ping_before, g->ping_after) > UNSETTLED * fmin(g->ping_before, g->ping_after);
        if (code) {
            refuse_group(run, g, err.text);
        } else {
            keep_results(run, g, &timed, cell, n);
            compare_free(&timed);
        }
        free(candidate);
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
