/* request_trace.c: every form, every refusal, and what becomes of damaged traces. */
#include "trace/request_trace.h"

#include "base/file.h"
#include "base/memory.h"
#include "trace/record_reader.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

TestSuite(request_trace, .timeout = 120);

static char folder[FILE_PATH], path[FILE_PATH];

static void clean(void)
{
    file_remove_tree(folder);
}

static void write_trace(const char *mode, const void *data, size_t size)
{
    struct error err;
    if (!*folder) {
        cr_assert(file_temp_dir(folder, "request-trace-test", &err) == 0, "%s", err.text);
        atexit(clean);
    }
    unlink(file_path(path, "%s/trace", folder)); /* else some file systems write the old one to disk first */
    gzFile f = gzopen(path, mode);
    cr_assert(f && (size == 0 || gzwrite(f, data, (unsigned)size) == (int)size) && gzclose(f) == Z_OK);
}

/* "wbT": as it is; "wb9": compressed. */
static const char *const modes[] = {"wbT", "wb9"};

#define MOST 4096
struct trace {
    struct request_record record[MOST];
    size_t n;
    enum request_format format;
    struct request_counts counts;
    bool times, sizes;
    int code;
    struct error err;
};

static struct trace *read_trace(enum request_format format)
{
    static struct trace t;
    struct request_trace *r = NULL;
    t.n = 0;
    t.err.text[0] = '\0';
    t.counts = (struct request_counts){0};
    t.code = request_trace_open(path, format, &r, &t.err);
    if (t.code)
        return &t;
    while ((t.code = request_trace_next(r, &t.record[t.n], &t.err)) == 1 && t.n < MOST - 1)
        t.n++;
    t.format = request_trace_format(r);
    t.counts = *request_trace_counts(r);
    t.times = request_trace_has_times(r);
    t.sizes = request_trace_has_sizes(r);
    request_trace_close(r);
    return &t;
}

static struct trace *read_text(const char *text)
{
    write_trace("wbT", text, strlen(text));
    return read_trace(REQUEST_BY_CONTENT);
}

static size_t put(unsigned char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
    return bytes;
}

static void put_record(unsigned char *at, uint32_t time, uint64_t id, uint32_t size, int64_t next)
{
    at += put(at, time, 4);
    at += put(at, id, 8);
    at += put(at, size, 4);
    put(at, (uint64_t)next, 8);
}

#define LOG_HEAD "192.0.2.7 - - [21/Nov/2026:20:38:01 +0000] "

/* ---- the forms ---- */

Test(request_trace, reads_oracle_general)
{
    unsigned char data[3 * 24];
    put_record(data, 5, UINT64_MAX, 100, 3);
    put_record(data + 24, 5, 0, UINT32_MAX, -1);
    put_record(data + 48, UINT32_MAX, UINT64_MAX, 0, -1);
    for (int m = 0; m < 2; m++) {
        write_trace(modes[m], data, sizeof data);
        const struct trace *t = read_trace(REQUEST_BY_CONTENT);
        cr_assert(t->code == 0 && t->n == 3 && t->format == REQUEST_ORACLE_GENERAL && t->times && t->sizes, "%s",
                  t->err.text);
        cr_assert(t->record[0].key == UINT64_MAX && t->record[0].time_ns == 5000000000 && t->record[0].size == 100 &&
                  t->record[0].read && !t->record[0].cost);
        cr_assert(t->record[1].key == 0 && t->record[1].size == UINT32_MAX);
        cr_assert(t->record[2].time_ns == UINT32_MAX * 1000000000ull && t->counts.no_size == 1 &&
                  t->counts.reads == 3 && t->counts.backwards == 0);
    }
}

Test(request_trace, reads_twitter)
{
    const struct trace *t = read_text("0,a,1,99,12,get,0\n1,a,1,100,12,gets,0\r\n\n1,b,,c,7,3,12,set,3600\n"
                                      "2,b,,c,7,0,12,delete,0\n2,b,,c,7,0,12,get,0");
    cr_assert(t->code == 0 && t->n == 5 && t->format == REQUEST_TWITTER && t->times && t->sizes, "%s", t->err.text);
    const struct request_record *r = t->record;
    cr_assert(r[0].key == r[1].key && r[0].size == 100 && r[1].size == 101 && r[1].time_ns == 1000000000);
    cr_assert(r[2].key == r[4].key && r[2].key != r[0].key, "a key with commas");
    cr_assert(!r[2].read && r[2].ttl_s == 3600 && r[2].size == 10 && !r[3].read && r[4].read && r[4].size == 0);
    cr_assert(t->counts.reads == 3 && t->counts.writes == 2 && t->counts.no_size == 1 && t->counts.with_cost == 0);
}

Test(request_trace, reads_costs_in_any_order_of_columns)
{
    const struct trace *t = read_text("\xEF\xBB\xBFtime_us,key,size,cost_us\n7,x,10,500\n8,y,4294967295,0\n");
    cr_assert(t->code == 0 && t->n == 2 && t->format == REQUEST_COSTS && t->times && t->sizes, "%s", t->err.text);
    cr_assert(t->record[0].time_ns == 7000 && t->record[0].size == 10 && t->record[0].cost_us == 500 &&
              t->record[0].cost && t->record[1].cost && t->counts.with_cost == 2);
    const uint64_t x = t->record[0].key;
    t = read_text("ttl_s,key\n60,x\n0,y\n");
    cr_assert(t->code == 0 && t->n == 2 && !t->times && !t->sizes && t->record[0].ttl_s == 60 &&
                  t->record[0].key == x && !t->record[0].cost && t->counts.no_size == 0,
              "%s", t->err.text);
    t = read_text("key\nx\n");
    cr_assert(t->code == 0 && t->format == REQUEST_COSTS && t->n == 1 && t->record[0].key == x, "%s", t->err.text);
}

Test(request_trace, reads_arc_block_by_block)
{
    const struct trace *t = read_text("5 3 0 0\n18446744073709551000\t1 0 1\n");
    cr_assert(t->code == 0 && t->n == 4 && t->format == REQUEST_ARC && !t->times && !t->sizes, "%s", t->err.text);
    cr_assert(t->record[0].key == 5 && t->record[2].key == 7 && t->record[3].key == 18446744073709551000u);
}

Test(request_trace, reads_keys)
{
    const struct trace *t = read_text("a\n17\r\n\na\n/x?y=1&z");
    cr_assert(t->code == 0 && t->n == 4 && t->format == REQUEST_KEYS && !t->times && !t->sizes, "%s", t->err.text);
    cr_assert(t->record[0].key == t->record[2].key && t->record[0].key != t->record[1].key && t->record[3].read);
}

Test(request_trace, reads_access_logs_and_chooses_what_a_cache_is_for)
{
    const struct trace *t =
        read_text(LOG_HEAD "\"GET /a HTTP/1.1\" 200 512 \"-\" \"c\" 0.012\n" LOG_HEAD
                           "\"POST /a HTTP/1.1\" 200 512\n" LOG_HEAD "\"GET /b HTTP/1.1\" 404 10\n" LOG_HEAD
                           "\"-\" 200 0\n" LOG_HEAD "\"GET /iso HTTP/1.1\" 200 4294967296\n" LOG_HEAD
                           "\"GET /a HTTP/1.1\" 304 0 \"-\" \"c\" 428 rt=\"1.5\"\n" LOG_HEAD
                           "\"GET /c HTTP/1.1\" 200 4294967295 \"-\" \"c\" 17 - 1.25\n");
    cr_assert(t->code == 0 && t->n == 3 && t->format == REQUEST_ACCESS_LOG && t->times && t->sizes, "%s", t->err.text);
    const struct request_record *r = t->record;
    cr_assert(r[0].key == r[1].key && r[0].size == 512 && r[0].cost && r[0].cost_us == 12000 && r[1].size == 0 &&
              r[1].cost && r[1].cost_us == 1500000 && !r[2].cost && r[2].size == UINT32_MAX);
    cr_assert(t->counts.not_get == 2 && t->counts.failed == 1 && t->counts.out_of_range == 1 &&
              t->counts.with_cost == 2 && t->counts.no_size == 1);
}

Test(request_trace, a_log_may_have_lines_of_another_form)
{
    char text[4000] = "what is this?\n";
    for (int i = 0; i < 19; i++)
        strcat(text, LOG_HEAD "\"GET /a HTTP/1.1\" 200 512\n");
    const struct trace *t = read_text(text);
    cr_assert(t->code == 0 && t->n == 19 && t->counts.log.malformed == 1 && t->counts.log.first_malformed[0] == 1, "%s",
              t->err.text);
    strcat(text, "and this?\nand this?\n");
    t = read_text(text);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "3 of 22 lines") && strstr(t->err.text, "line 1"), "%s",
              t->err.text);
}

/* ---- refusals ---- */

static const struct {
    const char *text;
    const char *says[2];
} refused[] = {
    {"", {"is empty"}},
    {"\n\r\n\n", {"has only empty lines"}},
    {"{\"time\": 1, \"key\": \"a\"}\n", {"Its first line: \"{\"time\": 1, \"key\": \"a\"}\"", "nearest form"}},
    {"{\"a\":1}\n", {"Its first line: \"{\"a\":1}\"", "nearest form"}},
    {"1,2,3\n", {"nearest form is Twitter's cache-trace CSV", "it has 3 fields, not 7"}},
    {"1,a,1,-5,12,get,0\n", {"Its first line: \"1,a,1,-5,12,get,0\"", "field 4 (value size) is \"-5\""}},
    {"1,a,1,5,12,fetch,0\n", {"field 6 (operation) is \"fetch\""}},
    {"time,key,size\n1,a,2\n", {"nearest form is a CSV with costs", "column 1 is called \"time\""}},
    {"time_us,size\n1,2\n", {"there is no column called key"}},
    {"key,size,key\n", {"two columns key"}},
    {"10 20 30\n", {"nearest form is ARC's text form", "it has 3 fields, not 4"}},
    {"10 0 0 0\n", {"it asks for 0 blocks"}},
    {"10 2000000 0 0\n", {"it asks for 2000000 blocks"}},
    {"18446744073709551615 1 0 0\n", {"beyond 2^64"}},
    {"18446744073709551616 1 0 0\n", {"18446744073709551615 is the most"}},
    {"To be, or not to be: that is the question\n", {"Its first line: \"To be, or not"}},
    {"Nov 21 20:00:00 web1 nginx: 192.0.2.1 - - [21/Nov/2026:20:38:01] \"GET /a\" 200\n",
     {"nearest form is an access log"}},
    {"#Software: Microsoft Internet Information Services\n", {"none of the forms"}},
    {"\xFF\xFEk\0e\0y\0", {"UTF-16"}},
    {"\x28\xB5\x2F\xFD and so on", {"zstd -dc"}},
    {"BZh9 and so on", {"bzip2 -dc"}},
    {"PK\x03\x04 and so on", {"zip archive"}},
    /* told by the first line, and wrong further on */
    {"0,a,1,99,12,get,0\n0,a,1,4294967296,12,get,0\n",
     {"line 2 (byte 18), read as Twitter's cache-trace CSV", "4294967295 is the most"}},
    {"0,a,1,99,12,get,0\n0,a,1,4294967295,12,get,0\n", {"line 2", "key and value have"}},
    {"0,a,1,99,12,get,0\n\n0,a,1,99,12,get\n", {"line 3 (byte 19)", "6 fields, not 7"}},
    {"0,a,1,99,12,get,0\n0,,1,9,12,get,0\n", {"line 2", "field 2 (key) is empty"}},
    {"time_us,key,size\n1,a,3\n1,a\n", {"line 3 (byte 23), read as a CSV with costs", "it has 2 fields"}},
    {"time_us,key,size\n1,a,-3\n", {"line 2", "size is \"-3\""}},
    {"time_us,key,size\n1,a,4294967296\n", {"line 2", "size is 4294967296"}},
    {"time_us,key,size\n1.5,a,3\n", {"line 2", "time_us is \"1.5\""}},
    {"time_us,key,size\n99999999999999999999,a,3\n", {"line 2", "time_us is 99999999999999999999"}},
    {"time_us,key,size\n1,,3\n", {"line 2", "the key is empty"}},
    {"1 1 0 0\nx 1 0 1\n", {"line 2 (byte 8), read as ARC's text form", "\"x\""}},
    {"1 2 0 0\n-1 1 0 1\n", {"line 2", "\"-1\""}},
    {"a\nb c\n", {"line 2 (byte 2), read as keys, one a line", "no blank"}},
    {"a\nb,c\n", {"line 2", "comma"}},
    {"Title\n\nA text that begins like keys.\n", {"line 3", "no blank"}},
    /* time */
    {"100,a,1,9,1,get,0\n39,a,1,9,1,get,0\n", {"line 2", "61 s earlier"}},
};

Test(request_trace, refuses_what_is_none_and_says_where_and_why)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        const struct trace *t = read_text(refused[i].text);
        cr_assert(t->code == -EINVAL && strncmp(t->err.text, path, strlen(path)) == 0, "case %zu: %d %s", i, t->code,
                  t->err.text);
        for (int k = 0; k < 2 && refused[i].says[k]; k++)
            cr_assert(strstr(t->err.text, refused[i].says[k]), "case %zu: expected \"%s\" in: %s", i,
                      refused[i].says[k], t->err.text);
    }
}

Test(request_trace, refuses_zero_bytes_and_lines_without_end)
{
    static char text[2 * 65536];
    write_trace("wbT", "0,a,1,99,12,get,0\n0,a,1,99,12,get,0\0\n", 37);
    const struct trace *t = read_trace(REQUEST_BY_CONTENT);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "line 2") && strstr(t->err.text, "zero byte"), "%s",
              t->err.text);
    write_trace("wbT", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0aaaaaaaaaaaaa\n", 47);
    t = read_trace(REQUEST_BY_CONTENT);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "line 1") && strstr(t->err.text, "zero byte"), "%s",
              t->err.text);
    memset(text, 'x', sizeof text);
    write_trace("wbT", text, sizeof text);
    t = read_trace(REQUEST_BY_CONTENT);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "longer than 65535"), "%s", t->err.text);
}

Test(request_trace, refuses_binaries_of_another_form)
{
    unsigned char data[4 * 24];
    for (uint32_t i = 0; i < 4; i++)
        put_record(data + 24 * i, 1000, i, 1, -1);
    put(data + 2 * 24 + 16, (uint64_t)-2, 8);
    write_trace("wbT", data, sizeof data);
    const struct trace *t = read_trace(REQUEST_BY_CONTENT);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "record 3: the next request") &&
                  strstr(t->err.text, "e8 03 00"),
              "%s", t->err.text);
    t = read_trace(REQUEST_ORACLE_GENERAL);
    cr_assert(t->code == -EINVAL && t->n == 2 && strstr(t->err.text, "record 3 (byte 48)"), "%s", t->err.text);
    put(data + 2 * 24 + 16, 7, 8);
    put(data + 3 * 24, 939, 4);
    write_trace("wbT", data, sizeof data);
    t = read_trace(REQUEST_BY_CONTENT);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "record 4: time goes back by 61 s"), "%s", t->err.text);
    put(data + 3 * 24, 940, 4);
    write_trace("wbT", data, sizeof data);
    t = read_trace(REQUEST_BY_CONTENT);
    cr_assert(t->code == 0 && t->n == 4 && t->counts.backwards == 1 && t->counts.furthest_ns == 60000000000 &&
                  t->counts.furthest_at == 4,
              "%s", t->err.text);
    write_trace("wbT", data, 20);
    t = read_trace(REQUEST_BY_CONTENT);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "fewer than 24 bytes"), "%s", t->err.text);
}

/* Random bytes are no trace, whatever is tried. */
Test(request_trace, random_bytes_are_refused)
{
    uint32_t random = 1;
    unsigned char data[2400];
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (unsigned char)((random = random * 1664525u + 1013904223u) >> 24);
        write_trace("wbT", data, sizeof data);
        const struct trace *t = read_trace(REQUEST_BY_CONTENT);
        cr_assert(t->code < 0 && strstr(t->err.text, path), "round %d: %zu records as %s", round, t->n,
                  request_format_name[t->format]);
    }
}

Test(request_trace, a_format_can_be_asked_for)
{
    write_trace("wbT", "10 20 30 40\n", 12);
    const struct trace *t = read_trace(REQUEST_KEYS);
    cr_assert(t->code == 0 && t->n == 1 && t->format == REQUEST_KEYS, "a key with blanks: %s", t->err.text);
    t = read_trace(REQUEST_TWITTER);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "line 1 (byte 0), read as Twitter's"), "%s", t->err.text);
    t = read_trace(REQUEST_COSTS);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "line 1 (byte 0), read as a CSV"), "%s", t->err.text);
    t = read_trace(REQUEST_ACCESS_LOG);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "1 of 1 lines"), "%s", t->err.text);
    t = read_trace(REQUEST_ORACLE_GENERAL);
    cr_assert(t->code == -EINVAL && strstr(t->err.text, "record 1 (byte 0) is cut: it has 12 of its 24 bytes"), "%s",
              t->err.text);
    int words = 0;
    while (request_format_word[words])
        words++;
    cr_assert_eq(words, REQUEST_FORMATS);
}

Test(request_trace, a_missing_file_and_a_folder_are_named)
{
    snprintf(path, sizeof path, "/nonexistent/trace");
    const struct trace *t = read_trace(REQUEST_BY_CONTENT);
    cr_assert(t->code == -ENOENT && strstr(t->err.text, path), "%s", t->err.text);
    snprintf(path, sizeof path, "/tmp");
    t = read_trace(REQUEST_BY_CONTENT);
    cr_assert(t->code < 0 && strstr(t->err.text, path), "%s", t->err.text);
    request_trace_close(NULL);
}

/* ---- damage ---- */

/* A trace of each form, of 12 records. */
static size_t sample(enum request_format format, char *data)
{
    char *p = data;
    if (format == REQUEST_COSTS)
        p += sprintf(p, "time_us,key,size,cost_us,ttl_s\n");
    for (int i = 0; i < 12; i++)
        switch (format) {
        case REQUEST_ORACLE_GENERAL:
            put_record((unsigned char *)p, 1000 + (uint32_t)i, 77 + (uint64_t)i % 3, 100, i < 9 ? i + 3 : -1);
            p += 24;
            break;
        case REQUEST_TWITTER:
            p += sprintf(p, "%d,key%d,4,%d,12,%s,0\n", 1000 + i, i % 3, 50 + i, i % 2 ? "get" : "set");
            break;
        case REQUEST_COSTS:
            p += sprintf(p, "%d,key%d,%d,%d,60\n", 1000 + i, i % 3, 50 + i, 100 * i);
            break;
        case REQUEST_ARC:
            p += sprintf(p, "%d 1 0 %d\n", 17 + i % 3, i);
            break;
        case REQUEST_ACCESS_LOG:
            p += sprintf(p, LOG_HEAD "\"GET /%d HTTP/1.1\" 200 %d \"-\" \"c\" 0.0%d\n", i % 3, 50 + i, 10 + i);
            break;
        default:
            p += sprintf(p, "key%d\n", i % 3);
        }
    return (size_t)(p - data);
}

/* A sentence with the path, and with a place unless the file is no trace at all any more. */
static void check_told(const struct trace *t, enum request_format format, size_t at)
{
    cr_assert(t->code <= 0, "%s, byte %zu: %d", request_format_name[format], at, t->code);
    cr_assert(t->code == 0 ||
                  (strstr(t->err.text, path) &&
                   (strstr(t->err.text, "line") || strstr(t->err.text, "record") || strstr(t->err.text, "is empty") ||
                    strstr(t->err.text, "is c") || strstr(t->err.text, "is in UTF-16"))),
              "%s, byte %zu: %s", request_format_name[format], at, t->err.text);
}

/* What was read is what stood there, but for the last line, which may have lost its end. */
Test(request_trace, cut_at_every_byte)
{
    static char data[4000];
    static struct request_record all[12];
    for (enum request_format f = REQUEST_ORACLE_GENERAL; f < REQUEST_FORMATS; f++) {
        const size_t size = sample(f, data);
        write_trace("wbT", data, size);
        const struct trace *t = read_trace(REQUEST_BY_CONTENT);
        cr_assert(t->code == 0 && t->n == 12 && t->format == f, "%s: %s", request_format_name[f], t->err.text);
        memcpy(all, t->record, sizeof all);
        for (size_t cut = 0; cut < size; cut++) {
            write_trace("wbT", data, cut);
            t = read_trace(f);
            check_told(t, f, cut);
            for (size_t i = 0; i + 1 < t->n; i++)
                cr_assert(memcmp(&t->record[i], &all[i], sizeof all[i]) == 0, "%s, cut at %zu: record %zu",
                          request_format_name[f], cut, i);
            cr_assert(f != REQUEST_ORACLE_GENERAL || (t->code == 0) == (cut % 24 == 0), "cut at %zu: %s", cut,
                      t->err.text);
            check_told(read_trace(REQUEST_BY_CONTENT), f, cut);
        }
    }
}

Test(request_trace, compressed_and_cut_at_every_byte)
{
    static char data[4000];
    char *packed;
    size_t size;
    struct error err;
    for (enum request_format f = REQUEST_ORACLE_GENERAL; f < REQUEST_FORMATS; f++) {
        write_trace("wb9", data, sample(f, data));
        cr_assert(file_read(path, 1 << 20, &packed, &size, &err) == 0, "%s", err.text);
        for (size_t cut = 0; cut < size; cut++) {
            write_trace("wbT", packed, cut);
            const struct trace *t = read_trace(REQUEST_BY_CONTENT);
            cr_assert(t->code < 0 && strstr(t->err.text, path), "%s, cut at %zu of %zu: %zu records, %d %s",
                      request_format_name[f], cut, size, t->n, t->code, t->err.text);
        }
        free(packed);
    }
}

/* No more records than there were lines, and every refusal with its place. */
Test(request_trace, with_every_bit_turned_round)
{
    static char data[4000];
    for (enum request_format f = REQUEST_ORACLE_GENERAL; f < REQUEST_FORMATS; f++) {
        const size_t size = sample(f, data);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
            write_trace("wbT", data, size);
            data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
            const struct trace *t = read_trace(f);
            check_told(t, f, bit / 8);
            cr_assert(t->code < 0 || f == REQUEST_ARC || t->n <= 13, "%s: %zu records", request_format_name[f], t->n);
            check_told(read_trace(REQUEST_BY_CONTENT), f, bit / 8);
        }
    }
}

Test(request_trace, record_reader_reads_any_size)
{
    struct record_reader *r;
    const unsigned char *at;
    struct error err;
    write_trace("wb9", "abcdefg", 7);
    cr_assert(record_reader_open(path, 3, &r, &err) == 0 && record_reader_next(r, &at, &err) == 1 && at[2] == 'c' &&
              record_reader_next(r, &at, &err) == 1 && at[0] == 'd' && record_reader_records(r) == 2);
    cr_assert(record_reader_next(r, &at, &err) == -EINVAL && strstr(err.text, "record 3 (byte 6) is cut: it has 1 of"),
              "%s", err.text);
    record_reader_close(r);
    record_reader_close(NULL);
    const unsigned char eight[] = {1, 2, 3, 4, 5, 6, 7, 0xFF};
    cr_assert(record_u32(eight) == 0x04030201 && record_u64(eight) == 0xFF07060504030201);
}
