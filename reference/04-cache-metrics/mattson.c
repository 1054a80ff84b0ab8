/* Mattson's algorithm: LRU's misses at every size, exactly, from one pass.
 *
 * Idea       LRU with room for c holds exactly the c keys that were asked for last. So a request is a hit if and only
 *            if fewer than c other keys were asked for since the last request for it. Count the requests at each of
 *            these stack distances: the misses at c are those whose distance is above c, and the first of each key.
 * Cost       O(log n) a request (stack.h), where simulating takes a run for each size.
 * Gets wrong It is about LRU, and other policies that hold at each size all that they hold at smaller ones ("stack
 *            algorithms"). FIFO is none: its curve may go up (Belady's anomaly). Objects of different sizes need a tree
 *            of sizes in place of one of counts.
 * Source     Mattson, Gecsei, Slutz & Traiger 1970, "Evaluation techniques for storage hierarchies"; Bennett & Kruskal
 *            1975 (the tree).
 */
#include "stack.h"

/* Requests by distance. */
struct counts {
    uint64_t *count; /* [room] */
    size_t room;
};

static bool count_one(struct counts *c, uint32_t distance)
{
    if (distance >= c->room) {
        const size_t room = 2 * (size_t)distance + 64;
        uint64_t *count = realloc(c->count, room * sizeof *count);
        if (!count)
            return false;
        memset(count + c->room, 0, (room - c->room) * sizeof *count);
        c->count = count;
        c->room = room;
    }
    c->count[distance]++;
    return true;
}

static int misses(const struct cm_curve_config *config, const uint64_t *key, size_t n, const uint64_t *capacity,
                  uint32_t capacities, double *misses_at)
{
    struct stack stack;
    struct counts counts = {0};
    uint32_t distance;
    (void)config;
    int code = stack_create(&stack);
    for (size_t i = 0; i < n && code == 0; i++)
        if (!stack_ask(&stack, key[i], &distance) || !count_one(&counts, distance))
            code = -ENOMEM;
    uint64_t hits = 0;
    size_t upto = 1; /* a distance of 0 is a key's first request */
    for (uint32_t k = 0; k < capacities && code == 0; k++) {
        for (; upto < counts.room && upto <= capacity[k]; upto++)
            hits += counts.count[upto];
        misses_at[k] = (double)(n - hits);
    }
    free(counts.count);
    stack_end(&stack);
    return code;
}

static const struct cm_curve_ops ops = {.misses = misses};
CM_CURVE(mattson, "mattson", "exact, from stack distances", &ops);
