/* histogram.h: counts of values over the whole range of uint64_t, each known to better than 0.4 %.
 *
 * The idea is HdrHistogram's (G. Tene): a latency of 1 us and one of 1 s deserve the same RELATIVE precision. So each
 * power of two is cut into 128 equal buckets: below 256 every value has a bucket of its own, and above, a bucket is
 * 1/128 of its lower end wide or less. A value is reported as the middle of its bucket, at most 1/256 = 0.39 % off.
 * Count, smallest, largest and sum (so the mean) are exact.
 *
 * Cost: 58 KiB however many values come; recording is a shift, a count of leading zeros and five updates. Merging adds
 * the counts: the result is bit for bit what recording everything in one would have given, so each thread records alone
 * and the sum is made at the end.
 *
 * Threads: one writer, no reader meanwhile.
 */
#ifndef SIM_HISTOGRAM_H
#define SIM_HISTOGRAM_H

#include <stdint.h>

#define HIST_BITS    7
#define HIST_BUCKETS ((64 - HIST_BITS + 1) << HIST_BITS)
#define HIST_ENOUGH  10 /* samples that must lie beyond a percentile for it to be more than an anecdote */

__extension__ typedef unsigned __int128 hist_wide;

/* For the inline functions, and for who plots bucket by bucket: bucket[i] counts the values in hist_low(i) ..
 * hist_high(i). */
struct histogram {
    hist_wide sum; /* cannot overflow: 2^64 values of less than 2^64 */
    uint64_t count;
    uint64_t min; /* UINT64_MAX when empty */
    uint64_t max; /* 0 when empty */
    uint64_t bucket[HIST_BUCKETS];
};

/* 0 and *out, to be given to hist_destroy; or -ENOMEM and *out is NULL. */
int hist_create(struct histogram **out);
void hist_destroy(struct histogram *h); /* NULL is fine */

/* Adds what `from` holds to `into`. They may be the same one: then everything counts double. */
void hist_merge(struct histogram *into, const struct histogram *from);

/* The bucket of a value. OR-ing 128 in makes the small values take the same path as the others: shift 0, bucket =
 * value. */
static inline uint32_t hist_bucket(uint64_t value)
{
    const uint32_t shift = (uint32_t)(63 - HIST_BITS - __builtin_clzll(value | 1u << HIST_BITS));
    return (shift << HIST_BITS) + (uint32_t)(value >> shift);
}

/* The smallest and the largest value of a bucket; bucket < HIST_BUCKETS. */
uint64_t hist_low(uint32_t bucket);
uint64_t hist_high(uint32_t bucket);

static inline void hist_record(struct histogram *h, uint64_t value)
{
    h->bucket[hist_bucket(value)]++;
    h->count++;
    h->sum += value;
    h->min = value < h->min ? value : h->min;
    h->max = value > h->max ? value : h->max;
}

static inline uint64_t hist_count(const struct histogram *h)
{
    return h->count;
}

/* The smallest and the largest value recorded, exact; 0 when empty. */
static inline uint64_t hist_min(const struct histogram *h)
{
    return h->count ? h->min : 0;
}

static inline uint64_t hist_max(const struct histogram *h)
{
    return h->max;
}

/* The exact mean, rounded once to a double; 0 when empty. */
double hist_mean(const struct histogram *h);

/* The p-th percentile, p in PER CENT (99.9, not 0.999), by nearest rank: the smallest recorded value that at least p %
 * of the values do not exceed, at most 0.39 % off, never below hist_min nor above hist_max. 0          *value is the
 * percentile -ENODATA   fewer than HIST_ENOUGH values lie beyond it (above it from p = 50 on, below it under 50), so
 * that another run may well give something else: p99.9 wants 10,000 values, and p = 0 and 100 are never percentiles.
 * *value is still the best estimate there is; 0 when empty -EINVAL    p is not in 0 .. 100; *value is untouched */
int hist_percentile(const struct histogram *h, double p, uint64_t *value);

#endif
