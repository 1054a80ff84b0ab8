/* scene.h: a scenario of lab 08, and what is logged of it.
 *
 * Three kinds: partial results to be merged, one problem of attention, a ring of ranks. The numbers they work on come
 * with the scenario, behind it. Records are 32 bits each, floats among them by their bits.
 *
 * The ranks of a ring run in one process, one at a time, over a link with a clock of its own (loop.h). What they called
 * is logged; the judge calls the same in the same order on a loop of its own, and reads bytes, waiting and time there.
 */
#ifndef SCENE_H
#define SCENE_H

#include "loop.h"
#include "ring_attention.h"

/* ASK: a problem of attention, of which only the workspace is asked for; it has no data. */
enum scene_kind { SCENE_MERGE = 1, SCENE_FORWARD, SCENE_ASK, SCENE_RING };

struct scene_ring {
    uint64_t total;
    uint32_t ranks, layout;
    uint32_t own; /* the ranks compute with the plugin's own "blockwise"; else with book.h, and there is no data */
    struct loop_settings loop;
};

struct scene {
    uint32_t kind, parts;
    uint32_t gap;              /* elements between one row and the next, in inputs and outputs */
    uint32_t stack;            /* forward: on a stack of so many bytes; 0: the process's own */
    uint32_t rows_first;       /* forward: (batch, n, heads, d) instead of (batch, heads, n, d) */
    uint32_t counted;          /* forward: the marker is set when all is ready */
    uint32_t results, steps;   /* merge */
    uint32_t numbers;          /* of data */
    struct at_problem problem; /* merge: batch, heads, n_q, d. ring: all but n_q, n_k, q, k */
    struct scene_ring ring;
    /* merge: each result's output, then its lse; then steps x 2: into, from.
     * forward: q, k, v. All laid out as scene_layout says. ring: q, k, v, `total` rows, dense. */
    float data[];
};
#define SCENE_SIZE(n)   (sizeof(struct scene) + (size_t)(n) * sizeof(float))
#define SCENE_NUMBERS   (1u << 24)
#define SCENE_RANKS     64u
#define SCENE_EVENTS    4096u       /* of all ranks together */
#define SCENE_GUARD     16u         /* floats around what may be written */
#define SCENE_UNTOUCHED 0x7fb00b1eu /* what is there before: a NaN */

/* Where a tensor of `heads` heads and n rows lies, in elements; its length. */
struct at_in scene_layout(const struct scene *scene, uint32_t heads, uint32_t n, size_t *length);

/* Numbers that data must have, or 0 for a scene that is none. */
uint64_t scene_numbers(const struct scene *scene);

/* ---- what is logged ---- */

/* merge: SCENE_GUARD, all results as they lie in data, SCENE_GUARD.
 * forward: enum scene_forward_record, then guard, output, guard, lse, guard.
 * ask: enum scene_forward_record.
 * ring: enum scene_ring_record, then for each rank struct scene_rank, then SCENE_EVENTS times struct scene_event, then
 *       output (batch, heads, total, d) and lse (batch, heads, total). */
enum scene_forward_record {
    FORWARD_ASKED, /* what workspace returned, as a positive number */
    FORWARD_BYTES_LOW,
    FORWARD_BYTES_HIGH,
    FORWARD_CODE,    /* what forward returned */
    FORWARD_OUTSIDE, /* not 0: it wrote outside its workspace */
    FORWARD_TWICE,   /* numbers that more than one part has written */
    FORWARD_MOST,    /* the most numbers that one part has written; both when there are parts */
    FORWARD_HEAD
};
enum scene_ring_record {
    RING_CODE,    /* what loop_run returned */
    RING_EVENTS,  /* how many there are */
    RING_STRANGE, /* blocks computed with keys, values or positions that don't belong together */
    RING_HEAD
};
struct scene_rank {
    uint32_t shard_code; /* what shard returned */
    uint32_t run[2][3];  /* first, step, count */
    uint32_t asked, bytes_low, bytes_high, code;
    uint32_t outside;                       /* 1: it wrote outside its workspace; 2: between the rows of its output */
    uint32_t waited, out, what, on, amount; /* as struct loop_rank has them */
};
struct scene_event {
    uint32_t rank, what, amount; /* loop.h */
};
#define SCENE_RANK_RECORDS  (sizeof(struct scene_rank) / sizeof(uint32_t))
#define SCENE_EVENT_RECORDS (sizeof(struct scene_event) / sizeof(uint32_t))

uint64_t scene_records(const struct scene *scene);

/* Carries the scene out. 0; -EINVAL: a scene that is none; -ENOSYS: the entry lacks what it takes; -ENOMEM. What the
 * entry itself returns is logged, and is no error here. */
int scene_run(const struct scene *scene, const struct plugin *plugin, const struct at_ops *ops,
              struct decision_log *log);

#endif
