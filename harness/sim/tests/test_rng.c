/* test_rng.c: the generator gives the published numbers, its streams have nothing to do with each other, and what is
 * made from the bits is uniform. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"
#include "sim/tests/law.h"

TestSuite(rng, .timeout = 60);

Test(rng, splitmix64_gives_the_published_numbers)
{
    const uint64_t expected[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u,
                                 16408922859458223821u};
    uint64_t state = 1234567;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const uint64_t got = rng_splitmix64(&state);
        cr_assert(got == expected[i], "number %zu: expected %" PRIu64 ", got %" PRIu64, i, expected[i], got);
    }
}

Test(rng, xoshiro_gives_the_published_numbers)
{
    const uint64_t expected[] = {41943041u,
                                 58720359u,
                                 3588806011781223u,
                                 3591011842654386u,
                                 9228616714210784205u,
                                 9973669472204895162u,
                                 14011001112246962877u,
                                 12406186145184390807u,
                                 15849039046786891736u,
                                 10450023813501588000u};
    struct rng r = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const uint64_t got = rng_next(&r);
        cr_assert(got == expected[i], "number %zu: expected %" PRIu64 ", got %" PRIu64, i, expected[i], got);
    }
}

/* One step of xoshiro256 as a matrix of 256 x 256 bits: column[i] is where the state with only bit i set goes. */
struct matrix {
    struct rng column[256];
};

static struct rng times(const struct matrix *m, const struct rng *x)
{
    struct rng sum = {{0}};
    for (int i = 0; i < 256; i++)
        if (x->s[i / 64] >> i % 64 & 1)
            for (int w = 0; w < 4; w++)
                sum.s[w] ^= m->column[i].s[w];
    return sum;
}

/* Squared 128 times, the matrix of one step becomes that of 2^128: a jump that does not use the jump polynomial. */
Test(rng, jump_is_two_to_the_128_steps)
{
    struct matrix *m = calloc(1, sizeof *m), *square = malloc(sizeof *square);
    cr_assert(m && square, "no memory");
    for (int i = 0; i < 256; i++) {
        m->column[i].s[i / 64] = (uint64_t)1 << i % 64;
        rng_next(&m->column[i]);
    }
    for (int k = 0; k < 128; k++) {
        for (int i = 0; i < 256; i++)
            square->column[i] = times(m, &m->column[i]);
        *m = *square;
    }
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct rng r;
        rng_seed(&r, seed, 0);
        const struct rng expected = times(m, &r);
        rng_jump(&r);
        cr_assert(!memcmp(&r, &expected, sizeof r),
                  "seed %" PRIu64 ": s[0] is %" PRIx64 " after the jump, expected %" PRIx64, seed, r.s[0],
                  expected.s[0]);
    }
    free(m);
    free(square);
}

Test(rng, equal_seeds_repeat_and_other_seeds_or_streams_share_no_state)
{
    enum { SEEDS = 40, STREAMS = 40 };
    static struct rng all[SEEDS][STREAMS];
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (uint64_t stream = 0; stream < STREAMS; stream++) {
            struct rng again;
            rng_seed(&all[seed][stream], seed, stream);
            rng_seed(&again, seed, stream);
            cr_assert(!memcmp(&again, &all[seed][stream], sizeof again),
                      "seed %" PRIu64 " stream %" PRIu64 " is not repeated", seed, stream);
        }
    const struct rng *flat = &all[0][0];
    for (size_t i = 0; i < SEEDS * STREAMS; i++)
        for (size_t j = 0; j < i; j++)
            for (int a = 0; a < 4; a++)
                for (int b = 0; b < 4; b++)
                    cr_assert(flat[i].s[a] != flat[j].s[b],
                              "seed,stream %zu,%zu and %zu,%zu have the word %" PRIx64 " in common", i / STREAMS,
                              i % STREAMS, j / STREAMS, j % STREAMS, flat[i].s[a]);
}

/* Pairs of neighbouring seeds and of neighbouring streams: the numbers drawn side by side are uncorrelated, and half of
 * their bits differ. */
Test(rng, neighbouring_streams_are_uncorrelated)
{
    const size_t n = 20000;
    for (uint64_t pair = 0; pair < 60; pair++) {
        struct rng a, b;
        rng_seed(&a, pair / 2, pair);
        rng_seed(&b, pair / 2 + pair % 2, pair + 1 - pair % 2);
        double sum = 0, bits = 0;
        for (size_t i = 0; i < n; i++) {
            struct rng a_copy = a, b_copy = b;
            bits += __builtin_popcountll(rng_next(&a_copy) ^ rng_next(&b_copy)) - 32;
            sum += (rng_double(&a) - 0.5) * (rng_double(&b) - 0.5);
        }
        const double correlation = sum / (double)n * 12 * sqrt((double)n); /* standard normal if independent */
        const double distance = bits / 4 / sqrt((double)n);
        cr_assert(fabs(correlation) < LAW_MANY, "pair %" PRIu64 ": correlation is %.2f standard errors from 0", pair,
                  correlation);
        cr_assert(fabs(distance) < LAW_MANY, "pair %" PRIu64 ": differing bits are %.2f standard errors from 32", pair,
                  distance);
    }
}

/* The FIRST number of many streams must be random too: a simulation may draw one number of each. */
Test(rng, first_numbers_of_streams_are_uniform)
{
    uint64_t cell[2][256] = {{0}};
    double expected[256];
    for (uint64_t i = 0; i < 100000; i++) {
        struct rng r;
        rng_seed(&r, 7, i);
        cell[0][rng_next(&r) >> 56]++;
        rng_seed(&r, i, 7);
        cell[1][rng_next(&r) & 255]++;
    }
    for (int i = 0; i < 256; i++)
        expected[i] = 100000.0 / 256;
    for (int i = 0; i < 2; i++) {
        const double far = law_chi_square(cell[i], expected, 256);
        cr_assert(fabs(far) < LAW_FAR, "%s: chi-square is %.2f, expected within %.1f",
                  i ? "over seeds" : "over streams", far, LAW_FAR);
    }
}

static double uniform_cdf(const void *law, double x)
{
    (void)law;
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

Test(rng, doubles_are_uniform)
{
    enum { N = 100000 };
    double *x = malloc(N * sizeof *x);
    cr_assert_not_null(x, "no memory");
    for (int open = 0; open < 2; open++) {
        struct rng r;
        rng_seed(&r, 11, (uint64_t)open);
        for (size_t i = 0; i < N; i++)
            x[i] = open ? rng_open(&r) : rng_double(&r);
        const double mean = law_moment_error(x, N, 1, 0.5), square = law_moment_error(x, N, 2, 1.0 / 3),
                     ks = law_ks(x, N, uniform_cdf, NULL);
        cr_assert(fabs(mean) < LAW_FAR, "open %d: the mean is %.2f standard errors from 1/2", open, mean);
        cr_assert(fabs(square) < LAW_FAR, "open %d: the second moment is %.2f standard errors from 1/3", open, square);
        cr_assert(ks < LAW_KS, "open %d: Kolmogorov-Smirnov is %.2f, expected below %.2f", open, ks, LAW_KS);
    }
    free(x);
}

/* States made so that the next number has all bits 0, or all bits 1. */
Test(rng, doubles_keep_to_their_ends)
{
    const struct rng zero = {{0, 1, 2, 0}}, ones = {{UINT64_MAX, 1, 2, 1}};
    struct rng r = zero;
    cr_assert(rng_next(&r) == 0, "the state made for it does not give 0");
    r = ones;
    cr_assert(rng_next(&r) == UINT64_MAX, "the state made for it does not give all ones");
    r = zero;
    double x = rng_double(&r);
    cr_assert(x == 0, "smallest rng_double: expected 0, got %a", x);
    r = ones;
    x = rng_double(&r);
    cr_assert(x == 1 - 0x1p-53, "largest rng_double: expected 1 - 2^-53, got %a", x);
    r = zero;
    x = rng_open(&r);
    cr_assert(x == 0x1p-53, "smallest rng_open: expected 2^-53, got %a", x);
    r = ones;
    x = rng_open(&r);
    cr_assert(x == 1, "largest rng_open: expected 1, got %a", x);
}

Test(rng, below_is_uniform_and_in_range)
{
    const uint32_t sizes[] = {1, 2, 3, 10, 100, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct rng r;
        rng_seed(&r, 13, s);
        uint64_t cell[1000] = {0};
        double expected[1000];
        for (int i = 0; i < 200000; i++) {
            const uint32_t k = rng_below(&r, sizes[s]);
            cr_assert(k < sizes[s], "below %u gave %u", sizes[s], k);
            cell[k]++;
        }
        for (uint32_t i = 0; i < sizes[s]; i++)
            expected[i] = 200000.0 / sizes[s];
        const double far = law_chi_square(cell, expected, sizes[s]);
        cr_assert(fabs(far) < LAW_FAR, "below %u: chi-square is %.2f, expected within %.1f", sizes[s], far, LAW_FAR);
    }
}

/* Without the rejection, numbers below 3/4 of 2^32 would be biased grossly: every third would come twice as often. */
Test(rng, below_has_no_bias_where_a_plain_product_has)
{
    struct rng r;
    rng_seed(&r, 17, 0);
    uint64_t cell[3] = {0};
    const double expected[3] = {100000, 100000, 100000};
    for (int i = 0; i < 300000; i++)
        cell[rng_below(&r, 0xc0000000u) % 3]++;
    const double far = law_chi_square(cell, expected, 3);
    cr_assert(fabs(far) < LAW_FAR, "chi-square of the remainders by 3 is %.2f, expected within %.1f", far, LAW_FAR);
}
