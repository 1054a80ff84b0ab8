/* check_scene.h: what the tests of lab 08 are written with: problems, attention in float64, rings, and sentences. */
#ifndef CHECK_SCENE_H
#define CHECK_SCENE_H

#include "grade/check.h"
#include "scene.h"
#include "sim/rng.h"

/* Each test is named in lab.json with its points. What a failure says is all that a student gets to see of it, so it
 * says what was asked, what was expected and what came. Everything expected follows from the formula, in float64. */

struct rng random_of_test(uint64_t stream);                   /* from check_seed(); each test has streams of its own */
uint32_t between(struct rng *r, uint32_t low, uint32_t high); /* both included */
float uniform(struct rng *r, float size);                     /* in (-size, size) */
void *room_for(size_t count, size_t size);                    /* calloc, or the test ends */

/* ---- attention ---- */

/* batch and heads 1, scale 1 / sqrt(d), not causal, rows from position 0. */
struct at_problem problem_of(uint32_t n_q, uint32_t n_k, uint32_t d);

/* A scene with zeros for data; to free. */
struct scene *scene_of(enum scene_kind kind, const struct at_problem *p);
/* Where q (0), k (1) and v (2) begin in its data. */
float *scene_tensor(struct scene *s, int which);
float *scene_row(struct scene *s, int which, uint32_t b, uint32_t h, uint32_t i);
/* One problem in `parts` parts, inputs uniform in (-size, size). gap > 0: rows apart, and off any alignment. */
struct scene *forward_scene(const struct at_problem *p, uint32_t gap, bool rows_first, struct rng *r, float size);

struct truth {
    double *out, *lse; /* dense: (batch, heads, n_q, d) and (batch, heads, n_q) */
    double slack;      /* what float32 may be off by: grows with the scores */
    double most;       /* the largest value there is */
};
struct truth truth_of(struct scene *s);
void truth_free(struct truth *t);

/* Runs the scene, and fails the test when anything is not as it must be. Frees the scene. `lesson`: what else a failure
 * should say, or NULL. */
void forward_check(struct scene *s, const char *lesson);
/* The same of a run that is over and finished. */
void forward_is_right(struct scene *s, const uint32_t *records, const char *lesson);
/* The bits of the whole result (to free), when all is right; `head`, when not NULL: enum scene_forward_record. */
uint32_t *forward_bits(struct scene *s, size_t *n, uint32_t *head, const char *lesson);
/* "8 queries, 16 keys, d = 4": returns text. */
const char *problem_text(const struct at_problem *p, char *text, size_t size);

/* ---- rings ---- */

struct ring_run {
    const struct scene *scene;
    struct host_outcome outcome;
    const uint32_t *head;
    const struct scene_rank *rank;
    const struct scene_event *event;
    const float *out, *lse;
    struct loop_record played; /* of the judge: the calls again, on a loop of its own */
};

/* A ring that keeps books, on links of any speed that hold much. d is `total`. */
struct scene *ring_scene(uint32_t total, uint32_t ranks, enum at_layout layout, bool causal);
/* Runs it; all ranks ended well, or the test fails with a sentence. Ends with ring_end. */
void ring_run(struct scene *s, struct ring_run *run, const char *lesson);
/* The same with a limit to the memory of the whole process; 0: none but the lab's. */
void ring_run_within(struct scene *s, uint64_t data_bytes, struct ring_run *run, const char *lesson);
/* Each rank has the tokens that the layout gives it. */
void ring_shards(const struct ring_run *run);
/* Everybody met whom they had to meet, once; `blocks` did all of it, and what had to be seen was sent. */
void ring_met(const struct ring_run *run, const char *lesson);
void ring_end(struct ring_run *run); /* frees the scene too */

#endif
