/* GCRA for many threads: one compare-and-swap a decision, no lock.
 *
 * Idea       GCRA's whole state is a time, so it can change in one step: read it, compute the next one, and put it
 *            there if nobody has in the meantime; else begin again with what they left. Who is refused writes
 *            nothing: under an attack, when nearly all are refused, all cores share the line and none waits for
 *            another.
 * Invariant  The decisions are those of gcra.c in the order in which the swaps succeed. So with any number of
 *            threads, calls at one and the same `now` let exactly B units through.
 * One word   Nanoseconds need 62 bits, and the part of one up to 30 (gcra.h). They don't fit into 64 bits without
 *            rounding or shortening time, so the word has 128 and the swap is cmpxchg16b (arm64: casp or ldxp/stxp),
 *            at nearly the price of the smaller one. Reading takes two loads. The nanoseconds never fall, so if they
 *            are the same before and after reading the part, the two belong together.
 * Lock-free  Of several that swap one succeeds. Inserting a new key takes a mutex: shared_keys.h.
 * Cost       As gcra.c and one locked instruction when allowed. When many are allowed on one key, its line travels
 *            from core to core, and each swap that fails is a journey for nothing: at two cores a fetch-and-add
 *            (fixed_window_atomic.c) is about twice as fast, shards (sharded_window.c) faster still.
 * Gets wrong What the token bucket gets wrong. Who retries most may lose most: nothing here is fair to threads.
 * Source     boinkor-net/governor keeps a time in one AtomicU64; throttled (Go) swaps through its store.
 */
#include "gcra.h"
#include "shared_keys.h"

#if defined(__x86_64__)
#define WIDE_SWAP __attribute__((target("cx16"))) /* every x86-64 processor since 2006 */
#else
#define WIDE_SWAP
#endif

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

WIDE_SWAP static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    uint64_t id = keys_mix(key);
    (void)node;
    for (;;) {
        struct gcra_time due;
        struct shared_slot *s = shared_keys_find(&l->keys, id, now, &due.ns);
        if (!s)
            return answer_no_memory();
        due.part = shared_read(&s->low);
        wide before = in_one(&due);
        struct rl_answer answer = gcra_decide(&l->rate, &due, now, cost);
        if (answer.allowed ? __sync_bool_compare_and_swap(&s->both, before, in_one(&due))
                           : shared_read(&s->high) == (uint64_t)(before >> 64))
            return answer;
    }
}

static const struct rl_ops ops = {
    .create = create, .destroy = shared_keys_end, .allow = allow, .bytes = shared_keys_bytes, .thread_safe = true};
RL_ENTRY(gcra_atomic, "gcra-atomic", "gcra for threads: one compare-and-swap a decision", &ops);
