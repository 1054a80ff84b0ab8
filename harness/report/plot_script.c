/* plot_script.c: what gnuplot is told.
 *
 * Text from the plot gets in only as a quoted string (in single quotes, where nothing is expanded). Series whose names
 * agree up to the first comma ("round robin, theory" and "round robin, measured") belong together and share a colour;
 * the line has a dash and the points a shape that no other group has.
 */
#include "report/plot_parts.h"

#include "base/error.h"
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH        760
#define BELOW        130 /* for ticks and the axis' label */
#define LEGEND_ROW   22
#define MARK_ROW     16
#define LONGEST_HALF 235 /* names up to this wide go two to a row of the legend */

void plot_quote(FILE *out, const char *s)
{
    fputc('\'', out);
    for (; *s; s++)
        if (*s == '\'')
            fputs("''", out);
        else
            fputc((unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s, out);
    fputc('\'', out);
}

/* A logarithmic axis of two decades or less would have one or two labels: 1, 2, 5 of each decade instead, and more
 * where it is shorter than one. */
static void write_close_ticks(FILE *out, const char *axis, const struct axis *range)
{
    static const double some[] = {1, 2, 5}, more[] = {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8};
    bool close = range->high < 8 * range->low;
    const char *before = "(";
    fprintf(out, "set %stics ", axis);
    for (int decade = (int)floor(log10(range->low)); pow(10, decade) <= range->high; decade++)
        for (int i = 0; i < (close ? 10 : 3); i++, before = ", ")
            fprintf(out, "%s%.10g", before, (close ? more : some)[i] * pow(10, decade));
    fputs(")\n", out);
}

/* Bytes in steps of 4 (or 64): 1 KiB, 4 KiB, 16 KiB ... */
static void write_byte_ticks(FILE *out, const char *axis, const struct axis *range)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    const char *before = "(";
    double step = range->high > 5000 * range->low ? 64 : 4;
    fprintf(out, "set %stics ", axis);
    for (double at = 1; at <= range->high && at < 0x1p49; at *= step) {
        int power = (int)log2(at) / 10;
        if (at >= range->low) {
            fprintf(out, "%s'%g %s' %.0f", before, at / exp2(10 * power), unit[power], at);
            before = ", ";
        }
    }
    fputs(*before == '(' ? "autofreq\n" : ")\n", out);
}

/* A short axis of whole numbers (threads) has a tick for each and none between. */
static bool is_whole(const struct drawing *d, const struct axis *range)
{
    bool whole = !range->log && range->high - range->low < 12;
    for (size_t i = 0; i < json_array_size(d->series); i++) {
        const json_t *series = json_array_get(d->series, i);
        for (size_t k = 0; k < json_array_size(json_object_get(series, "x")); k++)
            whole = whole && plot_value(series, "x", k) == floor(plot_value(series, "x", k));
    }
    return whole;
}

static void write_ticks(FILE *out, const struct drawing *d, const char *axis, const struct axis *range, bool bytes)
{
    if (bytes)
        write_byte_ticks(out, axis, range);
    else if (range->log && range->high < 200 * range->low)
        write_close_ticks(out, axis, range);
    else if (*axis == 'x' && is_whole(d, range))
        fputs("set xtics 1\n", out);
}

static void write_axis(FILE *out, const struct drawing *d, const char *axis, const struct axis *range)
{
    const char *unit = plot_text(d->plot, strcmp(axis, "x") == 0 ? "x_unit" : "y_unit");
    char *label = NULL;
    bool bytes = range->log && strcmp(unit, "bytes") == 0; /* then each tick has its unit */
    if (asprintf(&label, *unit && !bytes ? "%s (%s)" : "%s%s", plot_text(d->plot, axis), bytes ? "" : unit) < 0)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    fprintf(out, "set %slabel ", axis);
    plot_quote(out, label);
    free(label);
    fprintf(out, "\nset format %s '%%.10g'\n", axis);
    fprintf(out, "set %srange [%.12g:%.12g]\n", axis, range->low, range->high);
    if (range->log)
        fprintf(out, "set logscale %s\n", axis);
    write_ticks(out, d, axis, range, bytes);
}

static bool same_group(const struct drawing *d, size_t a, size_t b)
{
    const char *name = plot_text(json_array_get(d->series, a), "name"),
               *other = plot_text(json_array_get(d->series, b), "name");
    size_t n = strcspn(name, ",");
    return strcspn(other, ",") == n && strncmp(name, other, n) == 0;
}

/* The number of a series' group: how many groups begin before it does. It decides colour, dash and shape. */
static size_t group_of(const struct drawing *d, size_t index)
{
    size_t groups = 0;
    for (size_t i = 0; !same_group(d, i, index); i++) {
        size_t first = 0;
        while (!same_group(d, first, i))
            first++;
        groups += first == i;
    }
    return groups;
}

/* Points that have their group's bare name share one entry of the legend with their group's line:
 * "round robin" under "round robin, n". The line's index, or that of no series. */
static size_t line_of(const struct drawing *d, size_t index)
{
    size_t count = json_array_size(d->series);
    const json_t *series = json_array_get(d->series, index);
    if (plot_is_kind(series, "line") || strchr(plot_text(series, "name"), ','))
        return count;
    for (size_t i = 0; i < count; i++)
        if (plot_is_kind(json_array_get(d->series, i), "line") && same_group(d, i, index))
            return i;
    return count;
}

static bool shares_entry(const struct drawing *d, size_t line)
{
    for (size_t i = 0; i < json_array_size(d->series); i++)
        if (line_of(d, i) == line)
            return true;
    return false;
}

/* What the legend says: the name, or for a line that shares its entry "round robin (line: theory)". The caller's. */
static char *entry_name(const struct drawing *d, size_t index)
{
    const char *name = plot_text(json_array_get(d->series, index), "name");
    size_t group = strcspn(name, ","), rest = group + strspn(name + group, ", ");
    char *entry = NULL;
    int n = shares_entry(d, index) && name[rest] ? asprintf(&entry, "%.*s (line: %s)", (int)group, name, name + rest)
                                                 : asprintf(&entry, "%s", name);
    if (n < 0)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    return entry;
}

static void write_title(FILE *out, const char *name)
{
    fputs(" title ", out);
    plot_quote(out, name);
}

static void write_svg_series(FILE *out, const struct drawing *d, size_t i)
{
    static const int shape[] = {7, 5, 9, 13, 6, 4, 8, 12};
    static const char *const dash[] = {"1", "2", "4", "5", "3", "(14,5)"};
    const json_t *series = json_array_get(d->series, i);
    size_t g = group_of(d, i);
    char colour[32];
    char *name = entry_name(d, i);
    snprintf(colour, sizeof colour, " lc rgb '#%06x'", svg_colour[g % SVG_COLOURS]);
    if (plot_is_kind(series, "line"))
        fprintf(out, "1:2 with lines lw 2 dt %s%s", dash[g % 6], colour);
    else
        fprintf(out, "1:2:3:4 with %s ps 0.9 pt %d%s",
                plot_is_kind(series, "curve") ? "yerrorlines lw 1.2" : "yerrorbars lw 1.5", shape[g % 8], colour);
    if (shares_entry(d, i)) {
        fprintf(out, " notitle, NaN with linespoints lw 2 dt %s ps 0.9 pt %d%s", dash[g % 6], shape[g % 8], colour);
        write_title(out, name);
    } else if (line_of(d, i) < json_array_size(d->series)) {
        fputs(" notitle", out);
    } else {
        write_title(out, name);
    }
    free(name);
}

static void write_plot_command(FILE *out, const struct drawing *d, bool svg)
{
    for (size_t i = 0; i < json_array_size(d->series); i++) {
        const json_t *series = json_array_get(d->series, i);
        bool line = plot_is_kind(series, "line"), curve = plot_is_kind(series, "curve");
        fprintf(out, i ? ", 'series-%zu' using " : "plot 'series-%zu' using ", i);
        if (svg) {
            write_svg_series(out, d, i);
        } else {
            fputs(line ? "1:2 with lines" : curve ? "1:2 with linespoints" : "1:2 with points", out);
            write_title(out, plot_text(series, "name"));
        }
    }
    fputc('\n', out);
}

/* The entries of the legend, and how wide the longest is. */
static int legend_entries(const struct drawing *d, double *longest)
{
    int entries = 0;
    *longest = 0;
    for (size_t i = 0; i < json_array_size(d->series); i++)
        if (line_of(d, i) == json_array_size(d->series)) {
            char *name = entry_name(d, i);
            double width = label_width(name);
            free(name);
            *longest = width > *longest ? width : *longest;
            entries++;
        }
    return entries;
}

static void write_look(FILE *out, const struct drawing *d, int columns, int rows)
{
    if (columns) {
        fprintf(out, "set terminal dumb mono size %d,%d noenhanced\nset key below\nset tics nomirror\n", columns, rows);
        return;
    }
    double longest;
    int entries = legend_entries(d, &longest), across = longest > LONGEST_HALF ? 1 : 2;
    int legend = (entries + across - 1) / across;
    int marks = notes_rows(&d->x, d->plot, d->field);
    fprintf(out, "set terminal svg size %d,%d dynamic noenhanced font 'Arial,15'\n", WIDTH,
            (int)d->field.height + BELOW + MARK_ROW * marks + LEGEND_ROW * legend);
    fprintf(out, "set key bmargin left Left reverse horizontal maxcols %d\n", across);
    fprintf(out, "set key samplen 3 spacing 1.15 font ',13' width %d height 1\nset tmargin %g\n", -(int)(longest / 45),
            1 + 0.9 * marks);
    fprintf(out, "set border 3 lw 1\nset tics nomirror out scale 0.6,0.3\nset errorbars 0.6\n");
    fprintf(out, "set grid xtics ytics lt 1 lw 1 lc rgb '#%06x'\n", svg_grid_colour);
}

void script_write(FILE *out, const struct drawing *d, int columns, int rows)
{
    fputs("set encoding utf8\n", out);
    write_look(out, d, columns, rows);
    fputs("set output 'drawing'\n", out);
    write_axis(out, d, "x", &d->x);
    write_axis(out, d, "y", &d->y);
    if (columns == 0) {
        notes_write_marks(out, &d->x, d->plot, d->field);
        notes_write_labels(out, &d->x, &d->y, d->plot, d->field);
    }
    write_plot_command(out, d, columns == 0);
}
