/* claims_live.c: a real database behind the caches: SQLite, with point queries that take microseconds and sums over a
 * table that take a thousand times as long.
 *
 * The same requests go through LRU and through a policy that looks at costs, a stretch of each in turn, and each miss is a
 * query that is really made. How long queries of each kind take is measured between the stretches, so what is predicted
 * comes from this machine and this minute.
 */
#include "parts.h"
#include "runs.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#if __has_include(<sqlite3.h>)
#include "measure/clock.h"

#include <sqlite3.h>

#define ROWS       20000
#define CHEAP      900u /* keys of point queries: all fit */
#define DEAR       200u /* keys of sums: they do not fit beside them */
#define ROOM       1000u
#define ONE_IN     125u  /* requests is for a sum */
#define STRETCH    5000u /* requests, 40 of them for sums */
#define WARM_UP    6u    /* stretches: each sum once, and more */
#define ROUNDS     15u
#define TIMED_SUMS 4u

struct database {
    sqlite3 *db;
    sqlite3_stmt *point, *sum;
};

static bool run_sql(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool database_open(struct database *d)
{
    return sqlite3_open(":memory:", &d->db) == SQLITE_OK &&
           run_sql(d->db, "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, amount INTEGER)") &&
           run_sql(d->db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
                          "INSERT INTO orders SELECT i, i * 7919 % 997, i * 104729 % 10007 FROM n") &&
           sqlite3_prepare_v2(d->db, "SELECT amount FROM orders WHERE id = ?", -1, &d->point, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(d->db, "SELECT sum(amount) FROM orders WHERE customer % 40 = ?", -1, &d->sum, NULL) ==
               SQLITE_OK;
}

static void database_close(struct database *d)
{
    sqlite3_finalize(d->point);
    sqlite3_finalize(d->sum);
    sqlite3_close(d->db);
}

/* Makes the query of a key; how long it took. */
static uint64_t query(const struct database *d, uint64_t key, int64_t *check)
{
    const uint64_t begin = clock_now_ns();
    sqlite3_stmt *s = key < DEAR ? d->sum : d->point;
    sqlite3_bind_int64(s, 1, (int64_t)(key < DEAR ? key % 40 : key % ROWS + 1));
    if (sqlite3_step(s) == SQLITE_ROW)
        *check += sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return clock_now_ns() - begin;
}

struct policy {
    const struct cm_cache_ops *ops;
    void *cache;
    struct cm_evicted evicted;
    uint64_t requests, hits, cheap_misses, dear_misses, busy_ns; /* of what was measured */
};

/* What queries take, as one knows it before: costs are told to the cache with each request. */
struct costs {
    double cheap_ns, dear_ns;
};

static struct cm_request request_of(uint64_t i, struct rng *r, const struct costs *c)
{
    const bool dear = i % ONE_IN == 0;
    const uint64_t key = dear ? i / ONE_IN % DEAR : DEAR + rng_below(r, CHEAP);
    return (struct cm_request){.key = key,
                               .time = i,
                               .size = 1,
                               .cost_us = (uint32_t)((dear ? c->dear_ns : c->cheap_ns) / 1000) + 1,
                               .next = CM_NEVER};
}

static void stretch(struct policy *p, const struct database *d, uint64_t from, uint64_t seed, const struct costs *c,
                    bool counts)
{
    struct rng r;
    int64_t check = 0;
    rng_seed(&r, seed, from);
    for (uint64_t i = from; i < from + STRETCH; i++) {
        const struct cm_request q = request_of(i, &r, c);
        p->evicted.n = 0;
        const bool hit = p->ops->request(p->cache, &q, &p->evicted) == CM_HIT;
        const uint64_t took = hit ? 0 : query(d, q.key, &check);
        if (!counts)
            continue;
        p->requests++;
        p->hits += hit;
        p->cheap_misses += !hit && q.key >= DEAR;
        p->dear_misses += !hit && q.key < DEAR;
        p->busy_ns += took;
    }
}

static struct costs time_queries(const struct database *d, uint64_t seed)
{
    struct costs c = {0, 0};
    struct rng r;
    int64_t check = 0;
    rng_seed(&r, seed, 11);
    for (uint32_t i = 0; i < 200; i++)
        c.cheap_ns += (double)query(d, DEAR + rng_below(&r, CHEAP), &check) / 200;
    for (uint32_t i = 0; i < TIMED_SUMS; i++)
        c.dear_ns += (double)query(d, rng_below(&r, DEAR), &check) / TIMED_SUMS;
    return c;
}

static int by_size(const void *a, const void *b)
{
    const double one = *(const double *)a, other = *(const double *)b;
    return one < other ? -1 : one > other;
}

/* The median of the rounds, and the interval that holds it 99 times of 100 (sign test, 15 rounds: the 3rd to the 13th). */
static void summarise(double *round, struct claim_here *here)
{
    qsort(round, ROUNDS, sizeof *round, by_size);
    here->value = round[ROUNDS / 2];
    here->low = round[2];
    here->high = round[ROUNDS - 3];
}

struct live {
    double hit_ratio[2];      /* of LRU, of the other */
    double predicted[ROUNDS]; /* busy time through LRU, measured over predicted */
    double against[ROUNDS];   /* busy time of the other over LRU's */
};

/* alike: predicted as if each miss were a point query. */
static bool run_live(const char *other, uint64_t seed, bool alike, struct live *live)
{
    struct database d = {0};
    struct policy p[2] = {{.ops = runs_entry("lru")->cache}, {.ops = runs_entry(other)->cache}};
    const bool open = database_open(&d);
    const struct cm_config config = {.capacity = ROOM};
    for (uint32_t k = 0; k < 2; k++)
        if (p[k].ops->create(&config, &p[k].cache) != 0)
            abort();
    struct costs costs = open ? time_queries(&d, seed) : (struct costs){1, 1};
    for (uint32_t i = 0; open && i < 2 * WARM_UP; i++)
        stretch(&p[i % 2], &d, i / 2 * (uint64_t)STRETCH, seed, &costs, false);
    uint64_t requests[2] = {0}, hits[2] = {0};
    for (uint32_t i = 0; open && i < ROUNDS; i++) {
        const struct costs before = time_queries(&d, seed + i);
        for (uint32_t k = 0; k < 2; k++) {
            const uint32_t which = (k + i) % 2;
            stretch(&p[which], &d, (WARM_UP + i) * (uint64_t)STRETCH, seed, &costs, true);
        }
        const struct costs after = time_queries(&d, seed + i + 1000);
        const double cheap = (before.cheap_ns + after.cheap_ns) / 2,
                     dear = alike ? cheap : (before.dear_ns + after.dear_ns) / 2;
        live->predicted[i] =
            (double)p[0].busy_ns / ((double)p[0].cheap_misses * cheap + (double)p[0].dear_misses * dear);
        live->against[i] = (double)p[1].busy_ns / (double)p[0].busy_ns;
        for (uint32_t k = 0; k < 2; k++) {
            requests[k] += p[k].requests;
            hits[k] += p[k].hits;
            p[k].requests = p[k].hits = p[k].cheap_misses = p[k].dear_misses = p[k].busy_ns = 0;
        }
    }
    for (uint32_t k = 0; k < 2; k++) {
        live->hit_ratio[k] = requests[k] ? (double)hits[k] / (double)requests[k] : NAN;
        p[k].ops->destroy(p[k].cache);
        free(p[k].evicted.key);
    }
    database_close(&d);
    return open;
}

static void measure(const struct claim_run *run, bool cure, struct claim_here *here)
{
    struct live live;
    if (!run_live(cure ? run->entry : "gdsf", run->seed, run->broken, &live)) {
        snprintf(here->why, sizeof here->why, "SQLite would not open a database in memory");
        return;
    }
    if (live.hit_ratio[0] < 0.99 || (cure && live.hit_ratio[1] > live.hit_ratio[0])) {
        snprintf(here->why, sizeof here->why, "LRU hit %.2f %% and the other %.2f %%: not what the claim is about",
                 100 * live.hit_ratio[0], 100 * live.hit_ratio[1]);
        return;
    }
    summarise(cure ? live.against : live.predicted, here);
}

#else

static void measure(const struct claim_run *run, bool cure, struct claim_here *here)
{
    (void)run;
    (void)cure;
    snprintf(here->why, sizeof here->why,
             "built without SQLite (on Debian and Ubuntu: apt-get install libsqlite3-dev, then make clean)");
}

#endif

static void measure_busy(const struct claim_run *run, struct claim_here *here)
{
    measure(run, false, here);
}

static void measure_cure(const struct claim_run *run, struct claim_here *here)
{
    measure(run, true, here);
}

static const struct claim claims[] = {
    {.id = "live-misses",
     .statement = "A real database behind LRU with more than 99 % hits: the time that it works is that of the misses, "
                  "by their own "
                  "measured times.",
     .formula = "cheap misses x t(point query) + dear misses x t(sum), both measured in the same minute",
     .unit = "times",
     .source = "clock",
     .broken = "every miss is taken for a point query",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .predicted = 1,
     .measure_here = measure_busy,
     .slack = 0.5,
     .slack_why =
         "queries of a stretch find other lines in the processor's cache than those that are timed by themselves"},
    {.id = "live-cure",
     .statement = "A policy that looks at costs leaves it at most a fifth of that work, at a lower hit ratio.",
     .formula = "the sums fit, when something cheap goes for each of them",
     .unit = "times",
     .source = "clock",
     .broken = "SLRU, which looks at no costs, in place of GDSF",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.entry = "gdsf"},
     .instead = {.entry = "slru"},
     .predicted = 0.2,
     .measure_here = measure_cure},
};

const struct claim_part part_live = {.claim = claims, .claims = COUNT(claims)};
