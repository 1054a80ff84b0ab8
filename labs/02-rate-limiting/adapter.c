/* adapter.c: lab 02 as the host sees it: a named entry, a block of bytes that says what to run it on, and a log. */
#include "adapter.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>

static const char *missing(const struct rl_ops *ops)
{
    return !ops->create ? "create" : !ops->destroy ? "destroy" : !ops->allow ? "allow" : !ops->bytes ? "bytes" : NULL;
}

static int run_calls(const void *bytes, size_t size, const struct rl_ops *ops, struct decision_log *log,
                     struct error *err)
{
    const struct calls *calls = bytes;
    if (size < CALLS_SIZE(0) || calls->count > CALLS_MOST || size < CALLS_SIZE(calls->count))
        return error_set(err, -EINVAL, "the list of calls is cut short");
    if (log->record_size != sizeof(struct call_answer))
        return error_set(err, -EINVAL, "an answer takes %zu bytes, but the log has records of %u",
                         sizeof(struct call_answer), log->record_size);
    int code = calls_run(calls, ops, log);
    return code ? error_set(err, code, "the calls ended early with %d (%s)", code, strerror(-code)) : 0;
}

static int run_hammer(const void *bytes, size_t size, const struct rl_ops *ops, struct decision_log *log,
                      struct error *err)
{
    if (size < sizeof(struct hammer) || log->record_size != sizeof(struct hammer_count))
        return error_set(err, -EINVAL, "the hammer is cut short, or the log is not for it");
    int code = hammer_run(bytes, ops, log);
    return code ? error_set(err, code, "the threads ended early with %d (%s)", code, strerror(-code)) : 0;
}

static int run(const struct plugin *plugin, const char *name, const void *bytes, size_t size, struct decision_log *log,
               struct error *err)
{
    const struct rl_ops *ops = plugin_find(plugin, name);
    struct adapter_header header;
    if (!ops)
        return error_set(err, -ENOENT, "there is no entry \"%s\"", name);
    if (missing(ops))
        return error_set(err, -EINVAL, "entry \"%s\" has no %s", name, missing(ops));
    if (size < sizeof header || (uintptr_t)bytes % _Alignof(struct calls))
        return error_set(err, -EINVAL, "the scenario is cut short or not aligned");
    memcpy(&header, bytes, sizeof header);
    const unsigned char *rest = (const unsigned char *)bytes + sizeof header;
    size -= sizeof header;
    switch (header.kind) {
    case ADAPTER_CALLS:
        return run_calls(rest, size, ops, log, err);
    case ADAPTER_HAMMER:
        return run_hammer(rest, size, ops, log, err);
    default:
        return error_set(err, -EINVAL, "the scenario is of no kind that lab 02 knows (%u)", header.kind);
    }
}

WORLD_DEFINE("02", run);
