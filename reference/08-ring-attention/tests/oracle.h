/* oracle.h: attention in float64, problems with data, and how far an entry is off. */
#ifndef ORACLE_H
#define ORACLE_H

#include "ring_attention.h"

#include "sim/rng.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* All entries: for (e = first_entry; e != end_entry; e++). */
#define first_entry __start_plugin_entries
#define end_entry   __stop_plugin_entries

static inline const struct at_ops *entry_ops(const struct plugin_entry *const *e)
{
    return (*e)->ops;
}
/* Can it compute here? The entries of a ring have no forward of their own. */
static inline bool entry_runs(const struct plugin_entry *const *e)
{
    return entry_ops(e)->forward && (!entry_ops(e)->here || entry_ops(e)->here());
}

/* ... a problem with inputs of this type? */
static inline bool entry_takes(const struct plugin_entry *const *e, enum at_type type)
{
    return entry_runs(e) && !(entry_ops(e)->can & (type == AT_F32 ? AT_ONLY_BF16 : 0)) &&
           (type == AT_F32 || entry_ops(e)->can & AT_TAKES_BF16);
}
/* ... as exactly as float32 does? */
static inline bool entry_is_fine(const struct plugin_entry *const *e, enum at_type type)
{
    return entry_takes(e, type) && !(entry_ops(e)->can & AT_ONLY_BF16);
}

/* A problem, its inputs, and room for a result with guards around it. */
struct world {
    struct at_problem p;
    struct at_in q, k, v;
    struct at_result result;
    double *out, *lse;                /* the oracle's, dense: (batch, heads, n_q, d) and (batch, heads, n_q) */
    void *memory[4];                  /* of q, k, v and the result */
    size_t result_floats, lse_floats; /* of the result with its guards; of lse with its */
};

/* The problem that most tests begin with: batch and heads 1, scale 1 / sqrt(d), not causal, rows from 0. */
struct at_problem problem_of(uint32_t n_q, uint32_t n_k, uint32_t d);

/* Inputs uniform in (-size, size); rows `gap` elements further apart than they need be, off by one from any alignment
 * when gap > 0. Computes the oracle's answer. */
void world_make(struct world *w, const struct at_problem *p, uint64_t seed, float size, uint32_t gap);
void world_solve(struct world *w); /* again, after somebody changed the problem or the inputs */
void world_end(struct world *w);
void world_set(struct world *w, int which, uint32_t b, uint32_t h, uint32_t i, uint32_t c, float x); /* 0 q, 1 k, 2 v */

double world_get(const struct world *w, int which, uint32_t b, uint32_t h, uint32_t i, uint32_t c);

/* Computes the result in `parts` parts, from the last to the first, each with a workspace of exactly the size asked
 * for between guards. */
void world_run(struct world *w, const struct at_ops *ops, uint32_t parts);

/* The largest error of output and lse; the latter relative where it is beyond 1. Also asserts that identities are exact
 * and that nothing round the result was touched. */
struct off {
    double out, lse;
};
struct off world_off(const struct world *w, const char *name);

#endif
