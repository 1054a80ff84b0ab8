/* counters.h: what can be counted besides time, where each figure comes from, and why one is missing.
 *
 * Each counter is looked for down a chain of providers, event by event:
 *
 *   hardware    PAPI, where the machine has a performance monitoring unit and lets us read it
 *   software    PAPI's kernel events, and getrusage: exact everywhere, but they know only faults and switches
 *   simulated   callgrind's model of caches and branches (callgrind.h), in a process of its own
 *   n/a         with the reason; never 0 for what was not counted
 *
 * A name in a list is no proof: PAPI lists events that no machine of this kind has, adds others that never move, and
 * would take turns with more events than there are registers. So each event is probed: added, started, given something
 * to count, and believed only when it counted. Events that do not fit together are counted in different passes.
 *
 * The plan (struct counters) is made once and never changed; any thread may read it. A reader belongs to the thread
 * that opened it and counts that thread alone.
 */
#ifndef MEASURE_COUNTERS_H
#define MEASURE_COUNTERS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum counter_id {
    COUNTER_INSTRUCTIONS,
    COUNTER_CYCLES,
    COUNTER_BRANCHES,
    COUNTER_BRANCH_MISSES,
    COUNTER_DATA_READS,
    COUNTER_DATA_WRITES,
    COUNTER_L1D_MISSES,
    COUNTER_L2_MISSES,
    COUNTER_LAST_MISSES,
    COUNTER_TLB_MISSES,
    COUNTER_PAGE_FAULTS,
    COUNTER_VOLUNTARY,
    COUNTER_INVOLUNTARY,
    COUNTERS
};

enum counter_group { GROUP_WORK, GROUP_BRANCH, GROUP_CACHE, GROUP_MEMORY, GROUP_TLB, GROUP_SWITCHES, COUNTER_GROUPS };

enum counter_source { SOURCE_NONE, SOURCE_HARDWARE, SOURCE_SOFTWARE, SOURCE_SIMULATED, SOURCES };

struct counter_info {
    const char *name;  /* "branch-misses" */
    const char *brief; /* "mispred", for the heads of tables */
    const char *what;  /* one line */
    enum counter_group group;
    bool may_be_zero;    /* 0 after an exercise proves nothing against it */
    const char *papi[3]; /* names to try, best first */
    enum counter_source papi_source;
};
extern const struct counter_info counter_info[COUNTERS];

struct counter_group_info {
    const char *name, *title;
    const char *reading; /* a paragraph for people: how to read the figures of this group */
};
extern const struct counter_group_info counter_group_info[COUNTER_GROUPS];

const char *counter_source_name(enum counter_source source); /* "hardware"; "n/a" for SOURCE_NONE */

/* ---- providers ---- */

/* Where counts come from while code runs. add: 0; -ENOENT: the event does not exist here; -EACCES: it does, and we may
 * not read it; -EBUSY: it does not fit beside those that were added; with the reason. stop writes value[id] for what was
 * added. A set belongs to one thread. */
struct counter_provider {
    const char *name;
    enum counter_source source;
    void *(*open)(void); /* a set of events; NULL when out of memory */
    int (*add)(void *set, enum counter_id id, char *reason, size_t size);
    int (*start)(void *set);
    int (*stop)(void *set, int64_t value[COUNTERS]);
    void (*close)(void *set);
};
extern const struct counter_provider counter_papi_hardware, counter_papi_software, counter_rusage;

/* ---- the plan ---- */

enum counter_mode { COUNT_AUTO, COUNT_HARDWARE, COUNT_SOFTWARE, COUNT_SIMULATED, COUNT_ALL };
int counter_mode_from(const char *word, enum counter_mode *mode); /* "auto" …; 0 or -EINVAL */

#define COUNTER_REASON 200
struct counter_choice {
    enum counter_source source;              /* SOURCE_NONE: not while code runs; perhaps simulated */
    const struct counter_provider *provider; /* NULL with SOURCE_NONE */
    unsigned pass;
    char reason[COUNTER_REASON]; /* why no better source: "hardware: no PMU"; "" where hardware counts */
};

struct counters;
/* chain: providers, best first, ending with NULL; NULL: the machine's own. Takes some milliseconds. 0 or -ENOMEM. */
int counters_plan(enum counter_mode mode, const struct counter_provider *const *chain, struct counters **out);
void counters_destroy(struct counters *counters);
const struct counter_choice *counters_choice(const struct counters *counters, enum counter_id id);
unsigned counters_passes(const struct counters *counters);                   /* at least 1 */
bool counters_simulate(const struct counters *counters, enum counter_id id); /* is callgrind to be asked as well? */

/* ---- reading ---- */

struct counter_reader;
struct counter_reader *counters_open(const struct counters *counters); /* for the calling thread; NULL: out of memory */
void counters_close(struct counter_reader *reader);
void counters_begin(struct counter_reader *reader, unsigned pass);
/* value[id] is -1 for what this pass does not count, or what failed. */
void counters_end(struct counter_reader *reader, int64_t value[COUNTERS]);

#endif
