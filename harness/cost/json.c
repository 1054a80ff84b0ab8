/* The result as JSON (docs/measurement.md describes it) and as CSV. */
#include "cost/internal.h"

#include "base/memory.h"
#include "base/version.h"
#include "measure/machine.h"
#include "report/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const columns[] = {"lab",   "entry", "operation", "size", "threads", "state", "metric",
                                      "value", "low",   "high",      "unit", "source",  "reason"};
#define COLUMNS COUNT(columns)

static json_t *real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

/* ---- rows ---- */

static json_t *row_of(const struct cost_run *run, const struct cost_cell *c, const char *metric, const char *unit)
{
    return json_pack("{s:s#, s:s, s:s, s:I, s:i, s:s, s:s, s:s}", "lab", run->request.suite->lab_folder,
                     (int)strcspn(run->request.suite->lab_folder, "-"), "entry", c->who->name, "operation",
                     c->operation->name, "size", (json_int_t)c->size, "threads", (int)c->threads, "state",
                     compare_state_name(c->state), "metric", metric, "unit", unit);
}

/* A row with a value, its interval and its source; without a value, with the reason. */
static void add_row(json_t *rows, json_t *row, const struct stats_interval *i, enum counter_source source,
                    const char *source_name, const char *reason)
{
    if (isfinite(i->median)) {
        json_object_set_new(row, "value", json_real(i->median));
        json_object_set_new(row, "low", real(i->low));
        json_object_set_new(row, "high", real(i->high));
        json_object_set_new(row, "source", json_string(source_name ? source_name : counter_source_name(source)));
    } else {
        json_object_set_new(row, "source", json_string(counter_source_name(SOURCE_NONE)));
        json_object_set_new(row, "reason", json_string(reason && *reason ? reason : "not measured"));
    }
    json_array_append_new(rows, row);
}

static struct stats_interval exactly(double v)
{
    return (struct stats_interval){v, v, v};
}

static const char *why_not_simulated(const struct cost_run *run, const struct cost_cell *c, enum counter_id id)
{
    if (c->operation->elsewhere || c->operation->own_threads)
        return "its threads, or its processes, are its own";
    if (c->threads > 1)
        return "callgrind runs one thread after the other";
    if (!c->operation->simulated)
        return "this operation is not simulated";
    if (!counters_simulate(run->counters, id))
        return "callgrind does not know it";
    return *run->callgrind_reason ? run->callgrind_reason
                                  : "it can't be made under callgrind, which lacks some of the instructions";
}

static void counter_rows(const struct cost_run *run, const struct cost_cell *c, enum counter_id id, json_t *rows)
{
    const struct counter_choice *choice = counters_choice(run->counters, id);
    bool live = isfinite(c->live[id].median), simulated = isfinite(c->simulated[id]);
    char unit[40], reason[2 * COUNTER_REASON + 80];
    snprintf(unit, sizeof unit, "per operation");
    if (live)
        add_row(rows, row_of(run, c, counter_info[id].name, unit), &c->live[id], choice->source, NULL, NULL);
    if (simulated) {
        struct stats_interval exact = exactly(c->simulated[id]);
        add_row(rows, row_of(run, c, counter_info[id].name, unit), &exact, SOURCE_SIMULATED, NULL, NULL);
    }
    if (live || simulated)
        return;
    struct stats_interval none = exactly(NAN);
    const char *why = why_not_simulated(run, c, id);
    snprintf(reason, sizeof reason, "%s%ssimulated: %s", choice->reason, choice->reason[0] ? "; " : "", why);
    add_row(rows, row_of(run, c, counter_info[id].name, unit), &none, SOURCE_NONE, NULL, reason);
}

/* With a name in the unit: "% of flops-avx512". */
static void share_row(const struct cost_run *run, const struct cost_cell *c, const char *metric, const char *of,
                      const struct stats_interval *share, const char *reason, json_t *rows)
{
    char unit[64];
    snprintf(unit, sizeof unit, "%% of %s", of);
    add_row(rows, row_of(run, c, metric, unit), share, SOURCE_NONE, "measured", *c->reason ? c->reason : reason);
}

static void rate_rows(const struct cost_run *run, const struct cost_cell *c, json_t *rows)
{
    const struct cost_operation *o = c->operation;
    const struct cost_subject subject = cost_subject_of(run, c);
    const char *limit = o->limit ? o->limit(&subject) : NULL;
    add_row(rows, row_of(run, c, "rate", o->rate), &c->rate, SOURCE_NONE, "measured", c->reason);
    if (limit)
        share_row(run, c, "share", limit, &c->share, "that limit can't be measured here", rows);
    if (o->against && strcmp(o->against, c->who->entry) != 0)
        share_row(run, c, "against", o->against, &c->against, "it was not timed beside that one", rows);
}

static void cell_rows(const struct cost_run *run, const struct cost_cell *c, json_t *rows)
{
    const struct {
        const char *name;
        double value;
    } chunk[] = {{"p10", c->p10}, {"p50", c->p50}, {"p90", c->p90}};
    add_row(rows, row_of(run, c, "time", "ns"), &c->time, SOURCE_NONE, "measured", c->reason);
    for (size_t i = 0; i < COUNT(chunk) && c->timed; i++) {
        struct stats_interval v = exactly(chunk[i].value);
        add_row(rows, row_of(run, c, chunk[i].name, "ns"), &v, SOURCE_NONE, "measured", NULL);
    }
    if (c->operation->rate)
        rate_rows(run, c, rows);
    if (c->timed && isfinite(c->bytes) && c->threads == 1 && c->state == COMPARE_STEADY) {
        struct stats_interval v = exactly(c->bytes);
        add_row(rows, row_of(run, c, "bytes", "bytes"), &v, SOURCE_NONE, "counted", NULL);
    }
    for (int id = 0; id < COUNTERS && c->state == COMPARE_STEADY && !c->refused; id++)
        counter_rows(run, c, (enum counter_id)id, rows);
}

static void quality_rows(const struct cost_run *run, uint32_t k, json_t *rows)
{
    const struct cost_quality *q = &run->request.suite->quality[k];
    for (uint32_t i = 0; i < run->names; i++) {
        struct cost_cell *c = cost_find(run, q->operation, run->name[i].name, q->size, 1, COMPARE_STEADY);
        struct stats_interval v = exactly(run->quality[k][i]);
        if (c && isfinite(v.median))
            add_row(rows, row_of(run, c, q->name, q->unit), &v, q->counted ? SOURCE_NONE : SOURCE_SIMULATED,
                    q->counted ? "counted" : NULL, NULL);
    }
}

static json_t *rows_json(const struct cost_run *run)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; i < run->cells; i++)
        cell_rows(run, &run->cell[i], rows);
    for (uint32_t k = 0; k < run->request.suite->qualities; k++)
        quality_rows(run, k, rows);
    return rows;
}

/* ---- the rest ---- */

static json_t *witnesses_json(const uint64_t value[WITNESSES])
{
    json_t *o = json_object();
    for (int k = 0; k < WITNESSES; k++)
        json_object_set_new(o, witness_names[k], json_integer((json_int_t)value[k]));
    return o;
}

static json_t *ranking_json(const struct cost_run *run, const struct cost_group *g)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < g->cells; i++) {
        const struct cost_cell *c = &run->cell[g->first + i];
        uint64_t explained[WITNESSES];
        if (!c->timed)
            continue;
        for (int k = 0; k < WITNESSES; k++)
            explained[k] = c->explained[k];
        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:i, s:i, s:i, s:o}", "entry", c->who->name, "rank", (int)c->rank,
                                        "samples", (int)c->samples, "outliers", (int)c->outliers, "unexplained",
                                        (int)c->unexplained, "explained", witnesses_json(explained)));
    }
    return list;
}

static json_t *limits_json(const struct cost_group *g, const char *unit)
{
    json_t *list = json_array();
    for (uint32_t k = 0; k < g->limits; k++) {
        const struct cost_limit *l = &g->limit[k];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "id", l->id, "unit", unit, "value",
                                              real(l->rate.median), "low", real(l->rate.low), "high",
                                              real(l->rate.high), "best", real(l->best)));
    }
    return list;
}

static json_t *groups_json(const struct cost_run *run)
{
    json_t *groups = json_array();
    for (uint32_t i = 0; i < run->groups; i++) {
        const struct cost_group *g = &run->group[i];
        const struct cost_cell *c = &run->cell[g->first];
        json_t *o = json_pack("{s:s, s:I, s:i, s:s, s:s, s:b, s:b}", "operation", c->operation->name, "size",
                              (json_int_t)c->size, "threads", (int)c->threads, "state", compare_state_name(c->state),
                              "place", g->place, "pinned", g->pinned, "unsettled", g->unsettled);
        if (g->rounds_needed)
            json_object_set_new(o, "rounds_needed", json_integer((json_int_t)g->rounds_needed));
        json_object_set_new(o, "floor", real(g->floor));
        json_object_set_new(o, "yardstick_ns", real(g->yardstick));
        json_object_set_new(o, "ping_pong_before_ns", real(g->ping_before));
        json_object_set_new(o, "ping_pong_after_ns", real(g->ping_after));
        json_object_set_new(o, "witnesses", witnesses_json(g->witness));
        json_object_set_new(o, "ranking", ranking_json(run, g));
        if (c->operation->rate)
            json_object_set_new(o, "limits", limits_json(g, c->operation->rate));
        json_array_append_new(groups, o);
    }
    return groups;
}

static json_t *growths_json(const struct cost_run *run)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < run->growths; i++) {
        const struct cost_growth *g = &run->growth[i];
        json_t *o = json_pack("{s:s, s:s, s:s, s:b, s:s}", "entry", g->who->name, "operation", g->operation->name,
                              "metric", "instructions", "told", g->growth.told, "why", g->growth.why);
        json_t *fits = json_object();
        if (g->growth.told)
            json_object_set_new(o, "model", json_string(growth_name(g->growth.model)));
        json_object_set_new(o, "confidence", real(g->growth.confidence));
        json_object_set_new(o, "times", real(g->growth.times));
        for (int m = 0; m < GROWTH_MODELS; m++) {
            const struct growth_fit *f = &g->growth.fit[m];
            json_object_set_new(
                fits, growth_name((enum growth_model)m),
                json_pack("{s:f, s:f, s:f, s:f}", "a", f->a, "b", f->b, "residual", f->residual, "weight", f->weight));
        }
        json_object_set_new(o, "fits", fits);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *counters_json(const struct cost_run *run)
{
    json_t *list = json_array();
    for (int id = 0; id < COUNTERS; id++) {
        const struct counter_choice *c = counters_choice(run->counters, (enum counter_id)id);
        const struct counter_group_info *g = &counter_group_info[counter_info[id].group];
        bool simulated = counters_simulate(run->counters, (enum counter_id)id) && !run->callgrind_reason[0];
        enum counter_source source = c->source == SOURCE_NONE && simulated ? SOURCE_SIMULATED : c->source;
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "name", counter_info[id].name, "what",
                                        counter_info[id].what, "group", g->name, "source", counter_source_name(source),
                                        "simulated", simulated, "reason", c->reason));
    }
    return list;
}

static json_t *readings_json(void)
{
    json_t *list = json_array();
    for (int g = 0; g < COUNTER_GROUPS; g++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "group", counter_group_info[g].name, "title",
                                              counter_group_info[g].title, "reading", counter_group_info[g].reading));
    return list;
}

static json_t *operations_json(const struct cost_run *run)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < run->request.suite->operations; i++) {
        const struct cost_operation *o = &run->request.suite->operation[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "name", o->name, "what", o->what,
                                              "size_name", o->size_name ? o->size_name : "", "threads_what",
                                              o->threads_what ? o->threads_what : "", "parts", o->parts, "rate",
                                              o->rate ? o->rate : "", "against", o->against ? o->against : ""));
    }
    return list;
}

json_t *cost_json(const struct cost_run *run)
{
    const struct cost_suite *suite = run->request.suite;
    json_t *o = json_object();
    json_object_set_new(o, "faultline", json_string(version_text));
    json_object_set_new(o, "format", json_integer(1));
    json_object_set_new(o, "lab", json_stringn(suite->lab_folder, strcspn(suite->lab_folder, "-")));
    json_object_set_new(o, "seed", json_integer((json_int_t)run->request.seed));
    json_object_set_new(o, "machine", machine_describe());
    json_object_set_new(o, "simulated_caches", json_string(run->callgrind_reason[0] ? "" : run->caches.words));
    json_object_set_new(o, "callgrind", json_string(run->callgrind_reason));
    json_object_set_new(o, "operations", operations_json(run));
    json_object_set_new(o, "counters", counters_json(run));
    json_object_set_new(o, "readings", readings_json());
    json_object_set_new(o, "rows", rows_json(run));
    json_object_set_new(o, "groups", groups_json(run));
    json_object_set_new(o, "growth", growths_json(run));
    json_object_set_new(o, "plots", cost_plots(run));
    if (run->baseline)
        json_object_set(o, "baseline", run->baseline);
    json_object_set_new(o, "seconds", json_real(run->seconds));
    return o;
}

/* ---- CSV ---- */

int cost_write_csv(const struct cost_run *run, const json_t *json, const char *path, struct error *err)
{
    struct table *t = table_create();
    char *data = NULL;
    size_t size = 0, i;
    json_t *row;
    FILE *out = open_memstream(&data, &size);
    (void)run;
    if (!out)
        return error_set(err, -12, "out of memory");
    for (size_t c = 0; c < COLUMNS; c++)
        table_column(t, columns[c], TABLE_LEFT);
    json_array_foreach(json_object_get(json, "rows"), i, row)
    {
        for (size_t c = 0; c < COLUMNS; c++) {
            const json_t *v = json_object_get(row, columns[c]);
            if (json_is_string(v))
                table_cell(t, "%s", json_string_value(v));
            else if (json_is_integer(v))
                table_cell(t, "%lld", (long long)json_integer_value(v));
            else if (json_is_real(v))
                table_cell(t, "%.9g", json_real_value(v));
            else
                table_cell(t, "%s", "");
        }
    }
    table_write_csv(out, t);
    table_destroy(t);
    fclose(out);
    int code = file_write(path, data, size, err);
    free(data);
    return code;
}
