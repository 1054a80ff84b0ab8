/* print.c: a lab's claims on the terminal: a table, a sentence for each claim that does not hold, and the sum. */
#include "base/memory.h"
#include "base/terminal.h"
#include "report/html.h"
#include "report/number.h"
#include "report/report.h"
#include "report/table.h"

#include <string.h>

/* Nothing where `out` is not what terminal_style looks at. */
static const char *style_on(FILE *out, enum terminal_style style)
{
    return out == stdout ? terminal_style(style) : "";
}

static void add_row(struct table *t, const json_t *claim)
{
    const json_t *verdict = json_object_get(claim, "holds");
    bool good = json_is_true(verdict), unknown = json_is_null(verdict);
    const char *relation = html_member(claim, "relation");
    double predicted = number_of(json_object_get(claim, "predicted"));
    double measured = number_of(json_object_get(claim, "measured")),
           allowed = number_of(json_object_get(claim, "tolerance"));
    double spread = 0.5 * (number_of(json_object_get(claim, "high")) - number_of(json_object_get(claim, "low")));
    char number[NUMBER_TEXT];
    table_cell(t, "%s", unknown ? "? cannot tell" : good ? "+ holds" : "! FALSE");
    table_style(t, unknown ? STYLE_WARN : good ? STYLE_GOOD : STYLE_BAD);
    table_cell(t, "%s", html_member(claim, "id"));
    table_cell(t, "%s%s",
               strcmp(relation, "at-least") == 0  ? ">= "
               : strcmp(relation, "at-most") == 0 ? "<= "
                                                  : "",
               number_text(number, predicted, allowed));
    table_cell(t, "%s", number_text(number, measured, spread > 0 ? spread : allowed));
    table_cell(t, "%s", number_is_exact(allowed, predicted) ? "exact" : number_text(number, allowed, allowed));
    table_cell(t, "%s", html_member(claim, "unit"));
}

static void print_false(FILE *out, const json_t *lab)
{
    size_t i;
    json_t *claim;
    json_array_foreach(json_object_get(lab, "claims"), i, claim)
    {
        const json_t *verdict = json_object_get(claim, "holds");
        if (json_is_null(verdict))
            fprintf(out, "%scannot tell%s %s: %s\n", style_on(out, STYLE_WARN), style_on(out, STYLE_PLAIN),
                    html_member(claim, "id"), html_member(claim, "reason"));
        else if (!json_is_true(verdict))
            fprintf(out, "%sFALSE%s %s: %s\n", style_on(out, STYLE_BAD), style_on(out, STYLE_PLAIN),
                    html_member(claim, "id"), html_member(claim, "statement"));
    }
}

const char *report_sum(const json_t *labs, char *out)
{
    struct html_sum sum = html_sum(labs);
    int n = snprintf(out, REPORT_SUM, "%zu of %zu claim%s hold%s", sum.holding, sum.claims, sum.claims == 1 ? "" : "s",
                     sum.claims == 1 ? "s" : "");
    if (sum.cannot_tell)
        n += snprintf(out + n, REPORT_SUM - (size_t)n, ", %zu cannot be told here", sum.cannot_tell);
    const size_t wrong = sum.claims - sum.holding - sum.cannot_tell;
    if (wrong)
        snprintf(out + n, REPORT_SUM - (size_t)n, ", %zu %s false", wrong, wrong == 1 ? "is" : "are");
    return out;
}

static void print_sum(FILE *out, const json_t *labs, const char *more)
{
    char text[REPORT_SUM];
    struct html_sum sum = html_sum(labs);
    enum terminal_style style = sum.holding + sum.cannot_tell < sum.claims ? STYLE_BAD
                                : sum.cannot_tell                          ? STYLE_WARN
                                                                           : STYLE_GOOD;
    fprintf(out, "%s%s%s%s\n", style_on(out, style), report_sum(labs, text), style_on(out, STYLE_PLAIN), more);
}

void report_print_sum(FILE *out, const json_t *labs)
{
    print_sum(out, labs, " in all labs");
}

void report_print_claims(FILE *out, const json_t *lab)
{
    size_t i;
    bool broken = json_is_true(json_object_get(lab, "broken"));
    json_t *claim;
    struct table *t = table_create();
    static const struct {
        const char *name;
        enum table_align align;
    } columns[] = {{"", TABLE_LEFT},          {"claim", TABLE_LEFT},      {"predicted", TABLE_POINT},
                   {"measured", TABLE_POINT}, {"tolerance", TABLE_POINT}, {"unit", TABLE_LEFT}};
    for (i = 0; i < COUNT(columns); i++)
        table_column(t, columns[i].name, columns[i].align);
    json_array_foreach(json_object_get(lab, "claims"), i, claim)
    {
        add_row(t, claim);
    }
    table_print(out, t, out == stdout ? 0 : 100);
    table_destroy(t);
    if (!broken)
        print_false(out, lab);
    print_sum(out, lab, broken ? ", measured without the cure: all should be false" : "");
}
