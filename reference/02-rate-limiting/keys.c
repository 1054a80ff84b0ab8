/* keys.c: from a key to its state, for entries that one thread calls. */
#include "keys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LEAST 16u /* slots */
#define HUGE_PAGE                                                                                                      \
    ((size_t)2048 * 1024) /* larger tables ask for such pages: else each miss in the table is one in the TLB too */

static void *zeroed(size_t bytes)
{
    if (bytes < 2 * HUGE_PAGE)
        return calloc(1, bytes);
    void *memory = aligned_alloc(HUGE_PAGE, (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    if (memory) {
        madvise(memory, bytes, MADV_HUGEPAGE); /* a wish: it works without */
        memset(memory, 0, bytes);
    }
    return memory;
}

static uint64_t *slot_at(const struct keys *k, uint64_t i)
{
    return (uint64_t *)(void *)(k->slots + i * k->slot_size);
}

static void start(struct keys *k, unsigned char *slots, uint64_t capacity)
{
    k->slots = slots;
    k->mask = capacity - 1;
    k->used = 0;
    k->until_sweep = 4 * capacity;
}

int keys_create(size_t limiter_size, size_t slot_size, keys_idle *idle, void **limiter)
{
    struct keys *k = aligned_alloc(16, (limiter_size + 15) / 16 * 16);
    void *slots = calloc(LEAST, slot_size), *zero = calloc(1, slot_size);
    if (!k || !slots || !zero) {
        free(k);
        free(slots);
        free(zero);
        return -ENOMEM;
    }
    memset(k, 0, limiter_size);
    k->zero = zero;
    k->slot_size = slot_size;
    k->limiter_size = limiter_size;
    k->idle = idle;
    start(k, slots, LEAST);
    *limiter = k;
    return 0;
}

size_t keys_bytes(const void *limiter)
{
    const struct keys *k = limiter;
    return k->limiter_size + (k->mask + 2) * k->slot_size;
}

/* How many slots there are that must be kept. */
static uint64_t live(struct keys *k, uint64_t now)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i <= k->mask; i++)
        if (*slot_at(k, i) && !k->idle(k, slot_at(k, i), now))
            count++;
    (void)k->idle(k, k->zero, now);
    return count;
}

void keys_end(void *limiter)
{
    struct keys *k = limiter;
    (void)live(k, UINT64_MAX);
    free(k->slots);
    free(k->zero);
    free(k);
}

static uint64_t *first_empty(const struct keys *k, uint64_t id)
{
    uint64_t i = id & k->mask;
    while (*slot_at(k, i))
        i = (i + 1) & k->mask;
    return slot_at(k, i);
}

/* To a table with room for `count` that stay, and as many more. */
static int move(struct keys *k, uint64_t count, uint64_t now)
{
    uint64_t capacity = LEAST;
    while (capacity < 2 * (count + 1))
        capacity *= 2;
    struct keys old = *k;
    unsigned char *slots = zeroed(capacity * k->slot_size);
    if (!slots)
        return -ENOMEM;
    start(k, slots, capacity);
    for (uint64_t i = 0; i <= old.mask; i++) {
        uint64_t *slot = slot_at(&old, i);
        if (*slot == 0 || k->idle(k, slot, now))
            continue;
        memcpy(first_empty(k, *slot), slot, k->slot_size);
        k->used++;
    }
    free(old.slots);
    return 0;
}

void *keys_add(struct keys *k, uint64_t id, uint64_t now)
{
    if (k->used >= (k->mask + 1) / 4 * 3 && move(k, live(k, now), now) != 0)
        return NULL;
    uint64_t *slot = first_empty(k, id);
    *slot = id;
    k->used++;
    return slot;
}

void keys_sweep(struct keys *k, uint64_t now)
{
    uint64_t count = live(k, now);
    k->until_sweep = 4 * (k->mask + 1);
    if (k->mask >= LEAST && count < (k->mask + 1) / 4)
        (void)move(k, count, now); /* without memory it stays as it is */
}
