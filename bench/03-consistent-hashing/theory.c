/* theory.c: the formulas behind the claims of lab 03. */
#include "theory.h"

#include <math.h>

double theory_harmonic(uint32_t n)
{
    double sum = 0;
    for (uint32_t k = n; k > 0; k--)
        sum += 1.0 / k;
    return sum;
}

double theory_modulo_moves(uint32_t n)
{
    return n / (n + 1.0);
}

double theory_ring_cv(uint32_t n, uint32_t points)
{
    return sqrt((n - 1.0) / ((double)n * points + 1));
}

double theory_pairs_lost(uint32_t n, uint32_t points)
{
    double escape = 1;
    if (points == 1)
        return 2 / (n - 1.0);
    for (uint32_t i = 0; i < 2 * points; i++)
        escape *= 1 - 1 / (n - 1.0);
    return 1 - escape;
}

double theory_hit_after(double hit, double stay)
{
    return hit * stay;
}

double theory_origin_load(double hit, double hit_after)
{
    return (1 - hit_after) / (1 - hit);
}
