/* plugin.h: what a shared object with entries looks like from outside.
 *
 * A plugin is one lab's world plus entries: the student's, the reference, or a mistake. Each entry registers itself in
 * its own file with PLUGIN_ENTRY; the lab's adapter.c defines the one symbol that is seen from outside, with
 * PLUGIN_DEFINE. So adding an algorithm is adding a file.
 *
 *     static const struct lb_ops ops = {...};
 *     PLUGIN_ENTRY(round_robin, "round-robin", "one after the other", &ops);
 *
 * Entries are collected by the linker: pointers to them lie side by side in the section "plugin_entries".
 */
#ifndef HOST_PLUGIN_H
#define HOST_PLUGIN_H

#include "host/log.h"

#include <stddef.h>
#include <stdint.h>

#define PLUGIN_ABI 1u

struct plugin_entry {
    const char *name;    /* kebab case, the field's name for the algorithm */
    const char *summary; /* one line for tables */
    const void *ops;     /* the lab's ops table */
};

struct plugin {
    uint32_t abi;
    const char *lab; /* "01" */
    const struct plugin_entry *const *first, *const *last;
    /* Runs the named entry on a scenario and appends its decisions. 0, or -errno: -ENOENT when there is no such entry,
     * -ENOMEM when it ran out of memory, anything else as the entry itself failed. `message` (size bytes) gets a
     * sentence with it. Called in the host process. */
    int (*run)(const struct plugin *plugin, const char *entry, const void *scenario, size_t size,
               struct decision_log *log, char *message, size_t message_size);
};

/* Entries of one file stand in the order in which they are written: gcc would turn it round when it optimises, and with
 * it the rows of every table. */
#if defined __GNUC__ && !defined __clang__
#define PLUGIN_IN_ORDER __attribute__((no_reorder))
#else
#define PLUGIN_IN_ORDER
#endif

#define PLUGIN_ENTRY(identifier, entry_name, entry_summary, entry_ops)                                                 \
    static const struct plugin_entry plugin_entry_##identifier = {entry_name, entry_summary, entry_ops};               \
    PLUGIN_IN_ORDER __attribute__((                                                                                    \
        used, section("plugin_entries"))) static const struct plugin_entry *const plugin_pointer_##identifier =        \
        &plugin_entry_##identifier

extern const struct plugin_entry *const __start_plugin_entries[] __attribute__((visibility("hidden"), weak));
extern const struct plugin_entry *const __stop_plugin_entries[] __attribute__((visibility("hidden"), weak));

#define PLUGIN_DEFINE(lab_id, run_function)                                                                            \
    extern const struct plugin faultline_plugin;                                                                       \
    __attribute__((visibility("default"), used)) const struct plugin faultline_plugin = {                              \
        PLUGIN_ABI, lab_id, __start_plugin_entries, __stop_plugin_entries, run_function}

/* The entry's ops, or NULL. */
static inline const void *plugin_find(const struct plugin *plugin, const char *name)
{
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++)
        if (strcmp((*e)->name, name) == 0)
            return (*e)->ops;
    return NULL;
}

#endif
