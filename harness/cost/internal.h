/* internal.h: what the files of harness/cost share: the request, the table of cells, and what is done to it in turn. */
#ifndef COST_INTERNAL_H
#define COST_INTERNAL_H

#include "base/file.h"
#include "cost/cost.h"
#include "measure/callgrind.h"
#include "measure/compare.h"
#include "measure/counters.h"
#include "measure/growth.h"
#include "measure/limits_loop.h"
#include "measure/region.h"
#include "measure/topology.h"

#include <jansson.h>

#define COST_NAMES  160
#define COST_LIST   32
#define COST_REASON 240
#define COST_LIMITS 4           /* in a group */
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
    struct stats_interval live[COUNTERS];       /* counted while it ran; NaN */
    double simulated[COUNTERS];                 /* NaN */
    double bytes;                               /* of state; NaN */
    struct stats_interval rate, share, against; /* share: of the limit, in %; against: the operation's, in %. NaN */
    int limit;                                  /* place in its group; -1: none */
    uint32_t rank, samples, outliers, unexplained, explained[WITNESSES];
};

/* A loop at a limit of the machine that took its turns with the cells of a group. */
struct cost_limit {
    char id[32];
    char reason[COST_REASON]; /* why it was not timed; "" */
    struct limits_loop loop;
    struct stats_interval rate;
    double best; /* the rate that only a tenth of the chunks beat */
};

/* Cells that were timed side by side. */
struct cost_group {
    uint32_t first, cells; /* in cost_run.cell */
    double floor, yardstick;
    double ping_before, ping_after; /* ns, of two threads; NaN */
    bool unsettled;                 /* the machine changed meanwhile: nothing is resolved */
    uint32_t rounds_needed;         /* to rank its candidates, where there were fewer; else 0 */
    bool pinned;
    char place[TOPOLOGY_WORDS];
    uint64_t witness[WITNESSES];
    struct cost_limit limit[COST_LIMITS];
    uint32_t limits;
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

void cost_time(struct cost_run *run); /* time.c: times all groups */

/* rate.c: rates, and the limits that they stand under. cost_limits_find: which ones the cells of a group need, each cell's
 * place among them. cost_limit_candidate: such a loop on as many threads as the group has; it is gone with `made`. After
 * the group was timed, cell[i] being candidate i and limit k candidate first_limit + k: cost_rates. */
struct cost_limit_made {
    const struct cost_limit *limit;
    const struct topology *topology;
    const unsigned *place;
    unsigned threads; /* that it starts itself; 1: it is called on all of them */
};
void cost_limits_find(struct cost_run *run, struct cost_group *g);
struct compare_candidate cost_limit_candidate(struct cost_limit_made *made);
void cost_rates(struct cost_run *run, struct cost_group *g, const struct compare_run *timed, const uint32_t *cell,
                uint32_t n, uint32_t first_limit);

/* elsewhere.c: what a program of its own says about a group, as if it had been timed here. 0, and compare_free is due; or
 * -errno. */
int cost_elsewhere(const struct cost_run *run, const struct cost_group *g, uint32_t rounds, struct compare_run *out,
                   struct error *err);

void cost_simulate(struct cost_run *run); /* simulate.c: counts under callgrind, then fits growth */
int cost_simulated_child(struct cost_run *run);
void cost_measure_quality(struct cost_run *run); /* quality.c */

json_t *cost_json(const struct cost_run *run); /* json.c */
int cost_write_csv(const struct cost_run *run, const json_t *json, const char *path, struct error *err);
json_t *cost_plots(const struct cost_run *run); /* plots.c */
void cost_print(const struct cost_run *run);    /* print.c */
/* print.c, for print_rates.c: the sizes that were measured, rising, ending with 0; has this name any cell of it?; the
 * heading of a table. */
void cost_sizes_seen(const struct cost_run *run, const struct cost_operation *o, uint64_t out[COST_LIST]);
bool cost_takes_part(const struct cost_run *run, const struct cost_operation *o, const struct cost_name *who);
void cost_print_title(const struct cost_operation *o, const char *unit, unsigned threads, enum compare_state state);
/* print_rates.c */
void cost_print_rates(const struct cost_run *run, const struct cost_operation *o, unsigned threads,
                      enum compare_state state);

/* baseline.c: compares the rows with those of an earlier result. Returns the exit code, and what was found as JSON:
 * {"file", "same_machine": true, "why": "…", "rows": [{entry, operation, size, threads, state, metric, before, now,
 * ratio, verdict: "same" | "better" | "regressed" | "cannot tell", reason}]}. Leaves with 2 where it can't be read. */
int cost_compare_baseline(const char *path, const json_t *now, json_t **found);
/* Reads and checks it, before anything is measured. */
json_t *cost_read_baseline(const char *path, const char *lab);

#endif
