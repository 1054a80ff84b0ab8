/* Idea: one JSON object says all that a figure may depend on, and the other two functions work on that object: the
 * fingerprint is a hash of some of its fields, a comparison goes through a list of them. So what is compared is what a
 * reader sees.
 *
 * What it leaves out: what changes while one measures (load, temperature, neighbours on the host). Witnesses of noise
 * stand beside each sample instead.
 */
#include "measure/machine.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "base/version.h"
#include "measure/clock.h"
#include "measure/machine_probe.h"
#include "measure/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- describing ---- */

static void set(json_t *o, const char *field, json_t *value)
{
    json_object_set_new(o, field, value);
}

static void set_unknown(json_t *o, const char *field, const char *why)
{
    json_object_set_new(o, field, json_null());
    json_object_set_new(json_object_get(o, "reasons"), field, json_string(why));
}

static void set_probed(json_t *o, const char *field, bool (*probe)(char *text))
{
    char text[PROBE_TEXT];
    if (probe(text))
        set(o, field, json_string(text));
    else
        set_unknown(o, field, text);
}

static json_t *describe_caches(const struct topology *t)
{
    unsigned n;
    const struct topology_cache *c = topology_caches(t, &n);
    json_t *all = json_array();
    for (unsigned i = 0; i < n; i++) {
        json_t *o = json_object();
        set(o, "level", json_integer(c[i].level));
        set(o, "kind", json_string(c[i].instruction ? "instructions" : c[i].level == 1 ? "data" : "both"));
        set(o, "bytes", json_integer((json_int_t)c[i].size));
        set(o, "line", c[i].line ? json_integer(c[i].line) : json_null());
        set(o, "ways", c[i].ways ? json_integer(c[i].ways) : json_null());
        set(o, "shared_by", json_integer(c[i].shared_by));
        set(o, "count", json_integer(c[i].count));
        json_array_append_new(all, o);
    }
    return all;
}

static const char *topology_words(const struct topology *t)
{
    if (topology_is_this_machine(t))
        return "this machine";
    return getenv("HWLOC_XMLFILE")     ? "another machine's, from HWLOC_XMLFILE"
           : getenv("HWLOC_SYNTHETIC") ? "made up, from HWLOC_SYNTHETIC"
                                       : "another machine's";
}

static void describe_topology(json_t *o)
{
    static const char *const counts[] = {"packages", "numa_nodes", "usable_cores", "smt", "topology", "caches"};
    struct topology *t;
    struct error err;
    if (topology_load(&t, &err) != 0) {
        set(o, "cores", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
        set(o, "hardware_threads", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
        for (size_t i = 0; i < COUNT(counts); i++)
            set_unknown(o, counts[i], err.text);
        return;
    }
    set(o, "topology", json_string(topology_words(t)));
    set(o, "packages", json_integer(topology_packages(t)));
    set(o, "numa_nodes", json_integer(topology_numa_nodes(t)));
    set(o, "cores", json_integer(topology_cores(t)));
    set(o, "usable_cores", json_integer(topology_usable_cores(t)));
    set(o, "hardware_threads", json_integer(topology_pus(t)));
    set(o, "smt", json_boolean(topology_pus(t) > topology_cores(t)));
    set(o, "caches", describe_caches(t));
    topology_destroy(t);
}

static void describe_time(json_t *o)
{
    char text[PROBE_TEXT];
    bool invariant;
    double mhz;
    set_probed(o, "clocksource", probe_clocksource);
    if (probe_tsc(&invariant, &mhz, text))
        set(o, "tsc", json_pack("{s:b, s:f}", "invariant", invariant, "mhz", mhz));
    else
        set_unknown(o, "tsc", text);
    set(o, "clock_ns", json_real(clock_cost_ns()));
}

/* "6.1" of "6.1.0-18-amd64". */
static json_t *kernel_version(const char *release)
{
    size_t n = strspn(release, "0123456789");
    if (release[n] == '.')
        n += 1 + strspn(release + n + 1, "0123456789");
    return json_stringn(release, n);
}

static void describe_build(json_t *o)
{
    size_t flags = strlen(version_flags);
    while (flags && version_flags[flags - 1] == ' ')
        flags--;
    set(o, "compiler", json_string(version_compiler));
    set(o, "flags", json_stringn(version_flags, flags));
    set(o, "found", json_string(version_found));
}

/* ---- the same or another ---- */

static const char *const identity[] = {"cpu",        "cpu_id", "virtualised", "packages", "cores",   "usable_cores",
                                       "numa_nodes", "smt",    "caches",      "kernel",   "topology"};
static const char *const conditions[] = {"compiler", "flags", "clocksource", "governor", "boost", "thp", "threads"};
#define IDENTITY   COUNT(identity)
#define CONDITIONS COUNT(conditions)

/* A value as it stands in the file; the caller's. */
static char *value_text(const json_t *value)
{
    if (json_is_string(value))
        return strdup(json_string_value(value));
    return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
}

static void set_fingerprint(json_t *o)
{
    unsigned long long hash = HASH_START;
    for (size_t i = 0; i < IDENTITY; i++) {
        char *text = value_text(json_object_get(o, identity[i]));
        hash = probe_hash(probe_hash(probe_hash(hash, identity[i]), text ? text : ""), "\n");
        free(text);
    }
    set(o, "fingerprint", json_sprintf("%016llx", hash));
}

json_t *machine_describe(void)
{
    struct utsname system = {.machine = "unknown"};
    char cpu[PROBE_TEXT];
    uname(&system);
    probe_cpu_name(cpu);
    json_t *o = json_object();
    set(o, "reasons", json_object());
    set(o, "cpu", json_string(strcmp(cpu, "unknown") == 0 ? system.machine : cpu));
    set_probed(o, "cpu_id", probe_cpu_id);
    set_probed(o, "virtualised", probe_virtualised);
    describe_topology(o);
    set(o, "threads", json_integer(parallel_threads()));
    set_probed(o, "governor", probe_governor);
    set_probed(o, "boost", probe_boost);
    set_probed(o, "thp", probe_huge_pages);
    describe_time(o);
    set(o, "system", json_sprintf("%s %s %s", system.sysname, system.release, system.machine));
    set(o, "kernel", kernel_version(system.release));
    describe_build(o);
    set_fingerprint(o);
    return o;
}

void machine_fingerprint(char out[MACHINE_FINGERPRINT])
{
    json_t *o = machine_describe();
    const char *text = json_string_value(json_object_get(o, "fingerprint"));
    snprintf(out, MACHINE_FINGERPRINT, "%s", text ? text : "");
    json_decref(o);
}

/* Adds to why what differs in one field. */
static bool same_field(const json_t *was, const json_t *is, const char *field, char *why, size_t size)
{
    const json_t *a = json_object_get(was, field), *b = json_object_get(is, field);
    if (a && b && json_equal(a, b))
        return true;
    size_t used = why && size ? strlen(why) : 0;
    if (!why || used + 1 >= size)
        return false;
    const char *between = used ? "; " : "";
    if (!a || !b) {
        snprintf(why + used, size - used, "%s%s: not known %s", between, field, a ? "now" : "then");
    } else if (json_is_array(a) || json_is_array(b)) {
        snprintf(why + used, size - used, "%s%s: others then than now", between, field);
    } else {
        char *x = value_text(a), *y = value_text(b);
        snprintf(why + used, size - used, "%s%s: %s then, %s now", between, field, x ? x : "?", y ? y : "?");
        free(x);
        free(y);
    }
    return false;
}

bool machine_same(const json_t *was, const json_t *is, char *why, size_t size)
{
    bool same = true;
    if (why && size)
        *why = '\0';
    for (size_t i = 0; i < IDENTITY; i++)
        same &= same_field(was, is, identity[i], why, size);
    for (size_t i = 0; i < CONDITIONS; i++)
        same &= same_field(was, is, conditions[i], why, size);
    return same;
}
