/* print_rates.c: rates for a person at a terminal: how fast, how close to the limit, how close to the one that it is
 * measured against. Below the entries stand the limits, as they came out in the same rounds. */
#include "cost/internal.h"

#include "report/number.h"
#include "report/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put(struct table *t, const struct stats_interval *i, const char *mark)
{
    char out[NUMBER_TEXT];
    if (isfinite(i->median))
        table_cell(t, "%s%s", number_text(out, i->median, fmax(i->high - i->low, 0.01 * i->median)), mark);
    else
        table_cell(t, "n/a");
}

/* In whole per cents, or tenths where it is known so well. */
static void put_share(struct table *t, const struct stats_interval *i)
{
    if (isfinite(i->median))
        table_cell(t, i->high - i->low < 1 ? "%.1f" : "%.0f", i->median);
    else
        table_cell(t, "%s", "");
}

static const struct cost_group *group_of(const struct cost_run *run, const struct cost_operation *o, uint64_t size,
                                         unsigned threads, enum compare_state state)
{
    for (uint32_t i = 0; i < run->groups; i++) {
        const struct cost_cell *c = &run->cell[run->group[i].first];
        if (c->operation == o && c->size == size && c->threads == threads && c->state == state)
            return &run->group[i];
    }
    return NULL;
}

static void put_columns(struct table *t, const struct cost_operation *o, const uint64_t *sizes, bool limits)
{
    char header[80];
    table_column(t, o->parts ? "part" : "entry", TABLE_LEFT);
    for (size_t s = 0; sizes[s]; s++) {
        snprintf(header, sizeof header, "%llu", (unsigned long long)sizes[s]);
        table_column(t, o->size_name ? header : o->rate, TABLE_POINT);
        if (limits)
            table_column(t, "% of limit", TABLE_POINT);
        snprintf(header, sizeof header, "%% of %s", o->against ? o->against : "");
        if (o->against)
            table_column(t, header, TABLE_POINT);
    }
    if (limits)
        table_column(t, "limit", TABLE_LEFT);
}

static void put_entry(struct table *t, const struct cost_run *run, const struct cost_operation *o,
                      const struct cost_name *who, const uint64_t *sizes, unsigned threads, enum compare_state state,
                      bool limits)
{
    static const struct stats_interval nothing = {NAN, NAN, NAN};
    const char *limit = "";
    table_cell(t, "%s", who->name);
    for (size_t s = 0; sizes[s]; s++) {
        const struct cost_cell *c = cost_find(run, o->name, who->name, sizes[s], threads, state);
        const struct cost_group *g = group_of(run, o, sizes[s], threads, state);
        put(t, c ? &c->rate : &nothing, c && c->rank == 1 ? "*" : "");
        if (limits)
            put_share(t, c ? &c->share : &nothing);
        if (o->against)
            put_share(t, c ? &c->against : &nothing);
        if (c && c->limit >= 0)
            limit = g->limit[c->limit].id;
    }
    if (limits)
        table_cell(t, "%s", limit);
}

/* The limits of all sizes, each once. */
static uint32_t limits_seen(const struct cost_run *run, const struct cost_operation *o, const uint64_t *sizes,
                            unsigned threads, enum compare_state state, const char **id)
{
    uint32_t n = 0;
    for (size_t s = 0; sizes[s]; s++) {
        const struct cost_group *g = group_of(run, o, sizes[s], threads, state);
        for (uint32_t k = 0; g && k < g->limits; k++) {
            bool have = n == COST_LIMITS;
            for (uint32_t i = 0; i < n; i++)
                have = have || strcmp(id[i], g->limit[k].id) == 0;
            if (!have)
                id[n++] = g->limit[k].id;
        }
    }
    return n;
}

static void put_limit(struct table *t, const struct cost_run *run, const struct cost_operation *o, const char *id,
                      const uint64_t *sizes, unsigned threads, enum compare_state state)
{
    static const struct stats_interval nothing = {NAN, NAN, NAN};
    table_cell(t, "%s", id);
    for (size_t s = 0; sizes[s]; s++) {
        const struct cost_group *g = group_of(run, o, sizes[s], threads, state);
        const struct stats_interval *rate = &nothing;
        for (uint32_t k = 0; g && k < g->limits; k++)
            rate = strcmp(id, g->limit[k].id) == 0 ? &g->limit[k].rate : rate;
        put(t, rate, "");
        table_cell(t, "%s", "");
        if (o->against)
            table_cell(t, "%s", "");
    }
    table_cell(t, "a limit");
}

void cost_print_rates(const struct cost_run *run, const struct cost_operation *o, unsigned threads,
                      enum compare_state state)
{
    uint64_t sizes[COST_LIST];
    const char *id[COST_LIMITS];
    struct table *t = table_create();
    cost_sizes_seen(run, o, sizes);
    uint32_t limits = limits_seen(run, o, sizes, threads, state, id);
    cost_print_title(o, o->rate, threads, state);
    put_columns(t, o, sizes, limits > 0);
    for (uint32_t w = 0; w < run->names; w++)
        if (cost_takes_part(run, o, &run->name[w]))
            put_entry(t, run, o, &run->name[w], sizes, threads, state, limits > 0);
    if (limits)
        table_rule(t);
    for (uint32_t i = 0; i < limits; i++)
        put_limit(t, run, o, id[i], sizes, threads, state);
    table_print(stdout, t, 0);
    table_destroy(t);
}
