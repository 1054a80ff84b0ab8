/* line_reader.h: reads a text line by line, plain or gzip (zlib tells by the first bytes), a file or "-" for standard
 * input, in memory that does not grow with it.
 *
 * A last line without its newline counts like any other. One reader, one thread; several readers of one file are fine.
 */
#ifndef TRACE_LINE_READER_H
#define TRACE_LINE_READER_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define LINE_READER_LONGEST 65535u

struct line_reader;

/* 0, or -errno and a sentence with the path. */
int line_reader_open(const char *path, struct line_reader **out, struct error *err);
/* 1 and the next line, without its end, good until the next call and to be changed at will; 0 at the end; -errno and a
 * sentence when reading fails (a damaged gzip file, say). *whole is false for a line longer than
 * LINE_READER_LONGEST, the rest of which is left out. A zero byte in a line ends it for who reads it as a text. */
int line_reader_next(struct line_reader *reader, char **line, bool *whole, struct error *err);
void line_reader_close(struct line_reader *reader); /* NULL is fine */

uint64_t line_reader_lines(const struct line_reader *reader); /* read so far */

/* Of the last line: where it begins, in bytes of the text (after decompression), and how long it is without its end. A
 * line that has a zero byte in it is longer than its text. */
uint64_t line_reader_offset(const struct line_reader *reader);
uint64_t line_reader_length(const struct line_reader *reader);

#endif
