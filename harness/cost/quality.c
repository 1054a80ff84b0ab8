/* What each entry is good for, simulated or counted on all cores, after the timing is done. */
#include "cost/internal.h"

#include "base/text.h"

#include "base/parallel.h"
#include "base/terminal.h"

#include <math.h>

struct job {
    struct cost_run *run;
    uint32_t quality; /* its place in the suite */
    struct progress progress;
};

static void measure_one(uint32_t i, void *context)
{
    const struct job *job = context;
    struct cost_run *run = job->run;
    const struct cost_name *who = &run->name[i];
    const struct cost_quality *q = &run->request.suite->quality[job->quality];
    struct cost_subject subject = {who->plugin, who->entry, q->size, 1, run->request.seed, q->arg};
    run->quality[job->quality][i] = who->plugin && !who->refused[0] ? q->measure(&subject) : NAN;
}

static void show(uint32_t finished, void *context)
{
    progress_set(&((struct job *)context)->progress, finished);
}

void cost_measure_quality(struct cost_run *run)
{
    const struct cost_suite *suite = run->request.suite;
    for (uint32_t k = 0; k < COST_QUALITIES; k++) {
        for (uint32_t i = 0; i < COST_NAMES; i++)
            run->quality[k][i] = NAN;
    }
    for (uint32_t k = 0; k < suite->qualities; k++) {
        struct job job = {.run = run, .quality = k};
        if (!text_listed(run->request.operations, suite->quality[k].operation))
            continue;
        progress_start(&job.progress, suite->quality[k].name, run->names, run->request.quiet);
        parallel_for(run->names, measure_one, &job, show);
        progress_end(&job.progress);
    }
}
