/* adapter.c: lab 05 as the host sees it: a named entry, a block of bytes that says what to run it on, and a log. */
#include "adapter.h"

#include "base/error.h"
#include "decided.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FAULTS 1024u

/* How the entry has to be registered, and what it lacks; or NULL. */
static const char *missing(const struct cb_ops *o, uint32_t kind)
{
    const struct cb_breaker_ops *b = o->breaker;
    const struct cb_retry_ops *r = o->retry;
    const struct cb_queue_ops *q = o->queue;
    switch (kind) {
    case ADAPTER_STEPS:
        return !b && !r ? "table (CB_BREAKER or CB_RETRY)"
               : b && !(b->create && b->destroy && b->allow && b->record)
                   ? "create, destroy, allow or record (CB_BREAKER)"
               : r && !(r->create && r->destroy && r->retry) ? "create, destroy or retry (CB_RETRY)"
                                                             : NULL;
    case ADAPTER_SERVICES:
        return q && q->create && q->destroy && q->arrive && q->take ? NULL
                                                                    : "create, destroy, arrive or take (CB_QUEUE)";
    case ADAPTER_STORAGE:
        return r && r->create && r->destroy && r->retry ? NULL : "create, destroy or retry (CB_RETRY)";
    default:
        return o->faults && o->faults->make ? NULL : "make (CB_FAULTS)";
    }
}

static bool is_whole(uint32_t kind, const void *bytes, size_t size)
{
    const struct steps *s = bytes;
    switch (kind) {
    case ADAPTER_STEPS:
        return size >= sizeof *s && s->count <= STEPS_MOST && size >= STEPS_SIZE(s->count);
    case ADAPTER_SERVICES:
        return size >= sizeof(struct services);
    case ADAPTER_STORAGE:
        return size >= sizeof(struct storage);
    case ADAPTER_BOUNDS:
        return size >= sizeof(struct cb_bounds);
    default:
        return false;
    }
}

static int run_services(const struct services *s, const struct cb_queue_ops *ops, struct decision_log *log)
{
    return services_simulate(s, &(struct services_policy){.queue = decided_log_queue(ops, log)},
                             &(struct services_hooks){0});
}

static int run_storage(const struct storage *s, const struct cb_retry_ops *ops, struct decision_log *log)
{
    struct storage_result result;
    return storage_simulate(s, decided_log_retry(ops, log), &result, NULL, 0);
}

static int run_bounds(const struct cb_bounds *b, const struct cb_faults_ops *ops, struct decision_log *log)
{
    struct cb_fault *fault = b->most_faults <= MOST_FAULTS ? calloc(b->most_faults + 1, sizeof *fault) : NULL;
    if (!fault)
        return -ENOMEM;
    const int n = ops->make(b, fault);
    for (int i = 0; i < n && (uint32_t)i < b->most_faults; i++)
        log_append(log, &fault[i]);
    free(fault);
    return n < 0 ? n : (uint32_t)n > b->most_faults ? -E2BIG : 0;
}

static int run(const struct plugin *plugin, const char *name, const void *bytes, size_t size, struct decision_log *log,
               struct error *err)
{
    const struct cb_ops *ops = plugin_find(plugin, name);
    struct adapter_header header;
    if (!ops)
        return error_set(err, -ENOENT, "there is no entry \"%s\"", name);
    if (size < sizeof header || (uintptr_t)bytes % 8)
        return error_set(err, -EINVAL, "the scenario is cut short or not aligned");
    memcpy(&header, bytes, sizeof header);
    const void *rest = (const unsigned char *)bytes + sizeof header;
    if (!is_whole(header.kind, rest, size - sizeof header))
        return error_set(err, -EINVAL, "the scenario is cut short, or of no kind that lab 05 knows (%u)", header.kind);
    if (missing(ops, header.kind))
        return error_set(err, -EINVAL, "entry \"%s\" has no %s", name, missing(ops, header.kind));
    if (log->record_size != (header.kind == ADAPTER_BOUNDS ? sizeof(struct cb_fault) : sizeof(uint64_t)))
        return error_set(err, -EINVAL, "the log has records of %u bytes, which are for another kind of scenario",
                         log->record_size);
    const int code = header.kind == ADAPTER_STEPS      ? steps_run(rest, ops, log)
                     : header.kind == ADAPTER_SERVICES ? run_services(rest, ops->queue, log)
                     : header.kind == ADAPTER_STORAGE  ? run_storage(rest, ops->retry, log)
                                                       : run_bounds(rest, ops->faults, log);
    return code ? error_set(err, code, "the run ended early with %d (%s)", code, strerror(-code)) : 0;
}

WORLD_DEFINE("05", run);
