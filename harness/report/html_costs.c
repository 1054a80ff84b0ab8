/* html_costs.c: what a lab's operations cost: for each operation its sentence and the times of all entries.
 *
 * A cell is a median with its interval below it. What can't be told from the fastest of its column carries a mark and a
 * word; what was not timed carries the number of a reason that stands below the table. Wide tables scroll in a box of
 * their own, the names staying where they are.
 */
#include "report/html_costs.h"

#include "base/memory.h"
#include "base/text.h"
#include "report/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_COLUMNS 24

/* ---- looking things up ---- */

bool costs_is_at(const json_t *o, const struct cost_at *at)
{
    return json_integer_value(json_object_get(o, "size")) == at->size &&
           json_integer_value(json_object_get(o, "threads")) == at->threads &&
           strcmp(html_member(o, "operation"), at->operation) == 0 && strcmp(html_member(o, "state"), at->state) == 0;
}

const json_t *costs_row(const json_t *costs, const struct cost_at *at, const char *entry, const char *metric,
                        const char *source)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(costs, "rows"), i, row)
    {
        if (costs_is_at(row, at) && strcmp(html_member(row, "metric"), metric) == 0 &&
            strcmp(html_member(row, "entry"), entry) == 0 &&
            (!source || strcmp(html_member(row, "source"), source) == 0))
            return row;
    }
    return NULL;
}

const json_t *costs_group(const json_t *costs, const struct cost_at *at)
{
    size_t i;
    json_t *group;
    json_array_foreach(json_object_get(costs, "groups"), i, group)
    {
        if (costs_is_at(group, at))
            return group;
    }
    return NULL;
}

json_t *costs_values(const json_t *costs, const char *operation, const char *metric, const char *field)
{
    json_t *values = json_array(), *row, *seen;
    size_t i, k;
    json_array_foreach(json_object_get(costs, "rows"), i, row)
    {
        json_t *value = json_object_get(row, field);
        bool have = !value || strcmp(html_member(row, "operation"), operation) != 0 ||
                    strcmp(html_member(row, "metric"), metric) != 0;
        for (k = 0; !have && (seen = json_array_get(values, k)); k++)
            have = json_equal(seen, value);
        if (!have)
            json_array_append(values, value);
    }
    return values;
}

/* ---- notes ---- */

struct cost_notes notes_create(void)
{
    return (struct cost_notes){json_array()};
}

size_t notes_number(struct cost_notes *notes, const char *reason)
{
    size_t i;
    json_t *known;
    json_array_foreach(notes->reasons, i, known)
    {
        if (strcmp(json_string_value(known), reason) == 0)
            return i + 1;
    }
    json_array_append_new(notes->reasons, json_string(reason));
    return json_array_size(notes->reasons);
}

void notes_put(FILE *out, struct cost_notes *notes)
{
    size_t i;
    json_t *reason;
    if (json_array_size(notes->reasons) > 0)
        fputs("<ol class=\"notes\">\n", out);
    json_array_foreach(notes->reasons, i, reason)
    {
        html_put(out, "<li>", json_string_value(reason), "</li>\n");
    }
    if (json_array_size(notes->reasons) > 0)
        fputs("</ol>\n", out);
    json_decref(notes->reasons);
}

/* ---- tables and cells ---- */

void costs_open_table(FILE *out, const char *class)
{
    fprintf(out,
            "<p class=\"sideways\">\u2194 scrolls sideways where it is wider than the screen</p>\n<div class=\"wide\" "
            "tabindex=\"0\">\n"
            "<table class=\"cost %s\">\n",
            class);
}

void costs_close_table(FILE *out)
{
    fputs("</tbody>\n</table>\n</div>\n", out);
}

void costs_put_number(FILE *out, double value, double spread)
{
    char number[NUMBER_TEXT];
    fputs(number_text(number, value, spread), out);
}

void costs_put_na(FILE *out, struct cost_notes *notes, const char *reason)
{
    fprintf(out, "n/a<sup>%zu</sup>", notes_number(notes, *reason ? reason : "not measured"));
}

void costs_put_source(FILE *out, const char *source)
{
    static const char *const sources[][3] = {
        {"hardware", "hw", "read from the processor's counters"},  {"software", "sw", "counted by the kernel"},
        {"simulated", "sim", "counted by simulation (callgrind)"}, {"measured", "timed", "measured with a clock"},
        {"counted", "count", "counted by the program itself"},
    };
    for (size_t i = 0; i < COUNT(sources); i++)
        if (strcmp(source, sources[i][0]) == 0) {
            fprintf(out, " <abbr title=\"%s: %s\">%s</abbr>", source, sources[i][2], sources[i][1]);
            return;
        }
    html_put(out, " <abbr>", source, "</abbr>");
}

/* ---- times ---- */

static json_int_t rank_of(const json_t *group, const char *entry, unsigned *first)
{
    size_t i;
    json_int_t rank = 0;
    json_t *o;
    *first = 0;
    json_array_foreach(json_object_get(group, "ranking"), i, o)
    {
        json_int_t r = json_integer_value(json_object_get(o, "rank"));
        *first += r == 1;
        if (strcmp(html_member(o, "entry"), entry) == 0)
            rank = r;
    }
    return rank;
}

static void put_time(FILE *out, const json_t *costs, const struct cost_at *at, const char *entry,
                     struct cost_notes *notes)
{
    const json_t *row = costs_row(costs, at, entry, "time", NULL), *group = costs_group(costs, at);
    double value = number_of(json_object_get(row, "value")), low = number_of(json_object_get(row, "low")),
           high = number_of(json_object_get(row, "high"));
    double spread = fmax(high - low, 0.02 * value);
    unsigned first;
    bool best = rank_of(group, entry, &first) == 1 && !json_is_true(json_object_get(group, "unsettled"));
    fprintf(out, "<td class=\"n%s\">", best ? " first" : "");
    if (!isfinite(value)) {
        costs_put_na(out, notes, row ? html_member(row, "reason") : "not asked for");
    } else {
        fputs(best ? "<b>\u25c6\u00a0" : "<b>", out);
        costs_put_number(out, value, spread);
        fputs("</b>", out);
        if (high > low) {
            fputs("<small>", out);
            costs_put_number(out, low, spread);
            fputs("\u2013", out);
            costs_put_number(out, high, spread);
            fputs("</small>", out);
        }
        if (best)
            fputs(first > 1 ? "<small class=\"word\">or as fast</small>" : "<small class=\"word\">fastest</small>",
                  out);
    }
    fputs("</td>", out);
}

struct columns {
    struct cost_at at[MOST_COLUMNS];
    size_t n;
    bool by_size; /* each column is a size; else each is a number of threads and a state */
};

static void put_words(FILE *out, const struct cost_at *at)
{
    fprintf(out, "%lld thread%s, ", (long long)at->threads, at->threads == 1 ? "" : "s");
    html_put(out, "", at->state, "");
}

static void put_size(FILE *out, json_int_t size)
{
    char number[TEXT_NUMBER];
    fputs(text_count(number, (uint64_t)size), out);
}

static void put_times_head(FILE *out, const json_t *costs, const json_t *operation, const struct columns *c,
                           struct cost_notes *notes)
{
    const char *size_name = html_member(operation, "size_name");
    fprintf(out, "<thead><tr><th scope=\"col\" rowspan=\"2\">%s</th><th scope=\"colgroup\" colspan=\"%zu\">",
            json_is_true(json_object_get(operation, "parts")) ? "part" : "entry", c->n);
    html_put(out, "ns for one ", html_member(operation, "name"), "");
    if (c->by_size && *size_name)
        html_put(out, ", by number of ", size_name, "");
    fputs("</th></tr>\n<tr>", out);
    for (size_t i = 0; i < c->n; i++) {
        fputs("<th scope=\"col\" class=\"n\">", out);
        if (c->by_size && *size_name)
            put_size(out, c->at[i].size);
        else
            put_words(out, &c->at[i]);
        if (json_is_true(json_object_get(costs_group(costs, &c->at[i]), "unsettled")))
            fprintf(out, "<sup>%zu</sup>",
                    notes_number(notes, "not ranked: the machine changed while these were timed"));
        if (json_object_get(costs_group(costs, &c->at[i]), "rounds_needed"))
            fprintf(out, "<sup>%zu</sup>", notes_number(notes, "not ranked: too few rounds to tell any two apart"));
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
}

static void put_times(FILE *out, const json_t *costs, const json_t *operation, const json_t *entries,
                      const struct columns *c)
{
    size_t k;
    json_t *entry;
    struct cost_notes notes = notes_create();
    const char *threads_what = html_member(operation, "threads_what");
    costs_open_table(out, "times");
    fputs("<caption>", out);
    if (c->by_size) {
        put_words(out, &c->at[0]);
        html_put(out, c->at[0].threads > 1 && *threads_what ? ": " : "", c->at[0].threads > 1 ? threads_what : "", "");
    } else if (*html_member(operation, "size_name")) {
        put_size(out, c->at[0].size);
        html_put(out, " ", html_member(operation, "size_name"), "");
        html_put(out, *threads_what ? "; several threads: " : "", threads_what, "");
    } else {
        html_put(out, *threads_what ? "Several threads: " : "", threads_what, "");
    }
    fputs("</caption>\n", out);
    put_times_head(out, costs, operation, c, &notes);
    json_array_foreach(entries, k, entry)
    {
        html_put(out, "<tr><th scope=\"row\">", json_string_value(entry), "</th>");
        for (size_t i = 0; i < c->n; i++)
            put_time(out, costs, &c->at[i], json_string_value(entry), &notes);
        fputs("</tr>\n", out);
    }
    costs_close_table(out);
    notes_put(out, &notes);
}

/* Every pair of threads and state that was timed; with all sizes as columns, or, where there is one size only, together
 * in one table. */
static void put_operation(FILE *out, const json_t *costs, const json_t *operation)
{
    const char *name = html_member(operation, "name");
    json_t *entries = costs_values(costs, name, "time", "entry"), *sizes = costs_values(costs, name, "time", "size"),
           *threads = costs_values(costs, name, "time", "threads"),
           *states = costs_values(costs, name, "time", "state"), *t, *s, *size;
    size_t i, k, m, tables = 0;
    struct columns c = {.by_size = json_array_size(sizes) > 1};
    const bool rates = *html_member(operation, "rate");
    html_put(out, "<h4>", name, "</h4>\n");
    html_put(out, "<p>One ", name, ": ");
    html_put(out, "", html_member(operation, "what"), "</p>\n");
    costs_rates(out, costs, operation);
    fputs(rates ? "<details><summary>times</summary>\n" : "", out);
    json_array_foreach(threads, i, t)
    {
        json_array_foreach(states, k, s)
        {
            json_array_foreach(sizes, m, size)
            {
                struct cost_at at = {name, json_string_value(s), json_integer_value(size), json_integer_value(t)};
                if (c.n < MOST_COLUMNS && costs_group(costs, &at))
                    c.at[c.n++] = at;
            }
            if (!c.by_size || c.n == 0)
                continue;
            if (tables++ > 0) {
                fputs("<details><summary>", out);
                put_words(out, &c.at[0]);
                fputs("</summary>\n", out);
            }
            put_times(out, costs, operation, entries, &c);
            fputs(tables > 1 ? "</details>\n" : "", out);
            c.n = 0;
        }
    }
    if (c.n > 0)
        put_times(out, costs, operation, entries, &c);
    fputs(rates ? "</details>\n" : "", out);
    costs_counted(out, costs, operation);
    costs_growth(out, costs, operation);
    json_decref(entries), json_decref(sizes), json_decref(threads), json_decref(states);
}

/* ---- all of it ---- */

static void put_intro(FILE *out, const json_t *lab, const json_t *costs)
{
    char duration[TEXT_NUMBER];
    html_put(out, "<h3 id=\"lab-", html_member(lab, "lab"), "-costs\">Costs</h3>\n");
    fprintf(
        out,
        "<p>Time is the median of rounds in which all entries were timed side by side, with its 95\u00a0%% interval "
        "below it. <b>\u25c6</b> marks the fastest of a column, and <i>or as fast</i> all that can\u2019t be told "
        "from it. Steady: code and data are in the caches as far as they fit; cold: the private caches were filled "
        "with other data first. Measured in %s.",
        text_duration(duration, 1e9 * json_number_value(json_object_get(costs, "seconds"))));
    html_put(out, " All figures: <a href=\"costs-", html_member(lab, "lab"), ".json\">");
    html_put(out, "costs-", html_member(lab, "lab"), ".json</a> and ");
    html_put(out, "<a href=\"costs-", html_member(lab, "lab"), ".csv\">");
    html_put(out, "costs-", html_member(lab, "lab"), ".csv</a>, beside this page.</p>\n");
}

void html_costs(FILE *out, const struct html_page *page, const json_t *lab)
{
    const json_t *costs = json_object_get(lab, "costs");
    size_t i;
    json_t *item;
    if (!costs)
        return;
    put_intro(out, lab, costs);
    json_array_foreach(json_object_get(costs, "operations"), i, item)
    {
        json_t *entries = costs_values(costs, html_member(item, "name"), "time", "entry");
        if (json_array_size(entries) > 0)
            put_operation(out, costs, item);
        json_decref(entries);
    }
    json_array_foreach(json_object_get(costs, "plots"), i, item)
    {
        html_plot(out, page, lab, HTML_COSTS, item);
    }
    costs_baseline(out, costs);
    costs_trust(out, costs);
    costs_readings(out, costs);
}
