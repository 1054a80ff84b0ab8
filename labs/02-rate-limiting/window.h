/* window.h: the exact judge of lab 02: how much was admitted in the worst window of length T, and where it is.
 *
 * Slides a true window over the admitted requests with two pointers, in integers: no window is missed, since the worst
 * one begins with an admitted request. A window holds what lies less than T apart: [t, t + T).
 */
#ifndef WINDOW_H
#define WINDOW_H

#include <stddef.h>
#include <stdint.h>

struct admitted {
    uint64_t at, cost; /* times do not go back */
};

struct window {
    uint64_t total;      /* units in the worst window */
    uint64_t begin;      /* it is [begin, begin + T) */
    size_t first, count; /* the requests in it */
};

/* n = 0: a total of 0. O(n). */
struct window window_worst(const struct admitted *admitted, size_t n, uint64_t length);

#endif
