/* plot.c: from a plot to gnuplot's script and data files, and back.
 *
 * gnuplot reads a script and one file a series in a private folder that is gone afterwards. Text from the plot gets
 * into the script only as a quoted string (in single quotes, where nothing is expanded), and no shell is involved. The
 * ranges of the axes are computed here, so that a point never lies on the frame and an error bar never decides what a
 * logarithmic axis shows; gnuplot chooses the ticks.
 *
 * Series whose names agree up to the first comma ("round robin, theory" and "round robin, measured") belong together
 * and share a colour; the line has a dash and the points a shape that no other group has.
 */
#include "report/plot.h"

#include "base/file.h"
#include "base/process.h"
#include "base/terminal.h"
#include "report/number.h"
#include "report/report.h"
#include "report/svg.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS  30000
#define WIDTH        760
#define HEIGHT       420 /* without the legend */
#define LEGEND_ROW   22
#define LONGEST_HALF 30 /* names up to this many characters go two to a row of the legend */

struct axis {
    bool log;
    double low, high;
};

struct drawing {
    const json_t *plot, *series;
    struct axis x, y;
    char folder[FILE_PATH];
};

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

static double at(const json_t *series, const char *name, size_t i)
{
    return number_of(json_array_get(json_object_get(series, name), i));
}

static size_t points(const json_t *series)
{
    return json_array_size(json_object_get(series, "x"));
}

static bool is_line(const json_t *series)
{
    return strcmp(text(series, "kind"), "line") == 0;
}

/* ---- axes ---- */

static bool can_show(const struct axis *axis, double v)
{
    return isfinite(v) && (!axis->log || v > 0);
}

static void include(struct axis *axis, double v)
{
    if (!can_show(axis, v))
        return;
    axis->low = v < axis->low ? v : axis->low;
    axis->high = v > axis->high ? v : axis->high;
}

/* Some room at both ends. A linear axis that comes near zero starts there. */
static void widen(struct axis *axis, double part, bool from_zero)
{
    if (axis->low > axis->high) {
        axis->low = axis->log ? 1 : 0;
        axis->high = axis->log ? 10 : 1;
    }
    if (axis->log) {
        double factor = axis->high > axis->low ? pow(axis->high / axis->low, part) : 2;
        axis->low /= factor;
        axis->high *= factor;
        return;
    }
    if (from_zero && axis->low >= 0 && axis->low < 0.6 * axis->high)
        axis->low = 0;
    double room = axis->high > axis->low ? part * (axis->high - axis->low) : axis->low != 0 ? 0.5 * fabs(axis->low) : 1;
    axis->low -= from_zero && axis->low == 0 ? 0 : room;
    axis->high += room;
}

static void include_point(struct drawing *d, const json_t *series, size_t k)
{
    double x = at(series, "x", k), y = at(series, "y", k);
    if (!can_show(&d->x, x) || !can_show(&d->y, y))
        return;
    include(&d->x, x);
    include(&d->y, y);
    include(&d->y, at(series, "high", k));
    double low = at(series, "low", k);
    if (!d->y.log || low > 0.25 * y)
        include(&d->y, low);
}

static void find_ranges(struct drawing *d)
{
    d->x = (struct axis){json_is_true(json_object_get(d->plot, "log_x")), INFINITY, -INFINITY};
    d->y = (struct axis){json_is_true(json_object_get(d->plot, "log_y")), INFINITY, -INFINITY};
    for (size_t i = 0; i < json_array_size(d->series); i++) {
        const json_t *series = json_array_get(d->series, i);
        for (size_t k = 0; k < points(series); k++)
            include_point(d, series, k);
    }
    widen(&d->x, 0.03, false);
    widen(&d->y, 0.05, true);
}

/* ---- data and script ---- */

static int write_file(const struct drawing *d, const char *name, FILE *stream, char **data, struct error *err)
{
    char path[FILE_PATH];
    bool bad = ferror(stream);
    bad = fclose(stream) != 0 || bad;
    int code = bad ? error_set(err, -ENOMEM, "out of memory")
                   : file_write(file_path(path, "%s/%s", d->folder, name), *data, strlen(*data), err);
    free(*data);
    return code;
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* x y low high; an interval ends where the axis does. A point that can't be shown interrupts a line. */
static int write_series(const struct drawing *d, size_t index, struct error *err)
{
    const json_t *series = json_array_get(d->series, index);
    char *data = NULL, name[32];
    size_t size;
    FILE *out = open_memstream(&data, &size);
    if (!out)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t k = 0; k < points(series); k++) {
        double x = at(series, "x", k), y = at(series, "y", k), low = at(series, "low", k), high = at(series, "high", k);
        if (!can_show(&d->x, x) || !can_show(&d->y, y)) {
            fputc('\n', out);
            continue;
        }
        low = clamp(isnan(low) ? y : low, d->y.low, y);
        high = clamp(isnan(high) ? y : high, y, d->y.high);
        fprintf(out, "%.12g %.12g %.12g %.12g\n", x, y, low, high);
    }
    fputc('\n', out);
    snprintf(name, sizeof name, "series-%zu", index);
    return write_file(d, name, out, &data, err);
}

/* 'text' as gnuplot reads it: within single quotes only the quote itself is special; a line may not end inside. */
static void quote(FILE *out, const char *s)
{
    fputc('\'', out);
    for (; *s; s++)
        if (*s == '\'')
            fputs("''", out);
        else
            fputc((unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s, out);
    fputc('\'', out);
}

/* A logarithmic axis of two decades or less would have one or two labels: 1, 2, 5 of each decade instead. */
static void write_close_ticks(FILE *out, const char *axis, const struct axis *range)
{
    static const double first[] = {1, 2, 5};
    const char *before = "(";
    fprintf(out, "set %stics ", axis);
    for (int decade = (int)floor(log10(range->low)); pow(10, decade) <= range->high; decade++)
        for (int i = 0; i < 3; i++, before = ", ")
            fprintf(out, "%s%.10g", before, first[i] * pow(10, decade));
    fputs(")\n", out);
}

static void write_axis(FILE *out, const struct drawing *d, const char *axis, const struct axis *range)
{
    const char *unit = text(d->plot, strcmp(axis, "x") == 0 ? "x_unit" : "y_unit");
    char *label = NULL;
    if (asprintf(&label, *unit ? "%s (%s)" : "%s%s", text(d->plot, axis), unit) < 0)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    fprintf(out, "set %slabel ", axis);
    quote(out, label);
    free(label);
    fprintf(out, "\nset format %s '%%.10g'\n", axis);
    fprintf(out, "set %srange [%.12g:%.12g]\n", axis, range->low, range->high);
    if (range->log)
        fprintf(out, "set logscale %s\n", axis);
    if (range->log && range->high < 200 * range->low)
        write_close_ticks(out, axis, range);
}

static bool same_group(const struct drawing *d, size_t a, size_t b)
{
    const char *name = text(json_array_get(d->series, a), "name"), *other = text(json_array_get(d->series, b), "name");
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

static void write_plot_command(FILE *out, const struct drawing *d, bool svg)
{
    static const int shape[] = {7, 5, 9, 13, 6, 4, 8, 12};
    static const char *const dash[] = {"1", "2", "4", "5", "3", "(14,5)"};
    for (size_t i = 0; i < json_array_size(d->series); i++) {
        const json_t *series = json_array_get(d->series, i);
        size_t g = group_of(d, i);
        bool line = is_line(series);
        fprintf(out, i ? ", 'series-%zu' using " : "plot 'series-%zu' using ", i);
        if (!svg)
            fputs(line ? "1:2 with lines" : "1:2 with points", out);
        else if (line)
            fprintf(out, "1:2 with lines lw 2 dt %s", dash[g % 6]);
        else
            fprintf(out, "1:2:3:4 with yerrorbars lw 1.5 ps 0.9 pt %d", shape[g % 8]);
        if (svg)
            fprintf(out, " lc rgb '#%06x'", svg_colour[g % SVG_COLOURS]);
        fputs(" title ", out);
        quote(out, text(series, "name"));
    }
    fputc('\n', out);
}

static bool has_long_names(const struct drawing *d)
{
    for (size_t i = 0; i < json_array_size(d->series); i++)
        if (strlen(text(json_array_get(d->series, i), "name")) > LONGEST_HALF)
            return true;
    return false;
}

static void write_look(FILE *out, const struct drawing *d, int columns, int rows)
{
    if (columns) {
        fprintf(out, "set terminal dumb mono size %d,%d noenhanced\nset key below\nset tics nomirror\n", columns, rows);
        return;
    }
    int across = has_long_names(d) ? 1 : 2, legend = ((int)json_array_size(d->series) + across - 1) / across;
    fprintf(out, "set terminal svg size %d,%d dynamic noenhanced font 'Arial,15'\n", WIDTH,
            HEIGHT + LEGEND_ROW * legend);
    fprintf(out, "set key bmargin left Left reverse horizontal maxcols %d\n", across);
    fprintf(out, "set key samplen 3 spacing 1.15 font ',13' width -4 height 1\nset tmargin 1\n");
    fprintf(out, "set border 3 lw 1\nset tics nomirror out scale 0.6,0.3\nset errorbars 0.6\n");
    fprintf(out, "set grid xtics ytics lt 1 lw 1 lc rgb '#%06x'\n", svg_grid_colour);
}

static int write_script(const struct drawing *d, int columns, int rows, struct error *err)
{
    char *script = NULL;
    size_t size;
    FILE *out = open_memstream(&script, &size);
    if (!out)
        return error_set(err, -ENOMEM, "out of memory");
    fputs("set encoding utf8\n", out);
    write_look(out, d, columns, rows);
    fputs("set output 'drawing'\n", out);
    write_axis(out, d, "x", &d->x);
    write_axis(out, d, "y", &d->y);
    write_plot_command(out, d, columns == 0);
    return write_file(d, "script", out, &script, err);
}

/* ---- running ---- */

static int run(const struct drawing *d, char **drawing, struct error *err)
{
    const char *argv[] = {"gnuplot", "-d", "script", NULL};
    char path[FILE_PATH];
    size_t size;
    struct process p = {.argv = argv, .folder = d->folder, .wall_ms = DEADLINE_MS, .output_limit = 2000};
    struct process_result r;
    int code = process_run(&p, &r, err);
    if (code)
        return code;
    int status = r.status;
    char said[300];
    snprintf(said, sizeof said, "%s", r.output ? r.output : "");
    process_result_free(&r);
    /* 127: process.h's child found no such program. */
    if (status == 127 << 8)
        return error_set(err, -ENOENT,
                         "plots are left out: there is no gnuplot (on Debian and Ubuntu: apt-get install gnuplot-nox)");
    if (r.timed_out)
        return error_set(err, -EIO, "gnuplot took more than %d s", DEADLINE_MS / 1000);
    if (status != 0 || file_read(file_path(path, "%s/drawing", d->folder), 64 << 20, drawing, &size, NULL) != 0)
        return error_set(err, -EIO, "gnuplot failed on plot %s: %s", text(d->plot, "id"), said);
    return 0;
}

/* columns 0: as SVG. */
static int draw(const json_t *plot, int columns, int rows, char **drawing, struct error *err)
{
    struct drawing d = {.plot = plot, .series = json_object_get(plot, "series")};
    if (json_array_size(d.series) == 0)
        return error_set(err, -EINVAL, "plot \"%s\" has no series", text(plot, "id"));
    find_ranges(&d);
    int code = file_temp_dir(d.folder, "faultline-plot", err);
    if (code)
        return code;
    for (size_t i = 0; code == 0 && i < json_array_size(d.series); i++)
        code = write_series(&d, i, err);
    if (code == 0)
        code = write_script(&d, columns, rows, err);
    if (code == 0)
        code = run(&d, drawing, err);
    file_remove_tree(d.folder);
    return code;
}

int plot_svg(const json_t *plot, const char *name, char **svg, struct error *err)
{
    char *drawing = NULL;
    int code = draw(plot, 0, 0, &drawing, err);
    if (code)
        return code;
    *svg = svg_adapt(drawing, name, text(plot, "title"), text(plot, "reading"));
    free(drawing);
    return *svg ? 0 : error_set(err, -EIO, "plot %s: gnuplot's drawing is not SVG", text(plot, "id"));
}

int report_print_plot(FILE *out, const json_t *plot, struct error *err)
{
    char *drawing = NULL;
    int width = terminal_width(), columns = width < 80 ? width : width > 100 ? 100 : width;
    int code = draw(plot, columns, 22, &drawing, err);
    if (code)
        return code;
    const char *unit = text(plot, "y_unit");
    fprintf(out, "%s%s%s\n", out == stdout ? terminal_style(STYLE_BOLD) : "", text(plot, "title"),
            out == stdout ? terminal_style(STYLE_PLAIN) : "");
    fprintf(out, *unit ? "     %s (%s)\n" : "     %s%s\n", text(plot, "y"), unit);
    /* gnuplot begins with a form feed and fills lines with blanks; its character terminal has no room for the label of
     * the y axis, so that stands above. */
    for (char *line = drawing, *next; line && *line; line = next) {
        size_t n = strcspn(line, "\n");
        next = line[n] ? line + n + 1 : NULL;
        while (n && line[n - 1] == ' ')
            n--;
        line += *line == '\f' && n ? (n--, 1) : 0;
        if (n)
            fprintf(out, "%.*s\n", (int)n, line);
    }
    free(drawing);
    return 0;
}
