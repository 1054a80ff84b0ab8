/* Against an earlier result: what became dearer?
 *
 * Two runs on different days are not a comparison (compare.h says why), so a baseline is asked for what it can answer.
 * Counts that hardly change from run to run (simulated ones, bytes) are compared as they are, and 2 % more is a
 * regression, if it is more than the allocator and a stray miss make.
 * Times are first divided by the time of the yardstick, a loop that both runs timed beside the entry, which takes out
 * the clock speed of the day; what is left between two runs of the same code was seen to differ by several per cent, so
 * a regression is only claimed when the intervals lie apart by more than that, and "cannot tell" where the intervals are
 * too wide to exclude one. For a finer answer, build the old version as a plugin and time both in one run (PLUGIN=).
 *
 * A baseline of another machine says nothing about time, and is refused for it; counts are still compared when compiler,
 * flags and simulated caches are the same.
 */
#include "cost/internal.h"

#include "base/memory.h"
#include "measure/machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MARGIN 0.02
#define TIME_MARGIN  0.10 /* between two runs of the same code, after the yardstick */
#define TIME_WIDE    0.30 /* a slow-down of so much must be excluded, else it is "cannot tell" */

static const char *text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s ? s : "";
}

static double number(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

json_t *cost_read_baseline(const char *path, const char *lab)
{
    json_error_t where;
    json_t *json = json_load_file(path, 0, &where);
    if (!json)
        error_exit(EXIT_WRONG_USE, "%s: line %d: %s (a baseline is a result of make bench JSON=file)", path, where.line,
                   where.text);
    if (json_integer_value(json_object_get(json, "format")) != 1 || !json_is_array(json_object_get(json, "rows")) ||
        !json_is_array(json_object_get(json, "groups")))
        error_exit(EXIT_WRONG_USE, "%s: is no result of make bench, format 1 (\"rows\" and \"groups\" are missing)",
                   path);
    if (strncmp(text(json, "lab"), lab, strlen(text(json, "lab"))) != 0 || !*text(json, "lab"))
        error_exit(EXIT_WRONG_USE, "%s: is a result of lab %s", path, text(json, "lab"));
    return json;
}

static bool same_cell(const json_t *a, const json_t *b)
{
    return strcmp(text(a, "operation"), text(b, "operation")) == 0 && strcmp(text(a, "state"), text(b, "state")) == 0 &&
           number(a, "size") == number(b, "size") && number(a, "threads") == number(b, "threads");
}

static const json_t *find_row(const json_t *rows, const json_t *like)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (same_cell(row, like) && strcmp(text(row, "entry"), text(like, "entry")) == 0 &&
            strcmp(text(row, "metric"), text(like, "metric")) == 0 &&
            strcmp(text(row, "source"), text(like, "source")) == 0)
            return row;
    }
    return NULL;
}

static double of_group(const json_t *result, const json_t *row, const char *name)
{
    size_t i;
    json_t *group;
    json_array_foreach(json_object_get(result, "groups"), i, group)
    {
        if (same_cell(group, row))
            return number(group, name);
    }
    return NAN;
}

struct finding {
    const char *verdict;
    double ratio;
    const char *reason;
};

/* A count of an operation may differ by so much without a change of the code: by where the allocator happened to put
 * things, and by how many misses there are at all where there are next to none. */
static double slack_of(const char *metric)
{
    return strcmp(metric, "bytes") == 0 ? 64 : strstr(metric, "misses") ? 0.05 : 0.5;
}

static struct finding compare_counts(const char *metric, double before, double now, bool same_selection)
{
    const double ratio = before > 0 ? now / before : NAN, least = slack_of(metric);
    const bool more = now > before * (1 + COUNT_MARGIN) && now > before + least,
               less = now < before * (1 - COUNT_MARGIN) && now < before - least;
    /* What else is in memory moves these; instructions are the entry's own. */
    if ((more || less) && !same_selection && strcmp(metric, "instructions") != 0)
        return (struct finding){"cannot tell", ratio,
                                "the baseline is of another selection of entries, sizes or threads: ask for the same"};
    return (struct finding){more ? "regressed" : less ? "better" : "same", ratio, ""};
}

/* Have both results the same cells? */
static bool same_selection(const json_t *a, const json_t *b)
{
    const json_t *all[2] = {json_object_get(a, "rows"), json_object_get(b, "rows")};
    for (int k = 0; k < 2; k++) {
        size_t i;
        json_t *row;
        json_array_foreach(all[k], i, row)
        {
            if (strcmp(text(row, "metric"), "instructions") == 0 && !find_row(all[1 - k], row))
                return false;
        }
    }
    return true;
}

static struct finding compare_times(const json_t *before, const json_t *old, const json_t *now, const json_t *row)
{
    double stick_before = of_group(before, old, "yardstick_ns"), stick_now = of_group(now, row, "yardstick_ns");
    double ratio = number(row, "value") / stick_now / (number(old, "value") / stick_before);
    double least = number(row, "low") / stick_now / (number(old, "high") / stick_before);
    double most = number(row, "high") / stick_now / (number(old, "low") / stick_before);
    if (!isfinite(ratio) || !isfinite(least) || !isfinite(most))
        return (struct finding){"cannot tell", ratio, "a time, an interval or the yardstick is missing"};
    if (least > 1 + TIME_MARGIN)
        return (struct finding){"regressed", ratio, ""};
    if (most < 1 / (1 + TIME_MARGIN))
        return (struct finding){"better", ratio, ""};
    if (most > 1 + TIME_WIDE)
        return (struct finding){"cannot tell", ratio,
                                "the intervals are too wide: run again with more rounds, or on a quieter machine"};
    return (struct finding){"same", ratio, ""};
}

static bool is_exact(const json_t *row)
{
    return strcmp(text(row, "source"), "simulated") == 0 || strcmp(text(row, "source"), "counted") == 0;
}

/* Counts depend on the compiler and what it was told, and misses on the caches that were simulated. */
static bool same_build(const json_t *a, const json_t *b)
{
    const json_t *ma = json_object_get(a, "machine"), *mb = json_object_get(b, "machine");
    return strcmp(text(ma, "compiler"), text(mb, "compiler")) == 0 &&
           strcmp(text(ma, "flags"), text(mb, "flags")) == 0 &&
           strcmp(text(a, "simulated_caches"), text(b, "simulated_caches")) == 0;
}

static void add_finding(json_t *rows, const json_t *row, const json_t *old, const struct finding *f)
{
    json_t *o = json_object();
    static const char *const copied[] = {"entry", "operation", "size", "threads", "state", "metric", "unit", "source"};
    for (size_t i = 0; i < COUNT(copied); i++)
        json_object_set(o, copied[i], json_object_get(row, copied[i]));
    json_object_set(o, "before", json_object_get(old, "value"));
    json_object_set(o, "now", json_object_get(row, "value"));
    json_object_set_new(o, "ratio", isfinite(f->ratio) ? json_real(f->ratio) : json_null());
    json_object_set_new(o, "verdict", json_string(f->verdict));
    json_object_set_new(o, "reason", json_string(f->reason));
    json_array_append_new(rows, o);
}

int cost_compare_baseline(const char *path, const json_t *now, json_t **found)
{
    json_t *before = cost_read_baseline(path, text(now, "lab")), *rows = json_array(), *row;
    char why[300] = "";
    bool machine = machine_same(json_object_get(before, "machine"), json_object_get(now, "machine"), why, sizeof why);
    bool build = same_build(before, now), selection = same_selection(before, now);
    unsigned regressed = 0, unknown = 0, compared = 0;
    size_t i;
    json_array_foreach(json_object_get(now, "rows"), i, row)
    {
        const json_t *old = find_row(json_object_get(before, "rows"), row);
        bool time = strcmp(text(row, "metric"), "time") == 0;
        struct finding f;
        if (!old || !json_object_get(row, "value") || !json_object_get(old, "value"))
            continue;
        if (time && machine)
            f = compare_times(before, old, now, row);
        else if (is_exact(row) && build)
            f = compare_counts(text(row, "metric"), number(old, "value"), number(row, "value"), selection);
        else
            continue;
        compared++;
        regressed += strcmp(f.verdict, "regressed") == 0;
        unknown += strcmp(f.verdict, "cannot tell") == 0;
        add_finding(rows, row, old, &f);
    }
    *found = json_pack("{s:s, s:b, s:s, s:b, s:i, s:i, s:i, s:o}", "file", path, "same_machine", machine, "why", why,
                       "same_build", build, "compared", (int)compared, "regressed", (int)regressed, "cannot_tell",
                       (int)unknown, "rows", rows);
    json_decref(before);
    return regressed ? EXIT_FAILED : unknown || !machine || compared == 0 ? EXIT_CANNOT_TELL : EXIT_FINE;
}
