/* html.c: the page from top to bottom. Everything that comes from outside goes through svg_escape; the rest is written
 * here.
 *
 * The page's own security policy forbids the browser to fetch anything, so "self-contained" is enforced and not only
 * intended.
 */
#include "report/html.h"

#include "base/text.h"
#include "base/version.h"
#include "report/number.h"
#include "report/svg.h"

#include <ctype.h>
#include <string.h>

const char *html_member(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

const char *html_plot_name(char *out, const json_t *lab, const json_t *plot)
{
    int n = snprintf(out, HTML_NAME, "%.20s-%.100s", html_member(lab, "lab"), html_member(plot, "id"));
    for (int i = 0; i < n; i++)
        if (!isalnum((unsigned char)out[i]))
            out[i] = '-';
    return out;
}

size_t html_holding(const json_t *lab)
{
    size_t i, n = 0;
    json_t *claim;
    json_array_foreach(json_object_get(lab, "claims"), i, claim)
    {
        n += json_is_true(json_object_get(claim, "holds"));
    }
    return n;
}

static size_t claims_of(const json_t *lab)
{
    return json_array_size(json_object_get(lab, "claims"));
}

/* "<before>text<after>", where before and after are ours. */
static void put(FILE *out, const char *before, const char *text, const char *after)
{
    fputs(before, out);
    svg_escape(out, text);
    fputs(after, out);
}

/* A sentence of ours, in which `x` is set as code. */
static void put_prose(FILE *out, const char *before, const char *text, const char *after)
{
    char part[1024];
    bool code = false;
    fputs(before, out);
    for (const char *p = text ? text : ""; *p; p += *p == '`') {
        size_t n = strcspn(p, "`");
        for (; n > 0; p += strlen(part), n -= strlen(part)) {
            snprintf(part, sizeof part, "%.*s", (int)(n < 1000 ? n : 1000), p);
            svg_escape(out, part);
        }
        bool toggle = *p == '`' && (code || strchr(p + 1, '`'));
        if (toggle)
            fputs((code = !code) ? "<code>" : "</code>", out);
        else if (*p)
            fputc('`', out);
    }
    fputs(after, out);
}

/* "7 of 8 claims hold", with a mark. */
static void put_sum(FILE *out, size_t holding, size_t claims)
{
    bool good = holding == claims;
    fprintf(out, "<span class=\"mark %s\">%s %zu of %zu claim%s hold%s</span>", good ? "good" : "bad",
            good ? "\u2713" : "\u2717", holding, claims, claims == 1 ? "" : "s", claims == 1 ? "s" : "");
}

/* ---- plots ---- */

static void put_point(FILE *out, const json_t *series, size_t i)
{
    static const char *const columns[] = {"x", "y", "low", "high"};
    char number[NUMBER_TEXT];
    double low = number_of(json_array_get(json_object_get(series, "low"), i)),
           high = number_of(json_array_get(json_object_get(series, "high"), i));
    put(out, "<tr><td>", html_member(series, "name"), "</td>");
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        const json_t *value = json_array_get(json_object_get(series, columns[c]), i);
        double spread = c > 0 && high > low ? 0.5 * (high - low) : 0;
        fprintf(out, "<td class=\"n\">%s</td>", value ? number_text(number, number_of(value), spread) : "");
    }
    fputs("</tr>\n", out);
}

static void put_axis(FILE *out, const json_t *plot, const char *name, const char *unit)
{
    put(out, "<th scope=\"col\" class=\"n\">", html_member(plot, name), "");
    if (*html_member(plot, unit))
        put(out, " (", html_member(plot, unit), ")");
    fputs("</th>", out);
}

static void put_data(FILE *out, const json_t *plot)
{
    size_t i;
    json_t *series;
    fputs("<details><summary>The data as a table</summary>\n<div class=\"wide\" tabindex=\"0\">\n<table "
          "class=\"data\"><thead><tr><th scope=\"col\">series</th>",
          out);
    put_axis(out, plot, "x", "x_unit");
    put_axis(out, plot, "y", "y_unit");
    fputs("<th scope=\"col\" class=\"n\">from</th><th scope=\"col\" class=\"n\">to</th></tr></thead>\n<tbody>\n", out);
    json_array_foreach(json_object_get(plot, "series"), i, series)
    {
        size_t points = json_array_size(json_object_get(series, "x"));
        for (size_t k = 0; k < points; k++)
            put_point(out, series, k);
    }
    fputs("</tbody></table>\n</div></details>\n", out);
}

static void put_plot(FILE *out, const struct html_page *page, const json_t *lab, const json_t *plot)
{
    char name[HTML_NAME];
    html_plot_name(name, lab, plot);
    fprintf(out, "<figure id=\"%s\">\n", name);
    put(out, "<figcaption><h4>", html_member(plot, "title"), "</h4>");
    put(out, "<p class=\"soft small\">", html_member(plot, "reading"), "");
    json_int_t seeds = json_integer_value(json_object_get(plot, "seeds"));
    if (seeds > 1)
        fprintf(out, " Points are means over %lld seeds, with the interval that chance leaves them.", (long long)seeds);
    fputs("</p></figcaption>\n", out);
    const char *svg = json_string_value(json_object_get(page->svg, name));
    if (svg)
        fprintf(out, "<div class=\"wide\">\n%s</div>\n", svg);
    else
        put(out, "<p class=\"note\">This plot is missing: ", html_member(page->missing, name), "</p>\n");
    put_data(out, plot);
    fputs("</figure>\n", out);
}

/* ---- a lab ---- */

static void put_next(FILE *out, const json_t *lab)
{
    size_t i;
    json_t *text;
    if (json_array_size(json_object_get(lab, "next")) == 0)
        return;
    fputs("<h3>What to try next</h3>\n<ul>\n", out);
    json_array_foreach(json_object_get(lab, "next"), i, text)
    {
        put_prose(out, "<li>", json_string_value(text), "</li>\n");
    }
    fputs("</ul>\n", out);
}

static void put_lab(FILE *out, const struct html_page *page, const json_t *lab)
{
    size_t i;
    json_t *item;
    put(out, "<section class=\"lab\" id=\"lab-", html_member(lab, "lab"), "\">\n");
    put(out, "<p class=\"eyebrow\">Lab ", html_member(lab, "lab"), "</p>\n");
    put(out, "<h2>", html_member(lab, "title"), "</h2>\n<p class=\"incident\">");
    json_array_foreach(json_object_get(lab, "incident"), i, item)
    {
        put_prose(out, i ? " " : "", json_string_value(item), "");
    }
    fputs("</p>\n", out);
    if (json_is_true(json_object_get(lab, "broken")))
        fputs("<p class=\"note\">Measured with the failing algorithms in the cures\u2019 places, to show that each "
              "claim can fail: every one of them should be "
              "false here.</p>\n",
              out);
    fputs("<p class=\"sum\">", out);
    put_sum(out, html_holding(lab), claims_of(lab));
    fputs("</p>\n<h3>Claims</h3>\n", out);
    html_claims(out, json_object_get(lab, "claims"));
    if (json_array_size(json_object_get(lab, "plots")) > 0)
        fputs("<h3>Plots</h3>\n", out);
    json_array_foreach(json_object_get(lab, "plots"), i, item)
    {
        put_plot(out, page, lab, item);
    }
    put_next(out, lab);
    fputs("</section>\n", out);
}

/* ---- head and foot ---- */

static void put_contents(FILE *out, const json_t *labs)
{
    size_t i;
    json_t *lab;
    fputs("<nav aria-label=\"Labs\"><ol>\n", out);
    json_array_foreach(labs, i, lab)
    {
        put(out, "<li><a href=\"#lab-", html_member(lab, "lab"), "\">");
        put(out, "", html_member(lab, "lab"), " ");
        put(out, "", html_member(lab, "title"), "</a>");
        put_sum(out, html_holding(lab), claims_of(lab));
        fputs("</li>\n", out);
    }
    fputs("</ol></nav>\n", out);
}

static void put_head(FILE *out, const json_t *labs)
{
    size_t i, holding = 0, claims = 0, count = json_array_size(labs);
    json_t *lab;
    json_array_foreach(labs, i, lab)
    {
        holding += html_holding(lab);
        claims += claims_of(lab);
    }
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
          "<title>Faultline report</title>\n<style>\n",
          out);
    for (const char *const *part = html_style; *part; part++)
        fputs(*part, out);
    fputs("</style>\n</head>\n<body>\n<header>\n<h1>Faultline report</h1>\n"
          "<p>Each claim is a number that a formula predicts, measured on this machine. A claim holds when the "
          "measurement is within the tolerance.</p>\n",
          out);
    if (count > 1) {
        fputs("<p class=\"sum\">", out);
        put_sum(out, holding, claims);
        fprintf(out, " in %zu labs</p>\n", count);
        put_contents(out, labs);
    }
    fputs("</header>\n<main>\n", out);
}

static void put_fact(FILE *out, const char *what, const char *text)
{
    if (*text) {
        fprintf(out, "<dt>%s</dt>", what);
        put(out, "<dd>", text, "</dd>\n");
    }
}

static void put_foot(FILE *out, const struct html_page *page)
{
    size_t i;
    json_t *lab;
    const json_t *m = page->machine;
    double seconds = 0;
    char number[64], duration[TEXT_NUMBER];
    json_array_foreach(page->labs, i, lab)
    {
        seconds += json_number_value(json_object_get(lab, "seconds"));
    }
    fputs("<section class=\"lab\">\n<h2>How it was made</h2>\n<dl class=\"made\">\n", out);
    put_fact(out, "Faultline", version_text);
    snprintf(number, sizeof number, "%lld",
             (long long)json_integer_value(json_object_get(json_array_get(page->labs, 0), "seed")));
    put_fact(out, "Seed", number);
    put_fact(out, "Time to measure", text_duration(duration, 1e9 * seconds));
    put_fact(out, "Processor", html_member(m, "cpu"));
    snprintf(number, sizeof number, "%lld, of which %lld used",
             (long long)json_integer_value(json_object_get(m, "cores")),
             (long long)json_integer_value(json_object_get(m, "threads")));
    put_fact(out, "Cores", number);
    put_fact(out, "System", html_member(m, "system"));
    put_fact(out, "Compiler", html_member(m, "compiler"));
    put_fact(out, "Flags", html_member(m, "flags"));
    put_fact(out, "Found", html_member(m, "found"));
    fputs("</dl>\n<p class=\"soft small\">The same seed gives the same figures. They are also in <a "
          "href=\"claims.json\">claims.json</a> and "
          "<a href=\"claims.csv\">claims.csv</a>, the drawings in the folder <code>plots</code>, beside this "
          "page.</p>\n</section>\n</main>\n</body>\n</html>\n",
          out);
}

void html_write(FILE *out, const struct html_page *page)
{
    size_t i;
    json_t *lab;
    put_head(out, page->labs);
    json_array_foreach(page->labs, i, lab)
    {
        put_lab(out, page, lab);
    }
    put_foot(out, page);
}
