/* tensor_kernel.h: the flash kernel on tensor cores, bfloat16 with sums in float32, for rows of HEAD numbers (64, 128).
 *
 * Idea       A warp keeps 32 queries' output and scores in its registers, and products of 16 x 16 with 16 x 8 are one
 *            instruction. Registers of scores, rounded to bfloat16 in pairs, already are what the second product wants
 *            as its left side (fragments.h): weights never leave the warp. Keys and values come through shared memory
 *            by cp.async, which needs neither registers nor waiting: values arrive under Q K^T, the next keys under
 *            softmax and P V. Two blocks of threads share a multiprocessor: one's softmax runs under the other's
 *            products.
 * Invariant  That of flash_kernel.h, in powers of two: top is in units of log2. It moves only when a score is more than
 *            SLACK above it. Until then weights are up to 2^8, which float32 sums and bfloat16 weights don't mind, and
 *            the output is not rescaled: most tiles never touch it but to add.
 * Cost       A warp of 16 queries would read 256 bytes of keys or values for each product of 4,096 operations; with 32
 *            it is half of that, 1 clock of shared memory. 192 registers hold output and scores, so queries don't fit
 *            beside them, and are read again for each tile of keys. A tile of 128 x 64 at HEAD 128 is 256 mma, 80
 *            ldmatrix and 68 ex2 a warp (nvdisasm). 64 KiB of shared memory, HEAD 64 32 KiB; two blocks a
 *            multiprocessor.
 * Tried      Registers decide: 255 a thread at most, and what doesn't fit is spilled to memory. nvcc -Xptxas -v, CUDA 13.0,
 *            registers and bytes of spill stores, sm_80 and sm_90a:
 *                                                                HEAD 128            HEAD 64
 *              as it stands                                      255, 0   250, 0     188, 0   196, 0
 *              the loop that fetches a tile unrolled whole       250, 0   255, 28    190, 0   206, 0
 *              K's matrices in the order of B, with addresses
 *              of their own beside Q's and V's                   255, 0   255, 16    212, 0   209, 0
 *              128 keys a tile                                   255, 888 255, 652   255, 0   254, 0
 * Gets wrong Weights are rounded to bfloat16 before they meet the values: 2^-8 of each at most, about 1e-3 of the
 *            result. mma.sync is not what a tensor core of compute capability 9.0 is fastest with: published figures on
 *            an H100 are 35 % of its peak for FlashAttention-2, which is made like this, and 75 % for FlashAttention-3,
 *            with wgmma, the tensor memory accelerator and warps that do nothing but fetch.
 *            Compiled and emulated, not run on a GPU: nothing here is a time.
 * Source     Dao 2023 (FlashAttention-2: what a warp has, when tiles are fetched); Shah et al. 2024 (FlashAttention-3: the
 *            figures); rescaling with slack is FlashAttention-4's; the order of pieces in fragments.h is the usual one.
 */
#define TENSOR_JOIN(a, b) a##b
#define TENSOR_NAME(a, b) TENSOR_JOIN(a, b)
#define F(name)           TENSOR_NAME(name##_, HEAD)

#ifndef CUDA_TENSOR_KERNEL_H
#define CUDA_TENSOR_KERNEL_H
#define SLACK 8.0f
#define LOG2E 1.44269504088896340736f
#define LN_2  0.69314718055994530942f

/* A thread's four rows: m, h is row 16 m + 8 h + lane / 4 of its warp's 32. */
struct rows4 {
    float top[2][2], sum[2][2]; /* sum: of this lane's columns alone */
};
#endif

/* The tile's rows first ... of n, each HEAD numbers; zeros behind the last. A thread has the same piece of every STEPth
 * row, so it computes its addresses once: STEP is a multiple of 8, and pieces change places alike. */
#define STEP (TENSOR_THREADS / (HEAD / 8))
DEVICE void F(fetch)(uint32_t to, const void *from, uint32_t pair, uint32_t n, uint32_t first, uint32_t rows)
{
    uint32_t row = thread_id() / (HEAD / 8), piece = thread_id() % (HEAD / 8);
    uint32_t left = n - first < row ? 0 : n - first - row;
    size_t at = (((size_t)pair * n + first + row) * HEAD + piece * 8) * 2;
    to += tile_byte(HEAD, row, piece);
    UNROLL_2 for (uint32_t i = 0; i < rows; i += STEP) /* all at once takes too many registers */
        copy_16(to + i * HEAD * 2, from, at + (size_t)i * HEAD * 2, i < left);
}

/* s = queries times keys. */
DEVICE void F(scores)(float (*s)[TENSOR_KEYS / 8][4], uint32_t q, uint32_t k)
{
    uint32_t lane = thread_id() % 32;
    UNROLL for (uint32_t m = 0; m < 2; m++) UNROLL for (uint32_t n = 0; n < TENSOR_KEYS / 8; n++)
        UNROLL for (uint32_t i = 0; i < 4; i++) s[m][n][i] = 0;
    UNROLL for (uint32_t c = 0; c < HEAD / 16; c++)
    {
        uint32_t a[2][4], b[4];
        UNROLL for (uint32_t m = 0; m < 2; m++)
            load_matrices(a[m], q + tile_byte(HEAD, 16 * m + matrix_row(lane), 2 * c + matrix_piece(lane)));
        UNROLL for (uint32_t n = 0; n < TENSOR_KEYS / 16; n++)
        {
            load_matrices(b, k + tile_byte(HEAD, 16 * n + matrix_row(lane), 2 * c + matrix_piece(lane)));
            UNROLL for (uint32_t m = 0; m < 2; m++)
            {
                multiply(s[m][2 * n], a[m], b[0], b[2]);
                multiply(s[m][2 * n + 1], a[m], b[1], b[3]);
            }
        }
    }
}

/* Only tiles on the diagonal come here, so rows ask memory again how far they see, instead of keeping it. */
DEVICE void F(hide)(const struct gpu_work *w, float (*s)[TENSOR_KEYS / 8][4], uint32_t first_row, uint32_t first)
{
    uint32_t lane = thread_id() % 32;
    UNROLL for (uint32_t m = 0; m < 2; m++) UNROLL for (uint32_t h = 0; h < 2; h++)
    {
        uint32_t row = first_row + 16 * m + c_row(lane, 2 * h), seen = row < w->n_q ? w->seen[row] : 0;
        UNROLL for (uint32_t n = 0; n < TENSOR_KEYS / 8; n++)
            UNROLL for (uint32_t i = 2 * h; i < 2 * h + 2; i++) if (first + 8 * n + c_column(lane, i) >= seen)
                s[m][n][i] = -INFINITY;
    }
}

/* s becomes 2^(scale s - top); the output is rescaled if a top of the warp has moved. */
DEVICE void F(weights)(float (*s)[TENSOR_KEYS / 8][4], float (*o)[HEAD / 8][4], struct rows4 *r, float scale)
{
    float shrink[2][2];
    bool moved = false;
    UNROLL for (uint32_t m = 0; m < 2; m++) UNROLL for (uint32_t h = 0; h < 2; h++)
    {
        float most = -INFINITY;
        UNROLL for (uint32_t n = 0; n < TENSOR_KEYS / 8; n++) most =
            fmaxf(most, fmaxf(s[m][n][2 * h], s[m][n][2 * h + 1]));
        most = fmaxf(most, lane_xor(most, 1));
        most = scale * fmaxf(most, lane_xor(most, 2));
        bool more = most > r->top[m][h] + SLACK; /* never when both are -inf: nothing seen yet */
        shrink[m][h] = more ? power_of_two(r->top[m][h] - most) : 1;
        r->top[m][h] = more ? most : r->top[m][h];
        moved |= more;
        float off = r->top[m][h] == -INFINITY ? 0 : r->top[m][h], sum = 0;
        UNROLL for (uint32_t n = 0; n < TENSOR_KEYS / 8; n++) UNROLL for (uint32_t i = 2 * h; i < 2 * h + 2; i++)
        {
            s[m][n][i] = power_of_two(fmaf(s[m][n][i], scale, -off));
            sum += s[m][n][i];
        }
        r->sum[m][h] = r->sum[m][h] * shrink[m][h] + sum;
    }
    if (any_lane(moved))
        UNROLL for (uint32_t m = 0; m < 2; m++) UNROLL for (uint32_t n = 0; n < HEAD / 8; n++)
            UNROLL for (uint32_t i = 0; i < 4; i++) o[m][n][i] *= shrink[m][i / 2];
}

/* o += weights times values. */
DEVICE void F(values)(float (*o)[HEAD / 8][4], float (*s)[TENSOR_KEYS / 8][4], uint32_t v)
{
    uint32_t lane = thread_id() % 32;
    UNROLL for (uint32_t j = 0; j < TENSOR_KEYS / 16; j++)
    {
        uint32_t a[2][4], b[4];
        UNROLL for (uint32_t m = 0; m < 2; m++) UNROLL for (uint32_t i = 0; i < 4; i++)
        {
            const float *two = &s[m][2 * j + i / 2][2 * (i % 2)];
            a[m][i] = two_bf16(two[0], two[1]);
        }
        UNROLL for (uint32_t n = 0; n < HEAD / 16; n++)
        {
            load_matrices_turned(b, v + tile_byte(HEAD, 16 * j + matrix_row(lane), 2 * n + matrix_piece(lane)));
            UNROLL for (uint32_t m = 0; m < 2; m++)
            {
                multiply(o[m][2 * n], a[m], b[0], b[1]);
                multiply(o[m][2 * n + 1], a[m], b[2], b[3]);
            }
        }
    }
}

/* Row m, h of this thread, row `row` of the result. */
DEVICE void F(store)(const struct gpu_work *w, float (*o)[HEAD / 8][4], uint32_t m, uint32_t h, float top, float sum,
                     bool mine, size_t row)
{
    uint32_t lane = thread_id() % 32;
    sum += lane_xor(sum, 1);
    sum += lane_xor(sum, 2);
    float old = mine && w->merge ? w->lse[row] : -INFINITY, part = sum > 0 ? 1 / sum : 0;
    struct merged both = merged(old, sum > 0 ? (top + log2f(sum)) * LN_2 : -INFINITY);
    warp_wait(); /* all four lanes of the row have read the old one */
    if (!mine)
        return;
    float *out = &w->out[row * HEAD + c_column(lane, 0)];
    if (w->merge)
        UNROLL for (uint32_t n = 0; n < HEAD / 8; n++) UNROLL for (uint32_t i = 0; i < 2; i++) out[8 * n + i] =
            merged_number(out[8 * n + i], o[m][n][2 * h + i] * part, both.share);
    else
        UNROLL for (uint32_t n = 0; n < HEAD / 8; n++) UNROLL for (uint32_t i = 0; i < 2; i++) out[8 * n + i] =
            o[m][n][2 * h + i] * part;
    if (lane % 4 == 0)
        w->lse[row] = both.lse;
}

DEVICE void F(tensor_block)(const struct gpu_work *w, uint32_t tile, uint32_t pair, uint32_t shared)
{
    const uint32_t q = shared, k = q + TENSOR_ROWS * HEAD * 2, v = k + TENSOR_KEYS * HEAD * 2;
    const uint32_t first_row = tile * TENSOR_ROWS, warp = thread_id() / 32, lane = thread_id() % 32;
    const uint32_t blocks = gpu_blocks_of_keys(w->seen, w->n_q, first_row, TENSOR_ROWS, TENSOR_KEYS);
    const uint32_t all_see = w->seen[first_row], my_q = q + warp * 32 * HEAD * 2, kv = pair / w->group;
    struct rows4 r;
    float o[2][HEAD / 8][4], s[2][TENSOR_KEYS / 8][4];
    UNROLL for (uint32_t m = 0; m < 2; m++)
    {
        UNROLL for (uint32_t h = 0; h < 2; h++)
        {
            r.top[m][h] = -INFINITY;
            r.sum[m][h] = 0;
        }
        UNROLL for (uint32_t n = 0; n < HEAD / 8; n++) UNROLL for (uint32_t i = 0; i < 4; i++) o[m][n][i] = 0;
    }
    F(fetch)(q, w->q, pair, w->n_q, first_row, TENSOR_ROWS);
    if (blocks)
        F(fetch)(k, w->k, kv, w->n_k, 0, TENSOR_KEYS);
    for (uint32_t b = 0; b < blocks; b++) {
        uint32_t first = b * TENSOR_KEYS;
        copies_wait();
        block_wait(); /* keys are there, for all; and all are done with the last values */
        F(fetch)(v, w->v, kv, w->n_k, first, TENSOR_KEYS);
        F(scores)(s, my_q, k);
        copies_wait();
        block_wait(); /* values are there; and all are done with these keys */
        if (b + 1 < blocks)
            F(fetch)(k, w->k, kv, w->n_k, first + TENSOR_KEYS, TENSOR_KEYS);
        if (first + TENSOR_KEYS > all_see)
            F(hide)(w, s, first_row + 32 * warp, first);
        F(weights)(s, o, &r, w->scale * LOG2E);
        F(values)(o, s, v);
    }
    copies_wait();
    UNROLL for (uint32_t m = 0; m < 2; m++) UNROLL for (uint32_t h = 0; h < 2; h++)
    {
        uint32_t row = first_row + 32 * warp + 16 * m + c_row(lane, 2 * h);
        F(store)(w, o, m, h, r.top[m][h], r.sum[m][h], row < w->n_q, (size_t)pair * w->n_q + row);
    }
}

#undef F
#undef STEP
#undef TENSOR_JOIN
#undef TENSOR_NAME
