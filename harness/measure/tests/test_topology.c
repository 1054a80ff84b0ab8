/* Topologies: this machine's, made up ones (HWLOC_SYNTHETIC), and one of a file that hwloc exported (fifteen_ways.xml:
 * two cores with two hardware threads each, and an L3 of 15 ways and 114,688 sets, a number that is no power of two).
 * Each test is a process of its own, so what it sets in the environment stays there. */
#include "base/memory.h"
#include "measure/topology.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(topology, .timeout = 60);

static struct topology *load(void)
{
    struct topology *t = NULL;
    struct error err = {""};
    int code = topology_load(&t, &err);
    cr_assert(code == 0, "topology_load gives %d: %s", code, err.text);
    return t;
}

static struct topology *made_up(const char *description)
{
    unsetenv("HWLOC_XMLFILE");
    setenv("HWLOC_SYNTHETIC", description, 1);
    struct topology *t = load();
    cr_assert(!topology_is_this_machine(t), "%s counts as this machine", description);
    return t;
}

static struct topology *fifteen_ways(void)
{
    setenv("HWLOC_XMLFILE", "harness/measure/tests/fifteen_ways.xml", 1);
    return load();
}

/* ---- this machine ---- */

Test(topology, this_machine_is_loaded)
{
    struct topology *t = load();
    unsigned n, cores = topology_cores(t), pus = topology_pus(t), usable = topology_usable_cores(t);
    const struct topology_cache *c = topology_caches(t, &n);
    cr_assert(topology_is_this_machine(t), "this machine is not this machine");
    cr_assert(cores >= 1 && pus >= cores, "%u cores, %u hardware threads", cores, pus);
    cr_assert(usable >= 1 && usable <= cores, "%u usable cores of %u", usable, cores);
    cr_assert(topology_packages(t) >= 1 && topology_numa_nodes(t) >= 1, "%u packages, %u NUMA nodes",
              topology_packages(t), topology_numa_nodes(t));
    cr_assert(topology_line(t) >= 16, "a line of %u bytes", topology_line(t));
    for (unsigned i = 0; i < n; i++)
        cr_assert(c[i].size > 0 && c[i].level >= 1 && c[i].shared_by >= 1 && c[i].count >= 1,
                  "cache %u: L%u, %llu bytes, shared by %u, %u of them", i, c[i].level, (unsigned long long)c[i].size,
                  c[i].shared_by, c[i].count);
    for (unsigned i = 1; i < n; i++)
        cr_assert(c[i].level >= c[i - 1].level, "L%u comes after L%u", c[i].level, c[i - 1].level);
    topology_destroy(t);
}

struct binding {
    struct topology *topology;
    unsigned place;
    int code;
    struct error err;
    cpu_set_t set;
};

static void *bind_and_look(void *argument)
{
    struct binding *b = argument;
    b->code = topology_bind(b->topology, b->place, &b->err);
    sched_getaffinity(0, sizeof b->set, &b->set);
    return NULL;
}

Test(topology, a_bound_thread_has_one_place_to_run)
{
    struct binding b = {.topology = load()};
    cpu_set_t before, after;
    pthread_t thread;
    sched_getaffinity(0, sizeof before, &before);
    cr_assert(topology_places(b.topology, 1, &b.place, NULL, 0, NULL) == 0, "there is no place for one thread");
    cr_assert(pthread_create(&thread, NULL, bind_and_look, &b) == 0, "no thread");
    pthread_join(thread, NULL);
    cr_assert(b.code == 0, "topology_bind gives %d: %s", b.code, b.err.text);
    cr_assert(CPU_COUNT(&b.set) == 1, "the bound thread may run on %d", CPU_COUNT(&b.set));
    sched_getaffinity(0, sizeof after, &after);
    cr_assert(CPU_EQUAL(&before, &after), "the thread that did not ask was bound too");
    topology_destroy(b.topology);
}

Test(topology, affinity_of_the_process_is_respected)
{
    cpu_set_t all, one;
    unsigned place[2];
    struct error err;
    CPU_ZERO(&one);
    sched_getaffinity(0, sizeof all, &all);
    size_t last = CPU_SETSIZE - 1;
    while (last > 0 && !CPU_ISSET(last, &all))
        last--;
    CPU_SET(last, &one);
    cr_assert(sched_setaffinity(0, sizeof one, &one) == 0, "can't bind the process to %zu", last);
    struct topology *t = load();
    cr_assert(topology_usable_cores(t) == 1, "%u usable cores under an affinity of one", topology_usable_cores(t));
    cr_assert(topology_places(t, 2, place, NULL, 0, &err) == -ENODEV, "two places, where one core may be used");
    cr_assert(strstr(err.text, "may use 1"), "it says: %s", err.text);
    cr_assert(topology_places(t, 1, place, NULL, 0, &err) == 0, "no place: %s", err.text);
    cr_assert(topology_bind(t, place[0], &err) == 0, "can't bind to the one place: %s", err.text);
    topology_destroy(t);
}

/* ---- places ---- */

static void places_are(const char *description, unsigned threads, const char *words, unsigned first, unsigned second)
{
    struct topology *t = made_up(description);
    unsigned place[64];
    char said[TOPOLOGY_WORDS] = "";
    struct error err = {""};
    int code = topology_places(t, threads, place, said, sizeof said, &err);
    cr_assert(code == 0, "%s, %u threads: %d, %s", description, threads, code, err.text);
    cr_assert(strcmp(said, words) == 0, "%s, %u threads: \"%s\", not \"%s\"", description, threads, said, words);
    cr_assert(place[0] == first && (threads < 2 || place[1] == second),
              "%s, %u threads: places %u and %u, not %u and %u", description, threads, place[0], place[1], first,
              second);
    topology_destroy(t);
}

Test(topology, places_are_as_near_as_can_be)
{
    places_are("pack:2 l3:2(size=33554432) core:2 pu:2", 1, "1 core", 0, 0);
    places_are("pack:2 l3:2(size=33554432) core:2 pu:2", 2, "2 cores sharing L3", 0, 2);
    places_are("pack:2 l3:2(size=33554432) core:2 pu:2", 3, "3 cores of one package", 0, 2);
    places_are("pack:2 l3:2(size=33554432) core:2 pu:2", 5, "5 cores of 2 packages", 0, 2);
    places_are("pack:2 core:1 pu:2", 2, "2 cores of 2 packages", 0, 2);
    places_are("pack:1 l2:2(size=1048576) core:2 pu:1", 2, "2 cores sharing L2", 0, 1);
    places_are("pack:1 l2:2(size=1048576) core:2 pu:1", 3, "3 cores of one package", 0, 1);
    places_are("pack:1 core:4 pu:1", 4, "4 cores of one package", 0, 1);
    places_are("pu:4", 2, "2 cores of one package", 0, 1); /* hwloc knows no cores: hardware threads stand for them */
}

Test(topology, one_core_has_no_place_for_two_threads)
{
    struct topology *t = made_up("pack:1 l3:1(size=8388608) core:1 pu:2");
    unsigned place[2] = {7, 7};
    struct error err = {""};
    int code = topology_places(t, 2, place, NULL, 0, &err);
    cr_assert(code == -ENODEV, "it gives %d", code);
    cr_assert(strstr(err.text, "2 cores") && strstr(err.text, "1"), "it says: %s", err.text);
    cr_assert(topology_places(t, 0, place, NULL, 0, &err) == -EINVAL, "places for no thread");
    topology_destroy(t);
}

static void pair_is(const char *description, enum topology_relation relation, int code, unsigned first, unsigned second)
{
    struct topology *t = made_up(description);
    unsigned place[2] = {99, 99};
    int got = topology_pair(t, relation, place);
    cr_assert(got == code, "%s, relation %d: %d, not %d", description, relation, got, code);
    cr_assert(code || (place[0] == first && place[1] == second), "%s, relation %d: places %u and %u, not %u and %u",
              description, relation, place[0], place[1], first, second);
    topology_destroy(t);
}

Test(topology, pairs_by_what_lies_between_them)
{
    const char *two = "pack:2 l3:2(size=33554432) core:2 pu:2", *plain = "pack:1 core:2 pu:1";
    pair_is(two, TOPOLOGY_SAME_CORE, 0, 0, 1);
    pair_is(two, TOPOLOGY_SHARED_CACHE, 0, 0, 2);
    pair_is(two, TOPOLOGY_SAME_PACKAGE, 0, 0, 4); /* of the other L3 */
    pair_is(two, TOPOLOGY_OTHER_PACKAGE, 0, 0, 8);
    pair_is(plain, TOPOLOGY_SAME_CORE, -ENODEV, 0, 0);
    pair_is(plain, TOPOLOGY_SHARED_CACHE, -ENODEV, 0, 0);
    pair_is(plain, TOPOLOGY_SAME_PACKAGE, 0, 0, 1);
    pair_is(plain, TOPOLOGY_OTHER_PACKAGE, -ENODEV, 0, 0);
    pair_is("pack:1 l3:1(size=33554432) core:2 pu:1", TOPOLOGY_SAME_PACKAGE, 0, 0, 1); /* there is one L3 only */
}

Test(topology, nothing_is_bound_by_another_machines_topology)
{
    struct topology *t = made_up("pack:1 core:2 pu:1");
    struct error err = {""};
    int code = topology_bind(t, 0, &err);
    cr_assert(code == -ENOTSUP, "it gives %d: %s", code, err.text);
    cr_assert(strstr(err.text, "not this machine's"), "it says: %s", err.text);
    topology_destroy(t);
}

/* ---- caches ---- */

Test(topology, what_a_made_up_machine_has)
{
    struct topology *t = made_up("pack:2 [numa(memory=1GB)] l3:1(size=33554432) core:4 l2:1(size=1048576) "
                                 "l1d:1(size=32768) pu:2");
    unsigned n;
    const struct topology_cache *c = topology_caches(t, &n);
    cr_assert(topology_packages(t) == 2 && topology_numa_nodes(t) == 2 && topology_cores(t) == 8 &&
                  topology_pus(t) == 16,
              "%u packages, %u NUMA nodes, %u cores, %u threads", topology_packages(t), topology_numa_nodes(t),
              topology_cores(t), topology_pus(t));
    cr_assert(n == 3 && c[0].level == 1 && c[1].level == 2 && c[2].level == 3, "%u caches, the first L%u", n,
              c[0].level);
    cr_assert(c[0].shared_by == 2 && c[0].count == 8 && c[2].shared_by == 8 && c[2].count == 2,
              "L1 under %u threads, %u times; L3 under %u, %u times", c[0].shared_by, c[0].count, c[2].shared_by,
              c[2].count);
    cr_assert(topology_data_cache(t, 2) == 1048576 && topology_data_cache(t, 4) == 0, "L2 of %llu, L4 of %llu",
              (unsigned long long)topology_data_cache(t, 2), (unsigned long long)topology_data_cache(t, 4));
    cr_assert(topology_last_level(t) == 3, "the last level is %u", topology_last_level(t));
    topology_destroy(t);
}

Test(topology, no_cache_is_said_and_not_guessed)
{
    struct topology *t = made_up("pack:1 core:2 pu:1");
    struct topology_geometry g;
    unsigned n;
    struct error err = {""};
    const unsigned levels[] = {TOPOLOGY_INSTRUCTION, 1, 2, 3, TOPOLOGY_LAST};
    topology_caches(t, &n);
    cr_assert(n == 0 && topology_last_level(t) == 0 && topology_line(t) == 64, "%u caches, last level %u, line %u", n,
              topology_last_level(t), topology_line(t));
    for (size_t i = 0; i < COUNT(levels); i++) {
        int code = topology_geometry(t, levels[i], &g, &err);
        cr_assert(code == -ENOENT && *err.text, "level %u: %d, \"%s\"", levels[i], code, err.text);
    }
    topology_destroy(t);
}

Test(topology, ways_that_are_unknown_divide_nothing)
{
    struct topology *t = made_up("pack:1 l2:1(size=1048576) core:2 l1d:1(size=32768) pu:1");
    struct topology_geometry g;
    unsigned n;
    const struct topology_cache *c = topology_caches(t, &n);
    cr_assert(n == 2 && c[0].ways == 0, "%u caches, %u ways", n, n ? c[0].ways : 0);
    cr_assert(topology_geometry(t, 1, &g, NULL) == 0 && g.assumed && strcmp(g.text, "32768,8,64") == 0, "L1: %s",
              g.text);
    cr_assert(topology_geometry(t, TOPOLOGY_LAST, &g, NULL) == 0 && strcmp(g.text, "1048576,16,64") == 0, "L2: %s",
              g.text);
    topology_destroy(t);
}

Test(topology, a_file_of_another_machine)
{
    struct topology *t = fifteen_ways();
    struct topology_geometry g;
    unsigned n, place[2];
    char words[TOPOLOGY_WORDS];
    struct error err;
    const struct topology_cache *c = topology_caches(t, &n);
    cr_assert(!topology_is_this_machine(t), "it counts as this machine");
    cr_assert(n == 4 && c[0].instruction && !c[1].instruction && c[3].ways == 15, "%u caches, the last of %u ways", n,
              n ? c[n - 1].ways : 0);
    cr_assert(topology_geometry(t, TOPOLOGY_LAST, &g, &err) == 0, "%s", err.text);
    cr_assert(strcmp(g.text, "109051904,26,64") == 0 && g.rounded && !g.assumed, "L3: %s", g.text);
    cr_assert(topology_geometry(t, TOPOLOGY_INSTRUCTION, &g, &err) == 0 && strcmp(g.text, "32768,8,64") == 0, "L1i: %s",
              g.text);
    cr_assert(topology_geometry(t, 1, &g, &err) == 0 && strcmp(g.text, "49152,12,64") == 0 && !g.rounded, "L1d: %s",
              g.text);
    /* Its second hardware thread is number 2 to the system, as Linux likes to count them; hwloc's place is 1. */
    cr_assert(topology_pair(t, TOPOLOGY_SAME_CORE, place) == 0 && place[0] == 0 && place[1] == 1, "places %u, %u",
              place[0], place[1]);
    cr_assert(topology_places(t, 2, place, words, sizeof words, &err) == 0 &&
                  strcmp(words, "2 cores sharing L3") == 0 && place[1] == 2,
              "%s: places %u, %u", words, place[0], place[1]);
    topology_destroy(t);
}

Test(topology, what_hwloc_cannot_use_is_no_machine)
{
    struct topology *t = NULL;
    struct error err = {""};
    setenv("HWLOC_XMLFILE", "/nowhere/at/all.xml", 1);
    cr_assert(topology_load(&t, &err) == -EINVAL, "a file that is not there was loaded");
    cr_assert(strstr(err.text, "HWLOC_XMLFILE"), "it says: %s", err.text);
    unsetenv("HWLOC_XMLFILE");
    setenv("HWLOC_SYNTHETIC", "nonsense", 1);
    cr_assert(topology_load(&t, &err) == -EINVAL, "nonsense was loaded");
    cr_assert(strstr(err.text, "HWLOC_SYNTHETIC"), "it says: %s", err.text);
}

/* ---- rounding ---- */

static void rounds_to(uint64_t size, unsigned ways, unsigned line, unsigned level, const char *text, bool rounded)
{
    struct topology_geometry g = topology_round(size, ways, line, level);
    cr_assert(strcmp(g.text, text) == 0, "%llu,%u,%u becomes %s, not %s", (unsigned long long)size, ways, line, g.text,
              text);
    cr_assert(g.rounded == rounded, "%llu,%u,%u: rounded is %d", (unsigned long long)size, ways, line, g.rounded);
}

Test(topology, geometry_is_rounded_as_callgrind_needs_it)
{
    rounds_to(32768, 8, 64, 1, "32768,8,64", false);
    rounds_to(49152, 12, 64, 1, "49152,12,64", false);
    rounds_to(2097152, 16, 64, 2, "2097152,16,64", false);
    rounds_to(110100480, 15, 64, 3, "109051904,26,64", true); /* as valgrind 3.19 rounds it when it finds it itself */
    rounds_to(503316480, 16, 64, 3, "503316480,30,64", true);
    rounds_to(65536, 1024, 64, 1, "65536,1024,64", false); /* fully associative: one set */
    rounds_to(65536, 4096, 64, 1, "65536,1024,64", true);  /* more ways than lines */
    rounds_to(32768, 0, 0, 1, "32768,8,64", false);
    rounds_to(1048576, 0, 64, 2, "1048576,16,64", false);
    rounds_to(32768, 8, 48, 1, "32768,8,64", true); /* callgrind takes lines of a power of two */
    rounds_to(10, 1, 64, 1, "64,1,64", true);
}

Test(topology, rounding_keeps_sets_a_power_of_two_and_most_of_the_size)
{
    for (uint64_t size = 1024; size < (uint64_t)1 << 31; size += size / 3 + 64)
        for (unsigned ways = 0; ways <= 33; ways++)
            for (unsigned line = 32; line <= 256; line *= 2) {
                struct topology_geometry g = topology_round(size, ways, line, 3);
                uint64_t sets = g.size / ((uint64_t)g.ways * g.line);
                cr_assert(g.ways >= 1 && sets >= 1 && (sets & (sets - 1)) == 0 && sets * g.ways * g.line == g.size,
                          "%llu,%u,%u becomes %s: %llu sets", (unsigned long long)size, ways, line, g.text,
                          (unsigned long long)sets);
                cr_assert(g.size <= size && 2 * g.size > size, "%llu,%u,%u becomes %s", (unsigned long long)size, ways,
                          line, g.text);
            }
}
