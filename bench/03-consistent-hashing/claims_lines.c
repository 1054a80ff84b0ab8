/* claims_lines.c: how many lines of memory a lookup touches: what it costs when nothing is in a cache. The counts are
 * those of this build, the same on every run of it. */
#include "parts.h"
#include "touched.h"

#include <math.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void tell(double value, const struct error *err, struct claim_here *here)
{
    *here = (struct claim_here){.value = value, .low = value, .high = value};
    if (isnan(value))
        snprintf(here->why, sizeof here->why, "%.190s", err->text);
}

/* From 64 nodes of 100 points to 4096: 64 times the points are six halvings more, each at a line of its own. */
static double six(void)
{
    return 6;
}

static void halving(bool broken, struct claim_here *here)
{
    const char *entry = broken ? "fast-ring" : "ring";
    struct error err = {""};
    const double few = touched_lines(entry, 64, &err), many = isnan(few) ? NAN : touched_lines(entry, 4096, &err);
    tell(many - few, &err, here);
}

static double four(void)
{
    return 4;
}

static void guided(bool broken, struct claim_here *here)
{
    struct error err = {""};
    tell(touched_lines(broken ? "ring" : "fast-ring", 4096, &err), &err, here);
}

static double none(void)
{
    return 1;
}

static void jumping(bool broken, struct claim_here *here)
{
    struct error err = {""};
    const char *entry = broken ? "ring" : "jump";
    const double few = touched_lines(entry, 64, &err), many = isnan(few) ? NAN : touched_lines(entry, 4096, &err);
    tell(many - few, &err, here);
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
     .predict = six,
     .measure_here = halving,
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
     .predict = four,
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
     .predict = none,
     .measure_here = jumping},
};

const struct claim_part part_lines = {.claim = claims, .claims = COUNT(claims)};
