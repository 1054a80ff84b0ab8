/* test_zipf.c: ranks come as often as Zipf's law says, for small and huge n, at and around the exponent 1. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/tests/law.h"
#include "sim/zipf.h"

TestSuite(zipf, .timeout = 60);

/* The sum of k^-e for k = first .. last: one by one up to 20,000, from there on the integral between the half points,
 * which is exact to 1e-9. */
static double weight(double first, double last, double e)
{
    double sum = 0;
    double k = first;
    for (; k <= last && k < 20000; k++)
        sum += pow(k, -e);
    if (k <= last) {
        const double a = k - 0.5, b = last + 0.5, log_ratio = log(b / a);
        sum += e == 1 ? log_ratio : pow(a, 1 - e) * expm1((1 - e) * log_ratio) / (1 - e);
    }
    return sum;
}

/* Cells: ranks 1 .. 32 each for itself, then groups that grow by a third, up to n. first[cells] is n + 1. */
enum { MAX_CELLS = 256 };
static size_t make_cells(double n, double *first)
{
    size_t cells = 0;
    for (double k = 1; k <= n && cells < MAX_CELLS; k = k < 32 ? k + 1 : floor(k * 1.33))
        first[cells++] = k;
    first[cells] = n + 1;
    return cells;
}

static size_t cell_of(const double *first, size_t cells, double k)
{
    size_t low = 0, high = cells;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (first[middle] <= k)
            low = middle;
        else
            high = middle;
    }
    return low;
}

Test(zipf, ranks_follow_the_law)
{
    const double exponents[] = {0, 0.5, 0.99, 1, 1 + 1e-12, 1.01, 2, 5};
    const uint64_t sizes[] = {1, 2, 10, 1000000, (uint64_t)1 << 40, (uint64_t)1 << 53};
    enum { DRAWS = 60000 };
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            const double e = exponents[i], n = (double)sizes[j];
            struct zipf z;
            const int rc = zipf_init(&z, sizes[j], e);
            cr_assert(rc == 0, "exponent %g, n %g: zipf_init gave %d", e, n, rc);
            double first[MAX_CELLS + 1], expected[MAX_CELLS];
            uint64_t observed[MAX_CELLS] = {0};
            const size_t cells = make_cells(n, first);
            double total = 0;
            for (size_t c = 0; c < cells; c++)
                total += expected[c] = weight(first[c], first[c + 1] - 1, e);
            for (size_t c = 0; c < cells; c++)
                expected[c] *= DRAWS / total;
            struct rng r;
            rng_seed(&r, 31, i * 100 + j);
            for (int k = 0; k < DRAWS; k++) {
                const uint64_t rank = zipf_draw(&z, &r);
                cr_assert(rank >= 1 && rank <= sizes[j], "exponent %g, n %g: rank %" PRIu64, e, n, rank);
                observed[cell_of(first, cells, (double)rank)]++;
            }
            const double far = law_chi_square(observed, expected, cells);
            cr_assert(fabs(far) < LAW_FAR, "exponent %g, n %g: chi-square is %.2f, expected within %.1f", e, n, far,
                      LAW_FAR);
        }
}

/* Close to 1 the law must not jump: exponents that differ by nothing give the same ranks from the same numbers, nearly
 * always. */
Test(zipf, exponents_next_to_one_are_continuous)
{
    const double nearby[] = {1 - 0x1p-53, 1 + 0x1p-52, 1 - 1e-12, 1 + 1e-12, 1 + 1e-9, 1 - 1e-9};
    for (size_t i = 0; i < sizeof nearby / sizeof *nearby; i++) {
        struct zipf one, near;
        cr_assert(!zipf_init(&one, 1000, 1) && !zipf_init(&near, 1000, nearby[i]), "zipf_init failed");
        struct rng r;
        rng_seed(&r, 3, i);
        int differ = 0;
        for (int k = 0; k < 20000; k++) {
            struct rng copy = r;
            const uint64_t a = zipf_draw(&one, &copy), b = zipf_draw(&near, &r);
            differ += a != b;
            r = copy;
        }
        cr_assert(differ <= 2, "exponent %.17g: %d of 20000 ranks differ from those of exponent 1, expected 2 at most",
                  nearby[i], differ);
    }
}

Test(zipf, steep_laws_give_rank_one)
{
    const double exponents[] = {80, 1000, 1e6, 1e300};
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
        struct zipf z;
        cr_assert(!zipf_init(&z, (uint64_t)1 << 53, exponents[i]), "exponent %g: zipf_init failed", exponents[i]);
        struct rng r;
        rng_seed(&r, 4, i);
        for (int k = 0; k < 1000; k++) {
            const uint64_t rank = zipf_draw(&z, &r);
            cr_assert(rank == 1, "exponent %g: expected rank 1, got %" PRIu64, exponents[i], rank);
        }
    }
}

Test(zipf, bad_parameters_are_refused)
{
    const struct {
        uint64_t n;
        double exponent;
    } bad[] = {{0, 1}, {((uint64_t)1 << 53) + 1, 1}, {10, -0.1}, {10, NAN}, {10, INFINITY}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct zipf z, before;
        memset(&z, 42, sizeof z);
        before = z;
        const int rc = zipf_init(&z, bad[i].n, bad[i].exponent);
        cr_assert(rc == -EINVAL, "n %" PRIu64 ", exponent %g: expected -EINVAL, got %d", bad[i].n, bad[i].exponent, rc);
        cr_assert(!memcmp(&z, &before, sizeof z), "n %" PRIu64 ", exponent %g: the law was written to", bad[i].n,
                  bad[i].exponent);
    }
}

/* As in test_distribution.c: a change here means that every recorded seed now names another run. */
Test(zipf, bits_are_the_same_everywhere)
{
    const struct {
        uint64_t n;
        double exponent;
        uint64_t expected;
    } cases[] = {{1000000, 0.99, 0x0f05c35b3944158au},
                 {(uint64_t)1 << 40, 1, 0x63c4545dca01dd05u},
                 {100, 2, 0x02c3fffc76121bc4u}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zipf z;
        cr_assert(!zipf_init(&z, cases[i].n, cases[i].exponent), "zipf_init failed");
        struct rng r;
        rng_seed(&r, 424242, i);
        uint64_t hash = 0xcbf29ce484222325u;
        for (int k = 0; k < 20000; k++)
            hash = (hash ^ zipf_draw(&z, &r)) * 0x100000001b3u;
        cr_assert(hash == cases[i].expected, "exponent %g: expected 0x%016" PRIx64 "u, got 0x%016" PRIx64 "u",
                  cases[i].exponent, cases[i].expected, hash);
    }
}
