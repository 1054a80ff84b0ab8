/* account.h: what a log of (request, answer, evictions) says, computed from it alone.
 *
 * Hits and bytes are what most dashboards show. What they stand for is here as well: the work that the origin did not
 * have to do, the latency of those who asked, and how many connections to the origin were busy; of all requests, of
 * each kind, and of the windows in which it was worst.
 *
 *     account_create(&params, &account);
 *     for each request: account_add(account, &request, answer, evicted.n);
 *     account_read(account, &figures);
 *     account_destroy(account);
 *
 * Counts and sums are integers, and ratios are made of them at the end: no average of averages. Percentiles come from
 * a histogram (sim/histogram.h): at most 0.4 % off. What has no value (no request, no time, too few samples beyond a
 * percentile) is NAN.
 *
 * Memory: 59 KiB, twice, and once more for each kind; nothing is allocated while it runs. One thread.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "cache_metrics.h"

#define ACCOUNT_KINDS 64u

/* Not shown to plugins: a hand-in that is to compute figures would find them here. */
#pragma GCC visibility push(hidden)

/* A request counts when it is neither warm-up by time nor by number. */
struct account_params {
    uint64_t from;         /* what was asked before this time is warm-up ... */
    uint64_t from_request; /* ... and so are the first so many requests */
    uint64_t window;       /* windows are [from + k x window, from + (k + 1) x window); 0: there are none */
    uint64_t hit_ns;       /* how long a hit takes, below 2^63; a miss takes cost_us more */
    uint32_t kinds;        /* 0 ... ACCOUNT_KINDS: requests of kinds 0 ... kinds-1 are counted by kind as well */
};

/* Of all requests, or of one kind. */
struct account_part {
    uint64_t requests, hits;                  /* hits: fresh answers from the cache alone */
    uint64_t stale, waited, fetched;          /* the others, each under its own name: together with hits all of them */
    uint64_t bypasses;                        /* fetched, and not kept */
    uint64_t bytes, bytes_hit;                /* of all; of hits */
    uint64_t work_us, work_avoided_us;        /* of all; of those for which the origin did not work */
    double hit_ratio, byte_ratio, work_ratio; /* 0 ... 1 */
    double mean_ns, p50_ns, p90_ns, p99_ns, p999_ns;
};

struct account_window {
    uint64_t number; /* k; of equals the first */
    uint64_t requests, hits;
    uint64_t work_us; /* what the origin did for them */
    double p99_ns;
};

struct account_figures {
    struct account_part all;
    struct account_part kind[ACCOUNT_KINDS]; /* [kinds] */
    uint64_t windows;                        /* that have a request */
    struct account_window worst;             /* with the least hits / requests */
    struct account_window busiest;           /* with the most work for the origin */
    struct account_window slowest;           /* with the largest p99, of those that have one */
    uint64_t evictions;
    uint64_t time_ns;    /* from the first request that counts to the last */
    double load;         /* connections to the origin that are busy, on average: work / time */
    double busiest_load; /* the same of the busiest window */
    double evictions_per_s;
};

struct account;

/* 0 and *account; -EINVAL: too many kinds; -ENOMEM. */
int account_create(const struct account_params *params, struct account **account);
void account_destroy(struct account *account); /* NULL is fine */

/* The next request, with what the cache said and how many keys it evicted. Times do not go back; one that does counts
 * with the window that is open. */
void account_add(struct account *account, const struct cm_request *request, enum cm_answer answer, uint32_t evicted);

/* The same of who knows outcome and latency already. */
void account_add_event(struct account *account, const struct cm_event *event);

/* What has been added so far; more may follow. */
void account_read(const struct account *account, struct account_figures *figures);

/* ---- where the ranking changes with the metric ---- */

enum account_metric { ACCOUNT_HITS, ACCOUNT_BYTES, ACCOUNT_WORK, ACCOUNT_MEAN, ACCOUNT_P99, ACCOUNT_METRICS };
extern const char *const account_metric_name[ACCOUNT_METRICS]; /* "hits", "work avoided" */

/* One figure of it: a ratio, or nanoseconds. */
double account_metric(const struct account_figures *figures, enum account_metric metric);

/* By `one` entry `first` is better than `second`; by `other` it is the other way round. */
struct account_swap {
    uint32_t first, second;
    double clear; /* the smaller of the two distances: of ratios the difference, of times the same over the smaller */
};

/* Fills swap[n (n - 1) / 2] with the pairs among n entries that change places, the clearest first. Equal figures,
 * percentiles within the error of the histogram, and NAN are no change. How many there are. */
uint32_t account_swaps(const struct account_figures *figures, uint32_t n, enum account_metric one,
                       enum account_metric other, struct account_swap *swap);

#pragma GCC visibility pop

#endif
