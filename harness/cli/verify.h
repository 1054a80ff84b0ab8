/* verify.h: what the parts of `faultline verify` share. */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "base/side_by_side.h"
#include "cli/command.h"
#include "grade/grade.h"

struct tally {
    struct session *session;
    const struct lab *lab;
    struct side_counts counts;
};

/* One thing that must be so: a line, and a count. */
void verify_line(struct tally *t, bool good, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* n pieces of t's work side by side, as many as there are cores; `name` is what is said of one that is lost. */
void verify_pieces(struct tally *t, uint32_t n, void (*piece)(struct tally *t, uint32_t i, void *context),
                   const char *(*name)(uint32_t i, void *context), void *context);

/* On the host and the grader, or the lab's own. */
void verify_attacks(struct tally *t, bool on_the_host);

#endif
