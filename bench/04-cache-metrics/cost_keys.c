/* cost_keys.c: keys that caches are asked for when their costs are measured. */
#include "cost_keys.h"

#include "sim/rng.h"
#include "sim/zipf.h"

#include <stdlib.h>

enum { MOST = 16 };

static struct {
    int by_zipf;
    struct cost_keys *keys;
} made[MOST];

/* Two rounds from behind: what comes next behind the end is what came first. */
static void find_next(struct cost_keys *k, const uint32_t *rank, uint32_t *seen)
{
    for (uint32_t i = 2 * k->n; i-- > 0;) {
        const uint32_t at = i & (k->n - 1);
        if (i < k->n)
            k->next[at] = seen[rank[at]] - i;
        seen[rank[at]] = i;
    }
}

static struct cost_keys *make(uint64_t objects, int by_zipf, uint64_t seed)
{
    struct cost_keys *k = calloc(1, sizeof *k);
    struct zipf law;
    struct rng r;
    uint32_t n = 1 << 14;
    while (n < 10 * objects && n < 1u << 20)
        n *= 2;
    uint32_t *rank = malloc(n * sizeof *rank), *seen = calloc(objects, sizeof *seen);
    if (k && rank && seen) {
        *k = (struct cost_keys){.objects = objects, .seed = seed, .n = n};
        k->key = malloc(n * sizeof *k->key);
        k->u = malloc(n * sizeof *k->u);
        k->next = malloc(n * sizeof *k->next);
        if (k->key && k->u && k->next && zipf_init(&law, objects, by_zipf ? 1 : 0) == 0) {
            rng_seed(&r, seed, 1);
            for (uint32_t i = 0; i < n; i++) {
                uint64_t state = rank[i] = (uint32_t)zipf_draw(&law, &r) - 1;
                k->key[i] = rng_splitmix64(&state);
                k->u[i] = rng_open(&r);
            }
            find_next(k, rank, seen);
            free(rank);
            free(seen);
            return k;
        }
        free(k->key);
        free(k->u);
        free(k->next);
    }
    free(rank);
    free(seen);
    free(k);
    return NULL;
}

const struct cost_keys *cost_keys(uint64_t objects, int by_zipf, uint64_t seed)
{
    int i = 0;
    while (i < MOST - 1 && made[i].keys &&
           (made[i].by_zipf != by_zipf || made[i].keys->objects != objects || made[i].keys->seed != seed))
        i++;
    if (!made[i].keys || i == MOST - 1) {
        made[i].by_zipf = by_zipf;
        made[i].keys = make(objects, by_zipf, seed); /* the last place is lost, and never given back */
    }
    return made[i].keys;
}
