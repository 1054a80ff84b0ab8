/* compare.h: several candidates timed side by side, and what may be said about their differences.
 *
 * Idea: machines drift (clock speed, neighbours, heat), so two runs one after the other differ by several per cent even
 * when they run the same code. Here every candidate is timed once in each round, in an order that is balanced over the
 * rounds (ABBA for two; a Williams square for more, in which each follows each other equally often). What is compared
 * is the ratio within a round. The verdict on two candidates rests on the median of the log ratios of all rounds and its
 * interval from the sign test (stats.h), corrected for the number of comparisons that are made (Bonferroni), and on the
 * floor: how far apart two copies of the same candidate came out in the same run.
 *
 * A sample is one turn of one candidate: first what brings it into its state, then a few short chunks of operations,
 * each timed. Short chunks, because an interruption then spoils one chunk and not the sample; the sample's value is the
 * median of its chunks. The states:
 *
 *   steady   chunks that are not timed come first, until they get no faster, so that code and data are where they are
 *            when it runs all the time
 *   cold     the private caches are filled with other data before each chunk, which is a few operations long
 *
 * Candidates are made anew again and again (in each round where that is quick, eight times at least): all are unmade,
 * then made in another order, so that the same pieces of memory go round among them. Where memory happens to lie can make
 * the same code half as fast again; this way it is part of the spread and not a hidden advantage of one.
 *
 * With several threads, each runs its chunks at the same time on a core of its own. A sample's value is the mean over
 * the threads of their medians: ns that an operation takes in each thread. Where the threads do one operation together,
 * a part each, it is that of the thread that takes longest.
 */
#ifndef MEASURE_COMPARE_H
#define MEASURE_COMPARE_H

#include "measure/counters.h"
#include "measure/stats.h"
#include "measure/topology.h"
#include "measure/witness.h"

#include <stdbool.h>
#include <stdint.h>

#define COMPARE_THREADS 16
#define COMPARE_ROUNDS  60

struct compare_candidate {
    const char *name;
    void *context;
    /* make brings the candidate into its first state: 0 or -errno, which ends the whole run. unmake gives back what it
     * took, also after a make that failed. Called in turn, on thread 0. Both may be NULL. */
    int (*make)(void *context);
    void (*unmake)(void *context);
    /* n operations. Called by thread 0 … threads-1, at the same time. */
    void (*run)(void *context, unsigned thread, uint64_t n);
};

enum compare_state { COMPARE_STEADY, COMPARE_COLD };
const char *compare_state_name(enum compare_state state);

struct compare_plan {
    unsigned threads;                /* 1 … COMPARE_THREADS */
    const unsigned *place;           /* [threads], of topology_places; NULL: where the kernel likes */
    const struct topology *topology; /* may be NULL when place is */
    const struct counters *counters; /* NULL: only time */
    enum compare_state state;
    uint32_t rounds;   /* 0: COMPARE_ROUNDS */
    uint32_t chunks;   /* a sample; 0: 8 */
    uint64_t chunk_ns; /* about as long as a chunk is; 0: 20 us */
    uint64_t cold_ops; /* operations in a cold chunk; 0: 8 */
    bool together;     /* the threads do one operation together: a sample's value is that of the slowest of them */
    void (*progress)(void *context, uint32_t done, uint32_t all); /* in rounds; may be NULL */
    void *progress_context;
};

/* What was found about one candidate. */
struct compare_result {
    struct stats_interval time;            /* ns an operation: median of the rounds and its 95 % interval */
    double p10, p50, p90;                  /* ns an operation, of all chunks */
    struct stats_interval count[COUNTERS]; /* an operation, median of the rounds; NaN where not counted */
    uint32_t samples, outliers;            /* outliers: more than 5 median deviations above the median */
    uint32_t explained[WITNESSES];         /* outliers with this witness; one outlier may have several */
    uint32_t unexplained;
    double *round; /* [rounds], ns an operation */
};

struct compare_run {
    uint32_t candidates, rounds;
    struct compare_result *result; /* [candidates] */
    bool pinned;
    bool witness_there[WITNESSES];
    uint64_t witness_sum[WITNESSES]; /* over the whole run, of all threads */
    unsigned threads;
    uint64_t elapsed_ns;
};

/* Times all of them. 0, or -errno with a sentence and nothing to free. */
int compare_run(const struct compare_plan *plan, const struct compare_candidate *candidate, uint32_t candidates,
                struct compare_run *out, struct error *err);
void compare_free(struct compare_run *run);

/* Was the machine too busy for threads that must run at the same time? So it was when somebody waited for a processor,
 * or a hypervisor took one away, for more than a fiftieth of the run. `why` (size bytes) says it. */
bool compare_was_disturbed(const struct compare_run *run, char *why, size_t size);

/* The order of candidates in a round: balanced[i] is who comes i-th. */
void compare_order(uint32_t candidates, uint32_t round, uint32_t *order);

/* ---- verdicts ---- */

enum compare_verdict { COMPARE_FASTER, COMPARE_SLOWER, COMPARE_NOT_RESOLVED };

struct compare_difference {
    enum compare_verdict verdict; /* of b against a */
    double ratio, low, high;      /* b's time over a's: median over the rounds and interval */
};

/* comparisons: how many such verdicts are given on this run; floor: relative difference below which nothing is claimed. */
struct compare_difference compare_two(const struct compare_run *run, uint32_t a, uint32_t b, uint32_t comparisons,
                                      double floor);

/* b's time over a's without a verdict: median over the rounds, and its interval that is wrong with probability alpha. */
struct stats_interval compare_ratio(const struct compare_run *run, uint32_t a, uint32_t b, double alpha);

/* The floor that two copies of one candidate set: how far the interval of their ratio reaches from 1, and at least 2 %. */
double compare_floor(const struct compare_run *run, uint32_t a, uint32_t copy);

/* So many rounds it takes to tell any two of so many candidates apart: with fewer no interval is narrow enough, however
 * far they are. */
uint32_t compare_rounds_needed(uint32_t candidates);

/* Ranks: candidates in groups that can't be told apart from the group's fastest. rank[i] is 1 for the first group;
 * 0 for all where there were too few rounds. */
void compare_rank(const struct compare_run *run, uint32_t candidates, double floor, uint32_t *rank);

#define COMPARE_ALPHA       0.01 /* of all claims of one run together */
#define COMPARE_LEAST_FLOOR 0.02

#endif
