/* internal.h: what the files of harness/cost share: the request, the table of cells, and what is done to it in turn. */
#ifndef COST_INTERNAL_H
#define COST_INTERNAL_H

#include "base/file.h"
#include "cost/cost.h"
#include "measure/callgrind.h"
#include "measure/compare.h"
#include "measure/counters.h"
#include "measure/growth.h"
#include "measure/region.h"
#include "measure/topology.h"

#include <jansson.h>

#define COST_NAMES  160
#define COST_LIST   32
#define COST_REASON 240
#define YARDSTICK   "yardstick" /* a fixed loop, timed in every group: what links two runs */

struct cost_name {
    char name[80];               /* as shown; those of --plugin end in " (yours)" */
    char entry[64];              /* as the plugin knows it */
    const struct plugin *plugin; /* NULL: a part */
    char refused[COST_REASON];   /* why it is not timed; "" */
};

struct cost_request {
    const struct cost_suite *suite;
    const char *entries, *operations, *sizes, *threads, *plugin, *baseline, *out, *csv, *simulated;
    enum counter_mode counters;
    const char *refuse[32];
    unsigned refusals;
    uint32_t rounds;
    uint64_t seed;
    bool quiet;
};

/* One entry at one size in one state with so many threads. */
struct cost_cell {
    const struct cost_operation *operation;
    const struct cost_name *who;
    uint64_t size;
    unsigned threads;
    enum compare_state state;
    bool timed, refused;      /* refused: not to be run at all, neither timed nor counted */
    char reason[COST_REASON]; /* why it is not timed */
    struct stats_interval time;
    double p10, p50, p90;
    struct stats_interval live[COUNTERS]; /* counted while it ran; NaN */
    double simulated[COUNTERS];           /* NaN */
    char simulated_reason[COST_REASON];
    double bytes; /* of state; NaN */
    uint32_t rank, samples, outliers, unexplained, explained[WITNESSES];
};

/* Cells that were timed side by side. */
struct cost_group {
    uint32_t first, cells; /* in cost_run.cell */
    double floor, yardstick;
    double ping_before, ping_after; /* ns, of two threads; NaN */
    bool unsettled;                 /* the machine changed meanwhile: nothing is resolved */
    bool pinned;
    char place[TOPOLOGY_WORDS];
    uint64_t witness[WITNESSES];
};

struct cost_growth {
    const struct cost_operation *operation;
    const struct cost_name *who;
    struct growth growth;
    double size[COST_LIST], value[COST_LIST];
    uint32_t points;
};

struct cost_run {
    struct cost_request request;
    struct topology *topology;
    struct counters *counters;
    struct callgrind_caches caches;
    char callgrind_reason[COST_REASON]; /* why nothing is simulated; "" */
    struct cost_name name[COST_NAMES];
    uint32_t names;
    struct cost_cell *cell;
    uint32_t cells;
    struct cost_group *group;
    uint32_t groups;
    struct cost_growth *growth;
    uint32_t growths;
    double quality[COST_QUALITIES][COST_NAMES]; /* by name; NaN */
    json_t *baseline;                           /* what was found against it; NULL without one */
    double seconds;
};

/* cells.c: which there are. Leaves the program with 2 where what was asked for does not exist. */
void cost_find_names(struct cost_run *run);
void cost_make_cells(struct cost_run *run);
struct cost_cell *cost_find(const struct cost_run *run, const char *operation, const char *who, uint64_t size,
                            unsigned threads, enum compare_state state); /* NULL: there is none */
struct cost_subject cost_subject_of(const struct cost_run *run, const struct cost_cell *cell);

void cost_time(struct cost_run *run);     /* time.c: times all groups */
void cost_simulate(struct cost_run *run); /* simulate.c: counts under callgrind, then fits growth */
int cost_simulated_child(struct cost_run *run);
void cost_measure_quality(struct cost_run *run); /* quality.c */

json_t *cost_json(const struct cost_run *run); /* json.c */
int cost_write_csv(const struct cost_run *run, const json_t *json, const char *path, struct error *err);
json_t *cost_plots(const struct cost_run *run); /* plots.c */
void cost_print(const struct cost_run *run);    /* print.c */

/* baseline.c: compares the rows with those of an earlier result. Returns the exit code, and what was found as JSON:
 * {"file", "same_machine": true, "why": "…", "rows": [{entry, operation, size, threads, state, metric, before, now,
 * ratio, verdict: "same" | "better" | "regressed" | "cannot tell", reason}]}. Leaves with 2 where it can't be read. */
int cost_compare_baseline(const char *path, const json_t *now, json_t **found);
/* Reads and checks it, before anything is measured. */
json_t *cost_read_baseline(const char *path, const char *lab);

void *cost_allocate(size_t n, size_t size); /* zeroed; out of memory ends the program with 3 */

#endif
