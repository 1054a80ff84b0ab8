/* shared_keys.c: from a key to its state, for entries that many threads call. */
#include "shared_keys.h"

#include <stdlib.h>
#include <string.h>

#define LEAST 8u /* slots of a shard */

static size_t table_size(uint64_t slots)
{
    return sizeof(struct shared_table) + slots * (sizeof(struct shared_name) + sizeof(struct shared_state));
}

static struct shared_table *table_create(uint64_t slots)
{
    struct shared_table *t = aligned_alloc(64, (table_size(slots) + 63) / 64 * 64);
    if (t) {
        memset(t, 0, table_size(slots));
        t->mask = slots - 1;
        t->state = (struct shared_state *)&t->name[slots];
    }
    return t;
}

int shared_keys_create(size_t limiter_size, void **limiter)
{
    struct shared_keys *k = aligned_alloc(128, (limiter_size + 127) / 128 * 128);
    if (!k)
        return -ENOMEM;
    memset(k, 0, limiter_size);
    k->limiter_size = limiter_size;
    *limiter = k;
    for (uint32_t i = 0; i < SHARED_SHARDS; i++) {
        pthread_mutex_init(&k->shard[i].lock, NULL);
        k->shard[i].table = table_create(LEAST);
        k->shard[i].bytes = table_size(LEAST);
    }
    for (uint32_t i = 0; i < SHARED_SHARDS; i++)
        if (!k->shard[i].table) {
            shared_keys_end(k);
            return -ENOMEM;
        }
    return 0;
}

void shared_keys_end(void *limiter)
{
    struct shared_keys *k = limiter;
    for (uint32_t i = 0; i < SHARED_SHARDS; i++) {
        struct shared_table *older;
        for (struct shared_table *t = k->shard[i].table; t; t = older) {
            older = t->older;
            free(t);
        }
        pthread_mutex_destroy(&k->shard[i].lock);
    }
    free(k);
}

size_t shared_keys_bytes(const void *limiter)
{
    const struct shared_keys *k = limiter;
    size_t bytes = k->limiter_size;
    for (uint32_t i = 0; i < SHARED_SHARDS; i++)
        bytes += k->shard[i].bytes;
    return bytes;
}

static uint64_t reach(const struct shared_table *t)
{
    return t->mask < SHARED_REACH ? t->mask + 1 : SHARED_REACH;
}

static const struct shared_slot none;

static struct shared_slot slot_at(struct shared_table *t, uint64_t place)
{
    return (struct shared_slot){&t->name[place & t->mask], &t->state[place & t->mask]};
}

struct shared_slot shared_table_find(struct shared_table *t, uint64_t id)
{
    for (uint64_t i = 0; i < reach(t); i++) {
        struct shared_slot s = slot_at(t, id + i);
        uint64_t found = shared_read(&s.name->id);
        if (found == id)
            return s;
        if (found == 0)
            break; /* a slot that was somebody's never becomes empty again */
    }
    return none;
}

/* ---- the rest holds the shard's mutex ------------------------------------------------------------------------- */

/* Makes `id` the owner of an empty slot, or of one whose owner is idle. */
static struct shared_slot take(const struct shared_keys *k, struct shared_shard *shard, uint64_t id, uint64_t fresh)
{
    struct shared_table *t = shard->table;
    for (uint64_t i = 0; i < reach(t); i++) {
        struct shared_slot s = slot_at(t, id + i);
        uint64_t high = shared_read(&s.state->high);
        if (shared_read(&s.name->id) == 0) {
            __atomic_store_n(&s.state->high, fresh, __ATOMIC_RELAXED);
            __atomic_store_n(&s.name->id, id, __ATOMIC_RELEASE);
            return s;
        }
        if (high >= fresh || !shared_swap(&s.state->high, &high, high | SHARED_LOCK))
            continue; /* not idle, or not any more */
        shard->newest = fresh;
        __atomic_store_n(&s.state->low, 0, __ATOMIC_RELAXED);
        if (!k->extra_stays)
            __atomic_store_n(&s.name->extra, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&s.name->id, id, __ATOMIC_RELEASE);
        __atomic_store_n(&s.state->high, fresh, __ATOMIC_RELEASE);
        return s;
    }
    return none;
}

/* Copies the locked slots of keys that are not idle; false if one finds no place in its reach. */
static bool copy(struct shared_table *from, const uint64_t *high, struct shared_table *to, uint64_t fresh)
{
    for (uint64_t i = 0; i <= from->mask; i++) {
        struct shared_slot old = slot_at(from, i), s;
        uint64_t n = 0;
        if (old.name->id == 0 || high[i] < fresh)
            continue;
        do
            s = slot_at(to, old.name->id + n);
        while (s.name->id != 0 && ++n < reach(to));
        if (n == reach(to))
            return false;
        s.name->id = old.name->id;
        s.name->extra = shared_read(&old.name->extra);
        s.state->low = shared_read(&old.state->low);
        s.state->high = high[i];
    }
    return true;
}

/* A larger table with all that isn't idle, or NULL. high: room for the old table's high words: what each was when it was
 * locked, by the very instruction that locked it. */
static struct shared_table *move(struct shared_table *old, uint64_t *high, uint64_t fresh)
{
    uint64_t slots = old->mask + 1;
    for (uint64_t i = 0; i < slots; i++)
        high[i] = __atomic_fetch_or(&old->state[i].high, SHARED_LOCK, __ATOMIC_ACQ_REL);
    for (uint64_t larger = 2 * slots; larger <= 8 * slots; larger *= 2) {
        struct shared_table *t = table_create(larger);
        if (!t)
            break;
        if (copy(old, high, t, fresh))
            return t;
        free(t);
    }
    for (uint64_t i = 0; i < slots; i++)
        __atomic_store_n(&old->state[i].high, high[i], __ATOMIC_RELEASE);
    return NULL;
}

static int grow(struct shared_shard *shard, uint64_t fresh)
{
    struct shared_table *old = shard->table;
    uint64_t slots = old->mask + 1, kept = 0;
    for (uint64_t i = 0; i < slots; i++)
        kept += old->name[i].id != 0 && shared_read(&old->state[i].high) >= fresh;
    if (kept == 0 || kept < slots / 8)
        return -ENOMEM; /* crowded, yet nearly empty: these keys were chosen to collide */
    uint64_t *high = calloc(slots, sizeof *high);
    struct shared_table *t = high ? move(old, high, fresh) : NULL;
    free(high);
    if (!t)
        return -ENOMEM;
    shard->newest = fresh;
    shard->bytes += table_size(t->mask + 1);
    t->older = old;
    __atomic_store_n(&shard->table, t, __ATOMIC_RELEASE);
    return 0;
}

struct shared_slot shared_keys_add(struct shared_keys *k, uint64_t id, uint64_t fresh)
{
    struct shared_shard *shard = &k->shard[id >> 58];
    struct shared_slot s;
    pthread_mutex_lock(&shard->lock);
    if (fresh < shard->newest)
        fresh = shard->newest;
    do {
        s = shared_table_find(shard->table, id); /* another thread may have been first */
        if (!s.name)
            s = take(k, shard, id, fresh);
    } while (!s.name && grow(shard, fresh) == 0);
    pthread_mutex_unlock(&shard->lock);
    return s;
}
