/* plot_parts.h: what the files that draw a plot share. */
#ifndef REPORT_PLOT_PARTS_H
#define REPORT_PLOT_PARTS_H

#include "base/file.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* ---- plot_axis.c: what an axis shows ---- */

struct axis {
    bool log;
    double low, high;
};

/* One that shows nothing yet; log: a logarithmic one. */
struct axis axis_create(bool log);
bool axis_can_show(const struct axis *axis, double v);
void axis_include(struct axis *axis, double v); /* what can't be shown is left out */
/* Some room at both ends; from_zero: a linear axis that comes near zero starts there. */
void axis_widen(struct axis *axis, double part, bool from_zero);
/* Where v lies: 0 at the low end, 1 at the high one. */
double axis_at(const struct axis *axis, double v);
/* Whether v lies on the axis or so near to it that it is worth some more room: a factor of 4 on a logarithmic axis, a
 * quarter of its length on a linear one. */
bool axis_is_near(const struct axis *axis, double v);

/* ---- plot_label.c: where the names of points go ---- */

struct label_box {
    double left, top, right, bottom; /* in units of the drawing, y downwards */
};

struct label_point {
    double x, y;
    double width; /* of its name; 0: it has none, and only keeps others away */
};

struct label_place {
    bool poor;   /* its leader crosses another, or passes another point: there was nothing better */
    bool placed; /* false: there was no room, or no name */
    bool leader; /* far enough away to need a line to its point ... */
    double from_x, from_y, to_x, to_y; /* ... which goes from the point's edge to the name's */
    struct label_box box;
};

#define LABEL_FONT   12
#define LABEL_HEIGHT 15.0

/* Places the names of n points inside the frame. No two names overlap, none covers a point, a leader crosses no name,
 * and no leader crosses another where that can be had. The same points give the same places. */
void label_place(const struct label_point *point, size_t n, struct label_box frame, struct label_place *place);

/* How wide a text is at most in a sans-serif font of LABEL_FONT, as far as that can be known without the font. */
double label_width(const char *text);

/* ---- plot_notes.c: marks and names, as gnuplot's commands ---- */

/* The size of the field between the axes, slightly less than gnuplot makes it. */
struct plot_field {
    double width, height;
};

/* A mark that lies near the axis makes it longer. */
void notes_include_marks(struct axis *x, const json_t *plot);
/* How many rows the marks' labels take above the drawing. */
int notes_rows(const struct axis *x, const json_t *plot, struct plot_field field);
void notes_write_marks(FILE *out, const struct axis *x, const json_t *plot, struct plot_field field);
void notes_write_labels(FILE *out, const struct axis *x, const struct axis *y, const json_t *plot,
                        struct plot_field field);
bool notes_has_labels(const json_t *plot);

/* ---- plot.c ---- */

struct drawing {
    const json_t *plot, *series;
    struct axis x, y;
    struct plot_field field;
    char folder[FILE_PATH];
};

const char *plot_text(const json_t *object, const char *name);
double plot_value(const json_t *series, const char *name, size_t i);
bool plot_is_kind(const json_t *series, const char *kind);

/* ---- plot_script.c: what gnuplot is told ---- */

/* columns 0: SVG; else so many columns and rows of characters. It reads series-0 ... and writes `drawing`. */
void script_write(FILE *out, const struct drawing *d, int columns, int rows);

/* 'text' as gnuplot reads it: within single quotes only the quote itself is special; a line may not end inside. */
void plot_quote(FILE *out, const char *s);

#endif
