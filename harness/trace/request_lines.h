/* request_lines.h: a line of each form of text that request_trace.h reads, as a request. Its own affair.
 *
 * Each function: 0; or -EINVAL and a sentence about the line, which names the field. Lines are changed.
 */
#ifndef TRACE_REQUEST_LINES_H
#define TRACE_REQUEST_LINES_H

#include "trace/request_trace.h"

/* Which column of the form with costs is what, from 0; -1: there is none. */
enum request_column { COLUMN_TIME, COLUMN_KEY, COLUMN_SIZE, COLUMN_COST, COLUMN_TTL, COLUMNS };
struct request_columns {
    int at[COLUMNS], count;
};

/* Requests for `count` blocks from `next` on. */
struct request_blocks {
    uint64_t next, count;
};

int request_columns_read(char *names, struct request_columns *columns, struct error *err);
int request_line_costs(char *line, const struct request_columns *columns, struct request_record *r, struct error *err);
int request_line_twitter(char *line, struct request_record *r, struct error *err);
int request_line_arc(char *line, struct request_blocks *blocks, struct error *err);
/* any: whatever stands there is a key; else blanks, commas and what begins like another form are none. */
int request_line_key(char *line, bool any, struct request_record *r, struct error *err);
/* Of the record of an access log that the caller has chosen. */
void request_of_log(const struct access_record *log, struct request_record *r);

#endif
