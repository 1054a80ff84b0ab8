/* html_counts.c: what was counted, each figure with its source; how it grows; and how to read it. */
#include "report/html_costs.h"

#include "base/text.h"
#include "report/number.h"

#include <math.h>
#include <string.h>

#define PREFERRED_SIZE 1000

/* ---- counted at one size ---- */

enum column_kind { COLUMN_SHOWN, COLUMN_ZERO, COLUMN_MISSING };

struct figures {
    const json_t *live, *simulated, *none; /* rows: hardware or software, simulated, n/a */
};

static struct figures figures_of(const json_t *costs, const struct cost_at *at, const char *entry, const char *counter)
{
    const json_t *hardware = costs_row(costs, at, entry, counter, "hardware");
    return (struct figures){hardware ? hardware : costs_row(costs, at, entry, counter, "software"),
                            costs_row(costs, at, entry, counter, "simulated"),
                            costs_row(costs, at, entry, counter, "n/a")};
}

static double value_of(const json_t *row)
{
    return number_of(json_object_get(row, "value"));
}

/* A column of nothing but zeros, or nothing but n/a for one reason, is told in a sentence. */
static enum column_kind kind_of(const json_t *costs, const struct cost_at *at, const json_t *entries,
                                const char *counter, const char **reason)
{
    size_t i;
    json_t *entry;
    bool zero = true, missing = true;
    *reason = NULL;
    json_array_foreach(entries, i, entry)
    {
        struct figures f = figures_of(costs, at, json_string_value(entry), counter);
        if (!f.live && !f.simulated && !f.none)
            continue; /* an entry that was refused: its time says why */
        const char *why = html_member(f.none, "reason");
        zero = zero && f.live && value_of(f.live) == 0 && !f.simulated;
        missing = missing && !f.live && !f.simulated && (!*reason || strcmp(*reason, why) == 0);
        *reason = *reason ? *reason : why;
    }
    return missing ? COLUMN_MISSING : zero ? COLUMN_ZERO : COLUMN_SHOWN;
}

static void put_figure(FILE *out, const json_t *row)
{
    double value = value_of(row);
    fputs("<span>", out);
    costs_put_number(out, value, 0.1 * fabs(value));
    costs_put_source(out, html_member(row, "source"));
    fputs("</span>", out);
}

/* Why a figure is missing that has no row: an entry that was not timed was not counted either. */
static const char *why_none(const json_t *costs, const struct cost_at *at, const char *entry, const char *otherwise)
{
    const char *reason = html_member(costs_row(costs, at, entry, "time", NULL), "reason");
    return *reason ? reason : otherwise;
}

/* Both, and their ratio, where the hardware counted and callgrind simulated. */
static void put_count(FILE *out, const struct figures *f, const char *otherwise, struct cost_notes *notes)
{
    fputs("<td class=\"n\">", out);
    if (f->live)
        put_figure(out, f->live);
    if (f->simulated)
        put_figure(out, f->simulated);
    if (f->live && f->simulated) {
        char ratio[NUMBER_TEXT];
        double share = value_of(f->live) / value_of(f->simulated);
        if (isfinite(share))
            fprintf(out, "<small>%s/sim %s</small>",
                    strcmp(html_member(f->live, "source"), "hardware") == 0 ? "hw" : "sw",
                    number_text(ratio, share, 0.1 * share));
    }
    if (!f->live && !f->simulated)
        costs_put_na(out, notes, f->none ? html_member(f->none, "reason") : otherwise);
    fputs("</td>", out);
}

static void put_one(FILE *out, const json_t *costs, const struct cost_at *at, const char *entry, const char *metric,
                    struct cost_notes *notes)
{
    char text[TEXT_NUMBER];
    const json_t *row = costs_row(costs, at, entry, metric, NULL);
    double value = value_of(row);
    fputs("<td class=\"n\">", out);
    if (!isfinite(value)) {
        costs_put_na(out, notes, row ? html_member(row, "reason") : why_none(costs, at, entry, "not counted"));
    } else {
        fputs("<span>", out);
        if (strcmp(metric, "bytes") == 0)
            fputs(text_bytes(text, value), out);
        else
            costs_put_number(out, value, 0.02 * fabs(value));
        costs_put_source(out, html_member(row, "source"));
        fputs("</span>", out);
    }
    fputs("</td>", out);
}

/* 1,000, or the largest there is. */
static json_int_t size_to_show(const json_t *costs, const char *operation)
{
    json_t *sizes = costs_values(costs, operation, "time", "size"), *size;
    json_int_t best = 0;
    size_t i;
    json_array_foreach(sizes, i, size)
    {
        json_int_t n = json_integer_value(size);
        best = best == PREFERRED_SIZE || (n < best && n != PREFERRED_SIZE) ? best : n;
    }
    json_decref(sizes);
    return best;
}

/* Parts of a lab have no state that was counted; a column of n/a would say no more. */
static bool any_bytes(const json_t *costs, const struct cost_at *at, const json_t *entries)
{
    size_t k;
    json_t *entry;
    json_array_foreach(entries, k, entry)
    {
        if (costs_row(costs, at, json_string_value(entry), "bytes", "counted"))
            return true;
    }
    return false;
}

static void put_counted_table(FILE *out, const json_t *costs, const struct cost_at *at, const json_t *entries,
                              const json_t *shown)
{
    size_t i, k;
    json_t *counter, *entry;
    struct cost_notes notes = notes_create();
    bool bytes = any_bytes(costs, at, entries);
    costs_open_table(out, "counted");
    fputs("<thead><tr><th scope=\"col\">entry</th><th scope=\"col\" class=\"n\">ns</th>", out);
    if (bytes)
        fputs("<th scope=\"col\" class=\"n\">state</th>", out);
    json_array_foreach(shown, i, counter)
    {
        html_put(out, "<th scope=\"col\" class=\"n\">", json_string_value(counter), "</th>");
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    json_array_foreach(entries, k, entry)
    {
        const char *name = json_string_value(entry);
        html_put(out, "<tr><th scope=\"row\">", name, "</th>");
        put_one(out, costs, at, name, "time", &notes);
        if (bytes)
            put_one(out, costs, at, name, "bytes", &notes);
        json_array_foreach(shown, i, counter)
        {
            struct figures f = figures_of(costs, at, name, json_string_value(counter));
            put_count(out, &f, why_none(costs, at, name, "not counted"), &notes);
        }
        fputs("</tr>\n", out);
    }
    costs_close_table(out);
    notes_put(out, &notes);
}

static void put_list(FILE *out, const char *before, const json_t *names, const char *after)
{
    size_t i;
    json_t *name;
    fputs(before, out);
    json_array_foreach(names, i, name)
    {
        html_put(out, i ? ", " : "", json_string_value(name), "");
    }
    fputs(after, out);
}

/* What is in no column: each reason with the counters that it keeps away, and the counters that are 0 everywhere. */
static void put_left_out(FILE *out, const json_t *costs, const struct cost_at *at, const json_t *zero,
                         const json_t *missing)
{
    const char *reason;
    json_t *names;
    if (json_array_size(zero) > 0) {
        struct figures f = {0};
        json_t *entries = costs_values(costs, at->operation, "time", "entry"), *entry;
        size_t i;
        json_array_foreach(entries, i, entry)
        {
            if (!f.live)
                f = figures_of(costs, at, json_string_value(entry), json_string_value(json_array_get(zero, 0)));
        }
        put_list(out, "<p class=\"soft small\">0 for all of them: ", zero, "");
        costs_put_source(out, html_member(f.live, "source"));
        fputs(".</p>\n", out);
        json_decref(entries);
    }
    json_object_foreach((json_t *)(uintptr_t)missing, reason, names)
    {
        put_list(out, "<p class=\"soft small\">n/a: ", names, " (");
        html_put(out, "", reason, ").</p>\n");
    }
}

void costs_counted(FILE *out, const json_t *costs, const json_t *operation)
{
    const char *name = html_member(operation, "name"), *size_name = html_member(operation, "size_name"), *reason;
    struct cost_at at = {name, "steady", size_to_show(costs, name), 1};
    json_t *entries = costs_values(costs, name, "time", "entry"), *shown = json_array(), *zero = json_array(),
           *missing = json_object(), *counter;
    size_t i;
    json_array_foreach(json_object_get(costs, "counters"), i, counter)
    {
        json_t *known = json_object_get(counter, "name");
        switch (kind_of(costs, &at, entries, html_member(counter, "name"), &reason)) {
        case COLUMN_SHOWN:
            json_array_append(shown, known);
            break;
        case COLUMN_ZERO:
            json_array_append(zero, known);
            break;
        case COLUMN_MISSING:
            if (!reason)
                break;
            if (!json_object_get(missing, reason))
                json_object_set_new(missing, reason, json_array());
            json_array_append(json_object_get(missing, reason), known);
        }
    }
    if (costs_group(costs, &at)) {
        char number[TEXT_NUMBER];
        html_put(out, "<h5>Counted, for one ", name, "");
        if (*size_name)
            fprintf(out, ", %s ", text_count(number, (uint64_t)at.size));
        html_put(out, "", size_name, ", 1 thread, steady</h5>\n");
        if (json_array_size(shown) > 0) {
            put_counted_table(out, costs, &at, entries, shown);
            fputs("<p class=\"soft small\"><b>hw</b> hardware counters, <b>sw</b> the kernel\u2019s, <b>sim</b> "
                  "simulated by callgrind (the same on every run), <b>timed</b> with a clock, <b>count</b> by the "
                  "program itself.</p>\n",
                  out);
        }
        put_left_out(out, costs, &at, zero, missing);
    }
    json_decref(entries), json_decref(shown), json_decref(zero), json_decref(missing);
}

/* ---- growth ---- */

/* The law that fits best, also where it is not good enough to be told. */
static const json_t *best_fit(const json_t *growth)
{
    const char *name;
    json_t *fit;
    const json_t *best = NULL;
    json_object_foreach(json_object_get(growth, "fits"), name, fit)
    {
        if (!best || number_of(json_object_get(fit, "weight")) > number_of(json_object_get(best, "weight")))
            best = fit;
    }
    return best;
}

static void put_growth(FILE *out, const json_t *growth)
{
    bool told = json_is_true(json_object_get(growth, "told"));
    double times = number_of(json_object_get(growth, "times"));
    html_put(out, "<tr><th scope=\"row\">", html_member(growth, "entry"), "</th>");
    if (told)
        html_put(out, "<td><b>", html_member(growth, "model"), "</b></td><td class=\"n\">");
    else
        html_put(out, "<td class=\"why\">cannot tell<small>", html_member(growth, "why"),
                 "</small></td><td class=\"n\">");
    costs_put_number(out, 100 * number_of(json_object_get(growth, "confidence")), 2);
    fputs("</td><td class=\"n\">", out);
    costs_put_number(out, 100 * number_of(json_object_get(best_fit(growth), "residual")), 2);
    fputs("</td><td class=\"n\">", out);
    costs_put_number(out, times, 0.1 * fabs(times));
    fputs("</td></tr>\n", out);
}

void costs_growth(FILE *out, const json_t *costs, const json_t *operation)
{
    size_t i, shown = 0;
    json_t *growth;
    json_array_foreach(json_object_get(costs, "growth"), i, growth)
    {
        if (strcmp(html_member(growth, "operation"), html_member(operation, "name")) != 0)
            continue;
        if (shown++ == 0) {
            fputs("<h5>How its instructions grow with size</h5>\n<p class=\"soft small\">Fitted on simulated counts, "
                  "which are the same on every run. Confidence: how probable this law is among constant, log n, n, "
                  "n log n and n\u00b2. Off by: how far the counts are from it on average.</p>\n",
                  out);
            costs_open_table(out, "growth");
            fputs("<thead><tr><th scope=\"col\">entry</th><th scope=\"col\">grows like</th><th scope=\"col\" "
                  "class=\"n\">confidence %</th><th scope=\"col\" class=\"n\">off by %</th><th scope=\"col\" "
                  "class=\"n\">largest / smallest</th></tr></thead>\n<tbody>\n",
                  out);
        }
        put_growth(out, growth);
    }
    if (shown)
        costs_close_table(out);
}

/* ---- how to read it ---- */

static void put_counter(FILE *out, const json_t *counter)
{
    const char *source = html_member(counter, "source"), *reason = html_member(counter, "reason");
    bool both = json_is_true(json_object_get(counter, "simulated")) && strcmp(source, "simulated") != 0;
    html_put(out, "<tr><th scope=\"row\">", html_member(counter, "name"), "</th>");
    html_put(out, "<td>", html_member(counter, "what"), "</td>");
    html_put(out, "<td>", source, both ? " and simulated</td>" : "</td>");
    html_put(out, "<td>", reason, "</td></tr>\n");
}

void costs_readings(FILE *out, const json_t *costs)
{
    size_t i, k;
    json_t *group, *counter;
    if (json_array_size(json_object_get(costs, "readings")) == 0)
        return;
    fputs("<details><summary>How to read the counters</summary>\n", out);
    if (*html_member(costs, "callgrind"))
        html_put(out, "<p>Nothing is simulated here: ", html_member(costs, "callgrind"), "</p>\n");
    else
        html_put(out, "<p>The caches that callgrind simulates, as ", html_member(costs, "simulated_caches"), ".</p>\n");
    json_array_foreach(json_object_get(costs, "readings"), i, group)
    {
        html_put(out, "<h5>", html_member(group, "title"), "</h5>\n");
        html_put(out, "<p>", html_member(group, "reading"), "</p>\n");
        costs_open_table(out, "what");
        fputs("<thead><tr><th scope=\"col\">counter</th><th scope=\"col\">what</th><th scope=\"col\">source here</th>"
              "<th scope=\"col\">why nothing better</th></tr></thead>\n<tbody>\n",
              out);
        json_array_foreach(json_object_get(costs, "counters"), k, counter)
        {
            if (strcmp(html_member(counter, "group"), html_member(group, "group")) == 0)
                put_counter(out, counter);
        }
        costs_close_table(out);
    }
    fputs("</details>\n", out);
}
