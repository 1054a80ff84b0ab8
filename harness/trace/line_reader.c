/* line_reader.c: reads a text line by line, plain or gzip. */
#include "trace/line_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

struct line_reader {
    gzFile file;
    char *path;
    uint64_t lines, offset, length;
    char line[LINE_READER_LONGEST + 1]; /* and a carriage return, or the end */
};

int line_reader_open(const char *path, struct line_reader **out, struct error *err)
{
    struct line_reader *r = calloc(1, sizeof *r);
    if (!r || !(r->path = strdup(path))) {
        free(r);
        return error_set(err, -ENOMEM, "%s: out of memory", path);
    }
    errno = 0;
    r->file = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (!r->file) {
        int code = errno ? -errno : -ENOMEM;
        line_reader_close(r);
        return error_set(err, code, "%s: %s", path, strerror(-code));
    }
    gzbuffer(r->file, 1 << 17);
    *out = r;
    return 0;
}

void line_reader_close(struct line_reader *r)
{
    if (!r)
        return;
    if (r->file)
        gzclose(r->file);
    free(r->path);
    free(r);
}

uint64_t line_reader_lines(const struct line_reader *r)
{
    return r->lines;
}

uint64_t line_reader_offset(const struct line_reader *r)
{
    return r->offset;
}

uint64_t line_reader_length(const struct line_reader *r)
{
    return r->length;
}

static int at_the_end(struct line_reader *r, struct error *err)
{
    int code;
    const char *why = gzerror(r->file, &code);
    if (code == Z_OK || code == Z_STREAM_END || (code == Z_BUF_ERROR && gzeof(r->file) && gzdirect(r->file)))
        return 0;
    return error_set(err, -EIO, "%s: cannot be read beyond line %llu: %s", r->path, (unsigned long long)r->lines, why);
}

int line_reader_next(struct line_reader *r, char **line, bool *whole, struct error *err)
{
    size_t n = 0;
    int c;
    const z_off_t at = gztell(r->file);
    while ((c = gzgetc(r->file)) >= 0 && c != '\n') {
        if (n <= LINE_READER_LONGEST)
            r->line[n] = (char)c;
        n++;
    }
    if (c < 0 && n == 0)
        return at_the_end(r, err);
    if (c == '\n' && n > 0 && n <= LINE_READER_LONGEST + 1 && r->line[n - 1] == '\r')
        n--;
    *whole = n <= LINE_READER_LONGEST;
    r->line[*whole ? n : LINE_READER_LONGEST] = '\0';
    *line = r->line;
    r->lines++;
    r->offset = (uint64_t)at;
    r->length = n;
    return 1;
}
