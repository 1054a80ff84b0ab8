/* table.h: rows of text, as an aligned table for a terminal or as CSV.
 *
 *     struct table *t = table_create();
 *     table_column(t, "entry", TABLE_LEFT);
 *     table_column(t, "p99", TABLE_POINT);
 *     table_cell(t, "round-robin");
 *     table_cell(t, "%.2f", 12.5);
 *     table_print(stdout, t, 0);
 *     table_destroy(t);
 *
 * Columns come first, then cells, row by row; the table counts. A last row that is not full is filled with empty cells.
 * Text is UTF-8; a cell may be empty. Out of memory ends the program. A table belongs to one thread at a time.
 */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "base/terminal.h"

#include <stdio.h>

#define TABLE_COLUMNS 32

enum table_align {
    TABLE_LEFT,  /* words; the only columns that are wrapped where the table is wider than the terminal */
    TABLE_RIGHT, /* whole numbers */
    TABLE_POINT, /* numbers, decimal points below each other */
};

struct table;
struct table *table_create(void);
void table_destroy(struct table *t);

void table_column(struct table *t, const char *header, enum table_align align);

/* The next cell, from left to right and then the next row. */
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_style(struct table *t, enum terminal_style style); /* of the cell just added; only seen on standard output */
void table_rule(struct table *t);                             /* a line above the next row */

/* At most `width` columns wide where wrapping words makes that possible; 0: as wide as the terminal. Header, rule,
 * rows; no blanks at the ends of lines. */
void table_print(FILE *out, const struct table *t, int width);

/* RFC 4180: header first, lines end with CR LF, a field with a comma, quote or line break is quoted. Rules and styles
 * are left out. A field that a spreadsheet would run as a formula (=, @, or + and - before anything but a number) gets
 * an apostrophe in front, since a statement may come from anybody. */
void table_write_csv(FILE *out, const struct table *t);

/* Columns that a UTF-8 text takes: combining marks none, East Asian wide characters two. */
int table_text_width(const char *text);

#endif
