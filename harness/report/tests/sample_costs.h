/* sample_costs.h: what a small bench left, tame and hostile. For tests. */
#ifndef REPORT_TESTS_SAMPLE_COSTS_H
#define REPORT_TESTS_SAMPLE_COSTS_H

#include <jansson.h>

/* Three entries (swift, slow, and one that is not timed), one operation, every source, every kind of gap, a baseline
 * that is refused, and limits; `odd` is put into every text that may come from outside. The caller's. */
json_t *sample_costs(const char *odd);

/* Its plot: twelve named points close together; a mark among them, one nearby and one far away. The caller's. */
json_t *sample_scatter(const char *odd);

#endif
