/* test_table.c: columns stay aligned whatever stands in them, and the same rows come out as CSV that a spreadsheet
 * reads back. */
#include "base/memory.h"
#include "report/number.h"
#include "report/table.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(table, .timeout = 60);

static char *printed(const struct table *t, int width)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (width)
        table_print(out, t, width);
    else
        table_write_csv(out, t);
    fclose(out);
    return text;
}

static void expect(const struct table *t, int width, const char *expected)
{
    char *got = printed(t, width);
    cr_assert(strcmp(got, expected) == 0, "expected:\n%s\ngot:\n%s", expected, got);
    free(got);
}

static struct table *three_columns(void)
{
    struct table *t = table_create();
    table_column(t, "entry", TABLE_LEFT);
    table_column(t, "n", TABLE_RIGHT);
    table_column(t, "ms", TABLE_POINT);
    return t;
}

Test(table, aligns_words_whole_numbers_and_points)
{
    struct table *t = three_columns();
    const char *const cells[] = {"round-robin", "5", "12.25", "p2c", "12345", ">= 3", "jsq", "7", "n/a"};
    for (size_t i = 0; i < 9; i++)
        table_cell(t, "%s", cells[i]);
    expect(t, 80,
           "entry            n       ms\n"
           "-----------  -----  -------\n"
           "round-robin      5    12.25\n"
           "p2c          12345  >= 3\n"
           "jsq              7      n/a\n");
    table_destroy(t);
}

Test(table, counts_characters_not_bytes)
{
    struct table *t = three_columns();
    const char *const cells[] = {"\u00fcber\u2264", "1", "1", "e\u0301", "2", "2", "\u8ca0\u8377", "3", "3"};
    for (size_t i = 0; i < 9; i++)
        table_cell(t, "%s", cells[i]);
    expect(t, 80,
           "entry  n  ms\n"
           "-----  -  --\n"
           "\u00fcber\u2264  1   1\n"
           "e\u0301      2   2\n"
           "\u8ca0\u8377   3   3\n");
    table_destroy(t);
}

Test(table, wraps_words_but_never_numbers)
{
    struct table *t = three_columns();
    table_cell(t, "one two three four five six seven eight");
    table_cell(t, "1234567890");
    table_cell(t, "1.5");
    table_rule(t);
    table_cell(t, "short");
    expect(t, 40,
           "entry                             n   ms\n"
           "-----------------------  ----------  ---\n"
           "one two three four five  1234567890  1.5\n"
           "six seven eight\n"
           "-----------------------  ----------  ---\n"
           "short\n");
    char *narrow = printed(t, 10);
    cr_assert(strstr(narrow, "1234567890"), "a number was cut: %s", narrow);
    free(narrow);
    table_destroy(t);
}

Test(table, never_breaks_a_name)
{
    struct table *t = table_create();
    table_column(t, "entry", TABLE_LEFT);
    table_column(t, "what", TABLE_LEFT);
    table_column(t, "n", TABLE_RIGHT);
    table_cell(t, "weighted-rendezvous");
    table_cell(t, "some words that are wrapped before any name is");
    table_cell(t, "1");
    expect(t, 40,
           "entry                what              n\n"
           "-------------------  ----------------  -\n"
           "weighted-rendezvous  some words that   1\n"
           "                     are wrapped\n"
           "                     before any name\n"
           "                     is\n");
    table_cell(t, "a-word-of-more-than-forty-letters-is-no-name-and-gives-way");
    char *narrow = printed(t, 10);
    cr_assert(strstr(narrow, "\nweighted-rendezvous  some") && !strstr(narrow, "than-forty"), "%s", narrow);
    free(narrow);
    table_destroy(t);
}

Test(table, writes_csv_that_reads_back)
{
    struct table *t = three_columns();
    table_cell(t, "a \"b\", c");
    table_cell(t, "-5");
    table_cell(t, "two\nlines");
    table_cell(t, "=HYPERLINK(1)");
    expect(t, 0, "entry,n,ms\r\n\"a \"\"b\"\", c\",-5,\"two\nlines\"\r\n\"'=HYPERLINK(1)\",,\r\n");
    table_destroy(t);
}

Test(table, numbers_have_the_digits_that_their_spread_deserves)
{
    static const struct {
        double value, spread;
        const char *expected;
    } cases[] = {{4991.2374, 52, "4991"},
                 {4991.2374, 5.2, "4991.2"},
                 {4991.2374, 0.052, "4991.237"},
                 {5000, 0, "5000"},
                 {0.5, 0, "0.5"},
                 {1048576, 100, "1,048,576"},
                 {-12345.6, 2, "-12,345.6"},
                 {0, 0, "0"},
                 {0.0001, 50, "0"},
                 {1.0 / 3, 0, "0.3333333"},
                 {7e-9, 0, "7e-09"},
                 {123456789012, 0, "123,456,789,012"},
                 {-0.001, 20, "0"},
                 {0.99999999, 0.02, "1.000"},
                 {INFINITY, 1, "infinite"},
                 {NAN, 1, "n/a"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char got[NUMBER_TEXT];
        number_text(got, cases[i].value, cases[i].spread);
        cr_assert(strcmp(got, cases[i].expected) == 0, "%g with spread %g: expected %s, got %s", cases[i].value,
                  cases[i].spread, cases[i].expected, got);
    }
}
