/* html_rates.c: how fast an operation is, and what share that is of the machine's limit and of the entry that the others
 * are measured against. Below the entries stand the limits, as they came out in the same rounds.
 */
#include "report/html_costs.h"

#include "base/text.h"
#include "report/number.h"

#include <math.h>
#include <string.h>

static void put_interval(FILE *out, const json_t *o, const char *percent)
{
    double value = number_of(json_object_get(o, "value")), low = number_of(json_object_get(o, "low")),
           high = number_of(json_object_get(o, "high"));
    double spread = fmax(high - low, 0.01 * value);
    fputs(*percent ? "" : "<b>", out);
    costs_put_number(out, value, spread);
    html_put(out, "", percent, *percent ? "" : "</b>");
    if (!*percent && high > low) {
        fputs("<small>", out);
        costs_put_number(out, low, spread);
        fputs("\u2013", out);
        costs_put_number(out, high, spread);
        fputs("</small>", out);
    }
}

/* "68 % of flops-avx512", as the row's unit has it. */
static void put_share(FILE *out, const json_t *row)
{
    const char *unit = html_member(row, "unit");
    if (!isfinite(number_of(json_object_get(row, "value"))))
        return;
    fputs("<small>", out);
    put_interval(out, row, "\u00a0");
    html_put(out, "", unit, "</small>");
}

static void put_rate(FILE *out, const json_t *costs, const struct cost_at *at, const char *entry,
                     struct cost_notes *notes)
{
    const json_t *row = costs_row(costs, at, entry, "rate", NULL);
    fputs("<td class=\"n\">", out);
    if (isfinite(number_of(json_object_get(row, "value")))) {
        put_interval(out, row, "");
        put_share(out, costs_row(costs, at, entry, "share", NULL));
        put_share(out, costs_row(costs, at, entry, "against", NULL));
    } else {
        costs_put_na(out, notes, row ? html_member(row, "reason") : "not asked for");
    }
    fputs("</td>", out);
}

/* ---- columns: each place that was timed ---- */

#define MOST_COLUMNS 24

struct columns {
    struct cost_at at[MOST_COLUMNS];
    const json_t *group[MOST_COLUMNS];
    size_t n;
};

static struct columns columns_of(const json_t *costs, const char *operation)
{
    struct columns c = {.n = 0};
    size_t i;
    json_t *group;
    json_array_foreach(json_object_get(costs, "groups"), i, group)
    {
        if (strcmp(html_member(group, "operation"), operation) != 0 || c.n == MOST_COLUMNS)
            continue;
        c.group[c.n] = group;
        c.at[c.n++] =
            (struct cost_at){operation, html_member(group, "state"), json_integer_value(json_object_get(group, "size")),
                             json_integer_value(json_object_get(group, "threads"))};
    }
    return c;
}

static void put_head(FILE *out, const json_t *operation, const struct columns *c)
{
    const char *size_name = html_member(operation, "size_name");
    char number[TEXT_NUMBER];
    fprintf(out, "<thead><tr><th scope=\"col\" rowspan=\"2\">%s</th><th scope=\"colgroup\" colspan=\"%zu\">",
            json_is_true(json_object_get(operation, "parts")) ? "part" : "entry", c->n);
    html_put(out, "", html_member(operation, "rate"), "");
    html_put(out, *size_name ? ", by number of " : "", size_name, "</th></tr>\n<tr>");
    for (size_t i = 0; i < c->n; i++) {
        fputs("<th scope=\"col\" class=\"n\">", out);
        if (*size_name)
            fprintf(out, "%s, ", text_count(number, (uint64_t)c->at[i].size));
        fprintf(out, "%lld thread%s", (long long)c->at[i].threads, c->at[i].threads == 1 ? "" : "s");
        html_put(out, strcmp(c->at[i].state, "cold") == 0 ? ", " : "",
                 strcmp(c->at[i].state, "cold") == 0 ? c->at[i].state : "", "</th>");
    }
    fputs("</tr></thead>\n<tbody>\n", out);
}

/* ---- limits ---- */

static const json_t *limit_of(const json_t *group, const char *id)
{
    size_t i;
    json_t *o;
    json_array_foreach(json_object_get(group, "limits"), i, o)
    {
        if (strcmp(html_member(o, "id"), id) == 0)
            return o;
    }
    return NULL;
}

static void put_limit(FILE *out, const struct columns *c, const char *id, struct cost_notes *notes)
{
    html_put(out, "<tr><th scope=\"row\">limit: ", id, "</th>");
    for (size_t i = 0; i < c->n; i++) {
        const json_t *limit = limit_of(c->group[i], id);
        fputs("<td class=\"n\">", out);
        if (isfinite(number_of(json_object_get(limit, "value"))))
            put_interval(out, limit, "");
        else
            costs_put_na(out, notes, "nothing there stands under it");
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static void put_limits(FILE *out, const struct columns *c, struct cost_notes *notes)
{
    for (size_t i = 0; i < c->n; i++) {
        size_t k;
        json_t *o;
        json_array_foreach(json_object_get(c->group[i], "limits"), k, o)
        {
            bool have = false;
            for (size_t before = 0; before < i; before++)
                have = have || limit_of(c->group[before], html_member(o, "id"));
            if (!have)
                put_limit(out, c, html_member(o, "id"), notes);
        }
    }
}

void costs_rates(FILE *out, const json_t *costs, const json_t *operation)
{
    const char *name = html_member(operation, "name"), *against = html_member(operation, "against");
    size_t i;
    json_t *entry;
    if (!*html_member(operation, "rate"))
        return;
    struct columns c = columns_of(costs, name);
    json_t *entries = costs_values(costs, name, "rate", "entry");
    struct cost_notes notes = notes_create();
    costs_open_table(out, "rates");
    fputs("<caption>Rate, its interval, and its share of the limit that it stands under", out);
    html_put(out, *against ? "; and of the rate of " : "", against, "</caption>\n");
    put_head(out, operation, &c);
    json_array_foreach(entries, i, entry)
    {
        html_put(out, "<tr><th scope=\"row\">", json_string_value(entry), "</th>");
        for (size_t k = 0; k < c.n; k++)
            put_rate(out, costs, &c.at[k], json_string_value(entry), &notes);
        fputs("</tr>\n", out);
    }
    put_limits(out, &c, &notes);
    costs_close_table(out);
    notes_put(out, &notes);
    json_decref(entries);
}
