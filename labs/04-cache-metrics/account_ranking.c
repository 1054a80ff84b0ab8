/* account_ranking.c: which entries change places when another figure says who is best. */
#include "account.h"

#include <math.h>
#include <stdlib.h>

const char *const account_metric_name[ACCOUNT_METRICS] = {"hits", "bytes hit", "work avoided", "mean latency",
                                                          "p99 latency"};

/* Two percentiles of one value may come out 0.8 % apart: the histogram's error, once each way. */
#define P99_SAME 0.008

double account_metric(const struct account_figures *f, enum account_metric metric)
{
    switch (metric) {
    case ACCOUNT_HITS:
        return f->all.hit_ratio;
    case ACCOUNT_BYTES:
        return f->all.byte_ratio;
    case ACCOUNT_WORK:
        return f->all.work_ratio;
    case ACCOUNT_MEAN:
        return f->all.mean_ns;
    case ACCOUNT_P99:
        return f->all.p99_ns;
    case ACCOUNT_METRICS:
        break;
    }
    return (double)NAN;
}

/* By how much a is better than b; negative: worse; 0: not, or nobody can tell. */
static double lead(const struct account_figures *a, const struct account_figures *b, enum account_metric metric)
{
    const double x = account_metric(a, metric), y = account_metric(b, metric);
    if (isnan(x) || isnan(y) || x == y)
        return 0;
    if (metric < ACCOUNT_MEAN) /* a ratio: more is better */
        return x - y;
    const double by = (y - x) / fmax(fmin(x, y), 1);
    return metric == ACCOUNT_P99 && fabs(by) <= P99_SAME ? 0 : by;
}

static int clearest_first(const void *a, const void *b)
{
    const struct account_swap *x = a, *y = b;
    if (x->clear != y->clear)
        return x->clear < y->clear ? 1 : -1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->second > y->second) - (x->second < y->second);
}

uint32_t account_swaps(const struct account_figures *f, uint32_t n, enum account_metric one, enum account_metric other,
                       struct account_swap *swap)
{
    uint32_t swaps = 0;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = i + 1; k < n; k++) {
            const double by_one = lead(&f[i], &f[k], one), by_other = lead(&f[i], &f[k], other);
            if (by_one > 0 && by_other < 0)
                swap[swaps++] = (struct account_swap){i, k, fmin(by_one, -by_other)};
            else if (by_one < 0 && by_other > 0)
                swap[swaps++] = (struct account_swap){k, i, fmin(-by_one, by_other)};
        }
    qsort(swap, swaps, sizeof *swap, clearest_first);
    return swaps;
}
