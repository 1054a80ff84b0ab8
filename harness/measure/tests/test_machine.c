/* The machine's description, its fingerprint, and what makes two of them different. */
#include "measure/machine.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(machine, .timeout = 60);

static bool is_member(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

Test(machine, each_field_is_known_or_has_a_reason)
{
    static const char *const fields[] = {"cpu",        "cpu_id", "virtualised",  "topology", "packages",
                                         "numa_nodes", "cores",  "usable_cores", "smt",      "hardware_threads",
                                         "threads",    "caches", "governor",     "boost",    "clocksource",
                                         "tsc",        "thp",    "clock_ns",     "system",   "kernel",
                                         "compiler",   "flags",  "found",        "reasons",  "fingerprint",
                                         NULL};
    json_t *o = machine_describe(), *value;
    const char *name;
    for (const char *const *f = fields; *f; f++) {
        const json_t *v = json_object_get(o, *f);
        const char *reason = json_string_value(json_object_get(json_object_get(o, "reasons"), *f));
        cr_assert(v, "there is no field %s", *f);
        cr_assert(!json_is_null(v) || (reason && *reason), "%s is null, and no reason is given", *f);
        cr_assert(json_is_null(v) || !reason, "%s is known, and the reason why not is: %s", *f, reason ? reason : "");
    }
    json_object_foreach(o, name, value)
    {
        cr_assert(is_member(name, fields), "a field that the header does not know: %s", name);
    }
    cr_assert(json_integer_value(json_object_get(o, "cores")) >= 1, "no core");
    cr_assert(json_integer_value(json_object_get(o, "threads")) >= 1, "no thread");
    cr_assert(json_number_value(json_object_get(o, "clock_ns")) > 0, "a reading of the clock costs nothing");
    json_decref(o);
}

Test(machine, fingerprint_stays_the_same)
{
    char a[MACHINE_FINGERPRINT], b[MACHINE_FINGERPRINT], other[MACHINE_FINGERPRINT];
    machine_fingerprint(a);
    machine_fingerprint(b);
    json_t *o = machine_describe();
    const char *field = json_string_value(json_object_get(o, "fingerprint"));
    cr_assert(strlen(a) >= 16, "it is \"%s\"", a);
    cr_assert(strcmp(a, b) == 0, "%s, then %s", a, b);
    cr_assert(field && strcmp(a, field) == 0, "%s, and in the description %s", a, field ? field : "nothing");
    setenv("HWLOC_SYNTHETIC", "pack:2 core:3 pu:2", 1);
    machine_fingerprint(other);
    cr_assert(strcmp(a, other) != 0, "another topology has the same fingerprint, %s", a);
    json_decref(o);
}

Test(machine, same_as_itself)
{
    json_t *a = machine_describe(), *b = machine_describe();
    char why[400] = "untouched";
    cr_assert(machine_same(a, b, why, sizeof why), "it is not: %s", why);
    cr_assert(*why == '\0', "same, because: %s", why);
    /* What is measured anew each time must not make a difference. */
    json_object_set_new(b, "clock_ns", json_real(1e6));
    json_object_set_new(b, "tsc", json_null());
    cr_assert(machine_same(a, b, NULL, 0), "another cost of the clock makes another machine");
    json_decref(a);
    json_decref(b);
}

static void differs(const char *field, json_t *value, const char *in_words)
{
    json_t *a = machine_describe(), *b = json_deep_copy(a);
    char why[400] = "", little[12];
    if (value)
        json_object_set_new(b, field, value);
    else
        json_object_del(b, field);
    cr_assert(!machine_same(a, b, why, sizeof why), "another %s is not noticed", field);
    cr_assert(strncmp(why, field, strlen(field)) == 0 && strstr(why, in_words), "another %s is told as: %s", field,
              why);
    cr_assert(!machine_same(b, a, little, sizeof little) && strlen(little) < sizeof little, "a short text overflows");
    cr_assert(!machine_same(a, b, NULL, 0), "without a place for words it is the same");
    json_decref(a);
    json_decref(b);
}

Test(machine, differences_are_named)
{
    differs("cpu", json_string("Z80"), "Z80 now");
    differs("cores", json_integer(4711), "4711 now");
    differs("flags", json_string("-O9"), "-O9 now");
    differs("caches", json_array(), "others then than now");
    differs("governor", json_string("powersave-for-a-test"), "powersave-for-a-test now");
    differs("virtualised", json_string("on-mars"), "on-mars now");
    differs("kernel", json_string("0.1"), "0.1 now");
    differs("thp", NULL, "not known now");
}

Test(machine, several_differences_are_all_named)
{
    json_t *a = machine_describe(), *b = json_deep_copy(a);
    char why[400];
    json_object_set_new(b, "cpu", json_string("Z80"));
    json_object_set_new(b, "flags", json_string("-O9"));
    cr_assert(!machine_same(a, b, why, sizeof why) && strstr(why, "cpu: ") && strstr(why, "; flags: "), "%s", why);
    json_decref(a);
    json_decref(b);
}

Test(machine, tells_nobody_whose_it_is)
{
    char host[256] = "";
    json_t *o = machine_describe();
    char *text = json_dumps(o, 0);
    gethostname(host, sizeof host - 1);
    /* A host name of a few letters, or "localhost", could stand in any text. */
    cr_assert(text && (strlen(host) < 6 || strcmp(host, "localhost") == 0 || !strstr(text, host)),
              "the name %s is in the description", host);
    free(text);
    json_decref(o);
}

Test(machine, another_machines_topology_is_called_that)
{
    setenv("HWLOC_SYNTHETIC", "pack:2 core:3 pu:2", 1);
    json_t *o = machine_describe();
    const char *topology = json_string_value(json_object_get(o, "topology"));
    cr_assert(topology && strstr(topology, "HWLOC_SYNTHETIC"), "the topology is: %s", topology ? topology : "nothing");
    cr_assert(json_integer_value(json_object_get(o, "cores")) == 6 && json_is_true(json_object_get(o, "smt")),
              "%lld cores", (long long)json_integer_value(json_object_get(o, "cores")));
    json_decref(o);
}

Test(machine, is_described_even_where_hwloc_fails)
{
    setenv("HWLOC_XMLFILE", "/nowhere/at/all.xml", 1);
    json_t *o = machine_describe();
    const char *reason = json_string_value(json_object_get(json_object_get(o, "reasons"), "caches"));
    cr_assert(json_integer_value(json_object_get(o, "cores")) >= 1, "no core");
    cr_assert(json_is_null(json_object_get(o, "caches")) && reason && strstr(reason, "HWLOC_XMLFILE"),
              "the reason is: %s", reason ? reason : "nothing");
    json_decref(o);
}
