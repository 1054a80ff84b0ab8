/* traced_options.h: what this replay takes besides what every replay does. */
#ifndef TRACED_OPTIONS_H
#define TRACED_OPTIONS_H

#include "replay/replay.h"
#include "traced_input.h"

#define TRACED_SIZES 8u

/* A capacity: a share of what all keys take together, or so many bytes or objects. */
struct traced_size {
    char text[24]; /* as written */
    double share;  /* 0 … 1; 0: absolute */
    uint64_t absolute;
};

struct traced_options {
    struct replay_options all;
    struct traced_size size[TRACED_SIZES];
    uint32_t sizes;
    int unit; /* 0 bytes, 1 objects */
    int format;
    uint64_t hit_us, miss_us;
    double warm_up; /* of the requests; 0 … 1 */
};

/* Leaves with 2 when they are wrong. */
struct traced_options traced_options_parse(int argc, char **argv);

/* "1%,64MiB,1000". 0, or -EINVAL and what is wrong with the value. to: struct traced_options. */
int traced_options_take_sizes(const char *list, void *to, struct error *err);

/* Of `all`; at least 1. */
uint64_t traced_capacity(const struct traced_size *size, uint64_t all);

#endif
