/* cost_fleet.c: what a whole fleet of requests costs an entry, an operation of lab 01's bench. */
#include "cost_parts.h"

#include "adapter.h"
#include "runs.h"

#include "host/host.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fleet_parts[] = {"fleet-random", "fleet-two-choices", "fleet-join-shortest-queue", NULL};

struct events {
    struct fleet_scenario scenario;
    const char *entry;
};

int fleet_create(const struct cost_subject *subject, void **state, struct error *err)
{
    struct events *e = calloc(1, sizeof *e);
    (void)err;
    if (!e)
        return -ENOMEM;
    runs_load();
    e->scenario = equal_fleet((uint32_t)subject->size, 0.9, 1, 0, subject->seed);
    e->entry = subject->name + strlen("fleet-");
    *state = e;
    return 0;
}

/* Each request is two events: it arrives, and it ends. */
void fleet_run_events(void *state, unsigned thread, uint64_t n)
{
    struct events *e = state;
    struct fleet_result result;
    (void)thread;
    e->scenario.requests = (n + 1) / 2;
    run_entry(e->entry, &e->scenario, &result);
    fleet_result_free(&result);
}

void fleet_destroy(void *state)
{
    free(state);
}

double fleet_p99(const struct cost_subject *subject)
{
    struct fleet_scenario s = equal_fleet(10, 0.9, 400000, 20000, subject->seed);
    struct fleet_result result;
    const struct lb_ops *inner, *ops = adapter_find(subject->plugin, subject->name, &inner);
    uint64_t ns;
    s.report_every_ns = 1000000;
    s.balancer = (struct lb_config){
        .ewma_decay_ns = 1000000000, .eject_after = 5, .eject_max_percent = 50, .eject_for_ns = 5000000000};
    if (!ops || fleet_run_entry(&s, NULL, ops, inner, &result, NULL) != 0)
        return NAN;
    double p99 = hist_percentile(result.latency, 99, &ns) == 0 ? (double)ns / 1e6 : NAN;
    fleet_result_free(&result);
    return p99;
}
