/* What each entry is good for, found by simulation on all cores, after the timing is done. */
#include "cost/internal.h"

#include "base/text.h"

#include "base/parallel.h"
#include "base/terminal.h"

#include <math.h>

struct job {
    struct cost_run *run;
    struct progress progress;
};

static void measure_one(uint32_t i, void *context)
{
    struct cost_run *run = ((struct job *)context)->run;
    const struct cost_name *who = &run->name[i];
    const struct cost_quality *q = run->request.suite->quality;
    struct cost_subject subject = {who->plugin, who->entry, q->size, 1, run->request.seed};
    run->quality[i] = who->plugin && !who->refused[0] ? q->measure(&subject) : NAN;
}

static void show(uint32_t finished, void *context)
{
    progress_set(&((struct job *)context)->progress, finished);
}

void cost_measure_quality(struct cost_run *run)
{
    const struct cost_quality *q = run->request.suite->quality;
    struct job job = {.run = run};
    for (uint32_t i = 0; i < COST_NAMES; i++)
        run->quality[i] = NAN;
    if (!q || !text_listed(run->request.operations, q->operation))
        return;
    progress_start(&job.progress, q->name, run->names, run->request.quiet);
    parallel_for(run->names, measure_one, &job, show);
    progress_end(&job.progress);
}
