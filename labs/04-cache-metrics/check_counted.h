/* check_counted.h: tests of what a request costs, in instructions that the host counted (host/count.h), and in memory.
 *
 * What is counted is some short stretches of a long run, drawn by the seed, and nobody in the run can tell which. Every
 * answer is judged as well, counted or not.
 */
#ifndef CHECK_COUNTED_H
#define CHECK_COUNTED_H

#include "check_model.h"

/* How many more instructions a request takes with 4,096 objects than with 64: the test's figure. `none`: the figure at
 * which there are no points, where lab.json doesn't say; `suspect`: what it probably does, for the sentence. */
void counted_growth(const char *entry, enum rule rule, double none, const char *suspect);

/* Memory for so many objects, whatever was asked for before. */
void counted_memory(const char *entry, enum rule rule);

#endif
