/* claims_options.c: the options of a claims program. */
#include "report/claims_request.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: claims [--seed N] [--out FILE] [--only ID[,ID...]] [--broken] [--seeded] [--quiet]\n"
    "  --seed N     draw everything random from N (default 1)\n"
    "  --out FILE   leave the figures as JSON in FILE instead of printing a table\n"
    "  --only ID    these claims only, and no plots\n"
    "  --broken     measure with the failing algorithm in the cure's place: every claim must turn false\n"
    "  --seeded     leave out what depends on this machine\n"
    "  --quiet      no progress\n";

static const char *const options[] = {"--seed", "--out", "--only", "--broken", "--seeded", "--quiet", "--help", NULL};

static void want(struct request *r, const char *id)
{
    const struct claim_suite *s = r->suite;
    const char **ids = xcalloc(s->claims + 1u, sizeof *ids);
    bool found = false;
    for (uint32_t i = 0; i < s->claims; i++) {
        ids[i] = s->claim[i].id;
        if (strcmp(id, ids[i]) == 0)
            found = r->wanted[i] = true;
    }
    if (!found) {
        const char *meant = text_nearest(id, ids);
        error_exit(EXIT_WRONG_USE,
                   meant ? "--only: there is no claim %s; was %s meant?" : "--only: there is no claim %s", id, meant);
    }
    free(ids);
    r->some = true;
}

static void want_list(struct request *r, const char *list)
{
    char *copy = strdup(list), *rest = copy;
    for (const char *id; (id = strsep(&rest, ","));)
        if (*id)
            want(r, id);
    free(copy);
}

static _Noreturn void unknown(const char *word)
{
    const char *meant = text_nearest(word, options);
    if (meant)
        error_exit(EXIT_WRONG_USE, "claims: there is no option %s; was %s meant?", word, meant);
    error_exit(EXIT_WRONG_USE, "claims: there is no option %s\n%s", word, usage);
}

/* An option with a value, as "--name value" or "--name=value". */
static void take_value(struct request *r, const char *name, const char *value)
{
    if (!value)
        error_exit(EXIT_WRONG_USE, "claims: %s needs a value\n%s", name, usage);
    if (strcmp(name, "--out") == 0)
        r->out = value;
    else if (strcmp(name, "--only") == 0)
        want_list(r, value);
    else if (!text_number(value, &r->seed) || r->seed > INT64_MAX)
        error_exit(EXIT_WRONG_USE, "claims: --seed takes a number from 0 to 2^63 - 1, not \"%s\"", value);
}

void claims_parse(struct request *r, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char name[32];
        const char *equals = strchr(argv[i], '=');
        size_t size = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        snprintf(name, sizeof name, "%.*s", (int)(size < 31 ? size : 31), argv[i]);
        if (strcmp(argv[i], "--broken") == 0)
            r->broken = true;
        else if (strcmp(argv[i], "--seeded") == 0)
            r->seeded = true;
        else if (strcmp(argv[i], "--quiet") == 0)
            r->quiet = true;
        else if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            exit(EXIT_FINE);
        } else if (strcmp(name, "--seed") == 0 || strcmp(name, "--out") == 0 || strcmp(name, "--only") == 0)
            take_value(r, name, equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL);
        else
            unknown(name);
    }
    for (uint32_t i = 0; i < r->suite->claims && !r->some; i++)
        r->wanted[i] = true;
    for (uint32_t i = 0; i < r->suite->claims; i++)
        r->wanted[i] = r->wanted[i] && !(r->seeded && r->suite->claim[i].measure_here);
}
