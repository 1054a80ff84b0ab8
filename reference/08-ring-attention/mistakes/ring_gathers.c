/* A wrong answer to ring: its author believed that a rank has to have all blocks before it can begin.
 *
 * They are needed one at a time. With all of them here a rank needs as much memory as if it were alone.
 */
#include "ring.h"

/* All blocks into `all`, each `next` floats behind the one before; then they are met. */
static int gather(struct turn *t, float *all, size_t next)
{
    int code = 0;
    memcpy(all, t->block[0], bytes_in_step(t, 0));
    for (uint32_t s = 0; s + 1 < t->ring->ranks && code == 0; s++) {
        code = pass_on(t, s, all + s * next, all + (s + 1) * next);
        if (code == 0)
            code = arrive(t, 0);
    }
    for (uint32_t s = 0; s < t->ring->ranks && code == 0; s++)
        code = meet(t, s, all + s * next, s == 0);
    return code;
}

static size_t floats_a_block(const struct at_ring *ring)
{
    return whole_lines(block_bytes(ring, most_rows(ring, ring_shard))) / sizeof(float);
}

static int workspace_of_all(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes)
{
    const int code = ring_workspace(ring, mine, bytes);
    *bytes = whole_lines(*bytes) + ring->ranks * floats_a_block(ring) * sizeof(float);
    return code;
}

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    int code = turn_begin(&t, ring, mine, ring_shard, workspace);
    size_t bytes;
    if (code == 0)
        code = ring_workspace(ring, mine, &bytes);
    if (code)
        return code;
    return gather(&t, (float *)(void *)((char *)workspace + whole_lines(bytes)), floats_a_block(ring));
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = workspace_of_all, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
