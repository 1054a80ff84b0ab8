/* html.h: the report as one HTML page: no script, no file beside it, nothing fetched. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct html_page {
    const json_t *labs;    /* as in report.h */
    const json_t *machine; /* machine.h */
    const json_t *svg;     /* html_plot_name -> the drawing, or ... */
    const json_t *missing; /* ... html_plot_name -> why there is none */
};

void html_write(FILE *out, const struct html_page *page);

/* "01-loss": what a plot's file and ids are called. Characters that would not do in either become '-'. */
#define HTML_NAME 128
const char *html_plot_name(char *out, const json_t *lab, const json_t *plot);

/* The parts of a page that have a file of their own. */
extern const char *const html_style[]; /* ends with NULL */
void html_claims(FILE *out, const json_t *claims);

/* How many of a lab's claims hold. */
size_t html_holding(const json_t *lab);

/* The member of an object as text; "" where it is missing or something else. */
const char *html_member(const json_t *object, const char *name);

#endif
