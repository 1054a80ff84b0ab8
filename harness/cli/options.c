#include "cli/command.h"

#include "base/text.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, NUMBER, FLAG };

static const struct option {
    const char *name, *argument, *help;
    enum kind kind;
    size_t at, have; /* where it goes in struct options; have: the flag that says it was given */
} table[] = {
    {"help", NULL, "this text", FLAG, offsetof(struct options, help), 0},
    {"json", "FILE", "also write the result as JSON (- for standard output)", TEXT, offsetof(struct options, json), 0},
    {"seed", "N", "draw everything random from N", NUMBER, offsetof(struct options, seed),
     offsetof(struct options, have_seed)},
    {"quiet", NULL, "no progress, only the result", FLAG, offsetof(struct options, quiet), 0},
    {"test", "TASK/TEST", "one test only", TEXT, offsetof(struct options, test), 0},
    {"submission", "DIR", "the folder with the files to hand in (default: the lab's own)", TEXT,
     offsetof(struct options, submission), 0},
    {"plugin", "FILE.so", "a plugin of yours: tested in place of the lab's own, replayed beside the reference", TEXT,
     offsetof(struct options, plugin), 0},
    {"secret", "N", "draw the hidden seeds from N, the same for a whole class (default: a new one each time)", NUMBER,
     offsetof(struct options, secret), offsetof(struct options, have_secret)},
    {"allow-unsafe", NULL, "grade even where the sandbox lacks a layer; the report says so", FLAG,
     offsetof(struct options, allow_unsafe), 0},
    {"junit", "FILE", "also write JUnit XML", TEXT, offsetof(struct options, junit), 0},
    {"tap", "FILE", "also write TAP", TEXT, offsetof(struct options, tap), 0},
    {"gradescope", "FILE", "also write Gradescope's results.json", TEXT, offsetof(struct options, gradescope), 0},
    {"classroom", "FILE", "also write GitHub Classroom's result (base64)", TEXT, offsetof(struct options, classroom),
     0},
    {"debug", NULL, "run the entry without sandbox or limits, and say how to start a debugger", FLAG,
     offsetof(struct options, debug), 0},
    {"entries", "A,B", "these entries only", TEXT, offsetof(struct options, entries), 0},
    {"sizes", "N,N", "these sizes only", TEXT, offsetof(struct options, sizes), 0},
    {"threads", "N,N", "these numbers of threads only", TEXT, offsetof(struct options, threads), 0},
    {"operations", "A,B", "these operations only", TEXT, offsetof(struct options, operations), 0},
    {"counters", "MODE", "auto, hardware, software, simulated or all", TEXT, offsetof(struct options, counters), 0},
    {"baseline", "FILE", "an earlier result to compare with (written by --json)", TEXT,
     offsetof(struct options, baseline), 0},
    {"rounds", "N", "so many rounds; more resolve smaller differences", TEXT, offsetof(struct options, rounds), 0},
    {"trials", "N", "instead of the card: so many comparisons of a loop with itself, and with one 5 % slower", TEXT,
     offsetof(struct options, trials), 0},
    {"load", "N", "with --trials: so many busy threads beside them", TEXT, offsetof(struct options, load), 0},
    {"broken", NULL, "measure with the failing algorithm in the cure's place: every claim must then turn false", FLAG,
     offsetof(struct options, broken), 0},
    {"only", "NAME", "one of them only", TEXT, offsetof(struct options, only), 0},
    {"markdown", NULL, "the tasks as the table that stands in the handout", FLAG, offsetof(struct options, markdown),
     0},
    {"rules", NULL, "the rules as the list that stands in the handout", FLAG, offsetof(struct options, rules), 0},
    {"sample", "N", "so many of them, drawn by the seed", TEXT, offsetof(struct options, sample), 0},
    {"all", NULL, "all of them", FLAG, offsetof(struct options, all), 0},
    {"anew", NULL, "measure again what was kept from an earlier run", FLAG, offsetof(struct options, anew), 0},
};
#define OPTIONS (sizeof table / sizeof *table)

static bool takes(const struct command *command, const char *name)
{
    static const char *const always[] = {"help", "json", "seed", "quiet"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (strcmp(always[i], name) == 0)
            return true;
    size_t n = strlen(name);
    for (const char *p = command->options; (p = strstr(p, name)); p++)
        if ((p == command->options || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

static void print_option(const char *name, const char *argument, const char *what)
{
    char left[60];
    snprintf(left, sizeof left, "--%s%s%s", name, argument ? " " : "", argument ? argument : "");
    printf("  %-22s %s\n", left, what);
}

/* The options that this lab adds to the command. */
static const struct lab_option *own_options(const struct command *command, const struct lab *lab, uint32_t *n)
{
    const bool replay = command->own == OWN_REPLAY;
    *n = !lab || command->own < OWN_REPLAY ? 0 : replay ? lab->replays : lab->demos;
    return *n == 0 ? NULL : replay ? lab->replay : lab->demo;
}

void options_help(const struct command *command, const struct lab *lab)
{
    printf("%s\n\n  faultline %s\n\n", command->summary, command->usage);
    if (command->detail)
        printf("%s\n\n", command->detail);
    for (size_t i = 0; i < OPTIONS; i++)
        if (takes(command, table[i].name))
            print_option(table[i].name, table[i].argument, table[i].help);
    uint32_t owns;
    const struct lab_option *own = own_options(command, lab, &owns);
    if (owns)
        printf("\nLab %s also takes:\n", lab->id);
    for (uint32_t i = 0; i < owns; i++)
        print_option(own[i].name, own[i].argument, own[i].what);
    printf("\nFor example:\n  %s\n", command->example);
}

/* Names of the options that a command takes, ends with NULL; room for OPTIONS + 1. How many they are. */
static size_t list_taken(const struct command *command, const char **names)
{
    size_t n = 0;
    for (size_t i = 0; i < OPTIONS; i++)
        if (takes(command, table[i].name))
            names[n++] = table[i].name;
    names[n] = NULL;
    return n;
}

static _Noreturn void unknown(const struct command *command, const char *word)
{
    const char *names[OPTIONS + 1];
    list_taken(command, names);
    const char *meant = text_nearest(word, names);
    if (meant)
        error_exit(EXIT_WRONG_USE, "%s: there is no option --%s; was --%s meant?", command->name, word, meant);
    error_exit(EXIT_WRONG_USE, "%s: there is no option --%s; see faultline %s --help", command->name, word,
               command->name);
}

static _Noreturn void unknown_to_lab(const struct command *command, const struct lab *lab, const char *word)
{
    const char *names[OPTIONS + LAB_OPTIONS + 1], *meant;
    uint32_t owns;
    const struct lab_option *own = own_options(command, lab, &owns);
    char *list = NULL;
    size_t n = list_taken(command, names), size;
    FILE *out = open_memstream(&list, &size);
    if (!out)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    for (uint32_t i = 0; i < owns; i++) {
        fprintf(out, "%s--%s %s", i ? ", " : "", own[i].name, own[i].argument);
        names[n++] = own[i].name;
    }
    names[n] = NULL;
    fclose(out);
    meant = text_nearest(word, names);
    error_exit(EXIT_WRONG_USE,
               "%s: there is no option --%s%s%s%s Lab %s takes %s%sthose of every lab (faultline %s %s "
               "--help)",
               command->name, word, meant ? "; was --" : "", meant ? meant : "", meant ? " meant?" : ".", lab->id, list,
               owns ? ", and " : "", command->name, lab->id);
}

void options_of_lab(const struct command *command, const struct lab *lab, const struct options *options)
{
    uint32_t n;
    const struct lab_option *own = own_options(command, lab, &n);
    for (uint32_t i = 0; i < options->owns; i++) {
        const char *name = options->own[i].name;
        const struct lab_option *o = NULL;
        if (!lab)
            error_exit(EXIT_WRONG_USE,
                       "%s: there is no option --%s of all labs; for those of one: faultline %s LAB --help",
                       command->name, name, command->name);
        for (uint32_t k = 0; k < n; k++)
            if (strcmp(own[k].name, name) == 0)
                o = &own[k];
        if (!o)
            unknown_to_lab(command, lab, name);
        if (!options->own[i].value)
            error_exit(EXIT_WRONG_USE, "%s: --%s needs a value: --%s %s", command->name, name, name, o->argument);
    }
}

static void take(const struct command *command, const struct option *o, const char *value, struct options *options)
{
    char *base = (char *)options;
    if (o->kind == FLAG)
        *(bool *)(base + o->at) = true;
    else if (o->kind == TEXT)
        memcpy(base + o->at, &value, sizeof value);
    else {
        uint64_t number;
        if (!text_number(value, &number))
            error_exit(EXIT_WRONG_USE, "%s: --%s takes a number of 0 or more, not \"%s\"", command->name, o->name,
                       value);
        memcpy(base + o->at, &number, sizeof number);
        *(bool *)(base + o->have) = true;
    }
}

static void take_word(const struct command *command, const char *word, struct options *options)
{
    if (!options->lab)
        options->lab = word;
    else if (!options->file && (command->own == OWN_WORD || command->own == OWN_REPLAY))
        options->file = word;
    else if (takes(command, "submission"))
        error_exit(EXIT_WRONG_USE, "%s: \"%s\" is one word too many; was --submission %s meant?", command->name, word,
                   word);
    else
        error_exit(EXIT_WRONG_USE, "%s: \"%s\" is one word too many; see faultline %s --help", command->name, word,
                   command->name);
}

/* Which lab it is may stand further on, so whether it has this option is seen later. */
static void take_own(const struct command *command, const char *name, const char *value, struct options *options)
{
    if (options->owns == LAB_OPTIONS)
        error_exit(EXIT_WRONG_USE, "%s: more than %d options of a lab", command->name, LAB_OPTIONS);
    snprintf(options->own[options->owns].name, sizeof options->own->name, "%s", name);
    options->own[options->owns++].value = value;
}

void options_parse(const struct command *command, int argc, char **argv, struct options *options)
{
    *options = (struct options){0};
    for (int i = 2; i < argc && !options->help; i++) {
        const char *word = argv[i];
        if (strncmp(word, "--", 2) != 0) {
            take_word(command, word, options);
            continue;
        }
        char name[64];
        const char *equals = strchr(word, '=');
        snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - word - 2) : 60, word + 2);
        const struct option *o = NULL;
        for (size_t k = 0; k < OPTIONS; k++)
            if (strcmp(table[k].name, name) == 0 && takes(command, name))
                o = &table[k];
        if (!o && command->own < OWN_REPLAY)
            unknown(command, name);
        const char *value = equals ? equals + 1 : o && o->kind == FLAG ? NULL : i + 1 < argc ? argv[++i] : NULL;
        if (!o) {
            take_own(command, name, value, options);
            continue;
        }
        if (o->kind != FLAG && !value)
            error_exit(EXIT_WRONG_USE, "%s: --%s needs a value: --%s %s", command->name, name, name, o->argument);
        if (o->kind == FLAG && equals)
            error_exit(EXIT_WRONG_USE, "%s: --%s takes no value", command->name, name);
        take(command, o, value, options);
    }
}
