/* claims_lines.c: how many lines of memory a lookup touches: what it costs when nothing is in a cache. The counts are
 * those of this build, the same on every run of it. */
#include "parts.h"
#include "touched.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>

static void tell(double value, const struct error *err, struct claim_here *here)
{
    *here = (struct claim_here){.value = value, .low = value, .high = value};
    if (isnan(value))
        snprintf(here->why, sizeof here->why, "%.190s", err->text);
}

/* What a lookup touches more with 4096 nodes than with 64. */
static void growth(const struct claim_run *run, struct claim_here *here)
{
    struct error err = {""};
    const double few = touched_lines(run->entry, 64, &err),
                 many = isnan(few) ? NAN : touched_lines(run->entry, 4096, &err);
    tell(many - few, &err, here);
}

static void guided(const struct claim_run *run, struct claim_here *here)
{
    struct error err = {""};
    tell(touched_lines(run->entry, 4096, &err), &err, here);
}

static const struct claim claims[] = {
    {.id = "lines-ring",
     .statement =
         "A ring that is searched by halving touches a line of memory more for each doubling: six more with 4096 "
         "nodes of 100 points than with 64.",
     .formula = "log2(4096 / 64), give or take 1.5",
     .unit = "lines a lookup",
     .source = "counted",
     .broken = "the ring with a guide in place of the plain one",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "ring"},
     .instead = {.entry = "fast-ring"},
     .predicted = 6, /* 64 times the points are six halvings more, each at a line of its own */
     .measure_here = growth,
     .slack = 1.5,
     .slack_why = "the last halvings share a line, and where the first ones fall differs"},
    {.id = "lines-guide",
     .statement =
         "With a guide it is four, whatever the number of points: the map's own, the guide's, a position's, an "
         "owner's.",
     .formula = "4, give or take 1",
     .unit = "lines a lookup",
     .source = "counted",
     .broken = "the plain ring in place of the one with a guide",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "fast-ring"},
     .instead = {.entry = "ring"},
     .predicted = 4,
     .measure_here = guided,
     .slack = 1,
     .slack_why = "a walk that crosses into the next line; what the compiler keeps on the stack"},
    {.id = "lines-jump",
     .statement =
         "Jump touches no more lines with 4096 nodes than with 64: it remembers nothing, but the list of who joined.",
     .formula = "at most 1 more",
     .unit = "lines a lookup",
     .source = "counted",
     .broken = "the plain ring in place of jump",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.entry = "jump"},
     .instead = {.entry = "ring"},
     .predicted = 1,
     .measure_here = growth},
};

const struct claim_part part_lines = {.claim = claims, .claims = COUNT(claims)};
