/* record_reader.c: reads records of a fixed size, plain or gzip. */
#include "trace/record_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

struct record_reader {
    gzFile file;
    char *path;
    size_t size;
    uint64_t records;
    unsigned char record[RECORD_READER_LARGEST];
};

int record_reader_open(const char *path, size_t size, struct record_reader **out, struct error *err)
{
    struct record_reader *r = calloc(1, sizeof *r);
    if (!r || !(r->path = strdup(path))) {
        free(r);
        return error_set(err, -ENOMEM, "%s: out of memory", path);
    }
    r->size = size;
    errno = 0;
    r->file = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (!r->file) {
        int code = errno ? -errno : -ENOMEM;
        record_reader_close(r);
        return error_set(err, code, "%s: %s", path, strerror(-code));
    }
    gzbuffer(r->file, 1 << 17);
    *out = r;
    return 0;
}

void record_reader_close(struct record_reader *r)
{
    if (!r)
        return;
    if (r->file)
        gzclose(r->file);
    free(r->path);
    free(r);
}

uint64_t record_reader_records(const struct record_reader *r)
{
    return r->records;
}

int record_reader_next(struct record_reader *r, const unsigned char **record, struct error *err)
{
    const unsigned long long number = r->records + 1, at = r->records * r->size;
    int code = Z_OK;
    const int got = gzread(r->file, r->record, (unsigned)r->size);
    const char *why = got == (int)r->size ? "" : gzerror(r->file, &code);
    if (got == (int)r->size) {
        r->records++;
        *record = r->record;
        return 1;
    }
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END && !(code == Z_BUF_ERROR && gzdirect(r->file))))
        return error_set(err, -EIO, "%s: cannot be read beyond record %llu (byte %llu): %s", r->path, number - 1, at,
                         why);
    if (got > 0)
        return error_set(err, -EINVAL, "%s: record %llu (byte %llu) is cut: it has %d of its %zu bytes", r->path,
                         number, at, got, r->size);
    return 0;
}

uint32_t record_u32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint64_t record_u64(const unsigned char *at)
{
    return (uint64_t)record_u32(at + 4) << 32 | record_u32(at);
}
