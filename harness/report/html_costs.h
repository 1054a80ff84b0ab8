/* html_costs.h: what the files that show a lab's costs share. `costs` is what harness/cost leaves
 * (docs/measurement.md); names and reasons in it may come from anybody's plugin. */
#ifndef REPORT_HTML_COSTS_H
#define REPORT_HTML_COSTS_H

#include "report/html.h"

#include <stdint.h>

/* One column of cells: an operation at one size, with so many threads, in one state. */
struct cost_at {
    const char *operation, *state;
    json_int_t size, threads;
};

/* The row of an entry with this metric and source (NULL: any), or NULL. */
const json_t *costs_row(const json_t *costs, const struct cost_at *at, const char *entry, const char *metric,
                        const char *source);
/* The group that was timed side by side there, or NULL. */
const json_t *costs_group(const json_t *costs, const struct cost_at *at);
/* Is it a row, or a group, of this place? */
bool costs_is_at(const json_t *o, const struct cost_at *at);

/* The different values of a field among the rows of an operation that have this metric, in the order of the rows; the
 * caller's. */
json_t *costs_values(const json_t *costs, const char *operation, const char *metric, const char *field);

/* Reasons below a table, each once, by number. */
struct cost_notes {
    json_t *reasons; /* array of strings */
};
struct cost_notes notes_create(void);
size_t notes_number(struct cost_notes *notes, const char *reason); /* from 1 on */
void notes_put(FILE *out, struct cost_notes *notes);               /* writes and forgets them */

/* A table in a box of its own that scrolls sideways. caption is markup of ours; label says what it is. */
void costs_open_table(FILE *out, const char *class);
void costs_close_table(FILE *out);
void costs_put_number(FILE *out, double value, double spread); /* "n/a" for none */
void costs_put_na(FILE *out, struct cost_notes *notes, const char *reason);
void costs_put_source(FILE *out, const char *source); /* " sim" and the like, with what it means on hovering */

/* The parts. */
void costs_rates(FILE *out, const json_t *costs, const json_t *operation);   /* html_rates.c */
void costs_counted(FILE *out, const json_t *costs, const json_t *operation); /* html_counts.c */
void costs_growth(FILE *out, const json_t *costs, const json_t *operation);
void costs_readings(FILE *out, const json_t *costs);
void costs_trust(FILE *out, const json_t *costs); /* html_trust.c */
void costs_baseline(FILE *out, const json_t *costs);

#endif
