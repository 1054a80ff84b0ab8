/* cost.h: what the operations of a lab cost, as a program: time, counters, bytes, and how they grow.
 *
 * bench/NN-x/cost.c is a table of operations, and `return cost_main(argc, argv, &suite);`. An operation is a loop that
 * the lab writes; the harness makes it for each entry, size and number of threads, times all entries of one size side by
 * side (measure/compare.h), asks the counters (measure/counters.h), runs the same loops under callgrind, fits how the
 * instructions grow, and writes rows of which each has its unit, its spread and its source.
 *
 *     cost [--entries A,B] [--operations A,B] [--sizes N,N] [--threads N,N] [--counters MODE] [--plugin FILE.so]
 *          [--baseline FILE] [--refuse NAME:WHY]... [--rounds N] [--out FILE] [--csv FILE] [--seed N] [--quiet]
 *     cost --simulated FILE        (how it starts itself under callgrind)
 *
 * An entry whose check fails is not timed: its row says why. Everything here runs trusted code in this process.
 *
 * Where it is known how much work an operation is, its rate is told too, as a share of a limit of the machine: a loop at
 * that limit (measure/limits_loop.h) takes its turns in the same rounds, on as many threads, so that whatever the
 * machine does meanwhile is done to both; and as a share of the rate of another entry, where that is the question.
 *
 * Exit code 0: measured, and no regression against the baseline; 1: a regression, or an entry that is wrong; 2: wrong
 * use; 3: cannot tell (a baseline that does not allow a verdict, or nothing could be measured).
 */
#ifndef COST_COST_H
#define COST_COST_H

#include "base/error.h"
#include "host/plugin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an operation is to be made for. */
struct cost_subject {
    const struct plugin *plugin; /* NULL for a part */
    const char *name;            /* of the entry, "wrapper+entry", or of the part */
    uint64_t size;
    unsigned threads;
    uint64_t seed;
    const void *arg; /* of the operation, or of the quality */
};

struct cost_operation {
    const char *name;         /* "pick" */
    const char *what;         /* a sentence or two: what exactly one operation is */
    const char *size_name;    /* "backends"; NULL: size means nothing, and there is one */
    const uint64_t *sizes;    /* ends with 0 */
    const unsigned *threads;  /* ends with 0 */
    const char *threads_what; /* what several threads do: "a balancer for each thread"; NULL with one thread only */
    /* NULL: for all entries of the plugins. Else for these names, ending with NULL ... */
    const char *const *names;
    bool (*takes)(const struct plugin_entry *entry, const void *arg); /* ... of which those that it takes; NULL: all */
    const char *const *beside; /* parts that are timed beside the entries, ending with NULL; NULL: none */
    const void *arg;           /* what its functions are told besides, so that one serves several operations */
    /* Makes the state for all threads. 0; -ENOTSUP where it makes no sense (the reason in err, the row says n/a); else
     * -errno. */
    int (*create)(const struct cost_subject *subject, void **state, struct error *err);
    void (*run)(void *state, unsigned thread, uint64_t n); /* n operations, the same for the same seed and n */
    void (*destroy)(void *state);
    uint64_t chunk_ns; /* how long one call of run should take; 0: 20 us */
    uint32_t rounds;   /* 0: COMPARE_ROUNDS, or as many as a balanced order needs */
    uint32_t count;    /* operations counted under callgrind, after as many to warm up; 0: as many as suit its time */
    bool parts;        /* ... which are no entries but parts of the lab or the machine */
    bool cold;         /* timed cold as well (one thread) */
    bool simulated;    /* counted under callgrind as well (one thread) */
    bool shared;       /* the threads do one operation together, which takes as long as the last of them */
    bool own_threads;  /* it starts its threads itself: run is called on one */

    /* ---- rates ---- */
    const char *rate; /* "GFLOP/s", "GB/s": units of work in a ns; NULL: only the time is told */
    double (*work)(const struct cost_subject *subject); /* floating-point operations, bytes, ... of one operation */
    /* The limit that it stands under: "flops-avx512" of measure/limits_loop.h. NULL, or NULL given: none. */
    const char *(*limit)(const struct cost_subject *subject);
    const char *against; /* an entry or part of the same operation: the others' rate is told as a share of its; NULL */

    /* Timed by a program of its own, which takes turns: instead of create, run and destroy. Of each name of `names`
     * (parts) what one operation took, ns: ns[name x rounds + round], zeros before. 0; -ENOTSUP with the reason in err;
     * else -errno. */
    int (*elsewhere)(const struct cost_subject *subject, uint32_t rounds, double *ns, struct error *err);
};

#define COST_QUALITIES 4

/* What an entry is good for, set against what it costs: one figure for each entry, less is better. */
struct cost_quality {
    const char *name, *unit, *what; /* "p99 at load 0.9", "ms", a sentence */
    bool counted;                   /* it is counted in a run; else found by simulation */
    const char *operation;          /* whose time is set against it ... */
    uint64_t size;                  /* ... at this size */
    const void *arg;
    /* Called on several threads at once. NaN: there is none for this entry. */
    double (*measure)(const struct cost_subject *subject);
};

struct cost_suite {
    const char *lab_folder; /* "01-load-balancing" */
    const struct cost_operation *operation;
    uint32_t operations;
    /* Which name an entry is measured under; NULL: not at all. A wrapper may be named with what it wraps. */
    const char *(*entry_name)(const struct plugin_entry *entry);
    /* Is the entry right? 0; or -1 and why not: then it is not timed. Short, and with trusted code only. */
    int (*verify)(const struct cost_subject *subject, char *why, size_t size);
    const struct cost_quality *quality; /* at most COST_QUALITIES; each has a plot against the time */
    uint32_t qualities;
    const char *const *shown; /* entries that the plots of growth show, at most 6, ending with NULL */
};

int cost_main(int argc, char **argv, const struct cost_suite *suite);

#endif
