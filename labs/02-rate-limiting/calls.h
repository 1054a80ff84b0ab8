/* calls.h: a scenario of lab 02: a list of calls, one after the other, and what was answered to each.
 *
 * The same list is carried out twice: in the host, where the entry answers and the answers are logged, and in the
 * judge, where calls_replay goes through the list with the answers from the log. Calls refer to each other by `id`,
 * which stays when others are left out, so that a failing list can be made smaller.
 *
 * Time does not go back in a list, but where config.threads is above 1: those entries promise something about clocks
 * that differ.
 */
#ifndef CALLS_H
#define CALLS_H

#include "rate_limiting.h"

#include <stdio.h>

enum call_kind {
    CALL_ALLOW,
    CALL_DONE, /* the allowed request with this id ends; skipped when it was refused, is gone, or has ended */
};

struct call {
    uint64_t at;  /* ns */
    uint64_t key; /* of an allow */
    uint32_t kind;
    uint32_t id; /* of an allow: its own, 0 … CALLS_MOST-1, each once (all 0 will do in a list where nothing ends); of
                    a done: the allow that ends */
    uint32_t cost; /* of an allow, >= 1; of a done: enum rl_outcome */
    uint32_t node; /* of an allow */
};

#define CALLS_MOST (1u << 24)

struct calls {
    struct rl_config config;
    uint64_t count;
    struct call call[];
};
#define CALLS_SIZE(n) (sizeof(struct calls) + (size_t)(n) * sizeof(struct call))

/* What is logged of an allow. */
struct call_answer {
    uint64_t delay_ns, retry_ns, left;
    uint32_t allowed; /* 0 or 1 as logged by the world; the judge believes no other value */
    uint32_t pad;
};

/* Carries the list out. 0; -EINVAL for a list that breaks the bounds above; -ENOMEM; or what create failed with. */
int calls_run(const struct calls *calls, const struct rl_ops *ops, struct decision_log *log);

/* The judge's side: calls `visit` for each call that is carried out: answer of an allow, NULL for a done; until it
 * returns false. Returns the number of calls that were fine, the skipped ones included (calls->count when nothing was
 * wrong, else the index of the call that was); -EINVAL or -ENOMEM. Allows beyond the end of the log are visited with
 * NULL as well, and should be found wrong. */
typedef bool calls_visit(void *context, uint64_t index, const struct call *call, const struct call_answer *answer);
int64_t calls_replay(const struct calls *calls, const struct call_answer *answers, uint64_t count, calls_visit *visit,
                     void *context);

/* "   3. at 2 s: key 7 asks for 1: refused, retry in 30 ms, left 0": one line. */
void call_print(FILE *out, uint64_t number, const struct call *call, const struct call_answer *answer);

#endif
