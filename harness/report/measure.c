/* measure.c: replications, their seeds, and what their spread says.
 *
 * Every replication is a job of its own, of claims and plots alike, so that the last slow figure does not keep all
 * cores but one waiting. A job writes only its own result; means are taken afterwards and in a fixed order. So the same
 * seed gives the same bytes with any number of threads.
 */
#include "report/measure.h"

#include "base/parallel.h"
#include "base/terminal.h"
#include "sim/rng.h"

#include <math.h>

/* FNV-1a: a name as a stream number. */
static uint64_t hash(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return h;
}

uint64_t measure_seed(uint64_t master, const char *id, uint32_t i)
{
    struct rng r;
    rng_seed(&r, master, hash(id));
    uint64_t seed = rng_next(&r);
    while (i-- > 0)
        seed = rng_next(&r);
    return seed;
}

/* ---- mean and spread ---- */

/* P(|T| > t) for Student's t with f degrees of freedom: the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4. */
static double beyond(double t, uint32_t f)
{
    double angle = atan(t / sqrt(f)), c = cos(angle), term = f % 2 ? c : 1, sum = 0;
    for (uint32_t k = f % 2 ? 3 : 2; k <= f; k += 2) {
        sum += term;
        term *= c * c * (k - 1) / k;
    }
    return 1 - (f % 2 ? (angle + sin(angle) * sum) * M_2_PI : sin(angle) * sum);
}

double measure_quantile(uint32_t n)
{
    double rare = erfc(CLAIMS_ERRORS / M_SQRT2), low = 0, high = 1e6;
    for (int i = 0; i < 100; i++) {
        double middle = 0.5 * (low + high);
        if (beyond(middle, n - 1) > rare)
            low = middle;
        else
            high = middle;
    }
    return high;
}

struct measure_mean measure_mean(const double *value, uint32_t n)
{
    struct measure_mean m = {.n = n};
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += value[i];
    m.mean = isfinite(sum) ? sum / n : (double)NAN;
    for (uint32_t i = 0; i < n; i++)
        squares += (value[i] - m.mean) * (value[i] - m.mean);
    if (n > 1 && squares > 0)
        m.error = measure_quantile(n) * sqrt(squares / (n - 1) / n);
    return m;
}

/* ---- jobs ---- */

struct work {
    struct measure_job *job;
    struct progress progress;
};

static void run(uint32_t i, void *context)
{
    struct measure_job *job = &((struct work *)context)->job[i];
    job->value = job->measure(&job->run);
}

static void finished(uint32_t n, void *context)
{
    progress_set(&((struct work *)context)->progress, n);
}

void measure_all(struct measure_job *job, uint32_t n, bool quiet)
{
    struct work work = {.job = job};
    progress_start(&work.progress, "measuring", n, quiet);
    parallel_for(n, run, &work, finished);
    progress_end(&work.progress);
}
