/* rng.h: random numbers for simulations: xoshiro256++, seeded through splitmix64's mixer.
 *
 * A run is a function of its seed: there is no global generator, no entropy and no clock here. Whoever needs chance
 * holds a `struct rng`, and each independent thing that is random (arrivals, service times, one server, one client)
 * should hold its own, seeded with the run's seed and a stream number of its own. Then adding one draw in one place
 * does not shift every other place: runs stay comparable.
 *
 * Same seed and stream, same numbers: with every compiler, optimisation level and machine. Not for secrets: the state
 * can be computed from a few outputs.
 *
 * Threads: a generator belongs to one thread at a time. Memory: the caller's; a generator may be copied, and the copy
 * repeats the original.
 *
 * Sources: D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4), 2021
 * (xoshiro256++ 1.0, public domain, prng.di.unimi.it). D. Lemire, "Fast random integer generation in an interval", ACM
 * TOMACS 29(1), 2019 (rng_below).
 */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdint.h>

/* The state; never all zero (rng_seed sees to that; who writes it by hand must). */
struct rng {
    uint64_t s[4];
};

/* Starts stream number `stream` of `seed`. Two different pairs (seed, stream) never start from the same state. */
void rng_seed(struct rng *r, uint64_t seed, uint64_t stream);

/* Forward by 2^128 draws: the other way to get streams that do not overlap, guaranteed for 2^128 draws each. Takes
 * about a microsecond. */
void rng_jump(struct rng *r);

/* splitmix64: moves *state on and returns 64 mixed bits. Good for hashing a number or making seeds; use struct rng for
 * everything else. */
uint64_t rng_splitmix64(uint64_t *state);

static inline uint64_t rng_rotate_left(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

/* 64 random bits. Period 2^256 - 1. */
static inline uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    const uint64_t result = rng_rotate_left(s[0] + s[3], 23) + s[0];
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotate_left(s[3], 45);
    return result;
}

/* Uniform in [0, 1): one of the 2^53 multiples of 2^-53. (Through int64_t: that conversion is one instruction, from
 * uint64_t it is not.) */
static inline double rng_double(struct rng *r)
{
    return (double)(int64_t)(rng_next(r) >> 11) * 0x1p-53;
}

/* Uniform in (0, 1], for logarithms. */
static inline double rng_open(struct rng *r)
{
    return (double)(int64_t)((rng_next(r) >> 11) + 1) * 0x1p-53;
}

/* Uniform in 0 .. n-1, without bias; n >= 1. The product of 32 random bits with n falls into n bins of nearly equal
 * size; a draw that lands in the surplus of 2^32 mod n is thrown away. The division that finds the surplus is reached
 * with probability n / 2^32 only. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
    uint64_t product = (rng_next(r) >> 32) * n;
    if ((uint32_t)product < n) {
        const uint32_t surplus = (0u - n) % n;
        while ((uint32_t)product < surplus)
            product = (rng_next(r) >> 32) * n;
    }
    return (uint32_t)(product >> 32);
}

#endif
