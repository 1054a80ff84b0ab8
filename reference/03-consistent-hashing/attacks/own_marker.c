/* tests: fast-ring/lines-touched
 * verdict: too-costly
 * links: what it defines is seen by nobody else
 * Halving; and a function under the name with which the world marks a new stretch, so that only the first is seen, and
 * all lookups together count each line once. */
#include "consistent_hashing.h"

#include <unistd.h>

static const struct ch_ops marking; /* an entry before the solution's of the same name */
CH_ENTRY(marking, "fast-ring", "halving, with markers of its own", &marking);

#include "@SOLUTION@"

long syscall(long number, ...)
{
    static int marks;
    long result = 0;
#ifdef __x86_64__
    if (marks++ == 0)
        __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(0x46617548L) : "rcx", "r11", "memory");
#endif
    (void)number;
    return result;
}

static const struct ch_ops marking = {
    .create = ring_create,
    .destroy = ring_destroy,
    .add = ring_add,
    .remove = ring_remove,
    .lookup = ring_lookup,
    .bytes = ring_bytes,
    .can = CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE,
};
