/* topology_tree.h: what topology.c found and topology_places.c chooses from. For these two files only. */
#ifndef MEASURE_TOPOLOGY_TREE_H
#define MEASURE_TOPOLOGY_TREE_H

#include "measure/topology.h"

#include <hwloc.h>

#define TOPOLOGY_CACHES   16
#define TOPOLOGY_NO_PLACE UINT32_MAX

struct topology_core {
    hwloc_obj_t object;
    unsigned place, second; /* its first two hardware threads that may be used; TOPOLOGY_NO_PLACE: none */
    int kind;               /* larger: faster */
};

struct topology {
    hwloc_topology_t hwloc;
    struct topology_core *core; /* those that may be used; the fastest kind first, else in hwloc's order */
    unsigned cores;
    unsigned fastest; /* how many of them are of the fastest kind */
    struct topology_cache cache[TOPOLOGY_CACHES];
    unsigned caches;
};

#endif
