/* claims_cost.c: what picking costs on this machine: a shared cache line, a scan, a heap.
 *
 * These are measured here and now, so they can also come out as "cannot tell": where there is one core only, or no
 * valgrind to count instructions with.
 */
#include "cost_parts.h"
#include "parts.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "measure/compare.h"
#include "measure/ping_pong.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- two threads, one cache line ---- */

struct made {
    struct cost_subject subject;
    void *state;
};

static int make(void *context)
{
    struct made *m = context;
    return counter_create(&m->subject, &m->state, NULL);
}

static void unmake(void *context)
{
    struct made *m = context;
    if (m->state)
        counter_destroy(m->state);
    m->state = NULL;
}

static void count(void *context, unsigned thread, uint64_t n)
{
    counter_run(((struct made *)context)->state, thread, n);
}

enum { PADDED, PACKED, SHARED, ADDERS };

static void compare_lines(const struct topology *topology, const char *packed_name, struct claim_here *here)
{
    const char *const name[ADDERS] = {"padded-add", packed_name, "shared-add"};
    struct made made[ADDERS];
    struct compare_candidate candidates[ADDERS];
    for (int i = 0; i < ADDERS; i++) {
        made[i] = (struct made){{.name = name[i], .threads = 2}, NULL};
        candidates[i] = (struct compare_candidate){name[i], &made[i], make, unmake, count};
    }
    unsigned place[2];
    double before = NAN, after = NAN;
    struct compare_run run;
    struct error err;
    if (!topology_is_this_machine(topology) || topology_places(topology, 2, place, NULL, 0, &err) != 0) {
        snprintf(here->why, sizeof here->why, "there are no two cores to run on");
        return;
    }
    struct compare_plan plan = {.threads = 2, .place = place, .topology = topology};
    ping_pong_ns(topology, place, &before);
    int code = compare_run(&plan, candidates, ADDERS, &run, &err);
    ping_pong_ns(topology, place, &after);
    if (code) {
        snprintf(here->why, sizeof here->why, "%.150s", err.text);
        return;
    }
    struct compare_difference d = compare_two(&run, PADDED, PACKED, 2, 0),
                              met = compare_two(&run, PADDED, SHARED, 2, 0);
    double alone = run.result[PADDED].time.median, price = run.result[SHARED].time.median - alone;
    const bool disturbed = compare_was_disturbed(&run, here->why, sizeof here->why);
    compare_free(&run);
    if (disturbed)
        return;
    if (!(fmax(before, after) < 1.5 * fmin(before, after)))
        snprintf(here->why, sizeof here->why,
                 "the machine changed meanwhile: a line went round in %.0f ns before, %.0f after", before, after);
    else if (met.low < 2)
        snprintf(here->why, sizeof here->why,
                 "the two cores hardly met: a word for both cost %.2f times as much as one for each", met.ratio);
    else
        *here = (struct claim_here){100 * (d.ratio - 1) * alone / price, 100 * (d.low - 1) * alone / price,
                                    100 * (d.high - 1) * alone / price, ""};
}

static void measure_line(const struct claim_run *run, struct claim_here *here)
{
    struct topology *topology;
    struct error err;
    if (topology_load(&topology, &err) != 0) {
        snprintf(here->why, sizeof here->why, "%.150s", err.text);
        return;
    }
    compare_lines(topology, run->entry, here);
    topology_destroy(topology);
}

/* ---- how instructions grow ---- */

enum { FEW = 64, MANY = 4096 };

/* Of a pick by an entry at both sizes; NaN where there is none. */
struct instructions {
    double few, many;
    char why[200];
};

static void read_row(const json_t *row, const char *entry, struct instructions *out)
{
    const char *metric = json_string_value(json_object_get(row, "metric")),
               *name = json_string_value(json_object_get(row, "entry")),
               *reason = json_string_value(json_object_get(row, "reason"));
    if (!metric || !name || strcmp(metric, "instructions") != 0 || strcmp(name, entry) != 0)
        return;
    double value = json_number_value(json_object_get(row, "value"));
    if (!json_object_get(row, "value"))
        snprintf(out->why, sizeof out->why, "%.190s", reason ? reason : "");
    else if (json_integer_value(json_object_get(row, "size")) == FEW)
        out->few = value;
    else
        out->many = value;
}

/* The lab's cost program counts; beside this program, in the same folder. */
static struct instructions count_instructions(const char *entry)
{
    struct instructions out = {NAN, NAN, "the cost program left no counts"};
    char program[FILE_PATH], folder[FILE_PATH], file[FILE_PATH], sizes[32];
    file_build_path(program, "labs/01-load-balancing/cost");
    snprintf(sizes, sizeof sizes, "%d,%d", FEW, MANY);
    if (file_temp_dir(folder, "faultline-claims", NULL) != 0)
        return out;
    file_path(file, "%s/costs.json", folder);
    const char *argv[] = {program, "--entries", entry, "--operations", "pick",      "--sizes",
                          sizes,   "--threads", "1",   "--counters",   "simulated", "--rounds",
                          "8",     "--out",     file,  "--quiet",      NULL};
    struct process p = {.argv = argv, .wall_ms = 120000, .output_limit = 1000};
    struct process_result r;
    if (process_run(&p, &r, NULL) == 0)
        process_result_free(&r);
    json_t *json = json_load_file(file, 0, NULL), *row;
    size_t i;
    json_array_foreach(json_object_get(json, "rows"), i, row)
    {
        read_row(row, entry, &out);
    }
    json_decref(json);
    file_remove_tree(folder);
    return out;
}

static void measure_growth(const struct claim_run *run, struct claim_here *here)
{
    struct instructions i = count_instructions(run->entry);
    double ratio = i.many / i.few;
    if (isnan(ratio))
        memcpy(here->why, i.why, sizeof here->why);
    else
        *here = (struct claim_here){ratio, ratio, ratio, ""};
}

static double predict_heap(const struct claim_run *run)
{
    (void)run;
    return log2(MANY) / log2(FEW);
}

static const struct claim claims[] = {
    {.id = "false-sharing",
     .statement =
         "Two threads that count in one cache line, each in its own word, pay at least half of what they would "
         "pay for one word.",
     .formula = "(add in a line for both - in a line for each) / (add in a word for both - in a line for each), all of "
                "one run: an atomic add waits for its line, whoever writes which word of it",
     .unit = "%",
     .source = "measured",
     .broken = "padded counters in place of packed ones",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .of = {.entry = "packed-add"},
     .instead = {.entry = "padded-add"},
     .predicted = 50,
     .measure_here = measure_line},
    {.id = "scan-is-linear",
     .statement = "A pick that looks at every backend costs 64 times the instructions at 64 times the backends.",
     .formula = "4096 / 64; a pick is a + b n, and a is small",
     .unit = "times",
     .source = "simulated",
     .broken = "the heap in place of the scan",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "weighted-least-connections"},
     .instead = {.entry = "weighted-least-connections-heap"},
     .predicted = (double)MANY / FEW,
     .measure_here = measure_growth,
     .slack = 6.4,
     .slack_why = "a tenth, for what a pick costs whatever n is"},
    {.id = "heap-is-logarithmic",
     .statement = "The same pick from a heap costs at most twice the instructions at 64 times the backends.",
     .formula = "log 4096 / log 64; a pick is a + b log n with a >= 0",
     .unit = "times",
     .source = "simulated",
     .broken = "the scan in place of the heap",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.entry = "weighted-least-connections-heap"},
     .instead = {.entry = "weighted-least-connections"},
     .predict = predict_heap,
     .measure_here = measure_growth},
};

const struct claim_part part_cost = {.claim = claims, .claims = COUNT(claims)};
