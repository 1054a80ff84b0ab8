/* limits_loop.h: arithmetic at the machine's limit, as a loop: to be timed beside what stands under that limit, in the
 * same rounds, where a figure from another minute would not do.
 */
#ifndef MEASURE_LIMITS_LOOP_H
#define MEASURE_LIMITS_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limits_loop {
    void (*run)(void *context, uint64_t n); /* may run on several threads at once */
    void *context;
    double work; /* floating-point operations of one of the n */
};

/* The loop behind "flops-portable", "flops-avx2", "flops-avx512" or "flops-amx" (limits.h). false: this machine can't,
 * or there is no such limit, and why not. Asking for "flops-amx" asks the kernel for the tiles, for this process. */
bool limits_loop(const char *id, struct limits_loop *loop, char *reason, size_t size);

#endif
