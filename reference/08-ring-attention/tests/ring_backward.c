/* ring_backward.c: gradients through a ring against float64, and what travels. */
#include "ring_world.h"

TestSuite(ring_backward, .timeout = 60);

/* Gradients of sum(d_out x out), dense: (batch, heads or kv_heads, total, d). */
struct gradients {
    double *q, *k, *v;
};

struct job {
    struct ring_world w;
    float *d_out;           /* (batch, heads, total, d) */
    struct gradients right; /* float64 */
    float *q, *k, *v;       /* what the ring found, in the same places */
    float found_already;    /* what stands in the gradients before */
};

/* ---- float64 ---- */

static void solve_row(struct job *j, uint32_t b, uint32_t h, uint32_t i)
{
    const struct at_problem *p = &j->w.whole.p;
    uint32_t kv = h / (p->heads / p->kv_heads), d = p->d, n = p->n_q;
    size_t row = ((size_t)b * p->heads + h) * n + i, keys = ((size_t)b * p->kv_heads + kv) * n;
    const float *d_out = j->d_out + row * d;
    const double *out = j->w.whole.out + row * d;
    double mean = 0;
    for (uint32_t c = 0; c < d; c++)
        mean += (double)d_out[c] * out[c];
    const void *q = at_row(&j->w.whole.q, p->type, b, h, i);
    for (uint32_t t = 0; t < (p->causal ? i + 1 : n); t++) {
        const void *k = at_row(&j->w.whole.k, p->type, b, kv, t), *v = at_row(&j->w.whole.v, p->type, b, kv, t);
        double s = 0, d_weight = 0;
        for (uint32_t c = 0; c < d; c++) {
            s += (double)at_element(q, p->type, c) * (double)at_element(k, p->type, c);
            d_weight += (double)d_out[c] * (double)at_element(v, p->type, c);
        }
        double weight = exp(s * (double)p->scale - j->w.whole.lse[row]);
        double d_score = weight * (d_weight - mean) * (double)p->scale;
        for (uint32_t c = 0; c < d; c++) {
            j->right.q[row * d + c] += d_score * (double)at_element(k, p->type, c);
            j->right.k[(keys + t) * d + c] += d_score * (double)at_element(q, p->type, c);
            j->right.v[(keys + t) * d + c] += weight * (double)d_out[c];
        }
    }
}

static void job_make(struct job *j, const struct at_ring *ring, uint64_t seed)
{
    struct rng r;
    memset(j, 0, sizeof *j);
    ring_world_make(&j->w, ring, "ring", seed);
    size_t q = (size_t)ring->batch * ring->heads * ring->total * ring->d, kv = q / ring->heads * ring->kv_heads;
    rng_seed(&r, seed, 77);
    j->d_out = calloc(q + 1, sizeof(float));
    for (size_t i = 0; i < q; i++)
        j->d_out[i] = (float)(2 * rng_double(&r) - 1);
    j->right = (struct gradients){calloc(q + 1, sizeof(double)), calloc(kv + 1, sizeof(double)),
                                  calloc(kv + 1, sizeof(double))};
    j->q = calloc(q + 1, sizeof(float));
    j->k = calloc(kv + 1, sizeof(float));
    j->v = calloc(kv + 1, sizeof(float));
    for (uint32_t b = 0; b < ring->batch; b++)
        for (uint32_t h = 0; h < ring->heads; h++)
            for (uint32_t i = 0; i < ring->total; i++)
                solve_row(j, b, h, i);
}

static void job_end(struct job *j)
{
    ring_world_end(&j->w);
    free(j->d_out);
    free(j->right.q), free(j->right.k), free(j->right.v);
    free(j->q), free(j->k), free(j->v);
}

/* ---- a rank ---- */

/* Rows between a shard, dense, and the whole. */
static void move_rows(const struct job *j, const struct at_positions *at, uint32_t heads, float *mine, float *whole,
                      bool out)
{
    uint32_t n = at->run[0].count + at->run[1].count, d = j->w.ring.d;
    for (uint32_t h = 0; h < j->w.ring.batch * heads; h++)
        for (uint32_t i = 0; i < n; i++) {
            float *here = mine + ((size_t)h * n + i) * d,
                  *there = whole + (h * (size_t)j->w.ring.total + at_position(at, i)) * d;
            memcpy(out ? there : here, out ? here : there, d * sizeof(float));
        }
}

static float *rows_filled(const struct at_ring *ring, uint32_t heads, uint32_t n, float with)
{
    size_t all = (size_t)ring->batch * heads * n * ring->d;
    float *rows = malloc((all + 1) * sizeof(float));
    cr_assert_not_null(rows);
    for (size_t i = 0; i < all; i++)
        rows[i] = with;
    return rows;
}

static int body(void *context, const struct at_link *link)
{
    struct job *j = context;
    const struct at_ring *ring = &j->w.ring;
    struct at_ranked mine = {.link = NULL};
    struct at_positions at;
    cr_assert_eq(j->w.ops->shard(ring, link->rank, &at), 0);
    uint32_t n = at.run[0].count + at.run[1].count;
    size_t head = (size_t)n * ring->d, bytes = 0, more = 0;
    void *in[3] = {ring_shard_of(&j->w, 0, link->rank, 2, &mine.q), ring_shard_of(&j->w, 1, link->rank, 2, &mine.k),
                   ring_shard_of(&j->w, 2, link->rank, 2, &mine.v)};
    float *out = rows_filled(ring, ring->heads, n, 0), *d_out = rows_filled(ring, ring->heads, n, 0);
    float *lse = malloc((size_t)ring->batch * ring->heads * n * sizeof(float));
    float *q = rows_filled(ring, ring->heads, n, j->found_already),
          *k = rows_filled(ring, ring->kv_heads, n, j->found_already),
          *v = rows_filled(ring, ring->kv_heads, n, j->found_already);
    mine.result = (struct at_result){{out, ring->heads * head, head, ring->d}, lse};
    move_rows(j, &at, ring->heads, d_out, j->d_out, false);
    struct at_in d = {d_out, ring->heads * head, head, ring->d};
    struct at_gradients to = {{q, ring->heads * head, head, ring->d},
                              {k, ring->kv_heads * head, head, ring->d},
                              {v, ring->kv_heads * head, head, ring->d}};
    int code = j->w.ops->ring_workspace(ring, &mine, &bytes);
    code = code ? code : j->w.ops->ring_backward_workspace(ring, &mine, &more);
    cr_assert_eq(code, 0);
    j->w.bytes = more;
    bytes = bytes > more ? bytes : more;
    unsigned char *room = aligned_alloc(AT_ALIGN, (bytes + 3 * AT_ALIGN - 1) / AT_ALIGN * AT_ALIGN);
    cr_assert_not_null(room);
    mine.link = link;
    code = j->w.ops->ring_forward(ring, &mine, room + AT_ALIGN);
    memset(room, 0xff, bytes + 2 * AT_ALIGN);
    code = code ? code : j->w.ops->ring_backward(ring, &mine, &d, &to, room + AT_ALIGN);
    for (size_t i = 0; i < AT_ALIGN; i++)
        if (room[i] != 0xff || room[AT_ALIGN + more + i] != 0xff)
            j->w.outside++;
    move_rows(j, &at, ring->heads, q, j->q, true);
    move_rows(j, &at, ring->kv_heads, k, j->k, true);
    move_rows(j, &at, ring->kv_heads, v, j->v, true);
    for (int i = 0; i < 3; i++)
        free(in[i]);
    free(out), free(d_out), free(lse), free(q), free(k), free(v), free(room);
    return code;
}

static double furthest(const float *found, const double *right, size_t n, float before)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        double off = fabs((double)found[i] - (double)before - right[i]);
        cr_assert(isfinite(off), "expected: %g; actual: %g", right[i], (double)found[i]);
        most = fmax(most, off);
    }
    return most;
}

static void expect_exact(const struct at_ring *ring, float before, double tolerance)
{
    struct job j;
    struct loop_settings s = {.ranks = ring->ranks};
    job_make(&j, ring, ring->ranks);
    j.found_already = before;
    int code = loop_run(&s, body, &j, &j.w.record);
    cr_assert_eq(code, 0, "expected: 0; actual: %d", code);
    size_t q = (size_t)ring->batch * ring->heads * ring->total * ring->d, kv = q / ring->heads * ring->kv_heads;
    double off[3] = {furthest(j.q, j.right.q, q, before), furthest(j.k, j.right.k, kv, before),
                     furthest(j.v, j.right.v, kv, before)};
    for (int i = 0; i < 3; i++)
        cr_assert(off[i] <= tolerance, "%u ranks, layout %d, causal %d, d%c: expected: within %g; actual: %g",
                  ring->ranks, ring->layout, ring->causal, "qkv"[i], tolerance, off[i]);
    cr_assert_eq(j.w.outside, 0);
    /* forward's rotations, and in backward as many again; and gradients, float32, P times */
    uint64_t rows = 0, width = ring->type == AT_F32 ? 4 : 2, row = (uint64_t)ring->batch * ring->kv_heads * ring->d * 2;
    for (uint32_t r = 0; r < ring->ranks; r++)
        rows += j.w.record.rank[r].sent;
    uint64_t forward = (ring->ranks - 1) * ring->total * row * width,
             gradients = ring->ranks > 1 ? ring->ranks * ring->total * row * 4 : 0;
    cr_assert_eq(rows, 2 * forward + gradients, "expected: %llu bytes; actual: %llu",
                 (unsigned long long)(2 * forward + gradients), (unsigned long long)rows);
    job_end(&j);
}

/* ---- blocks of the test's own ---- */

static int own_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)p, (void)parts;
    *bytes = 0;
    return 0;
}

static void own_row(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                    const struct at_result *result, const struct at_in *d_out, const struct at_gradients *to,
                    uint32_t b, uint32_t h, uint32_t i)
{
    uint32_t kv = h / (p->heads / p->kv_heads);
    float mean = 0, lse = result->lse[(size_t)(b * p->heads + h) * p->n_q + i];
    const float *d = at_row(d_out, AT_F32, b, h, i), *out = at_out_row(&result->out, b, h, i);
    const void *query = at_row(q, p->type, b, h, i);
    for (uint32_t c = 0; c < p->d; c++)
        mean += d[c] * out[c];
    for (uint32_t t = 0; t < at_visible(p, i); t++) {
        const void *key = at_row(k, p->type, b, kv, t), *value = at_row(v, p->type, b, kv, t);
        float s = 0, d_weight = 0;
        for (uint32_t c = 0; c < p->d; c++) {
            s += at_element(query, p->type, c) * at_element(key, p->type, c);
            d_weight += d[c] * at_element(value, p->type, c);
        }
        float weight = expf(s * p->scale - lse), d_score = weight * (d_weight - mean) * p->scale;
        for (uint32_t c = 0; c < p->d; c++) {
            at_out_row(&to->q, b, h, i)[c] += d_score * at_element(key, p->type, c);
            at_out_row(&to->k, b, kv, t)[c] += d_score * at_element(query, p->type, c);
            at_out_row(&to->v, b, kv, t)[c] += weight * d[c];
        }
    }
}

static int own_backward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                        const struct at_result *result, const struct at_in *d_out, const struct at_gradients *to,
                        uint32_t part, uint32_t parts, void *workspace)
{
    (void)part, (void)parts, (void)workspace;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = 0; i < p->n_q; i++)
                own_row(p, q, k, v, result, d_out, to, b, h, i);
    return 0;
}

static struct at_ops own_blocks(void)
{
    struct at_ops blocks = *entry_called("blockwise");
    blocks.backward_workspace = own_workspace;
    blocks.backward = own_backward;
    return blocks;
}

Test(ring_backward, the_same_as_backward_at_once)
{
    static const uint32_t ranks[] = {1, 2, 3, 4, 7, 8};
    struct at_ops blocks = own_blocks();
    for (int r = 0; r < 6; r++)
        for (int l = 0; l < 3; l++)
            for (int causal = 0; causal < 2; causal++) {
                struct at_ring ring = ring_of(ranks[r], 51, (enum at_layout)l);
                ring.causal = causal;
                ring.blocks = &blocks;
                expect_exact(&ring, 0, 2e-6);
            }
}

Test(ring_backward, shared_heads_batches_bfloat16_and_what_stands_there)
{
    struct at_ops blocks = own_blocks();
    for (uint32_t kv = 1; kv <= 4; kv += kv)
        for (int l = 0; l < 3; l++) {
            struct at_ring ring = ring_of(3, 40, (enum at_layout)l);
            ring.batch = 2;
            ring.heads = 4;
            ring.kv_heads = kv;
            ring.causal = l > 0;
            ring.type = kv > 1 ? AT_BF16 : AT_F32;
            ring.d = kv > 1 ? 7 : 16;
            ring.blocks = &blocks;
            expect_exact(&ring, 3, 1e-5);
        }
}

Test(ring_backward, over_all_blocks_that_have_one)
{
    struct at_ops own = own_blocks();
    struct at_ring ring = ring_of(4, 150, AT_ZIGZAG);
    ring.causal = true;
    ring.heads = 2;
    ring.d = 40;
    ring.blocks = &own;
    expect_exact(&ring, 0, 5e-6);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        if (!entry_runs(e) || !entry_ops(e)->backward || entry_ops(e)->can & AT_ONLY_BF16)
            continue;
        ring.blocks = entry_ops(e);
        expect_exact(&ring, 0, 5e-6);
    }
}

Test(ring_backward, without_it_is_refused)
{
    struct at_ops blocks = *entry_called("blockwise");
    struct at_ring ring = ring_of(4, 150, AT_ZIGZAG);
    struct at_ranked mine = {.link = NULL};
    size_t bytes;
    blocks.backward = NULL;
    ring.blocks = &blocks;
    cr_assert_eq(entry_called("ring")->ring_backward_workspace(&ring, &mine, &bytes), -ENOTSUP);
    ring.total = 3;
    cr_assert_eq(entry_called("ring")->ring_backward_workspace(&ring, &mine, &bytes), -EINVAL);
}

Test(ring_backward, memory_does_not_grow_with_ranks)
{
    struct at_ops blocks = own_blocks();
    struct at_ranked mine = {.link = NULL};
    struct at_ring ring = ring_of(2, 2000, AT_ZIGZAG);
    size_t few = 0, many = 0;
    ring.blocks = &blocks;
    cr_assert_eq(entry_called("ring")->ring_backward_workspace(&ring, &mine, &few), 0);
    ring.ranks = 300, ring.total = 300000;
    cr_assert_eq(entry_called("ring")->ring_backward_workspace(&ring, &mine, &many), 0);
    cr_assert_eq(few, many);
}
