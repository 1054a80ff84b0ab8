/* report.h: from what a lab's claims program measured to what a person looks at.
 *
 * A lab's claims program (harness/report/claims.h) leaves one JSON object for its lab:
 *
 *   {"format": 1, "lab": "01", "name": "load-balancing", "title": "...", "seed": 1, "broken": false,
 *    "incident": ["...", "...", "..."], "next": ["..."],
 *    "claims": [{"lab": "01", "id": "round-robin-ceiling", "statement": "...", "formula": "...", "relation": "equals",
 *                "predicted": 5000, "measured": 4991, "low": 4985, "high": 4997, "unit": "requests/s",
 *                "tolerance": 50, "tolerance_why": "5.5 standard errors of the mean over 16 seeds", "seeds": 16,
 *                "source": "simulated", "broken": "round robin in place of ...", "holds": true}],
 *    "plots": [{"id": "loss", "title": "...", "reading": "how to read it, a sentence or two", "x": "offered load",
 *               "x_unit": "requests/s", "y": "loss", "y_unit": "%", "log_x": false, "log_y": false, "seeds": 16,
 *               "marks": [{"x": 49152.0, "label": "L1 48 KiB"}],
 *               "series": [{"name": "round robin, theory", "kind": "line", "x": [..], "y": [..]},
 *                          {"name": "round robin, measured", "kind": "points", "x": [..], "y": [..],
 *                           "low": [..], "high": [..], "labels": ["..", ..]}]}],
 *    "seconds": 12.3,
 *    "claims_date": "2026-11-30 23:10", "costs_date": "2026-11-29 08:15", "costs_older": true,
 *    "costs": {..}}
 *
 * relation: "equals", "at-least" or "at-most". A figure that is no number (NaN, infinite) is null, and its claim does
 * not hold. "holds" is null where a claim about this machine can't be told, and "reason" then says why. The lab's
 * "broken" says that the failing algorithms were measured in the cures' places, a claim's "broken" which.
 *
 * A series' kind: "line" (a theory: no points are seen), "points" (each with its interval from low to high), "curve"
 * (points with their intervals, joined by a thin line in the order in which they stand). Series whose names agree up to
 * the first comma are drawn in one colour; points that have their line's name up to that comma, and no comma, share its
 * entry in the legend. "labels" (optional) are texts at the points, "" for none; they are moved until they neither
 * overlap nor leave the field, with a thin line to their point where they had to go away from it, and one for which
 * there is no room is left out of the drawing (the table of the data has all). "marks" (optional) are thin upright
 * lines, labelled above; one that lies a little outside what the points need makes the axis longer (up to a factor of
 * 4 on a logarithmic axis, a quarter of a linear one), one further away is left out. Neither is seen in the terminal. A
 * logarithmic axis with the unit "bytes" has its ticks at 1 KiB, 4 KiB ...
 *
 * "costs" (optional) is what harness/cost left for the lab (docs/measurement.md), with "limits" in it where
 * harness/measure/limits.h measured some: {"fingerprint", "limits": [..]}. It has plots of the same form.
 *
 * Functions return 0 or -errno with a sentence. Files are written whole or not at all.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>

/* Writes what a report consists of; labs is a JSON array of objects as above. A folder that does not exist is made.
 *
 *   index.html   for people: one file, nothing fetched, no script; light and dark, wide and narrow, on paper. It links
 *                to costs-LAB.json and costs-LAB.csv, which the lab's cost program left beside it.
 *   claims.json  {"faultline": version, "format": 1, "seed": n, "machine": {"cpu", "cores", "compiler", "flags", ...},
 *                "timing": {"seconds": n, "labs": {"01": n}}, "claims": [those of all labs, without "broken"]}; with
 *                "broken": true where the failing algorithms were measured. The same seed gives the same bytes in
 *                everything but "machine" and "timing", and in the claims that are not about this machine.
 *   claims.csv   the same claims, a line each
 *   plots/LAB-PLOT.svg, plots/LAB-cost-PLOT.svg   the drawings, also in the page
 *
 * Without gnuplot the plots are left out, and the page says so; that is no error. */
int report_write(const char *folder, const json_t *labs, struct error *err);

/* The claims of one lab as an aligned table: holds or not (a word and a mark, not colour alone), id, predicted,
 * measured, tolerance, unit. */
void report_print_claims(FILE *out, const json_t *lab);

/* "116 of 120 claims hold, 3 cannot be told here, 1 is false", of one lab or of an array of labs, into out (REPORT_SUM
 * bytes); returns out. The terminal and the page say the same. */
#define REPORT_SUM 120
const char *report_sum(const json_t *labs, char *out);
/* The same as a line, in colour. */
void report_print_sum(FILE *out, const json_t *labs);

/* One plot drawn in characters, for the terminal. 0, or -ENOENT without gnuplot. */
int report_print_plot(FILE *out, const json_t *plot, struct error *err);

#endif
