/* Unbounded: counts everybody, and is looked at afterwards. The algorithm that fails in the article.
 *
 * Idea       Letting in is quick, and somebody will look at the count.
 * Cost       O(1).
 * Gets wrong The limit.
 * Source     The article.
 */
#include "skeleton.h"

static int create(uint32_t limit, void **out)
{
    static char state;
    (void)limit;
    *out = &state;
    return 0;
}

static uint32_t take(void *counter, uint32_t n)
{
    (void)counter;
    return n;
}

static void destroy(void *counter)
{
    (void)counter;
}

static const struct skeleton_ops ops = {.create = create, .take = take, .destroy = destroy};
SKELETON_ENTRY(unbounded, "unbounded", "lets in everybody", &ops);
