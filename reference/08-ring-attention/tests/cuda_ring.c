/* cuda_ring.c: the ring on GPUs: its plan, and all of it on the emulated device. */
#include "cuda/gpu.h"
#include "cuda/ring_plan.h"
#include "cuda_device.h"
#include "oracle.h"
#include "ring.h"

TestSuite(cuda_ring, .timeout = 60);

extern const struct at_gpu at_gpu;

/* ---- the plan: moves that take time, in any order that it allows --------------------------------------------------- */

enum { MOST_RANKS = 6, MOST_MOVES = MOST_RANKS * (2 * MOST_RANKS - 1) };

struct trial {
    uint32_t ranks, moves, forget; /* the wait to forget; 3: none */
    struct ring_move move[MOST_MOVES];
    uint32_t waits_for[MOST_MOVES][3]; /* which move; or RING_NONE */
    enum { TO_COME, UNDER_WAY, DONE } state[MOST_MOVES];
    uint32_t holds[MOST_RANKS][RING_BUFFERS]; /* whose block; RING_NONE: one that is being written, or none */
    bool wrong;
};

static void plan(struct trial *t)
{
    uint32_t record[RING_EVENTS_OF_A_RANK * MOST_RANKS];
    memset(record, 0xff, sizeof record);
    t->moves = ring_moves(t->ranks);
    for (uint32_t n = 0; n < t->moves; n++) {
        t->move[n] = ring_move(t->ranks, n);
        for (uint32_t i = 0; i < 3; i++) /* an event stands for its last record */
            t->waits_for[n][i] = i < t->move[n].waits && i != t->forget ? record[t->move[n].wait[i]] : RING_NONE;
        if (t->move[n].records != RING_NONE)
            record[t->move[n].records] = n;
    }
}

static bool may_begin(const struct trial *t, uint32_t n)
{
    for (uint32_t i = 0; i < 3; i++)
        if (t->waits_for[n][i] != RING_NONE && t->state[t->waits_for[n][i]] != DONE)
            return false;
    for (uint32_t i = 0; i < n; i++)
        if (t->move[i].stream == t->move[n].stream && t->state[i] != DONE)
            return false;
    return true;
}

static void begin(struct trial *t, uint32_t n)
{
    const struct ring_move *m = &t->move[n];
    uint32_t next = (m->rank + 1) % t->ranks;
    if (t->holds[m->rank][m->buffer] != m->whose)
        t->wrong = true;
    if (m->sends)
        t->holds[next][m->there] = RING_NONE;
    t->state[n] = UNDER_WAY;
}

static void end(struct trial *t, uint32_t n)
{
    const struct ring_move *m = &t->move[n];
    if (t->holds[m->rank][m->buffer] != m->whose)
        t->wrong = true; /* somebody has written into what was being read */
    if (m->sends)
        t->holds[(m->rank + 1) % t->ranks][m->there] = m->whose;
    t->state[n] = DONE;
}

static bool goes_wrong(uint32_t ranks, uint32_t forget, uint64_t seed)
{
    struct trial t = {.ranks = ranks, .forget = forget};
    struct rng r;
    rng_seed(&r, seed, 3);
    plan(&t);
    memset(t.holds, 0xff, sizeof t.holds);
    for (uint32_t me = 0; me < ranks; me++)
        t.holds[me][RING_HOME] = me;
    for (uint32_t done = 0, idle = 0; done < t.moves && idle < 4 * t.moves;) {
        uint32_t n = (uint32_t)(rng_next(&r) % t.moves), tries = 0;
        while (tries++ < t.moves && (t.state[n] == DONE || (t.state[n] == TO_COME && !may_begin(&t, n))))
            n = (n + 1) % t.moves;
        idle++;
        if (t.state[n] == UNDER_WAY) {
            end(&t, n);
            done++;
            idle = 0;
        } else if (t.state[n] == TO_COME && may_begin(&t, n)) {
            begin(&t, n);
            idle = 0;
        }
        if (done < t.moves && idle == 4 * t.moves)
            t.wrong = true; /* all wait for each other */
    }
    return t.wrong;
}

Test(cuda_ring, the_plan_holds_in_any_order)
{
    for (uint32_t ranks = 1; ranks <= MOST_RANKS; ranks++)
        for (uint64_t seed = 0; seed < 200; seed++)
            cr_assert(!goes_wrong(ranks, 3, seed), "%u ranks, seed %lu", ranks, seed);
}

Test(cuda_ring, the_plan_needs_each_of_its_waits)
{
    for (uint32_t forget = 0; forget < 3; forget++) {
        uint32_t wrong = 0;
        for (uint64_t seed = 0; seed < 200; seed++)
            wrong += goes_wrong(5, forget, seed);
        cr_assert_gt(wrong, 0, "expected: without wait %u something goes wrong", forget);
    }
}

Test(cuda_ring, every_rank_meets_every_block_and_sends_all_but_one)
{
    for (uint32_t ranks = 1; ranks <= MOST_RANKS; ranks++) {
        uint32_t met[MOST_RANKS] = {0}, sent[MOST_RANKS] = {0};
        for (uint32_t n = 0; n < ring_moves(ranks); n++) {
            struct ring_move m = ring_move(ranks, n);
            struct at_ring ring = {.ranks = ranks};
            cr_assert(m.rank < ranks && m.step < ranks);
            cr_assert_eq(m.whose, ring_whose(&ring, m.rank, m.step), "expected: as on the CPU");
            if (m.sends)
                sent[m.rank] |= 1u << m.whose;
            else
                met[m.rank] |= 1u << m.whose;
        }
        for (uint32_t me = 0; me < ranks; me++) {
            cr_assert_eq(met[me], (1u << ranks) - 1);
            cr_assert_eq(sent[me], ((1u << ranks) - 1) & ~(1u << (me + 1) % ranks), "the next one's is not sent back");
        }
    }
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

static struct at_ring ring_of(uint32_t total, uint32_t ranks, enum at_layout layout, bool causal)
{
    return (struct at_ring){.total = total,
                            .ranks = ranks,
                            .layout = layout,
                            .causal = causal,
                            .batch = 2,
                            .heads = 2,
                            .kv_heads = 1,
                            .d = 8,
                            .scale = 0.4f};
}

static struct at_problem whole(const struct at_ring *ring)
{
    struct at_problem p = problem_of((uint32_t)ring->total, (uint32_t)ring->total, ring->d);
    p.batch = ring->batch;
    p.heads = ring->heads;
    p.kv_heads = ring->kv_heads;
    p.scale = ring->scale;
    p.causal = ring->causal;
    p.type = ring->type;
    return p;
}

/* An entry of the CPU writes the guards round a result, and every row of it. */
static void fill(struct world *w)
{
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
        if (strcmp((*e)->name, "naive") == 0)
            world_run(w, entry_ops(e), 1);
    memset(w->result.lse, 0xff, sizeof(float) * w->p.batch * w->p.heads * w->p.n_q);
}

static struct off ring_off(const struct at_ring *ring, const char *entry, uint32_t devices, uint64_t *sent)
{
    struct at_problem p = whole(ring);
    struct world w;
    struct at_gpu_ring *r = NULL;
    double seconds = 0;
    world_make(&w, &p, 5, 1, 0);
    fill(&w);
    cr_assert_eq(at_gpu.ring_upload(entry, ring, &w.q, &w.k, &w.v, devices, &r), 0);
    cr_assert_eq(at_gpu.ring_forward(r, 1, &seconds), 0);
    cr_assert_eq(at_gpu.ring_download(r, &w.result), 0);
    *sent = at_gpu.ring_sent(r);
    at_gpu.ring_end(r);
    cr_assert_eq(emulated_bytes, 0, "%zu bytes are still allocated", emulated_bytes);
    struct off off = {1, 1};
    if (!emulated_deaf)
        off = world_off(&w, entry);
    else
        for (size_t i = 0; i < (size_t)p.batch * p.heads * p.n_q * p.d; i++)
            if (!(fabs((double)w.result.out.data[i] - w.out[i]) < 1e-5))
                off.out = 2;
    world_end(&w);
    return off;
}

Test(cuda_ring, any_layout_on_one_device_and_on_several_is_the_whole)
{
    emulated_on = true;
    for (uint32_t ranks = 1; ranks <= 5; ranks += ranks > 2 ? 2 : 1)
        for (int layout = 0; layout < 3; layout++)
            for (int causal = 0; causal < 2; causal++)
                for (int many = 0; many < 2; many++) {
                    struct at_ring ring = ring_of(43, ranks, (enum at_layout)layout, causal);
                    uint64_t sent, right = 0;
                    emulated_seed = ranks * 100 + (uint64_t)(layout * 4 + causal * 2 + many);
                    struct off off = ring_off(&ring, "cuda-flash", many ? ranks : 1, &sent);
                    cr_assert_null(emulated_counts.fault, "%s", emulated_counts.fault);
                    cr_assert(off.out < 1e-6 && off.lse < 1e-6, "%u ranks, layout %d: off by %g, %g", ranks, layout,
                              off.out, off.lse);
                    for (uint32_t i = 0; i + 1 < ranks; i++) { /* rank 0 sends its own, then P - 1, ... */
                        uint32_t block = (ranks - i) % ranks;
                        uint64_t more = layout == AT_ZIGZAG ? 0 : 43 % ranks;
                        right += (43 / ranks + (block < more)) * 2 * 2 * 8 * sizeof(float);
                    }
                    if (layout != AT_ZIGZAG)
                        cr_assert_eq(sent, right, "expected: %lu bytes; actual: %lu", right, sent);
                }
}

Test(cuda_ring, tensor_cores_too)
{
    emulated_on = true;
    struct at_ring ring = ring_of(70, 3, AT_ZIGZAG, true);
    uint64_t sent;
    ring.type = AT_BF16;
    ring.d = 40;
    ring.scale = -0.2f;
    struct off off = ring_off(&ring, "cuda-tensor", 1, &sent);
    cr_assert_null(emulated_counts.fault, "%s", emulated_counts.fault);
    cr_assert(off.out < 0x1p-8 && off.lse < 1e-6, "off by %g, %g", off.out, off.lse);
}

Test(cuda_ring, streams_that_do_not_wait_are_noticed)
{
    uint32_t wrong = 0;
    emulated_on = true;
    emulated_deaf = true;
    for (emulated_seed = 1; emulated_seed < 9; emulated_seed++) {
        struct at_ring ring = ring_of(40, 4, AT_STRIPED, true);
        uint64_t sent;
        wrong += ring_off(&ring, "cuda-flash", 1, &sent).out > 1;
    }
    cr_assert_gt(wrong, 0, "expected: a wrong result when nobody waits");
}

Test(cuda_ring, what_is_no_ring_is_refused)
{
    struct at_ring good = ring_of(40, 4, AT_CONTIGUOUS, true), bad = good;
    struct at_in in = {NULL, 0, 0, 0};
    struct at_gpu_ring *r = NULL;
    cr_assert_eq(at_gpu.ring_upload("cuda-flash", &good, &in, &in, &in, 1, &r), -ENOTSUP); /* the device is off */
    emulated_on = true;
    bad.ranks = 0;
    cr_assert_eq(at_gpu.ring_upload("cuda-flash", &bad, &in, &in, &in, 1, &r), -EINVAL);
    cr_assert_eq(at_gpu.ring_upload("cuda-flash", &good, &in, &in, &in, 2, &r), -EINVAL);
    cr_assert_eq(at_gpu.ring_upload("cuda-naive", &good, &in, &in, &in, 1, &r), -ENOTSUP);
    cr_assert_eq(at_gpu.ring_upload("cuda-tensor", &good, &in, &in, &in, 1, &r), -ENOTSUP); /* float32 */
    cr_assert_eq(at_gpu.ring_upload("blockwise", &good, &in, &in, &in, 1, &r), -ENOENT);
    cr_assert_null(r);
}

Test(cuda_ring, too_little_device_memory_is_told_and_given_back)
{
    struct at_ring ring = ring_of(40, 2, AT_CONTIGUOUS, true);
    struct at_problem p = whole(&ring);
    struct world w;
    world_make(&w, &p, 1, 1, 0);
    emulated_on = true;
    for (uint32_t n = 1; n <= 14; n++) {
        struct at_gpu_ring *r = NULL;
        emulated_fails = n;
        cr_assert_eq(at_gpu.ring_upload("cuda-flash", &ring, &w.q, &w.k, &w.v, 1, &r), -ENOMEM, "allocation %u", n);
        cr_assert(!r && emulated_bytes == 0);
    }
    emulated_fails = 0;
    world_end(&w);
}

Test(cuda_ring, cudnn_gets_what_it_can_and_its_output_comes_back_wide)
{
    struct at_problem p = problem_of(33, 40, 24);
    struct world w;
    struct held *held = NULL;
    double seconds = 0;
    p.type = AT_BF16;
    p.batch = 2;
    p.heads = 4;
    p.kv_heads = 2;
    world_make(&w, &p, 1, 1, 3);
    fill(&w);
    emulated_on = true;
    cr_assert_eq(at_gpu.upload("cudnn", &p, &w.q, &w.k, &w.v, &held), 0);
    cr_assert_eq(at_gpu.forward(held, 2, &seconds), 0);
    cr_assert_eq(at_gpu.download(held, &w.result), 0);
    at_gpu.end(held);
    struct off off = world_off(&w, "cudnn");
    cr_assert(off.out > 1e-6 && off.out < 0x1p-7 && off.lse < 1e-6, "off by %g, %g", off.out, off.lse);
    emulated_no_cudnn = true;
    cr_assert_eq(at_gpu.upload("cudnn", &p, &w.q, &w.k, &w.v, &held), -ENOTSUP);
    emulated_no_cudnn = false;
    p.causal = true; /* the first row sees one key */
    cr_assert_eq(at_gpu.upload("cudnn", &p, &w.q, &w.k, &w.v, &held), -ENOTSUP);
    p.causal = false;
    p.type = AT_F32;
    cr_assert_eq(at_gpu.upload("cudnn", &p, &w.q, &w.k, &w.v, &held), -ENOTSUP);
    cr_assert_eq(emulated_bytes, 0, "expected: no memory left behind; actual: %zu bytes", emulated_bytes);
    world_end(&w);
}

Test(cuda_ring, what_stays_on_the_device_is_computed_as_often_as_is_asked)
{
    struct at_problem p = problem_of(20, 30, 8);
    struct world w;
    struct held *held = NULL;
    double seconds = 0;
    world_make(&w, &p, 1, 1, 0);
    fill(&w);
    emulated_on = true;
    cr_assert_eq(at_gpu.upload("cuda-naive", &p, &w.q, &w.k, &w.v, &held), 0);
    cr_assert_eq(at_gpu.forward(held, 3, &seconds), 0);
    cr_assert_eq(at_gpu.download(held, &w.result), 0);
    cr_assert_eq(at_gpu.bytes(held), 4 * ((20 + 30 + 30 + 20) * 8 + 20 + 20 + 20 * 30));
    at_gpu.end(held);
    struct off off = world_off(&w, "cuda-naive");
    cr_assert(off.out < 1e-6 && off.lse < 1e-6 && emulated_bytes == 0);
    cr_assert_eq(at_gpu.gemm(64, AT_BF16, 1, &seconds), 0);
    cr_assert_eq(at_gpu.gemm(0, AT_BF16, 1, &seconds), -EINVAL);
    cr_assert_eq(emulated_bytes, 0);
    world_end(&w);
}
