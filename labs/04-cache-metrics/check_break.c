/* Tests of task 0, break it: a sequence of requests that a cache answers with a hit 99 times of 100, and that keeps the
 * database busy all the same.
 *
 * How bad it can get is known. Of m misses no two that follow each other can be of one key: between them it was evicted,
 * and only a miss evicts. So half of them at most cost what the most expensive key costs, and the others at most what the
 * second does.
 */
#include "adapter.h"
#include "base/memory.h"
#include "base/text.h"
#include "check_model.h"
#include "check_requests.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY   "break-it"
#define KEYS    400u
#define COLUMNS 60u

static struct bounds *bounds_of_test(size_t *size)
{
    struct rng r = random_of_test(0);
    *size = sizeof(struct adapter_header) + sizeof(struct bounds) + KEYS * sizeof(uint32_t);
    unsigned char *block = xcalloc(1, *size);
    const struct adapter_header header = {ADAPTER_BOUNDS, 0};
    memcpy(block, &header, sizeof header);
    struct bounds *b = (struct bounds *)(block + sizeof header);
    *b = (struct bounds){.capacity = check_large() ? between(&r, 40, 90) : 90, .keys = KEYS, .requests = 100000};
    b->most_misses = b->requests / 100;
    /* from 1 to 500 ms; a double would do, but these are the same bits everywhere */
    for (uint32_t i = 0; i < KEYS; i++)
        b->cost_us[i] = (uint32_t)(1000 + ((UINT64_C(500000) >> rng_below(&r, 9)) * between(&r, 900, 1000)) / 1000);
    return b;
}

static uint64_t worst_work(const struct bounds *b)
{
    uint64_t first = 0, second = 0;
    for (uint32_t i = 0; i < b->keys; i++) {
        const uint64_t cost = b->cost_us[i];
        if (cost > first)
            second = first, first = cost;
        else if (cost > second)
            second = cost;
    }
    return (b->most_misses + 1) / 2 * first + b->most_misses / 2 * second;
}

struct harm {
    uint64_t work;
    uint32_t misses;
    double hits[COLUMNS], busy[COLUMNS]; /* by part of the sequence */
};

/* What an LRU cache makes of it. */
static struct harm harm_of(const struct bounds *b, const uint32_t *key)
{
    struct harm h = {0};
    uint64_t *asked = xcalloc(b->keys, sizeof *asked); /* when it was asked for last, + 1; 0: it is not in the cache */
    for (uint32_t i = 0, kept = 0; i < b->requests; i++) {
        const uint32_t column = (uint32_t)((uint64_t)i * COLUMNS / b->requests);
        check_that(key[i] < b->keys, "request %u asks for key %u, but keys are 0 to %u.", i, key[i], b->keys - 1);
        h.hits[column] += asked[key[i]] > 0;
        if (!asked[key[i]]) {
            uint32_t oldest = b->keys;
            for (uint32_t k = 0; kept == b->capacity && k < b->keys; k++) {
                if (asked[k] && (oldest == b->keys || asked[k] < asked[oldest]))
                    oldest = k;
            }
            if (oldest < b->keys)
                asked[oldest] = 0;
            else
                kept++;
            h.misses++;
            h.work += b->cost_us[key[i]];
            h.busy[column] += b->cost_us[key[i]];
        }
        asked[key[i]] = i + 1;
    }
    free(asked);
    return h;
}

static void draw(const struct bounds *b, const struct harm *h)
{
    char hits[4 * COLUMNS], busy[4 * COLUMNS], text[1000];
    const double each = (double)b->requests / COLUMNS;
    double most = 1;
    for (uint32_t i = 0; i < COLUMNS; i++)
        most = h->busy[i] > most ? h->busy[i] : most;
    snprintf(text, sizeof text,
             "hits              |%s| %.2f %% of all\n"
             "database at work  |%s| %.1f s in all; the highest column is %.1f s\n"
             "                   each column is %.0f requests",
             text_bars(hits, sizeof hits, h->hits, COLUMNS, each), 100 - 100.0 * h->misses / b->requests,
             text_bars(busy, sizeof busy, h->busy, COLUMNS, most), (double)h->work * 1e-6, most * 1e-6, each);
    check_drawing(text);
}

CHECK(break_it, work)
{
    size_t size;
    struct bounds *b = bounds_of_test(&size);
    void *block = (unsigned char *)b - sizeof(struct adapter_header);
    struct host_outcome o;
    check_host(ENTRY, block, size, sizeof(uint32_t), b->requests, &o);
    const struct harm h = harm_of(b, o.records);
    draw(b, &h);
    check_that(h.misses <= b->most_misses,
               "%u of %u requests miss a cache of %u objects: a hit ratio of %.2f %%, where at least %.2f %% is asked "
               "for. The first request for each key is a miss too.",
               h.misses, b->requests, b->capacity, 100 - 100.0 * h.misses / b->requests,
               100 - 100.0 * b->most_misses / b->requests);
    const uint64_t worst = worst_work(b);
    const double share = (double)h.work / (double)worst;
    free(block);
    host_outcome_free(&o);
    check_measured(share > 1e-6 ? share : 1e-6,
                   "the database works for %.1f s, with %u misses; it can be kept busy for nearly %.1f s with as many. "
                   "Which keys miss, how often, and what makes a key that is in the cache leave it?",
                   (double)h.work * 1e-6, h.misses, (double)worst * 1e-6);
}
