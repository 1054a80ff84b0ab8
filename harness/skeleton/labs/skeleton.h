/* skeleton.h: the contract of lab SKELETON_NUMBER.
 *
 * A counter stands at a door, and lets in as many as there is room for. An entry is one table of functions, registered
 * with SKELETON_ENTRY under its name.
 */
#ifndef SKELETON_H
#define SKELETON_H

#include "host/plugin.h"

struct skeleton_ops {
    /* A counter at 0 that may never be above `limit`. 0, or -ENOMEM. */
    int (*create)(uint32_t limit, void **counter);
    /* n ask to be let in, at once. Returns how many of them are: as many as there is room for. */
    uint32_t (*take)(void *counter, uint32_t n);
    void (*destroy)(void *counter);
};

#define SKELETON_ENTRY(identifier, name, summary, ops) PLUGIN_ENTRY(identifier, name, summary, ops)

/* What a run is made of: groups that ask, one after the other. Its decisions: a uint32_t for each. */
struct skeleton_run {
    uint32_t limit, groups, group[200];
};

#endif
