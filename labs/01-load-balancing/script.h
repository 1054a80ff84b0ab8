/* script.h: a scenario of lab 01 that calls one balancer step by step, without a fleet.
 *
 * It is what unit tests of an algorithm need: "add three backends, pick seven times". A failing script can be made
 * smaller by leaving steps out, so steps refer to each other by `id`, which stays when others go: a `done` whose pick
 * is gone, or got no backend, is skipped.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "load_balancing.h"

#include <stddef.h>
#include <stdio.h>

enum script_op {
    SCRIPT_ADD,
    SCRIPT_REMOVE,
    SCRIPT_WEIGHT,
    SCRIPT_PICK,
    SCRIPT_DONE,   /* the pick ends as the step says */
    SCRIPT_ANSWER, /* the pick ends as the backend that got it would answer: see script_answer */
    SCRIPT_COUNT,  /* asks nothing of the entry: a stretch begins here, whose instructions the host counts or not
                      (host/count.h). The first is followed by `late` steps: picks, ends of picks, and further ones */
};

struct script_step {
    uint64_t at; /* ns, does not go back */
    uint32_t op;
    uint32_t id;      /* of a pick: 0 … SCRIPT_MAX_PICKS-1, its own; of a done or answer: the pick that ends */
    uint32_t backend; /* of add, remove, weight; of an answer: the one backend that fails, or LB_NONE */
    uint32_t value;   /* add, weight: the weight; done: enum lb_outcome; answer: 1 when backends are slower by number */
    uint64_t latency; /* done, answer: ns */
};

/* How a done or an answer ends a pick that `backend` got. An answer is LB_ERROR by the backend that the step names and
 * LB_OK by all others; with value 1 backend b takes b + 1 times the latency. */
enum lb_outcome script_answer(const struct script_step *step, uint32_t backend, uint64_t *latency);

#define SCRIPT_MAX_STEPS    (1u << 20)
#define SCRIPT_MAX_PICKS    SCRIPT_MAX_STEPS
#define SCRIPT_MAX_BACKENDS (1u << 20)

struct script {
    struct lb_config config;
    uint32_t steps;
    uint32_t late; /* so many at the end may be zeros for the host, those of a stretch until it begins; their ids are
                      below `steps` */
    struct script_step step[];
};
#define SCRIPT_SIZE(n) (sizeof(struct script) + (size_t)(n) * sizeof(struct script_step))

/* What is carried out: a step that the contract forbids is skipped, as if it was not there, so that any part of a
 * script is a script. That is: add of a member, remove or set_weight of a backend that is none, and done for a pick
 * that is gone, has ended, or got no member.
 *
 * Calls the entry; each pick is a record of the log (a uint32_t). With late steps the balancer is not destroyed at the
 * end, since that is not what is to be counted, and the process ends anyway. 0; -EINVAL for a script that breaks the bounds above,
 * or when entry and inner do not fit; -ENOMEM; or what an operation of the entry failed with. */
int script_run(const struct script *script, const struct lb_ops *ops, const struct lb_ops *inner,
               struct decision_log *log);

/* The judge's side: goes through the steps with the picks that were logged (past the end of the log: LB_NONE), and
 * calls `step` for each that is carried out, with the backend that a pick got (whatever the log says, member or not) or
 * that a done ends, until it returns false. Returns the number of steps that were fine, the skipped ones included: that
 * is script->steps when nothing was wrong, else the index of the step that was; or -EINVAL or -ENOMEM as above. */
typedef bool script_visit(void *context, uint32_t index, const struct script_step *step, uint32_t backend);
int64_t script_replay(const struct script *script, const uint32_t *picks, uint64_t count, script_visit *visit,
                      void *context);

/* "  3. at 2.0 ms: pick gives backend 7", one line, in the words of the contract. `backend` as for script_visit. */
void script_print_step(FILE *out, uint32_t number, const struct script_step *step, uint32_t backend);

#endif
