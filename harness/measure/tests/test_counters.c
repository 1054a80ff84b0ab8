/* The chain of providers, with fakes that behave as machines do: no PMU, a refused event, two that do not fit together,
 * one that never moves, one that works. And the real PAPI of whatever machine this runs on, which must be honest. */
#include "measure/counters.h"
#include "measure/region.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(counters, .timeout = 60);

/* ---- fakes ---- */

enum behaviour { ABSENT, REFUSED, SILENT, WORKS };

static enum behaviour behaviour[COUNTERS];
static unsigned room; /* events that fit into one set */
static unsigned started;

struct fake {
    unsigned n;
    enum counter_id id[COUNTERS];
};

static void *fake_open(void)
{
    return calloc(1, sizeof(struct fake));
}

static int fake_add(void *set, enum counter_id id, char *reason, size_t size)
{
    struct fake *f = set;
    if (behaviour[id] == ABSENT || behaviour[id] == REFUSED) {
        snprintf(reason, size, behaviour[id] == ABSENT ? "no PMU" : "refused");
        return behaviour[id] == ABSENT ? -ENOENT : -EACCES;
    }
    if (f->n == room) {
        snprintf(reason, size, "does not fit");
        return -EBUSY;
    }
    f->id[f->n++] = id;
    return 0;
}

static int fake_start(void *set)
{
    (void)set;
    started++;
    return 0;
}

static int fake_stop(void *set, int64_t value[COUNTERS])
{
    const struct fake *f = set;
    for (unsigned i = 0; i < f->n; i++)
        value[f->id[i]] = behaviour[f->id[i]] == SILENT ? 0 : 1000 + (int64_t)f->id[i];
    return 0;
}

static const struct counter_provider fake_hardware = {"fake",     SOURCE_HARDWARE, fake_open, fake_add,
                                                      fake_start, fake_stop,       free};
static const struct counter_provider *const fake_chain[] = {&fake_hardware, &counter_rusage, NULL};

static struct counters *plan_with(enum counter_mode mode, enum behaviour all, unsigned fit)
{
    struct counters *c;
    for (int id = 0; id < COUNTERS; id++)
        behaviour[id] = all;
    room = fit;
    cr_assert(counters_plan(mode, fake_chain, &c) == 0, "the plan can be made");
    return c;
}

Test(counters, absent_hardware_says_so)
{
    struct counters *c = plan_with(COUNT_AUTO, ABSENT, 4);
    const struct counter_choice *i = counters_choice(c, COUNTER_INSTRUCTIONS);
    cr_assert(i->source == SOURCE_NONE && i->provider == NULL, "nothing counts instructions");
    cr_assert(strstr(i->reason, "hardware: no PMU"), "the reason names source and cause: \"%s\"", i->reason);
    cr_assert(counters_simulate(c, COUNTER_INSTRUCTIONS), "so they are to be simulated");
    cr_assert(!counters_simulate(c, COUNTER_TLB_MISSES), "callgrind has no TLB");
    const struct counter_choice *v = counters_choice(c, COUNTER_VOLUNTARY);
    cr_assert(v->source == SOURCE_SOFTWARE && v->provider == &counter_rusage, "switches come from getrusage");
    counters_destroy(c);
}

Test(counters, refusal_is_told_from_absence)
{
    struct counters *c = plan_with(COUNT_AUTO, REFUSED, 4);
    cr_assert(strstr(counters_choice(c, COUNTER_CYCLES)->reason, "refused"), "got \"%s\"",
              counters_choice(c, COUNTER_CYCLES)->reason);
    counters_destroy(c);
}

Test(counters, silent_zero_is_not_believed)
{
    struct counters *c = plan_with(COUNT_AUTO, SILENT, 4);
    const struct counter_choice *b = counters_choice(c, COUNTER_BRANCHES);
    cr_assert(b->source == SOURCE_NONE, "an event that never moves is no source");
    cr_assert(strstr(b->reason, "counts nothing"), "got \"%s\"", b->reason);
    const struct counter_choice *i = counters_choice(c, COUNTER_INVOLUNTARY);
    cr_assert(i->source == SOURCE_HARDWARE, "0 involuntary switches prove nothing against a counter");
    counters_destroy(c);
}

Test(counters, would_multiplex_opens_another_pass)
{
    struct counters *c = plan_with(COUNT_AUTO, WORKS, 4);
    unsigned passes = counters_passes(c);
    cr_assert(passes == (COUNTERS + 3) / 4, "%d events, four a pass: %u passes", COUNTERS, passes);
    unsigned in_pass[COUNTERS] = {0};
    for (int id = 0; id < COUNTERS; id++)
        in_pass[counters_choice(c, (enum counter_id)id)->pass]++;
    for (unsigned p = 0; p < passes; p++)
        cr_assert(in_pass[p] <= 4, "pass %u has %u events", p, in_pass[p]);
    counters_destroy(c);
}

Test(counters, too_few_passes_is_a_reason)
{
    struct counters *c = plan_with(COUNT_AUTO, WORKS, 1);
    unsigned missing = 0;
    for (int id = 0; id < COUNTERS; id++) {
        const struct counter_choice *k = counters_choice(c, (enum counter_id)id);
        missing += k->source == SOURCE_NONE;
        cr_assert(k->source != SOURCE_NONE || strstr(k->reason, "does not fit"), "got \"%s\"", k->reason);
    }
    cr_assert(missing == COUNTERS - 8, "one event a pass, eight passes: %u are missing", missing);
    counters_destroy(c);
}

Test(counters, reads_each_in_its_pass)
{
    struct counters *c = plan_with(COUNT_AUTO, WORKS, 5);
    struct counter_reader *r = counters_open(c);
    cr_assert(r != NULL, "a reader");
    for (unsigned pass = 0; pass < counters_passes(c); pass++) {
        int64_t value[COUNTERS];
        counters_begin(r, pass);
        counters_end(r, value);
        for (int id = 0; id < COUNTERS; id++) {
            bool mine = counters_choice(c, (enum counter_id)id)->pass == pass;
            cr_assert(value[id] == (mine ? 1000 + id : -1), "pass %u, %s: %lld", pass, counter_info[id].name,
                      (long long)value[id]);
        }
    }
    counters_close(r);
    counters_destroy(c);
}

Test(counters, modes_leave_out_what_was_not_asked_for)
{
    struct counters *c = plan_with(COUNT_SIMULATED, WORKS, 20);
    cr_assert(counters_choice(c, COUNTER_INSTRUCTIONS)->source == SOURCE_NONE, "simulated asks no hardware");
    cr_assert(strstr(counters_choice(c, COUNTER_INSTRUCTIONS)->reason, "not asked for"), "and says so");
    cr_assert(counters_simulate(c, COUNTER_INSTRUCTIONS), "it simulates");
    counters_destroy(c);
    c = plan_with(COUNT_HARDWARE, WORKS, 20);
    cr_assert(counters_choice(c, COUNTER_INSTRUCTIONS)->source == SOURCE_HARDWARE, "hardware is there");
    cr_assert(!counters_simulate(c, COUNTER_INSTRUCTIONS), "nothing is simulated");
    counters_destroy(c);
    c = plan_with(COUNT_ALL, WORKS, 20);
    cr_assert(counters_simulate(c, COUNTER_INSTRUCTIONS), "all: measured and simulated stand side by side");
    counters_destroy(c);
    c = plan_with(COUNT_AUTO, WORKS, 20);
    cr_assert(!counters_simulate(c, COUNTER_INSTRUCTIONS), "auto: hardware is enough");
    counters_destroy(c);
    enum counter_mode mode;
    cr_assert(counter_mode_from("all", &mode) == 0 && mode == COUNT_ALL, "a word is a mode");
    cr_assert(counter_mode_from("everything", &mode) == -EINVAL, "another is none");
}

/* ---- the machine's own ---- */

Test(counters, real_providers_give_a_count_or_a_reason)
{
    struct counters *c;
    cr_assert(counters_plan(COUNT_AUTO, NULL, &c) == 0, "the plan can be made");
    struct counter_reader *r = counters_open(c);
    for (unsigned pass = 0; pass < counters_passes(c); pass++) {
        int64_t value[COUNTERS];
        counters_begin(r, pass);
        volatile double x = 1;
        for (int i = 0; i < 100000; i++)
            x = x * 1.0000001;
        counters_end(r, value);
        for (int id = 0; id < COUNTERS; id++) {
            const struct counter_choice *k = counters_choice(c, (enum counter_id)id);
            if (k->source == SOURCE_NONE)
                cr_assert(k->reason[0], "%s is missing without a reason", counter_info[id].name);
            else if (k->pass == pass)
                cr_assert(value[id] >= 0, "%s was promised and not counted", counter_info[id].name);
            if (id == COUNTER_INSTRUCTIONS && k->source == SOURCE_HARDWARE && k->pass == pass)
                cr_assert(value[id] > 200000, "100,000 rounds are more than %lld instructions", (long long)value[id]);
        }
    }
    counters_close(r);
    counters_destroy(c);
}

Test(counters, switches_are_exact)
{
    struct counters *c;
    cr_assert(counters_plan(COUNT_SOFTWARE, NULL, &c) == 0, "the plan can be made");
    const struct counter_choice *v = counters_choice(c, COUNTER_VOLUNTARY);
    cr_assert(v->source == SOURCE_SOFTWARE, "switches are known to every user: %s", v->reason);
    struct region region = {.reader = counters_open(c), .pass = v->pass};
    region_begin(&region);
    for (int i = 0; i < 20; i++)
        usleep(100);
    region_end(&region);
    cr_assert(region.count[COUNTER_VOLUNTARY] == 20, "20 sleeps, %lld switches",
              (long long)region.count[COUNTER_VOLUNTARY]);
    cr_assert(region.ns >= 2000000, "20 sleeps of 0.1 ms take 2 ms or more");
    counters_close(region.reader);
    counters_destroy(c);
}

Test(counters, every_group_says_how_to_read_it)
{
    for (int g = 0; g < COUNTER_GROUPS; g++)
        cr_assert(strlen(counter_group_info[g].reading) > 150, "group %s", counter_group_info[g].name);
    for (int id = 0; id < COUNTERS; id++)
        cr_assert(counter_info[id].name && counter_info[id].brief && counter_info[id].what, "counter %d", id);
}
