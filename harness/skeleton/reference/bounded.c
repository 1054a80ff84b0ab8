/* Bounded: counts no more than there is room for.
 *
 * Idea       Find out how many there is room for before anybody is counted.
 * Invariant  0 <= count <= limit, so limit - count is never below 0.
 * Cost       O(1).
 * Gets wrong Those behind the last one are turned away, however long they waited.
 * Source     The article.
 */
#include "skeleton.h"

#include <errno.h>
#include <stdlib.h>

struct counter {
    uint32_t limit, count;
};

static int create(uint32_t limit, void **out)
{
    struct counter *c = malloc(sizeof *c);
    if (!c)
        return -ENOMEM;
    *c = (struct counter){.limit = limit};
    *out = c;
    return 0;
}

static uint32_t take(void *counter, uint32_t n)
{
    struct counter *c = counter;
    const uint32_t room = c->limit - c->count, taken = n < room ? n : room;
    c->count += taken;
    return taken;
}

static const struct skeleton_ops ops = {.create = create, .take = take, .destroy = free};
SKELETON_ENTRY(bounded, "bounded", "lets in as many as there is room for", &ops);
