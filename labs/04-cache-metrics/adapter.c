/* adapter.c: lab 04 as the host sees it: a named entry, a block of bytes that says what to run it on, and a log. */
#include "adapter.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST (UINT64_C(1) << 26) /* of whatever a scenario has a list of */

static const char *const kind_name[] = {
    [ADAPTER_REQUESTS] = "CM_CACHE",
    [ADAPTER_CALLERS] = "CM_RECOMPUTE",
    [ADAPTER_EVENTS] = "CM_FIGURES",
    [ADAPTER_BOUNDS] = "CM_SEQUENCE",
};

/* What the entry lacks, or NULL. */
static const char *missing(const struct cm_ops *ops, uint32_t kind)
{
    const struct cm_cache_ops *c = ops->cache;
    const struct cm_recompute_ops *r = ops->recompute;
    switch (kind) {
    case ADAPTER_REQUESTS:
        return !c ? "table" : !c->create ? "create" : !c->destroy ? "destroy" : !c->request ? "request" : NULL;
    case ADAPTER_CALLERS:
        return !r            ? "table"
               : !r->create  ? "create"
               : !r->destroy ? "destroy"
               : !r->ask     ? "ask"
               : !r->done    ? "done"
                             : NULL;
    case ADAPTER_EVENTS:
        return !ops->figures ? "table" : !ops->figures->figures ? "figures" : NULL;
    default:
        return !ops->sequence ? "table" : !ops->sequence->make ? "make" : NULL;
    }
}

static uint32_t record_size(uint32_t kind)
{
    switch (kind) {
    case ADAPTER_REQUESTS:
        return sizeof(uint64_t);
    case ADAPTER_CALLERS:
        return sizeof(struct ask_record);
    case ADAPTER_EVENTS:
        return sizeof(struct cm_figures);
    default:
        return sizeof(uint32_t);
    }
}

/* Are there as many bytes as the scenario says it has? */
static bool is_whole(uint32_t kind, const void *bytes, size_t size)
{
    const struct requests *r = bytes;
    const struct callers *c = bytes;
    const struct events *e = bytes;
    const struct bounds *b = bytes;
    switch (kind) {
    case ADAPTER_REQUESTS:
        return size >= sizeof *r && r->count <= REQUESTS_MOST && size >= REQUESTS_SIZE(r->count);
    case ADAPTER_CALLERS:
        return size >= sizeof *c && c->callers <= CALLERS_MOST && c->works <= CALLERS_MOST &&
               size >= CALLERS_SIZE(c->callers, c->works);
    case ADAPTER_EVENTS:
        return size >= sizeof *e && e->count <= MOST && size >= sizeof *e + e->count * sizeof e->event[0];
    default:
        return size >= sizeof *b && b->keys <= MOST && size >= sizeof *b + b->keys * sizeof b->cost_us[0];
    }
}

static int run_events(const struct events *e, const struct cm_figures_ops *ops, struct decision_log *log)
{
    struct cm_figures figures = {0};
    int code = ops->figures(e->event, e->count / 2, &e->period, &figures); /* what is left of it must not count */
    for (uint32_t round = 0; code == 0 && round < (e->rounds ? e->rounds : 1); round++)
        code = ops->figures(e->event, e->count, &e->period, &figures);
    if (code == 0)
        log_append(log, &figures);
    return code;
}

static int run_bounds(const struct bounds *b, const struct cm_sequence_ops *ops, struct decision_log *log)
{
    const struct cm_bounds bounds = {b->capacity, b->keys, b->requests, b->most_misses, b->cost_us};
    uint32_t *key = calloc(b->requests, sizeof *key);
    const int code = key ? ops->make(&bounds, key) : -ENOMEM;
    for (uint32_t i = 0; code == 0 && i < b->requests; i++)
        log_append(log, &key[i]);
    free(key);
    return code;
}

static int run(const struct plugin *plugin, const char *name, const void *bytes, size_t size, struct decision_log *log,
               struct error *err)
{
    const struct cm_ops *ops = plugin_find(plugin, name);
    struct adapter_header header;
    if (!ops)
        return error_set(err, -ENOENT, "there is no entry \"%s\"", name);
    if (size < sizeof header || (uintptr_t)bytes % 8)
        return error_set(err, -EINVAL, "the scenario is cut short or not aligned");
    memcpy(&header, bytes, sizeof header);
    const void *rest = (const unsigned char *)bytes + sizeof header;
    if (header.kind < ADAPTER_REQUESTS || header.kind > ADAPTER_BOUNDS ||
        !is_whole(header.kind, rest, size - sizeof header))
        return error_set(err, -EINVAL, "the scenario is cut short, or of no kind that lab 04 knows (%u)", header.kind);
    if (missing(ops, header.kind))
        return error_set(err, -EINVAL, "entry \"%s\" has no %s (it is to be registered with %s)", name,
                         missing(ops, header.kind), kind_name[header.kind]);
    if (log->record_size != record_size(header.kind))
        return error_set(err, -EINVAL, "the log has records of %u bytes, which are for another kind of scenario",
                         log->record_size);
    const int code = header.kind == ADAPTER_REQUESTS  ? requests_run(rest, ops->cache, log)
                     : header.kind == ADAPTER_CALLERS ? callers_run(rest, ops->recompute, log)
                     : header.kind == ADAPTER_EVENTS  ? run_events(rest, ops->figures, log)
                                                      : run_bounds(rest, ops->sequence, log);
    return code ? error_set(err, code, "the run ended early with %d (%s)", code, strerror(-code)) : 0;
}

WORLD_DEFINE("04", run);
