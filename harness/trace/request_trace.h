/* request_trace.h: requests for keys, read from traces of other tools and from logs.
 *
 * What is read, plain or gzip:
 *
 *   oracle-general  libCacheSim's binary: records of 24 bytes, lowest byte first: time in s (32 bits), id (64), size
 *                   (32), and the number of the next request for it (64, signed; -1: none), which is not believed
 *   twitter         Twitter's cache-trace: timestamp in s,key,key size,value size,client,operation,TTL in s
 *   costs           a line of names first, time_us,key,size,cost_us,ttl_s: `key`, and of the others any, in any order
 *   arc             four numbers: first block, how many blocks, (ignored), number of the request; a request for each
 *                   block
 *   access-log      Common or Combined Log Format (access_log.h): the key is the path, the size that of the answer
 *   keys            a key a line
 *
 * Which of them a file is, is told by its beginning, and can be asked for. A file that is none of them is refused, with
 * its first line and what is wrong with it as the nearest of them.
 *
 * What is odd in a record:
 *
 * - A record that is not of the form (cut, a number that is none, negative, or too large: a size beyond 2^32 - 1, a time
 *   beyond the year 2500) is refused, with its line or record and byte. In an access log, as elsewhere, such lines
 *   are left out and counted; more than one in ten are refused at the end.
 * - A size of 0 is given as it is, and counted: what to make of it is the caller's affair. An answer of more than 4 GiB
 *   in an access log, or one of before 1970, is left out and counted.
 * - A time that is earlier than one before is given as it is, and counted with the largest step back; more than
 *   REQUEST_TRACE_BACK seconds are refused, but for access logs, which are often put together from several.
 * - Twitter: get and gets are reads; all other operations are given with `read` false. Access log: GETs that were answered
 *   with a status below 400; the others are left out and counted. In a log with nginx's $request_time behind the agent
 *   (0.012, or rt=0.012), that is the cost.
 * - Keys are numbers in binary traces and in arc's, and else hashed: XXH3, 64 bits.
 *
 * Sources: libCacheSim, traceReader/customizedReader/oracle; github.com/twitter/cache-trace; Megiddo & Modha 2003 (ARC's
 * traces). One reader, one thread. A trace is opened twice: standard input is to be put into a file (spool.h).
 */
#ifndef TRACE_REQUEST_TRACE_H
#define TRACE_REQUEST_TRACE_H

#include "base/error.h"
#include "trace/access_log.h"

#include <stdbool.h>
#include <stdint.h>

enum request_format {
    REQUEST_BY_CONTENT,
    REQUEST_ORACLE_GENERAL,
    REQUEST_TWITTER,
    REQUEST_COSTS,
    REQUEST_ARC,
    REQUEST_ACCESS_LOG,
    REQUEST_KEYS,
    REQUEST_FORMATS
};
extern const char *const request_format_word[]; /* "by-content", "oracle-general", ...; NULL */
extern const char *const request_format_name[]; /* "Twitter's cache-trace CSV" */

#define REQUEST_TRACE_BACK 60 /* s */

struct request_record {
    uint64_t key, time_ns; /* 0 where there are no times */
    uint32_t size;         /* bytes; 0 where there are none */
    uint32_t cost_us;      /* 0 where there is none */
    uint32_t ttl_s;        /* 0: none */
    bool read;             /* false: the key was written */
    bool cost;             /* cost_us is known */
};

struct request_counts {
    uint64_t reads, writes, with_cost;
    uint64_t no_size;                       /* reads of size 0, where the form has sizes */
    uint64_t backwards, furthest_ns;        /* times earlier than one before; by how much at most ... */
    uint64_t furthest_at;                   /* ... in this line or record */
    uint64_t not_get, failed, out_of_range; /* left out of an access log: each request for one reason only */
    struct access_log_counts log;           /* of an access log */
};

struct request_trace;

/* 0, or -errno and a sentence. */
int request_trace_open(const char *path, enum request_format format, struct request_trace **out, struct error *err);
/* 1 and the next record; 0 at the end; -errno and a sentence with the line or record, and the byte. */
int request_trace_next(struct request_trace *trace, struct request_record *record, struct error *err);
void request_trace_close(struct request_trace *trace); /* NULL is fine */

enum request_format request_trace_format(const struct request_trace *trace); /* never REQUEST_BY_CONTENT */
bool request_trace_has_times(const struct request_trace *trace);
bool request_trace_has_sizes(const struct request_trace *trace);
const struct request_counts *request_trace_counts(const struct request_trace *trace);

#endif
