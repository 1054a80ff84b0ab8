/* recall_report.h: what attention recalled, for people, for programs and as a plot.
 *
 * A figure that hangs on rounding is rounded before it is given out, so that the same text and seed give the same
 * JSON, whatever computed it. Time and memory are told to people alone.
 */
#ifndef RECALL_REPORT_H
#define RECALL_REPORT_H

#include "recall_needle.h"
#include "recall_pass.h"

#include <jansson.h>
#include <stdio.h>

#define RECALL_MOST_WORDS 64u

/* What follows a question, word by word. */
struct recall_answer {
    uint32_t words, word[RECALL_MOST_WORDS];
    double share;  /* of the weight that said so, the least of all words */
    double places; /* with these words, from the first log-sum-exp; less than 1/2: none, and there is no answer */
};

/* One way to look at the text. */
struct recall_view {
    char entry[80];
    struct recall_way way;
    uint64_t keys; /* the last so many */
    bool all;
    int failed; /* -errno */
    struct recall_answer answer;
    uint32_t found[RECALL_DEPTHS];
    uint32_t asked, same; /* words that the first view was asked for too, and those for which it said the same */
};

struct recall_report {
    const char *trace, *question; /* question: NULL: none */
    const struct recall_text *text;
    const struct recall_code *code;
    uint64_t tokens; /* asked for; 0: all */
    uint64_t seed;
    struct recall_places places; /* of the question's last words */
    uint32_t nearest;            /* where there is none: how many words the nearest place has ... */
    size_t nearest_at;           /* ... and which it is */
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
