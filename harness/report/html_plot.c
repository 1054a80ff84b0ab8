/* html_plot.c: a plot on the page: its title, how to read it, the drawing, and its data as a table for whoever can't
 * see the drawing or wants the figures. */
#include "report/html.h"

#include "base/memory.h"
#include "report/number.h"

static void put_point(FILE *out, const json_t *series, size_t i)
{
    static const char *const columns[] = {"x", "y", "low", "high"};
    char number[NUMBER_TEXT];
    double low = number_of(json_array_get(json_object_get(series, "low"), i)),
           high = number_of(json_array_get(json_object_get(series, "high"), i));
    const char *label = json_string_value(json_array_get(json_object_get(series, "labels"), i));
    html_put(out, "<tr><td>", html_member(series, "name"), "");
    html_put(out, label && *label ? ": " : "", label, "</td>");
    for (size_t c = 0; c < COUNT(columns); c++) {
        const json_t *value = json_array_get(json_object_get(series, columns[c]), i);
        double spread = c > 0 && high > low ? 0.5 * (high - low) : 0;
        fprintf(out, "<td class=\"n\">%s</td>", value ? number_text(number, number_of(value), spread) : "");
    }
    fputs("</tr>\n", out);
}

static void put_axis(FILE *out, const json_t *plot, const char *name, const char *unit)
{
    html_put(out, "<th scope=\"col\" class=\"n\">", html_member(plot, name), "");
    if (*html_member(plot, unit))
        html_put(out, " (", html_member(plot, unit), ")");
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

void html_plot(FILE *out, const struct html_page *page, const json_t *lab, const char *kind, const json_t *plot)
{
    char name[HTML_NAME];
    html_plot_name(name, lab, kind, plot);
    fprintf(out, "<figure id=\"%s\">\n", name);
    html_put(out, "<figcaption><h4>", html_member(plot, "title"), "</h4>");
    html_put(out, "<p class=\"soft small\">", html_member(plot, "reading"), "");
    json_int_t seeds = json_integer_value(json_object_get(plot, "seeds"));
    if (seeds > 1)
        fprintf(out, " Points are means over %lld seeds, with the interval that chance leaves them.", (long long)seeds);
    fputs("</p></figcaption>\n", out);
    const char *svg = json_string_value(json_object_get(page->svg, name));
    if (svg)
        fprintf(out, "<div class=\"wide\">\n%s</div>\n", svg);
    else
        html_put(out, "<p class=\"note\">This plot is missing: ", html_member(page->missing, name), "</p>\n");
    put_data(out, plot);
    fputs("</figure>\n", out);
}
