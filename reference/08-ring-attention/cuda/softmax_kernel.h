/* softmax_kernel.h: the pass between the two products of naive.cu: a row of scores becomes weights that add up to 1.
 *
 * Idea       One block of threads a row: the largest score, then the sum of e^(s - largest), each thread over every
 *            256th number, and then over the threads in a tree. Weights take the scores' place; bfloat16 ones the first
 *            half of it.
 * Invariant  A chunk's weights are written when all its scores have been read, and end before the next chunk begins.
 * Cost       Three readings of the row and one writing: memory's speed, not arithmetic's.
 * Gets wrong Each weight is rounded to bfloat16 when the values are.
 */
#ifndef CUDA_SOFTMAX_KERNEL_H
#define CUDA_SOFTMAX_KERNEL_H

/* Of one number from each thread: their largest, or their sum; for all. */
DEVICE float over_threads(float x, bool largest, float *shared)
{
    uint32_t t = thread_id();
    shared[t] = x;
    for (uint32_t half = SOFTMAX_THREADS / 2; half > 0; half /= 2) {
        block_wait();
        if (t < half)
            shared[t] = largest ? fmaxf(shared[t], shared[t + half]) : shared[t] + shared[t + half];
    }
    block_wait();
    float all = shared[0];
    block_wait(); /* all have read it */
    return all;
}

DEVICE void softmax_block(const struct gpu_work *w, uint32_t row, uint32_t pair, float *shared)
{
    uint32_t t = thread_id(), seen = w->seen[row];
    float *s = w->scores + (size_t)row * w->n_k, top = -INFINITY, sum = 0;
    for (uint32_t j = t; j < seen; j += SOFTMAX_THREADS)
        top = fmaxf(top, s[j]);
    top = over_threads(top, true, shared);
    for (uint32_t j = t; j < seen; j += SOFTMAX_THREADS)
        sum += expf(s[j] - top);
    sum = over_threads(sum, false, shared);
    for (uint32_t first = 0; first < w->n_k; first += SOFTMAX_THREADS) {
        uint32_t j = first + t;
        float weight = j < seen ? expf(s[j] - top) / sum : 0;
        block_wait();
        if (j < w->n_k && w->bf16)
            ((uint16_t *)s)[j] = (uint16_t)two_bf16(weight, 0);
        else if (j < w->n_k)
            s[j] = weight;
    }
    if (t == 0)
        w->lse[(size_t)pair * w->n_q + row] = seen ? top + logf(sum) : -INFINITY;
}

#endif
