/* request_tell.h: which form a trace has, by its beginning. request_trace.h's own affair. */
#ifndef TRACE_REQUEST_TELL_H
#define TRACE_REQUEST_TELL_H

#include "trace/request_trace.h"

#define REQUEST_ORACLE_SIZE 24u

/* 0 and *format; -EINVAL and a sentence with the first line and the nearest form; or another -errno. */
int request_tell(const char *path, enum request_format *format, struct error *err);

/* 24 bytes. -EINVAL and a sentence when they can't be a record. */
int request_oracle_parse(const unsigned char *record, struct request_record *r, struct error *err);

/* Behind the mark that some programs put before UTF-8. */
char *request_tell_skip_mark(char *text);

#endif
