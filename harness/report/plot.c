/* plot.c: from a plot to gnuplot's script and data files, and back.
 *
 * gnuplot reads a script (plot_script.c) and one file a series in a private folder that is gone afterwards; no shell is
 * involved. The ranges of the axes and the places of names are computed here (plot_axis.c, plot_label.c); gnuplot
 * chooses the ticks.
 */
#include "report/plot.h"

#include "base/file.h"
#include "base/process.h"
#include "base/terminal.h"
#include "report/number.h"
#include "report/plot_parts.h"
#include "report/report.h"
#include "report/svg.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS  30000
#define FIELD_WIDTH  615
#define FIELD_HEIGHT 290 /* between the axes ... */
#define NAMED_HEIGHT 440 /* ... and where the points have names, which need room */

const char *plot_text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

double plot_value(const json_t *series, const char *name, size_t i)
{
    return number_of(json_array_get(json_object_get(series, name), i));
}

static size_t points(const json_t *series)
{
    return json_array_size(json_object_get(series, "x"));
}

bool plot_is_kind(const json_t *series, const char *kind)
{
    return strcmp(plot_text(series, "kind"), kind) == 0;
}

/* ---- axes ---- */

static void include_point(struct drawing *d, const json_t *series, size_t k)
{
    double x = plot_value(series, "x", k), y = plot_value(series, "y", k);
    if (!axis_can_show(&d->x, x) || !axis_can_show(&d->y, y))
        return;
    axis_include(&d->x, x);
    axis_include(&d->y, y);
    axis_include(&d->y, plot_value(series, "high", k));
    double low = plot_value(series, "low", k);
    if (!d->y.log || low > 0.25 * y)
        axis_include(&d->y, low);
}

static void find_ranges(struct drawing *d)
{
    d->x = axis_create(json_is_true(json_object_get(d->plot, "log_x")));
    d->y = axis_create(json_is_true(json_object_get(d->plot, "log_y")));
    for (size_t i = 0; i < json_array_size(d->series); i++) {
        const json_t *series = json_array_get(d->series, i);
        for (size_t k = 0; k < points(series); k++)
            include_point(d, series, k);
    }
    notes_include_marks(&d->x, d->plot);
    bool names = notes_has_labels(d->plot);
    axis_widen(&d->x, names ? 0.06 : 0.03, false);
    axis_widen(&d->y, names ? 0.15 : 0.05, true);
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
        double x = plot_value(series, "x", k), y = plot_value(series, "y", k), low = plot_value(series, "low", k),
               high = plot_value(series, "high", k);
        if (!axis_can_show(&d->x, x) || !axis_can_show(&d->y, y)) {
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

static int write_script(const struct drawing *d, int columns, int rows, struct error *err)
{
    char *script = NULL;
    size_t size;
    FILE *out = open_memstream(&script, &size);
    if (!out)
        return error_set(err, -ENOMEM, "out of memory");
    script_write(out, d, columns, rows);
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
        return error_set(err, -EIO, "gnuplot failed on plot %s: %s", plot_text(d->plot, "id"), said);
    return 0;
}

/* columns 0: as SVG. */
static int draw(const json_t *plot, int columns, int rows, char **drawing, struct error *err)
{
    struct drawing d = {.plot = plot, .series = json_object_get(plot, "series")};
    if (json_array_size(d.series) == 0)
        return error_set(err, -EINVAL, "plot \"%s\" has no series", plot_text(plot, "id"));
    d.field = (struct plot_field){FIELD_WIDTH, notes_has_labels(plot) ? NAMED_HEIGHT : FIELD_HEIGHT};
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
    *svg = svg_adapt(drawing, name, plot_text(plot, "title"), plot_text(plot, "reading"));
    free(drawing);
    return *svg ? 0 : error_set(err, -EIO, "plot %s: gnuplot's drawing is not SVG", plot_text(plot, "id"));
}

int report_print_plot(FILE *out, const json_t *plot, struct error *err)
{
    char *drawing = NULL;
    int width = terminal_width(), columns = width < 80 ? width : width > 100 ? 100 : width;
    int code = draw(plot, columns, 22, &drawing, err);
    if (code)
        return code;
    const char *unit = plot_text(plot, "y_unit");
    fprintf(out, "%s%s%s\n", out == stdout ? terminal_style(STYLE_BOLD) : "", plot_text(plot, "title"),
            out == stdout ? terminal_style(STYLE_PLAIN) : "");
    fprintf(out, *unit ? "     %s (%s)\n" : "     %s%s\n", plot_text(plot, "y"), unit);
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
