/* check_counted.h: tests of what a call costs a breaker, in instructions that the host counted (host/count.h).
 *
 * What is counted is some short stretches of a long run, drawn by the seed, and nobody in the run can tell which. Every
 * answer is judged as well, counted or not.
 */
#ifndef CHECK_COUNTED_H
#define CHECK_COUNTED_H

#include "check_model.h"

/* How many more instructions asking and ending take with a window of 4,096 calls (slices: 1,024) than with one of 64
 * (16): the test's figure. `none`: the figure at which there are no points, where lab.json doesn't say; `suspect`: what
 * it probably does, for the sentence. */
void counted_growth(const char *entry, enum rule rule, double none, const char *suspect);

#endif
