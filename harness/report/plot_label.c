/* plot_label.c: where the names of points go.
 *
 * Greedy: the names are placed one after the other, each at the first of many places that is free. The places lie on
 * rings around the point, the nearest first; on each ring right, left, above and below come before the directions
 * between them. A name that had to go further than the first ring gets a leader. In which order the names come decides
 * much, so some shuffled orders are tried, half of them with
 * other directions first, and the best is kept. n names, p places: n^2 p steps for each order, a few
 * hundredths of a second for twenty names.
 *
 * A better placement (annealing; Christensen, Marks, Shieber 1995) would bring some names nearer to their points. For
 * twenty names that is not worth its code.
 */
#include "report/plot_parts.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MARK       6.0 /* what a point takes, in each direction */
#define GAP        2.0 /* between two names */
#define RING       13.0
#define FURTHEST   250.0
#define ORDERS     200
#define MOST_TRIED 60 /* with more names, one order has to do */
#define ROUNDS     3

/* Rings are squares, as points are: right, left, above, below, then what lies between them. `side` is how far the name
 * is shifted to a side: 1 by half its width, so that it begins at the point. */
static const struct direction {
    double x, y, side;
} directions[] = {
    {1, 0, 1},      {-1, 0, -1},   {0, -1, 0},     {0, 1, 0},     {1, -1, 1},       {1, 1, 1},       {-1, -1, -1},
    {-1, 1, -1},    {0, -1, 1},    {0, -1, -1},    {0, 1, 1},     {0, 1, -1},       {1, -0.4, 1},    {1, 0.4, 1},
    {-1, -0.4, -1}, {-1, 0.4, -1}, {0.4, -1, 0.4}, {0.4, 1, 0.4}, {-0.4, -1, -0.4}, {-0.4, 1, -0.4},
};
#define DIRECTIONS ((int)COUNT(directions))

static bool overlap(struct label_box a, struct label_box b, double gap)
{
    return a.left < b.right + gap && b.left < a.right + gap && a.top < b.bottom + gap && b.top < a.bottom + gap;
}

static bool inside(struct label_box box, struct label_box frame)
{
    return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
}

/* Does the line from (x0, y0) to (x1, y1) meet the box? Liang and Barsky: what is left of the line after each side. */
static bool meets(double x0, double y0, double x1, double y1, struct label_box box)
{
    double from = 0, to = 1, dx = x1 - x0, dy = y1 - y0;
    const double p[] = {-dx, dx, -dy, dy}, q[] = {x0 - box.left, box.right - x0, y0 - box.top, box.bottom - y0};
    for (int i = 0; i < 4; i++) {
        if (p[i] == 0 && q[i] < 0)
            return false;
        if (p[i] < 0)
            from = fmax(from, q[i] / p[i]);
        else if (p[i] > 0)
            to = fmin(to, q[i] / p[i]);
    }
    return from <= to;
}

static double side(double ax, double ay, double bx, double by, double x, double y)
{
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax);
}

static bool cross(const struct label_place *a, const struct label_place *b)
{
    double ax = a->from_x, ay = a->from_y, bx = a->to_x, by = a->to_y;
    double cx = b->from_x, cy = b->from_y, dx = b->to_x, dy = b->to_y;
    return side(ax, ay, bx, by, cx, cy) * side(ax, ay, bx, by, dx, dy) < 0 &&
           side(cx, cy, dx, dy, ax, ay) * side(cx, cy, dx, dy, bx, by) < 0;
}

static struct label_box around(const struct label_point *p)
{
    return (struct label_box){p->x - MARK, p->y - MARK, p->x + MARK, p->y + MARK};
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* One of the places on a ring that is `away` from the point's edge. */
static struct label_place beside(const struct label_point *p, int direction, double away)
{
    double w = 0.5 * p->width, h = 0.5 * LABEL_HEIGHT, reach = MARK + 0.01 + away;
    struct direction d = directions[direction];
    /* The name's middle lies further out than its edge: by half its size when it stands to that side. */
    double x = p->x + d.x * reach + d.side * w, y = p->y + d.y * (reach + h);
    struct label_place place = {.placed = true, .box = {x - w, y - h, x + w, y + h}, .leader = away > RING / 2};
    double to_x = clamp(p->x, place.box.left, place.box.right), to_y = clamp(p->y, place.box.top, place.box.bottom);
    double length = hypot(to_x - p->x, to_y - p->y), part = length > 0 ? fmin(1, MARK / length) : 0;
    place.from_x = p->x + part * (to_x - p->x);
    place.from_y = p->y + part * (to_y - p->y);
    place.to_x = to_x;
    place.to_y = to_y;
    return place;
}

static double distance(struct label_box box, const struct label_point *p)
{
    return hypot(clamp(p->x, box.left, box.right) - p->x, clamp(p->y, box.top, box.bottom) - p->y);
}

/* strict: leaders don't cross and pass no point, and a name without one is nearest to its own. */
static bool is_free(const struct label_point *point, size_t n, size_t self, const struct label_place *try,
                    const struct label_place *place, bool strict)
{
    for (size_t i = 0; i < n; i++) {
        if (overlap(try->box, around(&point[i]), 0))
            return false;
        if (strict && try->leader && i != self &&
            meets(try->from_x, try->from_y, try->to_x, try->to_y, around(&point[i])))
            return false;
        /* Without a leader it has to be plain whose name it is. */
        if (strict && !try->leader && i != self && distance(try->box, &point[i]) < MARK + 5)
            return false;
        if (!place[i].placed)
            continue;
        const struct label_place *other = &place[i];
        if (overlap(try->box, other->box, GAP) ||
            (try->leader && meets(try->from_x, try->from_y, try->to_x, try->to_y, other->box)) ||
            (other->leader && meets(other->from_x, other->from_y, other->to_x, other->to_y, try->box)))
            return false;
        if (strict && try->leader && other->leader && cross(try, other))
            return false;
    }
    return true;
}

/* Left over counts most, then a leader that crosses another or passes a point, then how far from its point it is. */
static double cost_of(const struct label_place *p)
{
    double length = p->leader ? hypot(p->to_x - p->from_x, p->to_y - p->from_y) : 0;
    return !p->placed ? 1e6 : (p->poor ? 1e3 : 0) + (p->leader ? 5 + length + length * length / 40 : 0);
}

static void place_one(const struct label_point *point, size_t n, size_t self, struct label_box frame, int first,
                      struct label_place *place)
{
    place[self].placed = false;
    for (int strict = 1; strict >= 0; strict--)
        for (double away = 0; away < FURTHEST; away += RING)
            for (int d = 0; d < DIRECTIONS; d++) {
                struct label_place try = beside(&point[self], (first + d) % DIRECTIONS, away);
                if (inside(try.box, frame) && is_free(point, n, self, &try, place, strict)) {
                    place[self] = try;
                    place[self].poor = !strict;
                    return;
                }
            }
}

/* Places all in an order, then each again where the others have left it room. */
static double place_in_order(const struct label_point *point, size_t n, struct label_box frame, const size_t *order,
                             int first, struct label_place *place)
{
    double cost = 0;
    memset(place, 0, n * sizeof *place);
    for (size_t k = 0; k < ROUNDS * n; k++) {
        size_t i = order[k % n];
        if (point[i].width > 0 && (k < n || cost_of(&place[i]) > 0))
            place_one(point, n, i, frame, first, place);
    }
    for (size_t i = 0; i < n; i++)
        cost += point[i].width > 0 ? cost_of(&place[i]) : 0;
    return cost;
}

/* Fisher and Yates with a small generator: drawn anew it would be the same again. */
static void shuffle(size_t *order, size_t n, uint32_t *state)
{
    for (size_t i = n; i > 1; i--) {
        *state = 1664525 * *state + 1013904223;
        size_t k = (*state >> 8) % i, kept = order[k];
        order[k] = order[i - 1];
        order[i - 1] = kept;
    }
}

void label_place(const struct label_point *point, size_t n, struct label_box frame, struct label_place *place)
{
    struct label_place *try = xcalloc(n + 1, sizeof *try);
    size_t *order = xcalloc(n + 1, sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    uint32_t state = 1;
    double best = place_in_order(point, n, frame, order, 0, place);
    for (int k = 1; k < ORDERS && best > 0 && n <= MOST_TRIED; k++) {
        shuffle(order, n, &state);
        double cost = place_in_order(point, n, frame, order, k % 2 ? 0 : k / 2 % DIRECTIONS, try);
        if (cost < best) {
            best = cost;
            memcpy(place, try, n * sizeof *try);
        }
    }
    /* Level with its point, or above or below it, where that costs nothing. */
    for (size_t i = 0; i < n; i++) {
        struct label_place kept = place[i];
        if (point[i].width > 0)
            place_one(point, n, i, frame, 0, place);
        if (cost_of(&place[i]) > cost_of(&kept))
            place[i] = kept;
    }
    free(try);
    free(order);
}

double label_width(const char *text)
{
    double em = 0;
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if ((c & 0xc0) == 0x80)
            continue;
        em += c >= 0xe0 ? 1 : strchr("iljtfr.,:;!'|()[] -", c) ? 0.37 : strchr("mwMW%@", c) || c >= 0x80 ? 0.92 : 0.61;
    }
    return LABEL_FONT * em;
}
