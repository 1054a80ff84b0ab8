/* The rungs on a GPU, as entries like all others: the caller's memory in, the caller's memory out.
 *
 * Idea       A part has some of the (batch, kv_head) pairs, whole heads of them: what it needs goes to the device, is
 *            computed there, and comes back. A GPU has no use for more threads of its caller.
 * Invariant  A head is computed by the same launch with the same shapes in any number of parts, so with the same bits.
 * Cost       The way over the bus and back; see held.c. Workspace: the stage, 256 KiB. Naive's matrix of scores lies on
 *            the device, but it has to be somewhere: its 4 n_q n_k bytes are asked for with the stage, and the caller's
 *            are left untouched, so they cost him addresses and no memory.
 * Gets wrong With one (batch, kv_head) pair there is work for one part. Device memory is allocated in the call: the one
 *            thing that a caller can't give.
 */
#include "cuda/held.h"

#include <errno.h>

static bool here(void)
{
    return device_missing() == NULL;
}

static int workspace(enum gpu_rung rung, const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    uint64_t matrix = 0;
    int code = held_check(rung, p, parts);
    if (code == 0 && rung == GPU_NAIVE &&
        (__builtin_mul_overflow((uint64_t)p->n_q * sizeof(float), p->n_k, &matrix) ||
         matrix > PTRDIFF_MAX - HELD_STAGE))
        code = -EOVERFLOW;
    if (code == 0)
        *bytes = HELD_STAGE + (size_t)matrix;
    return code;
}

static int forward(enum gpu_rung rung, const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                   const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts, void *work)
{
    size_t bytes;
    struct held held;
    int code = workspace(rung, p, parts, &bytes);
    if (code)
        return code;
    uint32_t all = p->batch * p->kv_heads, first = at_first_of(all, part, parts),
             end = at_first_of(all, part + 1, parts);
    if (first == end || p->n_q == 0)
        return 0;
    code = held_put(&held, rung, p, q, k, v, first, end - first, work);
    if (code)
        return code;
    code = device_run(rung, &held.w, NULL);
    code = code ? code : held_get(&held, result, work);
    held_end(&held);
    return code;
}

static int naive_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    return workspace(GPU_NAIVE, p, parts, bytes);
}
static int naive_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                         const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                         void *work)
{
    return forward(GPU_NAIVE, p, q, k, v, result, part, parts, work);
}

static int flash_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    return workspace(GPU_FLASH, p, parts, bytes);
}
static int flash_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                         const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                         void *work)
{
    return forward(GPU_FLASH, p, q, k, v, result, part, parts, work);
}

static int tensor_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    return workspace(GPU_TENSOR, p, parts, bytes);
}
static int tensor_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                          const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                          void *work)
{
    return forward(GPU_TENSOR, p, q, k, v, result, part, parts, work);
}

static const struct at_ops naive = {.workspace = naive_workspace,
                                    .forward = naive_forward,
                                    .merge = at_merge,
                                    .here = here,
                                    .can = AT_CAUSAL | AT_TAKES_BF16};
static const struct at_ops flash = {.workspace = flash_workspace,
                                    .forward = flash_forward,
                                    .merge = at_merge,
                                    .here = here,
                                    .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
static const struct at_ops tensor = {.workspace = tensor_workspace,
                                     .forward = tensor_forward,
                                     .merge = at_merge,
                                     .here = here,
                                     .can = AT_CAUSAL | AT_TAKES_BF16 | AT_ONLY_BF16 | AT_CONSTANT};

AT_ENTRY(cuda_naive, "cuda-naive", "on a GPU: cuBLAS, a softmax, cuBLAS; the whole matrix of scores", &naive);
AT_ENTRY(cuda_flash, "cuda-flash", "on a GPU: blocks through shared memory, written to be read", &flash);
AT_ENTRY(cuda_tensor, "cuda-tensor", "on a GPU: tensor cores, bfloat16 with d up to 128", &tensor);
