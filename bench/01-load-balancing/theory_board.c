/* theory_board.c: d choices by a notice board.
 *
 * Idea       Every `period` each server writes its queue's length on a board, and until the next time everybody chooses
 *            by that. Sort the servers by what the board says of them: those of length i on it, a share q_i, are all
 *            chosen at one rate, and until the next writing each of them is an M/M/1 queue with that rate, beginning at
 *            length i. With Q_i = q_i + q_(i+1) + ... a choice falls on them when the least of d draws does:
 *
 *                a_i = load (Q_i^d - Q_(i+1)^d) / q_i
 *
 * Method     One period of an M/M/1 queue by uniformisation: its state after a Poisson number of steps of a walk that
 *            goes up with probability a / (1 + a) and down otherwise (staying at 0). That is exact; the Poisson sum is
 *            cut off where its terms are below 1e-17. Then the shares at the end of the period are the next board, and
 *            so on until the mean of a period no longer moves.
 * Cost       O(rows x period x length) a period: a few ms to a few tenths of a second in all.
 * Source     M. Mitzenmacher, "How useful is old information?", IEEE TPDS 11(1), 2000.
 */
#include "sim/real.h"
#include "theory.h"

#include <math.h>

enum { LONGEST = 160, PERIODS = 4000 };

struct board {
    double share[LONGEST + 1]; /* of servers with this length */
};

/* One step of the walk. A queue at LONGEST stays there: no mass ever gets so far. */
static void walk(double *p, double up)
{
    double below = 0; /* p[i-1] before the step */
    for (uint32_t i = 0; i <= LONGEST; i++) {
        const double here = p[i], above = i < LONGEST ? p[i + 1] : 0;
        p[i] = up * below + (1 - up) * above;
        if (i == 0)
            p[i] += (1 - up) * here;
        if (i == LONGEST)
            p[i] += up * here;
        below = here;
    }
}

static double mean(const double *p)
{
    double sum = 0;
    for (uint32_t i = 1; i <= LONGEST; i++)
        sum += i * p[i];
    return sum;
}

/* Servers that begin the period at `length` and get `rate`, a share `weight` of all: adds where they are at its end,
 * and returns the mean length over the period. The integral of a Poisson weight over time is the weight's upper tail.
 */
static double live_through(uint32_t length, double rate, double period, double weight, struct board *end)
{
    const double steps = (1 + rate) * period;
    double p[LONGEST + 1] = {0}, poisson = real_exp(-steps), rest = 1 - poisson, area = 0;
    p[length] = 1;
    for (uint32_t k = 0; poisson > 1e-17 || k < steps; k++) {
        for (uint32_t i = 0; i <= LONGEST; i++)
            end->share[i] += weight * poisson * p[i];
        area += (rest > 0 ? rest : 0) * mean(p);
        walk(p, rate / (1 + rate));
        poisson *= steps / (k + 1);
        rest -= poisson;
    }
    return area / steps;
}

/* The mean length over one period, after which the board shows what the servers have become. */
static double next_period(struct board *board, uint32_t d, double load, double period)
{
    struct board end = {{0}};
    double held = 0, all = 0, from = 1; /* Q_i */
    for (uint32_t i = 0; i <= LONGEST; i++) {
        const double q = board->share[i], beyond = from - q > 0 ? from - q : 0;
        if (q > 1e-13)
            held += q * live_through(i, load * (theory_power(from, d) - theory_power(beyond, d)) / q, period, q, &end);
        from = beyond;
    }
    for (uint32_t i = 0; i <= LONGEST; i++)
        all += end.share[i];
    for (uint32_t i = 0; i <= LONGEST; i++)
        board->share[i] = end.share[i] / all; /* what was cut off is put back in proportion */
    return held;
}

double theory_board_mean(uint32_t d, double load, double period)
{
    struct board board;
    double held = 0, before = -1;
    for (uint32_t i = 0; i <= LONGEST; i++) /* begin as if the news were fresh */
        board.share[i] = theory_supermarket_tail(d, load, i) - theory_supermarket_tail(d, load, i + 1);
    for (int k = 0; k < PERIODS && fabs(held - before) > 1e-7; k++) {
        before = held;
        held = next_period(&board, d, load, period);
    }
    return held / load;
}
