/* real.h: logarithm and exponential that give the same bits everywhere.
 *
 * The C library's log and exp are within one unit of the last place, but WHICH of the two neighbours they give may
 * differ from one library, version or processor to the next (glibc picks a variant with fused multiply-add at run
 * time). One differing bit in a service time can swap two events, and from there on the runs have nothing in common. So
 * whatever is drawn goes through the functions here: they use additions, multiplications, divisions and the bits of
 * doubles, which IEEE 754 defines exactly. The build forbids the compiler to fuse or reorder them (-ffp-contract=off,
 * no -ffast-math).
 *
 * Errors are below 1 unit in the last place for log and exp, below 4 for the two quotients.
 *
 * Threads: pure functions.
 */
#ifndef SIM_REAL_H
#define SIM_REAL_H

/* Natural logarithm. -infinity for 0, NaN below 0 and for NaN, infinity for infinity. */
double real_log(double x);

/* e^x: 0 far below, infinity far above, NaN for NaN. */
double real_exp(double x);

/* log(1 + x) / x and (e^x - 1) / x, with their limit 1 at x = 0 and no loss of digits near it. They are what makes
 * formulas in x^s that divide by s (the area under a power law) work at s = 0 too. real_log1p_over: x >= -1; at -1 it
 * is infinity. */
double real_log1p_over(double x);
double real_expm1_over(double x);

#endif
