/* window.c: the exact judge of lab 02. */
#include "window.h"

struct window window_worst(const struct admitted *a, size_t n, uint64_t length)
{
    struct window worst = {0, 0, 0, 0};
    uint64_t total = 0;
    for (size_t first = 0, next = 0; first < n; first++) {
        for (; next < n && a[next].at - a[first].at < length; next++)
            total += a[next].cost;
        if (total > worst.total)
            worst = (struct window){total, a[first].at, first, next - first};
        total -= a[first].cost;
    }
    return worst;
}
