/* command.h: the commands of `faultline`, and the options they are given.
 *
 * A command is a row of the table in main.c: its name, its help, the options it takes, and a function that returns the
 * exit code. Options are declared once, in options.c; an option that a command does not take is refused with the one
 * that was probably meant.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/file.h"
#include "grade/lab.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What was asked for. Strings point into argv. */
struct options {
    const char *lab;  /* as written; NULL: none was named */
    const char *file; /* the second word: a trace, the name of a mistake */
    const char *test, *submission, *plugin, *json, *junit, *tap, *gradescope, *classroom, *entries, *only, *sizes,
        *threads, *operations, *counters, *baseline, *rounds, *trials, *load, *sample;
    uint64_t seed, secret;
    bool have_seed, have_secret;
    bool quiet, debug, allow_unsafe, broken, all, markdown, rules, anew, help;
    struct {
        char name[64];
        const char *value; /* NULL: nothing followed */
    } own[LAB_OPTIONS];    /* options of the lab's own replay or demo, as written; options_of_lab checks them */
    uint32_t owns;
};

/* Everything a command works on. */
struct session {
    char root[FILE_PATH], build[FILE_PATH]; /* absolute */
    struct lab **labs;                      /* all, by number */
    struct lab *lab;                        /* the one that was named, or NULL */
    struct options options;
};

struct command {
    const char *name, *summary, *usage, *example;
    const char *options; /* names it takes, separated by blanks, beside json seed quiet help */
    bool needs_lab;
    enum command_own {
        OWN_NONE,
        OWN_NEW,    /* a number and a name that no lab has yet */
        OWN_WORD,   /* a second word, no options of the lab's */
        OWN_REPLAY, /* a second word, the trace, and the options in the lab's "replay" */
        OWN_DEMO    /* the options in the lab's "demo" */
    } own;
    enum exit_code (*run)(struct session *session);
    const char *detail; /* more help, or NULL */
};

/* Fills options from argv[2]… for a command, up to --help; leaves with exit code 2 and a sentence when they are wrong. */
void options_parse(const struct command *command, int argc, char **argv, struct options *options);
/* Once the lab is known (NULL: none was named): are those in options->own options of its replay or demo? Leaves with 2
 * when one is none. */
void options_of_lab(const struct command *command, const struct lab *lab, const struct options *options);
void options_help(const struct command *command, const struct lab *lab); /* lab: with its own options; or NULL */

/* The folder of a lab's programs and plugins: build/labs/NN-name/FILE. */
const char *session_file(const struct session *s, const struct lab *lab, const char *file, char *out);
/* Leaves with exit code 3 and a sentence unless the lab is built and newer than its sources. */
void session_need_build(const struct session *s, const struct lab *lab);
/* For check and watch: the path of the plugin of what the student edits, built when it must be. Leaves with 1 when that
 * does not build, with 3 when anything else does not. */
void session_build_plugin(const struct session *s, char *plugin);
/* Writes json to path, "-" for standard output; frees the reference. 0 or exit code 2 after saying why. */
int session_write_json(const char *path, json_t *json);
int session_write_text(const char *path, char *text);       /* frees text */
void session_need_lab(struct session *s, const char *name); /* finds it, or leaves with 2 and what was probably meant */
struct lab_test *session_test(const struct session *s); /* of --test, or NULL; leaves with 2 when there is none such */

void session_print_counters(const struct session *s); /* the table of `faultline counters` */
json_t *session_counters_json(const struct session *s);
/* Writes build/report from what demo and bench left there, and says where it is. 0, or exit code 3 after saying why. */
enum exit_code session_report(const struct session *s);
void session_say_report(const struct session *s, const char *folder);

/* Finds folders and labs, then runs the command. */
enum exit_code session_start(const struct command *command, struct session *session);

enum exit_code command_list(struct session *session);
enum exit_code command_machine(struct session *session);
enum exit_code command_demo(struct session *session);
enum exit_code command_check(struct session *session);
enum exit_code command_watch(struct session *session);
enum exit_code command_grade(struct session *session);
enum exit_code command_bench(struct session *session);
enum exit_code command_counters(struct session *session);
enum exit_code command_replay(struct session *session);
enum exit_code command_status(struct session *session);
enum exit_code command_hint(struct session *session);
enum exit_code command_reset(struct session *session);
enum exit_code command_flags(struct session *session);
enum exit_code command_verify(struct session *session);
enum exit_code command_mistake(struct session *session);
enum exit_code command_mutants(struct session *session);
enum exit_code command_new_lab(struct session *session);

#endif
