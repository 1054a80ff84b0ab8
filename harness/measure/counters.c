/* The chain of providers: which counter comes from where, and why not from somewhere better.
 *
 * Idea: a list of events is a claim, not a fact. So each event is added alone to a set of its own, started, and given
 * work that must move it (exercise). What stays 0 is not believed. Then the believed ones are packed into passes: an
 * event goes into the first pass that takes it; a refusal for want of registers opens a new pass, instead of letting
 * the kernel take turns, which would turn counts into estimates.
 *
 * Leaves out: uncore events and events by code; a thread's children.
 */
#include "measure/counters.h"
#include "base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MOST_PASSES    8
#define MOST_PROVIDERS 4

static const struct counter_provider *const machine_chain[] = {&counter_papi_hardware, &counter_papi_software,
                                                               &counter_rusage, NULL};

struct counters {
    enum counter_mode mode;
    struct counter_choice choice[COUNTERS];
    const struct counter_provider *provider[MOST_PROVIDERS];
    unsigned providers, passes;
};

int counter_mode_from(const char *word, enum counter_mode *mode)
{
    static const char *const names[] = {[COUNT_AUTO] = "auto",
                                        [COUNT_HARDWARE] = "hardware",
                                        [COUNT_SOFTWARE] = "software",
                                        [COUNT_SIMULATED] = "simulated",
                                        [COUNT_ALL] = "all"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(word, names[i]) == 0) {
            *mode = (enum counter_mode)i;
            return 0;
        }
    return -EINVAL;
}

/* ---- something to count ---- */

/* Moves every counter: fresh pages, reads and writes all over 16 MiB in an order that no prefetcher knows, branches on
 * random bits, and a short sleep. About 5 ms. */
static void exercise(void)
{
    enum { WORDS = (16 << 20) / 8 };
    volatile uint64_t *area = mmap(NULL, WORDS * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        return;
    uint64_t x = 88172645463325252u, sum = 0;
    for (int i = 0; i < 60000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        volatile uint64_t *word = &area[x % WORDS];
        if (x & 64)
            sum += *word;
        else
            *word = sum + x;
    }
    munmap((void *)(uintptr_t)area, WORDS * 8);
    nanosleep(&(struct timespec){0, 100000}, NULL);
}

/* 0 when the provider really counts this event. */
static int probe(const struct counter_provider *p, enum counter_id id, char *reason)
{
    int64_t value[COUNTERS] = {0};
    void *set = p->open();
    if (!set)
        return -ENOMEM;
    int code = p->add(set, id, reason, COUNTER_REASON);
    if (code == 0 && (code = p->start(set)) == 0) {
        exercise();
        code = p->stop(set, value);
    }
    if (code == 0 && value[id] == 0 && !counter_info[id].may_be_zero) {
        snprintf(reason, COUNTER_REASON, "can be added and started, but counts nothing");
        code = -ENODATA;
    } else if (code && !reason[0]) {
        snprintf(reason, COUNTER_REASON, "cannot be started: %s", strerror(-code));
    }
    p->close(set);
    return code;
}

/* ---- the plan ---- */

static bool wanted(enum counter_mode mode, enum counter_source source)
{
    switch (mode) {
    case COUNT_HARDWARE:
        return source == SOURCE_HARDWARE;
    case COUNT_SOFTWARE:
        return source == SOURCE_SOFTWARE;
    case COUNT_SIMULATED:
        return source == SOURCE_SIMULATED;
    case COUNT_AUTO:
    case COUNT_ALL:
        return true;
    }
    return false;
}

/* Two providers may have the same to say: once is enough. */
__attribute__((format(printf, 2, 3))) static void add_reason(struct counter_choice *c, const char *format, ...)
{
    char text[COUNTER_REASON];
    const size_t used = strlen(c->reason);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!strstr(c->reason, text) && used + 3 < sizeof c->reason)
        snprintf(c->reason + used, sizeof c->reason - used, "%s%.*s", used ? "; " : "",
                 (int)(sizeof c->reason - used - 3), text);
}

static void choose(struct counters *c, enum counter_id id)
{
    struct counter_choice *choice = &c->choice[id];
    for (unsigned i = 0; i < c->providers; i++) {
        const struct counter_provider *p = c->provider[i];
        char reason[COUNTER_REASON] = "";
        if (!wanted(c->mode, p->source)) {
            add_reason(choice, "%s: not asked for", counter_source_name(p->source));
            continue;
        }
        int code = probe(p, id, reason);
        if (code == 0) {
            choice->source = p->source;
            choice->provider = p;
            return;
        }
        if (reason[0] != '-') /* "-": the provider never has such an event, which is no news */
            add_reason(choice, "%s: %s", counter_source_name(p->source), reason);
    }
}

/* Packs the chosen events into as few passes as take them all. */
static void pack(struct counters *c)
{
    void *set[MOST_PASSES][MOST_PROVIDERS] = {{NULL}};
    c->passes = 1;
    for (int id = 0; id < COUNTERS; id++) {
        struct counter_choice *choice = &c->choice[id];
        unsigned which = 0;
        while (which < c->providers && c->provider[which] != choice->provider)
            which++;
        if (which == c->providers)
            continue;
        for (choice->pass = 0; choice->pass < MOST_PASSES; choice->pass++) {
            void **s = &set[choice->pass][which];
            char reason[COUNTER_REASON] = "";
            if (!*s)
                *s = choice->provider->open();
            if (*s && choice->provider->add(*s, (enum counter_id)id, reason, sizeof reason) == 0)
                break;
        }
        if (choice->pass == MOST_PASSES) {
            choice->source = SOURCE_NONE;
            choice->provider = NULL;
            add_reason(choice, "does not fit beside the other events in any of %d passes", MOST_PASSES);
        } else if (choice->pass >= c->passes) {
            c->passes = choice->pass + 1;
        }
    }
    for (unsigned pass = 0; pass < MOST_PASSES; pass++)
        for (unsigned i = 0; i < c->providers; i++)
            if (set[pass][i])
                c->provider[i]->close(set[pass][i]);
}

int counters_plan(enum counter_mode mode, const struct counter_provider *const *chain, struct counters **out)
{
    struct counters *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->mode = mode;
    for (chain = chain ? chain : machine_chain; *chain && c->providers < MOST_PROVIDERS; chain++)
        c->provider[c->providers++] = *chain;
    for (int id = 0; id < COUNTERS; id++)
        choose(c, (enum counter_id)id);
    pack(c);
    *out = c;
    return 0;
}

void counters_destroy(struct counters *counters)
{
    free(counters);
}

const struct counter_choice *counters_choice(const struct counters *counters, enum counter_id id)
{
    return &counters->choice[id];
}

unsigned counters_passes(const struct counters *counters)
{
    return counters->passes;
}

bool counters_simulate(const struct counters *counters, enum counter_id id)
{
    bool asked = counters->mode == COUNT_ALL || counters->mode == COUNT_SIMULATED ||
                 (counters->mode == COUNT_AUTO && counters->choice[id].source == SOURCE_NONE);
    return asked && counter_info[id].group != GROUP_TLB && counter_info[id].group != GROUP_SWITCHES &&
           id != COUNTER_CYCLES && id != COUNTER_PAGE_FAULTS;
}

/* ---- reading ---- */

struct counter_reader {
    const struct counters *plan;
    void *set[MOST_PASSES][MOST_PROVIDERS];
    unsigned pass;
    bool running[MOST_PROVIDERS];
};

struct counter_reader *counters_open(const struct counters *counters)
{
    struct counter_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->plan = counters;
    for (int id = 0; id < COUNTERS; id++) {
        const struct counter_choice *c = &counters->choice[id];
        char reason[COUNTER_REASON];
        for (unsigned i = 0; i < counters->providers; i++) {
            void **set = &r->set[c->pass][i];
            if (!c->provider || c->provider != counters->provider[i])
                continue;
            if (!*set)
                *set = c->provider->open();
            if (*set) /* what worked in the plan works here; if not, its value stays -1 */
                (void)c->provider->add(*set, (enum counter_id)id, reason, sizeof reason);
        }
    }
    return r;
}

void counters_close(struct counter_reader *reader)
{
    for (unsigned pass = 0; reader && pass < MOST_PASSES; pass++)
        for (unsigned i = 0; i < reader->plan->providers; i++)
            if (reader->set[pass][i])
                reader->plan->provider[i]->close(reader->set[pass][i]);
    free(reader);
}

void counters_begin(struct counter_reader *reader, unsigned pass)
{
    reader->pass = pass;
    /* The best provider starts last and stops first, so that it counts least of what the others do. */
    for (unsigned i = reader->plan->providers; i-- > 0;)
        reader->running[i] = reader->set[pass][i] && reader->plan->provider[i]->start(reader->set[pass][i]) == 0;
}

void counters_end(struct counter_reader *reader, int64_t value[COUNTERS])
{
    for (int id = 0; id < COUNTERS; id++)
        value[id] = -1;
    for (unsigned i = 0; i < reader->plan->providers; i++) {
        int64_t mine[COUNTERS];
        for (int id = 0; id < COUNTERS; id++)
            mine[id] = -1;
        if (!reader->running[i] || reader->plan->provider[i]->stop(reader->set[reader->pass][i], mine) != 0)
            continue;
        for (int id = 0; id < COUNTERS; id++)
            if (mine[id] >= 0)
                value[id] = mine[id];
    }
}
