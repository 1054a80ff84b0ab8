/* request_tell.c: which form a trace has, by its beginning. */
#include "trace/request_tell.h"

#include "base/text.h"
#include "trace/record_reader.h"
#include "trace/request_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define HEAD          65536u
#define LOG_LINES     20u /* of an access log: nine in ten of the first so many are of its form */
#define SHOWN         120
#define NS_PER_S      UINT64_C(1000000000)
#define ORACLE_LOOKED 64u

struct head {
    char text[HEAD + 1]; /* ends with a zero */
    size_t size;
    bool all; /* of the file */
};

static int read_head(const char *path, struct head *h, struct error *err)
{
    errno = 0;
    gzFile file = gzopen(path, "rb");
    if (!file) {
        const int code = errno ? -errno : -ENOMEM;
        return error_set(err, code, "%s: %s", path, strerror(-code));
    }
    const int got = gzread(file, h->text, HEAD);
    int why;
    const char *said = gzerror(file, &why);
    h->size = got > 0 ? (size_t)got : 0;
    h->all = h->size < HEAD;
    h->text[h->size] = '\0';
    const int code = got < 0 ? error_set(err, -EIO, "%s: cannot be read: %s", path, said) : 0;
    gzclose(file);
    return code == 0 && h->size == 0 ? error_set(err, -EINVAL, "%s: is empty", path) : code;
}

char *request_tell_skip_mark(char *text)
{
    return strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
}

/* ---- binary ------------------------------------------------------------------------------------------------------ */

int request_oracle_parse(const unsigned char *at, struct request_record *r, struct error *err)
{
    const int64_t next = (int64_t)record_u64(at + 16);
    *r = (struct request_record){
        .key = record_u64(at + 4), .time_ns = record_u32(at) * NS_PER_S, .size = record_u32(at + 12), .read = true};
    return next == -1 || next > 0
               ? 0
               : error_set(err, -EINVAL, "the next request for the same key is number %lld, and it is above 0, or -1",
                           (long long)next);
}

/* Text has no zeros, no 0xFF and hardly a control character. The last field of a record has one of the first two, so the
 * first record is enough to look at; damage further on does not make a text binary. */
static bool is_binary(const struct head *h)
{
    for (size_t i = 0; i < h->size && i < REQUEST_ORACLE_SIZE; i++) {
        const unsigned char c = (unsigned char)h->text[i];
        if (c == 0xFF || (c < ' ' && !strchr("\t\n\r\f\033", c)) || c == 0)
            return true;
    }
    return false;
}

/* What begins so is no trace, whatever follows. */
static const struct {
    const char *bytes;
    size_t n;
    const char *what;
} others[] = {{"\x28\xB5\x2F\xFD", 4, "is compressed with zstd: zstd -dc FILE | faultline replay ... -"},
              {"\xFD"
               "7zXZ",
               5, "is compressed with xz: xz -dc FILE | faultline replay ... -"},
              {"BZh", 3, "is compressed with bzip2: bzip2 -dc FILE | faultline replay ... -"},
              {"\x04\x22\x4D\x18", 4, "is compressed with lz4: lz4 -dc FILE | faultline replay ... -"},
              {"PK\x03\x04", 4, "is a zip archive: unzip -p FILE | faultline replay ... -"},
              {"PAR1", 4, "is a Parquet file: write it as CSV first"},
              {"\xFF\xFE", 2, "is in UTF-16: iconv -f UTF-16 -t UTF-8 FILE | faultline replay ... -"},
              {"\xFE\xFF", 2, "is in UTF-16: iconv -f UTF-16 -t UTF-8 FILE | faultline replay ... -"},
              {"\x7F"
               "ELF",
               4, "is a program"}};

/* Records whose times do not jump back, and all of which could be one. */
static int tell_binary(const char *path, const struct head *h, enum request_format *format, struct error *err)
{
    const unsigned char *const at = (const unsigned char *)h->text;
    const size_t n = h->size / REQUEST_ORACLE_SIZE;
    uint64_t latest = 0;
    struct error why = {"it has fewer than 24 bytes"};
    int code = n > 0 ? 0 : -EINVAL;
    for (size_t i = 0; i < n && i < ORACLE_LOOKED && code == 0; i++) {
        struct request_record r;
        code = request_oracle_parse(at + i * REQUEST_ORACLE_SIZE, &r, &why);
        if (code == 0 && r.time_ns + REQUEST_TRACE_BACK * NS_PER_S < latest)
            code = error_set(&why, -EINVAL, "time goes back by %llu s",
                             (unsigned long long)((latest - r.time_ns) / NS_PER_S));
        if (code)
            error_prefix(&why, "record %zu", i + 1);
        latest = r.time_ns > latest ? r.time_ns : latest;
    }
    *format = REQUEST_ORACLE_GENERAL;
    if (code == 0)
        return 0;
    char hex[3 * 16 + 1] = "";
    for (size_t i = 0; i < h->size && i < 16; i++)
        snprintf(hex + 3 * i, 4, "%02x ", at[i]);
    return error_set(err, -EINVAL,
                     "%s: is binary, and not of libCacheSim's oracleGeneral form, records of 24 bytes (--format "
                     "oracle-general reads it all the same): %.300s. It begins with %s",
                     path, why.text, hex);
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* The next line that is not empty, copied into line[HEAD + 1] without its end; false when there is none. */
static bool take_line(const char **at, char *line)
{
    while (**at == '\n' || **at == '\r')
        (*at)++;
    const size_t n = strcspn(*at, "\n");
    memcpy(line, *at, n);
    line[n] = '\0';
    if (n > 0 && line[n - 1] == '\r')
        line[n - 1] = '\0';
    *at += n;
    return n > 0;
}

static bool is_log(const char *text, char *line)
{
    unsigned lines = 0, fit = 0;
    struct access_record r;
    while (lines < LOG_LINES && take_line(&text, line)) {
        lines++;
        fit += access_log_parse(line, &r) == 0;
        if (lines == 1 && fit == 1)
            return true;
    }
    return lines > 0 && fit >= lines - lines / 10;
}

/* Does the line fit? Else why not. */
static bool fits(enum request_format format, char *line, struct error *why)
{
    struct request_record r;
    struct request_blocks blocks;
    struct request_columns columns;
    switch (format) {
    case REQUEST_TWITTER:
        return request_line_twitter(line, &r, why) == 0;
    case REQUEST_COSTS:
        return request_columns_read(line, &columns, why) == 0;
    case REQUEST_ARC:
        return request_line_arc(line, &blocks, why) == 0;
    case REQUEST_KEYS:
        return request_line_key(line, false, &r, why) == 0;
    default:
        error_set(why, -EINVAL, "it is not in Common or Combined Log Format");
        return false;
    }
}

/* What somebody who sees this line would think it is. */
static enum request_format nearest(const char *line)
{
    const char first = *line;
    if (strchr(line, '[') && strchr(line, '"') && first != '{' && first != '[')
        return REQUEST_ACCESS_LOG;
    if (strchr(line, ','))
        return first >= '0' && first <= '9' ? REQUEST_TWITTER : REQUEST_COSTS;
    if (first >= '0' && first <= '9' && strspn(line, "0123456789 \t-.") == strlen(line))
        return REQUEST_ARC;
    return strlen(line) > 40 && strchr(line, ' ') ? REQUEST_ACCESS_LOG : REQUEST_KEYS;
}

static int tell_text(const char *path, const char *text, char *line, enum request_format *format, struct error *err)
{
    static const enum request_format tried[] = {REQUEST_COSTS, REQUEST_TWITTER, REQUEST_ARC, REQUEST_KEYS};
    char shown[SHOWN];
    struct error why = {""};
    const char *at = text;
    *format = REQUEST_ACCESS_LOG;
    if (is_log(text, line))
        return 0;
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++, at = text) {
        *format = tried[i];
        if (take_line(&at, line) && fits(*format, line, &why))
            return 0;
    }
    at = text;
    if (!take_line(&at, line))
        return error_set(err, -EINVAL, "%s: has only empty lines", path);
    text_clean_line(shown, sizeof shown, line);
    const enum request_format near = nearest(line);
    fits(near, line, &why);
    return error_set(
        err, -EINVAL,
        "%s: is none of the forms that are read. Its first line: \"%s\". The nearest form is %s, but %.300s. "
        "(--format says which one it is, if it is one)",
        path, shown, request_format_name[near], why.text);
}

static int tell(const char *path, struct head *h, char *line, enum request_format *format, struct error *err)
{
    const int code = read_head(path, h, err);
    if (code)
        return code;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (h->size >= others[i].n && memcmp(h->text, others[i].bytes, others[i].n) == 0)
            return error_set(err, -EINVAL, "%s: %s", path, others[i].what);
    return is_binary(h) ? tell_binary(path, h, format, err)
                        : tell_text(path, request_tell_skip_mark(h->text), line, format, err);
}

int request_tell(const char *path, enum request_format *format, struct error *err)
{
    struct head *h = calloc(1, sizeof *h);
    char *line = malloc(HEAD + 1);
    const int code = h && line ? tell(path, h, line, format, err) : error_set(err, -ENOMEM, "%s: out of memory", path);
    free(h);
    free(line);
    return code;
}
