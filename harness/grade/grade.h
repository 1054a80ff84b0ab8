/* grade.h: from files to a result.
 *
 * Nothing of a submission runs in this process or in the judge's: it is compiled and run inside the sandbox, in
 * processes of its own.
 */
#ifndef GRADE_GRADE_H
#define GRADE_GRADE_H

#include "grade/result.h"

struct grade_options {
    const char *root, *build; /* the project's folder, and the build's ("build" below it) */
    const char *only;         /* "task/test", or NULL: all */
    uint64_t seed;            /* public runs use this seed alone; 0: the lab's public seeds */
    uint64_t secret;          /* hidden seeds are drawn from it; 0: no hidden runs */
    bool allow_unsafe;        /* grade even without the layers that grading needs */
    bool link_unchecked;      /* what linked.h would refuse is run all the same: for tests of the sandbox */
    bool as_found;            /* a run that fails is shown as it is, and not made smaller first */
    unsigned program_ms;      /* the tests of a seed may take so long, or it is -ETIMEDOUT; 0: two hours */
    unsigned jobs;            /* tests at the same time; 0: as many as there are cores */
    bool quiet;
};

/* Runs the lab's tests on a plugin that is built already. 0 and *result (which may say "fault"), or -errno and a
 * sentence. */
int grade_plugin(const struct lab *lab, const char *plugin, const struct grade_options *options,
                 struct grade_result **result, struct error *err);

/* Takes the files to hand in out of folder, lays them over the lab's own headers, compiles in the sandbox, runs the
 * tests. 0 and *result, also when it does not build; -EPERM when the sandbox lacks a layer that grading needs; other
 * -errno for wrong use. */
int grade_submission(const struct lab *lab, const char *folder, const struct grade_options *options,
                     struct grade_result **result, struct error *err);

/* The steps, for those above and for tests. */
int submission_take(const struct lab *lab, const char *folder, const char *into, char **notes, struct error *err);
int submission_build(const struct lab *lab, const struct grade_options *options, const char *work, char *plugin,
                     char **output, struct error *err);

#endif
