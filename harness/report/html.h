/* html.h: the report as one HTML page: no script, no file beside it, nothing fetched. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct html_page {
    const json_t *labs;    /* as in report.h */
    const json_t *machine; /* measure/machine.h */
    const json_t *svg;     /* html_plot_name -> the drawing, or ... */
    const json_t *missing; /* ... html_plot_name -> why there is none */
};

void html_write(FILE *out, const struct html_page *page);

/* "01-loss", "01-cost-pick-time": what a plot's file and ids are called; kind is "" or HTML_COSTS. Characters that
 * would not do in either become '-'. */
#define HTML_NAME  128
#define HTML_COSTS "cost-"
const char *html_plot_name(char *out, const json_t *lab, const char *kind, const json_t *plot);

/* The parts of a page that have a file of their own. */
extern const char *const html_style[]; /* ends with NULL */
void html_claims(FILE *out, const json_t *claims);
void html_plot(FILE *out, const struct html_page *page, const json_t *lab, const char *kind, const json_t *plot);
void html_costs(FILE *out, const struct html_page *page, const json_t *lab); /* nothing where it has no "costs" */
void html_machine(FILE *out, const struct html_page *page);                  /* the machine and its limits */

/* How many of the claims of a lab, or of an array of labs, hold, and of how many it can't be told here. */
struct html_sum {
    size_t claims, holding, cannot_tell;
};
struct html_sum html_sum(const json_t *labs);

/* "<before>text<after>": before and after are markup of ours, text is anybody's. html_prose: a sentence of ours, in
 * which `x` is set as code. */
void html_put(FILE *out, const char *before, const char *text, const char *after);
void html_prose(FILE *out, const char *before, const char *text, const char *after);

/* The member of an object as text; "" where it is missing or something else. */
const char *html_member(const json_t *object, const char *name);

#endif
