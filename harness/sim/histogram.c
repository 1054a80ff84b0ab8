/* histogram.c: the parts of the histogram that need not be fast.
 *
 * The buckets, by their number:
 *
 *   0 .. 255         one value each
 *   256 .. 383       two values each, from 256 on
 *   384 .. 511       four values each, from 512 on
 *   ...              128 buckets for each further power of two
 *   7296 .. 7423     2^56 values each, from 2^63 on
 *
 * Invariant: count is the sum of the buckets; every value is in exactly one.
 *
 * Left out: a range or precision chosen at run time, and correction for coordinated omission. Who measures must get the
 * start of a request right before it comes here; adding made-up samples afterwards is a guess.
 *
 * Source: G. Tene, HdrHistogram, hdrhistogram.org.
 */
#include "sim/histogram.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int hist_create(struct histogram **out)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return -ENOMEM;
    (*out)->min = UINT64_MAX;
    return 0;
}

void hist_destroy(struct histogram *h)
{
    free(h);
}

void hist_merge(struct histogram *into, const struct histogram *from)
{
    into->sum += from->sum;
    into->count += from->count;
    into->min = from->min < into->min ? from->min : into->min;
    into->max = from->max > into->max ? from->max : into->max;
    for (uint32_t i = 0; i < HIST_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

static uint32_t shift_of(uint32_t bucket)
{
    return bucket < 2u << HIST_BITS ? 0 : (bucket >> HIST_BITS) - 1;
}

uint64_t hist_low(uint32_t bucket)
{
    const uint32_t shift = shift_of(bucket);
    return (uint64_t)(bucket - (shift << HIST_BITS)) << shift;
}

uint64_t hist_high(uint32_t bucket)
{
    return hist_low(bucket) + (((uint64_t)1 << shift_of(bucket)) - 1);
}

double hist_mean(const struct histogram *h)
{
    return h->count ? (double)h->sum / (double)h->count : 0;
}

/* ceil(p % of count), 1 .. count. 99.9 is not exactly 99.9 in binary: p * count / 100 can come out a hair above the
 * whole number that is meant, and must not be rounded up to the next one. */
static uint64_t rank_of(double p, uint64_t count)
{
    const double exact = p * (double)count / 100;
    const double rank = ceil(exact - exact * 0x1p-50);
    if (!(rank >= 1))
        return 1;
    return rank < (double)count ? (uint64_t)rank : count;
}

int hist_percentile(const struct histogram *h, double p, uint64_t *value)
{
    if (!(p >= 0 && p <= 100))
        return -EINVAL;
    *value = 0;
    if (!h->count)
        return -ENODATA;

    const uint64_t rank = rank_of(p, h->count);
    uint64_t seen = 0;
    uint32_t i = 0;
    while ((seen += h->bucket[i]) < rank)
        i++;
    const uint64_t middle = hist_low(i) + (hist_high(i) - hist_low(i)) / 2;
    *value = middle < h->min ? h->min : middle > h->max ? h->max : middle;

    const uint64_t beyond = p >= 50 ? h->count - rank : rank - 1;
    return beyond < HIST_ENOUGH ? -ENODATA : 0;
}
