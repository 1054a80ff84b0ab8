/* claims_hot.c: two cores at one hot key, on this machine: one word for both, or an allowance for each.
 *
 * Measured here and now, so it can also come out as "cannot tell". make bench LAB=02 OPERATIONS=hot-key has all entries
 * and the bare operations beside them.
 */
#include "cost_hot.h"
#include "parts.h"

#include "base/memory.h"
#include "measure/compare.h"

#include <stdio.h>

struct made {
    struct cost_subject subject;
    void *state;
};

static int make(void *context)
{
    struct made *m = context;
    return hot_create(&m->subject, &m->state, NULL);
}

static void unmake(void *context)
{
    struct made *m = context;
    if (m->state)
        hot_destroy(m->state);
    m->state = NULL;
}

static void ask(void *context, unsigned thread, uint64_t n)
{
    hot_run(((struct made *)context)->state, thread, n);
}

enum { FAST, SLOW, OWN, SAME, CANDIDATES };

/* How much longer `slow` takes than `fast`, both asked by two threads. That the two do meet is seen by two candidates
 * more: on a busy machine one of them may wait while the other one runs alone. */
static void compare(const struct topology *topology, const char *fast, const char *slow, struct claim_here *here)
{
    const char *const name[CANDIDATES] = {fast, slow, "bare:own-counter", "bare:fetch-add"};
    struct made made[CANDIDATES];
    struct compare_candidate candidates[CANDIDATES];
    unsigned place[2];
    struct compare_run run;
    struct error err;
    for (int i = 0; i < CANDIDATES; i++) {
        made[i] = (struct made){{.name = name[i], .size = 1, .threads = 2}, NULL};
        candidates[i] = (struct compare_candidate){name[i], &made[i], make, unmake, ask};
    }
    if (!topology_is_this_machine(topology) || topology_places(topology, 2, place, NULL, 0, &err) != 0) {
        snprintf(here->why, sizeof here->why, "there are no two cores to run on");
        return;
    }
    struct compare_plan plan = {.threads = 2, .place = place, .topology = topology};
    if (compare_run(&plan, candidates, CANDIDATES, &run, &err) != 0) {
        snprintf(here->why, sizeof here->why, "%.150s", err.text);
        return;
    }
    struct compare_difference d = compare_two(&run, FAST, SLOW, 2, 0), met = compare_two(&run, OWN, SAME, 2, 0);
    compare_free(&run);
    if (met.low < 2)
        snprintf(here->why, sizeof here->why,
                 "the two cores hardly met: a word for both cost %.2f times as much as one for each", met.ratio);
    else
        *here = (struct claim_here){d.ratio, d.low, d.high, ""};
}

static void measure_shards(const struct claim_run *run, struct claim_here *here)
{
    struct topology *topology;
    struct error err;
    if (topology_load(&topology, &err) != 0) {
        snprintf(here->why, sizeof here->why, "%.150s", err.text);
        return;
    }
    compare(topology, run->entry, "entry:fixed-window-atomic", here);
    topology_destroy(topology);
}

static const struct claim claims[] = {
    {.id = "an-allowance-for-each-core",
     .statement =
         "Two cores that ask for one hot key are at least twice as fast with an allowance for each as with one "
         "word for both.",
     .formula = "time of fixed-window-atomic / time of sharded-window: at least 2, since a line that both write goes "
                "from one to the other for each decision",
     .unit = "times",
     .source = "measured",
     .broken = "one word for both in place of the allowances",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .of = {.entry = "entry:sharded-window"},
     .instead = {.entry = "entry:fixed-window-atomic"},
     .predicted = 2,
     .measure_here = measure_shards},
};

const struct claim_part part_hot = {.claim = claims, .claims = COUNT(claims)};
