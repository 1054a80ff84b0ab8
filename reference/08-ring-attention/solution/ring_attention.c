/* Lab 08, a model solution: what a good hand-in looks like. The starter, with the five stubs filled in.
 *
 * It is written to be read. Everything is a loop over rows that the compiler can see through; what makes attention fast
 * on one machine or another is in the other files of reference/08-ring-attention.
 */
#include "ring_attention.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* ---- what all entries need, complete ---- */

/* Row i of head h of batch b. */
static const float *row_of(const struct at_in *t, uint32_t b, uint32_t h, uint32_t i)
{
    return (const float *)t->data + b * t->batch + h * t->head + i * t->row;
}

static float *out_row_of(const struct at_out *t, uint32_t b, uint32_t h, uint32_t i)
{
    return t->data + b * t->batch + h * t->head + i * t->row;
}

static float *lse_of(const struct at_problem *p, const struct at_result *result, uint32_t b, uint32_t h)
{
    return result->lse + (b * (size_t)p->heads + h) * p->n_q;
}

static float dot(const float *a, const float *b, uint32_t d)
{
    float sum = 0;
    for (uint32_t c = 0; c < d; c++)
        sum += a[c] * b[c];
    return sum;
}

/* The first of n rows that part `part` of `parts` has: the others begin where it ends. */
static uint32_t first_of(uint32_t n, uint32_t part, uint32_t parts)
{
    return (uint32_t)((uint64_t)n * part / parts);
}

/* ---- naive, complete: all scores of a part's rows at once, 4 n_q n_k bytes for a head ---- */

static int naive_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    uint32_t rows = p->n_q / parts + (p->n_q % parts != 0);
    *bytes = (size_t)rows * p->n_k * sizeof(float);
    return 0;
}

static int naive_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                         const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                         void *workspace)
{
    uint32_t first = first_of(p->n_q, part, parts), end = first_of(p->n_q, part + 1, parts);
    float *score = workspace;
    if (p->causal || p->type != AT_F32)
        return -ENOTSUP;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++) {
            uint32_t kv = h / (p->heads / p->kv_heads);
            for (uint32_t i = first; i < end; i++)
                for (uint32_t j = 0; j < p->n_k; j++)
                    score[(i - first) * (size_t)p->n_k + j] =
                        p->scale * dot(row_of(q, b, h, i), row_of(k, b, kv, j), p->d);
            for (uint32_t i = first; i < end; i++) {
                const float *s = score + (i - first) * (size_t)p->n_k;
                float *out = out_row_of(&result->out, b, h, i), most = -INFINITY, sum = 0;
                memset(out, 0, p->d * sizeof *out);
                for (uint32_t j = 0; j < p->n_k; j++)
                    most = fmaxf(most, s[j]);
                for (uint32_t j = 0; j < p->n_k; j++) {
                    float weight = expf(s[j] - most); /* never above 1, so nothing overflows */
                    sum += weight;
                    for (uint32_t c = 0; c < p->d; c++)
                        out[c] += weight * row_of(v, b, kv, j)[c];
                }
                for (uint32_t c = 0; c < p->d && p->n_k > 0; c++)
                    out[c] /= sum;
                lse_of(p, result, b, h)[i] = p->n_k ? most + logf(sum) : -INFINITY;
            }
        }
    return 0;
}

static const struct at_ops naive = {.workspace = naive_workspace, .forward = naive_forward};
AT_ENTRY(naive, "naive", "the whole matrix of scores", &naive);

/* ---- task 1: merge ----------------------------------------------------------------------------------------------- */

/* exp(lse) is the sum of all weights of a side. Taken relative to the larger one, neither overflows. */
static void merge_row(float *out, float *lse, const float *from, float from_lse, uint32_t d)
{
    if (from_lse == -INFINITY)
        return;
    if (*lse == -INFINITY) {
        memcpy(out, from, d * sizeof *out);
        *lse = from_lse;
        return;
    }
    float most = fmaxf(*lse, from_lse), a = expf(*lse - most), b = expf(from_lse - most);
    for (uint32_t c = 0; c < d; c++)
        out[c] = (out[c] * a + from[c] * b) / (a + b);
    *lse = most + logf(a + b);
}

static void blockwise_merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = 0; i < p->n_q; i++)
                merge_row(out_row_of(&into->out, b, h, i), lse_of(p, into, b, h) + i, out_row_of(&from->out, b, h, i),
                          lse_of(p, from, b, h)[i], p->d);
}

/* ---- tasks 2 and 3: attention in blocks, with a mask by position ------------------------------------------------- */

#define QUERIES 16u /* of a block, so that keys and values are read once for so many */
#define KEYS    64u

/* For each query of a block: scores with a block of keys, the largest score so far, the sum of weights. The sum of
 * weighted values is kept in the output itself. */
struct block {
    float score[QUERIES][KEYS];
    float most[QUERIES], sum[QUERIES];
};

static int blockwise_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)parts;
    if (p->type != AT_F32)
        return -ENOTSUP;
    *bytes = sizeof(struct block);
    return 0;
}

/* Four queries at once meet a key: each number of it is read once for all of them. */
static void scores_of_four(const float *const q[4], const float *k, uint32_t d, float scale, float out[4])
{
    float sum[4] = {0, 0, 0, 0};
    uint32_t c = 0;
    typedef float four __attribute__((vector_size(16), aligned(4)));
    four wide[4] = {{0}, {0}, {0}, {0}};
    for (; c + 4 <= d; c += 4)
        for (int n = 0; n < 4; n++)
            wide[n] += *(const four *)(q[n] + c) * *(const four *)(k + c);
    for (; c < d; c++)
        for (int n = 0; n < 4; n++)
            sum[n] += q[n][c] * k[c];
    for (int n = 0; n < 4; n++)
        out[n] = scale * (sum[n] + wide[n][0] + wide[n][1] + wide[n][2] + wide[n][3]);
}

/* Positions rise with the row, so what a query sees are the first keys: so many. */
static uint32_t visible(const struct at_problem *p, uint32_t i)
{
    uint32_t low = 0, high = p->n_k;
    if (!p->causal)
        return p->n_k;
    uint64_t own = at_position(&p->q, i);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (at_position(&p->k, middle) <= own)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Brings one query's sums up to date with `keys` more scores; those it does not see are not among them. */
static void online_softmax(float *score, uint32_t keys, float *most, float *sum, float *out, uint32_t d)
{
    float now = *most;
    for (uint32_t j = 0; j < keys; j++)
        now = fmaxf(now, score[j]);
    float shrink = *most == -INFINITY ? 0 : expf(*most - now), all = 0;
    for (uint32_t j = 0; j < keys; j++)
        all += score[j] = expf(score[j] - now);
    *sum = *sum * shrink + all;
    *most = now;
    for (uint32_t c = 0; c < d && shrink != 1; c++)
        out[c] *= shrink;
}

/* out += weights x values: four values at once, so that the output is read and written once for four. */
static void add_values(const float *weight, const struct at_in *v, uint32_t b, uint32_t kv, uint32_t first,
                       uint32_t keys, float *out, uint32_t d)
{
    typedef float four __attribute__((vector_size(16), aligned(4)));
    uint32_t j = 0;
    for (; j + 4 <= keys; j += 4) {
        const float *r0 = row_of(v, b, kv, first + j), *r1 = r0 + v->row, *r2 = r1 + v->row, *r3 = r2 + v->row;
        float w0 = weight[j], w1 = weight[j + 1], w2 = weight[j + 2], w3 = weight[j + 3];
        uint32_t c = 0;
        for (; c + 4 <= d; c += 4)
            *(four *)(out + c) += w0 * *(const four *)(r0 + c) + w1 * *(const four *)(r1 + c) +
                                  w2 * *(const four *)(r2 + c) + w3 * *(const four *)(r3 + c);
        for (; c < d; c++)
            out[c] += w0 * r0[c] + w1 * r1[c] + w2 * r2[c] + w3 * r3[c];
    }
    for (; j < keys; j++)
        for (uint32_t c = 0; c < d; c++)
            out[c] += weight[j] * row_of(v, b, kv, first + j)[c];
}

/* Queries first ... end-1 of one head, QUERIES of them at most. */
static void block_of_queries(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                             const struct at_in *v, const struct at_result *result, uint32_t b, uint32_t h,
                             uint32_t first, uint32_t end, struct block *w)
{
    uint32_t kv = h / (p->heads / p->kv_heads), all = visible(p, end - 1); /* nobody here sees more */
    for (uint32_t i = first; i < end; i++) {
        w->most[i - first] = -INFINITY;
        w->sum[i - first] = 0;
        memset(out_row_of(&result->out, b, h, i), 0, p->d * sizeof(float));
    }
    for (uint32_t from = 0; from < all; from += KEYS) {
        uint32_t keys = all - from < KEYS ? all - from : KEYS;
        for (uint32_t i = first; i < end; i += 4) {
            const float *rows[4];
            for (uint32_t n = 0; n < 4; n++)
                rows[n] = row_of(q, b, h, i + n < end ? i + n : end - 1);
            for (uint32_t j = 0; j < keys; j++) {
                float s[4];
                scores_of_four(rows, row_of(k, b, kv, from + j), p->d, p->scale, s);
                for (uint32_t n = 0; n < 4 && i + n < end; n++)
                    w->score[i - first + n][j] = s[n];
            }
        }
        for (uint32_t i = first; i < end; i++) {
            uint32_t sees = visible(p, i), some = sees <= from ? 0 : sees - from < keys ? sees - from : keys;
            if (some == 0)
                continue; /* -inf - -inf is not to be computed */
            float *out = out_row_of(&result->out, b, h, i), *score = w->score[i - first];
            online_softmax(score, some, &w->most[i - first], &w->sum[i - first], out, p->d);
            add_values(score, v, b, kv, from, some, out, p->d);
        }
    }
    for (uint32_t i = first; i < end; i++) {
        float sum = w->sum[i - first], *out = out_row_of(&result->out, b, h, i);
        for (uint32_t c = 0; c < p->d && sum > 0; c++)
            out[c] /= sum;
        lse_of(p, result, b, h)[i] = sum > 0 ? w->most[i - first] + logf(sum) : -INFINITY;
    }
}

/* A part has whole blocks of four, so that a row is computed in the same company in any number of parts. */
static int blockwise_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                             const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                             void *workspace)
{
    uint32_t fours = p->n_q / 4 + (p->n_q % 4 != 0);
    uint32_t first = 4 * first_of(fours, part, parts), end = 4 * first_of(fours, part + 1, parts);
    if (p->type != AT_F32)
        return -ENOTSUP;
    end = end < p->n_q ? end : p->n_q;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = first; i < end; i += QUERIES)
                block_of_queries(p, q, k, v, result, b, h, i, i + QUERIES < end ? i + QUERIES : end, workspace);
    return 0;
}

static const struct at_ops blockwise = {.workspace = blockwise_workspace,
                                        .forward = blockwise_forward,
                                        .merge = blockwise_merge,
                                        .can = AT_CAUSAL | AT_CONSTANT};
AT_ENTRY(blockwise, "blockwise", "blocks of keys with online softmax", &blockwise);

/* ---- tasks 4 to 6: a rank of the ring ---------------------------------------------------------------------------- */

/* Run `which` of `runs` runs over `total` tokens. The first ones have a token more when it doesn't divide. */
static struct at_run run_of(uint64_t total, uint32_t which, uint32_t runs)
{
    uint64_t each = total / runs, more = total % runs;
    return (struct at_run){which * each + (which < more ? which : more), 1, (uint32_t)(each + (which < more))};
}

static int ring_shard(const struct at_ring *ring, uint32_t rank, struct at_positions *positions)
{
    struct at_run one = run_of(ring->total, rank, ring->ranks), other = {0, 1, 0};
    if (ring->layout == AT_STRIPED)
        one = (struct at_run){rank, ring->ranks, one.count};
    if (ring->layout == AT_ZIGZAG) {
        one = run_of(ring->total, rank, 2 * ring->ranks);
        other = run_of(ring->total, 2 * ring->ranks - 1 - rank, 2 * ring->ranks);
    }
    *positions = (struct at_positions){.run = {one, other}};
    return 0;
}

static uint32_t rows_in(const struct at_positions *at)
{
    return at->run[0].count + at->run[1].count;
}

/* Floats of a block of n keys and values. */
static size_t block_of(const struct at_ring *ring, uint32_t n)
{
    return 2 * (size_t)ring->batch * ring->kv_heads * n * ring->d;
}

/* What `queries` meets when the block of rank `from` has come. */
static struct at_problem meeting(const struct at_ring *ring, const struct at_positions *queries, uint32_t from)
{
    struct at_positions keys;
    ring_shard(ring, from, &keys);
    return (struct at_problem){.batch = ring->batch,
                               .heads = ring->heads,
                               .kv_heads = ring->kv_heads,
                               .n_q = rows_in(queries),
                               .n_k = rows_in(&keys),
                               .d = ring->d,
                               .scale = ring->scale,
                               .type = ring->type,
                               .causal = ring->causal,
                               .q = *queries,
                               .k = keys};
}

/* The workspace: two blocks, a partial result, and what `blocks` needs; where they begin, in bytes. Shards differ in
 * length, and it is not always rank 0 that has the longest: room is made for that one. */
struct room {
    size_t block[2], out, lse, rest, end;
};

static size_t whole_lines(size_t bytes)
{
    return (bytes + AT_ALIGN - 1) / AT_ALIGN * AT_ALIGN;
}

static int divide(const struct at_ring *ring, struct room *room)
{
    struct at_positions longest = {0}, other;
    for (uint32_t r = 0; r < ring->ranks; r++) {
        int code = ring_shard(ring, r, &other);
        if (code)
            return code;
        longest = r == 0 || rows_in(&other) > rows_in(&longest) ? other : longest;
    }
    size_t n = rows_in(&longest), rows = (size_t)ring->batch * ring->heads * n, most = 0;
    size_t block = whole_lines(block_of(ring, (uint32_t)n) * sizeof(float));
    for (uint32_t r = 0; r < ring->ranks; r++) {
        struct at_problem p = meeting(ring, &longest, r);
        size_t bytes = 0;
        int code = ring->blocks->workspace(&p, 1, &bytes);
        if (code)
            return code;
        most = bytes > most ? bytes : most;
    }
    room->block[0] = 0;
    room->block[1] = block;
    room->out = 2 * block;
    room->lse = room->out + whole_lines(rows * ring->d * sizeof(float));
    room->rest = room->lse + whole_lines(rows * sizeof(float));
    room->end = room->rest + most;
    return 0;
}

static int ring_workspace(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes)
{
    struct room room;
    (void)mine;
    int code = divide(ring, &room);
    if (code == 0)
        *bytes = room.end;
    return code;
}

/* (batch, kv_heads, n, d), keys first, then values. */
static void pack(const struct at_ring *ring, const struct at_in *t, uint32_t n, float *to)
{
    for (uint32_t b = 0; b < ring->batch; b++)
        for (uint32_t h = 0; h < ring->kv_heads; h++)
            for (uint32_t i = 0; i < n; i++, to += ring->d)
                memcpy(to, row_of(t, b, h, i), ring->d * sizeof *to);
}

/* One block meets our queries, and what they found is merged. */
static int meet(const struct at_ring *ring, const struct at_ranked *mine, const struct at_positions *at, uint32_t from,
                const float *block, const struct at_result *partial, void *rest, bool first)
{
    struct at_problem p = meeting(ring, at, from);
    size_t head = (size_t)p.n_k * p.d, batch = ring->kv_heads * head;
    struct at_in k = {block, batch, head, p.d}, v = {block + ring->batch * batch, batch, head, p.d};
    int code = ring->blocks->forward(&p, &mine->q, &k, &v, first ? &mine->result : partial, 0, 1, rest);
    if (!code && !first)
        ring->blocks->merge(&p, &mine->result, partial);
    return code;
}

static int ring_forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    const struct at_link *link = mine->link;
    char *base = workspace;
    struct at_positions at;
    struct room room;
    int code = divide(ring, &room);
    if (code)
        return code;
    ring_shard(ring, link->rank, &at);
    float *block[2] = {(float *)(void *)(base + room.block[0]), (float *)(void *)(base + room.block[1])};
    size_t own = (size_t)rows_in(&at) * ring->d;
    struct at_result partial = {{(float *)(void *)(base + room.out), ring->heads * own, own, ring->d},
                                (float *)(void *)(base + room.lse)};
    pack(ring, &mine->k, rows_in(&at), block[0]);
    pack(ring, &mine->v, rows_in(&at), block[0] + block_of(ring, rows_in(&at)) / 2);
    for (uint32_t s = 0; s < ring->ranks; s++) {
        bool more = s + 1 < ring->ranks;
        uint32_t here = (link->rank + ring->ranks - s) % ring->ranks, coming = (here + ring->ranks - 1) % ring->ranks;
        struct at_problem now = meeting(ring, &at, here), then = meeting(ring, &at, coming);
        if (more)
            code = link->begin(link->self, block[s % 2], block_of(ring, now.n_k) * sizeof(float), block[(s + 1) % 2],
                               block_of(ring, then.n_k) * sizeof(float));
        if (!code)
            code = meet(ring, mine, &at, here, block[s % 2], &partial, base + room.rest, s == 0);
        int arrived = more ? link->wait(link->self) : 0; /* whatever else happened: what began must end */
        if (code || arrived)
            return code ? code : arrived;
    }
    return 0;
}

static const struct at_ops ring = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = ring_forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "keys and values go round, everybody's queries stay", &ring);
