/* keys.c: keys read from real input. */
#include "keys.h"

#include "trace/access_log.h"
#include "trace/line_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static int add(struct keys *k, const char *name, size_t size)
{
    if ((k->requests & (k->requests - 1)) == 0) { /* room is a power of two */
        uint64_t *more = realloc(k->request, (k->requests ? 2 * k->requests : 1) * sizeof *more);
        if (!more)
            return -ENOMEM;
        k->request = more;
    }
    k->request[k->requests++] = XXH3_64bits(name, size);
    return 0;
}

/* Is the first line one of a log? */
static int look(const char *path, bool *log, struct error *err)
{
    struct line_reader *r;
    struct access_record record;
    char *line;
    bool whole;
    int code = line_reader_open(path, &r, err);
    if (code)
        return code;
    code = line_reader_next(r, &line, &whole, err);
    *log = code == 1 && whole && access_log_parse(line, &record) == 0;
    line_reader_close(r);
    return code < 0 ? code : 0;
}

static int read_log(const char *path, bool clients, struct keys *k, struct error *err)
{
    struct access_log *log;
    struct access_record r;
    int code = access_log_open(path, &log, err), full = 0;
    if (code)
        return code;
    while (!full && (code = access_log_next(log, &r, err)) == 1)
        full = clients ? add(k, r.client, strlen(r.client)) : add(k, r.path, r.path_size);
    k->malformed = access_log_counts(log).malformed;
    access_log_close(log);
    return full ? error_set(err, full, "%s: out of memory after %zu requests", path, k->requests) : code;
}

static int read_lines(const char *path, struct keys *k, struct error *err)
{
    struct line_reader *r;
    char *line;
    bool whole;
    int code = line_reader_open(path, &r, err), full = 0;
    if (code)
        return code;
    while (!full && (code = line_reader_next(r, &line, &whole, err)) == 1) {
        if (whole && *line)
            full = add(k, line, strlen(line));
        else
            k->malformed++;
    }
    line_reader_close(r);
    return full ? error_set(err, full, "%s: out of memory after %zu keys", path, k->requests) : code;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

static int find_distinct(struct keys *k)
{
    if (k->requests == 0)
        return 0;
    k->distinct = malloc(k->requests * sizeof *k->distinct);
    k->times = calloc(k->requests, sizeof *k->times);
    if (!k->distinct || !k->times)
        return -ENOMEM;
    memcpy(k->distinct, k->request, k->requests * sizeof *k->distinct);
    qsort(k->distinct, k->requests, sizeof *k->distinct, by_value);
    for (size_t i = 0; i < k->requests; i++) {
        if (k->count == 0 || k->distinct[i] != k->distinct[k->count - 1])
            k->distinct[k->count++] = k->distinct[i];
        k->times[k->count - 1]++;
    }
    return 0;
}

int keys_read(const char *path, bool clients, struct keys *out, struct error *err)
{
    *out = (struct keys){0};
    int code = look(path, &out->log, err);
    if (code == 0 && clients && !out->log)
        code = error_set(err, -EINVAL, "%s: only an access log has clients, and this is none", path);
    if (code == 0)
        code = out->log ? read_log(path, clients, out, err) : read_lines(path, out, err);
    if (code == 0 && out->requests == 0)
        code = error_set(err, -EINVAL, "%s: has no keys: one a line, or an access log", path);
    if (code == 0 && find_distinct(out) != 0)
        code = error_set(err, -ENOMEM, "%s: out of memory for %zu keys", path, out->requests);
    if (code)
        keys_free(out);
    return code;
}

void keys_free(struct keys *k)
{
    free(k->request);
    free(k->distinct);
    free(k->times);
    k->request = k->distinct = NULL;
    k->times = NULL;
}
