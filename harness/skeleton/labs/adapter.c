/* adapter.c: lab SKELETON_NUMBER as the host sees it: a named entry, groups that ask, and a log of how many were let in.
 */
#include "skeleton.h"

#include <errno.h>

static int run(const struct plugin *plugin, const char *entry, const void *bytes, size_t size, struct decision_log *log,
               struct error *err)
{
    const struct skeleton_ops *ops = plugin_find(plugin, entry);
    const struct skeleton_run *r = bytes;
    void *counter;
    if (!ops)
        return error_set(err, -ENOENT, "there is no entry \"%s\"", entry);
    if (!ops->create || !ops->take || !ops->destroy)
        return error_set(err, -EINVAL, "entry \"%s\" lacks an operation", entry);
    if (size != sizeof *r || r->groups > sizeof r->group / sizeof *r->group || log->record_size != sizeof(uint32_t))
        return error_set(err, -EINVAL, "the scenario is no run");
    int code = ops->create(r->limit, &counter);
    if (code)
        return error_set(err, code, "no counter could be made: %d", code);
    log_count_from_here();
    for (uint32_t i = 0; i < r->groups; i++) {
        const uint32_t taken = ops->take(counter, r->group[i]);
        log_append(log, &taken);
    }
    ops->destroy(counter);
    return 0;
}

WORLD_DEFINE("SKELETON_NUMBER", run);
