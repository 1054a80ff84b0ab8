/* cost_parts.h: what the files of the cost program share: one head of attention that is computed again and again, and
 * the functions behind the operations of cost.c. */
#ifndef COST_PARTS_H
#define COST_PARTS_H

#include "cost/cost.h"
#include "ring_attention.h"

/* ---- cost_forward.c ---- */

/* One problem with its numbers, and a workspace for each part. */
struct at_call {
    const struct at_ops *ops;
    struct at_problem p;
    bool backward;
    void *q, *k, *v;
    float *out, *lse;
    float *d_out, *d_q, *d_k, *d_v; /* backward */
    uint32_t parts;
    size_t work_bytes; /* of a part */
    char *work;
};

struct at_problem at_call_problem(uint32_t heads, uint32_t n, uint32_t d, enum at_type type, bool causal);
/* 0; -ENOTSUP with a sentence: not here, or not with such numbers; else -errno. */
int at_call_make(const struct at_ops *ops, const struct at_problem *problem, bool backward, uint32_t parts,
                 uint64_t seed, struct at_call **out, struct error *err);
void at_call_free(void *call);
int at_call_part(struct at_call *call, uint32_t part);

/* How far some of its rows are from float64: the largest error over the root of the mean square of what is right. */
double at_call_error(const struct at_call *call, uint32_t rows);

/* What an operation computes: its argument. */
struct cost_shape {
    uint32_t d, heads;
    enum at_type type;
    bool causal, backward, tiles; /* tiles: only by entries whose products are of bfloat16 */
};
#define COST_D 128u

int cost_call_create(const struct cost_subject *subject, void **state, struct error *err);
void cost_call_run(void *state, unsigned thread, uint64_t n);
double cost_work(const struct cost_subject *subject); /* floating-point operations */
bool cost_takes(const struct plugin_entry *entry, const void *shape);

/* The limit that an entry stands under: that of the instructions it is named after. One in portable C stands under the
 * best that the machine has for float32, since nobody keeps its user from taking that instead. */
const char *cost_limit_of(const struct cost_subject *subject);
const char *cost_best_limit(enum at_type type);

/* ---- cost_right.c ---- */
int cost_verify(const struct cost_subject *subject, char *why, size_t size);
double cost_error(const struct cost_subject *subject); /* its argument: the type */
double cost_memory(const struct cost_subject *subject);

/* ---- cost_ring.c: rings of threads, and the same on threads without a ring ---- */
bool cost_takes_ring(const struct plugin_entry *entry, const void *shape);
int cost_ring_create(const struct cost_subject *subject, void **state, struct error *err);
void cost_ring_run(void *state, unsigned thread, uint64_t n);
void cost_ring_destroy(void *state);
const char *cost_ring_limit(const struct cost_subject *subject);

/* ---- cost_mpi.c: the ring of processes against the ring of threads, by the program that mpirun starts ---- */
extern const char *const cost_mpi_parts[];
int cost_mpi_elsewhere(const struct cost_subject *subject, uint32_t rounds, double *ns, struct error *err);

/* ---- cost_gpu.c ---- */
extern const char *const cost_gpu_parts[], *const cost_gpu_ring_parts[];
int cost_gpu_create(const struct cost_subject *subject, void **state, struct error *err);
int cost_gpu_ring_create(const struct cost_subject *subject, void **state, struct error *err);
void cost_gpu_run(void *state, unsigned thread, uint64_t n);
void cost_gpu_destroy(void *state);
double cost_gpu_work(const struct cost_subject *subject);

#endif
