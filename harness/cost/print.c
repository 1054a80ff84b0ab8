/* The result for a person at a terminal: a table of times by size, one of counters at one size, growth, the parts. */
#include "cost/internal.h"

#include "base/memory.h"
#include "base/terminal.h"
#include "base/text.h"
#include "report/number.h"
#include "report/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void heading(const char *text)
{
    printf("\n%s%s%s\n", terminal_style(STYLE_BOLD), text, terminal_style(STYLE_PLAIN));
}

static void number_cell(struct table *t, double v, double spread)
{
    char out[NUMBER_TEXT];
    table_cell(t, "%s", isfinite(v) ? number_text(out, v, spread) : "n/a");
}

/* A star for the fastest and those that can't be told from it. */
static void time_cell(struct table *t, const struct cost_cell *c, bool starred)
{
    char out[NUMBER_TEXT];
    if (!c || !c->timed)
        table_cell(t, "n/a");
    else
        table_cell(t, "%s%s", number_text(out, c->time.median, fmax(c->time.high - c->time.low, 0.02 * c->time.median)),
                   starred && c->rank == 1 ? "*" : "");
}

static const struct cost_cell *cell_of(const struct cost_run *run, const struct cost_operation *o,
                                       const struct cost_name *who, uint64_t size, unsigned threads,
                                       enum compare_state state)
{
    return cost_find(run, o->name, who->name, size, threads, state);
}

/* The sizes that were measured, rising, ending with 0. */
void cost_sizes_seen(const struct cost_run *run, const struct cost_operation *o, uint64_t out[COST_LIST])
{
    size_t n = 0;
    for (uint32_t i = 0; i < run->cells; i++) {
        const struct cost_cell *c = &run->cell[i];
        bool have = c->operation != o;
        for (size_t k = 0; k < n; k++)
            have = have || out[k] == c->size;
        if (!have && n + 1 < COST_LIST)
            out[n++] = c->size;
    }
    out[n] = 0;
}

static bool has(const struct cost_run *run, const struct cost_operation *o, unsigned threads, enum compare_state state)
{
    for (uint32_t i = 0; i < run->cells; i++)
        if (run->cell[i].operation == o && run->cell[i].threads == threads && run->cell[i].state == state)
            return true;
    return false;
}

bool cost_takes_part(const struct cost_run *run, const struct cost_operation *o, const struct cost_name *who)
{
    for (uint32_t i = 0; i < run->cells; i++)
        if (run->cell[i].operation == o && run->cell[i].who == who)
            return true;
    return false;
}

/* ---- times by size ---- */

/* Why cells of a table have no figure, each reason once. */
static void print_reasons(const struct cost_run *run, const struct cost_operation *o, unsigned threads,
                          enum compare_state state)
{
    const char *last = "";
    for (uint32_t i = 0; i < run->cells; i++) {
        const struct cost_cell *c = &run->cell[i];
        if (c->operation != o || c->threads != threads || c->state != state || c->timed || c->who->refused[0] ||
            strcmp(c->reason, last) == 0)
            continue;
        printf("n/a: %s\n", c->reason);
        last = c->reason;
    }
}

/* What a table is of: "pick: ns each, by the clock, by number of backends, steady, 2 threads, a balancer for each". */
void cost_print_title(const struct cost_operation *o, const char *unit, unsigned threads, enum compare_state state)
{
    char title[400];
    snprintf(title, sizeof title, "%s: %s, by the clock%s%s, %s, %u thread%s%s%s", o->name, unit,
             o->size_name ? ", by number of " : "", o->size_name ? o->size_name : "", compare_state_name(state),
             threads, threads > 1 ? "s" : "", threads > 1 && o->threads_what ? ", " : "",
             threads > 1 && o->threads_what ? o->threads_what : "");
    heading(title);
}

static void print_times(const struct cost_run *run, const struct cost_operation *o, unsigned threads,
                        enum compare_state state)
{
    uint64_t sizes[COST_LIST];
    struct table *t = table_create();
    char header[60];
    cost_sizes_seen(run, o, sizes);
    cost_print_title(o, "ns each", threads, state);
    table_column(t, o->parts ? "part" : "entry", TABLE_LEFT);
    for (size_t s = 0; sizes[s]; s++) {
        snprintf(header, sizeof header, o->size_name ? "%llu" : "ns", (unsigned long long)sizes[s]);
        table_column(t, header, TABLE_POINT);
    }
    for (uint32_t w = 0; w < run->names; w++) {
        if (!cost_takes_part(run, o, &run->name[w]))
            continue;
        table_cell(t, "%s", run->name[w].name);
        for (size_t s = 0; sizes[s]; s++) {
            const struct cost_cell *c = cell_of(run, o, &run->name[w], sizes[s], threads, state);
            time_cell(t, c, true);
        }
    }
    table_print(stdout, t, 0);
    table_destroy(t);
}

/* ---- counters at one size ---- */

static enum counter_source source_at(const struct cost_run *run, const struct cost_operation *o, uint64_t size, int id)
{
    for (uint32_t i = 0; i < run->cells; i++) {
        const struct cost_cell *c = &run->cell[i];
        if (c->operation != o || c->size != size || c->threads != 1 || c->state != COMPARE_STEADY)
            continue;
        if (isfinite(c->live[id].median))
            return counters_choice(run->counters, (enum counter_id)id)->source;
        if (isfinite(c->simulated[id]))
            return SOURCE_SIMULATED;
    }
    return SOURCE_NONE;
}

static void counter_cell(struct table *t, const struct cost_cell *c, int id, enum counter_source source)
{
    double v = !c ? NAN : source == SOURCE_SIMULATED ? c->simulated[id] : c->live[id].median;
    number_cell(t, v, 0.02 * fabs(v));
}

static void print_counters(const struct cost_run *run, const struct cost_operation *o, uint64_t size)
{
    char title[200], header[80];
    struct table *t = table_create();
    enum counter_source source[COUNTERS];
    snprintf(title, sizeof title, "%s: counted, each, at %llu %s, 1 thread (h hardware, w software, s simulated)",
             o->name, (unsigned long long)size, o->size_name ? o->size_name : "");
    heading(title);
    table_column(t, "entry", TABLE_LEFT);
    table_column(t, "ns", TABLE_POINT);
    for (int id = 0; id < COUNTERS; id++) {
        /* Switches are a sign of noise, and stand with it. */
        source[id] = counter_info[id].group == GROUP_SWITCHES ? SOURCE_NONE : source_at(run, o, size, id);
        if (source[id] == SOURCE_NONE)
            continue;
        snprintf(header, sizeof header, "%s %c", counter_info[id].brief, "-hws"[source[id]]);
        table_column(t, header, TABLE_POINT);
    }
    table_column(t, "bytes", TABLE_RIGHT);
    for (uint32_t w = 0; w < run->names; w++) {
        const struct cost_cell *c = cell_of(run, o, &run->name[w], size, 1, COMPARE_STEADY);
        if (!c)
            continue;
        char bytes[TEXT_NUMBER];
        table_cell(t, "%s", run->name[w].name);
        time_cell(t, c, false);
        for (int id = 0; id < COUNTERS; id++)
            if (source[id] != SOURCE_NONE)
                counter_cell(t, c, id, source[id]);
        table_cell(t, "%s", isfinite(c->bytes) ? text_bytes(bytes, c->bytes) : "n/a");
    }
    table_print(stdout, t, 0);
    table_destroy(t);
}

static void print_missing(const struct cost_run *run)
{
    const char *last = "";
    for (int id = 0; id < COUNTERS; id++) {
        const struct counter_choice *c = counters_choice(run->counters, (enum counter_id)id);
        bool simulated = counters_simulate(run->counters, (enum counter_id)id) && !run->callgrind_reason[0];
        if (c->source != SOURCE_NONE || simulated)
            continue;
        if (!*last)
            printf("n/a: ");
        printf("%s%s", *last ? ", " : "", counter_info[id].name);
        last = c->reason;
    }
    if (*last)
        printf(" (%s)\n", last);
    if (run->callgrind_reason[0])
        printf("nothing is simulated: %s\n", run->callgrind_reason);
    else
        printf("simulated caches: %s\n", run->caches.words);
}

/* ---- growth ---- */

static void print_growth(const struct cost_run *run)
{
    const char *why = "";
    if (run->growths == 0)
        return;
    struct table *t = table_create();
    heading("growth of the instructions with size");
    table_column(t, "entry", TABLE_LEFT);
    table_column(t, "grows like", TABLE_LEFT);
    table_column(t, "confidence %", TABLE_POINT);
    table_column(t, "off by %", TABLE_POINT);
    table_column(t, "largest / smallest", TABLE_POINT);
    for (uint32_t i = 0; i < run->growths; i++) {
        const struct growth *g = &run->growth[i].growth;
        table_cell(t, "%s", run->growth[i].who->name);
        table_cell(t, "%s", g->told ? growth_name(g->model) : "cannot tell");
        table_cell(t, "%.1f", 100 * g->confidence);
        table_cell(t, "%.1f", 100 * g->fit[g->model].residual);
        table_cell(t, "%.1f", g->times);
    }
    table_print(stdout, t, 0);
    table_destroy(t);
    for (uint32_t i = 0; i < run->growths; i++) {
        const struct growth *g = &run->growth[i].growth;
        if (!g->told && strcmp(g->why, why) != 0)
            printf("%s: cannot tell: %s\n", run->growth[i].who->name, g->why);
        why = g->told ? why : g->why;
    }
}

/* ---- noise ---- */

static void print_noise(const struct cost_run *run)
{
    double least = INFINITY, most = 0;
    uint32_t samples = 0, outliers = 0, unexplained = 0, explained[WITNESSES] = {0}, unsettled = 0, needed = 0;
    bool pinned = true;
    for (uint32_t i = 0; i < run->groups; i++) {
        const struct cost_group *g = &run->group[i];
        if (isfinite(g->floor)) {
            least = fmin(least, g->floor);
            most = fmax(most, g->floor);
        }
        unsettled += g->unsettled;
        needed = g->rounds_needed > needed ? g->rounds_needed : needed;
        pinned = pinned && (g->pinned || isnan(g->floor));
    }
    for (uint32_t i = 0; i < run->cells; i++) {
        samples += run->cell[i].samples;
        outliers += run->cell[i].outliers;
        unexplained += run->cell[i].unexplained;
        for (int k = 0; k < WITNESSES; k++)
            explained[k] += run->cell[i].explained[k];
    }
    if (most == 0)
        return;
    heading("how far to trust it");
    printf("floor (two copies of one entry, side by side): %.1f to %.1f %%; smaller differences are not claimed. "
           "* the fastest, and what can't be told from it\n",
           100 * least, 100 * most);
    printf("outliers: %u of %u samples", outliers, samples);
    for (int k = 0; k < WITNESSES; k++)
        if (explained[k])
            printf("; %u with %s", explained[k], witness_names[k]);
    printf("%s\n", unexplained ? "; the rest without a witness" : "");
    if (!pinned)
        puts("threads could not be bound to cores: expect more noise");
    if (needed)
        printf(
            "too few rounds to tell any two apart however far they are: %u are needed here; nothing is ranked in such "
            "a group\n",
            needed);
    if (unsettled)
        printf("%u group%s of two threads: the machine changed while they were timed (ping-pong before and after "
               "differ), so "
               "nothing is ranked\n",
               unsettled, unsettled > 1 ? "s" : "");
}

/* ---- baseline ---- */

static void print_baseline(const struct cost_run *run)
{
    size_t i;
    json_t *row;
    const json_t *b = run->baseline;
    heading("against the baseline");
    if (!json_is_true(json_object_get(b, "same_machine")))
        printf("another machine, so times are not compared: %s\n", json_string_value(json_object_get(b, "why")));
    if (!json_is_true(json_object_get(b, "same_build")))
        puts("another compiler, other flags or other simulated caches, so counts are not compared");
    struct table *t = table_create();
    static const char *const names[] = {"entry", "operation", "size", "threads", "state", "metric"};
    for (size_t k = 0; k < COUNT(names); k++)
        table_column(t, names[k], TABLE_LEFT);
    table_column(t, "now / before", TABLE_POINT);
    table_column(t, "verdict", TABLE_LEFT);
    uint32_t shown = 0;
    json_array_foreach(json_object_get(b, "rows"), i, row)
    {
        const char *verdict = json_string_value(json_object_get(row, "verdict"));
        if (strcmp(verdict, "same") == 0 || shown++ >= 40)
            continue;
        for (size_t k = 0; k < COUNT(names); k++) {
            const json_t *v = json_object_get(row, names[k]);
            if (json_is_string(v))
                table_cell(t, "%s", json_string_value(v));
            else
                table_cell(t, "%lld", (long long)json_integer_value(v));
        }
        const json_t *ratio = json_object_get(row, "ratio");
        if (json_is_number(ratio))
            table_cell(t, "%.3f", json_number_value(ratio));
        else
            table_cell(t, "n/a");
        table_cell(t, "%s", verdict);
    }
    if (shown)
        table_print(stdout, t, 0);
    table_destroy(t);
    printf("%lld figures compared: %lld regressed, %lld cannot tell%s\n",
           (long long)json_integer_value(json_object_get(b, "compared")),
           (long long)json_integer_value(json_object_get(b, "regressed")),
           (long long)json_integer_value(json_object_get(b, "cannot_tell")),
           shown > 40 ? " (the first 40 are shown)" : "");
}

static void print_refused(const struct cost_run *run)
{
    for (uint32_t i = 0; i < run->names; i++)
        if (run->name[i].refused[0])
            printf("%snot timed:%s %s: %s\n", terminal_style(STYLE_BAD), terminal_style(STYLE_PLAIN), run->name[i].name,
                   run->name[i].refused);
}

void cost_print(const struct cost_run *run)
{
    const struct cost_suite *suite = run->request.suite;
    for (uint32_t i = 0; i < suite->operations; i++) {
        const struct cost_operation *o = &suite->operation[i];
        uint64_t sizes[COST_LIST];
        cost_sizes_seen(run, o, sizes);
        if (!sizes[0])
            continue;
        printf("\n%s: %s\n", o->name, o->what);
        for (const unsigned *threads = o->threads; *threads; threads++)
            for (int state = COMPARE_STEADY; state <= COMPARE_COLD; state++)
                if (has(run, o, *threads, (enum compare_state)state)) {
                    (o->rate ? cost_print_rates : print_times)(run, o, *threads, (enum compare_state)state);
                    print_reasons(run, o, *threads, (enum compare_state)state);
                }
        size_t middle = 0;
        while (sizes[middle + 1] && sizes[middle] < 1000)
            middle++;
        if (!o->parts && has(run, o, 1, COMPARE_STEADY) && o->simulated)
            print_counters(run, o, sizes[middle]);
    }
    print_missing(run);
    print_growth(run);
    print_noise(run);
    print_refused(run);
    if (run->baseline)
        print_baseline(run);
}
