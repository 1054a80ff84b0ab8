/* lab.h: a lab as its lab.json describes it: the one place for tasks, points, limits, hints and the files to hand in.
 *
 * lab.json is checked field by field against the schema in lab.c; an error names the file and the field
 * ("tasks[2].tests[0].points: ..."). A lab is loaded once and never changed; the caller frees it with lab_destroy.
 */
#ifndef GRADE_LAB_H
#define GRADE_LAB_H

#include "base/error.h"
#include "base/file.h"
#include "host/host.h"

#include <stdint.h>

#define LAB_HINTS       3
#define LAB_TEST_BUDGET 3u /* all runs of a test together may use as much processor time as so many runs */
#define LAB_OPTIONS     16 /* options of its own that a lab's replay can have, and its demo */

/* Points for a figure that a test measures: all at `full` or better, none at `none` or worse, and between them by the
 * logarithm, so that halving what is too much gains the same everywhere. Better is smaller when full < none. */
struct lab_ramp {
    double full, none; /* 0: the test has no ramp, it passes or fails */
};

/* A sentence of the contract or the handout that an implementation can break. The handout's list is made from these. */
struct lab_rule {
    char *id; /* "errors-end-a-request" */
    char *text;
};

struct lab_test {
    char *id;                       /* "published-sequence" */
    char *what;                     /* what it shows, in one line */
    uint32_t points, hidden_points; /* for the public seeds, for the hidden ones */
    struct lab_ramp ramp;
    char **rules; /* ids of those that it holds; ends with NULL */
    char *needs;  /* "reference": left out where the lab's reference is not built; NULL: nothing */
    struct lab_task *task;
};

struct lab_task {
    char *id; /* "smooth-weighted" */
    char *title;
    char *entry; /* the entry that the student registers */
    char *hint[LAB_HINTS];
    struct lab_test *test;
    uint32_t tests;
};

struct lab_mistake {
    char *name;      /* "burst": reference/NN-x/mistakes/burst.patch says what its author believed */
    char *caught_by; /* "task/test" */
};

/* An option of the lab's own program replay or demo; `faultline replay` takes it beside those that every replay has, and
 * `faultline demo` with one of them runs the lab's demo program in place of its claims. */
struct lab_option {
    char *name;     /* "limit" */
    char *argument; /* "N/T" */
    char *what;     /* what it says, for the help */
};

struct lab {
    char folder[FILE_PATH];  /* "labs/01-load-balancing", below the project's root */
    char *id, *name, *title; /* "01", "load-balancing", "When round robin fails" */
    char *incident[3];
    char **next;    /* what to try next; ends with NULL */
    char **hand_in; /* file names; ends with NULL */
    bool threads;   /* its entries may use locks */
    struct host_limits limits;
    uint32_t build_seconds;
    uint64_t *public_seed; /* [public_seeds] */
    uint32_t public_seeds, hidden_seeds;
    struct lab_task *task;
    uint32_t tasks;
    struct lab_rule *rule;
    uint32_t rules;
    struct lab_mistake *mistake;
    uint32_t mistakes;
    struct lab_option *replay, *demo;
    uint32_t replays, demos;
    void *json;   /* what the strings above point into */
    char *broken; /* why lab.json can't be used: then there is nothing but folder, id and name; else NULL */
};

/* Reads labs/NN-name/lab.json below root. 0, or -errno and a sentence. */
int lab_load(const char *root, const char *folder_name, struct lab **out, struct error *err);
void lab_destroy(struct lab *lab);

uint32_t lab_points(const struct lab *lab); /* of all tests, public and hidden */
uint32_t lab_public_points(const struct lab *lab);
struct lab_task *lab_find_task(const struct lab *lab, const char *id);
const struct lab_rule *lab_find_rule(const struct lab *lab, const char *id);
/* The share of the points, 0 … 1, that a figure above 0 gets. */
double lab_share(const struct lab_ramp *ramp, double figure);
uint32_t lab_share_points(double share, uint32_t points); /* rounded down */
/* By "task/test", or "test" alone where only one task has a test of that name. */
struct lab_test *lab_find_test(const struct lab *lab, const char *name);

/* The path of its world below the build folder; returns out. */
const char *lab_world(const struct lab *lab, const char *build, char *out);

/* All labs below root, by number, the broken ones too: a list that ends with NULL, freed with lab_list_destroy. NULL and
 * a sentence where there is no folder of labs. */
struct lab **lab_list(const char *root, struct error *err);
void lab_list_destroy(struct lab **labs);

#endif
