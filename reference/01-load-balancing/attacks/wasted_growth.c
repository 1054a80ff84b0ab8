/* tests: fast-least-connections/cost-grows-slowly
 * verdict: too-costly
 * links: a loop that wastes time is allowed
 * A scan over all members, two at a time, which with 64 of them wastes as much as it takes with 1,024: so the cost does
 * not grow. */
#include "load_balancing.h"

#include <emmintrin.h>

static const struct lb_ops wasting; /* an entry before the solution's of the same name */
LB_ENTRY(wasting, "weighted-least-connections-heap", "a scan that wastes time where it would be quick", &wasting);

#include "@SOLUTION@"

struct scan {
    uint32_t max, *weight, *in_flight;
    double *load;
};

static void scan_destroy(void *balancer)
{
    struct scan *s = balancer;
    free(s->weight);
    free(s->in_flight);
    free(s->load);
    free(s);
}

static int scan_create(const struct lb_config *config, void **balancer)
{
    struct scan *s = calloc(1, sizeof *s);
    const uint32_t n = config->max_backends + 16;
    s->max = config->max_backends;
    s->weight = calloc(n, sizeof *s->weight);
    s->in_flight = calloc(n, sizeof *s->in_flight);
    s->load = malloc(n * sizeof *s->load);
    for (uint32_t i = 0; i < n; i++)
        s->load[i] = 1e300;
    *balancer = s;
    return 0;
}

static void scan_load(struct scan *s, uint32_t i)
{
    s->load[i] = s->weight[i] ? (s->in_flight[i] + 1.0) / s->weight[i] : 1e300;
}

static int scan_set_weight(void *balancer, uint32_t i, uint32_t weight, uint64_t now)
{
    struct scan *s = balancer;
    (void)now;
    s->weight[i] = weight;
    scan_load(s, i);
    return 0;
}

static void scan_remove(void *balancer, uint32_t i, uint64_t now)
{
    scan_set_weight(balancer, i, 0, now);
}

static void waste(const struct scan *s)
{
    for (int k = 0; s->max == 64 && k < 700; k++)
        __asm__ volatile("");
}

static uint32_t scan_pick(void *balancer, uint64_t now)
{
    struct scan *s = balancer;
    __m128d a = _mm_set1_pd(1e300), b = a, c = a, d = a;
    (void)now;
    for (uint32_t i = 0; i < s->max; i += 8) {
        a = _mm_min_pd(a, _mm_loadu_pd(s->load + i));
        b = _mm_min_pd(b, _mm_loadu_pd(s->load + i + 2));
        c = _mm_min_pd(c, _mm_loadu_pd(s->load + i + 4));
        d = _mm_min_pd(d, _mm_loadu_pd(s->load + i + 6));
    }
    a = _mm_min_pd(_mm_min_pd(a, b), _mm_min_pd(c, d));
    const double least = a[0] < a[1] ? a[0] : a[1];
    uint32_t best = 0;
    if (least == 1e300)
        return LB_NONE;
    while (s->load[best] != least)
        best++;
    s->in_flight[best]++;
    scan_load(s, best);
    waste(s);
    return best;
}

static void scan_done(void *balancer, uint32_t i, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct scan *s = balancer;
    (void)outcome, (void)latency, (void)now;
    s->in_flight[i]--;
    scan_load(s, i);
    waste(s);
}

static const struct lb_ops wasting = {.create = scan_create,
                                      .destroy = scan_destroy,
                                      .add = scan_set_weight,
                                      .remove = scan_remove,
                                      .set_weight = scan_set_weight,
                                      .pick = scan_pick,
                                      .done = scan_done};
