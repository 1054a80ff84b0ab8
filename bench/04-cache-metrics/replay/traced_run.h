/* traced_run.h: one entry over the input at one capacity, and what the account says of it. */
#ifndef TRACED_RUN_H
#define TRACED_RUN_H

#include "account.h"
#include "traced_input.h"

struct traced_run_params {
    uint64_t capacity, seed;
    uint64_t warm_up; /* so many requests count nowhere */
    uint64_t hit_ns, window_ns;
};

/* The judge's own list of the contents goes along: whoever breaks the contract has no figures. 0, or -errno and a
 * sentence. Any number of them at the same time. */
int traced_run(const struct traced_input *input, const struct cm_cache_ops *ops, const struct traced_run_params *params,
               struct account_figures *figures, struct error *err);

#endif
