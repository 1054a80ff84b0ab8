/* ring_world.c: a whole sequence, cut over the ranks of a loop and put together again. */
#include "ring_world.h"

struct at_ring ring_of(uint32_t ranks, uint64_t total, enum at_layout layout)
{
    return (struct at_ring){.total = total,
                            .ranks = ranks,
                            .layout = layout,
                            .batch = 1,
                            .heads = 1,
                            .kv_heads = 1,
                            .d = 16,
                            .scale = 0.25f,
                            .blocks = entry_called("blockwise")};
}

const struct at_ops *entry_called(const char *name)
{
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
        if (strcmp((*e)->name, name) == 0)
            return entry_ops(e);
    cr_assert(false, "there is no entry %s", name);
    return NULL;
}

void ring_world_make(struct ring_world *w, const struct at_ring *ring, const char *entry, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->ring = *ring;
    w->ops = entry_called(entry);
    w->broken_rank = MOST_RANKS;
    struct at_problem p = problem_of((uint32_t)ring->total, (uint32_t)ring->total, ring->d);
    p.batch = ring->batch;
    p.heads = ring->heads;
    p.kv_heads = ring->kv_heads;
    p.scale = ring->scale;
    p.type = ring->type;
    p.causal = ring->causal;
    world_make(&w->whole, &p, seed, 1, 0);
}

void ring_world_end(struct ring_world *w)
{
    world_end(&w->whole);
}

static uint32_t rows_in(const struct at_positions *at)
{
    return at->run[0].count + at->run[1].count;
}

void *ring_shard_of(const struct ring_world *w, int which, uint32_t rank, uint32_t gap, struct at_in *in)
{
    const struct at_in *from = which == 0 ? &w->whole.q : which == 1 ? &w->whole.k : &w->whole.v;
    const struct at_ring *ring = &w->ring;
    size_t width = ring->type == AT_F32 ? sizeof(float) : sizeof(uint16_t), row = ring->d + gap;
    uint32_t heads = which == 0 ? ring->heads : ring->kv_heads;
    struct at_positions at;
    cr_assert_eq(w->ops->shard(ring, rank, &at), 0);
    uint32_t n = rows_in(&at);
    char *memory = malloc((size_t)ring->batch * heads * n * row * width + 1);
    cr_assert_not_null(memory);
    memset(memory, 0xff, (size_t)ring->batch * heads * n * row * width);
    *in = (struct at_in){memory, (size_t)heads * n * row, n * row, row};
    for (uint32_t b = 0; b < ring->batch; b++)
        for (uint32_t h = 0; h < heads; h++)
            for (uint32_t i = 0; i < n; i++)
                memcpy(memory + (b * in->batch + h * in->head + i * row) * width,
                       at_row(from, ring->type, b, h, (uint32_t)at_position(&at, i)), ring->d * width);
    return memory;
}

static void put_back(struct ring_world *w, uint32_t rank, const struct at_result *result)
{
    const struct at_ring *ring = &w->ring;
    struct at_positions at;
    cr_assert_eq(w->ops->shard(ring, rank, &at), 0);
    uint32_t n = rows_in(&at), total = (uint32_t)ring->total;
    for (uint32_t b = 0; b < ring->batch; b++)
        for (uint32_t h = 0; h < ring->heads; h++)
            for (uint32_t i = 0; i < n; i++) {
                uint32_t to = (uint32_t)at_position(&at, i), head = b * ring->heads + h;
                memcpy(at_out_row(&w->whole.result.out, b, h, to), at_out_row(&result->out, b, h, i),
                       ring->d * sizeof(float));
                w->whole.result.lse[(size_t)head * total + to] = result->lse[(size_t)head * n + i];
            }
}

static int broken_begin(void *self, const void *out, size_t out_bytes, void *in, size_t in_bytes)
{
    (void)self, (void)out, (void)out_bytes, (void)in, (void)in_bytes;
    return -EIO;
}

static int broken_send(void *self, const void *data, size_t bytes)
{
    (void)self, (void)data, (void)bytes;
    return -EIO;
}

/* A rank: a shard of its own, a workspace of exactly the size asked for, guards round it. */
static int body(void *context, const struct at_link *link)
{
    struct ring_world *w = context;
    const struct at_ring *ring = &w->ring;
    struct at_link mine_link = *link;
    struct at_ranked mine = {.link = NULL};
    size_t bytes = 0;
    if (link->rank == w->broken_rank) {
        mine_link.begin = broken_begin;
        mine_link.send = broken_send;
    }
    void *memory[3] = {ring_shard_of(w, 0, link->rank, w->gap, &mine.q),
                       ring_shard_of(w, 1, link->rank, w->gap, &mine.k),
                       ring_shard_of(w, 2, link->rank, w->gap, &mine.v)};
    struct at_positions at;
    cr_assert_eq(w->ops->shard(ring, link->rank, &at), 0);
    size_t head = (size_t)rows_in(&at) * ring->d, rows = (size_t)ring->batch * ring->heads * rows_in(&at);
    mine.result = (struct at_result){{malloc(rows * ring->d * sizeof(float)), ring->heads * head, head, ring->d},
                                     malloc(rows * sizeof(float))};
    int code = w->ops->ring_workspace(ring, &mine, &bytes);
    cr_assert_eq(code, 0, "ring_workspace: expected: 0; actual: %d", code);
    unsigned char *room = aligned_alloc(AT_ALIGN, (bytes + 3 * AT_ALIGN - 1) / AT_ALIGN * AT_ALIGN);
    cr_assert(room && mine.result.out.data && mine.result.lse);
    memset(room, 0xff, bytes + 2 * AT_ALIGN);
    mine.link = &mine_link;
    w->bytes = bytes;
    code = w->ops->ring_forward(ring, &mine, room + AT_ALIGN);
    for (size_t i = 0; i < AT_ALIGN; i++)
        if (room[i] != 0xff || room[AT_ALIGN + bytes + i] != 0xff)
            w->outside++;
    if (code == 0)
        put_back(w, link->rank, &mine.result);
    for (int i = 0; i < 3; i++)
        free(memory[i]);
    free(mine.result.out.data);
    free(mine.result.lse);
    free(room);
    return code;
}

int ring_world_run(struct ring_world *w, const struct loop_settings *settings)
{
    struct loop_settings s = settings ? *settings : (struct loop_settings){0};
    s.ranks = w->ring.ranks;
    w->outside = 0;
    return loop_run(&s, body, w, &w->record);
}

/* ---- blocks that count ---- */

static int counting_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    return entry_called("blockwise")->workspace(p, parts, bytes);
}

static int counting_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                            const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                            void *workspace)
{
    uint64_t pairs = 0;
    for (uint32_t i = 0; i < p->n_q; i++)
        pairs += at_visible(p, i);
    loop_work(pairs);
    return entry_called("blockwise")->forward(p, q, k, v, result, part, parts, workspace);
}

const struct at_ops counting_blocks = {.workspace = counting_workspace, .forward = counting_forward, .merge = at_merge};
