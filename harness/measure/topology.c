/* Idea: hwloc knows the machine; this file asks it the few questions that benchmarks have, and guards the answers.
 *
 * Which cores there are to choose from is settled once, on loading: each core with a hardware thread that the process
 * may use, in hwloc's order, which puts neighbours next to each other. topology_places.c chooses among them.
 *
 * What it leaves out. NUMA memory sizes: in guests with hot-plugged memory hwloc gives totals that are wrong and change
 * from minute to minute. Devices: nothing here asks for them. Caches of other kinds of cores: sizes are those of the
 * first core of the fastest kind.
 *
 * Traps of hwloc: associativity is 0 where it is unknown (always so in a synthetic topology) and -1 for fully
 * associative; a line may be 0 bytes; caches for instructions show up only where they are asked for; there may be no
 * object for cores at all.
 */
#include "base/memory.h"
#include "measure/topology_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- loading ---- */

/* hwloc orders kinds of cores by efficiency, where it can tell; where it can't, all count the same. */
static int kind_of(hwloc_topology_t hwloc, hwloc_obj_t core)
{
    int efficiency = 0, kind = hwloc_cpukinds_get_by_cpuset(hwloc, core->cpuset, 0);
    if (kind < 0 || hwloc_cpukinds_get_info(hwloc, (unsigned)kind, NULL, &efficiency, NULL, NULL, 0) != 0)
        return 0;
    return efficiency < 0 ? 0 : efficiency;
}

static hwloc_obj_type_t core_type(hwloc_topology_t hwloc)
{
    return hwloc_get_nbobjs_by_type(hwloc, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
}

/* What may be used here: what hwloc allows (cgroup), and of that the affinity of this thread, which those that it
 * starts inherit. */
static int usable_set(hwloc_topology_t hwloc, hwloc_bitmap_t set)
{
    if (hwloc_bitmap_copy(set, hwloc_topology_get_allowed_cpuset(hwloc)) != 0)
        return -ENOMEM;
    if (!hwloc_topology_is_thissystem(hwloc))
        return 0;
    hwloc_bitmap_t bound = hwloc_bitmap_alloc();
    if (!bound)
        return -ENOMEM;
    if (hwloc_get_cpubind(hwloc, bound, HWLOC_CPUBIND_THREAD) == 0 && hwloc_bitmap_intersects(bound, set))
        hwloc_bitmap_and(set, set, bound);
    hwloc_bitmap_free(bound);
    return 0;
}

static int fastest_first(const void *a, const void *b)
{
    const struct topology_core *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind > y->kind ? -1 : 1;
    return (x->object->logical_index > y->object->logical_index) -
           (x->object->logical_index < y->object->logical_index);
}

static int find_cores(struct topology *t)
{
    hwloc_obj_type_t type = core_type(t->hwloc);
    int all = hwloc_get_nbobjs_by_type(t->hwloc, type), pus = hwloc_get_nbobjs_by_type(t->hwloc, HWLOC_OBJ_PU);
    hwloc_bitmap_t usable = hwloc_bitmap_alloc();
    t->core = calloc(all > 0 ? (size_t)all : 1, sizeof *t->core);
    if (!usable || !t->core || usable_set(t->hwloc, usable) != 0) {
        hwloc_bitmap_free(usable);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < (unsigned)all; i++) {
        struct topology_core c = {hwloc_get_obj_by_type(t->hwloc, type, i), TOPOLOGY_NO_PLACE, TOPOLOGY_NO_PLACE, 0};
        if (c.object)
            t->core[t->cores++] = c;
    }
    for (unsigned i = 0; i < (unsigned)pus; i++) {
        hwloc_obj_t pu = hwloc_get_obj_by_type(t->hwloc, HWLOC_OBJ_PU, i);
        if (!pu || !hwloc_bitmap_isset(usable, pu->os_index))
            continue;
        hwloc_obj_t above = type == HWLOC_OBJ_PU ? pu : hwloc_get_ancestor_obj_by_type(t->hwloc, type, pu);
        struct topology_core *c = above && above->logical_index < t->cores ? &t->core[above->logical_index] : NULL;
        if (c && c->place == TOPOLOGY_NO_PLACE)
            c->place = i;
        else if (c && c->second == TOPOLOGY_NO_PLACE)
            c->second = i;
    }
    hwloc_bitmap_free(usable);
    unsigned kept = 0;
    for (unsigned i = 0; i < t->cores; i++)
        if (t->core[i].place != TOPOLOGY_NO_PLACE) {
            t->core[kept] = t->core[i];
            t->core[kept].kind = kind_of(t->hwloc, t->core[kept].object);
            kept++;
        }
    t->cores = kept;
    qsort(t->core, t->cores, sizeof *t->core, fastest_first);
    while (t->fastest < t->cores && t->core[t->fastest].kind == t->core[0].kind)
        t->fastest++;
    return 0;
}

static int by_level(const void *a, const void *b)
{
    const struct topology_cache *x = a, *y = b;
    if (x->level != y->level)
        return x->level < y->level ? -1 : 1;
    return (int)y->instruction - (int)x->instruction;
}

static void find_caches(struct topology *t)
{
    hwloc_obj_t o = t->cores ? t->core[0].object : NULL;
    /* A cache of one hardware thread, if there should be such, lies below the core. */
    if (o)
        o = hwloc_get_obj_by_type(t->hwloc, HWLOC_OBJ_PU, t->core[0].place);
    for (; o && t->caches < TOPOLOGY_CACHES; o = o->parent) {
        if (!hwloc_obj_type_is_cache(o->type) || o->attr->cache.size == 0)
            continue;
        int count = hwloc_get_nbobjs_by_type(t->hwloc, o->type), shared = hwloc_bitmap_weight(o->cpuset);
        struct topology_cache *c = &t->cache[t->caches++];
        *c = (struct topology_cache){.level = o->attr->cache.depth,
                                     .instruction = o->attr->cache.type == HWLOC_OBJ_CACHE_INSTRUCTION,
                                     .fully_associative = o->attr->cache.associativity == -1,
                                     .size = o->attr->cache.size,
                                     .line = o->attr->cache.linesize,
                                     .shared_by = shared > 0 ? (unsigned)shared : 1,
                                     .count = count > 0 ? (unsigned)count : 1};
        if (c->fully_associative)
            c->ways = (unsigned)(c->size / (c->line ? c->line : 64));
        else if (o->attr->cache.associativity > 0)
            c->ways = (unsigned)o->attr->cache.associativity;
    }
    qsort(t->cache, t->caches, sizeof *t->cache, by_level);
}

/* The variable that puts another machine in this one's place; NULL: none. */
static const char *other_machine(void)
{
    static const char *const names[] = {"HWLOC_XMLFILE", "HWLOC_SYNTHETIC"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return names[i];
    }
    return NULL;
}

/* hwloc itself says nothing where it can't use what the variable gives: it goes on with this machine. */
static int refuse_other(const char *name, struct error *err)
{
    return error_set(err, -EINVAL, "hwloc can't use the topology that %s gives (%s); see hwloc(7), or unset it", name,
                     getenv(name));
}

int topology_load(struct topology **out, struct error *err)
{
    struct topology *t = calloc(1, sizeof *t);
    if (!t || hwloc_topology_init(&t->hwloc) != 0) {
        free(t);
        return error_set(err, -ENOMEM, "topology: out of memory");
    }
    hwloc_topology_set_io_types_filter(t->hwloc, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_icache_types_filter(t->hwloc, HWLOC_TYPE_FILTER_KEEP_ALL);
    const char *other = other_machine();
    if (hwloc_topology_load(t->hwloc) != 0) {
        int code = errno > 0 ? -errno : -EINVAL;
        topology_destroy(t);
        return other ? refuse_other(other, err)
                     : error_set(err, code, "hwloc can't load this machine's topology: %s", strerror(-code));
    }
    if (other && topology_is_this_machine(t) && !getenv("HWLOC_THISSYSTEM")) {
        topology_destroy(t);
        return refuse_other(other, err);
    }
    int code = find_cores(t);
    if (code) {
        topology_destroy(t);
        return error_set(err, code, "topology: out of memory");
    }
    find_caches(t);
    *out = t;
    return 0;
}

void topology_destroy(struct topology *t)
{
    if (!t)
        return;
    hwloc_topology_destroy(t->hwloc);
    free(t->core);
    free(t);
}

/* ---- what there is ---- */

bool topology_is_this_machine(const struct topology *t)
{
    return hwloc_topology_is_thissystem(t->hwloc) == 1;
}

const struct topology_cache *topology_caches(const struct topology *t, unsigned *n)
{
    *n = t->caches;
    return t->cache;
}

static const struct topology_cache *find_cache(const struct topology *t, unsigned level, bool instruction)
{
    for (unsigned i = 0; i < t->caches; i++)
        if (t->cache[i].level == level && t->cache[i].instruction == instruction)
            return &t->cache[i];
    return NULL;
}

uint64_t topology_data_cache(const struct topology *t, unsigned level)
{
    const struct topology_cache *c = find_cache(t, level, false);
    return c ? c->size : 0;
}

unsigned topology_last_level(const struct topology *t)
{
    unsigned last = 0;
    for (unsigned i = 0; i < t->caches; i++)
        if (!t->cache[i].instruction && t->cache[i].level > last)
            last = t->cache[i].level;
    return last;
}

unsigned topology_line(const struct topology *t)
{
    for (unsigned i = 0; i < t->caches; i++)
        if (!t->cache[i].instruction && t->cache[i].line > 0)
            return t->cache[i].line;
    return 64;
}

static unsigned count_of(const struct topology *t, hwloc_obj_type_t type)
{
    int n = hwloc_get_nbobjs_by_type(t->hwloc, type);
    return n > 0 ? (unsigned)n : 1;
}

unsigned topology_pus(const struct topology *t)
{
    return count_of(t, HWLOC_OBJ_PU);
}

unsigned topology_cores(const struct topology *t)
{
    return count_of(t, core_type(t->hwloc));
}

unsigned topology_packages(const struct topology *t)
{
    return count_of(t, HWLOC_OBJ_PACKAGE);
}

unsigned topology_numa_nodes(const struct topology *t)
{
    return count_of(t, HWLOC_OBJ_NUMANODE);
}

unsigned topology_usable_cores(const struct topology *t)
{
    return t->cores;
}

/* ---- geometry ---- */

static bool power_of_two(uint64_t x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

struct topology_geometry topology_round(uint64_t size, unsigned ways, unsigned line, unsigned level)
{
    struct topology_geometry g = {.size = size, .ways = ways, .line = line};
    g.assumed = ways == 0 || line == 0;
    if (ways == 0)
        g.ways = level <= 1 ? 8 : 16;
    if (!power_of_two(line) || line < 16) /* callgrind takes no others */
        g.line = 64;
    if (size < g.line)
        g.size = g.line;
    uint64_t lines = g.size / g.line;
    if (g.ways > lines)
        g.ways = (unsigned)lines;
    uint64_t sets = lines / g.ways;
    while (!power_of_two(sets))
        sets &= sets - 1;
    g.ways = (unsigned)(lines / sets);
    g.size = sets * g.ways * g.line;
    g.rounded = g.size != size || (ways != 0 && g.ways != ways) || (line != 0 && g.line != line);
    snprintf(g.text, sizeof g.text, "%llu,%u,%u", (unsigned long long)g.size, g.ways, g.line);
    return g;
}

int topology_geometry(const struct topology *t, unsigned level, struct topology_geometry *g, struct error *err)
{
    const struct topology_cache *c = level == TOPOLOGY_INSTRUCTION ? find_cache(t, 1, true)
                                     : level == TOPOLOGY_LAST      ? find_cache(t, topology_last_level(t), false)
                                                                   : find_cache(t, level, false);
    if (!c && level == TOPOLOGY_INSTRUCTION)
        return error_set(err, -ENOENT, "hwloc found no L1 cache for instructions");
    if (!c && level == TOPOLOGY_LAST)
        return error_set(err, -ENOENT, "hwloc found no cache");
    if (!c)
        return error_set(err, -ENOENT, "hwloc found no L%u cache for data", level);
    *g = topology_round(c->size, c->ways, c->line, c->level);
    return 0;
}
