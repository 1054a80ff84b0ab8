/* plot_axis.c: what an axis shows. Ranges are computed here rather than by gnuplot, so that a point never lies on the
 * frame and an error bar never decides what a logarithmic axis shows. */
#include "report/plot_parts.h"

#include <math.h>

struct axis axis_create(bool log)
{
    return (struct axis){log, INFINITY, -INFINITY};
}

bool axis_can_show(const struct axis *axis, double v)
{
    return isfinite(v) && (!axis->log || v > 0);
}

void axis_include(struct axis *axis, double v)
{
    if (!axis_can_show(axis, v))
        return;
    axis->low = v < axis->low ? v : axis->low;
    axis->high = v > axis->high ? v : axis->high;
}

void axis_widen(struct axis *axis, double part, bool from_zero)
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

double axis_at(const struct axis *axis, double v)
{
    return axis->log ? log(v / axis->low) / log(axis->high / axis->low) : (v - axis->low) / (axis->high - axis->low);
}

bool axis_is_near(const struct axis *axis, double v)
{
    if (!axis_can_show(axis, v) || axis->low > axis->high)
        return false;
    double room = 0.25 * (axis->high - axis->low);
    return axis->log ? v >= axis->low / 4 && v <= 4 * axis->high : v >= axis->low - room && v <= axis->high + room;
}
