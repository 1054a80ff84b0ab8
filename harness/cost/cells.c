/* Which entries, sizes, threads and states are measured. */
#include "cost/internal.h"

#include "base/memory.h"
#include "base/text.h"
#include "host/trusted.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static void refuse_if_told(struct cost_run *run, struct cost_name *who)
{
    for (unsigned i = 0; i < run->request.refusals; i++) {
        const char *colon = strchr(run->request.refuse[i], ':');
        if (colon && (size_t)(colon - run->request.refuse[i]) == strlen(who->name) &&
            strncmp(run->request.refuse[i], who->name, strlen(who->name)) == 0)
            snprintf(who->refused, sizeof who->refused, "%s", colon + 1);
    }
}

static void add_name(struct cost_run *run, const struct plugin *plugin, const char *entry, const char *origin)
{
    if (run->names == COST_NAMES)
        error_exit(EXIT_WRONG_USE, "bench: more than %d entries", COST_NAMES);
    struct cost_name *who = &run->name[run->names++];
    snprintf(who->entry, sizeof who->entry, "%s", entry);
    snprintf(who->name, sizeof who->name, "%s%s", entry, origin);
    who->plugin = plugin;
    refuse_if_told(run, who);
    struct cost_subject subject = {plugin, who->entry, 0, 1, run->request.seed, NULL};
    /* Not under callgrind: what is counted there was verified before. */
    if (plugin && !who->refused[0] && !run->request.simulated && run->request.suite->verify &&
        run->request.suite->verify(&subject, who->refused, sizeof who->refused) == 0)
        who->refused[0] = '\0';
}

static void add_plugin(struct cost_run *run, const struct plugin *plugin, const char *origin)
{
    const struct cost_suite *suite = run->request.suite;
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++) {
        const char *name = suite->entry_name ? suite->entry_name(*e) : (*e)->name;
        if (name && (text_listed(run->request.entries, name) || text_listed(run->request.entries, (*e)->name)))
            add_name(run, plugin, name, origin);
    }
}

static const struct cost_name *find_part(const struct cost_run *run, const char *name)
{
    for (uint32_t i = 0; i < run->names; i++)
        if (!run->name[i].plugin && strcmp(run->name[i].name, name) == 0)
            return &run->name[i];
    return NULL;
}

static void check_entries(const struct cost_run *run, const struct plugin *reference)
{
    const size_t entries = (size_t)(reference->last - reference->first);
    const char **names = xcalloc(run->names + entries + 1, sizeof *names);
    for (size_t i = 0; i < entries; i++)
        names[i] = reference->first[i]->name;
    for (uint32_t i = 0; i < run->names; i++)
        names[entries + i] = run->name[i].entry;
    trusted_check_entries("bench", run->request.entries, run->request.suite->lab_folder, names);
    free(names);
}

void cost_find_names(struct cost_run *run)
{
    const struct cost_suite *suite = run->request.suite;
    const struct plugin *reference = trusted_reference(suite->lab_folder, EXIT_WRONG_USE);
    add_plugin(run, reference, "");
    if (run->request.plugin)
        add_plugin(run, trusted_plugin(run->request.plugin, suite->lab_folder, EXIT_WRONG_USE), " (yours)");
    check_entries(run, reference);
    for (uint32_t i = 0; i < suite->operations; i++) {
        const struct cost_operation *o = &suite->operation[i];
        for (const char *const *part = o->parts ? o->names : o->beside; part && *part; part++)
            if (!find_part(run, *part))
                add_name(run, NULL, *part, "");
    }
}

/* ---- cells ---- */

/* Numbers of "10,100"; NULL: those of the table. Ends with 0. */
static void numbers(const char *option, const char *list, uint64_t out[COST_LIST])
{
    size_t n = 0;
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',') {
        char word[32];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(p, ","), p);
        if (n + 1 == COST_LIST || !text_number(word, &out[n]) || out[n] == 0 || out[n] > 100000000)
            error_exit(EXIT_WRONG_USE, "bench: --%s takes numbers above 0, such as 10,100,1000, not \"%s\"", option,
                       list);
        n++;
    }
    out[n] = 0;
    if (n == 0)
        error_exit(EXIT_WRONG_USE, "bench: --%s is empty", option);
}

static void sizes_of(const struct cost_run *run, const struct cost_operation *o, uint64_t out[COST_LIST])
{
    size_t n = 0;
    if (run->request.sizes && o->size_name) {
        numbers("sizes", run->request.sizes, out);
        return;
    }
    for (; o->sizes[n] && n + 1 < COST_LIST; n++)
        out[n] = o->sizes[n];
    out[n] = 0;
}

static bool threads_wanted(const struct cost_run *run, unsigned threads)
{
    char word[16];
    snprintf(word, sizeof word, "%u", threads);
    return text_listed(run->request.threads, word);
}

static bool is_among(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool takes(const struct cost_operation *o, const struct cost_name *who)
{
    for (const struct plugin_entry *const *e = who->plugin->first; e != who->plugin->last && o->takes; e++)
        if (strcmp((*e)->name, who->entry) == 0)
            return o->takes(*e, o->arg);
    return true; /* a wrapper with what it wraps is no entry */
}

static bool measures(const struct cost_operation *o, const struct cost_name *who)
{
    if (!who->plugin)
        return is_among(o->parts ? o->names : o->beside, who->entry);
    return !o->parts && (!o->names || is_among(o->names, who->entry)) && takes(o, who);
}

static void add_group(struct cost_run *run, const struct cost_operation *o, uint64_t size, unsigned threads,
                      enum compare_state state)
{
    struct cost_group group = {
        .first = run->cells, .floor = NAN, .yardstick = NAN, .ping_before = NAN, .ping_after = NAN};
    for (uint32_t i = 0; i < run->names; i++) {
        if (!measures(o, &run->name[i]))
            continue;
        run->cell = xrealloc(run->cell, run->cells + 1, sizeof *run->cell);
        struct cost_cell *c = &run->cell[run->cells++];
        *c = (struct cost_cell){o, &run->name[i], size, threads, state, .bytes = NAN, .limit = -1};
        c->time = c->rate = c->share = c->against = (struct stats_interval){NAN, NAN, NAN};
        for (int id = 0; id < COUNTERS; id++) {
            c->live[id] = c->time;
            c->simulated[id] = NAN;
        }
        snprintf(c->reason, sizeof c->reason, "%s", run->name[i].refused);
        c->refused = c->reason[0] != '\0';
        group.cells++;
    }
    if (group.cells == 0)
        return;
    run->group = xrealloc(run->group, run->groups + 1, sizeof *run->group);
    run->group[run->groups++] = group;
}

void cost_make_cells(struct cost_run *run)
{
    const struct cost_suite *suite = run->request.suite;
    for (uint32_t i = 0; i < suite->operations; i++) {
        const struct cost_operation *o = &suite->operation[i];
        uint64_t sizes[COST_LIST];
        if (!text_listed(run->request.operations, o->name))
            continue;
        sizes_of(run, o, sizes);
        for (const unsigned *threads = o->threads; *threads; threads++)
            for (size_t s = 0; sizes[s]; s++) {
                if (!threads_wanted(run, *threads))
                    continue;
                add_group(run, o, sizes[s], *threads, COMPARE_STEADY);
                if (o->cold && *threads == 1)
                    add_group(run, o, sizes[s], *threads, COMPARE_COLD);
            }
    }
    if (run->cells == 0)
        error_exit(EXIT_WRONG_USE, "bench: nothing to measure with these operations, entries, sizes and threads");
}

struct cost_cell *cost_find(const struct cost_run *run, const char *operation, const char *who, uint64_t size,
                            unsigned threads, enum compare_state state)
{
    for (uint32_t i = 0; i < run->cells; i++) {
        struct cost_cell *c = &run->cell[i];
        if (c->size == size && c->threads == threads && c->state == state && strcmp(c->who->name, who) == 0 &&
            strcmp(c->operation->name, operation) == 0)
            return c;
    }
    return NULL;
}

struct cost_subject cost_subject_of(const struct cost_run *run, const struct cost_cell *cell)
{
    return (struct cost_subject){.plugin = cell->who->plugin,
                                 .name = cell->who->entry,
                                 .size = cell->size,
                                 .threads = cell->threads,
                                 .seed = run->request.seed,
                                 .arg = cell->operation->arg};
}
