/* steps.h: a scenario of lab 03: nodes that come and go, and keys that are looked up meanwhile.
 *
 * The same steps are carried out twice: in the host, where the entry answers and the answers are logged, and in the
 * judge, which goes through the steps with the answers from the log (steps_replay).
 *
 * A step may stand for many keys: n keys follow from its one, steps_key(step, 0 … n-1).
 */
#ifndef STEPS_H
#define STEPS_H

#include "consistent_hashing.h"

#include <stdbool.h>
#include <stdio.h>

enum step_op {
    STEP_ADD,      /* nodes id, id+1, … id+n-1 join with this weight, in one call */
    STEP_REMOVE,   /* node id leaves */
    STEP_LOOKUP,   /* n keys */
    STEP_REPLICAS, /* of one key, n of them */
    STEP_PLACE,    /* n keys */
    STEP_RELEASE,  /* one key of node id is gone */
    STEP_COUNT,    /* from here on instructions are counted, if the run is to be counted at all */
};

struct step {
    uint32_t op, id, weight, n;
    uint64_t key;
};

#define STEPS_MOST    (1u << 20)
#define REPLICAS_MOST 64u
#define KEYS_MOST     (1u << 24)

struct steps {
    struct ch_config config;
    uint32_t count;
    uint32_t late; /* so many at the end are not to be seen before counting begins */
    struct step step[];
};
#define STEPS_SIZE(n) (sizeof(struct steps) + (size_t)(n) * sizeof(struct step))

/* What is logged, a uint32_t each: of adding, removing and releasing 0 or the error as a positive number; of a lookup
 * and of placing n nodes; of replicas how many, and then n nodes, CH_NONE for those that aren't there. Of an operation
 * that the entry doesn't have: ENOTSUP in the first place, CH_NONE in all others. */
uint32_t steps_records(const struct step *step);
uint64_t steps_all_records(const struct step *step, uint32_t n);

/* The i-th key of a step: its own when there is only one. */
static inline uint64_t steps_key(const struct step *step, uint32_t i)
{
    return step->n == 1 ? step->key : ch_mix(step->key + i);
}

struct decision_log;

/* Carries the steps out. The map is destroyed at the end, but where steps are late: that would be counted. 0; -EINVAL for steps out of bounds; -ENOMEM; or what create failed with. */
int steps_run(const struct steps *steps, const struct ch_ops *ops, struct decision_log *log);

/* The judge's side: calls `visit` for each step with its answers (steps_records of them) until it returns false. The
 * number of steps that were fine, steps->count when nothing was wrong; -EINVAL. A step whose answers the log doesn't
 * have is visited with NULL, and should be found wrong. */
typedef bool steps_visit(void *context, uint32_t index, const struct step *step, const uint32_t *answer);
int64_t steps_replay(const struct steps *steps, const uint32_t *answers, uint64_t count, steps_visit *visit,
                     void *context);

/* An entry that is always there, knows no nodes and answers CH_NONE: what it costs is the world's own cost. */
#define STEPS_NOTHING "(nothing)"

/* "-ENOTSUP", "0": of a record that stands for an error. */
const char *steps_code(uint32_t record);

/* "   3. node 7 joins (weight 2): done": one line. Of many answers the first; `answer` may be NULL. */
void step_print(FILE *out, uint32_t number, const struct step *step, const uint32_t *answer);

#endif
