/* Idea: places for n threads are the first n usable cores below the smallest object of hwloc's tree that has n of them.
 * The tree is searched from its leaves up, so that object is a cache before it is a package, and it says in words what
 * the places share.
 *
 * What it leaves out: load. A core that is busy with something else is chosen like any other.
 */
#include "measure/topology_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hwloc_obj_t above(const struct topology *t, const struct topology_core *c, hwloc_obj_type_t type)
{
    hwloc_obj_t o = hwloc_get_ancestor_obj_by_type(t->hwloc, type, c->object);
    return o ? o : hwloc_get_root_obj(t->hwloc);
}

/* The last-level cache of a core; NULL where it has none. */
static hwloc_obj_t last_cache(const struct topology_core *c)
{
    hwloc_obj_t last = NULL;
    for (hwloc_obj_t o = c->object; o; o = o->parent)
        if (hwloc_obj_type_is_dcache(o->type))
            last = o;
    return last;
}

/* The first `threads` cores of the first `choice` that lie below an object. How many were found. */
static unsigned cores_below(const struct topology *t, hwloc_obj_t object, unsigned choice, unsigned threads,
                            const struct topology_core *found[])
{
    unsigned n = 0;
    for (unsigned i = 0; i < choice && n < threads; i++)
        if (hwloc_bitmap_isincluded(t->core[i].object->cpuset, object->cpuset))
            found[n++] = &t->core[i];
    return n;
}

static hwloc_obj_t nearest(const struct topology *t, unsigned choice, unsigned threads,
                           const struct topology_core *found[])
{
    for (int depth = hwloc_topology_get_depth(t->hwloc) - 1; depth >= 0; depth--)
        for (unsigned i = 0; i < hwloc_get_nbobjs_by_depth(t->hwloc, depth); i++) {
            hwloc_obj_t o = hwloc_get_obj_by_depth(t->hwloc, depth, i);
            if (o && o->cpuset && cores_below(t, o, choice, threads, found) == threads)
                return o;
        }
    return NULL;
}

static void say_place(const struct topology *t, hwloc_obj_t scope, unsigned threads,
                      const struct topology_core *found[], char *words, size_t size)
{
    unsigned packages = 1;
    for (unsigned i = 1; i < threads; i++) /* in hwloc's order, so those of one package stand together */
        packages += above(t, found[i], HWLOC_OBJ_PACKAGE) != above(t, found[i - 1], HWLOC_OBJ_PACKAGE);
    if (threads == 1)
        snprintf(words, size, "1 core");
    else if (hwloc_obj_type_is_cache(scope->type))
        snprintf(words, size, "%u cores sharing L%u", threads, scope->attr->cache.depth);
    else if (packages == 1)
        snprintf(words, size, "%u cores of one package", threads);
    else
        snprintf(words, size, "%u cores of %u packages", threads, packages);
}

int topology_places(const struct topology *t, unsigned threads, unsigned place[], char *words, size_t size,
                    struct error *err)
{
    if (threads == 0)
        return error_set(err, -EINVAL, "places for 0 threads were asked for");
    if (threads > t->cores)
        return error_set(err, -ENODEV, "%u cores are needed, and this process may use %u", threads, t->cores);
    const struct topology_core **found = calloc(threads, sizeof(const struct topology_core *));
    if (!found)
        return error_set(err, -ENOMEM, "topology: out of memory");
    hwloc_obj_t scope = nearest(t, threads <= t->fastest ? t->fastest : t->cores, threads, found);
    if (!scope) {
        free((void *)found);
        return error_set(err, -ENODEV, "hwloc has no object with %u cores below it", threads);
    }
    for (unsigned i = 0; i < threads; i++)
        place[i] = found[i]->place;
    if (words)
        say_place(t, scope, threads, found, words, size);
    free((void *)found);
    return 0;
}

static bool related(const struct topology *t, enum topology_relation relation, const struct topology_core *a,
                    const struct topology_core *b)
{
    bool package = above(t, a, HWLOC_OBJ_PACKAGE) == above(t, b, HWLOC_OBJ_PACKAGE);
    hwloc_obj_t cache = last_cache(a);
    if (relation == TOPOLOGY_SHARED_CACHE)
        return cache && cache == last_cache(b);
    return relation == TOPOLOGY_SAME_PACKAGE ? package : !package;
}

int topology_pair(const struct topology *t, enum topology_relation relation, unsigned place[2])
{
    bool found = false;
    for (unsigned i = 0; i < t->cores; i++) {
        const struct topology_core *a = &t->core[i];
        if (relation == TOPOLOGY_SAME_CORE && a->second != TOPOLOGY_NO_PLACE) {
            place[0] = a->place;
            place[1] = a->second;
            return 0;
        }
        for (unsigned j = i + 1; relation != TOPOLOGY_SAME_CORE && j < t->cores; j++) {
            const struct topology_core *b = &t->core[j];
            if (!related(t, relation, a, b))
                continue;
            bool best = relation != TOPOLOGY_SAME_PACKAGE || !related(t, TOPOLOGY_SHARED_CACHE, a, b);
            if (best || !found) {
                place[0] = a->place;
                place[1] = b->place;
                found = true;
            }
            if (best)
                return 0;
        }
    }
    return found ? 0 : -ENODEV;
}

int topology_bind(const struct topology *t, unsigned place, struct error *err)
{
    hwloc_obj_t pu = hwloc_get_obj_by_type(t->hwloc, HWLOC_OBJ_PU, place);
    if (!topology_is_this_machine(t))
        return error_set(err, -ENOTSUP, "the topology is not this machine's; no thread can be bound by it");
    if (!pu)
        return error_set(err, -EINVAL, "there is no hardware thread %u; there are %u", place, topology_pus(t));
    if (hwloc_set_cpubind(t->hwloc, pu->cpuset, HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT) != 0) {
        int code = errno > 0 ? -errno : -ENOTSUP;
        return error_set(err, code, "can't bind a thread to hardware thread %u: %s", place, strerror(-code));
    }
    hwloc_bitmap_t now = hwloc_bitmap_alloc();
    bool there = now && hwloc_get_last_cpu_location(t->hwloc, now, HWLOC_CPUBIND_THREAD) == 0 &&
                 hwloc_bitmap_isincluded(now, pu->cpuset);
    hwloc_bitmap_free(now);
    if (!there)
        return error_set(err, -EIO, "a thread was bound to hardware thread %u, and runs elsewhere", place);
    return 0;
}
