/* table.c: two passes: measure every cell, then print.
 *
 * A cell's text is kept as given. A column is as wide as its widest cell; where all columns together are wider than the
 * terminal, the widest column of words gives way, one character at a time, down to NARROWEST or its longest word, and
 * its text is wrapped between words. A word is only broken when it is longer than LONGEST: a name in two pieces is none.
 * Numbers are never wrapped: a table of too many numbers runs over the edge rather than lie.
 *
 * A number is aligned by its point: what stands before it is padded on the left to the column's longest such part, what
 * stands behind it on the right. A cell of such a column without a digit ("n/a") is put at the right edge.
 */
#include "report/table.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define GAP       2  /* blanks between columns */
#define NARROWEST 16 /* a column of words is not wrapped below this */
#define LONGEST   40 /* a word that is still a name */

struct cell {
    char *text;
    enum terminal_style style;
    bool rule; /* a line above the row that this cell starts */
};

struct table {
    char *header[TABLE_COLUMNS];
    enum table_align align[TABLE_COLUMNS];
    size_t columns, cells, room;
    struct cell *cell;
    bool rule;
};

/* How wide the columns are: all of a cell, and for numbers the parts before and from the point on. */
struct layout {
    int width[TABLE_COLUMNS], before[TABLE_COLUMNS], after[TABLE_COLUMNS];
};

struct table *table_create(void)
{
    return xcalloc(1, sizeof(struct table));
}

void table_destroy(struct table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->columns; i++)
        free(t->header[i]);
    for (size_t i = 0; i < t->cells; i++)
        free(t->cell[i].text);
    free(t->cell);
    free(t);
}

void table_column(struct table *t, const char *header, enum table_align align)
{
    if (t->columns == TABLE_COLUMNS)
        error_exit(EXIT_CANNOT_TELL, "a table has more than %d columns", TABLE_COLUMNS);
    t->header[t->columns] = xstrdup(header);
    t->align[t->columns++] = align;
}

void table_cell(struct table *t, const char *format, ...)
{
    if (t->cells == t->room) {
        t->room = t->room ? 2 * t->room : 64;
        t->cell = xrealloc(t->cell, t->room, sizeof *t->cell);
    }
    struct cell *cell = &t->cell[t->cells++];
    *cell = (struct cell){.rule = t->rule};
    t->rule = false;
    va_list args;
    va_start(args, format);
    if (vasprintf(&cell->text, format, args) < 0)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    va_end(args);
}

void table_style(struct table *t, enum terminal_style style)
{
    if (t->cells)
        t->cell[t->cells - 1].style = style;
}

void table_rule(struct table *t)
{
    t->rule = true;
}

/* ---- widths ---- */

/* The character at *p, and *p behind it. A byte that starts none counts as one character. */
static uint32_t next_character(const char **p)
{
    const unsigned char *s = (const unsigned char *)*p;
    int more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc2 ? 1 : 0;
    uint32_t c = more ? s[0] & (0x3fu >> more) : s[0];
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *p += i;
            return 0xfffd;
        }
        c = c << 6 | (s[i] & 0x3f);
    }
    *p += 1 + more;
    return c;
}

static int character_width(uint32_t c)
{
    static const struct range {
        uint32_t first, last;
        int width;
    } ranges[] = {{0x300, 0x36f, 0},     {0x1100, 0x115f, 2},  {0x200b, 0x200f, 0}, {0x20d0, 0x20ff, 0},
                  {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},  {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2},
                  {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},  {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2},
                  {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2}};
    for (size_t i = 0; i < COUNT(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return ranges[i].width;
    return 1;
}

static int width_to(const char *text, const char *end)
{
    int width = 0;
    while (*text && (!end || text < end))
        width += character_width(next_character(&text));
    return width;
}

int table_text_width(const char *text)
{
    return width_to(text, NULL);
}

/* Where the part behind a number's point starts: the end where there is no point; NULL for a text that is no number. */
static const char *point_of(const char *text)
{
    if (!strpbrk(text, "0123456789"))
        return NULL;
    const char *point = strchr(text, '.');
    return point ? point : text + strlen(text);
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* How narrow a column of words may get that has this text. */
static int narrowest(const char *text)
{
    int most = NARROWEST;
    for (const char *word = text; *word;) {
        const char *end = word + strcspn(word, " ");
        const int width = width_to(word, end);
        if (width <= LONGEST)
            most = larger(most, width);
        word = end + strspn(end, " ");
    }
    return most;
}

static struct layout measure(const struct table *t, int limit)
{
    struct layout l = {0};
    int least[TABLE_COLUMNS];
    for (size_t c = 0; c < t->columns; c++)
        least[c] = larger(NARROWEST, table_text_width(t->header[c]));
    for (size_t i = 0; i < t->cells; i++) {
        size_t c = i % t->columns;
        least[c] = larger(least[c], narrowest(t->cell[i].text));
        const char *text = t->cell[i].text, *point = t->align[c] == TABLE_POINT ? point_of(text) : NULL;
        l.width[c] = larger(l.width[c], table_text_width(text));
        if (point) {
            l.before[c] = larger(l.before[c], width_to(text, point));
            l.after[c] = larger(l.after[c], table_text_width(point));
        }
    }
    int total = -GAP;
    for (size_t c = 0; c < t->columns; c++) {
        l.width[c] = larger(larger(l.width[c], l.before[c] + l.after[c]), table_text_width(t->header[c]));
        total += l.width[c] + GAP;
    }
    for (; total > limit; total--) {
        size_t widest = t->columns;
        for (size_t c = 0; c < t->columns; c++)
            if (t->align[c] == TABLE_LEFT && l.width[c] > least[c] &&
                (widest == t->columns || l.width[c] > l.width[widest]))
                widest = c;
        if (widest == t->columns)
            break;
        l.width[widest]--;
    }
    return l;
}

/* ---- printing ---- */

/* The end of the line that `text` starts with when at most `width` columns fit: between words, or inside one that is
 * longer. */
static const char *line_end(const char *text, int width)
{
    const char *p = text, *space = NULL;
    for (int used = 0; *p;) {
        const char *here = p;
        if (*here == ' ')
            space = here;
        used += character_width(next_character(&p));
        if (used > width && here != text)
            return *here != ' ' && space && space != text ? space : here;
    }
    return p;
}

/* Blanks are owed, not printed, until something follows them: so no line ends with blanks. */
struct line {
    FILE *out;
    int owed;
};

static void put(struct line *line, const char *text, const char *end, enum terminal_style style)
{
    if (text == end)
        return;
    const char *on = style != STYLE_PLAIN && line->out == stdout ? terminal_style(style) : "";
    fprintf(line->out, "%*s%s%.*s%s", line->owed, "", on, (int)(end - text), text,
            *on ? terminal_style(STYLE_PLAIN) : "");
    line->owed = 0;
}

static void put_cell(struct line *line, const struct layout *l, size_t c, enum table_align align,
                     const struct cell *cell, const char *end)
{
    int width = width_to(cell->text, end), left = align == TABLE_LEFT ? 0 : l->width[c] - width;
    const char *point = align == TABLE_POINT ? point_of(cell->text) : NULL;
    if (point)
        left = l->width[c] - l->after[c] - width_to(cell->text, point);
    line->owed += left;
    put(line, cell->text, end, cell->style);
    line->owed += l->width[c] - left - width;
}

/* A row takes as many lines as its longest wrapped cell. */
static void print_row(FILE *out, const struct table *t, const struct layout *l, const struct cell *row, size_t cells)
{
    struct cell rest[TABLE_COLUMNS];
    memcpy(rest, row, cells * sizeof *row);
    for (bool more = true; more;) {
        struct line line = {.out = out};
        more = false;
        for (size_t c = 0; c < cells; c++) {
            const char *text = rest[c].text;
            const char *end = t->align[c] == TABLE_LEFT ? line_end(text, l->width[c]) : text + strlen(text);
            put_cell(&line, l, c, t->align[c], &rest[c], end);
            line.owed += GAP;
            rest[c].text += end - text;
            rest[c].text += strspn(rest[c].text, " ");
            more = more || *rest[c].text;
        }
        fputc('\n', out);
    }
}

static void print_rule(FILE *out, const struct table *t, const struct layout *l)
{
    for (size_t c = 0; c < t->columns; c++) {
        for (int i = 0; i < l->width[c]; i++)
            fputc('-', out);
        fprintf(out, "%*s", c + 1 < t->columns ? GAP : 0, "");
    }
    fputc('\n', out);
}

void table_print(FILE *out, const struct table *t, int width)
{
    if (t->columns == 0)
        return;
    struct layout l = measure(t, width > 0 ? width : terminal_width());
    struct line line = {.out = out};
    for (size_t c = 0; c < t->columns; c++) {
        int left = t->align[c] == TABLE_LEFT ? 0 : l.width[c] - table_text_width(t->header[c]);
        line.owed += left;
        put(&line, t->header[c], t->header[c] + strlen(t->header[c]), STYLE_BOLD);
        line.owed += l.width[c] - left - table_text_width(t->header[c]) + GAP;
    }
    fputc('\n', out);
    print_rule(out, t, &l);
    for (size_t i = 0; i < t->cells; i += t->columns) {
        if (t->cell[i].rule)
            print_rule(out, t, &l);
        print_row(out, t, &l, &t->cell[i], t->cells - i < t->columns ? t->cells - i : t->columns);
    }
}

/* ---- CSV ---- */

static void csv_field(FILE *out, const char *text)
{
    bool formula = *text && strchr("=@+-\t\r", *text);
    if (formula) {
        char *end;
        strtod(text, &end);
        formula = end == text || *end;
    }
    bool quote = formula || strpbrk(text, ",\"\r\n") || *text == ' ' || (*text && text[strlen(text) - 1] == ' ');
    if (!quote) {
        fputs(text, out);
        return;
    }
    fputs(formula ? "\"'" : "\"", out);
    for (; *text; text++)
        if (fputc(*text, out) == '"')
            fputc('"', out);
    fputc('"', out);
}

void table_write_csv(FILE *out, const struct table *t)
{
    for (size_t c = 0; c < t->columns; c++) {
        csv_field(out, t->header[c]);
        fputs(c + 1 < t->columns ? "," : "\r\n", out);
    }
    size_t full = t->columns ? (t->cells + t->columns - 1) / t->columns * t->columns : 0;
    for (size_t i = 0; i < full; i++) {
        csv_field(out, i < t->cells ? t->cell[i].text : "");
        fputs((i + 1) % t->columns ? "," : "\r\n", out);
    }
}
