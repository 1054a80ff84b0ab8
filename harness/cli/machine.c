/* machine: what this machine is, as far as figures depend on it, and what it can do at best. */
#include "cli/command.h"

#include "base/terminal.h"
#include "base/text.h"
#include "base/version.h"
#include "measure/floor.h"
#include "measure/limits.h"
#include "measure/machine.h"
#include "measure/topology.h"
#include "report/number.h"
#include "report/table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the card ---- */

static long long whole(const json_t *o, const char *field)
{
    return (long long)json_integer_value(json_object_get(o, field));
}

/* A field that is text; where it is null, "n/a" and the reason. */
static void print_fact(const json_t *machine, const char *title, const char *field)
{
    const char *text = json_string_value(json_object_get(machine, field));
    const char *reason = json_string_value(json_object_get(json_object_get(machine, "reasons"), field));
    printf("  %-14s %s%s%s\n", title, text ? text : "n/a", reason ? ": " : "", reason ? reason : "");
}

static void print_cores(const json_t *m)
{
    printf("  %-14s %lld, hardware threads: %lld%s\n", "cores", whole(m, "cores"), whole(m, "hardware_threads"),
           json_is_true(json_object_get(m, "smt")) ? " (SMT)" : "");
    if (whole(m, "usable_cores") < whole(m, "cores"))
        printf("  %-14s this process may use %lld of the cores\n", "", whole(m, "usable_cores"));
    printf("  %-14s %lld, NUMA nodes: %lld\n", "packages", whole(m, "packages"), whole(m, "numa_nodes"));
}

static void print_card(const json_t *m)
{
    const json_t *tsc = json_object_get(m, "tsc");
    const char *topology = json_string_value(json_object_get(m, "topology"));
    printf("%s%s%s\n", terminal_style(STYLE_BOLD), json_string_value(json_object_get(m, "cpu")),
           terminal_style(STYLE_PLAIN));
    if (topology && strcmp(topology, "this machine") != 0)
        printf("%s  The topology (cores, packages, caches) is not this machine's: it is %s.\n"
               "  No thread is bound and nothing is measured by it.%s\n",
               terminal_style(STYLE_WARN), topology, terminal_style(STYLE_PLAIN));
    print_fact(m, "processor", "cpu_id");
    print_fact(m, "virtualised", "virtualised");
    if (topology)
        print_cores(m);
    else
        print_fact(m, "topology", "topology");
    print_fact(m, "governor", "governor");
    print_fact(m, "boost", "boost");
    print_fact(m, "huge pages", "thp");
    print_fact(m, "clock source", "clocksource");
    printf("  %-14s %.1f ns a reading\n", "clock", json_number_value(json_object_get(m, "clock_ns")));
    if (json_is_object(tsc))
        printf("  %-14s %.1f MHz, %s\n", "TSC", json_number_value(json_object_get(tsc, "mhz")),
               json_is_true(json_object_get(tsc, "invariant")) ? "invariant" : "NOT invariant");
    else
        print_fact(m, "TSC", "tsc");
    print_fact(m, "system", "system");
    print_fact(m, "compiler", "compiler");
    print_fact(m, "flags", "flags");
    print_fact(m, "fingerprint", "fingerprint");
}

static void number_or_unknown(struct table *t, unsigned n)
{
    if (n)
        table_cell(t, "%u", n);
    else
        table_cell(t, "unknown");
}

/* The last column is what a simulated cache is given: callgrind takes powers of two of sets only. */
static void print_caches(void)
{
    struct topology *topology;
    unsigned n = 0;
    char bytes[TEXT_NUMBER];
    if (topology_load(&topology, NULL) != 0)
        return; /* the card has said why */
    const struct topology_cache *c = topology_caches(topology, &n);
    struct table *t = table_create();
    table_column(t, "cache", TABLE_LEFT);
    table_column(t, "size", TABLE_RIGHT);
    table_column(t, "line", TABLE_RIGHT);
    table_column(t, "ways", TABLE_RIGHT);
    table_column(t, "threads under it", TABLE_RIGHT);
    table_column(t, "of these", TABLE_RIGHT);
    table_column(t, "simulated as size,ways,line", TABLE_LEFT);
    for (unsigned i = 0; i < n; i++) {
        struct topology_geometry g = topology_round(c[i].size, c[i].ways, c[i].line, c[i].level);
        table_cell(t, "L%u%s", c[i].level, c[i].instruction ? "i" : c[i].level == 1 ? "d" : "");
        table_cell(t, "%s", text_bytes(bytes, (double)c[i].size));
        number_or_unknown(t, c[i].line);
        number_or_unknown(t, c[i].ways);
        table_cell(t, "%u", c[i].shared_by);
        table_cell(t, "%u", c[i].count);
        table_cell(t, "%s%s%s", g.text, g.rounded ? " (rounded)" : "", g.assumed ? " (partly assumed)" : "");
    }
    putchar('\n');
    if (n)
        table_print(stdout, t, 0);
    else
        puts("hwloc found no caches here.");
    table_destroy(t);
    topology_destroy(topology);
}

/* ---- the limits ---- */

/* Three digits: more than that the spread never bears. */
static const char *figure(char out[NUMBER_TEXT], const json_t *o, const char *field)
{
    double value = number_of(json_object_get(o, field));
    return number_text(out, value, value != 0 ? fabs(value) / 10 : 0);
}

static void add_limit(struct table *t, const json_t *o)
{
    char value[NUMBER_TEXT], low[NUMBER_TEXT], high[NUMBER_TEXT];
    const char *reason = json_string_value(json_object_get(o, "reason")),
               *place = json_string_value(json_object_get(o, "place")),
               *how = json_string_value(json_object_get(o, "how"));
    table_cell(t, "%s", json_string_value(json_object_get(o, "id")));
    table_cell(t, "%s", figure(value, o, "value"));
    if (reason)
        table_cell(t, " ");
    else
        table_cell(t, "%s..%s", figure(low, o, "low"), figure(high, o, "high"));
    table_cell(t, "%s", json_string_value(json_object_get(o, "unit")));
    table_cell(t, "%s", reason ? "n/a" : json_string_value(json_object_get(o, "source")));
    if (reason)
        table_cell(t, "%s", reason);
    else
        table_cell(t, "%s%s%s", place ? place : "", place && how ? "; " : "", how ? how : "");
}

/* The reason that all of them share, or NULL: one sentence then says what a table of n/a would. */
static const char *common_reason(const json_t *limits)
{
    const char *common = NULL;
    size_t i;
    json_t *o;
    json_array_foreach(json_object_get(limits, "limits"), i, o)
    {
        const char *reason = json_string_value(json_object_get(o, "reason"));
        if (!reason || (common && strcmp(common, reason) != 0))
            return NULL;
        common = reason;
    }
    return common;
}

static void print_limits(const json_t *limits)
{
    const char *note = json_string_value(json_object_get(limits, "note")), *reason = common_reason(limits);
    if (reason) {
        printf("\nIts limits: n/a: %s.\n", reason);
        return;
    }
    struct table *t = table_create();
    size_t i;
    json_t *o;
    table_column(t, "limit", TABLE_LEFT);
    table_column(t, "value", TABLE_POINT);
    table_column(t, "p10..p90", TABLE_LEFT);
    table_column(t, "unit", TABLE_LEFT);
    table_column(t, "source", TABLE_LEFT);
    table_column(t, "where and how", TABLE_LEFT);
    json_array_foreach(json_object_get(limits, "limits"), i, o)
    {
        add_limit(t, o);
    }
    puts("\nWhat it can do at best, in short chunks timed between the interruptions. value: only a tenth of the chunks "
         "is\nbetter; where two threads want one line, the median. p10..p90: the middle 80 % of the chunks.\n");
    table_print(stdout, t, 0);
    table_destroy(t);
    if (note)
        printf("\n%s\n", note);
}

/* ---- what can be resolved ---- */

/* NaN where nothing can be timed. */
static double print_floor(void)
{
    struct topology *topology;
    struct error err;
    double floor = NAN;
    if (topology_load(&topology, &err) != 0)
        return floor;
    if (!topology_is_this_machine(topology))
        snprintf(err.text, sizeof err.text, "another machine's topology was put in place");
    else if (floor_measure(topology, &floor, &err) == 0)
        printf("\nA/A floor: %.1f %% (two copies of one loop, side by side; smaller differences are never claimed)\n",
               100 * floor);
    if (isnan(floor))
        printf("\nA/A floor: n/a: %s\n", err.text);
    topology_destroy(topology);
    return floor;
}

static json_t *trials_json(const struct floor_trials *t, uint64_t load)
{
    return json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "faultline", version_text, "format", 1,
                     "trials", (json_int_t)t->trials, "busy_threads", (json_int_t)load, "false_claims",
                     (json_int_t)t->false_claims, "found", (json_int_t)t->found, "wrong_way", (json_int_t)t->wrong_way,
                     "planted", t->planted, "worst_aa", t->worst_aa, "median_floor", t->median_floor);
}

/* Does the comparison keep its promises here? Exit code 1 when it does not. */
static enum exit_code run_trials(const struct session *s)
{
    uint64_t trials = 0, load = 0;
    struct topology *topology;
    struct floor_trials t;
    struct error err;
    if (!text_number(s->options.trials, &trials) || trials < 1 || trials > 100000)
        error_exit(EXIT_WRONG_USE, "machine: --trials takes a number from 1 to 100000, not \"%s\"", s->options.trials);
    if (s->options.load && (!text_number(s->options.load, &load) || load > 64))
        error_exit(EXIT_WRONG_USE, "machine: --load takes a number of busy threads from 0 to 64, not \"%s\"",
                   s->options.load);
    if (topology_load(&topology, &err) != 0 ||
        floor_trials(topology, (uint32_t)trials, (unsigned)load, s->options.quiet, &t, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    topology_destroy(topology);
    bool good = t.false_claims <= 0.02 * t.trials && t.found >= 0.9 * t.trials && t.wrong_way == 0;
    printf(
        "%u comparisons of a loop with itself, %llu busy threads beside it: %u claimed a difference (%.1f %%; at most "
        "2 %% is promised); the ratio was at worst %.2f %% off\n",
        t.trials, (unsigned long long)load, t.false_claims, 100.0 * t.false_claims / t.trials, 100 * t.worst_aa);
    printf(
        "%u comparisons with one that does %.0f %% more: %u found it slower (%.1f %%; at least 90 %% is promised), %u "
        "found it faster\nmedian floor: %.1f %%\n",
        t.trials, 100 * t.planted, t.found, 100.0 * t.found / t.trials, t.wrong_way, 100 * t.median_floor);
    if (s->options.json && session_write_json(s->options.json, trials_json(&t, load)) != 0)
        return EXIT_WRONG_USE;
    return good ? EXIT_FINE : EXIT_FAILED;
}

enum exit_code command_machine(struct session *s)
{
    if (s->options.trials)
        return run_trials(s);
    char path[FILE_PATH];
    struct error err;
    json_t *limits, *machine = machine_describe();
    print_card(machine);
    print_caches();
    fflush(stdout);
    file_path(path, "%s/machine.json", s->build);
    int code = limits_get(path, s->options.anew, s->options.quiet, &limits, &err);
    if (code != 0) {
        json_decref(machine);
        error_exit(code == -EINVAL ? EXIT_WRONG_USE : EXIT_CANNOT_TELL, "%s", err.text);
    }
    print_limits(limits);
    double floor = print_floor();
    puts("\nWhat can be counted (faultline counters says how to read it):\n");
    session_print_counters(s);
    enum exit_code end = EXIT_FINE;
    if (s->options.json) {
        json_t *o = json_pack("{s:s, s:i, s:O, s:O, s:O}", "faultline", version_text, "format", 1, "machine", machine,
                              "limits", json_object_get(limits, "limits"), "note", json_object_get(limits, "note"));
        json_object_set_new(o, "floor", isnan(floor) ? json_null() : json_real(floor));
        json_object_set_new(o, "counters", session_counters_json(s));
        end = session_write_json(s->options.json, o) ? EXIT_WRONG_USE : EXIT_FINE;
    }
    json_decref(limits);
    json_decref(machine);
    return end;
}
