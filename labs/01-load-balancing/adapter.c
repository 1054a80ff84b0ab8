/* adapter.c: lab 01 as the host sees it: a named entry, a block of bytes that says what to run it on, and a log.
 *
 * A fleet travels packed (fleet_pack), so it can't have a source of recorded requests: those are replayed by trusted
 * programs only, in their own process. The host judges nothing: a run that came to its end is 0 even if every pick was
 * wrong.
 */
#include "adapter.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct lb_ops *adapter_find(const struct plugin *plugin, const char *name, const struct lb_ops **inner)
{
    const char *plus = strchr(name, '+');
    const struct lb_ops *ops;
    *inner = NULL;
    if (!plus) {
        ops = plugin_find(plugin, name);
        return ops && !ops->wraps ? ops : NULL;
    }
    char *wrapper = strndup(name, (size_t)(plus - name));
    ops = wrapper ? plugin_find(plugin, wrapper) : NULL;
    free(wrapper);
    *inner = plugin_find(plugin, plus + 1);
    if (ops && ops->wraps && *inner && !(*inner)->wraps)
        return ops;
    *inner = NULL;
    return NULL;
}

/* The operation that a table of functions lacks, or NULL. */
static const char *missing(const struct lb_ops *ops)
{
    return !ops->create       ? "create"
           : !ops->destroy    ? "destroy"
           : !ops->add        ? "add"
           : !ops->remove     ? "remove"
           : !ops->set_weight ? "set_weight"
           : !ops->pick       ? "pick"
                              : NULL;
}

static int run_fleet(const void *bytes, size_t size, const struct lb_ops *ops, const struct lb_ops *inner,
                     struct decision_log *log, struct error *err)
{
    struct fleet_scenario scenario;
    struct fleet_result result;
    struct fleet_entry *entry;
    int failed = fleet_unpack(bytes, size, &scenario);
    if (failed)
        return error_set(err, failed, "the fleet is cut short or not aligned");
    failed = fleet_entry_create(&scenario, ops, inner, log, &entry, err);
    if (failed)
        return failed;
    failed = fleet_run(&scenario, NULL, fleet_entry_policy(entry), &result, err);
    fleet_result_free(&result);
    if (!failed && (failed = fleet_entry_failure(entry)) != 0)
        error_set(err, failed, "an operation of the entry failed with %d (%s)", failed, strerror(-failed));
    fleet_entry_destroy(entry);
    return failed;
}

static int run_script(const void *bytes, size_t size, const struct lb_ops *ops, const struct lb_ops *inner,
                      struct decision_log *log, struct error *err)
{
    const struct script *script = bytes;
    if (size < SCRIPT_SIZE(0) || (uintptr_t)bytes % _Alignof(struct script) || script->steps > SCRIPT_MAX_STEPS ||
        size < SCRIPT_SIZE(script->steps))
        return error_set(err, -EINVAL, "the script is cut short or not aligned");
    const int failed = script_run(script, ops, inner, log);
    return failed ? error_set(err, failed, "the script ended early with %d (%s)", failed, strerror(-failed)) : 0;
}

static int run(const struct plugin *plugin, const char *name, const void *bytes, size_t size, struct decision_log *log,
               struct error *err)
{
    const struct lb_ops *inner, *ops = adapter_find(plugin, name, &inner);
    struct adapter_header header;
    if (!ops)
        return error_set(err, -ENOENT,
                         "there is no entry \"%s\" (a wrapper is named with what it wraps: \"wrapper+entry\")", name);
    const char *lacks = missing(ops);
    if (!lacks && inner)
        lacks = missing(inner);
    if (lacks)
        return error_set(err, -EINVAL, "entry \"%s\" has no %s", name, lacks);
    if (size < sizeof header)
        return error_set(err, -EINVAL, "the scenario is cut short");
    if (log->record_size != sizeof(uint32_t))
        return error_set(err, -EINVAL, "a pick takes 4 bytes, but the log has records of %u", log->record_size);
    memcpy(&header, bytes, sizeof header);
    const unsigned char *rest = (const unsigned char *)bytes + sizeof header;
    size -= sizeof header;
    switch (header.kind) {
    case ADAPTER_FLEET:
        return run_fleet(rest, size, ops, inner, log, err);
    case ADAPTER_SCRIPT:
        return run_script(rest, size, ops, inner, log, err);
    default:
        return error_set(err, -EINVAL, "the scenario is of no kind that lab 01 knows (%u)", header.kind);
    }
}

WORLD_DEFINE("01", run);
