/* shared_keys.h: from a key to its state, for entries that many threads call.
 *
 * Lock-free  Finding a key that is there, and all that an entry does with its state. But for one case: while a shard's
 *            table grows, who asks for a key of this shard (a 64th of all keys) waits.
 * Locked     A key that is not there: inserting takes the shard's mutex.
 * Idea       Keys fall into 64 shards by their hash, each an open-addressing table of slots in place. A slot holds the
 *            hashed key (its id; a bijection, as in keys.h) and a state of two words. The `high` word tells whose the
 *            slot is, and the proof that nothing gets lost hangs on three rules:
 *            1. A key is idle at `fresh` (what the high word of a key that starts now would be) if its own is less. An
 *               idle key's slot may go to another key, which starts with `fresh`.
 *            2. From then on the high word stays above all values that it ever had for the owner before. That is up to
 *               the entry: a word that only grows will do, and so will a window's number in its upper bits.
 *            3. Whoever changes a slot's owner, or moves it, first sets SHARED_LOCK in the high word.
 *            So no value of the high word returns under another owner: a compare-and-swap that expects one read under
 *            the owner before fails, and fails on a locked slot as well.
 * Clocks     May differ a little. A key that was forgotten at `fresh` and comes back by an older clock starts at this
 *            `fresh`, which the shard remembers: time doesn't go back for it.
 * Growth     When a new key finds neither an empty nor an idle slot among the 32 from its home on, the keys that are
 *            not idle move to a table of twice the size. The old one is kept until the end, since somebody may still
 *            be looking at it: all old ones together are as large as the one in use. Tables never shrink. So memory
 *            is bounded by the most keys that were not idle at one time.
 * Cost       One dependent cache miss, 32 bytes a slot. A new key: 32 slots and a mutex.
 * Gets wrong A thread that is stopped while it holds a mutex stops whoever inserts. And the hash is no secret: 33 keys
 *            that collide by design fill a neighbourhood; a table that would have to grow although it is nearly empty
 *            doesn't, and refuses them.
 */
#ifndef SHARED_KEYS_H
#define SHARED_KEYS_H

#include "keys.h"

#include <pthread.h>
#include <sched.h>

#define SHARED_LOCK   (UINT64_C(1) << 63)
#define SHARED_SHARDS 64u
#define SHARED_REACH  32u /* slots from its home on in which a key may live */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "`both` has the high word in its upper half");

/* All words are read and written with the __atomic functions. */
struct shared_slot {
    uint64_t id;
    uint64_t extra; /* the entry's: stays with the key when it moves, and with the slot when it goes to another key */
    union {
        struct {
            uint64_t low, high;
        };
        wide both;
    };
};

struct shared_table {
    uint64_t mask; /* slots - 1 */
    struct shared_table *older;
    _Alignas(32) struct shared_slot slot[]; /* two to a line */
};

struct shared_shard {
    _Alignas(128) struct shared_table *table; /* a line of its own for each shard */
    pthread_mutex_t lock;                     /* for whatever follows, and to change owners */
    uint64_t newest;                          /* no key was ever forgotten at a later `fresh` */
    size_t bytes;
};

struct shared_keys {
    size_t limiter_size;
    struct shared_slot zero; /* of the key whose id is 0 */
    struct shared_shard shard[SHARED_SHARDS];
};

/* As in keys.h. */
int shared_keys_create(size_t limiter_size, void **limiter);
void shared_keys_end(void *limiter);
size_t shared_keys_bytes(const void *limiter);

/* A slot for a key that has none, or NULL without memory. */
struct shared_slot *shared_keys_add(struct shared_keys *k, uint64_t id, uint64_t fresh);

/* The slot of `id` in this table, or NULL. */
struct shared_slot *shared_table_find(struct shared_table *t, uint64_t id);

static inline uint64_t shared_read(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline bool shared_swap(uint64_t *word, uint64_t expected, uint64_t desired)
{
    return __atomic_compare_exchange_n(word, &expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* The slot of the key with this id, new or not, and its high word, read while the key owned the slot. NULL without
 * memory. What the slot says later is the key's as long as the high word hasn't changed. */
static inline struct shared_slot *shared_keys_find(struct shared_keys *k, uint64_t id, uint64_t fresh, uint64_t *high)
{
    for (;;) {
        struct shared_slot *s = &k->zero;
        if (id != 0) {
            struct shared_table *t = __atomic_load_n(&k->shard[id >> 58].table, __ATOMIC_ACQUIRE);
            s = &t->slot[id & t->mask];
            if (shared_read(&s->id) != id)
                s = shared_table_find(t, id);
            if (!s)
                s = shared_keys_add(k, id, fresh);
            if (!s)
                return NULL;
        }
        *high = shared_read(&s->high);
        if (!(*high & SHARED_LOCK) && shared_read(&s->id) == id)
            return s;
        sched_yield(); /* it is being moved, or was */
    }
}

#endif
