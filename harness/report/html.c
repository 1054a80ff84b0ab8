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
#include "report/report.h"
#include "report/svg.h"

#include <ctype.h>
#include <string.h>

static size_t claims_of(const json_t *lab)
{
    return json_array_size(json_object_get(lab, "claims"));
}

static void add_to_sum(struct html_sum *sum, const json_t *lab)
{
    size_t i;
    json_t *claim;
    json_array_foreach(json_object_get(lab, "claims"), i, claim)
    {
        const json_t *holds = json_object_get(claim, "holds");
        sum->claims++;
        sum->holding += json_is_true(holds);
        sum->cannot_tell += json_is_null(holds);
    }
}

struct html_sum html_sum(const json_t *labs)
{
    struct html_sum sum = {0};
    size_t i;
    json_t *lab;
    if (!json_is_array(labs))
        add_to_sum(&sum, labs);
    json_array_foreach(labs, i, lab)
    {
        add_to_sum(&sum, lab);
    }
    return sum;
}

/* With a mark. What can't be told is no fault, and no success either. */
static void put_sum(FILE *out, const json_t *labs)
{
    struct html_sum sum = html_sum(labs);
    char text[REPORT_SUM];
    bool good = sum.holding + sum.cannot_tell == sum.claims, none = sum.holding == 0;
    if (sum.claims == 0) {
        fputs("<span class=\"soft\">claims not measured yet: make demo</span>", out);
        return;
    }
    fprintf(out, "<span class=\"mark %s\">%s %s</span>",
            !good  ? "bad"
            : none ? "unknown"
                   : "good",
            !good  ? "\u2717"
            : none ? "?"
                   : "\u2713",
            report_sum(labs, text));
}

/* When the figures are from, and which of them are older. */
static void put_dates(FILE *out, const json_t *lab)
{
    const char *claims = html_member(lab, "claims_date"), *costs = html_member(lab, "costs_date");
    if (!*claims && !*costs)
        return;
    fputs("<p class=\"soft small\">", out);
    if (*claims)
        html_put(out, "Claims measured ", claims, ". ");
    if (*costs)
        html_put(out, "Costs measured ", costs,
                 json_is_true(json_object_get(lab, "costs_older")) ? ", before the claims." : ".");
    fputs("</p>\n", out);
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
        html_prose(out, "<li>", json_string_value(text), "</li>\n");
    }
    fputs("</ul>\n", out);
}

/* Ways to the parts of a lab that is long. */
static void put_ways(FILE *out, const json_t *lab)
{
    static const char *const part[] = {"claims", "plots", "costs"}, *const name[] = {"Claims", "Plots", "Costs"};
    if (!json_object_get(lab, "costs"))
        return;
    fputs("<p class=\"ways\">", out);
    for (int i = 0; i < 3; i++)
        if (i == 2 || json_array_size(json_object_get(lab, part[i])) > 0) {
            html_put(out, "<a href=\"#lab-", html_member(lab, "lab"), "-");
            fprintf(out, "%s\">%s</a> ", part[i], name[i]);
        }
    fputs("<a href=\"#machine\">This machine</a></p>\n", out);
}

static void put_lab(FILE *out, const struct html_page *page, const json_t *lab)
{
    size_t i;
    json_t *item;
    html_put(out, "<section class=\"lab\" id=\"lab-", html_member(lab, "lab"), "\">\n");
    html_put(out, "<p class=\"eyebrow\">Lab ", html_member(lab, "lab"), "</p>\n");
    html_put(out, "<h2>", html_member(lab, "title"), "</h2>\n<p class=\"incident\">");
    json_array_foreach(json_object_get(lab, "incident"), i, item)
    {
        html_prose(out, i ? " " : "", json_string_value(item), "");
    }
    fputs("</p>\n", out);
    if (json_is_true(json_object_get(lab, "broken")))
        fputs("<p class=\"note\">Measured with the failing algorithms in the cures\u2019 places, to show that each "
              "claim can fail: every one of them should be "
              "false here.</p>\n",
              out);
    fputs("<p class=\"sum\">", out);
    put_sum(out, lab);
    fputs("</p>\n", out);
    put_dates(out, lab);
    put_ways(out, lab);
    if (claims_of(lab) > 0) {
        html_put(out, "<h3 id=\"lab-", html_member(lab, "lab"), "-claims\">Claims</h3>\n");
        html_claims(out, json_object_get(lab, "claims"));
    }
    if (json_array_size(json_object_get(lab, "plots")) > 0)
        html_put(out, "<h3 id=\"lab-", html_member(lab, "lab"), "-plots\">Plots</h3>\n");
    json_array_foreach(json_object_get(lab, "plots"), i, item)
    {
        html_plot(out, page, lab, "", item);
    }
    html_costs(out, page, lab);
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
        html_put(out, "<li><a href=\"#lab-", html_member(lab, "lab"), "\">");
        html_put(out, "", html_member(lab, "lab"), " ");
        html_put(out, "", html_member(lab, "title"), "</a>");
        put_sum(out, lab);
        fputs("</li>\n", out);
    }
    fputs("</ol></nav>\n", out);
}

static void put_head(FILE *out, const json_t *labs)
{
    size_t i, count = json_array_size(labs);
    bool costs = false;
    json_t *lab;
    json_array_foreach(labs, i, lab)
    {
        costs = costs || json_object_get(lab, "costs");
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
          "measurement is within the tolerance.",
          out);
    fputs(costs ? " Costs are what each operation takes: time, counts and bytes, each with its source.</p>\n"
                : "</p>\n",
          out);
    if (count > 1) {
        fputs("<p class=\"sum\">", out);
        put_sum(out, labs);
        fprintf(out, " in %zu labs</p>\n", count);
        put_contents(out, labs);
    }
    fputs("</header>\n<main>\n", out);
}

static void put_fact(FILE *out, const char *what, const char *text)
{
    if (*text) {
        fprintf(out, "<dt>%s</dt>", what);
        html_put(out, "<dd>", text, "</dd>\n");
    }
}

static void put_foot(FILE *out, const struct html_page *page)
{
    size_t i;
    json_t *lab;
    double seconds = 0;
    char number[100], duration[TEXT_NUMBER];
    json_array_foreach(page->labs, i, lab)
    {
        seconds += json_number_value(json_object_get(lab, "seconds"));
    }
    fputs("<section class=\"lab\">\n<h2>How it was made</h2>\n<dl class=\"made\">\n", out);
    put_fact(out, "Faultline", version_text);
    snprintf(number, sizeof number, "%lld",
             (long long)json_integer_value(json_object_get(json_array_get(page->labs, 0), "seed")));
    put_fact(out, "Seed", number);
    put_fact(out, "Time to measure", seconds > 0 ? text_duration(duration, 1e9 * seconds) : "");
    html_put(out, "<dt>Compiler</dt><dd>", html_member(page->machine, "compiler"), "");
    html_put(out, " ", html_member(page->machine, "flags"), "</dd>\n");
    put_fact(out, "Found", html_member(page->machine, "found"));
    fputs("</dl>\n<p class=\"soft small\">The same seed gives the same figures, but for what was timed or read from "
          "this machine. The "
          "claims are also in <a "
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
    html_machine(out, page);
    put_foot(out, page);
}
