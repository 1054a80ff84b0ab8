/* ring_attention.h: the contract of lab 08.
 *
 * Attention: each query row q_i looks at all key rows k_j, and gets the mean of the value rows v_j, weighted with
 *
 *     p_ij = exp(s_ij) / sum over j of exp(s_ij),   s_ij = scale x (q_i . k_j)
 *
 * Computed as written it takes memory for n_q x n_k scores. It doesn't have to: what was found over some of the keys
 * can be merged with what was found over others, exactly, when each comes with its log-sum-exp. That is what blocks are
 * made of (part one), and what a ring of ranks is made of (part two), where no rank ever sees the whole sequence.
 *
 * An entry is one table of functions, registered with AT_ENTRY under its name. Rules for all of them:
 *
 * - Results depend on the arguments alone: the same bits for the same problem, cut into any number of parts.
 * - No globals, no allocation, no threads of its own. Memory comes from the caller, who asks beforehand how much: so
 *   the peak is known. Threads are the caller's too: he calls for different parts from different ones.
 * - What an entry can't do it refuses with -ENOTSUP, and says so beforehand in `can` and `here`. What fails changes
 *   nothing.
 * - Inputs are finite and small enough for the scores to be so: else results are unspecified, but nothing is written
 *   outside the output. Nothing is required of their size beyond that: exp is only taken of what is not positive.
 *
 * Sources: Milakov & Gimelshein 2018 (online softmax); Rabe & Staats 2021 (blocks, merge); Liu, Zaharia & Abbeel 2023
 * (ring); Brandon et al. 2023 (striped).
 */
#ifndef RING_ATTENTION_H
#define RING_ATTENTION_H

#include "host/plugin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AT_MAX_D 1024u
#define AT_ALIGN 64u /* of a workspace, bytes */

/* ---- part one: attention ---------------------------------------------------------------------------------------- */

enum at_type {
    AT_F32,
    AT_BF16, /* the upper half of a float32, in a uint16_t */
};

/* Where rows of a shard stand in the whole sequence. A run is first, first + step, ..., `count` of them; a shard is one
 * run (contiguous: step 1; striped: step = ranks) or two (zigzag). Positions rise with the row: a run has step >= 1,
 * and the second begins after the first ends. All are below 2^63. */
struct at_run {
    uint64_t first, step;
    uint32_t count;
};
struct at_positions {
    struct at_run run[2]; /* the rows of the first, then those of the second; one with count 0 is none */
};

static inline uint64_t at_position(const struct at_positions *p, uint32_t row)
{
    const struct at_run *r = &p->run[row >= p->run[0].count];
    return r->first + r->step * (row - (r == p->run ? 0 : p->run[0].count));
}

/* The usual case: rows 0 ... n-1 are positions first ... first + n-1. */
static inline struct at_positions at_positions_from(uint64_t first, uint32_t n)
{
    return (struct at_positions){.run = {{first, 1, n}, {0, 1, 0}}};
}

struct at_problem {
    uint32_t batch, heads;    /* >= 1 */
    uint32_t kv_heads;        /* divides heads; query head h reads key-value head h / (heads / kv_heads) */
    uint32_t n_q, n_k;        /* rows; 0 keys is a legal problem, with all rows masked */
    uint32_t d;               /* 1 ... AT_MAX_D, of q, k, v and the output alike */
    float scale;              /* usually 1 / sqrt(d) */
    enum at_type type;        /* of q, k and v; output and log-sum-exp are always float32 */
    bool causal;              /* a query sees the keys whose position is not behind its own; else it sees all */
    struct at_positions q, k; /* read when causal: their counts add up to n_q and n_k */
};

/* Element (b, h, i, c) is `b x batch + h x head + i x row + c` elements behind `data`: a row is dense, all else has a
 * stride. So (batch, heads, n, d) and (batch, n, heads, d) are both at home. Strides may be anything that keeps rows of
 * an output apart. Aligned as its element is, no more. */
struct at_in {
    const void *data; /* float or uint16_t, as the problem's type says */
    size_t batch, head, row;
};
struct at_out {
    float *data;
    size_t batch, head, row;
};

/* What attention over some of the keys has found. Both belong to the caller, and overlap no input. Row (b, h, i) of
 * `lse` is `(b x heads + h) x n_q + i` floats behind it.
 *
 *     lse_i = log(sum over j of exp(s_ij))     natural logarithm
 *
 * A row that sees no key has output 0 and lse -inf: the identity of merge. */
struct at_result {
    struct at_out out;
    float *lse;
};

/* Gradients of a loss, float32, with the shapes of q, k and v: what is found is added to what stands there. */
struct at_gradients {
    struct at_out q, k, v;
};

enum {
    AT_CAUSAL = 1,
    AT_TAKES_BF16 = 2,
    AT_CONSTANT = 4,  /* its workspace stays below a bound, however large n_q and n_k are */
    AT_ONLY_BF16 = 8, /* float32 it refuses: its products are of bfloat16 numbers, and nothing is rounded unasked */
};

struct at_ranked;
struct at_ring;

struct at_ops {
    /* Bytes of workspace that forward needs for each part when it is cut into `parts` >= 1: 0 and *bytes. -EINVAL: a
     * problem that is none. -ENOTSUP. -EOVERFLOW: no machine has that much. */
    int (*workspace)(const struct at_problem *problem, uint32_t parts, size_t *bytes);

    /* Computes part `part` of `parts`: some of the rows of the result, the others are left alone; all parts together
     * write every row. Parts may run at the same time, each with a workspace of its own (AT_ALIGN, contents don't
     * matter, not a byte outside is touched); nothing outlives the call. Takes any problem that workspace takes. */
    int (*forward)(const struct at_problem *problem, const struct at_in *q, const struct at_in *k,
                   const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                   void *workspace);

    /* Two results over keys that have none in common become one over both, in place: `into` with `from`, which stays as
     * it is. In exact arithmetic associative and commutative, with (0, -inf) as identity; with the identity on either
     * side the other one's bits come back. Of the problem it reads batch, heads, n_q and d. */
    void (*merge)(const struct at_problem *problem, const struct at_result *into, const struct at_result *from);

    /* Backward; NULL: forward only. How a loss changes with q, k and v, from how it changes with the output (d_out,
     * float32). `result` is that of all keys, though q may have met only some of them here: with the whole log-sum-exp
     * the weights of any block can be computed again, so none is kept. Adds these keys' share to the gradients. A part
     * has some of the (batch, kv_head) pairs: with one pair there is work for one part. */
    int (*backward_workspace)(const struct at_problem *problem, uint32_t parts, size_t *bytes);
    int (*backward)(const struct at_problem *problem, const struct at_in *q, const struct at_in *k,
                    const struct at_in *v, const struct at_result *result, const struct at_in *d_out,
                    const struct at_gradients *gradients, uint32_t part, uint32_t parts, void *workspace);

    /* Part two; NULL: not a ring. Backward may be missing. */
    int (*shard)(const struct at_ring *ring, uint32_t rank, struct at_positions *positions);
    int (*ring_workspace)(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes);
    int (*ring_forward)(const struct at_ring *ring, const struct at_ranked *mine, void *workspace);
    int (*ring_backward_workspace)(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes);
    int (*ring_backward)(const struct at_ring *ring, const struct at_ranked *mine, const struct at_in *d_out,
                         const struct at_gradients *gradients, void *workspace);

    bool (*here)(void); /* does this machine have what it needs? NULL: every machine does */
    unsigned can;       /* AT_CAUSAL | ... */
    const char
        *limit; /* for the bench: what of the machine bounds it, "flops-amx"; NULL: portable C, whose compiler may
                           use what is there */
};

#define AT_ENTRY(identifier, name, summary, ops) PLUGIN_ENTRY(identifier, name, summary, ops)

/* ---- part two: a rank of the ring ------------------------------------------------------------------------------- */

/* Which positions a rank holds, of `total`, of q, k, v and the output alike. With P ranks:
 *   contiguous  rank r: the r-th of P runs
 *   striped     rank r: r, r + P, r + 2P, ...
 *   zigzag      rank r: the r-th and the (2P-1-r)-th of 2P runs
 * `total` need not be a multiple: the first runs then have one row more. Lengths differ, but every rank can work out
 * everybody's. */
enum at_layout { AT_CONTIGUOUS, AT_STRIPED, AT_ZIGZAG };

/* What a rank has of the others. One rank calls it from one thread. `self` comes first in every call. 0 or -errno:
 * -EPIPE when the other side is gone; after an error nothing but the end is left. Messages between two ranks arrive
 * in order, and each is received with the size that it was sent with (-EMSGSIZE). */
struct at_link {
    void *self;
    uint32_t rank, ranks;
    /* To rank + 1 (the last one's next is 0), and from rank - 1. send returns when `data` may be written again: that
     * may need the other side to receive, since a link holds only so many bytes. So a ring in which everybody sends
     * first may stand still. */
    int (*send)(void *self, const void *data, size_t bytes);
    int (*receive)(void *self, void *data, size_t bytes);
    /* Both at once, and without waiting: until `wait` is back, `out` may not be written and `in` not be touched. One
     * such pair at a time, and no send or receive between (-EBUSY). Where there is one rank, what goes out comes in. */
    int (*begin)(void *self, const void *out, size_t out_bytes, void *in, size_t in_bytes);
    int (*wait)(void *self); /* 0 at once when nothing is under way */
    int (*barrier)(void *self);
    uint64_t (*sent)(const void *self); /* bytes that this rank has handed to send and begin */
};

/* The same on every rank. */
struct at_ring {
    uint64_t total; /* length of the whole sequence, >= ranks (zigzag: >= 2 x ranks), below 2^32 x ranks */
    uint32_t ranks;
    enum at_layout layout;
    bool causal;
    uint32_t batch, heads, kv_heads, d;
    float scale;
    enum at_type type;           /* of q, k, v: on the wire too */
    enum at_type partial;        /* what outputs are rounded to before two are merged, both of them; AT_F32: not at all.
                                    (A log-sum-exp never is: no kernel in use gives one out as bfloat16.) */
    const struct at_ops *blocks; /* what a rank does with its queries and the keys that have just arrived: its forward,
                                    merge and backward do all the arithmetic, whatever they are */
};

/* A rank's own. Its rows are those of `shard`. Inputs stay as they are. */
struct at_ranked {
    struct at_in q, k, v;
    struct at_result result;
    const struct at_link *link;
};

/* shard           0 and the positions of a rank's rows; -EINVAL: a ring that is none.
 * ring_workspace  of one rank, whichever; `mine` has no link yet. Four blocks of keys and values at most, a partial
 *                 result, and what `blocks` needs for one part. It doesn't depend on how many ranks there are.
 * ring_forward    called on every rank. Ends when this rank's result is whole, and all it began has ended. In P - 1
 *                 rotations each rank sends every block of keys and values that it holds to its next one, batch x
 *                 kv_heads x d x 2 x width bytes a row, and nothing else; its own block comes not back. -errno of the
 *                 link or of `blocks`.
 * ring_backward   after it, with its result. Keys and values travel as before. Their gradients, float32, travel with
 *                 them and gather every rank's share, and in a P-th rotation come home: P x batch x kv_heads x d x 2 x
 *                 4 bytes a row more. (One rank alone sends nothing.) `gradients` (of this rank's rows) are added to,
 *                 as in backward. */

#endif
