/* A wrong answer to ring: its author believed that what two blocks have found can be added.
 *
 * It can be where values are counted. In attention each result is a mean, and has to be weighed.
 */
#include "ring.h"

static void add(const struct turn *t, const struct at_problem *p)
{
    const struct at_result *into = &t->mine->result, *from = &t->partial;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = 0; i < p->n_q; i++) {
                const size_t row = (b * (size_t)p->heads + h) * p->n_q + i;
                if (from->lse[row] < 0) /* -inf: nothing was found */
                    continue;
                for (uint32_t c = 0; c < p->d; c++)
                    into->out.data[b * into->out.batch + h * into->out.head + i * into->out.row + c] +=
                        from->out.data[b * from->out.batch + h * from->out.head + i * from->out.row + c];
                into->lse[row] = into->lse[row] < 0 ? from->lse[row] : into->lse[row] + from->lse[row];
            }
}

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    int code = turn_begin(&t, ring, mine, ring_shard, workspace);
    for (uint32_t s = 0; s < ring->ranks && code == 0; s++) {
        const bool more = s + 1 < ring->ranks;
        struct turn partial = t; /* whose result is the partial one */
        struct at_ranked other = *mine;
        const struct at_problem p = meeting(&t, t.link->rank, owner(&t, s));
        other.result = s == 0 ? mine->result : t.partial;
        partial.mine = &other;
        if (more)
            code = pass_on(&t, s, t.block[s % 2], t.block[(s + 1) % 2]);
        if (code == 0)
            code = meet_as(&partial, &p, t.block[s % 2], true);
        if (code == 0 && s > 0)
            add(&t, &p);
        if (more)
            code = arrive(&t, code);
    }
    return code;
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
