/* adapter.c: lab 03 as the host sees it: a named entry, steps to carry out, and a log of node numbers. */
#include "steps.h"

#include "base/error.h"
#include "host/log.h"

#include <errno.h>
#include <string.h>

/* ---- what the world itself costs ---- */

static int nothing_create(const struct ch_config *config, void **map)
{
    static char state;
    (void)config;
    *map = &state;
    return 0;
}

static void nothing_destroy(void *map)
{
    (void)map;
}

static int nothing_add(void *map, const struct ch_node *node, uint32_t n)
{
    (void)map, (void)node, (void)n;
    return 0;
}

static int nothing_remove(void *map, uint32_t id)
{
    (void)map, (void)id;
    return 0;
}

static uint32_t nothing_lookup(const void *map, uint64_t key)
{
    (void)map, (void)key;
    return CH_NONE;
}

static size_t nothing_bytes(const void *map)
{
    (void)map;
    return 0;
}

static const struct ch_ops nothing_ops = {.create = nothing_create,
                                          .destroy = nothing_destroy,
                                          .add = nothing_add,
                                          .remove = nothing_remove,
                                          .lookup = nothing_lookup,
                                          .bytes = nothing_bytes};

/* ---- a run ---- */

static const char *missing(const struct ch_ops *ops)
{
    return !ops->create    ? "create"
           : !ops->destroy ? "destroy"
           : !ops->add     ? "add"
           : !ops->remove  ? "remove"
           : !ops->lookup  ? "lookup"
           : !ops->bytes   ? "bytes"
                           : NULL;
}

static int run(const struct plugin *plugin, const char *name, const void *bytes, size_t size, struct decision_log *log,
               struct error *err)
{
    const struct ch_ops *ops = strcmp(name, STEPS_NOTHING) == 0 ? &nothing_ops : plugin_find(plugin, name);
    const struct steps *steps = bytes;
    if (!ops)
        return error_set(err, -ENOENT, "there is no entry \"%s\"", name);
    if (missing(ops))
        return error_set(err, -EINVAL, "entry \"%s\" has no %s", name, missing(ops));
    if (size < STEPS_SIZE(0) || (uintptr_t)bytes % _Alignof(struct steps) || steps->count > STEPS_MOST ||
        size < STEPS_SIZE(steps->count))
        return error_set(err, -EINVAL, "the steps are cut short, or not aligned");
    if (log->record_size != sizeof(uint32_t))
        return error_set(err, -EINVAL, "an answer takes 4 bytes, but the log has records of %u", log->record_size);
    int code = steps_run(steps, ops, log);
    return code ? error_set(err, code, "the steps ended early with %d (%s)", code, strerror(-code)) : 0;
}

WORLD_DEFINE("03", run);
