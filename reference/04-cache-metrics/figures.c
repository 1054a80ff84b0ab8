/* Figures: what a log of requests says. One pass, and a selection for the percentile.
 *
 * Idea       Everything is a sum: sums of two logs can be added, ratios and percentiles can't. The percentile needs all
 *            latencies, but not sorted: the one with a given rank is found in O(n) on average (Hoare's quickselect).
 * Gets wrong It keeps 8 bytes of each request. A service that runs for months keeps a histogram, and says how coarse.
 * Source     Hoare 1961, "Algorithm 65: find".
 */
#include "cache_metrics.h"

#include <errno.h>
#include <stdlib.h>

/* The number with this rank, counted from 0, among n; they change places. */
static uint64_t select_rank(uint64_t *value, size_t n, size_t rank)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        const uint64_t pivot = value[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (value[i] < pivot)
                i++;
            while (value[j] > pivot)
                j--;
            if (i >= j)
                break;
            const uint64_t swap = value[i];
            value[i++] = value[j];
            value[j--] = swap;
        }
        if (rank <= j)
            high = j;
        else
            low = j + 1;
    }
    return value[low];
}

struct window {
    uint64_t number, requests, hits, work_us;
};

static void add_window(struct cm_figures *f, const struct window *w)
{
    if (w->requests == 0)
        return;
    if (f->worst_requests == 0 || w->hits * f->worst_requests < f->worst_hits * w->requests) {
        f->worst_requests = w->requests;
        f->worst_hits = w->hits;
    }
    f->busiest_work_us = w->work_us > f->busiest_work_us ? w->work_us : f->busiest_work_us;
}

static void add_event(struct cm_figures *f, struct window *w, const struct cm_event *e)
{
    const bool hit = e->outcome == CM_FRESH, fetched = e->outcome == CM_FETCHED;
    w->requests++;
    w->hits += hit;
    w->work_us += fetched ? e->cost_us : 0;
    f->requests++;
    f->hits += hit;
    f->bytes += e->size;
    f->bytes_hit += hit ? e->size : 0;
    f->work_us += e->cost_us;
    f->work_avoided_us += fetched ? 0 : e->cost_us;
    f->latency_ns += e->latency_ns;
}

static int figures(const struct cm_event *event, size_t n, const struct cm_period *period, struct cm_figures *out)
{
    struct cm_figures f = {0};
    struct window w = {0};
    uint64_t *latency = malloc((n ? n : 1) * sizeof *latency);
    if (!latency)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (event[i].time < period->from)
            continue;
        const uint64_t number = (event[i].time - period->from) / period->window;
        if (number != w.number) {
            add_window(&f, &w);
            w = (struct window){.number = number};
        }
        latency[f.requests] = event[i].latency_ns;
        add_event(&f, &w, &event[i]);
    }
    add_window(&f, &w);
    if (f.requests > 0)
        f.p99_ns = select_rank(latency, f.requests, (99 * f.requests + 99) / 100 - 1);
    free(latency);
    *out = f;
    return 0;
}

static const struct cm_figures_ops ops = {.figures = figures};
CM_FIGURES(figures, "figures", "what a log of requests says", &ops);
