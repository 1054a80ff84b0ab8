/* adapter.h: the forms a scenario of lab 02 has in shared memory: a kind, then a list of calls or a hammer. */
#ifndef ADAPTER_H
#define ADAPTER_H

#include "calls.h"
#include "hammer.h"

enum adapter_kind { ADAPTER_CALLS = 1, ADAPTER_HAMMER = 2 };

/* The first eight bytes of a scenario; what follows is aligned to 8 like itself. Records: struct call_answer, or struct
 * hammer_count. */
struct adapter_header {
    uint32_t kind, pad;
};

#endif
