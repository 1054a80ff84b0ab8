/* hash.h: the hashes of lab 03, the same for everybody: students, reference, judge.
 *
 * A map is only as even as the hash in front of it. So the hash is given, and what it costs can be told from what a map
 * costs. None of it holds against somebody who may choose keys: that takes a secret (SipHash).
 */
#ifndef CH_HASH_H
#define CH_HASH_H

#include <stdint.h>

/* 64 bits to 64 bits, one to one: neighbours end up far apart. The finaliser of splitmix64 (Steele, Lea & Flood 2014;
 * constants by Stafford, "Mix13"). */
static inline uint64_t ch_mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The i-th point of a node: where it stands on a ring, or the start of whatever an entry needs of its own of a node. No
 * two are equal: (node, i) goes to 64 bits, one to one. */
static inline uint64_t ch_point(uint32_t node, uint32_t i)
{
    return ch_mix(((uint64_t)node << 32 | i) + UINT64_C(0x9e3779b97f4a7c15));
}

/* Of a key that can't be used as it is, the next one to try. */
static inline uint64_t ch_again(uint64_t key)
{
    return ch_mix(key + UINT64_C(0x9e3779b97f4a7c15));
}

#endif
