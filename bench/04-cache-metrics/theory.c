/* theory.c: the formulas of lab 04. */
#include "theory.h"

#include "base/memory.h"
#include "sim/real.h"

#include <stdlib.h>

double theory_mean_time(double h, double hit, double miss)
{
    return h * hit + (1 - h) * miss;
}

double theory_origin_load(double h1, double h2)
{
    return (1 - h2) / (1 - h1);
}

double theory_connections(double rate, double h, double seconds)
{
    return rate * (1 - h) * seconds;
}

/* The function falls where h is small, so the solution is found by halving. */
double theory_random_scan(double n_over_c)
{
    double low = 0, high = 1 - 1e-9;
    for (int i = 0; i < 100; i++) {
        const double h = (low + high) / 2;
        if (real_exp(-n_over_c * (1 - h)) > h)
            low = h;
        else
            high = h;
    }
    return low;
}

static double weight(uint32_t rank, double a)
{
    return real_exp(-a * real_log(rank));
}

/* Objects that are kept when each stays for the time t after it was asked for. */
static double kept(const double *p, uint32_t n, double t)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += 1 - real_exp(-p[i] * t);
    return sum;
}

/* The time t with which c objects are kept; then a request for a key hits with probability 1 - exp(-p t). */
double theory_che(uint32_t n, double a, uint32_t c)
{
    double *p = xcalloc(n, sizeof *p), sum = 0, low = 0, high = 1, hits = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += p[i] = weight(i + 1, a);
    for (uint32_t i = 0; i < n; i++)
        p[i] /= sum;
    while (kept(p, n, high) < c)
        high *= 2;
    for (int round = 0; round < 60; round++) {
        const double t = (low + high) / 2;
        *(kept(p, n, t) < c ? &low : &high) = t;
    }
    for (uint32_t i = 0; i < n; i++)
        hits += p[i] * (1 - real_exp(-p[i] * high));
    free(p);
    return hits;
}

double theory_stampede(double rate, double seconds)
{
    return 1 + rate * seconds;
}

double theory_early(double beta)
{
    return real_exp(1 / beta);
}

double theory_early_lead(double beta, double rate, double took)
{
    const double euler = 0.57721566490153286;
    return beta * took * (real_log(rate * beta * took) + euler);
}
