/* html_machine.c: the machine that the figures were measured on, and what it can do at best. What can't be known stands
 * there with the reason. */
#include "report/html_costs.h"

#include "base/text.h"
#include "report/number.h"

#include <math.h>
#include <string.h>

/* ---- the card ---- */

/* A fact as text; a null with its reason; nothing where the description lacks it (an older one). */
static void put_field(FILE *out, const json_t *m, const char *what, const char *field)
{
    const json_t *value = json_object_get(m, field);
    const char *reason = html_member(json_object_get(m, "reasons"), field);
    if (!value)
        return;
    fprintf(out, "<dt>%s</dt>", what);
    if (json_is_string(value))
        html_put(out, "<dd>", json_string_value(value), "</dd>\n");
    else if (json_is_boolean(value))
        fprintf(out, "<dd>%s</dd>\n", json_is_true(value) ? "yes" : "no");
    else if (json_is_integer(value))
        fprintf(out, "<dd>%lld</dd>\n", (long long)json_integer_value(value));
    else
        html_put(out, "<dd class=\"soft\">n/a: ", *reason ? reason : "not known", "</dd>\n");
}

static long long whole(const json_t *m, const char *field)
{
    return (long long)json_integer_value(json_object_get(m, field));
}

static void put_counts(FILE *out, const json_t *m)
{
    fprintf(out, "<dt>Cores</dt><dd>%lld", whole(m, "cores"));
    if (json_object_get(m, "usable_cores") && whole(m, "usable_cores") != whole(m, "cores"))
        fprintf(out, ", of which %lld usable", whole(m, "usable_cores"));
    fprintf(out, "; %lld hardware threads, %lld of them used%s</dd>\n", whole(m, "hardware_threads"),
            whole(m, "threads"), json_is_true(json_object_get(m, "smt")) ? "; SMT: two or more on one core" : "");
    fprintf(out, "<dt>Packages, NUMA nodes</dt><dd>%lld, %lld</dd>\n", whole(m, "packages"), whole(m, "numa_nodes"));
}

/* What a reading takes is timed, so it comes from the costs: the same labs make the same page. */
static void put_clock(FILE *out, const json_t *m, const json_t *timed)
{
    const json_t *tsc = json_object_get(m, "tsc");
    double reading = number_of(json_object_get(timed, "clock_ns"));
    char number[NUMBER_TEXT];
    put_field(out, m, "Clock source", "clocksource");
    if (isfinite(reading))
        fprintf(out, "<dt>Reading the clock</dt><dd>%s ns</dd>\n", number_text(number, reading, 2));
    if (json_is_object(tsc))
        fprintf(out, "<dt>TSC</dt><dd>%s MHz, %s</dd>\n",
                number_text(number, number_of(json_object_get(tsc, "mhz")), 2),
                json_is_true(json_object_get(tsc, "invariant")) ? "invariant" : "not invariant");
    else
        put_field(out, m, "TSC", "tsc");
}

static void put_caches(FILE *out, const json_t *m)
{
    size_t i;
    json_t *c;
    char bytes[TEXT_NUMBER];
    if (json_array_size(json_object_get(m, "caches")) == 0) {
        html_put(out, "<p>Caches: n/a: ", html_member(json_object_get(m, "reasons"), "caches"), "</p>\n");
        return;
    }
    costs_open_table(out, "what");
    fputs(
        "<caption>Caches</caption>\n<thead><tr><th scope=\"col\">cache</th><th scope=\"col\">holds</th><th "
        "scope=\"col\" "
        "class=\"n\">size</th><th scope=\"col\" class=\"n\">line, bytes</th><th scope=\"col\" class=\"n\">ways</th>"
        "<th scope=\"col\" class=\"n\">threads under it</th><th scope=\"col\" class=\"n\">of these</th></tr></thead>\n"
        "<tbody>\n",
        out);
    json_array_foreach(json_object_get(m, "caches"), i, c)
    {
        fprintf(out, "<tr><th scope=\"row\">L%lld</th>", whole(c, "level"));
        const char *kind = html_member(c, "kind");
        html_put(out, "<td>", strcmp(kind, "both") == 0 ? "data and instructions" : kind, "</td>");
        fprintf(out, "<td class=\"n\">%s</td>", text_bytes(bytes, number_of(json_object_get(c, "bytes"))));
        static const char *const field[] = {"line", "ways", "shared_by", "count"};
        for (int f = 0; f < 4; f++)
            if (whole(c, field[f]) > 0)
                fprintf(out, "<td class=\"n\">%lld</td>", whole(c, field[f]));
            else
                fputs("<td class=\"n soft\">not told</td>", out);
        fputs("</tr>\n", out);
    }
    costs_close_table(out);
}

/* ---- the limits ---- */

static void put_limit(FILE *out, const json_t *limit)
{
    double value = number_of(json_object_get(limit, "value")), low = number_of(json_object_get(limit, "low")),
           high = number_of(json_object_get(limit, "high"));
    const char *place = html_member(limit, "place"), *how = html_member(limit, "how");
    html_put(out, "<tr><th scope=\"row\">", html_member(limit, "id"), "");
    html_put(out, "<small>", html_member(limit, "what"), "</small></th>");
    if (isfinite(value)) {
        fputs("<td class=\"n\"><b>", out);
        costs_put_number(out, value, 0.1 * fabs(value));
        fputs("</b></td><td class=\"n\">", out);
        costs_put_number(out, low, 0.1 * fabs(low));
        fputs("\u2013", out);
        costs_put_number(out, high, 0.1 * fabs(high));
        html_put(out, "</td><td>", html_member(limit, "unit"), "</td>");
        html_put(out, "<td>", html_member(limit, "statistic"), "</td>");
        html_put(out, "<td>", html_member(limit, "source"), "</td>");
        html_put(out, "<td>", place, *place && *how ? "; " : "");
        html_put(out, "", how, "</td></tr>\n");
    } else {
        fputs("<td class=\"n\">n/a</td><td></td>", out);
        html_put(out, "<td>", html_member(limit, "unit"), "</td><td></td><td>n/a</td>");
        html_put(out, "<td class=\"soft\">", html_member(limit, "reason"), "</td></tr>\n");
    }
}

/* What the costs of the first lab that has it say of the machine: "limits", "machine". */
static const json_t *of_costs(const json_t *labs, const char *member)
{
    size_t i;
    json_t *lab;
    json_array_foreach(labs, i, lab)
    {
        const json_t *found = json_object_get(json_object_get(lab, "costs"), member);
        if (found)
            return found;
    }
    return NULL;
}

static void put_limits(FILE *out, const struct html_page *page)
{
    const json_t *limits = of_costs(page->labs, "limits");
    const char *there = html_member(limits, "fingerprint"), *here = html_member(page->machine, "fingerprint");
    size_t i;
    json_t *limit;
    fputs("<h3>What it can do at best</h3>\n", out);
    if (!limits || (*there && *here && strcmp(there, here) != 0)) {
        fprintf(out,
                "<p>%s <code>make machine</code> measures them in some seconds, and <code>make bench</code> then puts "
                "them here.</p>\n",
                limits ? "Its limits are not shown: those that were kept are another machine\u2019s."
                       : "Its limits were not measured.");
        return;
    }
    fputs(
        "<p>A cost that is far below one of these deserves suspicion; one that is near it can\u2019t be much improved. "
        "p10: a tenth of the short chunks that were timed did better; p50: the median, where two threads want one "
        "line. The spread is that of the middle 80\u00a0% of the chunks; the machine was busy where it is wide.</p>\n",
        out);
    costs_open_table(out, "what");
    fputs(
        "<thead><tr><th scope=\"col\">limit</th><th scope=\"col\" class=\"n\">value</th><th scope=\"col\" class=\"n\">"
        "spread</th><th scope=\"col\">unit</th><th scope=\"col\">statistic</th><th scope=\"col\">source</th><th "
        "scope=\"col\">where and how</th></tr></thead>\n<tbody>\n",
        out);
    json_array_foreach(json_object_get(limits, "limits"), i, limit)
    {
        put_limit(out, limit);
    }
    costs_close_table(out);
    if (*html_member(limits, "note"))
        html_put(out, "<p class=\"soft small\">", html_member(limits, "note"), "</p>\n");
}

void html_machine(FILE *out, const struct html_page *page)
{
    const json_t *m = page->machine;
    fputs("<section class=\"lab\" id=\"machine\">\n<h2>This machine</h2>\n<dl class=\"made\">\n", out);
    put_field(out, m, "Processor", "cpu");
    put_field(out, m, "Model", "cpu_id");
    put_field(out, m, "Virtualised", "virtualised");
    if (strcmp(html_member(m, "topology"), "this machine") != 0)
        put_field(out, m, "Topology", "topology");
    put_counts(out, m);
    put_field(out, m, "Governor", "governor");
    put_field(out, m, "Boost", "boost");
    put_field(out, m, "Huge pages", "thp");
    put_clock(out, m, of_costs(page->labs, "machine"));
    put_field(out, m, "System", "system");
    put_field(out, m, "Fingerprint", "fingerprint");
    fputs("</dl>\n", out);
    put_caches(out, m);
    put_limits(out, page);
    fputs("</section>\n", out);
}
