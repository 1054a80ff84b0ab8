/* values.h: what is known of each key, for those who decide who recomputes: a table that all of them share.
 *
 * Keys are never forgotten: 64 bytes for each that was ever asked for.
 */
#ifndef VALUES_H
#define VALUES_H

#include "cache_metrics.h"

struct value {
    uint64_t key;
    uint64_t asked, expires; /* when its computation began, and from when on it is over */
    uint64_t took;           /* to compute it */
    uint64_t began;          /* the computation that others wait for */
    bool used;               /* this place of the table is taken */
    bool known;              /* there is an answer: a value, or that there is none */
    bool computing;          /* the one that began at `began` */
};

/* The state of an entry. */
struct values {
    struct cm_recompute_config config;
    struct value *table;
    uint32_t places, keys; /* places: a power of two */
};

int values_create(const struct cm_recompute_config *config, void **state);
void values_destroy(void *state);
size_t values_bytes(const void *state);

/* The key's; good until the next call. NULL: no memory for another key. */
struct value *values_of(struct values *values, uint64_t key);

/* The same rules for all: a failure changes nothing but that the computation is over; an answer whose computation began
 * before that of the one at hand is dropped; who was given up ends nobody else's computation. */
void values_done(void *state, uint64_t key, uint64_t asked, uint64_t now, enum cm_result result, double u);

static inline bool value_is_fresh(const struct value *v, uint64_t now)
{
    return v && v->known && now < v->expires;
}

/* Somebody computes it, and is not given up. */
static inline bool value_is_on_its_way(const struct values *values, const struct value *v, uint64_t now)
{
    return v && v->computing && now - v->began < values->config.patience_ns;
}

/* The caller begins to compute, and is the one that others wait for. */
static inline void value_begin(struct value *v, uint64_t now)
{
    if (!v)
        return;
    v->computing = true;
    v->began = now;
}

/* One computes, the others wait. */
static inline struct cm_decision value_compute_or_wait(const struct values *values, struct value *v, uint64_t now)
{
    if (value_is_on_its_way(values, v, now))
        return (struct cm_decision){CM_WAIT, v->began + values->config.patience_ns};
    value_begin(v, now);
    return (struct cm_decision){CM_COMPUTE, 0};
}

/* Is it time to compute again, before it is over? Needs u. (early_expiry.c) */
bool value_is_early(const struct values *values, const struct value *v, uint64_t now, double u);

#endif
