/* claims_options.c: the options of a claims program. */
#include "report/claims_request.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int want(struct request *r, const char *id, struct error *err)
{
    const struct claim_suite *s = r->suite;
    const char **ids = xcalloc(s->claims + 1u, sizeof *ids), *meant;
    bool found = false;
    for (uint32_t i = 0; i < s->claims; i++) {
        ids[i] = s->claim[i].id;
        if (strcmp(id, ids[i]) == 0)
            found = r->wanted[i] = true;
    }
    meant = text_nearest(id, ids);
    free(ids);
    r->some = true;
    if (found)
        return 0;
    return error_set(err, -EINVAL, meant ? "names no claim: %s; was %s meant?" : "names no claim: %s", id, meant);
}

static int want_list(const char *list, void *to, struct error *err)
{
    char *copy = strdup(list), *rest = copy;
    int code = 0;
    for (const char *id; code == 0 && (id = strsep(&rest, ","));)
        if (*id)
            code = want(to, id, err);
    free(copy);
    return code;
}

void claims_parse(struct request *r, int argc, char **argv)
{
    const struct option_row rows[] = {
        {.name = "seed",
         .argument = "N",
         .kind = OPTION_NUMBER,
         .to = &r->seed,
         .most = INT64_MAX,
         .help = "draw everything random from N (default 1)"},
        option_text("out", "FILE", &r->out, "leave the figures as JSON in FILE instead of printing a table"),
        {.name = "only",
         .argument = "ID[,ID...]",
         .kind = OPTION_OTHER,
         .to = r,
         .take = want_list,
         .help = "these claims only, and no plots"},
        option_flag("broken", &r->broken,
                    "measure with the failing algorithm in the cure's place: every claim must turn false"),
        option_flag("seeded", &r->seeded, "leave out what depends on this machine"),
        option_flag("quiet", &r->quiet, "no progress")};
    struct option_table table = {.program = "claims",
                                 .see = "claims --help",
                                 .usage = "claims: measures what the article says, and whether it holds",
                                 .row = rows,
                                 .rows = COUNT(rows)};
    options_read_or_leave(&table, argc, argv);
    for (uint32_t i = 0; i < r->suite->claims; i++)
        r->wanted[i] = (r->wanted[i] || !r->some) && !(r->seeded && r->suite->claim[i].measure_here);
}
