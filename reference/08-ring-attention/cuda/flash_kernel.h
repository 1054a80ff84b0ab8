/* flash_kernel.h: blocks of keys through shared memory, for reading.
 *
 * Idea       rows.c's loop, a tile at a time. A block of threads has a tile of queries, four threads a query. It
 *            fetches a tile of keys and values for all of them; then the four share the query's scores, and afterwards
 *            the columns of its output.
 * Invariant  After each tile: o is the sum of e^(s_j - top) v_j over all keys so far, and the four lanes' sums together
 *            are that of e^(s_j - top). Nothing is divided until the end.
 * Cost       Each multiplication reads two numbers from shared memory, which has room for 32 a clock where the
 *            arithmetic could take 256: an eighth of the float32 peak at best, and no tensor cores.
 *            Memory: 4 tiles and a square of weights; tiles shrink as d grows (gpu_tiles), 32 rows up to d = 317.
 * Gets wrong Nothing; it is slow. See tensor_kernel.h.
 * Source     Dao et al. 2022, algorithm 1, with the division at the end of Dao 2023.
 */
#ifndef CUDA_FLASH_KERNEL_H
#define CUDA_FLASH_KERNEL_H

DEVICE float number(const void *data, bool bf16, size_t i)
{
    return bf16 ? from_bits((uint32_t)((const uint16_t *)data)[i] << 16) : ((const float *)data)[i];
}

struct flash {
    uint32_t rows, stride;    /* rows are one number longer when d is even, so that the same column of */
    float *q, *k, *v, *o, *p; /* neighbouring rows lies in different banks */
};

DEVICE struct flash flash_layout(uint32_t d, float *shared)
{
    struct flash f;
    f.rows = flash_rows(d);
    f.stride = d | 1;
    f.q = shared;
    f.k = f.q + f.rows * f.stride;
    f.v = f.k + f.rows * f.stride;
    f.o = f.v + f.rows * f.stride;
    f.p = f.o + f.rows * f.stride;
    return f;
}

/* Rows first ... of a pair's n; zeros behind the last. All threads take part. */
DEVICE void flash_fetch(const struct flash *f, const struct gpu_work *w, float *to, const void *from, uint32_t pair,
                        uint32_t n, uint32_t first)
{
    for (uint32_t i = thread_id(); i < f->rows * w->d; i += 4 * f->rows) {
        uint32_t row = i / w->d, c = i % w->d;
        bool there = row < n - first;
        to[row * f->stride + c] = there ? number(from, w->bf16, ((size_t)pair * n + first + row) * w->d + c) : 0.0f;
    }
}

/* All threads take part; `mine`: this one has a query, row `row` of the result. */
DEVICE void flash_store(const struct flash *f, const struct gpu_work *w, bool mine, size_t row, float top, float sum)
{
    uint32_t r = thread_id() / 4, t = thread_id() % 4;
    float old = mine && w->merge ? w->lse[row] : -INFINITY;
    struct merged m = merged(old, sum > 0 ? top + logf(sum) : -INFINITY);
    warp_wait(); /* all four have read the old one */
    for (uint32_t c = t; c < w->d && mine; c += 4) {
        float *out = &w->out[row * w->d + c], found = sum > 0 ? f->o[r * f->stride + c] / sum : 0;
        *out = w->merge ? merged_number(*out, found, m.share) : found;
    }
    if (mine && t == 0)
        w->lse[row] = m.lse;
}

DEVICE void flash_block(const struct gpu_work *w, uint32_t tile, uint32_t pair, float *shared)
{
    const struct flash f = flash_layout(w->d, shared);
    uint32_t r = thread_id() / 4, t = thread_id() % 4, first_row = tile * f.rows;
    bool mine = r < w->n_q - first_row;
    uint32_t seen = mine ? w->seen[first_row + r] : 0;
    uint32_t blocks = gpu_blocks_of_keys(w->seen, w->n_q, first_row, f.rows, f.rows);
    float top = -INFINITY, sum = 0;
    flash_fetch(&f, w, f.q, w->q, pair, w->n_q, first_row);
    for (uint32_t c = t; c < w->d; c += 4)
        f.o[r * f.stride + c] = 0;
    for (uint32_t b = 0; b < blocks; b++) {
        uint32_t first = b * f.rows;
        block_wait(); /* everybody is done with the last tile */
        flash_fetch(&f, w, f.k, w->k, pair / w->group, w->n_k, first);
        flash_fetch(&f, w, f.v, w->v, pair / w->group, w->n_k, first);
        block_wait();
        float most = top;
        for (uint32_t j = t; j < f.rows; j += 4) {
            float s = 0;
            for (uint32_t c = 0; c < w->d; c++)
                s += f.q[r * f.stride + c] * f.k[j * f.stride + c];
            s = first + j < seen ? w->scale * s : -INFINITY;
            f.p[r * (f.rows + 1) + j] = s;
            most = fmaxf(most, s);
        }
        most = fmaxf(most, lane_xor(most, 1));
        most = fmaxf(most, lane_xor(most, 2));
        float shrink = most == -INFINITY ? 1.0f : expf(top - most); /* the first time e^-inf */
        sum *= shrink;
        for (uint32_t j = t; j < f.rows; j += 4) {
            float *p = &f.p[r * (f.rows + 1) + j];
            *p = *p == -INFINITY ? 0.0f : expf(*p - most);
            sum += *p;
        }
        top = most;
        warp_wait(); /* the four have written the query's weights */
        for (uint32_t c = t; c < w->d; c += 4) {
            float o = f.o[r * f.stride + c] * shrink;
            for (uint32_t j = 0; j < f.rows; j++)
                o += f.p[r * (f.rows + 1) + j] * f.v[j * f.stride + c];
            f.o[r * f.stride + c] = o;
        }
    }
    sum += lane_xor(sum, 1);
    sum += lane_xor(sum, 2);
    flash_store(&f, w, mine, (size_t)pair * w->n_q + first_row + r, top, sum);
}

#endif
