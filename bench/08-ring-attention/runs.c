/* runs.c: the experiments of lab 08. */
#include "runs.h"
#include "nan_max.h"

#include "base/file.h"
#include "base/memory.h"
#include "host/trusted.h"
#include "sim/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct plugin *reference;

void runs_load(void)
{
    reference = trusted_reference("08-ring-attention", EXIT_CANNOT_TELL);
}

const struct at_ops *runs_entry(const char *name)
{
    const struct at_ops *ops = plugin_find(reference, name);
    if (!ops)
        error_exit(EXIT_CANNOT_TELL, "the reference has no entry %s", name);
    return ops;
}

const struct plugin_entry *runs_fastest(enum at_type type)
{
    static const char *const order[] = {"blockwise-amx", "blockwise-avx512", "blockwise-avx2", "blockwise-neon",
                                        "blockwise"};
    for (size_t i = type == AT_F32; i < COUNT(order); i++)
        for (const struct plugin_entry *const *e = reference->first; e != reference->last; e++) {
            const struct at_ops *ops = (*e)->ops;
            if (strcmp((*e)->name, order[i]) == 0 && (!ops->here || ops->here()))
                return *e;
        }
    error_exit(EXIT_CANNOT_TELL, "the reference has no entry %s", order[4]);
}

_Noreturn void run_failed(const char *what, int code)
{
    error_exit(EXIT_CANNOT_TELL, "%s failed: %s", what, strerror(-code));
}

void *run_workspace(size_t bytes)
{
    void *memory = aligned_alloc(AT_ALIGN, (bytes + AT_ALIGN) / AT_ALIGN * AT_ALIGN);
    if (!memory)
        error_exit(EXIT_CANNOT_TELL, "out of memory (%zu bytes of workspace)", bytes);
    return memory;
}

/* ---- one head ---- */

static float *uniform(uint64_t seed, uint64_t stream, size_t n)
{
    struct rng r;
    float *x = xcalloc(n, sizeof *x);
    rng_seed(&r, seed, stream);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(2 * rng_double(&r) - 1);
    return x;
}

struct head head_create(uint32_t n_q, uint32_t n_k, uint32_t d, uint64_t seed)
{
    return (struct head){.p = {.batch = 1,
                               .heads = 1,
                               .kv_heads = 1,
                               .n_q = n_q,
                               .n_k = n_k,
                               .d = d,
                               .scale = (float)(1 / sqrt(d)),
                               .q = at_positions_from(0, n_q),
                               .k = at_positions_from(0, n_k)},
                         .q = uniform(seed, 1, (size_t)n_q * d),
                         .k = uniform(seed, 2, (size_t)n_k * d),
                         .v = uniform(seed, 3, (size_t)n_k * d),
                         .out = xcalloc((size_t)n_q * d, sizeof(float)),
                         .lse = xcalloc(n_q, sizeof(float))};
}

void head_destroy(struct head *h)
{
    free(h->q), free(h->k), free(h->v), free(h->out), free(h->lse);
}

static struct at_in rows(const float *data, uint32_t d)
{
    return (struct at_in){data, 0, 0, d};
}

void head_forward(const struct head *h, const char *entry, uint32_t first, uint32_t n, float *out, float *lse)
{
    const struct at_ops *ops = runs_entry(entry);
    struct at_problem p = h->p;
    size_t bytes = 0;
    p.n_k = n;
    p.k = at_positions_from(first, n);
    int code = ops->workspace(&p, 1, &bytes);
    if (code)
        run_failed(entry, code);
    void *work = run_workspace(bytes);
    struct at_in q = rows(h->q, p.d), k = rows(h->k + (size_t)first * p.d, p.d),
                 v = rows(h->v + (size_t)first * p.d, p.d);
    struct at_result result = {{out, 0, 0, p.d}, lse};
    code = ops->forward(&p, &q, &k, &v, &result, 0, 1, work);
    free(work);
    if (code)
        run_failed(entry, code);
}

void head_merge(const struct head *h, const char *entry, float *out, float *lse, const float *from_out,
                const float *from_lse)
{
    struct at_result into = {{out, 0, 0, h->p.d}, lse};
    /* Only read: the table has one type for both. */
    struct at_result from = {{(float *)(uintptr_t)from_out, 0, 0, h->p.d}, (float *)(uintptr_t)from_lse};
    runs_entry(entry)->merge(&h->p, &into, &from);
}

void head_truth(const struct head *h, double *out, double *lse)
{
    const struct at_problem *p = &h->p;
    double *weight = xcalloc(p->n_k, sizeof *weight);
    for (uint32_t i = 0; i < p->n_q; i++) {
        double most = -INFINITY, sum = 0;
        for (uint32_t j = 0; j < p->n_k; j++) {
            weight[j] = 0;
            for (uint32_t c = 0; c < p->d; c++)
                weight[j] += (double)h->q[(size_t)i * p->d + c] * h->k[(size_t)j * p->d + c];
            weight[j] = p->causal && at_position(&p->k, j) > at_position(&p->q, i) ? -INFINITY : p->scale * weight[j];
            most = fmax(most, weight[j]);
        }
        memset(out + (size_t)i * p->d, 0, p->d * sizeof *out);
        for (uint32_t j = 0; j < p->n_k && most > -INFINITY; j++) {
            weight[j] = exp(weight[j] - most);
            sum += weight[j];
            for (uint32_t c = 0; c < p->d; c++)
                out[(size_t)i * p->d + c] += weight[j] * h->v[(size_t)j * p->d + c];
        }
        for (uint32_t c = 0; c < p->d && sum > 0; c++)
            out[(size_t)i * p->d + c] /= sum;
        lse[i] = sum > 0 ? most + log(sum) : -INFINITY;
    }
    free(weight);
}

double head_error(const struct head *h, const float *out, const double *truth)
{
    double worst = 0;
    for (size_t i = 0; i < (size_t)h->p.n_q * h->p.d; i++)
        worst = nan_max(worst, fabs((double)out[i] - truth[i]));
    return worst;
}
