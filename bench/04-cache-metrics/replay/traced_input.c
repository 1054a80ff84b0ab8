/* traced_input.c: a trace as requests to a cache. */
#include "traced_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS    UINT64_C(1000000)
#define MOST_TTL_S   (UINT32_MAX / 1000)
#define NOT_ASKED    UINT64_MAX
#define SMALLEST     1024u
#define MOST_REQUEST (UINT64_C(1) << 40)

/* What is known of a key while a trace is read. */
struct known {
    uint64_t key;
    uint64_t next; /* the number of the last request seen, or NOT_ASKED */
    uint32_t size, largest, ttl_s;
    bool taken;
};

/* By key, with open addressing; at most half full. */
struct table {
    struct known *slot;
    uint64_t room, keys;
};

static struct known *place(const struct table *t, uint64_t key)
{
    uint64_t state = key, i = rng_splitmix64(&state) & (t->room - 1);
    while (t->slot[i].taken && t->slot[i].key != key)
        i = (i + 1) & (t->room - 1);
    return &t->slot[i];
}

static int grow(struct table *t)
{
    const struct table old = *t;
    const uint64_t room = old.room ? 2 * old.room : SMALLEST;
    struct known *slot = calloc(room, sizeof *slot);
    if (!slot)
        return -ENOMEM;
    t->slot = slot;
    t->room = room;
    for (uint64_t i = 0; i < old.room; i++)
        if (old.slot[i].taken)
            *place(t, old.slot[i].key) = old.slot[i];
    free(old.slot);
    return 0;
}

/* NULL without memory. */
static struct known *find(struct table *t, uint64_t key)
{
    if (2 * t->keys >= t->room && grow(t) != 0)
        return NULL;
    struct known *k = place(t, key);
    if (!k->taken) {
        *k = (struct known){.key = key, .next = NOT_ASKED, .taken = true};
        t->keys++;
    }
    return k;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int add(struct traced_input *in, const struct cm_request *request)
{
    if (in->count >= SMALLEST ? (in->count & (in->count - 1)) == 0 : in->count == 0) { /* room is a power of two */
        const uint64_t room = in->count ? 2 * in->count : SMALLEST;
        struct cm_request *more = room < MOST_REQUEST ? realloc(in->request, room * sizeof *more) : NULL;
        if (!more)
            return -ENOMEM;
        in->request = more;
    }
    in->request[in->count++] = *request;
    return 0;
}

static int take(struct traced_input *in, struct table *table, const struct traced_params *params,
                const struct request_record *r)
{
    struct known *k = find(table, r->key);
    if (!k)
        return -ENOMEM;
    const bool sized = in->sizes && !params->objects;
    if (r->size > 0)
        k->size = r->size;
    if (!r->read) {
        k->ttl_s = r->ttl_s > 0 ? r->ttl_s : k->ttl_s;
        return 0;
    }
    const uint32_t ttl_s = r->ttl_s > 0 ? r->ttl_s : k->ttl_s;
    struct cm_request q = {.key = r->key,
                           .time = in->times ? r->time_ns : in->count * NS_PER_MS,
                           .size = !sized || k->size == 0 ? 1 : k->size,
                           .cost_us = r->cost ? r->cost_us : params->miss_us,
                           .ttl_ms = ttl_s > MOST_TTL_S ? UINT32_MAX : 1000 * ttl_s,
                           .next = in->count};
    k->largest = q.size > k->largest ? q.size : k->largest;
    in->ttl = in->ttl || q.ttl_ms > 0;
    return add(in, &q);
}

static int read_all(struct request_trace *trace, const char *path, struct traced_input *in, struct table *table,
                    const struct traced_params *params, struct error *err)
{
    struct request_record r;
    int code, full = 0;
    while (!full && (code = request_trace_next(trace, &r, err)) == 1)
        full = take(in, table, params, &r);
    in->counts = *request_trace_counts(trace);
    if (full)
        return error_set(err, full, "%s: out of memory after %llu requests, 40 bytes each", path,
                         (unsigned long long)in->count);
    if (code == 0 && in->count == 0)
        return error_set(err, -EINVAL, "%s: read as %s: no request in it is one that a cache is for", path,
                         request_format_name[in->format]);
    return code;
}

/* ---- what comes of all of them ----------------------------------------------------------------------------------- */

/* By time; `next` still has the number in the trace. */
static int by_time(const void *a, const void *b)
{
    const struct cm_request *x = a, *y = b;
    return x->time != y->time ? (x->time > y->time) - (x->time < y->time) : (x->next > y->next) - (x->next < y->next);
}

static void begin_at_zero(struct traced_input *in)
{
    const uint64_t first = in->request[0].time;
    uint64_t before = first;
    for (uint64_t i = 0; i < in->count; i++) {
        const uint64_t time = in->request[i].time;
        in->gap_ns = time - before > in->gap_ns ? time - before : in->gap_ns;
        before = time;
        in->request[i].time = time - first;
    }
    in->span_ns = before - first;
}

static void find_next(struct traced_input *in, const struct table *table)
{
    for (uint64_t i = in->count; i-- > 0;) {
        struct known *k = place(table, in->request[i].key);
        in->request[i].next = k->next == NOT_ASKED ? CM_NEVER : k->next;
        k->next = i;
    }
}

static void count_keys(struct traced_input *in, const struct table *table)
{
    for (uint64_t i = 0; i < table->room; i++) {
        const struct known *k = &table->slot[i];
        in->keys += k->next != NOT_ASKED && k->taken;
        in->size += k->largest;
        in->largest = k->largest > in->largest ? k->largest : in->largest;
    }
}

int traced_input_read(const char *path, const struct traced_params *params, struct traced_input *in, struct error *err)
{
    struct request_trace *trace;
    struct table table = {0};
    *in = (struct traced_input){0};
    int code = request_trace_open(path, params->format, &trace, err);
    if (code)
        return code;
    in->format = request_trace_format(trace);
    in->times = request_trace_has_times(trace);
    in->sizes = request_trace_has_sizes(trace);
    code = read_all(trace, path, in, &table, params, err);
    request_trace_close(trace);
    if (code == 0) {
        if (in->counts.backwards > 0)
            qsort(in->request, in->count, sizeof *in->request, by_time);
        begin_at_zero(in);
        find_next(in, &table);
        count_keys(in, &table);
    } else
        traced_input_free(in);
    free(table.slot);
    return code;
}

void traced_input_free(struct traced_input *in)
{
    free(in->request);
    in->request = NULL;
}
