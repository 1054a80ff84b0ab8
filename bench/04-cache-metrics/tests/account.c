/* account.c: figures of random logs against the same worked out naively from the whole log, and the edges. */
#include "account.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(account, .timeout = 60);

struct entry {
    struct cm_request request;
    enum cm_answer answer;
    uint32_t evicted;
};

struct log {
    struct account_params params;
    struct entry *entry;
    size_t n;
};

static struct account *filled(const struct log *log)
{
    struct account *a = NULL;
    cr_assert_eq(account_create(&log->params, &a), 0);
    for (size_t i = 0; i < log->n; i++)
        account_add(a, &log->entry[i].request, log->entry[i].answer, log->entry[i].evicted);
    return a;
}

static struct account_figures figures_of(const struct log *log)
{
    struct account_figures f;
    struct account *a = filled(log);
    account_read(a, &f);
    account_destroy(a);
    return f;
}

/* ---- naively ---- */

static bool counts(const struct log *log, size_t i)
{
    return i >= log->params.from_request && log->entry[i].request.time >= log->params.from;
}

static uint64_t latency(const struct log *log, size_t i)
{
    const struct entry *e = &log->entry[i];
    return log->params.hit_ns + (e->answer == CM_HIT ? 0 : 1000 * (uint64_t)e->request.cost_us);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Of those with this kind (or all: -1) and window (or all: -1), the p-th percentile exactly; NAN where fewer than 10
 * lie beyond it. */
static double exact_percentile(const struct log *log, int64_t kind, int64_t window, double p)
{
    uint64_t *ns = xcalloc(log->n, sizeof *ns), n = 0;
    for (size_t i = 0; i < log->n; i++) {
        const struct cm_request *r = &log->entry[i].request;
        if (counts(log, i) && (kind < 0 || r->kind == kind) &&
            (window < 0 || (r->time - log->params.from) / log->params.window == (uint64_t)window))
            ns[n++] = latency(log, i);
    }
    qsort(ns, n, sizeof *ns, by_number);
    const uint64_t rank = (uint64_t)ceil(p / 100 * (double)n);
    const double value = n - rank >= 10 && n > 0 ? (double)ns[rank > 0 ? rank - 1 : 0] : (double)NAN;
    free(ns);
    return value;
}

static bool near(double value, double expected, double relative)
{
    return (isnan(value) && isnan(expected)) || fabs(value - expected) <= relative * fabs(expected);
}

static void check_part(const struct log *log, const struct account_part *p, int64_t kind)
{
    struct account_part e = {.requests = 0};
    double sum = 0;
    for (size_t i = 0; i < log->n; i++) {
        const struct entry *x = &log->entry[i];
        if (!counts(log, i) || (kind >= 0 && x->request.kind != kind))
            continue;
        const bool hit = x->answer == CM_HIT;
        e.requests++;
        e.hits += hit;
        e.fetched += !hit;
        e.bypasses += x->answer == CM_BYPASS;
        e.bytes += x->request.size;
        e.bytes_hit += hit ? x->request.size : 0;
        e.work_us += x->request.cost_us;
        e.work_avoided_us += hit ? x->request.cost_us : 0;
        sum += (double)latency(log, i);
    }
    cr_assert(p->requests == e.requests && p->hits == e.hits && p->fetched == e.fetched && p->bypasses == e.bypasses &&
                  p->bytes == e.bytes && p->bytes_hit == e.bytes_hit && p->work_us == e.work_us &&
                  p->work_avoided_us == e.work_avoided_us && p->stale == 0 && p->waited == 0,
              "kind %lld: %llu requests, %llu hits; expected %llu, %llu", (long long)kind,
              (unsigned long long)p->requests, (unsigned long long)p->hits, (unsigned long long)e.requests,
              (unsigned long long)e.hits);
    cr_assert(near(p->hit_ratio, (double)e.hits / (double)e.requests, 1e-15) &&
              near(p->byte_ratio, (double)e.bytes_hit / (double)e.bytes, 1e-15) &&
              near(p->work_ratio, (double)e.work_avoided_us / (double)e.work_us, 1e-15) &&
              near(p->mean_ns, sum / (double)e.requests, 1e-12));
    const double at[] = {50, 90, 99, 99.9}, is[] = {p->p50_ns, p->p90_ns, p->p99_ns, p->p999_ns};
    for (int k = 0; k < 4; k++)
        cr_assert(near(is[k], exact_percentile(log, kind, -1, at[k]), 0.004), "kind %lld, p%g: %g, expected %g",
                  (long long)kind, at[k], is[k], exact_percentile(log, kind, -1, at[k]));
}

static struct account_window window_of(const struct log *log, uint64_t number)
{
    struct account_window w = {.number = number};
    for (size_t i = 0; i < log->n; i++) {
        const struct entry *x = &log->entry[i];
        if (!counts(log, i) || (x->request.time - log->params.from) / log->params.window != number)
            continue;
        w.requests++;
        w.hits += x->answer == CM_HIT;
        w.work_us += x->answer == CM_HIT ? 0 : x->request.cost_us;
    }
    w.p99_ns = exact_percentile(log, -1, (int64_t)number, 99);
    return w;
}

static void check_window(const char *which, const struct account_window *w, const struct account_window *e)
{
    cr_assert(w->number == e->number && w->requests == e->requests && w->hits == e->hits && w->work_us == e->work_us &&
                  near(w->p99_ns, e->p99_ns, 0.004),
              "the %s window: %llu (%llu of %llu), expected %llu (%llu of %llu)", which, (unsigned long long)w->number,
              (unsigned long long)w->hits, (unsigned long long)w->requests, (unsigned long long)e->number,
              (unsigned long long)e->hits, (unsigned long long)e->requests);
}

static void check_windows(const struct log *log, const struct account_figures *f, uint64_t last)
{
    struct account_window worst = {0}, busiest = {0};
    double slowest = 0;
    uint64_t windows = 0;
    for (uint64_t k = 0; k <= last; k++) {
        const struct account_window w = window_of(log, k);
        if (w.requests == 0)
            continue;
        windows++;
        if (worst.requests == 0 || w.hits * worst.requests < worst.hits * w.requests)
            worst = w;
        if (busiest.requests == 0 || w.work_us > busiest.work_us)
            busiest = w;
        slowest = fmax(slowest, w.p99_ns);
    }
    cr_assert_eq(f->windows, windows);
    check_window("worst", &f->worst, &worst);
    check_window("busiest", &f->busiest, &busiest);
    cr_assert((slowest == 0 && f->slowest.requests == 0) || near(f->slowest.p99_ns, slowest, 0.004));
    cr_assert(near(f->busiest_load, (double)busiest.work_us * 1000 / (double)log->params.window, 1e-12));
}

static struct log random_log(struct rng *random)
{
    struct log log = {.n = rng_below(random, 6000)};
    uint64_t time = rng_below(random, 2) ? rng_next(random) >> 2 : 0;
    const uint64_t step = 1 + rng_below(random, 1000000), begin = time;
    log.entry = xcalloc(log.n, sizeof *log.entry);
    for (size_t i = 0; i < log.n; i++) {
        time += rng_below(random, 20) ? rng_below(random, (uint32_t)step) : 50 * step;
        log.entry[i].request = (struct cm_request){.time = time,
                                                   .size = 1 + rng_below(random, 1u << rng_below(random, 31)),
                                                   .cost_us = rng_below(random, 1u << rng_below(random, 31)),
                                                   .kind = rng_below(random, 6)};
        log.entry[i].answer = rng_below(random, 4) ? CM_HIT : rng_below(random, 3) ? CM_MISS : CM_BYPASS;
        log.entry[i].evicted = log.entry[i].answer == CM_MISS ? rng_below(random, 4) : 0;
    }
    log.params = (struct account_params){.from = rng_below(random, 2) ? begin : begin + (time - begin) / 4,
                                         .from_request = rng_below(random, 2) ? 0 : rng_below(random, 2000),
                                         .window = 1 + (time - begin) / (1 + rng_below(random, 40)),
                                         .hit_ns = rng_below(random, 1000000),
                                         .kinds = rng_below(random, 8)};
    return log;
}

Test(account, what_it_says_of_random_logs_is_what_the_whole_log_says)
{
    struct rng random;
    rng_seed(&random, 4, 0);
    for (int round = 0; round < 60; round++) {
        struct log log = random_log(&random);
        const struct account_figures f = figures_of(&log);
        check_part(&log, &f.all, -1);
        for (uint32_t k = 0; k < log.params.kinds; k++)
            check_part(&log, &f.kind[k], k);
        uint64_t evictions = 0, first = 0, last = 0, n = 0;
        for (size_t i = 0; i < log.n; i++) {
            if (!counts(&log, i))
                continue;
            first = n++ ? first : log.entry[i].request.time;
            last = log.entry[i].request.time;
            evictions += log.entry[i].evicted;
        }
        const double time = (double)(last - first);
        cr_assert(f.evictions == evictions && f.time_ns == last - first);
        cr_assert(n < 2 || (near(f.evictions_per_s, (double)evictions * 1e9 / time, 1e-12) &&
                            near(f.load, (double)(f.all.work_us - f.all.work_avoided_us) * 1000 / time, 1e-12)));
        if (n > 0)
            check_windows(&log, &f, (last - log.params.from) / log.params.window);
        free(log.entry);
    }
}

/* ---- edges ---- */

Test(account, nothing_divides_by_zero)
{
    struct log log = {.params = {.hit_ns = 5, .window = 10, .kinds = 2}};
    struct account_figures f = figures_of(&log);
    cr_assert(f.all.requests == 0 && f.windows == 0 && isnan(f.all.hit_ratio) && isnan(f.all.byte_ratio) &&
              isnan(f.all.work_ratio) && isnan(f.all.mean_ns) && isnan(f.all.p50_ns) && isnan(f.load) &&
              isnan(f.busiest_load) && isnan(f.evictions_per_s) && isnan(f.kind[1].hit_ratio));
    struct entry one = {.request = {.time = 7, .size = 1}, .answer = CM_MISS, .evicted = 3};
    log = (struct log){.params = {.window = 10}, .entry = &one, .n = 1};
    f = figures_of(&log);
    cr_assert(f.all.hit_ratio == 0 && isnan(f.all.work_ratio), "no work at all: %g of it avoided", f.all.work_ratio);
    cr_assert(f.time_ns == 0 && isnan(f.load) && isnan(f.evictions_per_s) && f.evictions == 3 && f.all.mean_ns == 0 &&
              isnan(f.all.p50_ns) && f.busiest_load == 0 && f.worst.requests == 1 && isnan(f.worst.p99_ns));
}

Test(account, without_windows_there_are_none)
{
    struct entry one = {.request = {.time = 7, .size = 1, .cost_us = 1}, .answer = CM_MISS};
    const struct log log = {.params = {.window = 0}, .entry = &one, .n = 1};
    const struct account_figures f = figures_of(&log);
    cr_assert(f.windows == 0 && f.worst.requests == 0 && isnan(f.busiest_load) && f.all.fetched == 1);
}

Test(account, warm_up_counts_nowhere_and_ends_at_its_very_nanosecond)
{
    struct entry e[4] = {{{.time = 99, .size = 1}, CM_MISS, 1},
                         {{.time = 100, .size = 1}, CM_MISS, 1},
                         {{.time = 109, .size = 1}, CM_HIT, 0},
                         {{.time = 110, .size = 1}, CM_MISS, 1}};
    struct log log = {.params = {.from = 100, .window = 10}, .entry = e, .n = 4};
    struct account_figures f = figures_of(&log);
    cr_assert(f.all.requests == 3 && f.all.hits == 1 && f.evictions == 2 && f.windows == 2 && f.worst.number == 1 &&
              f.time_ns == 10);
    log.params.from_request = 3; /* both must be over */
    f = figures_of(&log);
    cr_assert(f.all.requests == 1 && f.all.hits == 0 && f.windows == 1 && f.worst.number == 1);
    log.params.from_request = 4;
    cr_assert_eq(figures_of(&log).all.requests, 0);
}

Test(account, sums_do_not_overflow)
{
    struct entry e[3];
    for (int i = 0; i < 3; i++)
        e[i] = (struct entry){
            {.key = UINT64_MAX, .time = UINT64_MAX, .size = UINT32_MAX, .cost_us = UINT32_MAX}, CM_MISS, UINT32_MAX};
    const struct log log = {.params = {.window = 1, .kinds = ACCOUNT_KINDS}, .entry = e, .n = 3};
    const struct account_figures f = figures_of(&log);
    cr_assert(f.all.bytes == 3 * (uint64_t)UINT32_MAX && f.all.work_us == 3 * (uint64_t)UINT32_MAX &&
              f.evictions == 3 * (uint64_t)UINT32_MAX && f.all.mean_ns == 1000.0 * UINT32_MAX &&
              f.worst.number == UINT64_MAX);
}

Test(account, too_many_kinds_are_refused_and_a_kind_that_is_not_counted_counts_in_all)
{
    struct account *a = NULL;
    const struct account_params params = {.kinds = ACCOUNT_KINDS + 1};
    cr_assert_eq(account_create(&params, &a), -EINVAL);
    account_destroy(NULL);
    struct entry one = {.request = {.size = 1, .kind = UINT32_MAX}, .answer = CM_HIT};
    const struct log log = {.params = {.kinds = 1}, .entry = &one, .n = 1};
    const struct account_figures f = figures_of(&log);
    cr_assert(f.all.requests == 1 && f.kind[0].requests == 0);
}

Test(account, reading_changes_nothing_and_two_know_nothing_of_each_other)
{
    struct rng random;
    rng_seed(&random, 5, 0);
    struct log one = random_log(&random), other = random_log(&random);
    struct account *a, *b;
    struct account_figures f, g, expected = figures_of(&one);
    cr_assert(account_create(&one.params, &a) == 0 && account_create(&other.params, &b) == 0);
    for (size_t i = 0; i < one.n || i < other.n; i++) {
        if (i < one.n)
            account_add(a, &one.entry[i].request, one.entry[i].answer, one.entry[i].evicted);
        if (i < other.n)
            account_add(b, &other.entry[i].request, other.entry[i].answer, other.entry[i].evicted);
        if (i % 100 == 0)
            account_read(a, &f);
    }
    account_read(a, &f);
    account_read(b, &g);
    const struct account_figures second = figures_of(&other);
    cr_assert(f.all.hits == expected.all.hits && f.worst.number == expected.worst.number &&
              f.windows == expected.windows && f.evictions == expected.evictions && g.all.hits == second.all.hits &&
              g.busiest.work_us == second.busiest.work_us);
    account_destroy(a);
    account_destroy(b);
    free(one.entry);
    free(other.entry);
}

/* A time that goes back counts with the window that is open. */
Test(account, time_that_goes_back_opens_no_window_again)
{
    struct entry e[3] = {{{.time = 5, .size = 1}, CM_HIT, 0},
                         {{.time = 15, .size = 1}, CM_MISS, 0},
                         {{.time = 5, .size = 1}, CM_HIT, 0}};
    const struct log log = {.params = {.window = 10}, .entry = e, .n = 3};
    const struct account_figures f = figures_of(&log);
    cr_assert(f.windows == 2 && f.worst.number == 1 && f.worst.requests == 2 && f.worst.hits == 1 && f.time_ns == 10);
}

Test(account, every_outcome_has_its_own_name)
{
    struct account *a;
    struct account_figures f;
    const struct account_params params = {.window = 0};
    cr_assert_eq(account_create(&params, &a), 0);
    for (uint32_t outcome = CM_FRESH; outcome <= CM_FETCHED; outcome++)
        account_add_event(a, &(struct cm_event){.latency_ns = 10, .size = 3, .cost_us = 7, .outcome = outcome});
    account_read(a, &f);
    cr_assert(f.all.hits == 1 && f.all.stale == 1 && f.all.waited == 1 && f.all.fetched == 1 && f.all.bytes == 12 &&
              f.all.bytes_hit == 3 && f.all.work_us == 28 && f.all.work_avoided_us == 21 && f.all.mean_ns == 10);
    account_destroy(a);
}

/* ---- ranking ---- */

static struct account_figures figures(double hits, double work, double p99)
{
    return (struct account_figures){.all = {.hit_ratio = hits, .byte_ratio = hits, .work_ratio = work, .p99_ns = p99}};
}

Test(account, pairs_that_change_places_are_named_the_clearest_first)
{
    const struct account_figures f[4] = {figures(0.9, 0.2, 100), figures(0.8, 0.6, 100.5), figures(0.7, 0.25, 900),
                                         figures(0.7, (double)NAN, 50)};
    struct account_swap swap[6];
    cr_assert_eq(account_swaps(f, 4, ACCOUNT_HITS, ACCOUNT_WORK, swap), 2);
    cr_assert(swap[0].first == 0 && swap[0].second == 1 && swap[1].first == 0 && swap[1].second == 2, "%u-%u, %u-%u",
              swap[0].first, swap[0].second, swap[1].first, swap[1].second);
    cr_assert(near(swap[0].clear, 0.1, 1e-9) && near(swap[1].clear, 0.05, 1e-9), "%g %g", swap[0].clear, swap[1].clear);
    /* 100 and 100.5 are one value to a histogram; 50 beats all of them. */
    cr_assert_eq(account_swaps(f, 4, ACCOUNT_HITS, ACCOUNT_P99, swap), 2);
    cr_assert(swap[0].first == 0 && swap[0].second == 3 && swap[1].first == 1 && swap[1].second == 3);
    cr_assert_eq(account_swaps(f, 4, ACCOUNT_HITS, ACCOUNT_BYTES, swap), 0);
    cr_assert_eq(account_swaps(f, 1, ACCOUNT_HITS, ACCOUNT_WORK, swap), 0);
    cr_assert_eq(account_swaps(f, 0, ACCOUNT_HITS, ACCOUNT_WORK, swap), 0);
}

/* The smallest example: two requests for each of two keys, one of them dear. */
Test(account, by_hits_one_is_better_and_by_work_the_other)
{
    struct account_figures f[2];
    struct entry cheap[3] = {{{.size = 1, .cost_us = 1}, CM_HIT, 0},
                             {{.size = 1, .cost_us = 1}, CM_HIT, 0},
                             {{.size = 1, .cost_us = 9}, CM_MISS, 0}};
    struct entry dear[3] = {{{.size = 1, .cost_us = 1}, CM_MISS, 0},
                            {{.size = 1, .cost_us = 1}, CM_MISS, 0},
                            {{.size = 1, .cost_us = 9}, CM_HIT, 0}};
    struct account_swap swap[1];
    f[0] = figures_of(&(struct log){.entry = cheap, .n = 3});
    f[1] = figures_of(&(struct log){.entry = dear, .n = 3});
    cr_assert(account_swaps(f, 2, ACCOUNT_HITS, ACCOUNT_WORK, swap) == 1 && swap[0].first == 0 && swap[0].second == 1);
    cr_assert(account_swaps(f, 2, ACCOUNT_HITS, ACCOUNT_MEAN, swap) == 1 && swap[0].first == 0);
    cr_assert(account_swaps(f, 2, ACCOUNT_WORK, ACCOUNT_HITS, swap) == 1 && swap[0].first == 1);
}
