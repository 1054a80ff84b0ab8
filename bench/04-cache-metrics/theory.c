/* theory.c: the formulas behind the claims of lab 04. */
#include "theory.h"

#include "base/memory.h"
#include "sim/real.h"

#include <stdlib.h>

double theory_mean_time(double ratio, double hit, double miss)
{
    return ratio * hit + (1 - ratio) * miss;
}

double theory_origin_load(double before, double now)
{
    return (1 - now) / (1 - before);
}

double theory_busy(double rate, double ratio, double seconds)
{
    return rate * (1 - ratio) * seconds;
}

double theory_queue_growth(double rate, double ratio, double seconds, double pool)
{
    return rate * (1 - ratio) - pool / seconds;
}

/* h = 1 is always a solution. Below it there is one more, and the iteration from 0 rises to it. */
double theory_random_in_turn(double n_over_c)
{
    double h = 0;
    for (int i = 0; i < 10000; i++)
        h = real_exp(-n_over_c * (1 - h));
    return h;
}

/* Objects that are there on average, and requests that find theirs, when each stays for `requests` requests after it was
 * asked for. */
struct there {
    double objects, hits;
};

static struct there there_after(const double *popular, uint32_t keys, double requests)
{
    struct there t = {0, 0};
    for (uint32_t k = keys; k-- > 0;) {
        const double p = 1 - real_exp(-popular[k] * requests);
        t.objects += p;
        t.hits += popular[k] * p;
    }
    return t;
}

double theory_che(uint32_t keys, double skew, uint32_t capacity)
{
    double *popular = xcalloc(keys, sizeof *popular), all = 0, low = 0, high = 1;
    for (uint32_t k = keys; k-- > 0;) {
        popular[k] = real_exp(-skew * real_log(k + 1.0));
        all += popular[k];
    }
    for (uint32_t k = 0; k < keys; k++)
        popular[k] /= all;
    while (high < 1e15 && there_after(popular, keys, high).objects < capacity)
        high *= 2;
    for (int i = 0; i < 40; i++) {
        const double middle = (low + high) / 2;
        *(there_after(popular, keys, middle).objects < capacity ? &low : &high) = middle;
    }
    const double hits = there_after(popular, keys, high).hits;
    free(popular);
    return hits;
}

double theory_stampede(double rate, double takes)
{
    return 1 + rate * takes;
}

double theory_early(double beta)
{
    return real_exp(1 / beta);
}

double theory_early_lead(double rate, double takes, double beta)
{
    const double euler = 0.57721566490153286;
    return beta * takes * (real_log(rate * beta * takes) + euler);
}

double theory_jitter(double keys, double jitter, double ttl)
{
    return keys / (jitter * ttl);
}

double theory_negative(double rate, double ttl)
{
    return 1 / (1 + rate * ttl);
}

double theory_flight_p99(double takes, double ttl)
{
    const double wait = takes - 0.01 * (ttl + takes);
    return wait > 0 ? wait : 0;
}

double theory_stale(double rate, double takes, double ttl)
{
    return (1 + rate * takes) / (1 + rate * (ttl + takes));
}
