/* Layouts: which rank holds which positions, and how its keys and values are packed for the way.
 *
 * Idea       With a causal mask the last position has everything to look at, and the first has itself. Ten positions
 *            over two ranks, and what each rank's queries see of all keys:
 *
 *                contiguous  0 0 0 0 0 1 1 1 1 1    15 and 40 pairs
 *                striped     0 1 0 1 0 1 0 1 0 1    25 and 30
 *                zigzag      0 0 0 1 1 1 1 1 0 0    25 and 30
 *
 * Invariant  Every position has one rank; a rank's positions rise with its rows; any rank can work out any other's,
 *            since all follow from (total, ranks, layout).
 * Cost       Nothing: two runs of (first, step, count) say it all. Sums as above are only half of it: in each single
 *            step the slowest rank is waited for. Contiguous: as soon as a step has one rank whose keys all lie
 *            before its queries, it takes as long as with no mask: P - 1/2 blocks on the longest way, where P/2 is
 *            an equal share. Zigzag: in each step but the first everybody has half a block.
 * Gets wrong Striped: every block is a diagonal one, in which whoever computes by tiles computes half a tile too much
 *            for each tile's row. Zigzag: a length that 2P does not divide is as uneven as one run is long.
 * Source     Liu, Zaharia & Abbeel 2023 (contiguous); Brandon et al. 2023 (striped); zigzag is that of
 *            ring-flash-attention (Zhu 2024) and of Llama 3.
 */
#include "ring.h"

#include <errno.h>

/* Run `i` of `runs` over all positions: the first ones have one more, if they must. */
static struct at_run run_of(uint64_t total, uint64_t runs, uint64_t i)
{
    uint64_t each = total / runs, more = total % runs;
    return (struct at_run){i * each + (i < more ? i : more), 1, (uint32_t)(each + (i < more))};
}

static struct at_positions positions_of(const struct at_ring *ring, uint64_t rank)
{
    uint64_t ranks = ring->ranks;
    struct at_run none = {0, 1, 0};
    switch (ring->layout) {
    case AT_CONTIGUOUS:
        return (struct at_positions){{run_of(ring->total, ranks, rank), none}};
    case AT_STRIPED:
        return (struct at_positions){{{rank, ranks, run_of(ring->total, ranks, rank).count}, none}};
    default:
        return (struct at_positions){
            {run_of(ring->total, 2 * ranks, rank), run_of(ring->total, 2 * ranks, 2 * ranks - 1 - rank)}};
    }
}

int ring_check(const struct at_ring *ring)
{
    uint64_t runs = ring->layout == AT_ZIGZAG ? 2 * (uint64_t)ring->ranks : ring->ranks;
    if (ring->ranks == 0 || ring->layout > AT_ZIGZAG || (ring->type != AT_F32 && ring->type != AT_BF16) ||
        (ring->partial != AT_F32 && ring->partial != AT_BF16) || ring->total < runs ||
        ring->total / runs > UINT32_MAX / (runs / ring->ranks) - 2)
        return -EINVAL;
    return 0;
}

int ring_shard(const struct at_ring *ring, uint32_t rank, struct at_positions *positions)
{
    int code = ring_check(ring);
    if (code || rank >= ring->ranks)
        return -EINVAL;
    *positions = positions_of(ring, rank);
    return 0;
}

uint32_t ring_rows(const struct at_ring *ring, uint32_t rank)
{
    struct at_positions p = positions_of(ring, rank);
    return p.run[0].count + p.run[1].count;
}

/* Zigzag: the last rank has the two runs in the middle, rank 0 the first and the last; one of them has most. */
uint32_t ring_most_rows(const struct at_ring *ring)
{
    uint32_t a = ring_rows(ring, 0), b = ring_rows(ring, ring->ranks - 1);
    return a > b ? a : b;
}

struct at_problem ring_problem(const struct at_ring *ring, uint32_t queries, uint32_t keys)
{
    return (struct at_problem){.batch = ring->batch,
                               .heads = ring->heads,
                               .kv_heads = ring->kv_heads,
                               .n_q = ring_rows(ring, queries),
                               .n_k = ring_rows(ring, keys),
                               .d = ring->d,
                               .scale = ring->scale,
                               .type = ring->type,
                               .causal = ring->causal,
                               .q = positions_of(ring, queries),
                               .k = positions_of(ring, keys)};
}

/* Rank 0 and the last one have all lengths that there are. */
int ring_most(const struct at_ring *ring, int (*ask)(const struct at_problem *, uint32_t, size_t *), size_t *bytes)
{
    int code = 0;
    *bytes = 0;
    for (int i = 0; i < 4 && code == 0; i++) {
        size_t some = 0;
        struct at_problem p = ring_problem(ring, i / 2 ? ring->ranks - 1 : 0, i % 2 ? ring->ranks - 1 : 0);
        code = ask(&p, 1, &some);
        *bytes = some > *bytes ? some : *bytes;
    }
    return code;
}

/* ---- blocks of keys and values ---- */

static size_t half(const struct at_ring *ring, uint32_t rows)
{
    return (size_t)ring->batch * ring->kv_heads * rows * ring->d;
}

size_t ring_block(const struct at_ring *ring, uint32_t rows)
{
    return 2 * half(ring, rows) * ring_width(ring);
}

size_t ring_gradients(const struct at_ring *ring, uint32_t rows)
{
    return 2 * half(ring, rows) * sizeof(float);
}

static char *pack(const struct at_ring *ring, const struct at_in *from, uint32_t rows, char *to)
{
    for (uint32_t b = 0; b < ring->batch; b++)
        for (uint32_t h = 0; h < ring->kv_heads; h++)
            for (uint32_t i = 0; i < rows; i++, to += ring->d * ring_width(ring))
                memcpy(to, at_row(from, ring->type, b, h, i), ring->d * ring_width(ring));
    return to;
}

void ring_pack(const struct at_ring *ring, const struct at_ranked *mine, uint32_t rows, void *block)
{
    pack(ring, &mine->v, rows, pack(ring, &mine->k, rows, block));
}

struct at_in ring_keys(const struct at_ring *ring, uint32_t rows, const void *block)
{
    size_t head = (size_t)rows * ring->d;
    return (struct at_in){block, ring->kv_heads * head, head, ring->d};
}

struct at_in ring_values(const struct at_ring *ring, uint32_t rows, const void *block)
{
    return ring_keys(ring, rows, (const char *)block + half(ring, rows) * ring_width(ring));
}
