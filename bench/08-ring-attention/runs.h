/* runs.h: the experiments of lab 08: entries of the reference plugin on random numbers, attention in float64, and rings
 * on the loop transport.
 *
 * An entry that is missing or fails ends the program with exit code 3: no claim can be told without it. Functions may
 * run on several threads at once after runs_load. What is given out is the caller's to free.
 */
#ifndef RUNS_H
#define RUNS_H

#include "loop.h"
#include "ring_attention.h"

/* Loads the reference plugin from $FAULTLINE_BUILD (default "build"). Once, before any thread. */
void runs_load(void);
const struct at_ops *runs_entry(const char *name);
/* The rung that is fastest on this machine for inputs of a type. */
const struct plugin_entry *runs_fastest(enum at_type type);

void *run_workspace(size_t bytes); /* zeros, AT_ALIGN; or the program ends */
_Noreturn void run_failed(const char *what, int code);

/* ---- one head of attention, float32, rows dense ---- */

struct head {
    struct at_problem p;
    float *q, *k, *v, *out, *lse;
};
struct head head_create(uint32_t n_q, uint32_t n_k, uint32_t d, uint64_t seed); /* inputs uniform in (-1, 1) */
void head_destroy(struct head *head);

/* Attention of all queries over keys first ... first + n - 1, by an entry, into out (n_q, d) and lse. */
void head_forward(const struct head *head, const char *entry, uint32_t first, uint32_t n, float *out, float *lse);
void head_merge(const struct head *head, const char *entry, float *out, float *lse, const float *from_out,
                const float *from_lse);
/* The same over all keys in float64. */
void head_truth(const struct head *head, double *out, double *lse);
double head_error(const struct head *head, const float *out, const double *truth); /* the largest */

/* ---- rings on the loop ---- */

/* What a ring of book-keepers (book.h) does: everybody meets everybody, and nothing is computed. With real attention
 * where `blocks` says so. */
struct ring_case {
    const char *entry;    /* "ring" */
    const char *blocks;   /* NULL: book.h */
    uint32_t ranks, each; /* rows of a rank */
    enum at_layout layout;
    bool causal;
    uint32_t d; /* 0: as many as there are rows, which book.h needs */
    enum at_type partial;
    struct loop_settings loop; /* but for its ranks */
    uint64_t seed;
};

struct ring_result {
    struct loop_record record; /* without events */
    size_t workspace;          /* of one rank */
    double *error;             /* with `blocks`: of each rank's output against float64, the root of the mean square */
    bool met;                  /* without: everybody met whom they had to, once */
};
struct ring_result ring_case_run(const struct ring_case *c);

#endif
