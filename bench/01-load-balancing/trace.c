/* trace.c: an access log as requests for the fleet. */
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double trace_rate(const struct trace_facts *f)
{
    return (double)f->requests / (double)(f->last - f->first + 1);
}

static int refuse_malformed(const char *path, const struct trace_facts *f, struct error *err)
{
    char lines[120] = "";
    for (uint64_t i = 0; i < f->counts.malformed && i < ACCESS_LOG_SHOWN; i++)
        snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s%llu", i ? ", " : "",
                 (unsigned long long)f->counts.first_malformed[i]);
    return error_set(
        err, -EINVAL,
        "%s: %llu of %llu lines are not in Common or Combined Log Format (the first: %s); more than a tenth is "
        "too many to guess what this file is",
        path, (unsigned long long)f->counts.malformed, (unsigned long long)f->counts.lines, lines);
}

int trace_examine(const char *path, struct trace_facts *f, struct error *err)
{
    struct access_log *log;
    struct access_record r;
    double sum = 0;
    *f = (struct trace_facts){0};
    int code = access_log_open(path, &log, err);
    if (code)
        return code;
    while ((code = access_log_next(log, &r, err)) == 1) {
        if (f->requests == 0)
            f->first = f->last = r.time;
        f->requests++;
        f->backwards += r.time < f->last;
        f->last = r.time > f->last ? r.time : f->last;
        f->largest_bytes = r.bytes > f->largest_bytes ? r.bytes : f->largest_bytes;
        sum += (double)r.bytes;
    }
    f->counts = access_log_counts(log);
    access_log_close(log);
    if (code)
        return code;
    if (f->counts.lines == 0)
        return error_set(err, -EINVAL, "%s: is empty", path);
    if (f->counts.malformed * 10 > f->counts.lines)
        return refuse_malformed(path, f, err);
    f->mean_bytes = sum / (double)f->requests;
    return 0;
}

/* ---- requests -------------------------------------------------------------------------------------------------------
 */

struct trace {
    struct access_log *ahead, *log;
    struct access_record waiting; /* the first of the next second, as the reader ahead saw it */
    bool have_waiting;
    int64_t second, latest; /* the second that is being given out; the latest that the reader ahead has seen */
    uint64_t of_second, given;
    const struct trace_facts *facts;
    double ns_per_second; /* of virtual time, for a second of the log */
    struct error error;
    bool failed;
};

/* One record from the reader ahead, with a time that does not go back. */
static int look_ahead(struct trace *t)
{
    int code = access_log_next(t->ahead, &t->waiting, &t->error);
    if (code < 0)
        t->failed = true;
    t->have_waiting = code == 1;
    if (t->have_waiting && t->waiting.time < t->latest)
        t->waiting.time = t->latest;
    if (t->have_waiting)
        t->latest = t->waiting.time;
    return code == 1;
}

/* Counts the requests of the next second that has any. */
static int next_second(struct trace *t)
{
    if (!t->have_waiting)
        return 0;
    t->second = t->waiting.time;
    t->given = 0;
    t->of_second = 0;
    while (t->have_waiting && t->waiting.time == t->second) {
        t->of_second++;
        look_ahead(t);
    }
    return 1;
}

static int next_request(void *context, uint64_t *at, double *work)
{
    struct trace *t = context;
    struct access_record r;
    if (t->given == t->of_second && !next_second(t))
        return 0;
    int code = access_log_next(t->log, &r, &t->error);
    if (code != 1) {
        t->failed = t->failed || code < 0;
        return 0;
    }
    double seconds = (double)(t->second - t->facts->first) + (double)t->given / (double)t->of_second;
    t->given++;
    *at = (uint64_t)(seconds * t->ns_per_second);
    *work = ((double)r.bytes + TRACE_OVERHEAD) / (t->facts->mean_bytes + TRACE_OVERHEAD);
    return 1;
}

int trace_open(const char *path, const struct trace_facts *facts, double rate, struct trace **out, struct error *err)
{
    struct trace *t = calloc(1, sizeof *t);
    if (!t)
        return error_set(err, -ENOMEM, "%s: out of memory", path);
    t->facts = facts;
    t->latest = facts->first;
    t->ns_per_second = 1e9 * trace_rate(facts) / rate;
    int code = access_log_open(path, &t->ahead, err);
    if (code == 0)
        code = access_log_open(path, &t->log, err);
    if (code) {
        trace_close(t);
        return code;
    }
    look_ahead(t);
    *out = t;
    return 0;
}

struct fleet_source trace_source(struct trace *trace)
{
    return (struct fleet_source){next_request, trace};
}

const struct error *trace_error(const struct trace *trace)
{
    return trace->failed ? &trace->error : NULL;
}

void trace_close(struct trace *t)
{
    if (!t)
        return;
    access_log_close(t->ahead);
    access_log_close(t->log);
    free(t);
}
