/* The plots of a cost run, in the form that report.h describes. */
#include "cost/internal.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SHOWN 6 /* curves in a plot: so many colours are there */

struct points {
    json_t *x, *y, *low, *high, *labels;
};

static struct points points_create(void)
{
    return (struct points){json_array(), json_array(), json_array(), json_array(), json_array()};
}

static json_t *real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static void point(struct points *p, double x, const struct stats_interval *y, const char *label)
{
    json_array_append_new(p->x, real(x));
    json_array_append_new(p->y, real(y->median));
    json_array_append_new(p->low, real(y->low));
    json_array_append_new(p->high, real(y->high));
    json_array_append_new(p->labels, json_string(label ? label : ""));
}

/* Takes the points. `kind`: "line", "points" or "curve"; a line has no intervals. */
static void add_series(json_t *plot, const char *name, const char *kind, struct points p, bool labelled)
{
    bool line = strcmp(kind, "line") == 0;
    json_t *o = json_pack("{s:s, s:s, s:o, s:o}", "name", name, "kind", kind, "x", p.x, "y", p.y);
    if (!line) {
        json_object_set(o, "low", p.low);
        json_object_set(o, "high", p.high);
    }
    if (labelled)
        json_object_set(o, "labels", p.labels);
    json_decref(p.low);
    json_decref(p.high);
    json_decref(p.labels);
    if (json_array_size(p.x) > 0)
        json_array_append(json_object_get(plot, "series"), o);
    json_decref(o);
}

static json_t *plot_create(const char *id, const char *title, const char *reading, const char *x, const char *x_unit,
                           const char *y, const char *y_unit)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:[]}", "id", id, "title", title, "reading",
                     reading, "x", x, "x_unit", x_unit, "y", y, "y_unit", y_unit, "log_x", 1, "log_y", 1, "series");
}

/* Keeps a plot that has something to show. */
static void keep(json_t *plots, json_t *plot)
{
    if (json_array_size(json_object_get(plot, "series")) > 0)
        json_array_append(plots, plot);
    json_decref(plot);
}

/* ---- which entries ---- */

/* Somebody's own before those that the lab names. */
static int wish(const struct cost_run *run, const struct cost_name *who)
{
    const char *const *shown = run->request.suite->shown;
    if (!who->plugin)
        return 0;
    if (strstr(who->name, "(yours)"))
        return 2;
    for (; shown && *shown; shown++)
        if (strcmp(*shown, who->name) == 0)
            return 1;
    return run->request.suite->shown ? 0 : 1;
}

/* All where there are no more than a plot has colours; else those that are wished for most. */
static bool is_shown(const struct cost_run *run, const struct cost_name *who)
{
    uint32_t measured = 0, before = 0;
    int own = wish(run, who);
    for (uint32_t i = 0; i < run->names; i++) {
        int other = wish(run, &run->name[i]);
        measured += run->name[i].plugin != NULL;
        before += other > own || (other == own && &run->name[i] < who);
    }
    return who->plugin && (measured <= MOST_SHOWN || (own > 0 && before < MOST_SHOWN));
}

/* ---- growth ---- */

static void add_growth(const struct cost_run *run, const struct cost_operation *o, json_t *plots, bool instructions)
{
    char id[100], title[200], y[100];
    snprintf(id, sizeof id, "%s-%s", o->name, instructions ? "instructions" : "time");
    snprintf(title, sizeof title,
             instructions ? "Instructions of one %s, by number of %s" : "Time of one %s, by number of %s", o->name,
             o->size_name);
    snprintf(y, sizeof y, instructions ? "instructions" : "time");
    json_t *plot = plot_create(
        id, title,
        instructions
            ? "Counted by simulation, the same on every run; the lines are the laws that fit. A straight rise is a "
              "scan: ten times the size, ten times the work. Where there is no line, no law fits well enough."
            : "Measured here, one thread, steady state; the bars are 95 % intervals of the median. Where a curve "
              "leaves the one of its instructions, it waits for memory.",
        o->size_name, "", y, instructions ? "" : "ns");
    for (uint32_t w = 0; w < run->names; w++) {
        struct points p = points_create(), line = points_create();
        const struct cost_growth *g = NULL;
        for (uint32_t i = 0; i < run->growths; i++)
            g = run->growth[i].who == &run->name[w] && run->growth[i].operation == o ? &run->growth[i] : g;
        for (uint32_t i = 0; i < run->cells; i++) {
            const struct cost_cell *c = &run->cell[i];
            if (c->operation != o || c->who != &run->name[w] || c->threads != 1 || c->state != COMPARE_STEADY ||
                !is_shown(run, c->who))
                continue;
            double n = (double)c->size, counted = c->simulated[COUNTER_INSTRUCTIONS];
            struct stats_interval exact = {counted, counted, counted};
            if (isfinite(instructions ? counted : c->time.median))
                point(&p, n, instructions ? &exact : &c->time, NULL);
            if (instructions && g && g->growth.told && isfinite(counted)) {
                double fit = growth_at(g->growth.model, &g->growth.fit[g->growth.model], n);
                struct stats_interval at = {fit, fit, fit};
                point(&line, n, &at, NULL);
            }
        }
        char name[160] = "";
        if (g && json_array_size(line.x) > 1)
            snprintf(name, sizeof name, "%s, %s", run->name[w].name, growth_name(g->growth.model));
        add_series(plot, name, "line", line, false);
        add_series(plot, run->name[w].name, instructions ? "points" : "curve", p, false);
    }
    keep(plots, plot);
}

/* ---- bytes against time: where the caches end ---- */

static json_t *cache_marks(const struct cost_run *run)
{
    json_t *marks = json_array();
    for (unsigned level = 1; level <= topology_last_level(run->topology); level++) {
        uint64_t bytes = topology_data_cache(run->topology, level);
        char label[60];
        snprintf(label, sizeof label, bytes < 1 << 20 ? "L%u %.0f KiB" : "L%u %.0f MiB", level,
                 (double)bytes / (bytes < 1 << 20 ? 1 << 10 : 1 << 20));
        if (bytes)
            json_array_append_new(marks, json_pack("{s:f, s:s}", "x", (double)bytes, "label", label));
    }
    return marks;
}

static void add_bytes(const struct cost_run *run, const struct cost_operation *o, json_t *plots)
{
    char id[100], title[200];
    snprintf(id, sizeof id, "%s-bytes", o->name);
    snprintf(title, sizeof title, "Time of one %s, by bytes of state", o->name);
    json_t *plot =
        plot_create(id, title,
                    "The upright lines are this machine's caches. A curve that rises where it crosses one is "
                    "waiting for the next; one that rises between them does more work.",
                    "state", "bytes", "time", "ns");
    for (uint32_t w = 0; w < run->names; w++) {
        struct points p = points_create();
        for (uint32_t i = 0; i < run->cells; i++) {
            const struct cost_cell *c = &run->cell[i];
            if (c->operation == o && c->who == &run->name[w] && c->threads == 1 && c->state == COMPARE_STEADY &&
                is_shown(run, c->who) && isfinite(c->bytes) && c->bytes > 0)
                point(&p, c->bytes, &c->time, NULL);
        }
        add_series(plot, run->name[w].name, "curve", p, false);
    }
    json_object_set_new(plot, "marks", cache_marks(run));
    keep(plots, plot);
}

/* ---- quality against cost ---- */

/* Beaten: another is as good and as fast, and better in one of the two; faster counts where it is resolved. */
static bool on_front(const struct cost_run *run, uint32_t k, uint32_t w, const struct cost_cell *own)
{
    const struct cost_quality *q = &run->request.suite->quality[k];
    const double *quality = run->quality[k];
    for (uint32_t i = 0; i < run->names; i++) {
        const struct cost_cell *c = cost_find(run, q->operation, run->name[i].name, q->size, 1, COMPARE_STEADY);
        if (i != w && c && c->time.median <= own->time.median && quality[i] <= quality[w] &&
            (c->rank < own->rank || quality[i] < quality[w]))
            return false;
    }
    return true;
}

static void add_quality(const struct cost_run *run, uint32_t k, json_t *plots)
{
    const struct cost_quality *q = &run->request.suite->quality[k];
    struct points front = points_create(), others = points_create();
    char id[32], title[200], reading[400], time[100];
    snprintf(id, sizeof id, k ? "quality-%u" : "quality", k + 1);
    snprintf(
        reading, sizeof reading,
        "Left is cheap, down is good. An entry on the front is not beaten in both by any other; the others are. Times "
        "that can't be told apart count as equal. Time is measured here, the other is %s.",
        q->counted ? "counted" : "simulated");
    snprintf(time, sizeof time, "time of one %s", q->operation);
    const char *size_name = "";
    for (uint32_t i = 0; i < run->request.suite->operations; i++) {
        const struct cost_operation *o = &run->request.suite->operation[i];
        size_name = strcmp(o->name, q->operation) == 0 && o->size_name ? o->size_name : size_name;
    }
    snprintf(title, sizeof title, "%s against the %s (%llu %s)", q->name, time, (unsigned long long)q->size, size_name);
    json_t *plot = plot_create(id, title, reading, time, "ns", q->name, q->unit);
    for (uint32_t i = 0; i < run->names; i++) {
        const struct cost_cell *c = cost_find(run, q->operation, run->name[i].name, q->size, 1, COMPARE_STEADY);
        struct stats_interval y = {run->quality[k][i], run->quality[k][i], run->quality[k][i]};
        if (c && isfinite(c->time.median) && isfinite(y.median))
            point(on_front(run, k, i, c) ? &front : &others, c->time.median, &y, c->who->name);
    }
    add_series(plot, "on the front", "points", front, true);
    add_series(plot, "beaten in both", "points", others, true);
    keep(plots, plot);
}

/* ---- rates, and the limits that they stand under ---- */

static void add_limits(const struct cost_run *run, const struct cost_operation *o, unsigned threads, json_t *plot)
{
    static const char *const ids[] = {"flops-portable", "flops-avx2", "flops-avx512", "flops-amx"};
    for (size_t id = 0; id < COUNT(ids); id++) {
        struct points p = points_create();
        for (uint32_t i = 0; i < run->groups; i++) {
            const struct cost_group *g = &run->group[i];
            const struct cost_cell *c = &run->cell[g->first];
            for (uint32_t k = 0; k < g->limits; k++)
                if (c->operation == o && c->threads == threads && c->state == COMPARE_STEADY &&
                    strcmp(g->limit[k].id, ids[id]) == 0 && isfinite(g->limit[k].rate.median))
                    point(&p, (double)c->size, &g->limit[k].rate, NULL);
        }
        char name[60];
        snprintf(name, sizeof name, "limit: %s", ids[id]);
        add_series(plot, name, "line", p, false);
    }
}

static void add_rates(const struct cost_run *run, const struct cost_operation *o, unsigned threads, json_t *plots)
{
    char id[100], title[200];
    snprintf(id, sizeof id, threads > 1 ? "%s-rate-%u" : "%s-rate", o->name, threads);
    snprintf(title, sizeof title, "Rate of %s on %u thread%s, by number of %s", o->name, threads,
             threads > 1 ? "s" : "", o->size_name);
    json_t *plot = plot_create(
        id, title,
        "Measured here; the bars are 95 % intervals of the median. The lines are limits of this machine: loops that do "
        "nothing else, timed in the same rounds. A curve that is flat has nothing to gain from longer input; how far "
        "it "
        "lies below its line is what is left to gain.",
        o->size_name, "", "rate", o->rate);
    add_limits(run, o, threads, plot);
    for (uint32_t w = 0; w < run->names; w++) {
        struct points p = points_create();
        for (uint32_t i = 0; i < run->cells; i++) {
            const struct cost_cell *c = &run->cell[i];
            if (c->operation == o && c->who == &run->name[w] && c->threads == threads && c->state == COMPARE_STEADY &&
                isfinite(c->rate.median) && (o->parts || is_shown(run, c->who)))
                point(&p, (double)c->size, &c->rate, NULL);
        }
        add_series(plot, run->name[w].name, "curve", p, false);
    }
    keep(plots, plot);
}

/* Is there a curve to draw? */
static bool has_sizes(const struct cost_run *run, const struct cost_operation *o)
{
    uint64_t sizes[COST_LIST];
    cost_sizes_seen(run, o, sizes);
    return sizes[0] && sizes[1];
}

/* ---- parts by threads ---- */

static void add_threads(const struct cost_run *run, const struct cost_operation *o, json_t *plots)
{
    char id[100], title[200], reading[1000];
    snprintf(id, sizeof id, "%s-threads", o->name);
    snprintf(reading, sizeof reading, "One %s: %s", o->name, o->what);
    snprintf(title, sizeof title, "Time of one %s, by number of threads", o->name);
    json_t *plot = plot_create(id, title, reading, "threads", "", "time in each thread", "ns");
    json_object_set_new(plot, "log_x", json_false());
    for (uint32_t w = 0; w < run->names; w++) {
        struct points p = points_create();
        for (uint32_t i = 0; i < run->cells; i++) {
            const struct cost_cell *c = &run->cell[i];
            if (c->operation == o && c->who == &run->name[w] && c->state == COMPARE_STEADY && c->timed)
                point(&p, c->threads, &c->time, NULL);
        }
        add_series(plot, run->name[w].name, "curve", p, false);
    }
    keep(plots, plot);
}

json_t *cost_plots(const struct cost_run *run)
{
    json_t *plots = json_array();
    const struct cost_suite *suite = run->request.suite;
    for (uint32_t k = 0; k < suite->qualities; k++)
        add_quality(run, k, plots);
    for (uint32_t i = 0; i < suite->operations; i++) {
        const struct cost_operation *o = &suite->operation[i];
        if (!text_listed(run->request.operations, o->name))
            continue;
        if (!o->parts && o->size_name && o->simulated) {
            add_growth(run, o, plots, false);
            add_growth(run, o, plots, true);
            add_bytes(run, o, plots);
        }
        for (const unsigned *threads = o->threads; o->rate && has_sizes(run, o) && *threads; threads++)
            add_rates(run, o, *threads, plots);
        if (o->parts && !o->rate && o->threads[0] && o->threads[1])
            add_threads(run, o, plots);
    }
    return plots;
}
