/* The ring on GPUs: ranks are streams of one, or have one each.
 *
 * Idea       ring_plan.h says what each stream does next and what it waits for; here that is put into the streams, all
 *            of it at once, and the device finds its way through. On one GPU to send is to copy from one rank's buffer
 *            to the next one's; on several it is NCCL's send and receive, in one group for all ranks.
 * Invariant  Those of ring.c and of the plan. The result of a step is merged into what stands there by the kernel that
 *            found it. A rank has its own rows and three blocks, and no memory that grows with the number of ranks but
 *            the masks: how far each of its rows sees in each block, 4 bytes each.
 * Cost       P (2P - 1) launches and copies. A kernel of few tiles leaves multiprocessors idle; other ranks' streams
 *            fill them on one GPU, and on several, longer shards. Each merge reads and writes the output: 8 d bytes a
 *            row against 4 c d operations.
 * Gets wrong A rank that sees nothing of a block still hands it on. On one GPU it shows what the ring costs and nothing
 *            of what it is for.
 * Source     ring.c; NCCL, "Point-to-point communication".
 */
#include "cuda/gpu_ring.h"

#include "cuda/held.h"
#include "cuda/pack.h"
#include "cuda/ring_plan.h"
#include "ring.h"

#include <errno.h>
#include <stdlib.h>

#define MOST_DEVICES 64u

struct rank {
    struct gpu_work w; /* k, v, n_k and seen: of the block in turn */
    void *buffer[RING_BUFFERS];
    uint32_t *seen; /* (ranks, rows) */
    bool *any;      /* of each rank's keys, does it see any? */
};

struct at_gpu_ring {
    struct at_ring ring;
    enum gpu_rung rung;
    struct gpu_scale scale;
    uint32_t devices, width;
    struct rank *rank;
    void **stream, **event, **done; /* of the plan; when a stream has come to its end */
    void *control, *links;          /* the stream in which forwards follow each other */
    uint64_t sent;
};

static size_t half_block(const struct at_gpu_ring *r, uint32_t whose)
{
    return (size_t)r->ring.batch * r->ring.kv_heads * ring_rows(&r->ring, whose) * r->width * ring_width(&r->ring);
}

static int use(const struct at_gpu_ring *r, uint32_t rank)
{
    return r->devices > 1 ? device_use((int)rank) : 0;
}

/* ---- there --------------------------------------------------------------------------------------------------------- */

/* The rank's rows of q, k or v, dense, to `to`. */
static int put_shard(const struct at_gpu_ring *r, const struct at_problem *p, const struct at_positions *at,
                     uint32_t rows, const struct at_in *from, uint32_t heads, float times, void *to, void *stage)
{
    size_t row = r->width * ring_width(&r->ring);
    uint64_t all = (uint64_t)p->batch * heads * rows, fit = HELD_STAGE / row;
    int code = 0;
    for (uint64_t x = 0; x < all && code == 0;) {
        uint64_t first = x;
        for (; x < all && x < first + fit; x++)
            pack_row(p, from, heads, (uint32_t)(x / rows), (uint32_t)at_position(at, (uint32_t)(x % rows)), r->width,
                     times, (char *)stage + (x - first) * row);
        code = device_put((char *)to + first * row, stage, (x - first) * row);
    }
    return code;
}

static int put_masks(const struct at_gpu_ring *r, uint32_t me, void *stage)
{
    struct rank *rank = &r->rank[me];
    uint32_t fit = HELD_STAGE / sizeof(uint32_t), rows = rank->w.n_q;
    int code = 0;
    for (uint32_t whose = 0; whose < r->ring.ranks; whose++) {
        struct at_problem p = ring_problem(&r->ring, me, whose);
        rank->any[whose] = at_visible(&p, rows - 1) > 0;
        for (uint32_t i = 0; i < rows && code == 0; i += fit) {
            uint32_t some = rows - i < fit ? rows - i : fit;
            pack_seen(&p, i, some, stage);
            code = device_put(rank->seen + (size_t)whose * rows + i, stage, some * sizeof(uint32_t));
        }
    }
    return code;
}

static int allocate_rank(const struct at_gpu_ring *r, uint32_t me)
{
    struct rank *rank = &r->rank[me];
    const struct at_ring *ring = &r->ring;
    uint32_t rows = ring_rows(ring, me);
    size_t all = (size_t)ring->batch * ring->heads * rows, block = 0;
    void *q = NULL, *out = NULL, *lse = NULL, *seen = NULL;
    rank->w = (struct gpu_work){.pairs = ring->batch * ring->heads,
                                .group = ring->heads / ring->kv_heads,
                                .n_q = rows,
                                .d = r->width,
                                .scale = r->scale.scale,
                                .bf16 = ring->type == AT_BF16};
    for (uint32_t whose = 0; whose < ring->ranks; whose++)
        block = 2 * half_block(r, whose) > block ? 2 * half_block(r, whose) : block;
    int code = device_alloc(&q, all * r->width * ring_width(ring));
    rank->w.q = q;
    code = code ? code : device_alloc(&out, all * r->width * sizeof(float));
    rank->w.out = out;
    code = code ? code : device_alloc(&lse, all * sizeof(float));
    rank->w.lse = lse;
    code = code ? code : device_alloc(&seen, (size_t)ring->ranks * rows * sizeof(uint32_t));
    rank->seen = seen;
    for (uint32_t i = 0; i < RING_BUFFERS && code == 0; i++)
        code = device_alloc(&rank->buffer[i], block);
    if (code)
        return code;
    rank->any = calloc(ring->ranks + (size_t)1, sizeof *rank->any);
    return rank->any ? 0 : -ENOMEM;
}

static int make_rank(const struct at_gpu_ring *r, uint32_t me, const struct at_in *q, const struct at_in *k,
                     const struct at_in *v, void *stage)
{
    struct at_problem p = ring_problem(&r->ring, me, me);
    struct at_positions at;
    char *home;
    int code = ring_shard(&r->ring, me, &at);
    code = code ? code : use(r, me);
    for (uint32_t s = 0; s < 2 && code == 0; s++) {
        code = device_stream(&r->stream[ring_stream(me, s)]);
        code = code ? code : device_event(&r->done[ring_stream(me, s)]);
    }
    for (uint32_t e = 0; e < RING_EVENTS_OF_A_RANK && code == 0; e++)
        code = device_event(&r->event[RING_EVENTS_OF_A_RANK * me + e]);
    code = code ? code : allocate_rank(r, me);
    if (code)
        return code;
    home = r->rank[me].buffer[RING_HOME];
    code = put_shard(r, &p, &at, p.n_q, q, p.heads, r->scale.queries, (void *)r->rank[me].w.q, stage);
    code = code ? code : put_shard(r, &p, &at, p.n_q, k, p.kv_heads, 1, home, stage);
    code = code ? code : put_shard(r, &p, &at, p.n_q, v, p.kv_heads, 1, home + half_block(r, me), stage);
    return code ? code : put_masks(r, me, stage);
}

static int check(enum gpu_rung rung, const struct at_ring *ring, uint32_t devices)
{
    int code = ring_check(ring);
    if (code || ring->ranks == 0 || ring->batch == 0 || ring->total > UINT32_MAX ||
        (devices != 1 && devices != ring->ranks))
        return -EINVAL;
    if (devices > MOST_DEVICES)
        return -ENOTSUP;
    struct at_problem p = ring_problem(ring, 0, 0);
    code = held_check(rung, &p, 1);
    return code == 0 && rung == GPU_NAIVE ? -ENOTSUP : code; /* it has no merge */
}

int gpu_ring_upload(enum gpu_rung rung, const struct at_ring *ring, const struct at_in *q, const struct at_in *k,
                    const struct at_in *v, uint32_t devices, struct at_gpu_ring **out)
{
    int code = check(rung, ring, devices);
    if (code)
        return code;
    uint32_t ranks = ring->ranks;
    struct at_gpu_ring *r = calloc(1, sizeof *r);
    void *stage = malloc(HELD_STAGE);
    if (r) {
        r->ring = *ring;
        r->rung = rung;
        r->scale = gpu_scale(ring->scale);
        r->devices = devices;
        r->width = gpu_width(rung, ring->d, ring->type == AT_BF16);
        r->rank = calloc(ranks, sizeof *r->rank);
        r->stream = calloc(2 * (size_t)ranks, sizeof *r->stream);
        r->done = calloc(2 * (size_t)ranks, sizeof *r->done);
        r->event = calloc(RING_EVENTS_OF_A_RANK * (size_t)ranks, sizeof *r->event);
    }
    code = r && stage && r->rank && r->stream && r->done && r->event ? device_stream(&r->control) : -ENOMEM;
    if (code == 0 && devices > 1)
        code = device_links(ranks, &r->links);
    for (uint32_t me = 0; me < ranks && code == 0; me++)
        code = make_rank(r, me, q, k, v, stage);
    free(stage);
    if (r && use(r, 0) == 0 && code == 0)
        *out = r;
    else
        gpu_ring_end(r);
    return code;
}

/* ---- one forward --------------------------------------------------------------------------------------------------- */

static int compute(const struct at_gpu_ring *r, const struct ring_move *m)
{
    const struct rank *rank = &r->rank[m->rank];
    struct gpu_work w = rank->w;
    if (m->step > 0 && !rank->any[m->whose])
        return 0; /* nothing to merge */
    w.k = rank->buffer[m->buffer];
    w.v = (const char *)w.k + half_block(r, m->whose);
    w.n_k = ring_rows(&r->ring, m->whose);
    w.seen = rank->seen + (size_t)m->whose * w.n_q;
    w.merge = m->step > 0;
    return device_run(r->rung, &w, r->stream[m->stream]);
}

static int copy(const struct at_gpu_ring *r, const struct ring_move *m)
{
    uint32_t next = m->rank + 1 < r->ring.ranks ? m->rank + 1 : 0;
    return device_copy(r->rank[next].buffer[m->there], r->rank[m->rank].buffer[m->buffer], 2 * half_block(r, m->whose),
                       r->stream[m->stream]);
}

/* All ranks' sends of a step in one go. A rank's stream both sends and receives, so what went before in it needs no
 * waiting for: only that this rank has computed with what it will overwrite. */
static int exchange(const struct at_gpu_ring *r, uint32_t step)
{
    struct device_pass pass[MOST_DEVICES] = {{0}};
    uint32_t ranks = r->ring.ranks, there = ring_buffer(step + 1);
    int code = 0;
    for (uint32_t me = 0; me < ranks && code == 0; me++) {
        pass[me] = (struct device_pass){.out = r->rank[me].buffer[ring_buffer(step)],
                                        .in = r->rank[me].buffer[there],
                                        .stream = r->stream[ring_stream(me, true)],
                                        .out_bytes = 2 * half_block(r, ring_whose(&r->ring, me, step)),
                                        .in_bytes = 2 * half_block(r, ring_whose(&r->ring, me, step + 1))};
        code = step > 1 ? device_wait(pass[me].stream, r->event[ring_computed(me, there)]) : 0;
    }
    code = code ? code : device_links_step(r->links, pass);
    for (uint32_t me = 0; me < ranks && code == 0; me++) {
        code = use(r, me);
        code = code ? code : device_record(r->event[ring_arrived(me, there)], pass[me].stream);
    }
    return code;
}

static int make_move(struct at_gpu_ring *r, const struct ring_move *m)
{
    int code = use(r, m->rank);
    if (m->sends && m->rank == 0)
        r->sent += 2 * half_block(r, m->whose);
    if (m->sends && r->devices > 1)
        return m->rank == 0 ? exchange(r, m->step) : code;
    for (uint32_t i = 0; i < m->waits && code == 0; i++)
        code = device_wait(r->stream[m->stream], r->event[m->wait[i]]);
    code = code ? code : m->sends ? copy(r, m) : compute(r, m);
    return code || m->records == RING_NONE ? code : device_record(r->event[m->records], r->stream[m->stream]);
}

/* Everything waits for `go`, and the control stream for everything. */
static int once(struct at_gpu_ring *r, void *go)
{
    uint32_t ranks = r->ring.ranks;
    int code = device_record(go, r->control);
    r->sent = 0;
    for (uint32_t s = 0; s < 2 * ranks && code == 0; s++)
        code = device_wait(r->stream[s], go);
    for (uint32_t n = 0; ranks && n < ring_moves(ranks) && code == 0; n++) {
        struct ring_move m = ring_move(ranks, n);
        code = make_move(r, &m);
    }
    for (uint32_t s = 0; s < 2 * ranks && code == 0; s++) {
        code = use(r, s / 2);
        code = code ? code : device_record(r->done[s], r->stream[s]);
        code = code ? code : device_wait(r->control, r->done[s]);
    }
    return code ? code : use(r, 0);
}

int gpu_ring_forward(struct at_gpu_ring *r, uint32_t times, double *seconds)
{
    void *go = NULL, *first = NULL, *last = NULL;
    int code = device_event(&go);
    code = code ? code : device_event(&first);
    code = code ? code : device_event(&last);
    code = code ? code : once(r, go); /* not timed: sets things up */
    code = code ? code : device_record(first, r->control);
    for (uint32_t i = 0; i < times && code == 0; i++)
        code = once(r, go);
    code = code ? code : device_record(last, r->control);
    code = code ? code : device_seconds(first, last, seconds);
    device_event_end(go);
    device_event_end(first);
    device_event_end(last);
    return code;
}

uint64_t gpu_ring_sent(const struct at_gpu_ring *r)
{
    return r->sent;
}

/* ---- and back ------------------------------------------------------------------------------------------------------ */

static int get_rank(const struct at_gpu_ring *r, uint32_t me, const struct at_result *result, float *stage)
{
    const struct gpu_work *w = &r->rank[me].w;
    struct at_positions at;
    uint64_t all = (uint64_t)w->pairs * w->n_q, fit = HELD_STAGE / sizeof(float) / (r->width + 1u);
    int code = ring_shard(&r->ring, me, &at);
    for (uint64_t x = 0; x < all && code == 0;) {
        uint64_t first = x, some = all - x < fit ? all - x : fit;
        float *lse = stage + some * r->width;
        code = device_get(stage, w->out + first * r->width, some * r->width * sizeof(float));
        code = code ? code : device_get(lse, w->lse + first, some * sizeof(float));
        for (; x < first + some && code == 0; x++) {
            uint32_t pair = (uint32_t)(x / w->n_q), row = (uint32_t)at_position(&at, (uint32_t)(x % w->n_q));
            memcpy(at_out_row(&result->out, pair / r->ring.heads, pair % r->ring.heads, row),
                   stage + (x - first) * r->width, r->ring.d * sizeof(float));
            result->lse[pair * r->ring.total + row] = lse[x - first];
        }
    }
    return code;
}

int gpu_ring_download(struct at_gpu_ring *r, const struct at_result *result)
{
    float *stage = malloc(HELD_STAGE);
    int code = stage ? 0 : -ENOMEM;
    for (uint32_t me = 0; me < r->ring.ranks && code == 0; me++) {
        code = use(r, me);
        code = code ? code : device_sync();
        code = code ? code : get_rank(r, me, result, stage);
    }
    free(stage);
    return code ? code : use(r, 0);
}

static void end_rank(const struct at_gpu_ring *r, uint32_t me)
{
    struct rank *rank = &r->rank[me];
    device_free((void *)rank->w.q);
    device_free(rank->w.out);
    device_free(rank->w.lse);
    device_free(rank->seen);
    for (uint32_t i = 0; i < RING_BUFFERS; i++)
        device_free(rank->buffer[i]);
    for (uint32_t s = 2 * me; s < 2 * me + 2; s++) {
        device_stream_end(r->stream[s]);
        device_event_end(r->done[s]);
    }
    for (uint32_t e = 0; e < RING_EVENTS_OF_A_RANK; e++)
        device_event_end(r->event[RING_EVENTS_OF_A_RANK * me + e]);
    free(rank->any);
}

void gpu_ring_end(struct at_gpu_ring *r)
{
    if (!r)
        return;
    if (r->rank && r->stream && r->done && r->event)
        for (uint32_t me = 0; me < r->ring.ranks; me++)
            end_rank(r, me);
    device_links_end(r->links);
    device_stream_end(r->control);
    free(r->rank);
    free(r->stream);
    free(r->done);
    free(r->event);
    free(r);
}
