/* Counters of two threads: packed into one cache line, padded onto lines of their own, or shared, one word for both.
 *
 * Packed or padded, each thread counts in its own word, so no thread ever needs the other's. Packed, both words lie in one line, and the
 * line goes back and forth between the cores at each count: false sharing. An atomic add has to own the line, so it
 * waits each time. A plain store hides it: it is put into the store buffer, which sends many of them at once, so a
 * demonstration with plain stores shows nothing.
 */
#include "cost_parts.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define APART 128 /* two lines: neighbours are fetched in pairs */

const char *const counter_parts[] = {"packed-add", "padded-add", "shared-add", "packed-store", "padded-store", NULL};

struct words {
    bool add;
    size_t apart; /* words */
    _Atomic uint64_t *word;
};

int counter_create(const struct cost_subject *subject, void **state, struct error *err)
{
    struct words *w = calloc(1, sizeof *w);
    (void)err;
    if (!w)
        return -ENOMEM;
    w->add = strstr(subject->name, "-add") != NULL;
    w->apart = strncmp(subject->name, "padded", 6) == 0 ? APART / sizeof *w->word : subject->name[0] == 'p';
    size_t bytes = (subject->threads + 1) * (size_t)APART;
    w->word = aligned_alloc(APART, bytes);
    if (!w->word) {
        free(w);
        return -ENOMEM;
    }
    memset((void *)w->word, 0, bytes);
    *state = w;
    return 0;
}

void counter_run(void *state, unsigned thread, uint64_t n)
{
    const struct words *w = state;
    _Atomic uint64_t *word = &w->word[thread * w->apart];
    if (w->add)
        for (uint64_t i = 0; i < n; i++)
            atomic_fetch_add_explicit(word, 1, memory_order_relaxed);
    else
        for (uint64_t i = 0; i < n; i++)
            atomic_store_explicit(word, i, memory_order_relaxed);
}

void counter_destroy(void *state)
{
    struct words *w = state;
    free((void *)w->word);
    free(w);
}
