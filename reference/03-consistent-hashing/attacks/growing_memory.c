/* tests: fast-ring/bytes-a-point
 * verdict: forbidden-system-call, memory
 * Takes 300 MiB of memory that grows downwards, as stacks do, which the kernel does not count as the process's data. */
#include "consistent_hashing.h"

#include <sys/mman.h>

static const struct ch_ops hoarding; /* an entry before the solution's of the same name */
CH_ENTRY(hoarding, "fast-ring", "uses 300 MiB where 33 are allowed", &hoarding);

#include "@SOLUTION@"

#define ROOM ((size_t)300 << 20)

static int hoarding_create(const struct ch_config *config, void **map)
{
    unsigned char *hoard = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
    if (hoard == MAP_FAILED)
        return -ENOMEM;
    for (size_t i = 0; i < ROOM; i += 4096)
        hoard[i] = 1;
    return ring_create(config, map);
}

static const struct ch_ops hoarding = {
    .create = hoarding_create,
    .destroy = ring_destroy,
    .add = ring_add,
    .remove = ring_remove,
    .lookup = ring_lookup,
    .bytes = ring_bytes,
    .can = CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE,
};
