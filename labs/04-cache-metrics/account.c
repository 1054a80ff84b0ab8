/* account.c: what a log of (request, answer, evictions) says, computed from it alone. */
#include "account.h"

#include "sim/histogram.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* What is counted of all, or of one kind. */
struct tally {
    struct account_part part; /* but for ratios and latencies */
    struct histogram latency;
};

struct account {
    struct account_params params;
    uint64_t seen;        /* warm-up included */
    uint64_t first, last; /* when the first request that counts was asked, and the last */
    uint64_t evictions;
    uint64_t windows;
    struct account_window open, worst, busiest, slowest; /* without requests: there is none yet */
    struct histogram latency;                            /* of the open window */
    struct tally tally[];                                /* of all, then of each kind */
};

int account_create(const struct account_params *params, struct account **out)
{
    if (params->kinds > ACCOUNT_KINDS)
        return -EINVAL;
    struct account *a = calloc(1, sizeof *a + (1 + params->kinds) * sizeof a->tally[0]);
    if (!a)
        return -ENOMEM;
    a->params = *params;
    a->latency.min = UINT64_MAX;
    for (uint32_t i = 0; i <= params->kinds; i++)
        a->tally[i].latency.min = UINT64_MAX;
    *out = a;
    return 0;
}

void account_destroy(struct account *a)
{
    free(a);
}

/* ---- windows ----------------------------------------------------------------------------------------------------- */

static double percentile(const struct histogram *h, double p)
{
    uint64_t ns;
    return hist_percentile(h, p, &ns) == 0 ? (double)ns : (double)NAN;
}

/* hits / requests, compared by products: no rounding makes two windows equal. */
static bool has_fewer_hits(const struct account_window *w, const struct account_window *than)
{
    __extension__ typedef unsigned __int128 wide;
    return (wide)w->hits * than->requests < (wide)than->hits * w->requests;
}

/* What would stand as the worst, the busiest and the slowest, were the open window closed now. */
struct extremes {
    struct account_window worst, busiest, slowest;
};

static struct extremes extremes_with_open(const struct account *a)
{
    struct extremes e = {a->worst, a->busiest, a->slowest};
    struct account_window w = a->open;
    if (w.requests == 0)
        return e;
    w.p99_ns = percentile(&a->latency, 99);
    if (e.worst.requests == 0 || has_fewer_hits(&w, &e.worst))
        e.worst = w;
    if (e.busiest.requests == 0 || w.work_us > e.busiest.work_us)
        e.busiest = w;
    if (!isnan(w.p99_ns) && (e.slowest.requests == 0 || w.p99_ns > e.slowest.p99_ns))
        e.slowest = w;
    return e;
}

/* Empties what was used of the histogram, and no more: windows may be short. */
static void empty(struct histogram *h)
{
    if (h->count > 0)
        for (uint32_t i = hist_bucket(h->min); i <= hist_bucket(h->max); i++)
            h->bucket[i] = 0;
    h->sum = 0;
    h->count = h->max = 0;
    h->min = UINT64_MAX;
}

static void open_window(struct account *a, uint64_t number)
{
    const struct extremes e = extremes_with_open(a);
    a->worst = e.worst;
    a->busiest = e.busiest;
    a->slowest = e.slowest;
    a->open = (struct account_window){.number = number};
    a->windows++;
    empty(&a->latency);
}

static void add_to_window(struct account *a, const struct cm_event *event)
{
    const uint64_t number = event->time < a->params.from ? 0 : (event->time - a->params.from) / a->params.window;
    if (a->open.requests == 0 || number > a->open.number)
        open_window(a, number);
    a->open.requests++;
    a->open.hits += event->outcome == CM_FRESH;
    a->open.work_us += event->outcome == CM_FETCHED ? event->cost_us : 0;
    hist_record(&a->latency, event->latency_ns);
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

static void add_to_tally(struct tally *t, const struct cm_event *event, bool bypassed)
{
    struct account_part *p = &t->part;
    p->requests++;
    p->hits += event->outcome == CM_FRESH;
    p->stale += event->outcome == CM_STALE;
    p->waited += event->outcome == CM_WAITED;
    p->fetched += event->outcome == CM_FETCHED;
    p->bypasses += bypassed;
    p->bytes += event->size;
    p->bytes_hit += event->outcome == CM_FRESH ? event->size : 0;
    p->work_us += event->cost_us;
    p->work_avoided_us += event->outcome == CM_FETCHED ? 0 : event->cost_us;
    hist_record(&t->latency, event->latency_ns);
}

static void add(struct account *a, const struct cm_event *event, bool bypassed, uint32_t evicted)
{
    if (a->seen++ < a->params.from_request || event->time < a->params.from)
        return;
    if (a->tally[0].part.requests == 0)
        a->first = a->last = event->time;
    a->last = event->time > a->last ? event->time : a->last;
    a->evictions += evicted;
    add_to_tally(&a->tally[0], event, bypassed);
    if (event->kind < a->params.kinds)
        add_to_tally(&a->tally[1 + event->kind], event, bypassed);
    if (a->params.window > 0)
        add_to_window(a, event);
}

void account_add(struct account *a, const struct cm_request *r, enum cm_answer answer, uint32_t evicted)
{
    const bool hit = answer == CM_HIT;
    const struct cm_event event = {.time = r->time,
                                   .latency_ns = a->params.hit_ns + (hit ? 0 : UINT64_C(1000) * r->cost_us),
                                   .size = r->size,
                                   .cost_us = r->cost_us,
                                   .kind = r->kind,
                                   .outcome = hit ? CM_FRESH : CM_FETCHED};
    add(a, &event, answer == CM_BYPASS, evicted);
}

void account_add_event(struct account *a, const struct cm_event *event)
{
    add(a, event, false, 0);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static double ratio(uint64_t part, uint64_t all)
{
    return all > 0 ? (double)part / (double)all : (double)NAN;
}

static void read_part(const struct tally *t, struct account_part *p)
{
    *p = t->part;
    p->hit_ratio = ratio(p->hits, p->requests);
    p->byte_ratio = ratio(p->bytes_hit, p->bytes);
    p->work_ratio = ratio(p->work_avoided_us, p->work_us);
    p->mean_ns = p->requests > 0 ? hist_mean(&t->latency) : (double)NAN;
    p->p50_ns = percentile(&t->latency, 50);
    p->p90_ns = percentile(&t->latency, 90);
    p->p99_ns = percentile(&t->latency, 99);
    p->p999_ns = percentile(&t->latency, 99.9);
}

void account_read(const struct account *a, struct account_figures *f)
{
    const struct extremes e = extremes_with_open(a);
    const struct account_part *all = &a->tally[0].part;
    *f = (struct account_figures){.windows = a->windows,
                                  .worst = e.worst,
                                  .busiest = e.busiest,
                                  .slowest = e.slowest,
                                  .evictions = a->evictions,
                                  .time_ns = a->last - a->first};
    read_part(&a->tally[0], &f->all);
    for (uint32_t i = 0; i < a->params.kinds; i++)
        read_part(&a->tally[1 + i], &f->kind[i]);
    f->load = 1000 * ratio(all->work_us - all->work_avoided_us, f->time_ns);
    f->busiest_load = a->windows > 0 ? 1000 * ratio(e.busiest.work_us, a->params.window) : (double)NAN;
    f->evictions_per_s = 1e9 * ratio(a->evictions, f->time_ns);
}
