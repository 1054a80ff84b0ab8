/* svg.h: gnuplot's SVG, made fit to stand in a page (see plot.h). */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include <stdint.h>
#include <stdio.h>

#define SVG_COLOURS 6

/* What gnuplot is asked to paint in; svg_adapt knows them again and puts classes in their place. */
extern const uint32_t svg_colour[SVG_COLOURS], svg_grid_colour, svg_mark_colour;

/* Writes text as XML (and HTML) content or attribute value: the five special characters escaped, control characters as
 * blanks. */
void svg_escape(FILE *out, const char *text);

/* A whole SVG made of gnuplot's: own root, title and description, ids that start with `name`, colours as classes. The
 * caller frees it. NULL when `drawing` is not what gnuplot writes. */
char *svg_adapt(const char *drawing, const char *name, const char *title, const char *description);

#endif
