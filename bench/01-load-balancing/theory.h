/* theory.h: the closed forms that lab 01 is checked against, each with its source.
 *
 * Conventions: rates and speeds are per second and times in seconds, except where a comment says "service times"; a
 * service time is 1 / mu. `load` is rate / capacity, in (0, 1). Work is exponential unless a formula says otherwise.
 *
 * Arithmetic is +, -, *, /, sqrt and sim/real.h, so a prediction has the same bits with every compiler and on every
 * machine. Nothing here looks at a simulation.
 *
 * Threads: pure functions.
 */
#ifndef THEORY_H
#define THEORY_H

#include <stdint.h>

double theory_power(double x, uint32_t n); /* x^n */

/* ---- one shared queue before c servers ---- */

/* Erlang's formulas for an offered load of a = rate / mu: B, the share lost when nobody may wait, and C, the share that
 * has to wait when all may (a < c). By the recursion B(c) = a B(c-1) / (c + a B(c-1)), which never overflows. */
double theory_erlang_b(uint32_t c, double a);
double theory_erlang_c(uint32_t c, double a);

/* Mean wait in M/M/c: C / (c mu - rate). */
double theory_central_wait(uint32_t c, double rate, double mu);

/* ---- one server with a queue of its own ---- */

/* M/M/1: mean time 1 / (mu - rate), and the time that a share of `beyond` exceeds, ln(1 / beyond) / (mu - rate). */
double theory_mm1_mean(double rate, double mu);
double theory_mm1_percentile(double rate, double mu, double beyond);

/* M/G/1, first in first out: mean time E[S] + rate E[S^2] / (2 (1 - rate E[S])) (Pollaczek and Khinchine). */
double theory_mg1_mean(double rate, double mean, double second_moment);

/* E_k/M/1: arrivals are every k-th of a Poisson stream, `rate` those that come. Mean time 1 / (mu (1 - s)) with
 * s = (k rate / (k rate + mu (1 - s)))^k; the smallest root, found by iteration from 0. Kleinrock, volume 1, chapter 6.
 */
double theory_erlang_arrivals_mean(uint32_t k, double rate, double mu);

/* ---- a fixed split over servers of unequal speed ---- */

/* Equal shares: what the fleet answers, sum of min(rate / n, mu_i), and the rate up to which that is all. */
double theory_even_throughput(const double *speed, uint32_t n, double rate);
double theory_even_ceiling(const double *speed, uint32_t n);

/* Shares in proportion to speed: every server is M/M/1 with the same load, and the mean is n / (C (1 - load)). */
double theory_proportional_mean(const double *speed, uint32_t n, double rate);

/* The split with the least mean: lambda_i = mu_i - a sqrt(mu_i), and 0 where that would be negative. `split` gets the
 * lambda_i; returns their mean time. By Lagrange's multiplier, as in Kleinrock's square-root assignment of
 * capacities. */
double theory_square_root_split(const double *speed, uint32_t n, double rate, double *split);

/* Mean time of a split into M/M/1 queues. */
double theory_split_mean(const double *speed, const double *split, uint32_t n);

/* ---- the right share at the wrong moment, and other ways to overload a few ---- */

/* Turns by weight in bursts: server i gets mu_i requests in a row (its weight is its speed), at the full rate, into a
 * queue of `cap`. While the burst lasts it works off mu_i / rate of it, and cap of the rest find room. Share lost. */
double theory_burst_loss(const double *speed, uint32_t n, double rate, uint32_t cap);

/* Two choices drawn evenly: both fall on the slow group of m among n with chance m (m-1) / (n (n-1)), whatever their
 * queues look like. Share lost when that is more than the group's speed can do. */
double theory_two_choices_loss(uint32_t slow, uint32_t n, double slow_speed, double rate);

/* ---- d choices among many equal servers ---- */

/* The limit of many servers: the share of queues with i or more jobs is load^((d^i - 1) / (d - 1)), and the mean time,
 * in service times, is the sum over i >= 1 of load^((d^i - d) / (d - 1)). d >= 1. Mitzenmacher 1996; Vvedenskaya,
 * Dobrushin and Karpelevich 1996. */
double theory_supermarket_tail(uint32_t d, double load, uint32_t i);
double theory_supermarket_mean(uint32_t d, double load);

/* n balls into n bins, each into the emptier of d: mean of the fullest bin. The share x_i of bins with i or more
 * follows dx_i/dt = x_(i-1)^d - x_i^d from t = 0 to 1 (Mitzenmacher's fluid limit; for d = 1 it is the Poisson law),
 * and the fullest has i or more with probability 1 - (1 - x_i)^n. What the fluid leaves out is of the order of
 * 1 over the number of bins one below the top: hundredths at most, for the sizes used here. */
double theory_fullest_bin(uint32_t d, double n);

/* d choices by a notice board that is brought up to date every `period` service times: mean time in service times, in
 * the limit of many servers. In theory_board.c. Mitzenmacher 2000, "How useful is old information?". */
double theory_board_mean(uint32_t d, double load, double period);

/* ---- trouble ---- */

/* One of n servers answers at once, with an error, and each request goes to a server with the fewest in flight. Then a
 * request goes to one of the idle ones, and the failing one always is idle: the share that it gets is
 * 1 / (n - a (1 - B(n-1, a))), for a = rate / mu and B Erlang's: how the balance equations come to that stands in
 * theory.c. */
double theory_fail_fast_share(uint32_t n, double a);

/* Failures that get through to a server that fails always, in `seconds`, when `after` in a row take it out, the k-th
 * time for k x `out_seconds`: it is tried at 0, 1, 3, 6, 10 ... x out_seconds. */
double theory_ejected_failures(uint32_t after, double out_seconds, double seconds);

/* Join the idle queue with r servers to a balancer, many of both: mean time in service times. A balancer has an idle
 * server at hand with probability p, p / (1 - p) = r (1 - load); a busy server meets only the rest,
 * so the mean is 1 / (1 - load (1 - p)). Lu, Xie, Kliot, Geller, Larus and Greenberg 2011. */
double theory_join_idle_mean(double r, double load);

#endif
