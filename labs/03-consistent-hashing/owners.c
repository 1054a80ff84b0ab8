/* owners.c: the judge of lab 03. */
#include "owners.h"

#include <math.h>

/* ---- movement ---- */

static bool does_stay(uint32_t node, const bool *stays, uint32_t nodes)
{
    return node < nodes && stays[node];
}

struct movement movement_of(const uint32_t *before, const uint32_t *after, size_t keys, const bool *stays,
                            uint32_t nodes)
{
    struct movement m = {.keys = keys, .first = {.key = SIZE_MAX}};
    for (size_t i = 0; i < keys; i++) {
        if (before[i] == after[i])
            continue;
        m.moved++;
        if (!does_stay(before[i], stays, nodes) || !does_stay(after[i], stays, nodes)) {
            m.necessary++;
            continue;
        }
        if (m.extra++ == 0) {
            m.first.key = i;
            m.first.from = before[i];
            m.first.to = after[i];
        }
    }
    return m;
}

/* ---- balance ---- */

struct balance balance_of(const uint64_t *load, const uint32_t *weight, uint32_t n)
{
    struct balance b = {.nodes = n, .min_to_mean = INFINITY};
    double weights = 0, squares = 0;
    for (uint32_t i = 0; i < n; i++) {
        b.keys += load[i];
        weights += weight ? weight[i] : 1;
    }
    for (uint32_t i = 0; i < n; i++) {
        const double fair = (double)b.keys * (weight ? weight[i] : 1) / weights;
        const double share = fair > 0 ? (double)load[i] / fair : 1;
        squares += (share - 1) * (share - 1);
        b.chi_square += fair > 0 ? ((double)load[i] - fair) * ((double)load[i] - fair) / fair : 0;
        b.min_to_mean = fmin(b.min_to_mean, share);
        if (share > b.max_to_mean) {
            b.max_to_mean = share;
            b.fullest = i;
        }
    }
    b.cv = sqrt(squares / n);
    return b;
}

uint64_t most_allowed(uint32_t percent, uint64_t m, uint64_t weight, uint64_t all)
{
    __extension__ typedef unsigned __int128 wide;
    const wide product = (wide)percent * m * weight, share = (wide)100 * all;
    return (uint64_t)((product + share - 1) / share);
}
