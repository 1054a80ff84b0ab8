/* exponential.h: exponential numbers with mean 1, fast: a ziggurat of 256 layers.
 *
 * The gap between two arrivals of independent customers is exponential, and so is the service time of the textbook's
 * server: a queueing simulator draws two a request, and with -log(u) it would spend more time in the logarithm than in
 * everything else. 97.8 % of these draws are one random number, one table look-up, one comparison and one
 * multiplication. How it works stands in exponential.c.
 *
 * Source: G. Marsaglia and W. W. Tsang, "The ziggurat method for generating random variables", J. Statistical Software
 * 5(8), 2000.
 */
#ifndef SIM_EXPONENTIAL_H
#define SIM_EXPONENTIAL_H

#include <stdint.h>

#include "sim/rng.h"

/* One layer. The draw is j * scale for a 53-bit integer j; j < inside means that this point is under the curve for
 * certain. */
struct ziggurat_layer {
    uint64_t inside;
    double scale;
};
extern const struct ziggurat_layer ziggurat_exponential[256];

/* The other 2.2 %; `bits` is the draw that failed the comparison. */
double rng_exponential_rare(struct rng *r, uint64_t bits);

/* Exponential with mean 1: finite, >= 0 (0 itself comes once in about 2^54 draws). Multiply by the mean wanted. */
static inline double rng_exponential(struct rng *r)
{
    const uint64_t bits = rng_next(r);
    const struct ziggurat_layer *layer = &ziggurat_exponential[bits & 255];
    const uint64_t j = bits >> 11; /* shares no bit with the layer's number, or layer and place would be correlated */
    if (__builtin_expect(j < layer->inside, 1))
        return (double)(int64_t)j * layer->scale;
    return rng_exponential_rare(r, bits);
}

#endif
