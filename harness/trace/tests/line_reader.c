/* Whatever the file is, its lines come out as they are, and what is damaged is no end. */
#include "trace/line_reader.h"

#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

TestSuite(line_reader, .timeout = 60);

static char folder[FILE_PATH], path[FILE_PATH];

static void clean(void)
{
    file_remove_tree(folder);
}

/* Modes of gzopen: "wbT" writes it as it is, "wb9" compressed. */
static const char *const modes[] = {"wbT", "wb9"};

static void write_lines(const char *mode, const void *text, size_t size)
{
    struct error err;
    if (!*folder) {
        cr_assert(file_temp_dir(folder, "line-reader-test", &err) == 0, "%s", err.text);
        atexit(clean);
    }
    gzFile f = gzopen(file_path(path, "%s/lines", folder), mode);
    cr_assert(f && gzwrite(f, text, (unsigned)size) == (int)size && gzclose(f) == Z_OK, "cannot write %s", path);
}

static struct line_reader *open_lines(const char *name)
{
    struct line_reader *r = NULL;
    struct error err;
    cr_assert(line_reader_open(name, &r, &err) == 0, "%s", err.text);
    return r;
}

/* All lines, each followed by '|', or by '~' when it is not whole; then how reading ended. */
static int read_all(struct line_reader *r, char *out, size_t size, struct error *err)
{
    char *line;
    bool whole;
    int code;
    out[0] = '\0';
    while ((code = line_reader_next(r, &line, &whole, err)) == 1)
        snprintf(out + strlen(out), size - strlen(out), "%.60s%c", line, whole ? '|' : '~');
    return code;
}

Test(line_reader, gives_lines_without_their_ends)
{
    static const struct {
        const char *text, *lines;
        uint64_t count;
    } cases[] = {{"", "", 0},
                 {"\n", "|", 1},
                 {"a\nb\n", "a|b|", 2},
                 {"a\nb", "a|b|", 2},
                 {"a\r\nb", "a|b|", 2},
                 {"\r\n\n a \r\n", "|| a |", 3},
                 {"a\rb\n\r", "a\rb|\r|", 2}};
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int m = 0; m < 2; m++) {
            char got[400];
            struct error err = {""};
            write_lines(modes[m], cases[i].text, strlen(cases[i].text));
            struct line_reader *r = open_lines(path);
            const int code = read_all(r, got, sizeof got, &err);
            cr_assert(code == 0 && strcmp(got, cases[i].lines) == 0 && line_reader_lines(r) == cases[i].count,
                      "case %zu, %s: end %d %s, %llu lines: %s", i, modes[m], code, err.text,
                      (unsigned long long)line_reader_lines(r), got);
            line_reader_close(r);
        }
}

/* As a crash leaves them behind in logs: such a line is not to be believed, but the next one is. */
Test(line_reader, a_line_with_a_zero_in_it_takes_no_other_along)
{
    char got[60];
    struct error err;
    write_lines("wbT", "a\0b\nc\n\0\nd", 9);
    struct line_reader *r = open_lines(path);
    cr_assert(read_all(r, got, sizeof got, &err) == 0 && strcmp(got, "a|c||d|") == 0, "%s", got);
    line_reader_close(r);
}

Test(line_reader, cuts_what_is_longer_than_the_longest)
{
    static const struct {
        size_t letters;
        const char *end;
        bool whole;
    } cases[] = {{LINE_READER_LONGEST - 1, "\r\nnext\n", true}, {LINE_READER_LONGEST, "\nnext\n", true},
                 {LINE_READER_LONGEST, "\r\nnext\n", true},     {LINE_READER_LONGEST + 1, "\nnext\n", false},
                 {3 * LINE_READER_LONGEST, "\nnext", false},    {LINE_READER_LONGEST, "", true},
                 {LINE_READER_LONGEST + 1, "", false}};
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int m = 0; m < 2; m++) {
            static char text[3 * LINE_READER_LONGEST + 20];
            char *line = NULL;
            bool whole;
            struct error err = {""};
            const size_t letters = cases[i].letters,
                         kept = letters < LINE_READER_LONGEST ? letters : LINE_READER_LONGEST;
            memset(text, 'x', letters);
            strcpy(text + letters, cases[i].end);
            write_lines(modes[m], text, strlen(text));
            struct line_reader *r = open_lines(path);
            cr_assert(line_reader_next(r, &line, &whole, &err) == 1 && strlen(line) == kept && whole == cases[i].whole,
                      "case %zu, %s: %zu letters, %s: %s", i, modes[m], strlen(line), whole ? "whole" : "cut",
                      err.text);
            const int more = line_reader_next(r, &line, &whole, &err);
            cr_assert(more == (*cases[i].end != '\0') && (!more || (strcmp(line, "next") == 0 && whole)),
                      "case %zu, %s: then %d", i, modes[m], more);
            line_reader_close(r);
        }
}

Test(line_reader, reads_standard_input)
{
    char got[60];
    struct error err;
    write_lines("wb9", "a\nb\n", 4);
    cr_assert(freopen(path, "rb", stdin), "standard input");
    struct line_reader *r = open_lines("-");
    cr_assert(read_all(r, got, sizeof got, &err) == 0 && strcmp(got, "a|b|") == 0, "%s", got);
    line_reader_close(r);
}

Test(line_reader, names_a_missing_file)
{
    struct line_reader *r = NULL;
    struct error err;
    cr_assert(line_reader_open("/nonexistent/lines", &r, &err) < 0 && strstr(err.text, "/nonexistent/lines") && !r,
              "%s", err.text);
    line_reader_close(NULL);
}

/* Cut in half, and with a byte changed: what was read so far is given, then an error that says where. */
Test(line_reader, a_damaged_gzip_file_is_an_error_and_no_end)
{
    static char text[40000], got[sizeof text];
    uint32_t random = 1;
    for (size_t i = 0; i + 1 < sizeof text; i++) /* hard to compress, so that damage falls into the lines */
        text[i] = (random = random * 1664525u + 1013904223u) >> 28 ? (char)('a' + (random >> 24) % 26) : '\n';
    for (int damage = 0; damage < 2; damage++) {
        char *data;
        size_t size;
        struct error err = {""};
        write_lines("wb9", text, sizeof text - 1);
        cr_assert(file_read(path, 1 << 20, &data, &size, &err) == 0, "%s", err.text);
        data[size - 6] ^= 1; /* of the checksum */
        cr_assert(file_write(path, data, damage ? size : size / 2, &err) == 0, "%s", err.text);
        free(data);
        struct line_reader *r = open_lines(path);
        const int code = read_all(r, got, sizeof got, &err);
        cr_assert(code < 0 && strstr(err.text, path) && (damage || line_reader_lines(r) > 10),
                  "damage %d: ends with %d after %llu lines: %s", damage, code,
                  (unsigned long long)line_reader_lines(r), err.text);
        line_reader_close(r);
    }
}

Test(line_reader, a_folder_is_an_error)
{
    char got[60];
    struct error err = {""};
    struct line_reader *r = NULL;
    int code = line_reader_open("/tmp", &r, &err);
    if (code == 0)
        code = read_all(r, got, sizeof got, &err);
    cr_assert(code < 0 && strstr(err.text, "/tmp"), "%d: %s", code, err.text);
    line_reader_close(r);
}
