/* arrivals.c: an access log as calls. */
#include "arrivals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, 64 bits: names of clients are short, and nobody chooses them against us here. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 14695981039346656037u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return hash;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int count_clients(struct arrivals *a)
{
    uint64_t *key = malloc(a->count * sizeof *key);
    if (!key)
        return -ENOMEM;
    for (size_t i = 0; i < a->count; i++)
        key[i] = a->list[i].key;
    qsort(key, a->count, sizeof *key, by_number);
    for (size_t i = 0; i < a->count; i++)
        a->clients += i == 0 || key[i] != key[i - 1];
    free(key);
    return 0;
}

/* All requests of a second carry its begin so far; now they get their places in it. */
static void spread(struct arrivals *a)
{
    for (size_t begin = 0, end; begin < a->count; begin = end) {
        for (end = begin; end < a->count && a->list[end].at == a->list[begin].at; end++) {
        }
        uint64_t second = a->list[begin].at;
        for (size_t i = begin; i < end; i++)
            a->list[i].at = second + 1000000000u / (end - begin) * (i - begin);
    }
}

static int add(struct arrivals *a, const struct access_record *record, int64_t first, int64_t *last)
{
    if ((a->count & (a->count - 1)) == 0) { /* room is a power of two */
        struct arrival *list = realloc(a->list, (a->count ? 2 * a->count : 1) * sizeof *list);
        if (!list)
            return -ENOMEM;
        a->list = list;
    }
    a->backwards += record->time < *last;
    *last = record->time > *last ? record->time : *last;
    a->list[a->count++] = (struct arrival){(uint64_t)(*last - first) * 1000000000u, hash_name(record->client)};
    return 0;
}

int arrivals_read(const char *path, struct arrivals *out, struct error *err)
{
    struct access_log *log;
    struct access_record record;
    int64_t first = 0, last = 0;
    *out = (struct arrivals){0};
    int code = access_log_open(path, &log, err);
    if (code)
        return code;
    while ((code = access_log_next(log, &record, err)) == 1) {
        if (out->count == 0)
            first = last = record.time;
        if (add(out, &record, first, &last) != 0) {
            code = error_set(err, -ENOMEM, "%s: out of memory after %zu requests", path, out->count);
            break;
        }
    }
    out->lines = access_log_counts(log);
    access_log_close(log);
    if (code == 0 && (out->count == 0 || out->lines.malformed > out->lines.lines / 10))
        code = error_set(err, -EINVAL,
                         "%s: %llu of %llu lines are in Common or Combined Log Format; is it an access log? The first "
                         "that is not: line %llu",
                         path, (unsigned long long)(out->lines.lines - out->lines.malformed),
                         (unsigned long long)out->lines.lines, (unsigned long long)out->lines.first_malformed[0]);
    if (code == 0)
        code = count_clients(out);
    if (code)
        arrivals_free(out);
    else
        spread(out);
    return code;
}

void arrivals_free(struct arrivals *arrivals)
{
    free(arrivals->list);
    arrivals->list = NULL;
}
