/* adapter.h: the forms a scenario of lab 01 has in shared memory: a kind, then a packed fleet scenario or a script. */
#ifndef ADAPTER_H
#define ADAPTER_H

#include "fleet.h"
#include "script.h"

/* The first eight bytes of a scenario; what follows is aligned to 8 like itself. Each pick is a uint32_t in the log. */
enum adapter_kind { ADAPTER_FLEET = 1, ADAPTER_SCRIPT = 2 };

struct adapter_header {
    uint32_t kind, pad;
};

/* Resolves "outlier-ejection+round-robin" into a wrapper and what it wraps; a plain name into ops alone. NULL when a
 * name is missing, when a wrapper stands alone, or a plain entry is used as a wrapper. */
const struct lb_ops *adapter_find(const struct plugin *plugin, const char *name, const struct lb_ops **inner);

#endif
