/* claims.h: the claims of an article, as a program: predicted, measured, tolerance, and whether it holds.
 *
 * bench/NN-x/claims.c is a table of claims and a table of plots, and `return claims_main(argc, argv, &suite);`. Each
 * claim is measured over several seeds, all of them in parallel, and the measured value is the mean over the seeds. The
 * tolerance is
 *
 *     t x (standard error of that mean) + slack
 *
 * where t is as improbable for Student's law with seeds - 1 degrees of freedom as CLAIMS_ERRORS = 4 is for a normal one
 * (a true claim fails by chance once in 16,000 times): 8.5 for 8 seeds, 5.5 for 16, 4.1 for 200. A fixed factor would
 * promise too much, since the spread of a few runs is itself uncertain. `slack` is what the formula itself leaves open,
 * with the reason in `slack_why`: "the formula is the limit of many servers". A figure without chance has one seed, and
 * a tolerance of slack or 1e-9 of the prediction, whichever is more. low and high of a claim and of a plot's point are
 * the mean -/+ t standard errors.
 *
 * The seed of a replication comes from the master seed, the claim's id and the replication's number, so a figure
 * depends neither on what else is measured nor on the number of threads. All points of a plot see the same seeds.
 *
 * A claim that cannot fail is a defect, so each has a second form: `instead` puts the failing algorithm (or another law)
 * in the place of the cure, and the claim must turn false. `claims --broken` measures both forms, judges the broken one
 * by the tolerance of the good one, and exits 0 only when every claim is false.
 *
 * Functions are told what they are about: `of` of the claim or the series, so that one function serves all entries,
 * loads and sizes.
 *
 * A claim about this machine (time, counters) has measure_here in place of measure: it is measured once, when all
 * others are done, with nothing beside it, and it may answer that it cannot tell. It holds when its whole interval is
 * on the right side, is false when its whole interval is on the wrong side, and else cannot be told: "holds" is then
 * null, and "reason" says why.
 *
 *     claims [--seed N] [--out FILE] [--only ID[,ID...]] [--broken] [--seeded] [--quiet]
 *
 * Without --out it prints the table; --only may be given several times; plots are left out with --only and --broken.
 * --seeded leaves out the claims about this machine: what remains is the same on every machine.
 * The lab is found below the current folder, or below FAULTLINE_ROOT.
 *
 * Exit code 0: all hold; 1: one does not (or, broken, one does); 2: wrong use, or a lab.json that can't be used; 3: the
 * result could not be written.
 */
#ifndef REPORT_CLAIMS_H
#define REPORT_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#define CLAIMS_ERRORS 4.0

/* What a claim or a series is about. What the numbers mean is the lab's. */
struct claim_subject {
    const char *entry;
    double x;   /* a load, a number of servers, ...; of a series the x of the point */
    uint32_t n; /* another number */
};

/* One call of a function of a claim or a series. */
struct claim_run {
    uint64_t seed; /* of this replication */
    bool broken;   /* measure with the failing algorithm in the cure's place */
    /* The subject: `of`; broken, `instead`, and `of` where that says nothing. */
    const char *entry;
    double x;
    uint32_t n;
};

enum claim_relation {
    CLAIM_EQUALS,   /* |measured - predicted| <= tolerance */
    CLAIM_AT_LEAST, /* measured >= predicted - tolerance */
    CLAIM_AT_MOST,  /* measured <= predicted + tolerance */
};

/* What a claim about this machine found. value NaN: cannot tell, for the reason in why. */
struct claim_here {
    double value, low, high;
    char why[200];
};

struct claim {
    const char *id, *statement, *formula, *unit;
    const char *source; /* "simulated", "counted", "hardware" … */
    const char *broken; /* what `broken` puts in the place of what: "round robin in place of smooth weighted" */
    enum claim_relation relation;
    uint32_t seeds;                   /* replications */
    struct claim_subject of, instead; /* with the cure; with the failing algorithm, where that differs in its subject */
    /* From the formula, computed, never copied; NULL: it is the number `predicted`. */
    double (*predict)(const struct claim_run *run);
    double predicted;
    double (*measure)(const struct claim_run *run); /* one replication; called on several threads at once */
    /* In place of measure; may use all cores. */
    void (*measure_here)(const struct claim_run *run, struct claim_here *here);
    double slack;          /* what the formula leaves open, in the unit */
    const char *slack_why; /* NULL when slack is 0 */
};

struct claim_series {
    const char *name;
    bool line; /* theory as a line, measurements as points with their spread */
    uint32_t points;
    const double *at;        /* x of each point, or: */
    double (*x)(uint32_t i); /* of the i-th */
    struct claim_subject of;
    double (*y)(const struct claim_run *run); /* for run->x and a seed (a line ignores it) */
};

struct claim_plot {
    const char *id, *title, *reading, *x, *x_unit, *y, *y_unit;
    bool log_x, log_y;
    uint32_t seeds;
    const struct claim_series *series; /* ends with a NULL name */
};

struct claim_suite {
    const char *lab_folder; /* "01-load-balancing": title, incident and what to try next come from its lab.json */
    const struct claim *claim;
    uint32_t claims;
    const struct claim_plot *plot;
    uint32_t plots;
};

int claims_main(int argc, char **argv, const struct claim_suite *suite);

/* Claims and plots that stand in several files, a part each. */
struct claim_part {
    const struct claim *claim;
    uint32_t claims;
    const struct claim_plot *plot;
    uint32_t plots;
};

/* claims_main for all parts in a row; parts ends with NULL. */
int claims_main_parts(int argc, char **argv, const char *lab_folder, const struct claim_part *const *parts);

#endif
