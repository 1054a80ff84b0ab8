/* options.c: the options of all commands, and those that a lab adds to its own. */
#include "cli/command.h"

#include "base/memory.h"
#include "base/options.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All options that a command may take; what they are put into. Room for OPTIONS_MOST. */
static uint32_t all_rows(struct options *o, struct option_row *row)
{
    const struct option_row rows[] = {
        option_text("json", "FILE", &o->json, "also write the result as JSON (- for standard output)"),
        option_number("seed", &o->seed, &o->have_seed, "draw everything random from N"),
        option_flag("quiet", &o->quiet, "no progress, only the result"),
        option_text("test", "TASK/TEST", &o->test, "one test only"),
        option_text("submission", "DIR", &o->submission,
                    "the folder with the files to hand in (default: the lab's own)"),
        option_text("plugin", "FILE.so", &o->plugin,
                    "a plugin of yours: tested in place of the lab's own, replayed beside the reference"),
        option_number("secret", &o->secret, &o->have_secret,
                      "draw the hidden seeds from N, the same for a whole class (default: a new one each time)"),
        option_flag("allow-unsafe", &o->allow_unsafe, "grade even where the sandbox lacks a layer; the report says so"),
        option_text("junit", "FILE", &o->junit, "also write JUnit XML"),
        option_text("tap", "FILE", &o->tap, "also write TAP"),
        option_text("gradescope", "FILE", &o->gradescope, "also write Gradescope's results.json"),
        option_text("classroom", "FILE", &o->classroom, "also write GitHub Classroom's result (base64)"),
        option_flag("debug", &o->debug, "run the entry without sandbox or limits, and say how to start a debugger"),
        option_text("entries", "A,B", &o->entries, "these entries only"),
        option_text("sizes", "N,N", &o->sizes, "these sizes only"),
        option_text("threads", "N,N", &o->threads, "these numbers of threads only"),
        option_text("operations", "A,B", &o->operations, "these operations only"),
        option_text("counters", "MODE", &o->counters, "auto, hardware, software, simulated or all"),
        option_text("baseline", "FILE", &o->baseline, "an earlier result to compare with (written by --json)"),
        option_text("rounds", "N", &o->rounds, "so many rounds; more resolve smaller differences"),
        option_text("trials", "N", &o->trials,
                    "instead of the card: so many comparisons of a loop with itself, and with one 5 % slower"),
        option_text("load", "N", &o->load, "with --trials: so many busy threads beside them"),
        option_flag("broken", &o->broken,
                    "measure with the failing algorithm in the cure's place: every claim must then turn false"),
        option_text("only", "NAME", &o->only, "one of them only"),
        option_flag("markdown", &o->markdown, "the tasks as the table that stands in the handout"),
        option_flag("rules", &o->rules, "the rules as the list that stands in the handout"),
        option_text("sample", "N", &o->sample, "so many of them, drawn by the seed"),
        option_flag("all", &o->all, "all of them"),
        option_flag("anew", &o->anew, "measure again what was kept from an earlier run")};
    memcpy(row, rows, sizeof rows);
    return COUNT(rows);
}

static bool takes(const struct command *command, const char *name)
{
    static const char *const always[] = {"json", "seed", "quiet"};
    for (size_t i = 0; i < COUNT(always); i++)
        if (strcmp(always[i], name) == 0)
            return true;
    size_t n = strlen(name);
    for (const char *p = command->options; (p = strstr(p, name)); p++)
        if ((p == command->options || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

/* Those that a command takes. */
static uint32_t rows_of(const struct command *command, struct options *o, struct option_row *row)
{
    struct option_row all[OPTIONS_MOST];
    uint32_t n = 0, every = all_rows(o, all);
    for (uint32_t i = 0; i < every; i++)
        if (takes(command, all[i].name))
            row[n++] = all[i];
    return n;
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
    struct option_row row[OPTIONS_MOST];
    struct options none;
    const uint32_t n = rows_of(command, &none, row);
    printf("%s\n\n  faultline %s\n\n", command->summary, command->usage);
    if (command->detail)
        printf("%s\n\n", command->detail);
    option_print(&(struct option_row){.name = "help", .help = "this text"});
    for (uint32_t i = 0; i < n; i++)
        option_print(&row[i]);
    uint32_t owns;
    const struct lab_option *own = own_options(command, lab, &owns);
    if (owns)
        printf("\nLab %s also takes:\n", lab->id);
    for (uint32_t i = 0; i < owns; i++)
        option_print(&(struct option_row){.name = own[i].name, .argument = own[i].argument, .help = own[i].what});
    printf("\nFor example:\n  %s\n", command->example);
}

static _Noreturn void unknown_to_lab(const struct command *command, const struct lab *lab, const char *word)
{
    const char *names[OPTIONS_MOST + LAB_OPTIONS + 1], *meant;
    struct option_row row[OPTIONS_MOST];
    struct options none;
    uint32_t owns, n = rows_of(command, &none, row);
    const struct lab_option *own = own_options(command, lab, &owns);
    char *list = NULL;
    size_t size;
    FILE *out = open_memstream(&list, &size);
    if (!out)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    for (uint32_t i = 0; i < n; i++)
        names[i] = row[i].name;
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

/* Which lab it is may stand further on, so whether it has this option is seen later. */
static bool take_own(const char *name, const char *value, void *context)
{
    struct options *o = context;
    if (o->owns == LAB_OPTIONS)
        error_exit(EXIT_WRONG_USE, "more than %d options of a lab", LAB_OPTIONS);
    snprintf(o->own[o->owns].name, sizeof o->own->name, "%s", name);
    o->own[o->owns++].value = value;
    return true;
}

void options_parse(const struct command *command, int argc, char **argv, struct options *options)
{
    struct option_row row[OPTIONS_MOST];
    const char *word[3] = {NULL};
    char see[64];
    struct error err;
    struct option_table table = {.program = command->name,
                                 .see = see,
                                 .usage = command->usage,
                                 .row = row,
                                 .word = word,
                                 .most_words = COUNT(word),
                                 .unknown = command->own < OWN_REPLAY ? NULL : take_own,
                                 .context = options};
    *options = (struct options){0};
    table.rows = rows_of(command, options, row);
    snprintf(see, sizeof see, "faultline %s --help", command->name);
    const int code = options_read(&table, argc - 1, argv + 1, &err);
    if (code < 0)
        error_exit(EXIT_WRONG_USE, "%s: %s", command->name, err.text);
    const uint32_t most = command->own == OWN_REPLAY || command->own == OWN_WORD || command->own == OWN_NEW ? 2 : 1;
    options->help = code > 0;
    options->lab = word[0];
    options->file = most == 2 ? word[1] : NULL;
    if (table.words > most && !options->help && takes(command, "submission"))
        error_exit(EXIT_WRONG_USE, "%s: \"%s\" is one word too many; was --submission %s meant?", command->name,
                   word[most], word[most]);
    if (table.words > most && !options->help)
        error_exit(EXIT_WRONG_USE, "%s: \"%s\" is one word too many; see %s", command->name, word[most], see);
}
