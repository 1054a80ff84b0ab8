/* The machine's limits. What is asserted is that they are there, finite and told with unit and place, and that what is
 * kept is used only when it may be; never how large one is, since any machine may be busy. */
#include "measure/limits.h"
#include "measure/limits_loop.h"

#include "base/file.h"
#include "base/memory.h"
#include "measure/machine.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(limits, .timeout = 300);

#define SHORT 0.1 /* seconds: enough to see that something is measured */

static char folder[FILE_PATH], path[FILE_PATH];

static void clean(void)
{
    file_remove_tree(folder);
}

static void make_folder(void)
{
    struct error err;
    cr_assert(file_temp_dir(folder, "limits-test", &err) == 0, "%s", err.text);
    atexit(clean);
    file_path(path, "%s/machine.json", folder);
}

static json_t *get(bool anew)
{
    json_t *o = NULL;
    struct error err = {""};
    int code = limits_get_within(path, SHORT, anew, true, &o, &err);
    cr_assert(code == 0 && o, "limits_get gives %d: %s", code, err.text);
    return o;
}

static const char *word(const json_t *o, const char *field)
{
    const char *text = json_string_value(json_object_get(o, field));
    return text ? text : "";
}

/* A file that holds made-up limits of this release, so that nothing need be measured to have one. */
static json_t *made_up(json_t *like, double value)
{
    json_t *o = json_deep_copy(like), *rows = json_object_get(o, "limits"), *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        json_object_set_new(row, "value", json_real(value));
        json_object_set_new(row, "reason", json_null());
    }
    return o;
}

static void save(json_t *o)
{
    char *text = json_dumps(o, 0);
    struct error err;
    cr_assert(text && file_write(path, text, strlen(text), &err) == 0, "%s", err.text);
    free(text);
}

Test(limits, each_has_a_value_or_a_reason)
{
    make_folder();
    json_t *o = get(false), *row;
    size_t i, values = 0;
    cr_assert(json_array_size(json_object_get(o, "limits")) > 20, "%zu limits",
              json_array_size(json_object_get(o, "limits")));
    json_array_foreach(json_object_get(o, "limits"), i, row)
    {
        const char *id = word(row, "id");
        double value = limits_value(o, id), low = json_number_value(json_object_get(row, "low")),
               high = json_number_value(json_object_get(row, "high"));
        cr_assert(*id && *word(row, "what") && *word(row, "unit"), "limit %zu lacks id, sentence or unit", i);
        cr_assert(strcmp(word(row, "source"), "measured") == 0, "%s: source %s", id, word(row, "source"));
        cr_assert(limits_row(o, id) == row, "%s stands there twice", id);
        if (isnan(value)) {
            cr_assert(*word(row, "reason"), "%s has no value and no reason", id);
            continue;
        }
        values++;
        cr_assert(!*word(row, "reason"), "%s has a value and a reason: %s", id, word(row, "reason"));
        cr_assert(isfinite(value) && value > 0 && low > 0 && low <= value && value <= high && isfinite(high),
                  "%s: %g, from %g to %g", id, value, low, high);
        cr_assert(*word(row, "place"), "%s: no place", id);
    }
    cr_assert(values > 0, "not one could be measured");
    cr_assert(isnan(limits_value(o, "no-such-limit")) && !limits_row(o, "no-such-limit"), "a limit that is not there");
    cr_assert(isnan(limits_value(NULL, "cas")), "a limit of nothing");
    cr_assert(json_is_null(json_object_get(o, "note")), "a note: %s", word(o, "note"));
    cr_assert(file_exists(path), "nothing was kept");
    json_decref(o);
}

Test(limits, a_loop_runs_or_says_why_not)
{
    static const char *const ids[] = {"flops-portable", "flops-avx2", "flops-avx512", "flops-amx"};
    char reason[200] = "";
    struct limits_loop loop;
    make_folder();
    json_t *o = get(false);
    for (size_t i = 0; i < COUNT(ids); i++) {
        bool there = limits_loop(ids[i], &loop, reason, sizeof reason);
        if (there) {
            cr_assert(loop.run && loop.work > 0, "%s: no loop, or no work", ids[i]);
            loop.run(loop.context, 1000);
        } else {
            cr_assert(*reason && strcmp(reason, word(limits_row(o, ids[i]), "reason")) == 0, "%s: \"%s\", \"%s\"",
                      ids[i], reason, word(limits_row(o, ids[i]), "reason"));
        }
    }
    cr_assert(limits_loop(ids[0], &loop, reason, sizeof reason), "%s: every machine has that", ids[0]);
    cr_assert(!limits_loop("flops", &loop, reason, sizeof reason) && strstr(reason, "no such"), "%s", reason);
    json_decref(o);
}

Test(limits, kept_ones_are_used_until_anew_is_asked_for)
{
    make_folder();
    json_t *first = get(false), *file = made_up(first, 4711), *again, *anew;
    save(file);
    again = get(false);
    cr_assert(limits_value(again, "cas") == 4711, "what was kept was not used: %g", limits_value(again, "cas"));
    cr_assert(json_is_null(json_object_get(again, "note")), "a note: %s", word(again, "note"));
    anew = get(true);
    cr_assert(limits_value(anew, "cas") != 4711, "anew gives what was kept");
    json_decref(again);
    again = get(false);
    cr_assert(json_equal(json_object_get(limits_row(anew, "cas"), "place"),
                         json_object_get(limits_row(again, "cas"), "place")) &&
                  limits_value(again, "cas") != 4711,
              "what was measured anew was not kept");
    json_decref(first);
    json_decref(file);
    json_decref(again);
    json_decref(anew);
}

/* What stands in the file is not used, and the note says so with `words`; what is measured then is kept. */
static void not_used(const char *what, const char *words)
{
    json_t *o = get(false);
    cr_assert(limits_value(o, "cas") != 4711, "%s: its value was used", what);
    cr_assert(strstr(word(o, "note"), words), "%s: the note is \"%s\"", what, word(o, "note"));
    json_decref(o);
    o = get(false);
    cr_assert(json_is_null(json_object_get(o, "note")), "%s: what was measured anew was not kept: %s", what,
              word(o, "note"));
    json_decref(o);
}

Test(limits, of_another_machine_are_not_used)
{
    make_folder();
    json_t *first = get(false), *file = made_up(first, 4711);
    json_object_set_new(file, "fingerprint", json_string("0123456789abcdef"));
    save(file);
    not_used("another fingerprint", "another machine");
    json_decref(file);
    file = made_up(first, 4711);
    json_object_set_new(file, "format", json_integer(999));
    save(file);
    not_used("another format", "another release");
    json_decref(file);
    json_decref(first);
}

Test(limits, damaged_ones_are_not_used)
{
    make_folder();
    struct error err;
    json_t *first = get(false), *file = made_up(first, 4711);
    char *text = json_dumps(file, 0);
    cr_assert(file_write(path, text, strlen(text) / 2, &err) == 0, "%s", err.text);
    not_used("half a file", "damaged");
    json_array_remove(json_object_get(file, "limits"), 3);
    save(file);
    not_used("a limit missing", "damaged");
    cr_assert(file_write(path, "", 0, &err) == 0, "%s", err.text);
    not_used("an empty file", "damaged");
    free(text);
    json_decref(file);
    json_decref(first);
}

Test(limits, are_given_even_where_they_cannot_be_kept)
{
    make_folder();
    struct error err;
    char blocked[FILE_PATH];
    cr_assert(file_write(file_path(blocked, "%s/file", folder), "x", 1, &err) == 0, "%s", err.text);
    file_path(path, "%s/file/machine.json", folder); /* below a file there is no folder */
    json_t *o = get(false);
    cr_assert(strstr(word(o, "note"), "not kept"), "the note is \"%s\"", word(o, "note"));
    cr_assert(*word(limits_row(o, "flush"), "reason"), "a flush was measured where nothing can be written");
    json_decref(o);
}

Test(limits, two_threads_need_two_cores)
{
    make_folder();
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    cr_assert(sched_setaffinity(0, sizeof one, &one) == 0, "can't take one core");
    json_t *o = get(false);
    static const char *const together[] = {"cas-contended", "mutex-contended", "line-round-trip", "line-one-way",
                                           "read-2"};
    for (size_t i = 0; i < COUNT(together); i++) {
        const char *reason = word(limits_row(o, together[i]), "reason");
        cr_assert(isnan(limits_value(o, together[i])) && strstr(reason, "2 cores are needed"), "%s: %g, reason \"%s\"",
                  together[i], limits_value(o, together[i]), reason);
    }
    json_decref(o);
}

Test(limits, nothing_is_measured_by_another_machines_topology)
{
    make_folder();
    setenv("HWLOC_SYNTHETIC", "pack:1 l3:1(size=33554432) core:4 pu:2", 1);
    json_t *o = get(true), *row;
    size_t i;
    json_array_foreach(json_object_get(o, "limits"), i, row)
    {
        cr_assert(json_is_null(json_object_get(row, "value")) && strstr(word(row, "reason"), "another machine's"),
                  "%s has the reason \"%s\"", word(row, "id"), word(row, "reason"));
    }
    cr_assert(!file_exists(path), "it was kept");
    json_decref(o);
}
