/* test_label.c: names of points never overlap, never leave the frame, and never cover a point. */
#include "report/plot.h"
#include "report/plot_parts.h"
#include "report/tests/markup.h"
#include "report/tests/sample.h"
#include "report/tests/sample_costs.h"
#include "sim/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(label, .timeout = 60);

#define MOST 40

static const struct label_box frame = {0, 0, 620, 440};

static bool overlap(struct label_box a, struct label_box b)
{
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/* The number that found a place. */
static size_t check(const struct label_point *point, size_t n, const char *what)
{
    struct label_place place[MOST];
    size_t placed = 0;
    label_place(point, n, frame, place);
    for (size_t i = 0; i < n; i++) {
        struct label_box b = place[i].box;
        if (!place[i].placed)
            continue;
        placed++;
        cr_assert(b.left >= frame.left && b.right <= frame.right && b.top >= frame.top && b.bottom <= frame.bottom,
                  "%s: name %zu leaves the frame: %g %g %g %g", what, i, b.left, b.top, b.right, b.bottom);
        cr_assert(fabs(b.right - b.left - point[i].width) < 1e-6, "%s: name %zu is not as wide as it is", what, i);
        for (size_t k = 0; k < n; k++) {
            struct label_box dot = {point[k].x - 4, point[k].y - 4, point[k].x + 4, point[k].y + 4};
            cr_assert(!overlap(b, dot), "%s: name %zu covers point %zu", what, i, k);
            cr_assert(k == i || !place[k].placed || !overlap(b, place[k].box), "%s: names %zu and %zu overlap", what, i,
                      k);
        }
    }
    return placed;
}

Test(label, twenty_at_random)
{
    struct rng r;
    struct label_point point[MOST];
    rng_seed(&r, 7, 0);
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 20; i++)
            point[i] = (struct label_point){600 * rng_double(&r), 420 * rng_double(&r), 40 + 170 * rng_double(&r)};
        size_t placed = check(point, 20, "random");
        cr_assert(placed == 20, "round %d: %zu of 20 found a place", round, placed);
    }
}

Test(label, in_a_row_at_the_edge)
{
    struct label_point point[MOST];
    for (size_t i = 0; i < 5; i++)
        point[i] = (struct label_point){330 + 60.0 * (double)i, 425, 180};
    size_t placed = check(point, 5, "row");
    cr_assert(placed == 5, "%zu of 5 found a place", placed);
}

Test(label, all_at_one_place)
{
    struct label_point point[MOST];
    for (size_t i = 0; i < 20; i++)
        point[i] = (struct label_point){310, 220, 100};
    cr_assert(check(point, 20, "one place") >= 4, "fewer than four found a place");
}

Test(label, what_cannot_fit_is_left_out)
{
    struct label_point point[] = {{300, 200, 1000}, {310, 200, 50}, {5, 5, 0}};
    struct label_place place[3];
    label_place(point, 3, frame, place);
    cr_assert(!place[0].placed && place[1].placed && !place[2].placed, "expected only the second to be placed");
    label_place(point, 0, frame, place);
}

Test(label, same_points_same_places)
{
    struct label_point point[MOST];
    struct label_place a[MOST], b[MOST];
    for (size_t i = 0; i < 15; i++)
        point[i] = (struct label_point){300 + 5.0 * (double)(i % 4), 200 + 3.0 * (double)i, 120};
    label_place(point, 15, frame, a);
    label_place(point, 15, frame, b);
    for (size_t i = 0; i < 15; i++)
        cr_assert(a[i].placed == b[i].placed && a[i].box.left == b[i].box.left && a[i].box.top == b[i].box.top,
                  "name %zu has two places", i);
}

Test(label, width_counts_characters)
{
    cr_assert(label_width("") == 0 && label_width("mmmm") > label_width("iiii"), "m is wider than i");
    cr_assert(label_width("\u00e9\u00e9") < 2 * LABEL_FONT && label_width("\u00e9") > 0, "bytes were counted");
}

/* ---- drawn ---- */

static char *draw(const char *odd)
{
    struct error err;
    char *svg = NULL, why[200];
    json_t *plot = sample_scatter(odd);
    int code = plot_svg(plot, "p", &svg, &err);
    cr_assert(code == 0, "%s", err.text);
    cr_assert(markup_is_good(svg, false, why, sizeof why), "%s", why);
    json_decref(plot);
    return svg;
}

Test(label, names_and_marks_are_drawn)
{
    char *svg = draw(""), name[32];
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, ">entry-%d<", i);
        cr_assert(strstr(svg, name), "the drawing lacks %s", name);
    }
    cr_assert(strstr(svg, ">L1 48 KiB<") && strstr(svg, ">L2 near<"), "a mark's label is missing");
    cr_assert(!strstr(svg, "L3 far"), "a mark that is far away is drawn");
    cr_assert(markup_count(svg, "fl-mark") >= 4, "marks and their labels have no class of their own");
    free(svg);
}

Test(label, hostile_names_stay_names)
{
    char *svg = draw(sample_hostile);
    cr_assert(!strstr(svg, "<script") && strstr(svg, "&lt;script&gt;"), "a name became markup");
    free(svg);
}

Test(label, a_curve_is_joined_and_points_are_not)
{
    struct error err;
    char *curve = NULL, *points = NULL;
    json_t *plot = json_loads("{\"id\": \"c\", \"series\": [{\"name\": \"a\", \"kind\": \"curve\", \"x\": [1, 2, 3], "
                              "\"y\": [1, 4, 9], \"low\": [1, 3, 8], \"high\": [2, 5, 10]}]}",
                              0, NULL);
    int code = plot_svg(plot, "p", &curve, &err);
    cr_assert(code == 0, "%s", err.text);
    json_object_set_new(json_array_get(json_object_get(plot, "series"), 0), "kind", json_string("points"));
    code = plot_svg(plot, "p", &points, &err);
    cr_assert(code == 0, "%s", err.text);
    cr_assert(strcmp(curve, points) != 0 && markup_count(curve, "<use") == markup_count(points, "<use"),
              "a curve has the points and something more");
    free(curve), free(points);
    json_decref(plot);
}
