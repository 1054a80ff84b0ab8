/* Ring, backward: gradients of keys and values go round with them, and come home.
 *
 * Idea       What a query's loss wants of a key can be computed where the two meet, from the whole log-sum-exp; so
 *            the ring turns once more. A rank's own dQ stays and grows. dK and dV of a block are sums over all ranks:
 *            they follow the block, each rank adds its share, and after P rotations they are back.
 * Invariant  At the end of step s the rank holds, of the block it has just met, the shares of all who met it before
 *            and its own. They leave with the next rotation, one behind the keys and values: so both they and the
 *            next block travel while a share is computed, and a message is
 *
 *                [ dK dV of the block before this one | K V of this one ]
 *
 * Cost       Ten operations for each four of forward (five products for two), and the wire carries float32 sums
 *            beside the block: 2 c d (w + 4) bytes a rotation for 10 c^2 d operations. Two messages and a
 *            share: no more memory with more ranks.
 * Gets wrong Sums are made in the order of the ring, which differs for every block: the same bits on every run, but
 *            not the same as another number of ranks gives.
 * Source     Liu, Zaharia & Abbeel 2023; ring-flash-attention sends dK and dV on in the same way.
 */
#include "ring.h"

#include <errno.h>

struct backward {
    struct ring_rank r; /* here, there: messages */
    const struct at_in *d_out;
    const struct at_gradients *mine;
    float *share;
};

static size_t whole_lines(size_t bytes)
{
    return (bytes + AT_ALIGN - 1) & ~(size_t)(AT_ALIGN - 1);
}

static int lay_out(const struct at_ring *ring, size_t *message, size_t *share, size_t *bytes)
{
    size_t blocks;
    int code = ring_check(ring);
    if (code)
        return code;
    if (!ring->blocks->backward || !ring->blocks->backward_workspace)
        return -ENOTSUP;
    code = ring_most(ring, ring->blocks->backward_workspace, &blocks);
    if (code)
        return code;
    uint32_t most = ring_most_rows(ring);
    if ((double)ring->batch * ring->kv_heads * most * ring->d * 40 > (double)(SIZE_MAX / 2))
        return -EOVERFLOW;
    *message = whole_lines(ring_block(ring, most) + ring_gradients(ring, most));
    *share = whole_lines(ring_gradients(ring, most));
    *bytes = 2 * *message + *share + blocks;
    return 0;
}

int ring_backward_workspace(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes)
{
    size_t message, share;
    (void)mine;
    return lay_out(ring, &message, &share, bytes);
}

static struct at_out dense(const struct at_ring *ring, uint32_t rows, float *data)
{
    size_t head = (size_t)rows * ring->d;
    return (struct at_out){data, ring->kv_heads * head, head, ring->d};
}

/* What I want of rank `whose`'s keys and values: into `share`, and into my own dQ. */
static int compute_share(const struct backward *x, uint32_t whose, const void *block)
{
    const struct at_ring *ring = x->r.ring;
    const struct at_ranked *mine = x->r.mine;
    struct at_problem p = ring_problem(ring, x->r.me, whose);
    struct at_in k = ring_keys(ring, p.n_k, block), v = ring_values(ring, p.n_k, block);
    memset(x->share, 0, ring_gradients(ring, p.n_k));
    if (at_visible(&p, p.n_q - 1) == 0)
        return 0;
    struct at_gradients to = {x->mine->q, dense(ring, p.n_k, x->share),
                              dense(ring, p.n_k, x->share + ring_gradients(ring, p.n_k) / 2 / sizeof(float))};
    return ring->blocks->backward(&p, &mine->q, &k, &v, &mine->result, x->d_out, &to, 0, 1, x->r.work);
}

/* The share, and with `others` what they found. */
static void add_up(float *sum, const float *share, size_t bytes, bool others)
{
    for (size_t i = 0; i < bytes / sizeof *sum; i++)
        sum[i] = others ? sum[i] + share[i] : share[i];
}

static void bring_home(const struct backward *x, const float *from)
{
    const struct at_ring *ring = x->r.ring;
    const struct at_out *to[2] = {&x->mine->k, &x->mine->v};
    uint32_t rows = ring_rows(ring, x->r.me);
    for (int n = 0; n < 2; n++)
        for (uint32_t b = 0; b < ring->batch; b++)
            for (uint32_t h = 0; h < ring->kv_heads; h++)
                for (uint32_t i = 0; i < rows; i++, from += ring->d) {
                    float *row = at_out_row(to[n], b, h, i);
                    for (uint32_t c = 0; c < ring->d; c++)
                        row[c] += from[c];
                }
}

/* While the share of this block is computed, out goes [sums of the block before | keys and values of this one], and
 * in comes [sums of this one | keys and values of the next]. The first time there are no sums yet, the last time no
 * next block. */
static int turn(struct backward *x, uint32_t step)
{
    struct ring_rank *r = &x->r;
    const struct at_ring *ring = r->ring;
    bool last = step + 1 == ring->ranks;
    uint32_t whose = ring_whose(ring, r->me, step), next = ring_whose(ring, r->me, step + 1);
    size_t before = step ? ring_gradients(ring, ring_rows(ring, ring_whose(ring, r->me, step - 1))) : 0;
    size_t sums = ring_gradients(ring, ring_rows(ring, whose));
    size_t out = before + (last ? 0 : ring_block(ring, ring_rows(ring, whose)));
    size_t in = (step ? sums : 0) + (last ? 0 : ring_block(ring, ring_rows(ring, next)));
    int code = out ? r->link->begin(r->link->self, r->here, out, (char *)r->there + (step ? 0 : sums), in) : 0;
    if (code == 0)
        code = compute_share(x, whose, (char *)r->here + before);
    int ended = r->link->wait(r->link->self); /* whatever went wrong: nothing may write here when we are gone */
    if (code || ended)
        return code ? code : ended;
    add_up(r->there, x->share, sums, step > 0);
    void *free_now = r->here;
    r->here = r->there;
    r->there = free_now;
    return 0;
}

/* Here are the sums of the block of rank me + 1, and mine are one behind. */
static int last_rotation(struct backward *x)
{
    struct ring_rank *r = &x->r;
    const struct at_ring *ring = r->ring;
    if (ring->ranks > 1) {
        uint32_t whose = ring_whose(ring, r->me, ring->ranks - 1);
        int code = r->link->begin(r->link->self, r->here, ring_gradients(ring, ring_rows(ring, whose)), r->there,
                                  ring_gradients(ring, ring_rows(ring, r->me)));
        code = code ? code : r->link->wait(r->link->self);
        if (code)
            return code;
    }
    bring_home(x, ring->ranks > 1 ? r->there : r->here);
    return 0;
}

int ring_backward(const struct at_ring *ring, const struct at_ranked *mine, const struct at_in *d_out,
                  const struct at_gradients *gradients, void *workspace)
{
    size_t message, share, bytes;
    int code = lay_out(ring, &message, &share, &bytes);
    if (code)
        return code;
    char *at = workspace;
    struct backward x = {.r = {.ring = ring,
                               .mine = mine,
                               .link = mine->link,
                               .me = mine->link->rank,
                               .here = at,
                               .there = at + message,
                               .work = at + 2 * message + share},
                         .d_out = d_out,
                         .mine = gradients,
                         .share = (float *)(void *)(at + 2 * message)};
    ring_pack(ring, mine, ring_rows(ring, x.r.me), x.r.here);
    for (uint32_t step = 0; step < ring->ranks && code == 0; step++)
        code = turn(&x, step);
    return code ? code : last_rotation(&x);
}
