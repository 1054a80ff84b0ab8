/* steps.h: scenarios of lab 05 in which time is written down: calls that ask a breaker and end, or tries that fail.
 *
 * The same list is carried out twice: in the host, where the entry answers and the answers are logged, and in the judge,
 * which goes through the list with the answers from the log (steps_replay).
 */
#ifndef STEPS_H
#define STEPS_H

#include "circuit_breaker.h"

#include <stdio.h>

#define STEPS_MOST      (1u << 24)
#define STEPS_INSTANCES 4u

enum step_op {
    STEP_ALLOW,  /* call `id` asks whether it may go */
    STEP_RECORD, /* call `id` ends with this outcome after this latency; left out when it was refused, or has ended */
    STEP_FAILED, /* a try failed: again? */
    STEP_SUCCEEDED, /* a request succeeded */
    STEP_COUNT,     /* from here on instructions are counted, if the run is to be counted at all */
};

struct step {
    uint64_t at;
    uint32_t op, instance; /* which of those side by side */
    union {
        struct {
            uint32_t id, outcome; /* id: below STEPS_MOST, asked for once */
            uint64_t latency;
        } call;
        struct cb_failed failed; /* now is at */
    };
};

struct steps_config {
    struct cb_breaker_config breaker[STEPS_INSTANCES];
    struct cb_retry_config retry[STEPS_INSTANCES];
    uint32_t instances; /* 1 … STEPS_INSTANCES */
    uint32_t rounds;    /* the whole list is carried out so often, each time anew, and the last is logged; 0: once */
};

struct steps {
    struct steps_config config;
    uint32_t count;
    uint32_t late; /* so many steps at the end are not to be seen before counting begins */
    struct step step[];
};
#define STEPS_SIZE(n) (sizeof(struct steps) + (size_t)(n) * sizeof(struct step))

/* What is logged: of each ALLOW 0 or 1, of each FAILED the delay or STEPS_GIVE_UP; of all others nothing. */
#define STEPS_GIVE_UP UINT64_MAX
uint64_t steps_records(const struct step *step, uint32_t n);

struct decision_log;

/* 0; -EINVAL for a list out of bounds; -ENOMEM; or what create failed with. */
int steps_run(const struct steps *steps, const struct cb_ops *ops, struct decision_log *log);

/* The judge's side: calls `visit` for each step that is carried out, with the record of its own (NULL: it has none, or
 * the log ends before it), until it returns false. The index of the step that stopped it, or count; -ENOMEM. */
typedef bool steps_visit(void *context, uint32_t index, const struct step *step, const uint64_t *record);
int64_t steps_replay(const struct steps *steps, const uint64_t *record, uint64_t records, steps_visit *visit,
                     void *context);

/* "   3. at 2 ms call 7 asks: may go". */
void step_print(FILE *out, uint32_t number, const struct step *step, const uint64_t *record);

#endif
