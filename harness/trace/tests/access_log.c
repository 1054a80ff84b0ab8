/* access_log.c: lines of access logs, right ones and odd ones. */
#include "trace/access_log.h"

#include "base/file.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

TestSuite(access_log, .timeout = 60);

static int parse(const char *text, struct access_record *r)
{
    static char line[400];
    snprintf(line, sizeof line, "%s", text);
    return access_log_parse(line, r);
}

#define GOOD "192.0.2.7 - - [21/Nov/2026:20:38:01 +0000] \"GET /a HTTP/1.1\" 200 5120"

Test(access_log, takes_common_and_combined)
{
    struct access_record r;
    cr_assert(parse(GOOD, &r) == 0, "common format is refused");
    cr_assert(r.time == 1795293481 && r.status == 200 && r.bytes == 5120 && strcmp(r.client, "192.0.2.7") == 0,
              "time %lld, status %u, %llu bytes, client %s", (long long)r.time, r.status, (unsigned long long)r.bytes,
              r.client);
    cr_assert(parse(GOOD " \"http://a/\" \"curl/7.88 (x; \\\"y\\\")\"", &r) == 0, "combined format is refused");
    cr_assert(parse(GOOD " \"-\" \"-\" 0.003", &r) == 0, "a field behind combined is refused");
    cr_assert(parse("::1 - a user [01/Jan/1970:01:00:00 +0100] \"GET / HTTP/1.0\" 304 -", &r) == 0 && r.time == 0 &&
                  r.bytes == 0,
              "IPv6, a user with a blank, a zone, and no bytes: time %lld", (long long)r.time);
    cr_assert(parse("a - - [29/Feb/2024:23:59:60 -0130] \"-\" 400 0", &r) == 0 && r.time == 1709256600,
              "leap day: %lld", (long long)r.time);
}

Test(access_log, names_the_path)
{
    static const struct {
        const char *request, *path;
    } cases[] = {{"GET /doc/a.gz?x=1 HTTP/1.1", "/doc/a.gz?x=1"},
                 {"GET /a", "/a"},
                 {"-", "-"},
                 {"", ""},
                 {"GET /say/\\\"hello\\\" HTTP/1.1", "/say/\\\"hello\\\""}};
    struct access_record r;
    char line[200];
    for (size_t i = 0; i < COUNT(cases); i++) {
        snprintf(line, sizeof line, "a - - [21/Nov/2026:20:38:01 +0000] \"%s\" 200 1 \"-\" \"b\"", cases[i].request);
        cr_assert(parse(line, &r) == 0 && r.path_size == strlen(cases[i].path) &&
                      memcmp(r.path, cases[i].path, r.path_size) == 0,
                  "the path of \"%s\" is %s, not \"%.*s\"", cases[i].request, cases[i].path, (int)r.path_size, r.path);
    }
}

Test(access_log, refuses_what_is_none)
{
    const char *const bad[] = {"",
                               "x",
                               "a - - [21/Nov/2026:20:38:01 +0000] \"GET /a 200 12",
                               "a - - [21/Xxx/2026:20:38:01 +0000] \"G\" 200 1",
                               "a - - [21/Nov/2026:25:38:01 +0000] \"G\" 200 1",
                               "a - - [21/Nov/2026:20:38:01 +0000] \"G\" 20 1",
                               "a - - [21/Nov/2026:20:38:01 +0000] \"G\" 200 -1",
                               "a - - [21/Nov/2026:20:38:01 +0000] \"G\" 200 99999999999999999999",
                               "a - - [21/Nov/2026:20:38:01] \"G\" 200 1",
                               "a - - [21/Nov/2026:20:38:01 +0000] \"G\" 200 1 \"only one\"",
                               "{\"json\": true}",
                               " - - [21/Nov/2026:20:38:01 +0000] \"G\" 200 1"};
    struct access_record r;
    for (size_t i = 0; i < COUNT(bad); i++)
        cr_assert(parse(bad[i], &r) != 0, "taken for a line of a log: %s", bad[i]);
}

static void write_log(const char *path, const char *mode, const char *text)
{
    gzFile f = gzopen(path, mode);
    cr_assert(f && gzputs(f, text) >= 0 && gzclose(f) == Z_OK, "cannot write %s", path);
}

Test(access_log, reads_plain_and_gzip_and_counts_the_malformed)
{
    char folder[FILE_PATH], path[FILE_PATH];
    struct error err;
    cr_assert(file_temp_dir(folder, "access-log-test", &err) == 0, "%s", err.text);
    const char *const modes[] = {"wbT", "wb9"}; /* T: as it is, not compressed */
    for (int m = 0; m < 2; m++) {
        struct access_log *log;
        struct access_record r;
        write_log(file_path(path, "%s/log%d", folder, m), modes[m], GOOD "\nnonsense\n" GOOD "\r\n\n" GOOD);
        cr_assert(access_log_open(path, &log, &err) == 0, "%s", err.text);
        int n = 0;
        while (access_log_next(log, &r, &err) == 1)
            n++;
        struct access_log_counts c = access_log_counts(log);
        cr_assert(n == 3 && c.lines == 5 && c.malformed == 2 && c.first_malformed[0] == 2 && c.first_malformed[1] == 4,
                  "%d records, %llu lines, %llu malformed, first %llu", n, (unsigned long long)c.lines,
                  (unsigned long long)c.malformed, (unsigned long long)c.first_malformed[0]);
        access_log_close(log);
    }
    file_remove_tree(folder);
}

Test(access_log, a_damaged_gzip_file_is_an_error_and_no_end)
{
    char folder[FILE_PATH], path[FILE_PATH], text[20000] = "", *data;
    size_t size;
    struct error err;
    struct access_log *log;
    struct access_record r;
    cr_assert(file_temp_dir(folder, "access-log-test", &err) == 0, "%s", err.text);
    for (int i = 0; i < 150; i++)
        strcat(text, GOOD "\n");
    write_log(file_path(path, "%s/log.gz", folder), "wb9", text);
    cr_assert(file_read(path, 1 << 20, &data, &size, &err) == 0 && file_write(path, data, size / 2, &err) == 0, "%s",
              err.text);
    cr_assert(access_log_open(path, &log, &err) == 0, "%s", err.text);
    int code;
    while ((code = access_log_next(log, &r, &err)) == 1)
        ;
    cr_assert(code < 0 && strstr(err.text, "log.gz"), "a file cut in half ends with %d: %s", code, err.text);
    access_log_close(log);
    file_remove_tree(folder);
}

Test(access_log, a_missing_file_is_named)
{
    struct access_log *log;
    struct error err;
    cr_assert(access_log_open("/nonexistent/access.log", &log, &err) < 0 && strstr(err.text, "/nonexistent/access.log"),
              "%s", err.text);
}
