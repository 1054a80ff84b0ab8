/* topology.h: caches, cores and places for threads, as hwloc finds them.
 *
 * Sizes come from the caches that are there, and threads are placed by what lies between them ("2 cores sharing L3"),
 * never by CPU numbers: number 1 is the other half of core 0 on one machine and another socket on the next.
 *
 * A *place* is hwloc's logical index of a hardware thread (PU). It means something for the topology it came from only.
 *
 * hwloc's own variables hold: HWLOC_SYNTHETIC and HWLOC_XMLFILE put another machine in the place of this one. Then
 * sizes and places can be looked at, but nothing can be bound, and no figure measured here belongs to that machine.
 *
 * A topology does not change once it is loaded; any thread may read it. Which cores may be used is what the loading
 * thread may use at that moment (cgroup and affinity), so load it on a thread that is not bound.
 */
#ifndef MEASURE_TOPOLOGY_H
#define MEASURE_TOPOLOGY_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct topology;

struct topology_cache {
    unsigned level;
    bool instruction;
    bool fully_associative; /* then `ways` is the number of its lines */
    uint64_t size;          /* bytes, never 0 */
    unsigned line;          /* bytes; 0: unknown */
    unsigned ways;          /* 0: unknown */
    unsigned shared_by;     /* hardware threads under it */
    unsigned count;         /* how many such caches the machine has */
};

/* 0 or -errno. *t is the caller's. */
int topology_load(struct topology **t, struct error *err);
void topology_destroy(struct topology *t); /* NULL is fine */

/* False where another machine's topology was put in place: binding and timing by it make no sense. */
bool topology_is_this_machine(const struct topology *t);

/* Those above the first core that may be used: L1i, L1d, L2, L3 … They belong to t. */
const struct topology_cache *topology_caches(const struct topology *t, unsigned *n);

/* Bytes of the cache for data at that level; 0: there is none. */
uint64_t topology_data_cache(const struct topology *t, unsigned level);
unsigned topology_last_level(const struct topology *t); /* the highest level that holds data; 0: no cache was found */
unsigned topology_line(const struct topology *t);       /* bytes of a cache line; 64 where unknown */

/* What there is, whether or not this process may use it (what a cgroup hides from hwloc is not there). */
unsigned topology_pus(const struct topology *t);
unsigned topology_cores(const struct topology *t);
unsigned topology_packages(const struct topology *t);
unsigned topology_numa_nodes(const struct topology *t);
unsigned topology_usable_cores(const struct topology *t); /* with a hardware thread that this process may run on */

/* ---- places ---- */

#define TOPOLOGY_WORDS 80

/* `threads` places on different cores, as near to each other as possible: the fastest kind of core where there are
 * several kinds and enough of the fastest, then the smallest cache, package or machine that holds so many. words (may
 * be NULL) gets what they share: "2 cores sharing L3", "4 cores of 2 packages". -ENODEV and a sentence where this
 * process may use fewer cores. */
int topology_places(const struct topology *t, unsigned threads, unsigned place[], char *words, size_t size,
                    struct error *err);

enum topology_relation {
    TOPOLOGY_SAME_CORE,     /* two hardware threads of one core */
    TOPOLOGY_SHARED_CACHE,  /* two cores sharing the last-level cache */
    TOPOLOGY_SAME_PACKAGE,  /* two cores of one package, with different last-level caches where there are any */
    TOPOLOGY_OTHER_PACKAGE, /* two cores of different packages */
};

/* 0, or -ENODEV where this process may use no such two. */
int topology_pair(const struct topology *t, enum topology_relation relation, unsigned place[2]);

/* The calling thread runs there and nowhere else from now on; looked up again after it was asked for. -ENOTSUP where
 * the topology is not this machine's. */
int topology_bind(const struct topology *t, unsigned place, struct error *err);

/* ---- geometry for a simulated cache ---- */

/* callgrind takes a number of sets that is a power of two, so what hwloc found is rounded: as many sets as the largest
 * power of two that is not more, the ways that then fit, and the size that this gives (never larger than the real one).
 * It is what callgrind does of its own accord with a last-level cache it finds by itself. */
struct topology_geometry {
    uint64_t size;
    unsigned ways, line;
    bool rounded;  /* differs from the cache that was found */
    bool assumed;  /* ways or line are unknown here: 8 ways at level 1, 16 above, lines of 64 bytes stand in */
    char text[48]; /* "49152,12,64" */
};

#define TOPOLOGY_INSTRUCTION 0
#define TOPOLOGY_LAST        99

/* level: 1, 2, 3 … for data, TOPOLOGY_INSTRUCTION for the L1 of instructions, TOPOLOGY_LAST for the last that holds
 * data. -ENOENT and a sentence where there is no such cache. */
int topology_geometry(const struct topology *t, unsigned level, struct topology_geometry *g, struct error *err);

/* The same rounding for any cache: size > 0, ways and line 0 where unknown. */
struct topology_geometry topology_round(uint64_t size, unsigned ways, unsigned line, unsigned level);

#endif
