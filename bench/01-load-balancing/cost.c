/* cost: what a pick costs, and what its parts do. */
#include "cost_parts.h"

#include "load_balancing.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static const uint64_t pick_sizes[] = {2, 10, 100, 1000, 10000, 0}, locked_sizes[] = {100, 0}, one_size[] = {1, 0},
                      fleet_sizes[] = {10, 100, 1000, 0};
static const unsigned one_and_two[] = {1, 2, 0}, one[] = {1, 0};
static const char *const locked_names[] = {"round-robin", "two-choices", NULL};
static const char *const shown[] = {"two-choices",
                                    "earliest-deadline-first",
                                    "smooth-weighted",
                                    "smooth-weighted-expanded",
                                    "weighted-least-connections",
                                    "weighted-least-connections-heap",
                                    NULL};

static const struct cost_operation operations[] = {
    {.name = "pick",
     .what =
         "a pick, and the end of the request that was sent two rounds of picks ago, where the entry listens to that "
         "(reports and idle backends too). Weights are 1, 2, 3, 1, …",
     .size_name = "backends",
     .sizes = pick_sizes,
     .threads = one_and_two,
     .threads_what = "a balancer for each, as proxies with workers do it",
     .cold = true,
     .simulated = true,
     .create = pick_create,
     .run = pick_run,
     .destroy = pick_destroy},
    {.name = "locked-pick",
     .what = "the same with one balancer for all threads, behind a mutex",
     .size_name = "backends",
     .sizes = locked_sizes,
     .threads = one_and_two,
     .threads_what = "one balancer for both",
     .names = locked_names,
     .create = pick_create,
     .run = pick_locked_run,
     .destroy = pick_destroy},
    {.name = "count",
     .what = "each thread counts up a word of its own: an atomic add or a plain store, the words in one cache line "
             "(packed) or 128 bytes apart (padded). The stores show nothing, although they share the line as well: the "
             "store buffer hides it.",
     .sizes = one_size,
     .threads = one_and_two,
     .threads_what = "each with its own word",
     .names = counter_parts,
     .parts = true,
     .create = counter_create,
     .run = counter_run,
     .destroy = counter_destroy},
    {.name = "event",
     .what = "an event of the simulator (a request arrives, or ends), fleet of equal servers at load 0.9",
     .size_name = "servers",
     .sizes = fleet_sizes,
     .threads = one,
     .names = fleet_parts,
     .parts = true,
     .chunk_ns = 60000000, /* a fleet is made for each: the longer it runs, the less that counts */
     .rounds = 10,
     .create = fleet_create,
     .run = fleet_run_events,
     .destroy = fleet_destroy},
};

/* A wrapper is measured around the entry that needs one most. */
static const char *entry_name(const struct plugin_entry *entry)
{
    static char name[64];
    const struct lb_ops *ops = entry->ops;
    if (!ops->wraps)
        return entry->name;
    snprintf(name, sizeof name, "%s+least-connections", entry->name);
    return name;
}

static const struct cost_quality quality = {
    .name = "p99 at load 0.9",
    .unit = "ms",
    .what = "ten equal servers of 1,000 requests a second, Poisson arrivals, exponential work, simulated",
    .operation = "pick",
    .size = 10,
    .measure = fleet_p99,
};

int main(int argc, char **argv)
{
    const struct cost_suite suite = {
        .lab_folder = "01-load-balancing",
        .operation = operations,
        .operations = COUNT(operations),
        .entry_name = entry_name,
        .verify = pick_verify,
        .quality = &quality,
        .qualities = 1,
        .shown = shown,
    };
    return cost_main(argc, argv, &suite);
}
