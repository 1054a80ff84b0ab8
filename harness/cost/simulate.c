/* Counts under callgrind, and how the instructions grow.
 *
 * The program starts itself again under callgrind with a list of cells, a line each: number, operation, entry, size,
 * operations to warm up with, operations to count. The child makes each cell anew, runs it at full speed until it is in
 * its steady state, warms the simulated caches up, and counts one region. How many operations is decided here, by classes so wide (a factor of ten and more
 * around the border) that the noise of a timing does not change them: the counts stay the same from run to run.
 */
#include "cost/internal.h"

#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOW_NS  2000.0 /* an operation that takes longer is counted fewer times */
#define OPS      256u
#define OPS_SLOW 32u
#define CHILD_MS 300000u

struct warm_up {
    uint64_t before, warm, ops; /* not counted and not simulated; simulated; counted */
};

/* A fast operation is warmed up until it has been everywhere; a slow one goes everywhere each time. */
static struct warm_up plan_of(const struct cost_cell *c)
{
    bool slow = c->timed ? c->time.median > SLOW_NS : c->size > 4000;
    const uint64_t own = c->operation->count;
    if (own)
        return (struct warm_up){0, own, own};
    return slow ? (struct warm_up){0, OPS_SLOW, OPS_SLOW}
                : (struct warm_up){16 * c->size, 2 * c->size > OPS ? 2 * c->size : OPS, OPS};
}

static bool is_counted(const struct cost_cell *c)
{
    return c->operation->simulated && c->threads == 1 && c->state == COMPARE_STEADY && !c->refused;
}

/* ---- the child ---- */

static int count_cell(struct cost_run *run, const struct cost_cell *c, const struct warm_up *p, const char *tag)
{
    struct cost_subject subject = cost_subject_of(run, c);
    struct error err = {""};
    struct region region = {0};
    void *state;
    int code = c->operation->create(&subject, &state, &err);
    if (code)
        return error_set(&err, code, "%s", err.text), code;
    c->operation->run(state, 0, p->before);
    callgrind_start();
    c->operation->run(state, 0, p->warm);
    region_begin(&region);
    c->operation->run(state, 0, p->ops);
    region_end(&region);
    callgrind_stop(tag);
    c->operation->destroy(state);
    return 0;
}

int cost_simulated_child(struct cost_run *run)
{
    FILE *list = fopen(run->request.simulated, "re");
    unsigned cell;
    struct warm_up p;
    if (!list)
        error_exit(EXIT_WRONG_USE, "%s: %s", run->request.simulated, strerror(errno));
    while (fscanf(list, "%u %lu %lu %lu", &cell, &p.before, &p.warm, &p.ops) == 4) {
        char tag[32];
        snprintf(tag, sizeof tag, "cell %u", cell);
        int code = cell < run->cells ? count_cell(run, &run->cell[cell], &p, tag) : -EINVAL;
        if (code && code != -ENOTSUP) /* that one needs instructions that callgrind doesn't know */
            error_exit(EXIT_CANNOT_TELL, "cell %u cannot be made under callgrind", cell);
    }
    fclose(list);
    return EXIT_FINE;
}

/* ---- the parent ---- */

static int write_list(const struct cost_run *run, const char *path, struct error *err)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return error_set(err, -ENOMEM, "out of memory");
    for (uint32_t i = 0; i < run->cells; i++)
        if (is_counted(&run->cell[i])) {
            struct warm_up p = plan_of(&run->cell[i]);
            fprintf(out, "%u %lu %lu %lu\n", i, p.before, p.warm, p.ops);
        }
    fclose(out);
    int code = file_write(path, text, strlen(text), err);
    free(text);
    return code;
}

/* The same choice of cells as this process has, so that their numbers mean the same. */
static size_t child_command(const struct cost_run *run, const char *self, const char *list, const char **argv,
                            char *seed)
{
    const struct cost_request *r = &run->request;
    const struct {
        const char *name, *value;
    } pass[] = {{"--simulated", list}, {"--entries", r->entries}, {"--operations", r->operations},
                {"--sizes", r->sizes}, {"--threads", r->threads}, {"--plugin", r->plugin},
                {"--seed", seed}};
    size_t n = 0;
    argv[n++] = self;
    argv[n++] = "--quiet";
    for (size_t i = 0; i < COUNT(pass); i++)
        if (pass[i].value) {
            argv[n++] = pass[i].name;
            argv[n++] = pass[i].value;
        }
    argv[n] = NULL;
    return n;
}

static void take_counts(struct cost_run *run, const struct callgrind_counts *counts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        unsigned cell;
        if (sscanf(counts[i].tag, "cell %u", &cell) != 1 || cell >= run->cells)
            continue;
        struct cost_cell *c = &run->cell[cell];
        for (int id = 0; id < COUNTERS; id++)
            if (counters_simulate(run->counters, (enum counter_id)id))
                c->simulated[id] = counts[i].count[id] / (double)plan_of(c).ops;
    }
}

static int simulate(struct cost_run *run, struct error *err)
{
    char self[FILE_PATH] = "", folder[FILE_PATH], list[FILE_PATH], seed[24];
    const char *argv[24];
    struct callgrind_counts *counts;
    uint32_t n;
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return error_set(err, -errno, "this program's own file cannot be found");
    int code = file_temp_dir(folder, "faultline-cost", err);
    if (code)
        return code;
    snprintf(seed, sizeof seed, "%lu", run->request.seed);
    code = write_list(run, file_path(list, "%s/cells", folder), err);
    if (code == 0) {
        child_command(run, self, list, argv, seed);
        code = callgrind_run(argv, &run->caches, CHILD_MS, &counts, &n, err);
    }
    if (code == 0) {
        take_counts(run, counts, n);
        free(counts);
    }
    file_remove_tree(folder);
    return code;
}

/* ---- growth ---- */

/* The value that growth is fitted on: counted by the processor where that can be, else simulated. Instructions are as
 * good as the same on every run either way. */
static double instructions(const struct cost_cell *c)
{
    return isnan(c->simulated[COUNTER_INSTRUCTIONS]) ? c->live[COUNTER_INSTRUCTIONS].median
                                                     : c->simulated[COUNTER_INSTRUCTIONS];
}

static void fit_all(struct cost_run *run)
{
    run->growth = xcalloc(run->names * run->request.suite->operations, sizeof *run->growth);
    for (uint32_t o = 0; o < run->request.suite->operations; o++)
        for (uint32_t w = 0; w < run->names; w++) {
            struct cost_growth *g = &run->growth[run->growths];
            *g = (struct cost_growth){.operation = &run->request.suite->operation[o], .who = &run->name[w]};
            for (uint32_t i = 0; i < run->cells && g->points < COST_LIST; i++) {
                const struct cost_cell *c = &run->cell[i];
                if (c->operation != g->operation || c->who != g->who || !is_counted(c) || isnan(instructions(c)))
                    continue;
                g->size[g->points] = (double)c->size;
                g->value[g->points++] = instructions(c);
            }
            if (g->points < 2)
                continue;
            growth_fit(g->size, g->value, g->points, &g->growth);
            run->growths++;
        }
}

void cost_simulate(struct cost_run *run)
{
    struct error err;
    bool wanted = false, cells = false;
    for (int id = 0; id < COUNTERS; id++)
        wanted = wanted || counters_simulate(run->counters, (enum counter_id)id);
    for (uint32_t i = 0; i < run->cells; i++)
        cells = cells || is_counted(&run->cell[i]);
    callgrind_geometry(run->topology, &run->caches);
    if (!wanted)
        snprintf(run->callgrind_reason, sizeof run->callgrind_reason, "not asked for");
    else if (cells && callgrind_there(run->callgrind_reason, sizeof run->callgrind_reason)) {
        if (!run->request.quiet && isatty(STDERR_FILENO))
            fputs("counting under callgrind ...\r", stderr);
        if (simulate(run, &err) != 0)
            snprintf(run->callgrind_reason, sizeof run->callgrind_reason, "%.200s", err.text);
        if (!run->request.quiet && isatty(STDERR_FILENO))
            fputs("                            \r", stderr);
    }
    fit_all(run);
}
