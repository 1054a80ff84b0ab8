/* tests: fast-least-connections/memory-stays
 * verdict: forbidden-system-call, memory
 * Keeps every pick in shared memory, which the kernel does not count as the process's data. */
#include "load_balancing.h"

#include <sys/mman.h>

static const struct lb_ops hoarding; /* an entry before the solution's of the same name */
LB_ENTRY(hoarding, "weighted-least-connections-heap", "keeps every pick", &hoarding);

#include "@SOLUTION@"

#define ROOM (128u << 20)

static uint32_t hoarding_pick(void *balancer, uint64_t now)
{
    static uint32_t *kept;
    static size_t picks;
    const uint32_t pick = heap_pick(balancer, now);
    if (!kept)
        kept = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (kept != MAP_FAILED && picks < ROOM / 64)
        kept[16 * picks++] = pick;
    return pick;
}

static const struct lb_ops hoarding = {.create = heap_create,
                                       .destroy = heap_destroy,
                                       .add = heap_set_weight,
                                       .remove = heap_remove,
                                       .set_weight = heap_set_weight,
                                       .pick = hoarding_pick,
                                       .done = heap_done};
