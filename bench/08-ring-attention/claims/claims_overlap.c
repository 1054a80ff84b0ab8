/* claims_overlap.c: a step of the ring computes 4 d c^2 operations and transfers 8 d c bytes (float32). One is hidden
 * behind the other when both are under way at once: a step then takes the longer of them, and from c = 2 F / B tokens a
 * rank on it is the computing.
 *
 * Here on the clock of the loop transport, where F and B are what they are said to be.
 */
#include "parts.h"
#include "runs.h"

#include <math.h>

#define RANKS 4u
#define DEPTH 512u
#define SPEED 100.0 /* F: operations in a ns */
#define LINK  10.0  /* B: bytes in a ns */
#define KNEE  (2 * SPEED / LINK)

static double compute_us(double c)
{
    return 4 * DEPTH * c * c / SPEED / 1000;
}

static double transfer_us(double c)
{
    return 8 * DEPTH * c / LINK / 1000;
}

/* Time of the whole ring, us. */
static double ring_us(const char *entry, uint32_t c)
{
    struct ring_case run = {.entry = entry,
                            .ranks = RANKS,
                            .each = c,
                            .layout = AT_CONTIGUOUS,
                            .d = DEPTH,
                            .loop = {.bytes_per_ns = LINK, .work_per_ns = SPEED / (4 * DEPTH)}};
    struct ring_result r = ring_case_run(&run);
    return r.met ? (double)r.record.total / 1000 : NAN;
}

/* x: tokens of a rank. */
static double time_of_ring(const struct claim_run *run)
{
    return ring_us(run->entry, (uint32_t)run->x);
}

/* At the knee both take equally long; the last step has nothing to transfer. */
static double predicted_knee(const struct claim_run *run)
{
    (void)run;
    return RANKS * compute_us(KNEE);
}

static double predicted_slow(const struct claim_run *run)
{
    (void)run;
    return (RANKS - 1) * transfer_us(KNEE / 4) + compute_us(KNEE / 4);
}

/* Each rank sends, then receives, or the other way round: a transfer waits for the other one. */
static double predicted_in_turns(const struct claim_run *run)
{
    (void)run;
    return RANKS * compute_us(KNEE) + (RANKS - 1) * 2 * transfer_us(KNEE);
}

/* ---- plot ---- */

static const double tokens[] = {2, 3, 4, 6, 8, 12, 16, 20, 26, 36, 50, 70, 100, 128};

static double longer(const struct claim_run *run)
{
    return fmax(compute_us(run->x), transfer_us(run->x));
}

static double sum(const struct claim_run *run)
{
    return compute_us(run->x) + transfer_us(run->x);
}

/* The mean of the steps that do transfer. */
static double step_us(const struct claim_run *run)
{
    return (ring_us(run->entry, (uint32_t)run->x) - compute_us(run->x)) / (RANKS - 1);
}

static const struct claim_series series[] = {
    {.name = "max(compute, transfer)", .line = true, .points = COUNT(tokens), .at = tokens, .y = longer},
    {.name = "ring", .points = COUNT(tokens), .at = tokens, .of = {.entry = "ring"}, .y = step_us},
    {.name = "compute + transfer", .line = true, .points = COUNT(tokens), .at = tokens, .y = sum},
    {.name = "ring-blocking", .points = COUNT(tokens), .at = tokens, .of = {.entry = "ring-blocking"}, .y = step_us},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "overlap",
     .title = "A step of the ring: F = 100 GFLOP/s, B = 10 GB/s, d = 512, float32",
     .reading =
         "Transfers grow with the tokens of a rank, computing with their square. Below c = 2 F / B = 20 the link "
         "decides, above it the processor. Who does not compute meanwhile pays for both.",
     .x = "tokens of a rank, c",
     .x_unit = "",
     .y = "time of a step",
     .y_unit = "us",
     .log_x = true,
     .log_y = true,
     .seeds = 1,
     .series = series},
};

static const struct claim claims[] = {
    {.id = "overlap-knee",
     .statement =
         "With c = 2 F / B tokens a rank, computing and transferring take equally long, and a ring that does both "
         "at once takes as long as computing alone.",
     .formula = "P x 4 d c^2 / F at c = 2 F / B = 20",
     .unit = "us",
     .source = "simulated",
     .broken = "sending and receiving before computing",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "ring", .x = KNEE},
     .instead = {.entry = "ring-blocking"},
     .predict = predicted_knee,
     .measure = time_of_ring,
     .slack = 0.1,
     .slack_why = "the clock counts whole nanoseconds"},
    {.id = "overlap-slow",
     .statement =
         "With a quarter of that the link decides: a step takes its transfer, and computing is hidden behind it.",
     .formula = "(P - 1) x 8 d c / B + 4 d c^2 / F at c = 5",
     .unit = "us",
     .source = "simulated",
     .broken = "sending and receiving before computing",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "ring", .x = KNEE / 4},
     .instead = {.entry = "ring-blocking"},
     .predict = predicted_slow,
     .measure = time_of_ring,
     .slack = 0.1,
     .slack_why = "the clock counts whole nanoseconds"},
    {.id = "in-turns",
     .statement = "Who has only send and receive, and lets ranks with even numbers send first, waits for nobody "
                  "forever, but for "
                  "two transfers after each block.",
     .formula = "P x 4 d c^2 / F + (P - 1) x 2 x 8 d c / B at c = 20",
     .unit = "us",
     .source = "simulated",
     .broken = "sending and receiving at the same time",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "ring-in-turns", .x = KNEE},
     .instead = {.entry = "ring-blocking"},
     .predict = predicted_in_turns,
     .measure = time_of_ring,
     .slack = 0.1,
     .slack_why = "the clock counts whole nanoseconds"},
};

const struct claim_part part_overlap = {claims, COUNT(claims), plots, COUNT(plots)};
