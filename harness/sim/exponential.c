/* exponential.c: the ziggurat.
 *
 * Cover the area under exp(-x) with 256 layers of EQUAL AREA, stacked like the steps of a ziggurat: layer i is a
 * rectangle from x = 0 to its right end x[i], from height exp(-x[i]) up to exp(-x[i+1]). Equal areas mean that a layer
 * can be picked with 8 random bits, and a point in it with 53 more:
 *
 *        |\                         left of x[i+1], where the layer above ends, the whole rectangle is under the
 *        |#\.                       curve (#): done, 97.8 % of the time
 *        |##|.\.                    right of it the curve cuts through (.): compare a random height with exp(-x)
 *        |#####|..\.___
 *        |##########|.....----____  layer 0 has no end: it is the rectangle up to r = 7.697 and the tail beyond; the
 *        0          r               table's x[0] is as wide as the two areas together make it
 *
 * Invariant: the points that are accepted are uniform under the curve, so their x has the density exp(-x).
 *
 * The tail needs no formula: what an exponential number is beyond r, given that it is beyond r, is exponential again.
 * So the answer is r plus a fresh draw.
 *
 * Cost: 8 bytes of random numbers and 16 bytes of table (4 KiB in all) a draw; 2.2 % come here, and half of those draw
 * again.
 *
 * Source: Marsaglia and Tsang 2000; that layer and point must not share random bits is J. Doornik's finding, "An
 * improved ziggurat method", 2005.
 */
#include "sim/exponential.h"

#include "sim/real.h"
#include "sim/ziggurat_tables.h"

double rng_exponential_rare(struct rng *r, uint64_t bits)
{
    double tail = 0;
    for (;;) {
        const unsigned i = bits & 255;
        const uint64_t j = bits >> 11;
        const double x = (double)(int64_t)j * ziggurat_exponential[i].scale;
        if (j < ziggurat_exponential[i].inside)
            return tail + x;
        if (i == 0)
            tail += ZIGGURAT_TAIL;
        else if (height[i] + rng_double(r) * (height[i + 1] - height[i]) < real_exp(-x))
            return tail + x;
        bits = rng_next(r);
    }
}
