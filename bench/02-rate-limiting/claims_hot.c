/* claims_hot.c: two cores at one hot key, on this machine: what does an allowance for each spare?
 *
 * What a shared word costs differs from processor to processor, so nothing is said about it. It is measured in the same
 * run (a bare counter for both against one for each), and what a decision pays for its neighbour is a share of that.
 * Measured here and now, so it can also come out as "cannot tell". make bench LAB=02 OPERATIONS=hot-key has all entries
 * and the bare operations beside them.
 */
#include "cost_hot.h"
#include "parts.h"

#include "base/memory.h"
#include "measure/compare.h"

#include <stdio.h>

/* Two threads ask one limiter, or each its own, by the same code: what they pay for each other is the difference. */
struct made {
    struct cost_subject subject;
    bool apart;
    void *state[2];
};

static int make(void *context)
{
    struct made *m = context;
    int code = hot_create(&m->subject, &m->state[0], NULL);
    if (code == 0 && m->apart)
        code = hot_create(&m->subject, &m->state[1], NULL);
    return code;
}

static void unmake(void *context)
{
    struct made *m = context;
    for (int i = 0; i < 2; i++) {
        if (m->state[i])
            hot_destroy(m->state[i]);
        m->state[i] = NULL;
    }
}

static void ask(void *context, unsigned thread, uint64_t n)
{
    struct made *m = context;
    hot_run(m->state[m->apart ? thread : 0], thread, n);
}

enum { APART, SHARED, OWN, SAME, CANDIDATES };

/* What an entry's decision pays because another core asks too, as a share of what a word for both costs here. */
static void compare(const struct topology *topology, const char *entry, struct claim_here *here)
{
    const char *const name[CANDIDATES] = {entry, entry, "bare:own-counter", "bare:fetch-add"};
    struct made made[CANDIDATES];
    struct compare_candidate candidates[CANDIDATES];
    unsigned place[2];
    struct compare_run run;
    struct error err;
    for (int i = 0; i < CANDIDATES; i++) {
        made[i] = (struct made){.subject = {.name = name[i], .size = 1, .threads = 2}, .apart = i == APART};
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
    struct compare_difference d = compare_two(&run, APART, SHARED, 2, 0), met = compare_two(&run, OWN, SAME, 2, 0);
    double price = run.result[SAME].time.median - run.result[OWN].time.median, alone = run.result[APART].time.median;
    const bool disturbed = compare_was_disturbed(&run, here->why, sizeof here->why);
    compare_free(&run);
    if (disturbed)
        return;
    if (met.low < 2)
        snprintf(here->why, sizeof here->why,
                 "the two cores hardly met: a word for both cost %.2f times as much as one for each", met.ratio);
    else
        *here = (struct claim_here){100 * (d.ratio - 1) * alone / price, 100 * (d.low - 1) * alone / price,
                                    100 * (d.high - 1) * alone / price, ""};
}

static void measure_shards(const struct claim_run *run, struct claim_here *here)
{
    struct topology *topology;
    struct error err;
    if (topology_load(&topology, &err) != 0) {
        snprintf(here->why, sizeof here->why, "%.150s", err.text);
        return;
    }
    compare(topology, run->entry, here);
    topology_destroy(topology);
}

static const struct claim claims[] = {
    {.id = "an-allowance-for-each-core",
     .statement = "With an allowance for each of two cores that ask for one hot key, a decision pays less than half of "
                  "what a word for both costs here.",
     .formula =
         "(decision beside another core at the same key - beside one at its own) / (fetch-add on a word for both "
         "- on a word for each), all of one run: no line is written by both, but for one refill in many "
         "decisions, so much nearer to 0 than to 1",
     .unit = "%",
     .source = "measured",
     .broken = "one word for both in place of the allowances",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.entry = "entry:sharded-window"},
     .instead = {.entry = "entry:fixed-window-atomic"},
     .predicted = 50,
     .measure_here = measure_shards},
};

const struct claim_part part_hot = {.claim = claims, .claims = COUNT(claims)};
