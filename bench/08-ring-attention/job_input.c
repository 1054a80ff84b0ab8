/* job_input.c: numbers from a seed, and rows checked in float64 without ever holding all keys. */
#include "job.h"
#include "nan_max.h"

#include "sim/rng.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void job_row(const struct job *job, int which, uint32_t b, uint32_t h, uint64_t position, void *row)
{
    const struct at_ring *ring = &job->ring;
    uint32_t heads = which == 0 || which == 3 ? ring->heads : ring->kv_heads;
    struct rng r;
    rng_seed(&r, job->seed, ((b * (uint64_t)heads + h) * ring->total + position) * 4 + (uint64_t)which);
    for (uint32_t c = 0; c < ring->d; c++) {
        float x = (float)((double)(int64_t)(rng_next(&r) >> 11) * 0x1p-52 - 1);
        if (ring->type == AT_F32 || which == 3) {
            ((float *)row)[c] = x;
        } else {
            uint32_t bits;
            memcpy(&bits, &x, sizeof bits);
            ((uint16_t *)row)[c] = (uint16_t)(bits >> 16);
        }
    }
}

/* ---- pairs ---- */

uint64_t job_pairs_of(const struct at_problem *p)
{
    if (!p->causal)
        return (uint64_t)p->n_q * p->n_k;
    uint64_t pairs = 0;
    uint32_t seen = 0; /* keys before this query; it never falls */
    for (uint32_t i = 0; i < p->n_q; i++) {
        uint64_t at = at_position(&p->q, i);
        while (seen < p->n_k && at_position(&p->k, seen) <= at)
            seen++;
        pairs += seen;
    }
    return pairs;
}

uint64_t job_pairs(const struct at_ring *ring)
{
    return ring->causal ? ring->total % 2 ? (ring->total + 1) / 2 * ring->total : ring->total / 2 * (ring->total + 1)
                        : ring->total * ring->total;
}

double job_operations(const struct at_ring *ring)
{
    return 4.0 * ring->d * ring->batch * ring->heads * (double)job_pairs(ring);
}

/* ---- rows in float64 ---- */

#define LANES 8u /* rows side by side */
typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double))));

struct group {
    uint32_t row[LANES];
    uint64_t at[LANES]; /* positions */
    double top[LANES], sum[LANES];
    lanes *q, *out; /* [d] */
};

static double number(const struct job *job, const void *row, uint32_t c)
{
    if (job->ring.type == AT_F32)
        return (double)((const float *)row)[c];
    uint32_t wide = (uint32_t)((const uint16_t *)row)[c] << 16;
    float x;
    memcpy(&x, &wide, sizeof x);
    return (double)x;
}

/* Online softmax, as everywhere. */
static void meet(const struct job *job, struct group *g, uint64_t position, const double *key, const double *value)
{
    uint32_t d = job->ring.d;
    lanes score = {0}, weight = {0};
    for (uint32_t c = 0; c < d; c++)
        score += key[c] * g->q[c];
    for (uint32_t i = 0; i < LANES; i++) {
        double s = score[i] * (double)job->ring.scale;
        if (job->ring.causal && position > g->at[i])
            continue;
        if (s > g->top[i]) {
            double shrink = exp(g->top[i] - s);
            for (uint32_t c = 0; c < d; c++)
                g->out[c][i] *= shrink;
            g->sum[i] *= shrink;
            g->top[i] = s;
        }
        weight[i] = exp(s - g->top[i]);
        g->sum[i] += weight[i];
    }
    for (uint32_t c = 0; c < d; c++)
        g->out[c] += weight * value[c];
}

static void choose(const struct job *job, const struct job_rank *r, struct group *g, uint32_t b, uint32_t h,
                   struct rng *random, void *row)
{
    for (uint32_t i = 0; i < LANES; i++) {
        g->row[i] = rng_below(random, r->n);
        g->at[i] = at_position(&r->at, g->row[i]);
        g->top[i] = -INFINITY;
        job_row(job, 0, b, h, g->at[i], row);
        for (uint32_t c = 0; c < job->ring.d; c++)
            g->q[c][i] = number(job, row, c);
    }
}

static void compare(const struct job *job, const struct job_rank *r, const struct group *g, uint32_t b, uint32_t h,
                    struct job_error *error)
{
    size_t head = (size_t)b * job->ring.heads + h;
    for (uint32_t i = 0; i < LANES; i++) {
        size_t row = head * r->n + g->row[i];
        double lse = g->top[i] + log(g->sum[i]);
        for (uint32_t c = 0; c < job->ring.d; c++) {
            double right = g->out[c][i] / g->sum[i], off = fabs(right - (double)r->out[row * job->ring.d + c]);
            error->out = nan_max(error->out, off);
            error->size += right * right;
        }
        double off = fabs(lse - (double)r->lse[row]) / fmax(1, fabs(lse));
        error->lse = nan_max(error->lse, off);
    }
}

int job_rank_check(const struct job *job, const struct job_rank *r, uint32_t rows, struct job_error *error)
{
    const uint32_t d = job->ring.d, groups = (rows + LANES - 1) / LANES;
    struct rng random;
    rng_seed(&random, job->seed, UINT64_MAX - r->rank);
    uint32_t b = rng_below(&random, job->ring.batch), h = rng_below(&random, job->ring.heads);
    uint32_t kv = h / (job->ring.heads / job->ring.kv_heads);
    *error = (struct job_error){0, 0, 0};
    struct group *g = calloc(groups + 1u, sizeof *g);
    lanes *room = calloc((size_t)groups * d * 2 + 1, sizeof *room);
    double *key = calloc(2 * (size_t)d, sizeof *key), *value = key + d;
    float *row = calloc(d, sizeof *row);
    int code = g && room && key && row ? 0 : -ENOMEM;
    uint64_t last = 0;
    for (uint32_t n = 0; n < groups && code == 0; n++) {
        g[n].q = room + (size_t)n * d * 2;
        g[n].out = g[n].q + d;
        choose(job, r, &g[n], b, h, &random, row);
        for (uint32_t i = 0; i < LANES; i++)
            last = g[n].at[i] > last ? g[n].at[i] : last;
    }
    for (uint64_t position = 0; code == 0 && position < job->ring.total; position++) {
        if (job->ring.causal && position > last)
            break;
        job_row(job, 1, b, kv, position, row);
        for (uint32_t c = 0; c < d; c++)
            key[c] = number(job, row, c);
        job_row(job, 2, b, kv, position, row);
        for (uint32_t c = 0; c < d; c++)
            value[c] = number(job, row, c);
        for (uint32_t n = 0; n < groups; n++)
            meet(job, &g[n], position, key, value);
    }
    for (uint32_t n = 0; n < groups && code == 0; n++)
        compare(job, r, &g[n], b, h, error);
    error->size = groups ? sqrt(error->size / ((double)groups * LANES * d)) : 0;
    free(g), free(room), free(key), free(row);
    return code;
}
