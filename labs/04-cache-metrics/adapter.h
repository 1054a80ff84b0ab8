/* adapter.h: the forms a scenario of lab 04 has in shared memory: a kind, and what an entry of that kind is run on. */
#ifndef ADAPTER_H
#define ADAPTER_H

#include "callers.h"
#include "requests.h"

enum adapter_kind {
    ADAPTER_REQUESTS = 1, /* struct requests; records: uint64_t (requests.h) */
    ADAPTER_CALLERS,      /* struct callers; struct ask_record */
    ADAPTER_EVENTS,       /* struct events; one struct cm_figures */
    ADAPTER_BOUNDS,       /* struct bounds; uint32_t, a key for each request */
};

/* The first eight bytes of a scenario; what follows is aligned to 8 like itself. */
struct adapter_header {
    uint32_t kind, pad;
};

struct events {
    struct cm_period period;
    uint32_t count;
    uint32_t rounds; /* it is asked so often, and the last answer is logged; 0: once */
    struct cm_event event[];
};

struct bounds {
    uint32_t capacity, keys, requests, most_misses;
    uint32_t cost_us[]; /* [keys] */
};

#endif
