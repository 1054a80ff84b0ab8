/* html_claims.c: the table of a lab's claims.
 *
 * A claim is a row: whether it holds (a mark and a word, colour only besides), what it says and where the prediction
 * comes from, then the figures, each with what is needed to judge it: the measured one with its interval, the tolerance
 * with its reason. On a phone the row is a card; the roles keep it a table for whoever listens to it.
 */
#include "report/html.h"

#include "base/memory.h"
#include "report/number.h"
#include "report/svg.h"

#include <math.h>
#include <string.h>

static void element(FILE *out, const char *tag, const char *before, const char *text)
{
    if (!*text)
        return;
    fprintf(out, "<%s>%s", tag, before);
    svg_escape(out, text);
    fprintf(out, "</%.*s>", (int)strcspn(tag, " "), tag);
}

static void figure(FILE *out, const char *before, double value, double spread, const char *unit)
{
    char number[NUMBER_TEXT];
    fprintf(out, "<span>%s%s", before, number_text(number, value, spread));
    if (*unit && !isnan(value)) {
        fputs(strlen(unit) <= 12 ? "&nbsp;" : " ", out);
        svg_escape(out, unit);
    }
    fputs("</span>", out);
}

static void cell(FILE *out, const char *class, const char *label)
{
    fprintf(out, "<td role=\"cell\" class=\"%s\" data-label=\"%s\">", class, label);
}

static void holds(FILE *out, const json_t *claim)
{
    const json_t *verdict = json_object_get(claim, "holds");
    bool good = json_is_true(verdict), unknown = json_is_null(verdict);
    fprintf(out, "<td role=\"cell\"><span class=\"mark %s\">%s</span></td>\n",
            unknown ? "unknown"
            : good  ? "good"
                    : "bad",
            unknown ? "? cannot tell"
            : good  ? "\u2713 holds"
                    : "\u2717 FALSE");
}

static void statement(FILE *out, const json_t *claim)
{
    fputs("<td role=\"cell\" class=\"what\">", out);
    element(out, "p", "", html_member(claim, "statement"));
    element(out, "small", "Predicted by: ", html_member(claim, "formula"));
    element(out, "small", "Turns false with: ", html_member(claim, "broken"));
    element(out, "small", "Cannot be told here: ", html_member(claim, "reason"));
    element(out, "code", "", html_member(claim, "id"));
    fputs("</td>\n", out);
}

static void figures(FILE *out, const json_t *claim)
{
    const char *unit = html_member(claim, "unit"), *relation = html_member(claim, "relation");
    double allowed = number_of(json_object_get(claim, "tolerance")),
           measured = number_of(json_object_get(claim, "measured"));
    double low = number_of(json_object_get(claim, "low")), high = number_of(json_object_get(claim, "high"));
    bool least = strcmp(relation, "at-least") == 0, most = strcmp(relation, "at-most") == 0;
    double predicted = number_of(json_object_get(claim, "predicted"));
    cell(out, "figure", "Predicted");
    figure(out,
           least  ? "\u2265&nbsp;"
           : most ? "\u2264&nbsp;"
                  : "",
           number_of(json_object_get(claim, "predicted")), allowed, unit);
    fputs("</td>\n", out);
    cell(out, "figure", "Measured");
    figure(out, "", measured, high - low > 0 ? 0.5 * (high - low) : allowed, unit);
    if (high > low) {
        char from[NUMBER_TEXT], to[NUMBER_TEXT];
        fprintf(out, "<small>%s to %s</small>", number_text(from, low, 0.5 * (high - low)),
                number_text(to, high, 0.5 * (high - low)));
    }
    fputs("</td>\n", out);
    cell(out, "figure", "Tolerance");
    if (number_is_exact(allowed, predicted))
        fputs("<span>exact</span>", out);
    else
        figure(out, least ? "\u2212&nbsp;" : most ? "+&nbsp;" : "\u00b1&nbsp;", allowed, allowed, unit);
    element(out, "small class=\"why\"", "", html_member(claim, "tolerance_why"));
    fputs("</td>\n", out);
}

void html_claims(FILE *out, const json_t *claims)
{
    static const char *const headings[] = {"Holds?", "Claim", "Predicted", "Measured", "Tolerance", "Source"};
    size_t i;
    json_t *claim;
    fputs("<table class=\"claims\" role=\"table\">\n<thead role=\"rowgroup\"><tr role=\"row\">", out);
    for (size_t h = 0; h < COUNT(headings); h++)
        fprintf(out, "<th role=\"columnheader\" scope=\"col\">%s</th>", headings[h]);
    fputs("</tr></thead>\n<tbody role=\"rowgroup\">\n", out);
    json_array_foreach(claims, i, claim)
    {
        fputs("<tr role=\"row\">\n", out);
        holds(out, claim);
        statement(out, claim);
        figures(out, claim);
        cell(out, "source", "Source");
        element(out, "span", "", html_member(claim, "source"));
        fputs("</td>\n</tr>\n", out);
    }
    fputs("</tbody>\n</table>\n", out);
}
