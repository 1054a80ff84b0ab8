/* adapter.h: the forms a scenario of lab 05 has in shared memory: a kind, and what an entry of that kind is run on. */
#ifndef ADAPTER_H
#define ADAPTER_H

#include "services.h"
#include "steps.h"
#include "storage.h"

enum adapter_kind {
    ADAPTER_STEPS = 1, /* struct steps, for a breaker or a retry; records: uint64_t (steps.h) */
    ADAPTER_SERVICES,  /* struct services, for a queue; uint64_t (decided.h) */
    ADAPTER_STORAGE,   /* struct storage, for a retry; uint64_t (decided.h) */
    ADAPTER_BOUNDS,    /* struct cb_bounds; struct cb_fault */
};

/* The first eight bytes of a scenario; what follows is aligned to 8 like itself. */
struct adapter_header {
    uint32_t kind, pad;
};

#endif
