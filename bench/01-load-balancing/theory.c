/* theory.c: the closed forms of theory.h, as short as they are on paper.
 *
 * Sums and recursions run until nothing changes any more; powers with whole exponents are multiplications, all others
 * e^(y log x) with the logarithm and exponential of sim/real.h.
 */
#include "theory.h"

#include "sim/real.h"

#include <math.h>

double theory_power(double x, uint32_t n)
{
    double y = 1;
    while (n-- > 0)
        y *= x;
    return y;
}

/* ---- one shared queue ---- */

double theory_erlang_b(uint32_t c, double a)
{
    double b = 1;
    for (uint32_t k = 1; k <= c; k++)
        b = a * b / (k + a * b);
    return b;
}

double theory_erlang_c(uint32_t c, double a)
{
    const double b = theory_erlang_b(c, a);
    return b / (1 - a / c * (1 - b));
}

double theory_central_wait(uint32_t c, double rate, double mu)
{
    return theory_erlang_c(c, rate / mu) / (c * mu - rate);
}

/* ---- one server ---- */

double theory_mm1_mean(double rate, double mu)
{
    return 1 / (mu - rate);
}

double theory_mm1_percentile(double rate, double mu, double beyond)
{
    return -real_log(beyond) / (mu - rate);
}

double theory_mg1_mean(double rate, double mean, double second_moment)
{
    return mean + rate * second_moment / (2 * (1 - rate * mean));
}

double theory_erlang_arrivals_mean(uint32_t k, double rate, double mu)
{
    double s = 0, before = -1;
    for (int i = 0; i < 100000 && s > before; i++) { /* rises to the smallest root, until rounding stops it */
        before = s;
        s = theory_power(k * rate / (k * rate + mu * (1 - s)), k);
    }
    return 1 / (mu * (1 - s));
}

/* ---- a fixed split ---- */

double theory_even_throughput(const double *speed, uint32_t n, double rate)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += speed[i] < rate / n ? speed[i] : rate / n;
    return sum;
}

double theory_even_ceiling(const double *speed, uint32_t n)
{
    double slowest = speed[0];
    for (uint32_t i = 1; i < n; i++)
        slowest = speed[i] < slowest ? speed[i] : slowest;
    return n * slowest;
}

double theory_proportional_mean(const double *speed, uint32_t n, double rate)
{
    double capacity = 0;
    for (uint32_t i = 0; i < n; i++)
        capacity += speed[i];
    return n / (capacity * (1 - rate / capacity));
}

double theory_split_mean(const double *speed, const double *split, uint32_t n)
{
    double held = 0, rate = 0;
    for (uint32_t i = 0; i < n; i++) {
        held += split[i] / (speed[i] - split[i]);
        rate += split[i];
    }
    return held / rate;
}

/* At the optimum the price of one more request, mu / (mu - lambda)^2, is the same at all servers that get any. Those
 * whose share would be negative get none, and the others are solved for again. */
double theory_square_root_split(const double *speed, uint32_t n, double rate, double *split)
{
    for (uint32_t i = 0; i < n; i++)
        split[i] = 1; /* takes part */
    for (uint32_t left_out = 1; left_out;) {
        double capacity = 0, roots = 0;
        for (uint32_t i = 0; i < n; i++) {
            capacity += split[i] > 0 ? speed[i] : 0;
            roots += split[i] > 0 ? sqrt(speed[i]) : 0;
        }
        left_out = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (split[i] <= 0)
                continue;
            split[i] = speed[i] - (capacity - rate) / roots * sqrt(speed[i]);
            if (split[i] <= 0) {
                split[i] = 0;
                left_out++;
            }
        }
    }
    return theory_split_mean(speed, split, n);
}

/* ---- overloading a few ---- */

double theory_burst_loss(const double *speed, uint32_t n, double rate, uint32_t cap)
{
    double lost = 0, all = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double burst = speed[i], kept = speed[i] * burst / rate + cap;
        lost += burst > kept ? burst - kept : 0;
        all += burst;
    }
    return lost / all;
}

double theory_two_choices_loss(uint32_t slow, uint32_t n, double slow_speed, double rate)
{
    const double sent = rate * slow * (slow - 1.0) / (n * (n - 1.0)), can = slow * slow_speed;
    return sent > can ? (sent - can) / rate : 0;
}

/* ---- d choices ---- */

/* The exponent (d^i - 1) / (d - 1) is 0, 1, 1 + d, 1 + d + d^2 ...; for d = 1 that is i. */
double theory_supermarket_tail(uint32_t d, double load, uint32_t i)
{
    double exponent = 0;
    for (uint32_t k = 0; k < i; k++)
        exponent = d * exponent + 1;
    return real_exp(exponent * real_log(load));
}

/* By Little's law the mean number in a queue, the sum of the tails, over the rate. */
double theory_supermarket_mean(uint32_t d, double load)
{
    double sum = 0;
    for (uint32_t i = 1; i < 100000; i++) {
        const double tail = theory_supermarket_tail(d, load, i);
        if (tail < 1e-17 * sum)
            break;
        sum += tail;
    }
    return sum / load;
}

enum { FULL = 24, STEPS = 1000 };

static void filling(const double *x, uint32_t d, double *change)
{
    change[0] = 0;
    for (uint32_t i = 1; i <= FULL; i++)
        change[i] = theory_power(x[i - 1], d) - theory_power(x[i], d);
}

double theory_fullest_bin(uint32_t d, double n)
{
    const double h = 1.0 / STEPS;
    double x[FULL + 1] = {1}, k[4][FULL + 1], at[FULL + 1], mean = 0;
    for (uint32_t step = 0; step < STEPS; step++) { /* the classical Runge-Kutta method of fourth order */
        filling(x, d, k[0]);
        for (int stage = 1; stage < 4; stage++) {
            for (uint32_t i = 0; i <= FULL; i++)
                at[i] = x[i] + (stage == 3 ? h : h / 2) * k[stage - 1][i];
            filling(at, d, k[stage]);
        }
        for (uint32_t i = 0; i <= FULL; i++)
            x[i] += h / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    }
    for (uint32_t i = 1; i <= FULL; i++)
        mean += 1 - real_exp(n * real_log(1 - x[i]));
    return mean;
}

/* ---- trouble ---- */

/* Nobody healthy ever holds two, since the failing server would be preferred. With b of the n - 1 healthy ones busy,
 * n - b servers are idle, the failing one among them, and each is as likely to be taken: b grows at the rate
 * a (n - 1 - b) / (n - b) and falls at the rate b. The product of these ratios telescopes: P(b) is proportional to
 * (n - b) a^b / b!. The failing server's share is the mean of 1 / (n - b), so
 *
 *     share = sum a^b / b!  /  sum (n - b) a^b / b!      (b = 0 .. n-1)
 *
 * and since sum b a^b / b! = a (sum a^b / b! - last term), the quotient is 1 / (n - a (1 - B(n-1, a))). (Taking turns
 * by who has been idle longest instead of by lot leaves P(b) as it is: Adan and Weiss 2012.) */
double theory_fail_fast_share(uint32_t n, double a)
{
    return 1 / (n - a * (1 - theory_erlang_b(n - 1, a)));
}

double theory_ejected_failures(uint32_t after, double out_seconds, double seconds)
{
    double failures = 0, at = 0;
    for (uint32_t k = 1; at < seconds; k++) {
        failures += after;
        at += k * out_seconds;
    }
    return failures;
}

double theory_join_idle_mean(double r, double load)
{
    const double odds = r * (1 - load), p = odds / (1 + odds);
    return 1 / (1 - load * (1 - p));
}
