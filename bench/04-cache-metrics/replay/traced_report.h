/* traced_report.h: what a replay says: on the terminal, and as a result. */
#ifndef TRACED_REPORT_H
#define TRACED_REPORT_H

#include "account.h"
#include "traced_input.h"
#include "traced_options.h"

#define TRACED_ENTRIES 128u

struct traced_row {
    char name[80]; /* those of --plugin end in " (yours)" */
    const struct cm_cache_ops *ops;
    struct account_figures figures;
    bool failed; /* for the reason in err */
    struct error err;
};

struct traced_report {
    struct traced_options options;
    struct traced_input input;
    uint64_t warm_up, window_ns; /* requests that count nowhere; the length of a window */
    uint64_t capacity[TRACED_SIZES];
    struct traced_row *row; /* [sizes][rows] */
    uint32_t rows;
};

void traced_report_print(const struct traced_report *report);
json_t *traced_report_json(const struct traced_report *report);

#endif
