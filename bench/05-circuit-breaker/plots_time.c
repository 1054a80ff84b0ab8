/* plots_time.c: goodput, load and what the breaker refuses, against time; and the servers of 2015. */
#include "parts.h"
#include "runs.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* All points of a curve come from the same runs: each is made once, and kept. */
#define MOST_KEPT 64u
static struct {
    pthread_mutex_t lock;
    struct kept_run {
        char entry[40];
        uint64_t seed;
        struct seen seen;
        uint32_t *in_service;
    } run[MOST_KEPT];
    uint32_t runs;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

#define LOAD    700
#define DOWN    (20 * S)
#define SECONDS 85u

static struct seen seen_of(const char *entry, uint64_t seed)
{
    struct services s = article(LOAD, DOWN, SECONDS * S - DOWN, seed);
    s.service[0].retry.base_ns = strcmp(entry, "retry-budget") == 0 ? 100 * MS : 0;
    s.service[0].retry.cap_ns = S;
    return see(&s, entry);
}

#define EVENT_SECONDS 300u

/* entry: a retry of 2015, or "paused". */
static uint32_t *servers_of(const char *entry, uint64_t seed)
{
    const bool paused = strcmp(entry, "paused") == 0, at_once = paused || strcmp(entry, "at-once") == 0;
    struct storage s = event_2015(at_once, seed);
    uint32_t *in_service = xcalloc(EVENT_SECONDS, sizeof *in_service);
    s.pause_at = s.fault_at + s.fault_ns + 90 * S;
    s.pause_ns = paused ? 10 * S : 0;
    store(&s, at_once ? "fixed-retry" : entry, in_service, EVENT_SECONDS);
    return in_service;
}

/* The run's place. What it holds is not written again. */
static uint32_t kept_run(const char *entry, uint64_t seed, bool event)
{
    uint32_t i = 0;
    pthread_mutex_lock(&kept.lock);
    while (i < kept.runs && (strcmp(kept.run[i].entry, entry) != 0 || kept.run[i].seed != seed ||
                             (kept.run[i].in_service != NULL) != event))
        i++;
    if (i == kept.runs) {
        if (i >= MOST_KEPT)
            error_exit(EXIT_CANNOT_TELL, "plots_time.c keeps %u runs at most", MOST_KEPT);
        struct kept_run *run = &kept.run[kept.runs++];
        snprintf(run->entry, sizeof run->entry, "%s", entry);
        run->seed = seed;
        if (event)
            run->in_service = servers_of(entry, seed);
        else
            run->seen = seen_of(entry, seed);
    }
    pthread_mutex_unlock(&kept.lock);
    return i;
}

/* ---- a service that was down ---- */

/* One run, as somebody would have seen it on a screen: lines, each point the second that ends there. */
#define POINTS SECONDS
static double second(uint32_t i)
{
    return i + 1.0;
}

static double in_second(const struct claim_run *run, size_t array)
{
    const struct seen *seen = &kept.run[kept_run(run->entry, run->seed, false)].seen;
    const uint32_t *of = *(uint32_t *const *)((const char *)seen + array), steps = (uint32_t)(S / STEP);
    double sum = 0;
    for (uint32_t i = 0; i < steps; i++)
        sum += of[((uint32_t)run->x - 1) * steps + i];
    return sum;
}

static double goodput(const struct claim_run *run)
{
    return in_second(run, offsetof(struct seen, good));
}

static double offered(const struct claim_run *run)
{
    return in_second(run, offsetof(struct seen, sent));
}

static double refused(const struct claim_run *run)
{
    return 100 * in_second(run, offsetof(struct seen, refused)) /
           (in_second(run, offsetof(struct seen, refused)) + offered(run));
}

/* The fault: a box from its begin to its end. */
static double box_of(const struct claim_run *run, double height, double from, double to)
{
    return run->x > from && run->x < to ? height : 0;
}
static const double fault[] = {5, 5.001, 24.999, 25}, event_fault[] = {60, 60.001, 64.999, 65};

static double goodput_box(const struct claim_run *run)
{
    return box_of(run, 1000, fault[0], fault[3]);
}

static double load_box(const struct claim_run *run)
{
    return box_of(run, 3000, fault[0], fault[3]);
}

static double refused_box(const struct claim_run *run)
{
    return box_of(run, 100, fault[0], fault[3]);
}

static double event_box(const struct claim_run *run)
{
    return box_of(run, 1000, event_fault[0], event_fault[3]);
}

#define FAULT(box)                                                                                                     \
    {                                                                                                                  \
        .name = "the service is down", .line = true, .points = COUNT(fault), .at = fault, .y = (box)                   \
    }
#define CURVE(shown, named, what)                                                                                      \
    {                                                                                                                  \
        .name = (shown), .line = true, .points = POINTS, .x = second, .of = {.entry = (named)}, .y = (what)            \
    }

static const struct claim_series goodput_series[] = {
    FAULT(goodput_box),
    CURVE("naive", "fixed-retry", goodput),
    CURVE("budget", "retry-budget", goodput),
    CURVE("breaker", "time-breaker", goodput),
    {.name = NULL},
};

static const struct claim_series load_series[] = {
    FAULT(load_box),
    CURVE("naive", "fixed-retry", offered),
    CURVE("budget", "retry-budget", offered),
    CURVE("breaker", "time-breaker", offered),
    {.name = NULL},
};

static const struct claim_series refused_series[] = {
    FAULT(refused_box),
    CURVE("breaker", "time-breaker", refused),
    {.name = NULL},
};

/* ---- 2015 ---- */

static double event_second(uint32_t i)
{
    return 40 + 1.0 * i;
}

static double in_service(const struct claim_run *run)
{
    return kept.run[kept_run(run->entry, run->seed, true)].in_service[(uint32_t)run->x];
}

#define SERVERS(shown, named)                                                                                          \
    {                                                                                                                  \
        .name = (shown), .line = true, .points = 150, .x = event_second, .of = {.entry = (named)}, .y = in_service     \
    }

static const struct claim_series event_series[] = {
    {.name = "the network is down", .line = true, .points = COUNT(event_fault), .at = event_fault, .y = event_box},
    SERVERS("again at once", "at-once"),
    SERVERS("... and a pause at 155 s", "paused"),
    SERVERS("full jitter", "full-jitter"),
    {.name = NULL},
};

static const struct claim_plot table[] = {
    {.id = "goodput",
     .title = "A service at 70 % load is down for 20 s: who is answered",
     .reading =
         "With naive retries nobody is, ever again. A budget heals when what waited is worked off; a breaker kept it "
         "from waiting.",
     .x = "time",
     .x_unit = "s",
     .y = "goodput",
     .y_unit = "requests/s",
     .seeds = 1,
     .series = goodput_series},
    {.id = "load",
     .title = "The same, and what the service is asked for",
     .reading =
         "It can do 1,000 tries/s. Naive retries ask for 2,800, as each request is tried four times, and so they "
         "stay. The budget is used up in a moment; the breaker lets a few probes go.",
     .x = "time",
     .x_unit = "s",
     .y = "load",
     .y_unit = "tries/s",
     .seeds = 1,
     .series = load_series},
    {.id = "breaker",
     .title = "The same, and the breaker under it",
     .reading = "It opens a second after the fault began, when the first time-outs come. Every two seconds it lets 20 "
                "calls go, learns a second later that they failed, and is open again.",
     .x = "time",
     .x_unit = "s",
     .y = "calls that it refuses",
     .y_unit = "%",
     .seeds = 1,
     .series = refused_series},
    {.id = "event-2015",
     .title = "20 September 2015: storage servers in service",
     .reading =
         "All thousand ask at once. A part is told in time, and is lost again when it asks the next time, behind a "
         "queue of requests that nobody waits for. Only a pause, in which that queue is thrown away, ends it; or "
         "waits that are spread from the first failure on.",
     .x = "time",
     .x_unit = "s",
     .y = "in service",
     .y_unit = "of 1,000",
     .seeds = 1,
     .series = event_series},
};

const struct claim_part plots_time = {.plot = table, .plots = COUNT(table)};
