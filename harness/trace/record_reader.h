/* record_reader.h: reads records of a fixed size, plain or gzip (zlib tells by the first bytes), a file or "-" for
 * standard input, in memory that does not grow with it.
 *
 * A last record that is cut is an error, and no end. One reader, one thread.
 */
#ifndef TRACE_RECORD_READER_H
#define TRACE_RECORD_READER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define RECORD_READER_LARGEST 4096u

struct record_reader;

/* size: of a record, 1 ... RECORD_READER_LARGEST. 0, or -errno and a sentence with the path. */
int record_reader_open(const char *path, size_t size, struct record_reader **out, struct error *err);
/* 1 and the next record, good until the next call; 0 at the end; -errno and a sentence that says which record, and at
 * which byte it begins: -EINVAL when it is cut. */
int record_reader_next(struct record_reader *reader, const unsigned char **record, struct error *err);
void record_reader_close(struct record_reader *reader); /* NULL is fine */

uint64_t record_reader_records(const struct record_reader *reader); /* read so far */

/* Unsigned numbers, the lowest byte first, wherever they stand. */
uint32_t record_u32(const unsigned char *at);
uint64_t record_u64(const unsigned char *at);

#endif
