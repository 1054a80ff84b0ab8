/* adapter.c: lab 08 as the host sees it: a named entry, a scene, and a log of what came out. */
#include "scene.h"

#include "base/error.h"
#include "host/log.h"

#include <errno.h>
#include <string.h>

static const char *missing(const struct scene *scene)
{
    return scene->kind == SCENE_MERGE     ? "merge"
           : scene->kind == SCENE_FORWARD ? "workspace or no forward"
                                          : "shard, ring_workspace or ring_forward";
}

static int run(const struct plugin *plugin, const char *name, const void *bytes, size_t size, struct decision_log *log,
               struct error *err)
{
    const struct at_ops *ops = plugin_find(plugin, name);
    const struct scene *scene = bytes;
    if (!ops)
        return error_set(err, -ENOENT, "there is no entry \"%s\"", name);
    if (size < SCENE_SIZE(0) || (uintptr_t)bytes % _Alignof(struct scene) || size < SCENE_SIZE(scene->numbers))
        return error_set(err, -EINVAL, "the scene is cut short, or not aligned");
    if (log->record_size != sizeof(uint32_t))
        return error_set(err, -EINVAL, "a record takes 4 bytes, but the log has records of %u", log->record_size);
    int code = scene_run(scene, plugin, ops, log);
    if (code == -ENOSYS)
        return error_set(err, code, "entry \"%s\" has no %s", name, missing(scene));
    return code ? error_set(err, code, "the scene ended early with %d (%s)", code, strerror(-code)) : 0;
}

WORLD_DEFINE("08", run);
