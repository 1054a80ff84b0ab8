/* plot.h: a plot, as the JSON object that report.h describes, drawn by gnuplot.
 *
 * The SVG is made to stand inside a page: text and axes have the colour of the text around it, nothing is painted
 * behind it, the series have colours that go with a light and with a dark page, and every id starts with `name`, so
 * that several plots may share one page. It refers to nothing outside itself. It also stands alone as a file. Theory is
 * a line, a measurement a point with its interval as a bar, joined where it is one of a curve; each series differs
 * from the others in dash or shape as well as in colour. The same object gives the same bytes.
 *
 * A null or a number that is not finite is left out; so is what a logarithmic axis cannot show.
 */
#ifndef REPORT_PLOT_H
#define REPORT_PLOT_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

/* name: what ids start with: letters, digits and '-'. *svg is the caller's to free and ends with a NUL. 0; -ENOENT
 * without gnuplot; -EINVAL when the object is not a plot; -EIO when gnuplot failed or took too long. */
int plot_svg(const json_t *plot, const char *name, char **svg, struct error *err);

#endif
