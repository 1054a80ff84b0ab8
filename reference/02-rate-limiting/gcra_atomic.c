/* GCRA for many threads: one compare-and-swap a decision, no lock.
 *
 * Idea       GCRA's whole state is a time, so it can change in one step: read it, compute the next one, and put it
 *            there if nobody has in the meantime; else begin again with what they left. Who is refused writes
 *            nothing: under an attack, when nearly all are refused, all cores share the line and none waits for
 *            another.
 * Invariant  The decisions are those of gcra.c in the order in which the swaps succeed. So with any number of
 *            threads, calls at one and the same `now` let exactly B units through.
 * One word   Nanoseconds need 62 bits, and the part of one up to 30 (gcra.h). Where T/N is a whole number there is no
 *            part, and the swap is the usual one of 64 bits. Else they don't fit into 64 bits without rounding or
 *            shortening time, so the word has 128 and the swap is cmpxchg16b (arm64: casp or ldxp/stxp), at twice the
 *            price. Reading takes two loads. The nanoseconds never fall, so if they are the same before and after
 *            reading the part, the two belong together.
 * Back-off   Between reading and swapping another core may take the line and change it, and the journey was for nothing.
 *            Two cores that try again at once do that to each other over and over: decisions then take longer than with
 *            a mutex, which lets one thread decide many times while the other one sleeps. So who failed pauses for
 *            about as long as a line takes to go and come back several times, and leaves it to the other.
 * Lock-free  Of several that swap one succeeds. Inserting a new key takes a mutex: shared_keys.h.
 * Cost       As gcra.c and one locked instruction when allowed: README.md has figures. When many are allowed on one
 *            key, its line travels from core to core; shards (sharded_window.c) don't have that.
 * Gets wrong What the token bucket gets wrong. Who pauses lets others pass: nothing here is fair to threads.
 * Source     boinkor-net/governor keeps a time in one AtomicU64; throttled (Go) swaps through its store; Dice, Hendler &
 *            Mirsky 2013, "Lightweight contention management for efficient compare-and-swap operations".
 */
#include "gcra.h"
#include "shared_keys.h"

#if defined(__x86_64__)
#define WIDE_SWAP __attribute__((target("cx16"))) /* every x86-64 processor since 2006 */
#else
#define WIDE_SWAP
#endif

#define PAUSES 8u /* after a swap that failed: 100 ... 400 ns, by processor */

struct limiter {
    struct shared_keys keys;
    struct rate rate;
};

static int create(const struct rl_config *config, void **out)
{
    struct rate rate;
    int code = rate_init(&rate, config, true);
    if (code == 0)
        code = shared_keys_create(sizeof(struct limiter), out);
    if (code == 0)
        ((struct limiter *)*out)->rate = rate;
    return code;
}

static wide in_one(const struct gcra_time *t)
{
    return (wide)t->ns << 64 | t->part;
}

/* Puts `after` where `before` still is. With whole nanoseconds (q = 1) there is no part, and half a word says it all. */
WIDE_SWAP static bool put(const struct limiter *l, struct shared_state *s, struct gcra_time before,
                          struct gcra_time after)
{
    return l->rate.q == 1 ? shared_swap(&s->high, &before.ns, after.ns)
                          : __sync_bool_compare_and_swap(&s->both, in_one(&before), in_one(&after));
}

WIDE_SWAP static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    uint64_t id = keys_mix(key);
    (void)node;
    for (;;) {
        struct shared_slot s = shared_keys_find(&l->keys, id, now);
        if (!s.name)
            return answer_no_memory();
        struct gcra_time due = {.ns = shared_read(&s.state->high)};
        if (!shared_owns(s, id, due.ns)) {
            sched_yield();
            continue;
        }
        due.part = l->rate.q == 1 ? 0 : shared_read(&s.state->low);
        wide after = gcra_after(&l->rate, &due, now, cost);
        if (after <= l->rate.full) {
            if (put(l, s.state, due, gcra_due(&l->rate, now, after)))
                return answer_allowed(gcra_left(&l->rate, after));
            for (uint32_t i = 0; i < PAUSES; i++)
                shared_pause();
        } else if (shared_read(&s.state->high) == due.ns) {
            return gcra_refused(&l->rate, &due, now, cost);
        }
    }
}

static const struct rl_ops ops = {
    .create = create, .destroy = shared_keys_end, .allow = allow, .bytes = shared_keys_bytes, .thread_safe = true};
RL_ENTRY(gcra_atomic, "gcra-atomic", "gcra for threads: one compare-and-swap a decision", &ops);
