/* shared_keys.h: from a key to its state, for entries that many threads call.
 *
 * Lock-free  Finding a key that is there, and all that an entry does with its state. But for one case: while a shard's
 *            table grows, who asks for a key of this shard (a 64th of all keys) waits.
 * Locked     A key that is not there: inserting takes the shard's mutex.
 * Idea       Keys fall into 64 shards by their hash, each an open-addressing table. A slot has two halves: the name (the
 *            hashed key, its id, a bijection as in keys.h, and an `extra` word), which all read and hardly anybody
 *            writes, and the state, two words that each decision writes. They lie in lines of their own, so that looking
 *            a hot key up costs no journey of the line that others write.
 * Proof      Of the `high` word of the state, that nothing gets lost. Its rules:
 *            1. A key is idle at `fresh` (what the high word of a key that starts now would be) if its own is less. An
 *               idle key's slot may go to another key, which starts with `fresh`.
 *            2. From then on the high word stays above all values that it ever had for the owner before. That is up to
 *               the entry: a word that only grows will do, and so will a window's number in its upper bits.
 *            3. Whoever changes a slot's owner, or moves it, first sets SHARED_LOCK in the high word, by an instruction
 *               that also tells what it was until then. What counts is that value, and none that was read before:
 *               everything that an entry did to the word is either in it, or came later and finds the lock.
 *            What follows, by what an entry does:
 *            - It swaps: a swap that expects a value read under another owner fails, since by 2 that value never
 *              returns; and it fails on a locked word.
 *            - It adds without looking: what was there before tells. With SHARED_LOCK in it nothing was added: who holds
 *              the lock writes the word anew from the value of 3. Else, if the name is still the key's, so was the word
 *              when it was added to. (It may have been another key's in between, and the key's own again; then it was
 *              added to a window of that other key's, which is over by 1, and in which this key had nothing.) If the name
 *              isn't, it was somebody else's: the entry takes it back.
 *            - It only reads: shared_owns after the reading says whether it was the key's. An answer that depends on both
 *              words needs the same high word before and after.
 *            A name is written before the high word that goes with it, and read after it.
 * Clocks     May differ a little. A key that was forgotten at `fresh` and comes back by an older clock starts at this
 *            `fresh`, which the shard remembers: time doesn't go back for it.
 * Growth     When a new key finds neither an empty nor an idle slot among the 32 from its home on, the keys that are
 *            not idle move to a table of twice the size. The old one is kept until the end, since somebody may still
 *            be looking at it; its words stay locked. All old ones together are as large as the one in use. Tables never
 *            shrink. So memory is bounded by the most keys that were not idle at one time.
 * Cost       Two lines, asked for side by side: one dependent cache miss. 32 bytes a slot. A new key: 32 slots and a
 *            mutex.
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
struct shared_name {
    uint64_t id;
    uint64_t extra; /* the entry's: stays with the key when it moves */
};

struct shared_state {
    union {
        struct {
            uint64_t low, high;
        };
        wide both;
    };
};

/* Where a key is. */
struct shared_slot {
    struct shared_name *name;
    struct shared_state *state;
};

struct shared_table {
    uint64_t mask; /* slots - 1 */
    struct shared_table *older;
    struct shared_state *state;             /* [slots], behind the names */
    _Alignas(64) struct shared_name name[]; /* [slots] */
};

struct shared_shard {
    _Alignas(128) struct shared_table *table; /* a line of its own for each shard */
    pthread_mutex_t lock;                     /* for whatever follows, and to change owners */
    uint64_t newest;                          /* no key was ever forgotten at a later `fresh` */
    size_t bytes;
};

struct shared_keys {
    size_t limiter_size;
    bool extra_stays;        /* with the slot when it goes to another key; else it is 0 again */
    struct shared_name zero; /* of the key whose id is 0: never locked, moved or given away */
    char apart[96];          /* lines of their own, as for all names and states */
    struct shared_state zero_state;
    char apart_too[112];
    struct shared_shard shard[SHARED_SHARDS];
};

/* As in keys.h. */
int shared_keys_create(size_t limiter_size, void **limiter);
void shared_keys_end(void *limiter);
size_t shared_keys_bytes(const void *limiter);

/* A slot for a key that has none; its name is NULL without memory. */
struct shared_slot shared_keys_add(struct shared_keys *k, uint64_t id, uint64_t fresh);

/* The slot of `id` in this table; its name is NULL if there is none. */
struct shared_slot shared_table_find(struct shared_table *t, uint64_t id);

static inline uint64_t shared_read(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* On failure *expected is what is there. */
static inline bool shared_swap(uint64_t *word, uint64_t *expected, uint64_t desired)
{
    return __atomic_compare_exchange_n(word, expected, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* A moment for the others: some tens of ns on most processors. */
static inline void shared_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

/* The slot of the key with this id, new or not; its name is NULL without memory. The key owned it a moment ago: what is
 * read there counts only if the key still owns it then (shared_owns). */
static inline struct shared_slot shared_keys_find(struct shared_keys *k, uint64_t id, uint64_t fresh)
{
    if (id == 0)
        return (struct shared_slot){&k->zero, &k->zero_state};
    struct shared_table *t = __atomic_load_n(&k->shard[id >> 58].table, __ATOMIC_ACQUIRE);
    uint64_t home = id & t->mask;
    struct shared_slot s = {&t->name[home], &t->state[home]};
    if (shared_read(&s.name->id) != id)
        s = shared_table_find(t, id);
    return s.name ? s : shared_keys_add(k, id, fresh);
}

/* Was `high`, the last that was read or swapped there, this key's? If not: it is being moved, or was; find it again. */
static inline bool shared_owns(struct shared_slot slot, uint64_t id, uint64_t high)
{
    return !(high & SHARED_LOCK) && shared_read(&slot.name->id) == id;
}

#endif
