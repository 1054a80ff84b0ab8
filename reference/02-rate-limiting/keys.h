/* keys.h: from a key to its state, for entries that one thread calls.
 *
 * Idea       An open-addressing table whose slots hold the state itself, so that a decision about one of a million keys
 *            waits for memory once. The hash is a bijection (the finaliser of splitmix64), so a slot keeps the hashed
 *            key, its id, and compares only that; an id of 0 marks an empty slot. One key has this id, and has a slot
 *            of its own outside.
 * Invariant  A state of zero bytes means the same as never seen. An idle state (one that decides like a key never seen,
 *            and will) may be thrown away at any time; no other ever is.
 * Growth     Nothing is deleted. When three quarters of the slots are taken, the states that are not idle move to a
 *            table of two to four times their number, which may be larger or smaller than the old one. Every four calls
 *            a slot, the table is looked through, and moved if less than a quarter of it is in use. So moving and
 *            looking cost O(1) a call on average, and memory follows the keys that matter.
 * Cost       One dependent cache miss a call. Linear probing: 2.5 slots side by side at the fullest.
 * Gets wrong Moving stops everything: about 20 ms for a million keys. The hash is no secret: who may choose keys
 *            freely can make them collide. Where that is a danger, keys have to be hashed with a secret before they
 *            come here.
 * Source     Knuth, TAOCP 3, 6.4 (linear probing); Steele, Lea & Flood 2014 (splitmix).
 *
 * Use        struct slot { uint64_t id; ...state... };       id belongs to this file
 *            struct limiter { struct keys keys; ... };       keys come first
 */
#ifndef KEYS_H
#define KEYS_H

#include "rate.h"

/* Would forgetting this slot change no decision at `now` or later? Then it also lets go of what the state owns (and may
 * be asked again). */
typedef bool keys_idle(void *limiter, void *slot, uint64_t now);

struct keys {
    unsigned char *slots;
    void *zero;           /* the slot of the key whose id is 0 */
    uint64_t mask;        /* slots - 1 */
    uint64_t used;        /* slots with an id */
    uint64_t until_sweep; /* calls */
    size_t slot_size, limiter_size;
    keys_idle *idle;
};

/* Makes a limiter of limiter_size bytes, zeroed but for its keys. 0 or -ENOMEM. */
int keys_create(size_t limiter_size, size_t slot_size, keys_idle *idle, void **limiter);
void keys_end(void *limiter); /* an entry's destroy; asks each slot whether it is idle at the end of all time */
size_t keys_bytes(const void *limiter);

/* Out of line: the rare cases of keys_find. */
void *keys_add(struct keys *k, uint64_t id, uint64_t now);
void keys_sweep(struct keys *k, uint64_t now);

/* Bijective, and 0 -> 0. */
static inline uint64_t keys_mix(uint64_t key)
{
    key = (key ^ key >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    key = (key ^ key >> 27) * UINT64_C(0x94d049bb133111eb);
    return key ^ key >> 31;
}

/* The slot of `key`, which may be new (all zero but for its id); NULL without memory. Good until the next call.
 * slot_size: that of keys_create, as a constant where possible. */
static inline void *keys_find(struct keys *k, size_t slot_size, uint64_t key, uint64_t now)
{
    uint64_t id = keys_mix(key);
    if (--k->until_sweep == 0)
        keys_sweep(k, now);
    if (id == 0)
        return k->zero;
    for (uint64_t i = id & k->mask;; i = (i + 1) & k->mask) {
        void *slot = k->slots + i * slot_size;
        uint64_t found = *(uint64_t *)slot;
        if (found == id)
            return slot;
        if (found == 0)
            return keys_add(k, id, now);
    }
}

#endif
