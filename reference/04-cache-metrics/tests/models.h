/* models.h: policies as their papers tell them, with arrays that are searched and moved: slow, and easy to believe. */
#ifndef MODELS_H
#define MODELS_H

#include "cache_metrics.h"

enum { MODEL_MOST = 256 };

struct item {
    uint64_t key, last;
    uint32_t size, cost;
    uint64_t uses; /* how often, or a bit, as the policy has it */
    uint64_t touched;
    double h;
};

/* From the oldest to the newest. */
struct queue {
    struct item item[MODEL_MOST];
    uint32_t n;
    uint64_t size;
};

struct model {
    uint64_t capacity, now;
    struct queue a, b;             /* what is kept */
    struct queue ghost_a, ghost_b; /* what is only remembered */
    uint32_t hand;
    double h, p;
    struct cm_evicted evicted;
};

struct model_policy {
    const char *name;
    enum cm_answer (*request)(struct model *m, const struct cm_request *r);
};

extern const struct model_policy model_policies[]; /* ended by one without a name */

#endif
