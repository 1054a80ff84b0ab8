/* ranks_options.h: what `ranks` was asked for. */
#ifndef RANKS_OPTIONS_H
#define RANKS_OPTIONS_H

#include "job.h"

#include "base/error.h"
#include "host/plugin.h"

struct ranks_options {
    struct job job; /* without its entries */
    const char *entry, *blocks;
    uint32_t check, repeats;
    bool quiet, threads, times;
};

/* 0; 1 when --help was asked for, and printed; or -EINVAL and a sentence. */
int ranks_parse(int argc, char **argv, struct ranks_options *options, struct error *err);

/* Entries from the plugin beside this program; "auto": the fastest blocks that run here and take these numbers. */
int ranks_load(struct ranks_options *options, uint32_t ranks, struct error *err);

/* What may a checked row be off? */
bool ranks_right(const struct job *job, const struct job_error *error);

#endif
