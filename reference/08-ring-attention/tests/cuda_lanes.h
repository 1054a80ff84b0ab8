/* cuda_lanes.h: a block of threads of a GPU, emulated: what cuda/lanes.cuh is on a machine without one.
 *
 * Each thread is a coroutine. A warp goes on until its 32 lanes have come to something that they do together; then that
 * is done and it goes on. Which warp is next is drawn at random. Nothing is kinder than the machine:
 *
 * - Copies to shared memory land when their thread waits for them, and what they are going to replace is NaN at once.
 *   So who reads too early, or copies over what others still read, shows it.
 * - Lanes that come to different things, an address outside shared memory or off its alignment, a thread that ends while
 *   others wait: each is a fault, and the first one is kept.
 */
#ifndef CUDA_LANES_H
#define CUDA_LANES_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DEVICE static inline
#define UNROLL
#define UNROLL_2

struct emulated {
    uint64_t products, matrices, barriers;
    uint64_t conflicts; /* rows of a matrix that wait for another row's bank */
    const char *fault;  /* NULL: none */
};

/* Runs `kernel(argument)` in each of `threads` threads. What it counted is added to `counts`. */
void emulate(uint32_t threads, size_t shared, uint64_t seed, void (*kernel)(void *argument), void *argument,
             struct emulated *counts);
void *emulated_shared(void);

uint32_t thread_id(void);
void block_wait(void);
void warp_wait(void);
float lane_xor(float x, uint32_t mask);
bool any_lane(bool x);
void copy_16(uint32_t to, const void *from, size_t at, bool there);
void copies_wait(void);
void load_matrices(uint32_t *r, uint32_t at);
void load_matrices_turned(uint32_t *r, uint32_t at);
void multiply(float *c, const uint32_t *a, uint32_t b0, uint32_t b1);

static inline float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
static inline float power_of_two(float x)
{
    return exp2f(x);
}
static inline uint32_t to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16; /* to nearest, ties to even */
}
static inline uint32_t two_bf16(float low, float high)
{
    return to_bf16(low) | to_bf16(high) << 16;
}

#endif
