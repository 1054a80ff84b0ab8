/* claims_misses.c: what a last-level cache sees of it: one of 1 MiB, simulated; this machine's own, where it counts. */
#include "misses.h"
#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FEW  256u  /* tokens: a matrix of 256 KiB, which fits */
#define MANY 1024u /* 4 MiB, which does not */

static void tell(struct claim_here *here, double value, const struct error *err)
{
    *here = (struct claim_here){.value = value, .low = value, .high = value};
    if (isnan(value))
        snprintf(here->why, sizeof here->why, "%.190s", err->text);
}

/* Counts are the same each time, and take seconds: each is made once. Claims about this machine are measured one after
 * the other, so nobody else is here. */
static double once(const char *entry, uint32_t n, struct error *err)
{
    static double known[2][2];
    double *here = &known[strcmp(entry, "naive") == 0][n == MANY];
    if (*here == 0)
        *here = misses_of(entry, n, err);
    return *here;
}

static void growth(const struct claim_run *run, struct claim_here *here)
{
    struct error err = {""};
    double few = once(run->entry, FEW, &err), many = isnan(few) ? NAN : once(run->entry, MANY, &err);
    tell(here, many / few, &err);
}

static void misses(const struct claim_run *run, struct claim_here *here)
{
    struct error err = {""};
    tell(here, once(run->entry, MANY, &err), &err);
}

/* How many times as often as blockwise, for an operation, with a matrix four times the size of the cache. */
static void more_here(const struct claim_run *run, struct claim_here *here)
{
    struct error err = {""};
    double value = misses_here(run->entry, 4, &err);
    if (!isnan(value))
        value /= misses_here("blockwise", 4, &err);
    tell(here, value, &err);
}

static const struct claim claims[] = {
    {.id = "misses-naive",
     .statement =
         "A matrix that does not fit goes through the last cache three times: when scores are written, when they "
         "become weights, when values are weighted. 1,024 tokens, d = 16, a cache of 1 MiB.",
     .formula = "3 passes x 1/16 line a score / 64 operations a score",
     .unit = "misses/1000 operations",
     .source = "simulated",
     .broken = "blockwise in place of naive",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "naive"},
     .instead = {.entry = "blockwise"},
     .predicted = 3.0 / 16 / 64 * 1000,
     .measure_here = misses,
     .slack = 0.3,
     .slack_why = "inputs and output miss too, and the last rows written are still there when they are read"},
    {.id = "misses-rise",
     .statement = "So its misses for an operation rise when the matrix outgrows the cache: from 256 tokens to 1,024 at "
                  "least twofold.",
     .formula = "at least 2",
     .unit = "times",
     .source = "simulated",
     .broken = "blockwise in place of naive",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .of = {.entry = "naive"},
     .instead = {.entry = "blockwise"},
     .predicted = 2,
     .measure_here = growth},
    {.id = "misses-flat",
     .statement = "Those of blockwise attention do not rise.",
     .formula = "at most 1",
     .unit = "times",
     .source = "simulated",
     .broken = "naive in place of blockwise",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.entry = "blockwise"},
     .instead = {.entry = "naive"},
     .predicted = 1,
     .measure_here = growth},
    {.id = "misses-here",
     .statement =
         "This machine's own counters see it too: with a matrix four times as large as its last cache, attention with "
         "the matrix misses that cache at least twice as often for an operation as blockwise.",
     .formula = "at least 2",
     .unit = "times",
     .source = "measured",
     .broken = "blockwise in place of naive",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .of = {.entry = "naive"},
     .instead = {.entry = "blockwise"},
     .predicted = 2,
     .measure_here = more_here},
};

const struct claim_part part_misses = {claims, COUNT(claims), NULL, 0};
