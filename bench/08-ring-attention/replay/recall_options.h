/* recall_options.h: what a replay was asked for. */
#ifndef RECALL_OPTIONS_H
#define RECALL_OPTIONS_H

#include "replay/replay.h"

#include <stdint.h>

#define RECALL_WINDOWS     4u
#define RECALL_MOST_TOKENS ((uint64_t)1 << 40)

struct recall_options {
    struct replay_options all;   /* what every replay takes */
    const char *question, *plot; /* NULL: not given */
    uint64_t tokens, context;    /* 0: not given */
    uint64_t words, needles, ranks;
    uint64_t window[RECALL_WINDOWS];
    uint32_t windows; /* 0: not given */
};

/* Ends the program with exit code 2, and says why, where an option is none. */
struct recall_options recall_options_parse(int argc, char **argv);

#endif
