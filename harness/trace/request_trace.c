/* request_trace.c: requests for keys, read from traces of other tools and from logs. */
#include "trace/request_trace.h"

#include "trace/line_reader.h"
#include "trace/record_reader.h"
#include "trace/request_lines.h"
#include "trace/request_tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
#define LATEST_S 16725225600

const char *const request_format_word[] = {"by-content", "oracle-general", "twitter", "costs",
                                           "arc",        "access-log",     "keys",    NULL};
const char *const request_format_name[] = {"by content",
                                           "libCacheSim's oracleGeneral binary",
                                           "Twitter's cache-trace CSV",
                                           "a CSV with costs",
                                           "ARC's text form",
                                           "an access log",
                                           "keys, one a line"};

struct request_trace {
    char *path;
    enum request_format format;
    bool told; /* by content: strict about keys */
    struct record_reader *records;
    struct line_reader *lines;
    struct access_log *log;
    struct request_columns columns;
    struct request_blocks blocks; /* that are still to be asked for */
    uint64_t latest_ns;
    struct request_counts counts;
};

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int open_reader(struct request_trace *t, struct error *err)
{
    if (t->format == REQUEST_ORACLE_GENERAL)
        return record_reader_open(t->path, REQUEST_ORACLE_SIZE, &t->records, err);
    if (t->format == REQUEST_ACCESS_LOG)
        return access_log_open(t->path, &t->log, err);
    return line_reader_open(t->path, &t->lines, err);
}

/* The next line that is not empty. */
static int next_line(struct request_trace *t, char **line, struct error *err)
{
    bool whole;
    int code;
    do
        code = line_reader_next(t->lines, line, &whole, err);
    while (code == 1 && line_reader_length(t->lines) == 0);
    if (code == 1 && !whole)
        return error_set(err, -EINVAL, "it is longer than %u bytes", LINE_READER_LONGEST);
    if (code == 1 && strlen(*line) < line_reader_length(t->lines))
        return error_set(err, -EINVAL, "it has a zero byte in it");
    if (code == 1 && line_reader_lines(t->lines) == 1)
        *line = request_tell_skip_mark(*line);
    return code;
}

/* Puts the place of the last line before the sentence. */
static int at_line(const struct request_trace *t, int code, struct error *err)
{
    error_prefix(err, "%s: line %llu (byte %llu), read as %s", t->path, (unsigned long long)line_reader_lines(t->lines),
                 (unsigned long long)line_reader_offset(t->lines), request_format_name[t->format]);
    return code;
}

static int read_columns(struct request_trace *t, struct error *err)
{
    char *line = NULL;
    int code = next_line(t, &line, err);
    if (code == 1 && (code = request_columns_read(line, &t->columns, err)) != 0)
        code = at_line(t, code, err);
    return code;
}

int request_trace_open(const char *path, enum request_format format, struct request_trace **out, struct error *err)
{
    struct request_trace *t = calloc(1, sizeof *t);
    if (!t || !(t->path = strdup(path))) {
        free(t);
        return error_set(err, -ENOMEM, "%s: out of memory", path);
    }
    t->format = format;
    t->told = format == REQUEST_BY_CONTENT;
    int code = t->told ? request_tell(path, &t->format, err) : 0;
    if (code == 0)
        code = open_reader(t, err);
    if (code == 0 && t->format == REQUEST_COSTS)
        code = read_columns(t, err);
    if (code)
        request_trace_close(t);
    else
        *out = t;
    return code;
}

void request_trace_close(struct request_trace *t)
{
    if (!t)
        return;
    record_reader_close(t->records);
    line_reader_close(t->lines);
    access_log_close(t->log);
    free(t->path);
    free(t);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int next_record(struct request_trace *t, struct request_record *r, struct error *err)
{
    const unsigned char *at;
    const int code = record_reader_next(t->records, &at, err);
    if (code != 1)
        return code;
    const uint64_t number = record_reader_records(t->records);
    if (request_oracle_parse(at, r, err) != 0) {
        error_prefix(err, "%s: record %llu (byte %llu), read as %s", t->path, (unsigned long long)number,
                     (unsigned long long)((number - 1) * REQUEST_ORACLE_SIZE), request_format_name[t->format]);
        return -EINVAL;
    }
    return 1;
}

static int next_of_lines(struct request_trace *t, struct request_record *r, struct error *err)
{
    char *line = NULL;
    int code = 1;
    if (t->blocks.count == 0)
        code = next_line(t, &line, err);
    if (code == -EINVAL)
        return at_line(t, code, err);
    if (code != 1)
        return code;
    switch (t->format) {
    case REQUEST_TWITTER:
        code = request_line_twitter(line, r, err);
        break;
    case REQUEST_COSTS:
        code = request_line_costs(line, &t->columns, r, err);
        break;
    case REQUEST_ARC:
        code = t->blocks.count == 0 ? request_line_arc(line, &t->blocks, err) : 0;
        if (code == 0) {
            *r = (struct request_record){.key = t->blocks.next++, .read = true};
            t->blocks.count--;
        }
        break;
    default:
        code = request_line_key(line, !t->told, r, err);
        break;
    }
    return code ? at_line(t, code, err) : 1;
}

/* Is it a request that a cache is for? Else it is counted under the reason. */
static bool chosen(struct request_trace *t, const struct access_record *log)
{
    struct request_counts *c = &t->counts;
    if (log->time < 0 || log->time > LATEST_S || log->bytes > UINT32_MAX)
        c->out_of_range++;
    else if (log->status >= 400)
        c->failed++;
    else if (log->method_size != 3 || strncmp(log->method, "GET", 3) != 0)
        c->not_get++;
    else
        return true;
    return false;
}

static int too_many_malformed(const struct request_trace *t, struct error *err)
{
    const struct access_log_counts c = t->counts.log;
    return error_set(err, -EINVAL,
                     "%s: read as an access log, and %llu of %llu lines are not in Common or Combined Log Format; the "
                     "first: line %llu",
                     t->path, (unsigned long long)c.malformed, (unsigned long long)c.lines,
                     (unsigned long long)c.first_malformed[0]);
}

static int next_of_log(struct request_trace *t, struct request_record *r, struct error *err)
{
    struct access_record log;
    int code;
    do
        code = access_log_next(t->log, &log, err);
    while (code == 1 && !chosen(t, &log));
    t->counts.log = access_log_counts(t->log);
    if (code == 1)
        request_of_log(&log, r);
    return code == 0 && t->counts.log.malformed > t->counts.log.lines / 10 ? too_many_malformed(t, err) : code;
}

static uint64_t place(const struct request_trace *t)
{
    return t->records ? record_reader_records(t->records)
           : t->lines ? line_reader_lines(t->lines)
                      : access_log_counts(t->log).lines;
}

/* Counts a time that is earlier than one before. */
static int look_at_time(struct request_trace *t, const struct request_record *r, struct error *err)
{
    struct request_counts *c = &t->counts;
    if (r->time_ns >= t->latest_ns) {
        t->latest_ns = r->time_ns;
        return 0;
    }
    const uint64_t back = t->latest_ns - r->time_ns;
    c->backwards++;
    if (back > c->furthest_ns) {
        c->furthest_ns = back;
        c->furthest_at = place(t);
    }
    if (t->format == REQUEST_ACCESS_LOG || back <= REQUEST_TRACE_BACK * NS_PER_S)
        return 0;
    return error_set(err, -EINVAL,
                     "%s: %s %llu, read as %s: its time is %llu s earlier than one before it. Sort the trace by time",
                     t->path, t->records ? "record" : "line", (unsigned long long)place(t),
                     request_format_name[t->format], (unsigned long long)(back / NS_PER_S));
}

int request_trace_next(struct request_trace *t, struct request_record *r, struct error *err)
{
    const int code = t->records ? next_record(t, r, err) : t->log ? next_of_log(t, r, err) : next_of_lines(t, r, err);
    if (code != 1)
        return code;
    t->counts.reads += r->read;
    t->counts.writes += !r->read;
    t->counts.with_cost += r->read && r->cost;
    t->counts.no_size += r->read && r->size == 0 && request_trace_has_sizes(t);
    const int back = look_at_time(t, r, err);
    return back ? back : 1;
}

/* ---- what is known ----------------------------------------------------------------------------------------------- */

enum request_format request_trace_format(const struct request_trace *t)
{
    return t->format;
}

bool request_trace_has_times(const struct request_trace *t)
{
    return t->format == REQUEST_COSTS ? t->columns.at[COLUMN_TIME] >= 0
                                      : t->format != REQUEST_ARC && t->format != REQUEST_KEYS;
}

bool request_trace_has_sizes(const struct request_trace *t)
{
    return t->format == REQUEST_COSTS ? t->columns.at[COLUMN_SIZE] >= 0
                                      : t->format != REQUEST_ARC && t->format != REQUEST_KEYS;
}

const struct request_counts *request_trace_counts(const struct request_trace *t)
{
    return &t->counts;
}
