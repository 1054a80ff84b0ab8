/* recall_report.h: what attention recalled, for people, for programs and as a plot.
 *
 * A figure that hangs on rounding is rounded before it is given out, so that the same text and seed give the same
 * JSON, whatever computed it. Time and memory are told to people alone.
 */
#ifndef RECALL_REPORT_H
#define RECALL_REPORT_H

#include "recall_view.h"

#include <jansson.h>
#include <stdio.h>

struct recall_report {
    const char *trace, *question; /* question: NULL: none */
    const struct recall_text *text;
    const struct recall_code *code;
    uint64_t tokens; /* asked for; 0: all */
    uint64_t seed;
    struct recall_places places;   /* of the question's last words */
    uint32_t nearest;              /* where there is none: how many words the nearest place has ... */
    size_t nearest_at;             /* ... and which it is */
    struct recall_needles needles; /* each == 0: none were planted */
    uint32_t views;
    const struct recall_view *view; /* the first is whom the others are compared with */
};

void recall_report_print(const struct recall_report *report);
json_t *recall_report_json(const struct recall_report *report);
json_t *recall_report_plot(const struct recall_report *report); /* as report.h describes it */

/* A view's name: "all keys", "last 64K". */
const char *recall_view_name(const struct recall_view *view, char out[40]);

#endif
