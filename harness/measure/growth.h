/* growth.h: how a cost grows with size: constant, log n, n, n log n or n^2, or cannot tell.
 *
 * Meant for counts that are the same on every run (simulated instructions, a lab's own counts). Each model is
 * y = a + b f(n) with b >= 0, fitted by least squares on relative residuals, so that small sizes count as much as large
 * ones. Models are compared by Akaike's criterion; the weight of a model is the probability that it is the best of the
 * five for these points. (Burnham & Anderson 2002, ch. 2.) A law that grows by less than 5 % over all sizes counts as
 * constant.
 */
#ifndef MEASURE_GROWTH_H
#define MEASURE_GROWTH_H

#include <stdbool.h>
#include <stdint.h>

enum growth_model { GROWTH_CONSTANT, GROWTH_LOG, GROWTH_LINEAR, GROWTH_N_LOG_N, GROWTH_SQUARE, GROWTH_MODELS };

struct growth_fit {
    double a, b;     /* y = a + b f(n) */
    double residual; /* root of the mean squared relative residual */
    double weight;   /* Akaike's, 0 … 1; all five sum to 1 */
};

struct growth {
    bool told;               /* else: cannot tell, and `why` says why */
    enum growth_model model; /* the best, also where it can't be told */
    struct growth_fit fit[GROWTH_MODELS];
    double confidence; /* weight of the best */
    double times;      /* cost at the largest size over that at the smallest */
    char why[160];
};

#define GROWTH_CONFIDENCE 0.95 /* of the best model, to be told */
#define GROWTH_RESIDUAL   0.15 /* a model that is off by more on average is none */
#define GROWTH_FLAT       0.05 /* growth over all sizes that is called constant */
#define GROWTH_EXACT      0.01 /* differences below this share of a value are not taken for a law */

const char *growth_name(enum growth_model model); /* "constant", "log n", "n", "n log n", "n^2" */
double growth_at(enum growth_model model, const struct growth_fit *fit, double n);

/* size rises, all values > 0; told only for 4 points or more over a factor of 16 or more in size. */
void growth_fit(const double *size, const double *value, uint32_t points, struct growth *out);

#endif
