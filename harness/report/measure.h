/* measure.h: a figure measured over several seeds: its mean, and how far off the mean may be. */
#ifndef REPORT_MEASURE_H
#define REPORT_MEASURE_H

#include "report/claims.h"

#include <stdbool.h>
#include <stdint.h>

/* n replications of one figure. error is how far from the mean the true value may lie: measure_quantile(n) standard
 * errors; 0 where there is one replication only, or no spread. A replication that is not finite makes the mean NaN. */
struct measure_mean {
    double mean, error;
    uint32_t n;
};

struct measure_mean measure_mean(const double *value, uint32_t n);

/* Of Student's t with n - 1 degrees of freedom: exceeded, to either side, as rarely as CLAIMS_ERRORS is by a normal
 * variable (6e-5). The mean of a few runs comes with a standard error that is itself uncertain: 8.47 for 8 runs,
 * 5.10 for 20, 4.09 for 200. n >= 2. */
double measure_quantile(uint32_t n);

/* One figure to be measured. */
struct measure_job {
    double (*measure)(const struct claim_run *run);
    struct claim_run run;
    double value; /* the result */
};

/* All of them, on all cores, with a progress bar unless quiet. */
void measure_all(struct measure_job *job, uint32_t n, bool quiet);

/* The seed of replication i of what is called `id`: it depends on these three alone, so that a figure does not depend
 * on what else is measured. */
uint64_t measure_seed(uint64_t master, const char *id, uint32_t i);

#endif
