/* retries.c: what all entries that try again have in common. */
#include "retries.h"

#include <errno.h>
#include <stdlib.h>

int retries_create(const struct cb_retry_config *config, void **retries)
{
    struct retries *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    *r = (struct retries){.config = *config, .saved = 100 * (uint64_t)config->budget_most};
    *retries = r;
    return 0;
}

void retries_destroy(void *retries)
{
    free(retries);
}
