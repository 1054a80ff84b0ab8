/* replay.h: somebody's own input through every entry of a lab, as a program.
 *
 * bench/NN-x/replay.c says what it reads, what it does with an entry, and which figures come of it, and
 * `return replay_main(argc, argv, &suite);`. All entries of the reference, and of --plugin, get the same input.
 *
 *     replay FILE|- [--entries A,B] [--plugin FILE.so] [--seed N] [--json FILE] [--quiet] [options of the lab]
 *
 * Exit code 0; 1: an entry failed where none may; 2: wrong use or bad input; 3: cannot tell.
 */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include "base/error.h"
#include "base/options.h"
#include "host/plugin.h"
#include "trace/access_log.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What every replay takes. */
struct replay_options {
    const char *trace;                   /* as written */
    const char *entries, *plugin, *json; /* NULL: not given */
    uint64_t seed;                       /* 1, when not given */
    bool quiet;
};

#define REPLAY_FIGURES 16

/* A column of the table, or a metric of the result, or both. */
struct replay_figure {
    const char *column; /* NULL: the table leaves it out */
    int digits;         /* behind the point, in the table */
    const char *metric; /* NULL: the result leaves it out */
    const char *unit;
    const char *none; /* why there may be no figure: "too few samples beyond it" */
};

struct replay_row {
    char name[80]; /* as shown; those of --plugin end in " (yours)" */
    const void *ops, *inner;
    double figure[REPLAY_FIGURES]; /* NaN: there is none; the table says "too few" */
    bool failed;                   /* for the reason in err */
    struct error err;
};

struct replay_suite {
    const char *lab_folder;          /* "01-load-balancing" */
    const char *example;             /* what to say when there is no input: "which trace? For example: ..." */
    const struct option_row *option; /* the lab's own; lab.json has their help */
    uint32_t options;
    void (*settle)(void);                            /* once options are read; NULL */
    bool (*takes)(const struct plugin_entry *entry); /* can it be replayed by itself? NULL: all can */
    /* Finds what "wrapper+entry" names; and the one that is replayed where none is named. NULL: there is no such thing. */
    bool (*compound)(const struct plugin *plugin, const char *name, struct replay_row *row);
    const char *usual_compound;
    int (*read)(const char *path, const struct replay_options *options, struct error *err); /* 0 or -errno */
    /* One entry, on several threads at once: fills the figures. 0, or -errno and a sentence. */
    int (*run)(struct replay_row *row, const struct replay_options *options);
    bool none_may_fail; /* an entry that does ends the program with 1; else its figures are n/a */
    void (*print)(const struct replay_options *options); /* what was read, above the table; NULL */
    const char *source, *note; /* of all figures: "counted"; what the columns are, below the table */
    const struct replay_figure *figure;
    uint32_t figures;
    void (*json)(json_t *result); /* adds what was read to the result; NULL */
};

int replay_main(int argc, char **argv, const struct replay_suite *suite);

/* ---- its parts, for a lab that shows something else ---- */

/* Reads what every replay takes, and the lab's own; leaves with 2. */
void replay_read_options(struct replay_options *options, const char *lab_folder, const char *example,
                         const struct option_row *own, uint32_t n, int argc, char **argv);
/* Writes the result, whatever the table said; the exit code. */
int replay_write_json(const struct replay_options *options, json_t *result);

/* What an access log had besides requests. */
void replay_print_lines(const struct access_log_counts *counts, uint64_t backwards);

#endif
