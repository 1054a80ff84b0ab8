/* options.c: reads the options of a program by a table, with getopt_long. */
#include "base/options.h"

#include "base/text.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number(const struct option_row *row, const char *text, uint64_t *value, struct error *err)
{
    const uint64_t most = row->most ? row->most : row->kind == OPTION_NUMBER32 ? UINT32_MAX : UINT64_MAX;
    const size_t n = text_number(text, value) ? strlen(text) : text_scaled(text, most, value);
    if (n > 0 && text[n] == '\0' && *value >= row->least && *value <= most)
        return 0;
    if (row->most == 0)
        return error_set(err, -EINVAL, "takes a number of %llu or more, not \"%s\"", (unsigned long long)row->least,
                         text);
    return error_set(err, -EINVAL, "takes a number from %llu to %llu, not \"%s\"", (unsigned long long)row->least,
                     (unsigned long long)most, text);
}

static int word(const struct option_row *row, const char *text, struct error *err)
{
    char list[200] = "";
    for (int i = 0; row->words[i]; i++) {
        if (strcmp(row->words[i], text) == 0) {
            *(int *)row->to = i;
            return 0;
        }
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", row->words[i]);
    }
    return error_set(err, -EINVAL, "is one of %s, not \"%s\"", list, text);
}

static int put(const struct option_row *row, const char *value, struct error *err)
{
    uint64_t n;
    int code = 0;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->to = true;
        break;
    case OPTION_TEXT:
        *(const char **)row->to = value;
        break;
    case OPTION_NUMBER:
        code = number(row, value, row->to, err);
        break;
    case OPTION_NUMBER32:
        code = number(row, value, &n, err);
        if (code == 0)
            *(uint32_t *)row->to = (uint32_t)n;
        break;
    case OPTION_WORD:
        code = word(row, value, err);
        break;
    case OPTION_OTHER:
        code = row->take(value, row->to, err);
        break;
    }
    if (row->given)
        *row->given = true;
    return code;
}

static int unknown(const struct option_table *t, const char *given, struct error *err)
{
    const char *names[OPTIONS_MOST + 2] = {NULL};
    for (uint32_t i = 0; i < t->rows; i++)
        names[i] = t->row[i].name;
    if (t->usage)
        names[t->rows] = "help";
    const char *meant = text_nearest(given, names);
    return meant ? error_set(err, -EINVAL, "there is no option --%s; was --%s meant?", given, meant)
                 : error_set(err, -EINVAL, "there is no option --%s; see %s", given, t->see);
}

enum { VALUE = 256, HELP = VALUE + OPTIONS_MOST }; /* what getopt_long returns: above every letter */

/* An option as it was written, and what getopt_long says of it. It also accepts the beginning of a name; here that is as
 * unknown as any other word. */
static int take(struct option_table *t, int found, int argc, char **argv, const char *said, struct error *err)
{
    char name[64];
    const char *equals = strchr(said, '=');
    const int value = found == '?' || found == ':' ? optopt : found;
    const struct option_row *row = value >= VALUE && value < HELP ? &t->row[value - VALUE] : NULL;
    snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - said - 2) : 60, said + 2);
    if (value == HELP && strcmp(name, "help") == 0)
        return found == '?' ? error_set(err, -EINVAL, "--help takes no value") : 1;
    if (row && strcmp(row->name, name) == 0) {
        if (found == '?')
            return error_set(err, -EINVAL, "--%s takes no value", name);
        if (found == ':')
            return error_set(err, -EINVAL, "--%s needs a value: --%s %s", name, name, row->argument);
        const int code = put(row, optarg, err);
        if (code == 0)
            return 0;
        const struct error why = *err;
        return error_set(err, code, "--%s %.800s", name, why.text);
    }
    if (t->unknown && t->unknown(name, optarg ? optarg : equals ? equals + 1 : argv[optind], t->context)) {
        optind += !optarg && !equals && optind < argc;
        return 0;
    }
    return unknown(t, name, err);
}

static int take_word(struct option_table *t, const char *word, struct error *err)
{
    if (t->words == t->most_words)
        return error_set(err, -EINVAL, "\"%s\" is one word too many; see %s", word, t->see);
    t->word[t->words++] = word;
    return 0;
}

int options_read(struct option_table *t, int argc, char **argv, struct error *err)
{
    struct option option[OPTIONS_MOST + 2] = {{NULL, 0, NULL, 0}};
    int code = 0, found, at = 1;
    for (uint32_t i = 0; i < t->rows; i++)
        option[i] = (struct option){t->row[i].name, t->row[i].kind == OPTION_FLAG ? no_argument : required_argument,
                                    NULL, VALUE + (int)i};
    if (t->usage)
        option[t->rows] = (struct option){"help", no_argument, NULL, HELP};
    optind = 0; /* begin anew: it may not be the first time in this process */
    opterr = 0;
    while (code == 0 && (found = getopt_long(argc, argv, "-:", option, NULL)) != -1) {
        const char *said = argv[at];
        if (found == 1)
            code = take_word(t, optarg, err);
        else if (strncmp(said, "--", 2) == 0)
            code = take(t, found, argc, argv, said, err);
        else
            code = error_set(err, -EINVAL, "there is no option %s; see %s", said, t->see);
        at = optind;
    }
    for (int i = optind; i < argc && code == 0; i++) /* behind "--" */
        code = take_word(t, argv[i], err);
    return code;
}

void option_print(const struct option_row *row)
{
    char left[60];
    snprintf(left, sizeof left, "--%s%s%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
    printf("  %-22s %s\n", left, row->help);
}

void options_print(const struct option_table *t)
{
    printf("%s\n\n", t->usage);
    for (uint32_t i = 0; i < t->rows; i++)
        if (t->row[i].help)
            option_print(&t->row[i]);
}

void options_read_or_leave(struct option_table *t, int argc, char **argv)
{
    struct error err;
    int code = options_read(t, argc, argv, &err);
    if (code < 0)
        error_exit(EXIT_WRONG_USE, "%s: %s", t->program, err.text);
    if (code == 0)
        return;
    options_print(t);
    exit(EXIT_FINE);
}
