/* cost_forward.c: one head of attention, forward and backward, in as many parts as there are threads. */
#include "cost_parts.h"
#include "nan_max.h"

#include "base/memory.h"
#include "measure/limits_loop.h"
#include "runs.h"
#include "sim/rng.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

static void *uniform(uint64_t seed, uint64_t stream, size_t n, enum at_type type)
{
    struct rng random;
    float *wide = xcalloc(n, sizeof *wide);
    rng_seed(&random, seed, stream);
    for (size_t i = 0; i < n; i++)
        wide[i] = (float)(2 * rng_double(&random) - 1);
    if (type == AT_F32)
        return wide;
    uint16_t *narrow = xcalloc(n, sizeof *narrow);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &wide[i], sizeof bits);
        narrow[i] = (uint16_t)(bits >> 16); /* cut, not rounded: it is the input, so it is right by definition */
    }
    free(wide);
    return narrow;
}

static size_t numbers(const struct at_problem *p)
{
    return (size_t)p->heads * p->n_q * p->d;
}

static struct at_in dense(const struct at_problem *p, const void *data)
{
    return (struct at_in){data, numbers(p), (size_t)p->n_q * p->d, p->d};
}

static struct at_out dense_out(const struct at_problem *p, float *data)
{
    return (struct at_out){data, numbers(p), (size_t)p->n_q * p->d, p->d};
}

struct at_problem at_call_problem(uint32_t heads, uint32_t n, uint32_t d, enum at_type type, bool causal)
{
    return (struct at_problem){.batch = 1,
                               .heads = heads,
                               .kv_heads = heads,
                               .n_q = n,
                               .n_k = n,
                               .d = d,
                               .scale = (float)(1 / sqrt(d)),
                               .type = type,
                               .causal = causal,
                               .q = at_positions_from(0, n),
                               .k = at_positions_from(0, n)};
}

/* ---- a call ---- */

void at_call_free(void *call)
{
    struct at_call *c = call;
    free(c->q), free(c->k), free(c->v), free(c->out), free(c->lse);
    free(c->d_out), free(c->d_q), free(c->d_k), free(c->d_v), free(c->work);
    free(c);
}

int at_call_part(struct at_call *c, uint32_t part)
{
    const struct at_problem *p = &c->p;
    const struct at_in q = dense(p, c->q), k = dense(p, c->k), v = dense(p, c->v), d_out = dense(p, c->d_out);
    const struct at_result result = {dense_out(p, c->out), c->lse};
    const struct at_gradients to = {dense_out(p, c->d_q), dense_out(p, c->d_k), dense_out(p, c->d_v)};
    char *work = c->work + part * c->work_bytes;
    return c->backward ? c->ops->backward(p, &q, &k, &v, &result, &d_out, &to, part, c->parts, work)
                       : c->ops->forward(p, &q, &k, &v, &result, part, c->parts, work);
}

/* Does it compute here at all, and such a problem? How much workspace it takes. */
static int room_of(const struct at_ops *ops, const struct at_problem *p, bool backward, uint32_t parts, size_t *bytes,
                   struct error *err)
{
    size_t more = 0;
    if (ops->here && !ops->here())
        return error_set(err, -ENOTSUP, "this machine lacks the instructions that it is made of");
    if (!ops->forward)
        return error_set(err, -ENOTSUP, "it is no rung, but goes round over one");
    int code = ops->workspace(p, parts, bytes);
    if (code == 0 && backward)
        code = ops->backward_workspace ? ops->backward_workspace(p, parts, &more) : -ENOTSUP;
    if (code == -ENOTSUP)
        return error_set(err, code, "it doesn't compute such a problem");
    *bytes = ((more > *bytes ? more : *bytes) + AT_ALIGN) / AT_ALIGN * AT_ALIGN;
    return code;
}

int at_call_make(const struct at_ops *ops, const struct at_problem *p, bool backward, uint32_t parts, uint64_t seed,
                 struct at_call **out, struct error *err)
{
    size_t n = numbers(p), bytes = 0;
    int code = ops ? room_of(ops, p, backward, parts, &bytes, err) : -ENOENT;
    if (code)
        return code;
    struct at_call *c = xcalloc(1, sizeof *c);
    *c = (struct at_call){.ops = ops, .p = *p, .parts = parts, .work_bytes = bytes};
    c->q = uniform(seed, 1, n, p->type);
    c->k = uniform(seed, 2, n, p->type);
    c->v = uniform(seed, 3, n, p->type);
    c->out = xcalloc(n, sizeof(float));
    c->lse = xcalloc((size_t)p->heads * p->n_q, sizeof(float));
    c->work = run_workspace(parts * bytes);
    if (backward) {
        c->d_out = uniform(seed, 4, n, AT_F32);
        c->d_q = xcalloc(n, sizeof(float));
        c->d_k = xcalloc(n, sizeof(float));
        c->d_v = xcalloc(n, sizeof(float));
        for (uint32_t part = 0; part < parts && code == 0; part++)
            code = at_call_part(c, part); /* forward: its results are backward's input */
    }
    c->backward = backward;
    if (code) {
        at_call_free(c);
        return code;
    }
    *out = c;
    return 0;
}

/* ---- against float64 ---- */

static double element(const struct at_call *c, const void *data, size_t i)
{
    if (c->p.type == AT_F32)
        return (double)((const float *)data)[i];
    uint32_t wide = (uint32_t)((const uint16_t *)data)[i] << 16;
    float x;
    memcpy(&x, &wide, sizeof x);
    return (double)x;
}

/* Row i of head h as it should be. weight: room for n_k. */
static void right_row(const struct at_call *c, uint32_t h, uint32_t i, double *weight, double *right)
{
    const struct at_problem *p = &c->p;
    const size_t head = (size_t)h * p->n_q * p->d;
    const uint32_t seen = p->causal ? i + 1 : p->n_k;
    double most = -INFINITY, sum = 0;
    for (uint32_t j = 0; j < seen; j++) {
        weight[j] = 0;
        for (uint32_t d = 0; d < p->d; d++)
            weight[j] += element(c, c->q, head + (size_t)i * p->d + d) * element(c, c->k, head + (size_t)j * p->d + d);
        weight[j] *= (double)p->scale;
        most = fmax(most, weight[j]);
    }
    for (uint32_t d = 0; d < p->d; d++)
        right[d] = 0;
    for (uint32_t j = 0; j < seen; j++) {
        double w = exp(weight[j] - most);
        sum += w;
        for (uint32_t d = 0; d < p->d; d++)
            right[d] += w * element(c, c->v, head + (size_t)j * p->d + d);
    }
    for (uint32_t d = 0; d < p->d; d++)
        right[d] /= sum;
}

double at_call_error(const struct at_call *c, uint32_t rows)
{
    const struct at_problem *p = &c->p;
    double *weight = xcalloc(p->n_k, sizeof *weight), *right = xcalloc(p->d, sizeof *right), worst = 0, square = 0;
    for (uint32_t r = 0; r < rows; r++) {
        uint32_t i = (uint32_t)((uint64_t)r * (p->n_q - 1) / (rows > 1 ? rows - 1 : 1)), h = r % p->heads;
        right_row(c, h, i, weight, right);
        for (uint32_t d = 0; d < p->d; d++) {
            double off = fabs(right[d] - (double)c->out[((size_t)h * p->n_q + i) * p->d + d]);
            worst = nan_max(worst, off);
            square += right[d] * right[d];
        }
    }
    free(weight);
    free(right);
    return worst / sqrt(square / ((double)rows * p->d));
}

/* ---- the operations ---- */

/* Beyond this the rungs that have no blocks take a second a call and more, and are no faster for it. */
#define MOST_PLAIN          1024u
#define MOST_PLAIN_BACKWARD 256u

int cost_call_create(const struct cost_subject *s, void **state, struct error *err)
{
    const struct cost_shape *shape = s->arg;
    const struct at_problem p = at_call_problem(shape->heads, (uint32_t)s->size, shape->d, shape->type, shape->causal);
    struct at_call *c;
    const uint32_t most = shape->backward ? MOST_PLAIN_BACKWARD : MOST_PLAIN;
    if (s->size > most && (strcmp(s->name, "naive") == 0 || strcmp(s->name, "rows") == 0))
        return error_set(err, -ENOTSUP, "a second and more a call: it is timed with up to %u tokens", most);
    int code = at_call_make(plugin_find(s->plugin, s->name), &p, shape->backward, s->threads, s->seed, &c, err);
    if (code == 0)
        *state = c;
    return code;
}

void cost_call_run(void *state, unsigned thread, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (at_call_part(state, thread) != 0)
            abort(); /* it was possible when it was made */
}

/* 4 d for each pair of a query and a key: two products, 2 d each. Backward five products: the scores again, and four for
 * the gradients. */
double cost_work(const struct cost_subject *s)
{
    const struct cost_shape *shape = s->arg;
    const double n = (double)s->size, pairs = shape->causal ? n * (n + 1) / 2 : n * n;
    return (shape->backward ? 10.0 : 4.0) * shape->d * shape->heads * pairs;
}

/* ---- who takes part, and under which limit ---- */

bool cost_takes(const struct plugin_entry *entry, const void *arg)
{
    const struct cost_shape *shape = arg;
    const struct at_ops *ops = entry->ops;
    if (!ops->forward || (shape->causal && !(ops->can & AT_CAUSAL)) || (shape->backward && !ops->backward) ||
        (shape->tiles && !(ops->can & AT_ONLY_BF16)))
        return false;
    return shape->type == AT_F32 ? !(ops->can & AT_ONLY_BF16) : (ops->can & AT_TAKES_BF16) != 0;
}

const char *cost_best_limit(enum at_type type)
{
    static const char *const best_first[] = {"flops-amx", "flops-avx512", "flops-avx2", "flops-portable"};
    struct limits_loop loop;
    char reason[200];
    for (size_t i = type == AT_F32; i < 3; i++)
        if (limits_loop(best_first[i], &loop, reason, sizeof reason))
            return best_first[i];
    return best_first[3];
}

const char *cost_limit_of(const struct cost_subject *s)
{
    const struct at_ops *ops = s->plugin ? plugin_find(s->plugin, s->name) : NULL;
    return ops && ops->limit ? ops->limit : cost_best_limit(AT_F32);
}
