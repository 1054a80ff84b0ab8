/* rng.c: seeding and jumping; the generator itself is inline in rng.h.
 *
 * xoshiro256++ is a linear map on 256 bits (shifts, rotations, exclusive ors), which walks through all states but zero
 * in one cycle, and a nonlinear output that hides the linearity. Because the map is linear, "2^128 steps" is a
 * polynomial in one step: rng_jump adds up the states that the polynomial's coefficients pick.
 *
 * Seeds are made by people: 1, 2, 3, 42. The seeding must carry them far apart, and no two pairs (seed, stream) onto
 * one state. It uses the mixer of splitmix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014), which is a bijection of 64
 * bits.
 */
#include "sim/rng.h"

#define GOLDEN 0x9e3779b97f4a7c15u /* 2^64 / golden ratio, odd */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t rng_splitmix64(uint64_t *state)
{
    *state += GOLDEN;
    return mix(*state);
}

/* Each of the three steps can be undone when the other word is known, so (seed, stream) -> (a, b) is one to one: no two
 * pairs share a, b, hence no two share a state. mix(0) = 0 and mix is one to one, so a and mix(a + GOLDEN) are not both
 * 0: the state is not zero. */
void rng_seed(struct rng *r, uint64_t seed, uint64_t stream)
{
    uint64_t a = mix(seed + GOLDEN);
    uint64_t b = mix(stream + a);
    a = mix(a ^ b);
    r->s[0] = a;
    r->s[1] = b;
    r->s[2] = mix(a + GOLDEN);
    r->s[3] = mix(b + 2 * GOLDEN);
}

void rng_jump(struct rng *r)
{
    static const uint64_t polynomial[4] = {0x180ec6d33cfd0abau, 0xd5a61266f0c9392cu, 0xa9582618e03fc9aau,
                                           0x39abdc4529b1661cu};
    uint64_t sum[4] = {0};
    for (int word = 0; word < 4; word++)
        for (int bit = 0; bit < 64; bit++) {
            if (polynomial[word] >> bit & 1)
                for (int i = 0; i < 4; i++)
                    sum[i] ^= r->s[i];
            rng_next(r);
        }
    for (int i = 0; i < 4; i++)
        r->s[i] = sum[i];
}
