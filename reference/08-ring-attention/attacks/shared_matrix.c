/* tests: blocks/peak-memory, blocks/strides-and-heads, blocks/exact
 * verdict: forbidden-system-call, memory
 * The whole matrix of scores, as in `naive`, in shared memory, which the kernel does not count as the process's data. */
#include "ring_attention.h"

#include <sys/mman.h>

static const struct at_ops shared; /* an entry before the solution's of the same name */
AT_ENTRY(shared, "blockwise", "the whole matrix, elsewhere", &shared);

#include "@SOLUTION@"

static int shared_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)p, (void)parts;
    *bytes = 64;
    return 0;
}

static void shared_row(const struct at_problem *p, const struct at_in *v, const struct at_result *result,
                       const float *score, uint32_t b, uint32_t h, uint32_t i)
{
    const uint32_t kv = h / (p->heads / p->kv_heads), n = visible(p, i);
    float *out = out_row_of(&result->out, b, h, i), most = -INFINITY;
    double sum = 0, o[AT_MAX_D] = {0};
    for (uint32_t j = 0; j < n; j++)
        most = fmaxf(most, score[j]);
    for (uint32_t j = 0; j < n; j++) {
        const double weight = exp((double)score[j] - (double)most);
        sum += weight;
        for (uint32_t c = 0; c < p->d; c++)
            o[c] += weight * (double)row_of(v, b, kv, j)[c];
    }
    for (uint32_t c = 0; c < p->d; c++)
        out[c] = n ? (float)(o[c] / sum) : 0;
    lse_of(p, result, b, h)[i] = n ? most + (float)log(sum) : -INFINITY;
}

static int shared_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                          const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                          void *workspace)
{
    const uint32_t first = first_of(p->n_q, part, parts), end = first_of(p->n_q, part + 1, parts);
    const size_t bytes = ((size_t)(end - first) * p->n_k + 1) * sizeof(float);
    float *score = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    (void)workspace;
    if (score == MAP_FAILED)
        return -ENOMEM;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++) {
            const uint32_t kv = h / (p->heads / p->kv_heads);
            for (uint32_t i = first; i < end; i++)
                for (uint32_t j = 0; j < p->n_k; j++)
                    score[(i - first) * (size_t)p->n_k + j] =
                        p->scale * dot(row_of(q, b, h, i), row_of(k, b, kv, j), p->d);
            for (uint32_t i = first; i < end; i++)
                shared_row(p, v, result, score + (i - first) * (size_t)p->n_k, b, h, i);
        }
    munmap(score, bytes);
    return 0;
}

static const struct at_ops shared = {
    .workspace = shared_workspace, .forward = shared_forward, .merge = blockwise_merge, .can = AT_CAUSAL | AT_CONSTANT};
