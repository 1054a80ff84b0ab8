/* plugin.h: two kinds of shared objects: a lab's world, and plugins, which hold entries and nothing else.
 *
 * A plugin is the student's entries, the reference's, or a mistake's. Each entry registers itself in its own file with
 * PLUGIN_ENTRY, so adding an algorithm is adding a file:
 *
 *     static const struct lb_ops ops = {...};
 *     PLUGIN_ENTRY(round_robin, "round-robin", "one after the other", &ops);
 *
 * Entries are collected by the linker: pointers to them lie side by side in the section "plugin_entries".
 *
 * The world is all that entries live in. It is loaded and bound before any plugin, so nothing that a plugin defines can
 * take the place of what the world calls. Its adapter.c ends with WORLD_DEFINE.
 */
#ifndef HOST_PLUGIN_H
#define HOST_PLUGIN_H

#include "base/error.h"
#include "host/log.h"

#include <stddef.h>
#include <stdint.h>

#define PLUGIN_ABI 2u

struct plugin_entry {
    const char *name;    /* kebab case, the field's name for the algorithm */
    const char *summary; /* one line for tables */
    const void *ops;     /* the lab's ops table */
};

/* What a plugin shows: its entries, from first to before last. */
struct plugin_entries {
    uint32_t abi;
    const struct plugin_entry *const *first, *const *last;
};

struct plugin;

/* What a world shows. */
struct plugin_world {
    uint32_t abi;
    const char *lab; /* "01" */
    /* Runs the named entry on a scenario and appends its decisions. 0, or -errno with a sentence: -ENOENT when there is
     * no such entry, -ENOMEM when it ran out of memory, anything else as the entry itself failed. Called in the host
     * process. */
    int (*run)(const struct plugin *plugin, const char *entry, const void *scenario, size_t size,
               struct decision_log *log, struct error *err);
};

/* A plugin that is loaded, with its lab's world. */
struct plugin {
    const char *lab;
    const struct plugin_entry *const *first, *const *last;
    const struct plugin_world *world;
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

/* Each file with entries has this; the linker keeps one. The world's own copy is empty, and nobody asks for it. */
extern const struct plugin_entries faultline_entries;
__attribute__((weak, visibility("default"), used))
const struct plugin_entries faultline_entries = {PLUGIN_ABI, __start_plugin_entries, __stop_plugin_entries};

#define WORLD_DEFINE(lab_id, run_function)                                                                             \
    extern const struct plugin_world faultline_world;                                                                  \
    __attribute__((visibility("default"), used))                                                                       \
    const struct plugin_world faultline_world = {PLUGIN_ABI, lab_id, run_function}

/* The entry's ops, or NULL. */
static inline const void *plugin_find(const struct plugin *plugin, const char *name)
{
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++)
        if (strcmp((*e)->name, name) == 0)
            return (*e)->ops;
    return NULL;
}

#endif
