/* Lab SKELETON_NUMBER: your counter. This is the one file that you hand in.
 *
 * The contract is in skeleton.h; the task and its rules are in README.md.
 *
 *     make check LAB=SKELETON_NUMBER
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

/* Task 1: lets in everybody, as in the article. */
static uint32_t take(void *counter, uint32_t n)
{
    struct counter *c = counter;
    c->count += n;
    return n;
}

static const struct skeleton_ops ops = {.create = create, .take = take, .destroy = free};
SKELETON_ENTRY(bounded, "bounded", "yours", &ops);
