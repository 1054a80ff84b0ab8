/* side_by_side.h: pieces of work, each in a process of its own, some of them at the same time.
 *
 * What a piece prints on standard output comes out whole, in the order of the pieces, whichever ends first. What it
 * counts is added up. A piece that does not return is lost: that is told, and is never taken for one that went well.
 */
#ifndef BASE_SIDE_BY_SIDE_H
#define BASE_SIDE_BY_SIDE_H

#include <stdint.h>

struct side_counts {
    unsigned passed, failed;
};

struct side_work {
    uint32_t n;
    unsigned at_once; /* at most so many at the same time; at least one is */
    void *context;
    void (*piece)(uint32_t i, void *context, struct side_counts *counts); /* in the child; counts begin at 0 */
    /* In the caller, in turn: piece i did not return, or counted nothing. `how`: "signal 11 (Segmentation fault)". */
    void (*lost)(uint32_t i, void *context, const char *how);
};

/* Returns when all are done. A child ends when the caller does. *sum gets what was counted, also by those lost later. */
void side_by_side(const struct side_work *work, struct side_counts *sum);

#endif
