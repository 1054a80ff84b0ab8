/* traffic.c: requests as caches of real services see them, drawn from a seed. */
#include "traffic.h"

#include "sim/real.h"
#include "sim/zipf.h"

#include <errno.h>
#include <stdlib.h>

/* ---- what comes next ---- */

struct last {
    uint64_t key, seen; /* seen: the request's number + 1; 0: a free place */
};

int traffic_next(struct cm_request *request, uint32_t n)
{
    size_t room = 16;
    while (room < 2 * (size_t)n)
        room *= 2;
    struct last *last = calloc(room, sizeof *last);
    if (!last)
        return -ENOMEM;
    for (uint32_t i = n; i-- > 0;) {
        uint64_t state = request[i].key;
        size_t at = rng_splitmix64(&state) & (room - 1);
        while (last[at].seen > 0 && last[at].key != request[i].key)
            at = (at + 1) & (room - 1);
        request[i].next = last[at].seen > 0 ? last[at].seen - 1 : CM_NEVER;
        last[at] = (struct last){request[i].key, (uint64_t)i + 1};
    }
    free(last);
    return 0;
}

/* ---- who is asked for ---- */

/* The same for each request of a key. */
static uint32_t cost_of(const struct traffic *t, uint64_t key)
{
    struct rng r;
    rng_seed(&r, t->seed, key);
    return (uint32_t)(1000 * real_exp(rng_double(&r) * real_log((double)t->dearest_us / 1000)));
}

static void shift(uint64_t *popular, uint32_t keys, struct rng *r, uint64_t *fresh)
{
    for (uint32_t i = 0; i < keys / 10; i++)
        popular[rng_below(r, keys)] = (*fresh)++;
}

int traffic_make(const struct traffic *t, struct cm_request *request)
{
    struct zipf zipf;
    struct rng r;
    if (t->keys < 1 || t->dearest_us < 1000 || zipf_init(&zipf, t->keys, t->skew) != 0)
        return -EINVAL;
    uint64_t *popular = malloc(t->keys * sizeof *popular), fresh = t->keys;
    uint32_t scan = 0;
    if (!popular)
        return -ENOMEM;
    for (uint32_t i = 0; i < t->keys; i++)
        popular[i] = i;
    rng_seed(&r, t->seed, 0x7261);
    for (uint32_t i = 0; i < t->requests; i++) {
        if (t->shift_every > 0 && i % t->shift_every == t->shift_every - 1)
            shift(popular, t->keys, &r, &fresh);
        if (t->scan_every > 0 && i % t->scan_every == t->scan_every - 1)
            scan = t->scan_length;
        const bool scans = scan > 0 && rng_below(&r, 2) == 0; /* others go on asking meanwhile */
        scan -= scans;
        uint64_t key = scans ? fresh++ : popular[zipf_draw(&zipf, &r) - 1];
        const uint32_t cost = scans ? t->dearest_us : cost_of(t, key);
        request[i] = (struct cm_request){
            .key = rng_splitmix64(&key), .time = i * UINT64_C(1000000), .size = 1, .cost_us = cost, .kind = scans};
    }
    free(popular);
    return traffic_next(request, t->requests);
}
