/* rate.c: how fast, and how close to what the machine can do.
 *
 * Idea: a rate says little without the limit that it stands under, and a limit that was measured at another time is
 * another machine's: clocks and neighbours change within seconds. So the loop at the limit is a candidate like the
 * entries, and the share is the median of the ratios within each round, with its interval from the sign test.
 *
 * A share is of work, not of time: work over time of the entry, over work and time of the loop.
 */
#include "cost/internal.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALPHA 0.05

static struct stats_interval none(void)
{
    return (struct stats_interval){NAN, NAN, NAN};
}

/* ---- limits ---- */

static int find_limit(struct cost_group *g, const char *id)
{
    for (uint32_t k = 0; k < g->limits; k++)
        if (strcmp(g->limit[k].id, id) == 0)
            return (int)k;
    if (g->limits == COST_LIMITS)
        return -1;
    struct cost_limit *l = &g->limit[g->limits];
    *l = (struct cost_limit){.rate = none(), .best = NAN};
    snprintf(l->id, sizeof l->id, "%s", id);
    if (!limits_loop(id, &l->loop, l->reason, sizeof l->reason))
        return -1; /* an entry that runs here, and a limit that doesn't: then it has none */
    return (int)g->limits++;
}

void cost_limits_find(struct cost_run *run, struct cost_group *g)
{
    for (uint32_t i = 0; i < g->cells; i++) {
        struct cost_cell *c = &run->cell[g->first + i];
        struct cost_subject subject = cost_subject_of(run, c);
        const char *id =
            c->operation->limit && !c->refused && !c->operation->elsewhere ? c->operation->limit(&subject) : NULL;
        c->limit = id ? find_limit(g, id) : -1;
    }
}

/* ---- the loop on several threads that it starts itself, as the operation beside it does ---- */

struct worker {
    const struct cost_limit_made *made;
    pthread_t thread;
    uint64_t n;
    unsigned place;
    bool started;
};

static void *worker_main(void *context)
{
    const struct worker *h = context;
    const struct limits_loop *loop = &h->made->limit->loop;
    topology_bind(h->made->topology, h->place, NULL); /* if not, it runs where it may */
    loop->run(loop->context, h->n);
    return NULL;
}

static void run_limit(void *context, unsigned thread, uint64_t n)
{
    const struct cost_limit_made *m = context;
    struct worker worker[COMPARE_THREADS];
    (void)thread;
    for (unsigned t = 1; t < m->threads; t++) {
        worker[t] = (struct worker){.made = m, .n = n, .place = m->place[t]};
        worker[t].started = pthread_create(&worker[t].thread, NULL, worker_main, &worker[t]) == 0;
    }
    m->limit->loop.run(m->limit->loop.context, n);
    for (unsigned t = 1; t < m->threads; t++) {
        if (worker[t].started)
            pthread_join(worker[t].thread, NULL);
        else
            m->limit->loop.run(m->limit->loop.context, n); /* slower, but not less work */
    }
}

struct compare_candidate cost_limit_candidate(struct cost_limit_made *made)
{
    return (struct compare_candidate){made->limit->id, made, NULL, NULL, run_limit};
}

/* ---- rates ---- */

/* Units of work that the threads of a cell do together in the time of one operation. */
static double work_of(const struct cost_run *run, const struct cost_cell *c)
{
    struct cost_subject subject = cost_subject_of(run, c);
    const struct cost_operation *o = c->operation;
    return o->work(&subject) * (o->shared || o->own_threads ? 1 : c->threads);
}

static struct stats_interval rate_of(const struct stats_interval *time, double work)
{
    return (struct stats_interval){work / time->median, work / time->high, work / time->low};
}

/* In %: what the first does in the time of the second, over what the second does in that time. */
static struct stats_interval share_of(const struct compare_run *timed, uint32_t which, double work, uint32_t of,
                                      double of_work)
{
    struct stats_interval time = compare_ratio(timed, which, of, ALPHA);
    double factor = 100 * work / of_work;
    return (struct stats_interval){factor * time.median, factor * time.low, factor * time.high};
}

void cost_rates(struct cost_run *run, struct cost_group *g, const struct compare_run *timed, const uint32_t *cell,
                uint32_t n, uint32_t first_limit)
{
    const struct cost_cell *first = &run->cell[g->first];
    const struct cost_operation *o = first->operation;
    uint32_t against = n;
    if (!o->rate)
        return;
    for (uint32_t i = 0; i < n && o->against; i++)
        against = strcmp(run->cell[cell[i]].who->entry, o->against) == 0 ? i : against;
    for (uint32_t k = 0; k < g->limits; k++) {
        const struct compare_result *r = &timed->result[first_limit + k];
        double work = g->limit[k].loop.work * first->threads;
        g->limit[k].rate = rate_of(&r->time, work);
        g->limit[k].best = work / r->p10;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct cost_cell *c = &run->cell[cell[i]];
        double work = work_of(run, c);
        c->rate = rate_of(&c->time, work);
        if (c->limit >= 0)
            c->share = share_of(timed, i, work, first_limit + (uint32_t)c->limit,
                                g->limit[c->limit].loop.work * first->threads);
        if (against < n && i != against)
            c->against = share_of(timed, i, work, against, work_of(run, &run->cell[cell[against]]));
    }
}
