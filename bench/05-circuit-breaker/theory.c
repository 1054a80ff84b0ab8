/* theory.c: the formulas behind the claims of lab 05. */
#include "theory.h"

#include <math.h>

double theory_edge(const struct theory_service *s)
{
    return s->mu / (1 + s->retries);
}

double theory_backlog(const struct theory_service *s, double down)
{
    double waits = 0;
    for (uint32_t k = 0; k <= (uint32_t)s->retries && k * s->timeout < down; k++)
        waits += s->lambda * (down - k * s->timeout);
    return waits;
}

double theory_heals_within(const struct theory_service *s, double down)
{
    const double load = s->lambda * (1 + s->retries);
    return load < s->mu ? down * load / (s->mu - load) : INFINITY;
}

double theory_heals_after(const struct theory_service *s, double down)
{
    const double load = s->lambda * (1 + s->retries), old = theory_backlog(s, down) - s->mu * s->timeout;
    if (old <= 0)
        return 0;
    return load < s->mu ? old / (s->mu - load) + s->timeout : INFINITY;
}

double theory_deadly(const struct theory_service *s)
{
    double low = 0, high = s->mu * s->timeout / s->lambda;
    for (uint32_t i = 0; i < 60; i++) {
        const double middle = low + (high - low) / 2;
        if (theory_backlog(s, middle) < s->mu * s->timeout)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double theory_amplification(double tries, uint32_t layers)
{
    double calls = 1;
    for (uint32_t i = 0; i < layers; i++)
        calls *= tries;
    return calls;
}

/* By the recurrence from k = 0 on, with sums from the small end: exact to the last digits for n up to some hundred. */
double theory_at_least(uint32_t n, double p, uint32_t k)
{
    double term = 1, sum = 0;
    if (p <= 0 || p >= 1)
        return (p >= 1 ? n : 0) >= k;
    for (uint32_t i = 0; i < n; i++)
        term *= p; /* P(X = n) */
    for (uint32_t x = n;; x--) {
        if (x < k)
            return sum;
        sum += term;
        if (x == 0)
            return sum;
        term *= x * (1 - p) / ((n - x + 1) * p);
    }
}

double theory_little(double rate, double seconds)
{
    return rate * seconds;
}

double theory_mean_wait(double base, double cap, uint32_t tries)
{
    double ceiling = base;
    for (uint32_t i = 1; i < tries; i++)
        ceiling *= 2;
    return (ceiling < cap ? ceiling : cap) / 2;
}

double theory_most_servers(double workers, double fetch, double timeout)
{
    return workers * timeout / fetch;
}

double theory_mm1_wait(double load)
{
    return load / (1 - load);
}

double theory_md1_wait(double load)
{
    return load / (2 * (1 - load));
}
