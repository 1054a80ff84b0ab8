/* main.c: what every cost program does: reads what was asked for, measures, writes, prints. */
#include "cost/internal.h"

#include "base/json_file.h"
#include "base/text.h"
#include "measure/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *value_of(int argc, char **argv, int *i)
{
    if (++*i >= argc)
        error_exit(EXIT_WRONG_USE, "bench: %s needs a value", argv[*i - 1]);
    return argv[*i];
}

static void parse_special(struct cost_request *r, const char *word, const char *value)
{
    uint64_t number;
    if (strcmp(word, "--counters") == 0) {
        if (counter_mode_from(value, &r->counters) != 0)
            error_exit(EXIT_WRONG_USE, "bench: --counters is auto, hardware, software, simulated or all, not \"%s\"",
                       value);
    } else if (strcmp(word, "--refuse") == 0) {
        if (r->refusals < sizeof r->refuse / sizeof *r->refuse)
            r->refuse[r->refusals++] = value;
    } else if (!text_number(value, &number) || (strcmp(word, "--rounds") == 0 && (number < 8 || number > 10000))) {
        error_exit(EXIT_WRONG_USE, "bench: %s takes a number%s, not \"%s\"", word,
                   strcmp(word, "--rounds") == 0 ? " from 8 to 10000" : "", value);
    } else if (strcmp(word, "--rounds") == 0) {
        r->rounds = (uint32_t)number;
    } else {
        r->seed = number;
    }
}

static void parse(int argc, char **argv, struct cost_request *r)
{
    const struct {
        const char *word;
        const char **value;
    } texts[] = {{"--entries", &r->entries},
                 {"--operations", &r->operations},
                 {"--sizes", &r->sizes},
                 {"--threads", &r->threads},
                 {"--plugin", &r->plugin},
                 {"--baseline", &r->baseline},
                 {"--out", &r->out},
                 {"--csv", &r->csv},
                 {"--simulated", &r->simulated}};
    static const char *const special[] = {"--counters", "--refuse", "--rounds", "--seed"};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool known = strcmp(word, "--quiet") == 0;
        r->quiet = r->quiet || known;
        for (size_t k = 0; k < sizeof texts / sizeof *texts && !known; k++)
            if ((known = strcmp(word, texts[k].word) == 0))
                *texts[k].value = value_of(argc, argv, &i);
        for (size_t k = 0; k < sizeof special / sizeof *special && !known; k++)
            if ((known = strcmp(word, special[k]) == 0))
                parse_special(r, word, value_of(argc, argv, &i));
        if (!known)
            error_exit(EXIT_WRONG_USE, "bench: \"%s\" is not understood; see faultline bench --help", word);
    }
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
    struct cost_run *run = cost_allocate(1, sizeof *run);
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
