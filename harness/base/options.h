/* options.h: the options of a program, as a table that getopt_long reads: --name value and --name=value, in any order
 * among the words that are none.
 *
 * A name is written out: what is near to one is refused with the one that was probably meant. Numbers are decimal or
 * 0x..., and 64K, 1M and 2G are powers of 1,024.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,     /* bool: takes no value */
    OPTION_TEXT,     /* const char *, into argv */
    OPTION_NUMBER,   /* uint64_t */
    OPTION_NUMBER32, /* uint32_t */
    OPTION_WORD,     /* int: which of `words` it is */
    OPTION_OTHER,    /* what `take` makes of it */
};

struct option_row {
    const char *name, *argument; /* "limit"; "N/T", as the help has it, or NULL */
    enum option_kind kind;
    void *to;
    const char *help;         /* NULL: the help leaves it out */
    uint64_t least, most;     /* of a number; most 0: no bound */
    const char *const *words; /* ends with NULL */
    /* May be called more than once. 0; or -errno and what is wrong with the value: "takes ..., not ..." */
    int (*take)(const char *value, void *to, struct error *err);
    bool *given; /* set when the option is there; or NULL */
};

/* Rows of the usual kinds. */
static inline struct option_row option_flag(const char *name, bool *to, const char *help)
{
    return (struct option_row){.name = name, .kind = OPTION_FLAG, .to = to, .help = help};
}
static inline struct option_row option_text(const char *name, const char *argument, const char **to, const char *help)
{
    return (struct option_row){.name = name, .argument = argument, .kind = OPTION_TEXT, .to = to, .help = help};
}
static inline struct option_row option_number(const char *name, uint64_t *to, bool *given, const char *help)
{
    return (struct option_row){
        .name = name, .argument = "N", .kind = OPTION_NUMBER, .to = to, .given = given, .help = help};
}

#define OPTIONS_MOST 64

struct option_table {
    const char *program;          /* "replay" */
    const char *see;              /* where all options stand: "faultline replay 01 --help" */
    const char *usage;            /* what the help says above the options; NULL: --help is no option here */
    const struct option_row *row; /* at most OPTIONS_MOST */
    uint32_t rows;
    const char **word; /* [most_words]: what is no option, in order */
    uint32_t most_words, words;
    /* Called for an option that is not in the table, with the word that follows or stands after =, or NULL; true: it is
     * one that takes this value, somebody else's. NULL: all such are refused. */
    bool (*unknown)(const char *name, const char *value, void *context);
    void *context;
};

/* 0; 1 when --help was asked for, and nothing after it is read; or -EINVAL and a sentence that names the option. */
int options_read(struct option_table *table, int argc, char **argv, struct error *err);

/* For a main program: prints the help and leaves with 0, or says what is wrong and leaves with 2. */
void options_read_or_leave(struct option_table *table, int argc, char **argv);

void options_print(const struct option_table *table); /* the help */
void option_print(const struct option_row *row);      /* a line of it */

#endif
