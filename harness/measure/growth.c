/* growth.c: how a cost grows with size. */
#include "measure/growth.h"

#include <math.h>
#include <stdio.h>

const char *growth_name(enum growth_model model)
{
    static const char *const names[GROWTH_MODELS] = {[GROWTH_CONSTANT] = "constant",
                                                     [GROWTH_LOG] = "log n",
                                                     [GROWTH_LINEAR] = "n",
                                                     [GROWTH_N_LOG_N] = "n log n",
                                                     [GROWTH_SQUARE] = "n^2"};
    return names[model];
}

static double shape(enum growth_model model, double n)
{
    switch (model) {
    case GROWTH_LOG:
        return log2(n);
    case GROWTH_LINEAR:
        return n;
    case GROWTH_N_LOG_N:
        return n * log2(n);
    case GROWTH_SQUARE:
        return n * n;
    default:
        return 0;
    }
}

double growth_at(enum growth_model model, const struct growth_fit *fit, double n)
{
    return fit->a + fit->b * shape(model, n);
}

/* Minimises the sum of ((a + b f - y) / y)^2: the normal equations of two unknowns, with weights 1 / y^2. */
static void fit_model(enum growth_model model, const double *size, const double *value, uint32_t points,
                      struct growth_fit *fit)
{
    double w = 0, wf = 0, wff = 0, wy = 0, wfy = 0;
    for (uint32_t i = 0; i < points; i++) {
        double weight = 1 / (value[i] * value[i]), f = shape(model, size[i]);
        w += weight;
        wf += weight * f;
        wff += weight * f * f;
        wy += weight * value[i];
        wfy += weight * f * value[i];
    }
    double determinant = w * wff - wf * wf;
    fit->b = model != GROWTH_CONSTANT && determinant > 0 ? (w * wfy - wf * wy) / determinant : 0;
    if (fit->b < 0)
        fit->b = 0;
    fit->a = (wy - fit->b * wf) / w;
    fit->weight = 0;
    double squares = 0;
    for (uint32_t i = 0; i < points; i++) {
        double off = growth_at(model, fit, size[i]) / value[i] - 1;
        squares += off * off;
    }
    fit->residual = sqrt(squares / points);
}

/* AIC up to a constant. A residual below what is taken seriously counts as that: a fit can't be better than exact. */
static double criterion(const struct growth_fit *fit, uint32_t points, bool constant)
{
    double parameters = constant ? 2 : 3; /* a, b and the variance */
    double residual = fmax(fit->residual, GROWTH_EXACT);
    return points * log(residual * residual) + 2 * parameters;
}

/* Whether a fitted law says next to nothing over the sizes that were seen: then it says "constant". */
static bool is_flat(enum growth_model model, const struct growth_fit *fit, double least, double most)
{
    return growth_at(model, fit, most) < (1 + GROWTH_FLAT) * growth_at(model, fit, least);
}

static void weigh(const double *size, const double *value, uint32_t points, struct growth *out)
{
    double score[GROWTH_MODELS], best = INFINITY, sum = 0;
    for (int m = 0; m < GROWTH_MODELS; m++) {
        fit_model((enum growth_model)m, size, value, points, &out->fit[m]);
        score[m] = criterion(&out->fit[m], points, m == GROWTH_CONSTANT);
        best = fmin(best, score[m]);
    }
    for (int m = 0; m < GROWTH_MODELS; m++)
        sum += exp((best - score[m]) / 2);
    for (int m = 0; m < GROWTH_MODELS; m++) {
        bool flat = is_flat((enum growth_model)m, &out->fit[m], size[0], size[points - 1]);
        out->fit[flat ? GROWTH_CONSTANT : m].weight += exp((best - score[m]) / 2) / sum;
    }
    for (int m = 0; m < GROWTH_MODELS; m++)
        if (out->fit[m].weight > out->fit[out->model].weight)
            out->model = (enum growth_model)m;
}

void growth_fit(const double *size, const double *value, uint32_t points, struct growth *out)
{
    *out = (struct growth){.model = GROWTH_CONSTANT, .why = ""};
    for (uint32_t i = 0; i < points; i++)
        if (!(value[i] > 0) || !isfinite(value[i]) || !(size[i] > 0) || (i && size[i] <= size[i - 1])) {
            snprintf(out->why, sizeof out->why, "a size or a value is missing");
            return;
        }
    if (points < 2) {
        snprintf(out->why, sizeof out->why, "there is only one size");
        return;
    }
    weigh(size, value, points, out);
    const struct growth_fit *fit = &out->fit[out->model];
    out->confidence = fit->weight;
    out->times = value[points - 1] / value[0];
    if (points < 4 || size[points - 1] < 16 * size[0])
        snprintf(out->why, sizeof out->why, "needs at least 4 sizes over a factor of 16");
    else if (fit->residual > GROWTH_RESIDUAL)
        snprintf(out->why, sizeof out->why, "no law fits: the best, %s, is off by %.0f %% on average",
                 growth_name(out->model), 100 * fit->residual);
    else if (out->confidence < GROWTH_CONFIDENCE)
        snprintf(out->why, sizeof out->why, "%s fits best, with a probability of %.0f %% only", growth_name(out->model),
                 100 * out->confidence);
    else
        out->told = true;
}
