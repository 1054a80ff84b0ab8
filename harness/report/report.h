/* report.h: from what a lab's claims program measured to what a person looks at.
 *
 * A lab's claims program (harness/report/claims.h) leaves one JSON object for its lab:
 *
 *   {"format": 1, "lab": "01", "name": "load-balancing", "title": "...", "seed": 1, "incident": ["...", "...", "..."],
 * "next": ["..."], "claims": [{"lab": "01", "id": "round-robin-ceiling", "statement": "...", "formula": "...",
 * "predicted": 5000, "measured": 4991, "unit": "requests/s", "low": 4985, "high": 4997, "tolerance": 50,
 * "tolerance_why": "4 standard errors over 16 seeds", "holds": true, "source": "simulated"}], "plots": [{"id": "loss",
 * "title": "...", "reading": "how to read it, a sentence or two", "x": "offered load", "x_unit": "requests/s", "y":
 * "loss", "y_unit": "%", "log_x": false, "log_y": false, "series": [{"name": "round robin, theory", "kind": "line",
 * "x": [..], "y": [..]},
 *                          {"name": "round robin, measured", "kind": "points", "x": [..], "y": [..], "low": [..],
 * "high": [..]}]}], "seconds": 12.3}
 *
 * Functions return 0 or -errno with a sentence. Files are written whole or not at all.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>

/* Writes folder/claims.json, folder/index.html, folder/claims.csv and folder/plots/LAB-ID.svg. labs: a JSON array of
 * objects as above. Without gnuplot the plots are left out, and the page says so. */
int report_write(const char *folder, const json_t *labs, struct error *err);

/* The claims of one lab as an aligned table: holds or not (a word and a mark, not colour alone), id, predicted,
 * measured, tolerance, unit. */
void report_print_claims(FILE *out, const json_t *lab);

/* One plot drawn in characters, for the terminal. 0, or -ENOENT without gnuplot. */
int report_print_plot(FILE *out, const json_t *plot, struct error *err);

#endif
