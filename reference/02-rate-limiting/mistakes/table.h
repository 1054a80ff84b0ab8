/* table.h: what the mistakes share: the starter's table of keys, which is right, and small helpers. */
#ifndef TABLE_H
#define TABLE_H

#include "rate_limiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

/* A limiter's struct begins with a struct keys. The state of a key that was never seen, or that was forgotten, is all
 * zeros; so let zeros mean: nobody has asked yet. */
struct keys {
    size_t state_bytes, slots, used; /* slots: a power of two */
    size_t refusals;                 /* so many new keys more are refused, after memory has run out */
    unsigned char *table;            /* [slots] of a struct head and a state behind it */

    /* Would forgetting this state change no decision, now and later? Then it may go. */
    bool (*idle)(const void *limiter, const void *state, uint64_t now);
    void (*drop)(void *state); /* frees what a state owns, before it goes; NULL: it owns nothing */
};

struct head {
    uint64_t key, used;
};

static inline struct head *keys_slot(const struct keys *k, size_t i)
{
    return (struct head *)(k->table + i * (sizeof(struct head) + k->state_bytes));
}

/* Where the key is, or where it would be put. */
static inline struct head *keys_place(const struct keys *k, uint64_t key)
{
    uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (hash ^ hash >> 32) & (k->slots - 1);
    while (keys_slot(k, i)->used && keys_slot(k, i)->key != key)
        i = (i + 1) & (k->slots - 1);
    return keys_slot(k, i);
}

/* Moves the states that are not idle to a table of 2 to 4 times their number. False without memory. */
static inline bool keys_make_room(struct keys *k, uint64_t now)
{
    struct keys next = *k;
    size_t kept = 0;
    if (k->refusals > 0) {
        k->refusals--; /* looking through all of them takes its time */
        return false;
    }
    for (size_t i = 0; i < k->slots; i++)
        kept += keys_slot(k, i)->used && !k->idle(k, keys_slot(k, i) + 1, now);
    for (next.slots = 16; next.slots < 2 * kept;)
        next.slots *= 2;
    next.used = kept;
    next.table = calloc(next.slots, sizeof(struct head) + k->state_bytes);
    if (!next.table) {
        k->refusals = k->slots / 2;
        return false;
    }
    for (size_t i = 0; i < k->slots; i++) {
        struct head *head = keys_slot(k, i);
        if (head->used && !k->idle(k, head + 1, now))
            memcpy(keys_place(&next, head->key), head, sizeof *head + k->state_bytes);
        else if (head->used && k->drop)
            k->drop(head + 1);
    }
    free(k->table);
    *k = next;
    return true;
}

/* The state of a key: good until the next call. NULL without memory. */
static inline void *keys_find(struct keys *k, uint64_t key, uint64_t now)
{
    struct head *head = k->slots > 0 ? keys_place(k, key) : NULL;
    if (head && head->used)
        return head + 1;
    if (!head || 4 * (k->used + 1) > 3 * k->slots) {
        if (!keys_make_room(k, now))
            return NULL;
        head = keys_place(k, key);
    }
    *head = (struct head){key, 1};
    k->used++;
    return head + 1;
}

static inline size_t keys_bytes(const void *limiter)
{
    const struct keys *k = limiter;
    return k->slots * (sizeof(struct head) + k->state_bytes);
}

static inline void keys_destroy(void *limiter)
{
    struct keys *k = limiter;
    for (size_t i = 0; k->drop && i < k->slots; i++)
        if (keys_slot(k, i)->used)
            k->drop(keys_slot(k, i) + 1);
    free(k->table);
    free(limiter);
}

/* A limiter of `bytes`, all zeros but for its keys. */
static inline int limiter_create(size_t bytes, size_t state_bytes, bool (*idle)(const void *, const void *, uint64_t),
                                 void **limiter)
{
    struct keys *k = calloc(1, bytes);
    if (!k)
        return -ENOMEM;
    k->state_bytes = state_bytes;
    k->idle = idle;
    *limiter = k;
    return 0;
}

static inline struct rl_answer allowed(uint64_t left)
{
    return (struct rl_answer){.allowed = true, .left = left};
}

static inline struct rl_answer refused(uint64_t retry_ns, uint64_t left)
{
    return (struct rl_answer){.allowed = false, .retry_ns = retry_ns, .left = left};
}

static inline wide divide_up(wide a, uint64_t b)
{
    return (a + b - 1) / b;
}

#endif
