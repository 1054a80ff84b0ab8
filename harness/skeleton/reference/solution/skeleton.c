/* Lab SKELETON_NUMBER: the hand-in with full marks. */
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

/* What there is room for is found out before anybody is counted: no sum is ever above the limit. */
static uint32_t take(void *counter, uint32_t n)
{
    struct counter *c = counter;
    const uint32_t room = c->limit - c->count, taken = n < room ? n : room;
    c->count += taken;
    return taken;
}

static const struct skeleton_ops ops = {.create = create, .take = take, .destroy = free};
SKELETON_ENTRY(bounded, "bounded", "lets in as many as there is room for", &ops);
