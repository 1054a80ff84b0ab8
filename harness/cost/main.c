/* main.c: what every cost program does: reads what was asked for, measures, writes, prints. */
#include "cost/internal.h"

#include "base/json_file.h"
#include "base/memory.h"
#include "base/options.h"
#include "measure/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int take_counters(const char *value, void *to, struct error *err)
{
    if (counter_mode_from(value, to) != 0)
        return error_set(err, -EINVAL, "is auto, hardware, software, simulated or all, not \"%s\"", value);
    return 0;
}

static int take_refusal(const char *value, void *to, struct error *err)
{
    struct cost_request *r = to;
    (void)err;
    if (r->refusals < COUNT(r->refuse))
        r->refuse[r->refusals++] = value;
    return 0;
}

static void parse(int argc, char **argv, struct cost_request *r)
{
    const struct option_row rows[] = {
        option_text("entries", "A,B", &r->entries, NULL),
        option_text("operations", "A,B", &r->operations, NULL),
        option_text("sizes", "N,N", &r->sizes, NULL),
        option_text("threads", "N,N", &r->threads, NULL),
        option_text("plugin", "FILE.so", &r->plugin, NULL),
        option_text("baseline", "FILE", &r->baseline, NULL),
        option_text("out", "FILE", &r->out, NULL),
        option_text("csv", "FILE", &r->csv, NULL),
        option_text("simulated", "FILE", &r->simulated, NULL),
        {.name = "counters", .argument = "MODE", .kind = OPTION_OTHER, .to = &r->counters, .take = take_counters},
        {.name = "refuse", .argument = "NAME:WHY", .kind = OPTION_OTHER, .to = r, .take = take_refusal},
        {.name = "rounds", .argument = "N", .kind = OPTION_NUMBER32, .to = &r->rounds, .least = 8, .most = 10000},
        option_number("seed", &r->seed, NULL, NULL),
        option_flag("quiet", &r->quiet, NULL)};
    struct option_table table = {.program = "bench", .see = "faultline bench --help", .row = rows, .rows = COUNT(rows)};
    options_read_or_leave(&table, argc, argv);
}

static enum exit_code verdict(const struct cost_run *run, enum exit_code baseline)
{
    bool timed = false, refused = false;
    for (uint32_t i = 0; i < run->cells; i++)
        timed = timed || run->cell[i].timed || isfinite(run->cell[i].simulated[COUNTER_INSTRUCTIONS]);
    for (uint32_t i = 0; i < run->names; i++)
        refused = refused || run->name[i].refused[0];
    return baseline == EXIT_FAILED || refused ? EXIT_FAILED : !timed ? EXIT_CANNOT_TELL : baseline;
}

static enum exit_code measure(struct cost_run *run)
{
    struct error err;
    enum exit_code baseline = EXIT_FINE;
    uint64_t begin = clock_now_ns();
    cost_time(run);
    cost_simulate(run);
    cost_measure_quality(run);
    run->seconds = 1e-9 * (double)(clock_now_ns() - begin);
    json_t *json = cost_json(run);
    if (run->request.baseline) {
        baseline = (enum exit_code)cost_compare_baseline(run->request.baseline, json, &run->baseline);
        json_object_set(json, "baseline", run->baseline);
    }
    if (!run->request.out || strcmp(run->request.out, "-") != 0)
        cost_print(run);
    if (run->request.out && json_file_write(run->request.out, json, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    if (run->request.csv && cost_write_csv(run, json, run->request.csv, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    json_decref(json);
    return verdict(run, baseline);
}

int cost_main(int argc, char **argv, const struct cost_suite *suite)
{
    struct cost_run *run = xcalloc(1, sizeof *run);
    struct error err;
    run->request = (struct cost_request){.suite = suite, .seed = 1};
    parse(argc, argv, &run->request);
    if (topology_load(&run->topology, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    if (run->request.baseline) /* a file that can't be read should not cost minutes */
        json_decref(cost_read_baseline(run->request.baseline, suite->lab_folder));
    cost_find_names(run);
    cost_make_cells(run);
    if (run->request.simulated)
        return cost_simulated_child(run);
    if (counters_plan(run->request.counters, NULL, &run->counters) != 0)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    enum exit_code code = measure(run);
    counters_destroy(run->counters);
    topology_destroy(run->topology);
    if (run->baseline)
        json_decref(run->baseline);
    free(run->cell);
    free(run->group);
    free(run->growth);
    free(run);
    return (int)code;
}
