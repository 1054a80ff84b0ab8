/* access_log.h: reads a web server's access log, line by line, in memory that does not grow with it.
 *
 * Common Log Format, and Combined Log Format, which has two quoted fields more:
 *
 *     192.0.2.7 - - [21/Nov/2026:20:38:01 +0000] "GET /doc/a.gz HTTP/1.1" 200 5120 "-" "curl/7.88"
 *
 * Plain or gzip, a file or "-" for standard input (line_reader.h). A line that is not of this form is counted and its
 * number kept for the first few; what to do when there are many is the caller's affair. Source: Apache HTTP Server documentation, mod_log_config; nginx,
 * ngx_http_log_module ("combined").
 *
 * One reader, one thread; several readers of one file are fine.
 */
#ifndef TRACE_ACCESS_LOG_H
#define TRACE_ACCESS_LOG_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct access_record {
    int64_t time;       /* seconds since 1970, UTC */
    uint32_t status;    /* 100 … 999 */
    uint64_t bytes;     /* of the answer's body; "-" is 0 */
    const char *client; /* the first field; until the next call, as are all texts */
    const char *path;   /* [path_size] of the request, "/doc/a.gz"; as it stands there, escapes and all */
    size_t path_size;
    const char *method; /* [method_size] "GET"; 0 of a request that is one word */
    size_t method_size;
    const char *rest; /* what stands behind the agent, from the blank on, or "" */
};

struct access_log;

/* 0, or -errno and a sentence with the path. */
int access_log_open(const char *path, struct access_log **out, struct error *err);
/* 1 and the next well-formed line; 0 at the end; -errno and a sentence when reading fails (a damaged gzip file, say).
 */
int access_log_next(struct access_log *log, struct access_record *record, struct error *err);
void access_log_close(struct access_log *log); /* NULL is fine */

#define ACCESS_LOG_SHOWN 5
struct access_log_counts {
    uint64_t lines, malformed;
    uint64_t first_malformed[ACCESS_LOG_SHOWN]; /* line numbers, from 1 */
};
struct access_log_counts access_log_counts(const struct access_log *log);

/* One line (without its newline), which is changed. 0, or -EINVAL when it is not of the form. */
int access_log_parse(char *line, struct access_record *record);

#endif
