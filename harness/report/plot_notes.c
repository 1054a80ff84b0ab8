/* plot_notes.c: marks (upright lines with a label above) and the names of points, as gnuplot's commands.
 *
 * They are given in "graph" coordinates, 0 to 1 between the axes, so gnuplot puts them where the axes are; only how
 * much room a text takes is computed here, from the size of the field that the drawing will have. */
#include "report/plot_parts.h"

#include "base/error.h"
#include "base/memory.h"
#include "report/number.h"
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARK_ROWS 3 /* rows of labels above the drawing; a label for which there is none is left out */

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

/* ---- marks ---- */

void notes_include_marks(struct axis *x, const json_t *plot)
{
    size_t i;
    json_t *mark;
    struct axis range = *x;
    json_array_foreach(json_object_get(plot, "marks"), i, mark)
    {
        double v = number_of(json_object_get(mark, "x"));
        if (axis_is_near(&range, v))
            axis_include(x, v);
    }
}

/* A mark's label: where it begins, and in which row it stands, the lowest being 0. */
struct mark {
    double at, left, right; /* at: 0 to 1; left and right in units of the drawing */
    bool free;              /* it stands in the middle above its mark; else it was shifted, to stay above the field */
    int row;
    const char *label;
};

/* The next mark that the axis shows, with its label in the first row where no earlier label is in its way. */
static bool next_mark(const struct axis *x, const json_t *marks, struct plot_field field, size_t *i, struct mark *m,
                      double right[MARK_ROWS])
{
    for (; *i < json_array_size(marks); ++*i) {
        const json_t *o = json_array_get(marks, *i);
        double v = number_of(json_object_get(o, "x"));
        if (!axis_can_show(x, v) || v < x->low || v > x->high)
            continue;
        *m = (struct mark){.at = axis_at(x, v), .label = text(o, "label")};
        double width = label_width(m->label);
        m->left = fmax(0, fmin(m->at * field.width - width / 2, field.width - width));
        m->free = m->left > 0 && m->left < field.width - width;
        m->right = m->left + width;
        while (m->row < MARK_ROWS && right[m->row] + 10 > m->left)
            m->row++;
        if (m->row < MARK_ROWS)
            right[m->row] = m->right;
        ++*i;
        return true;
    }
    return false;
}

#define NO_MARKS                                                                                                       \
    {                                                                                                                  \
        -10, -10, -10                                                                                                  \
    } /* nothing stands in any row; what follows is in the order of the marks */

int notes_rows(const struct axis *x, const json_t *plot, struct plot_field field)
{
    int rows = 0;
    size_t i = 0;
    struct mark m;
    double right[MARK_ROWS] = NO_MARKS;
    while (next_mark(x, json_object_get(plot, "marks"), field, &i, &m, right))
        rows = m.row < MARK_ROWS && m.row + 1 > rows ? m.row + 1 : rows;
    return rows;
}

void notes_write_marks(FILE *out, const struct axis *x, const json_t *plot, struct plot_field field)
{
    size_t i = 0;
    struct mark m;
    double right[MARK_ROWS] = NO_MARKS;
    while (next_mark(x, json_object_get(plot, "marks"), field, &i, &m, right)) {
        fprintf(out, "set arrow from graph %.6f, graph 0 to graph %.6f, graph 1 nohead back lw 1 dt 2 lc rgb '#%06x'\n",
                m.at, m.at, svg_mark_colour);
        if (m.row == MARK_ROWS)
            continue;
        fputs("set label ", out);
        plot_quote(out, m.label);
        fprintf(out, " at graph %.6f, graph %.6f %s font ',%d' tc rgb '#%06x'\n", m.free ? m.at : m.left / field.width,
                1 + (10 + m.row * (LABEL_HEIGHT + 1)) / field.height, m.free ? "center" : "left", LABEL_FONT,
                svg_mark_colour);
    }
}

/* ---- names of points ---- */

bool notes_has_labels(const json_t *plot)
{
    size_t i;
    json_t *series;
    json_array_foreach(json_object_get(plot, "series"), i, series)
    {
        if (json_array_size(json_object_get(series, "labels")) > 0)
            return true;
    }
    return false;
}

struct names {
    struct label_point *point;
    const char **name;
    size_t n;
};

/* All points that are drawn; those without a name keep names away. */
static struct names collect(const struct axis *x, const struct axis *y, const json_t *plot, struct plot_field field)
{
    size_t i, k, most = 0;
    json_t *series, *value;
    json_array_foreach(json_object_get(plot, "series"), i, series)
    {
        most += json_array_size(json_object_get(series, "x"));
    }
    struct names names = {xcalloc(most + 1, sizeof *names.point), xcalloc(most + 1, sizeof *names.name), 0};
    json_array_foreach(json_object_get(plot, "series"), i, series)
    {
        json_array_foreach(json_object_get(series, "x"), k, value)
        {
            double px = number_of(value), py = number_of(json_array_get(json_object_get(series, "y"), k));
            const char *name = json_string_value(json_array_get(json_object_get(series, "labels"), k));
            if (!axis_can_show(x, px) || !axis_can_show(y, py))
                continue;
            names.name[names.n] = name ? name : "";
            names.point[names.n++] = (struct label_point){
                axis_at(x, px) * field.width, (1 - axis_at(y, py)) * field.height, name ? label_width(name) : 0};
        }
    }
    return names;
}

void notes_write_labels(FILE *out, const struct axis *x, const struct axis *y, const json_t *plot,
                        struct plot_field field)
{
    struct names names = collect(x, y, plot, field);
    struct label_place *place = xcalloc(names.n + 1, sizeof *place);
    label_place(names.point, names.n, (struct label_box){4, 0, field.width, field.height - 4}, place);
    for (size_t i = 0; i < names.n; i++) {
        const struct label_place *p = &place[i];
        if (!p->placed)
            continue;
        if (p->leader)
            fprintf(out, "set arrow from graph %.6f, graph %.6f to graph %.6f, graph %.6f nohead lw 1 lc rgb '#%06x'\n",
                    p->from_x / field.width, 1 - p->from_y / field.height, p->to_x / field.width,
                    1 - p->to_y / field.height, svg_mark_colour);
        /* In the middle of its box, since the reader's font is narrower or wider than ours. */
        double middle = 0.5 * (p->box.left + p->box.right);
        bool right = p->box.left >= names.point[i].x, left = p->box.right <= names.point[i].x;
        fputs("set label ", out);
        plot_quote(out, names.name[i]);
        fprintf(out, " at graph %.6f, graph %.6f %s font ',%d' front\n",
                (right  ? p->box.left
                 : left ? p->box.right
                        : middle) /
                    field.width,
                1 - 0.5 * (p->box.top + p->box.bottom) / field.height,
                right  ? "left"
                : left ? "right"
                       : "center",
                LABEL_FONT);
    }
    free(place);
    free(names.point);
    free(names.name);
}
