/* Fixed window for many threads: window and count in one word, and a fetch-and-add.
 *
 * Idea       The number of the window in the upper bits, the count in the lower: then "still the same window?" and
 *            "count me" are one instruction. It never fails, and it is the first thing that is done to the word: who
 *            looks first makes the line travel twice, once to look and once to write. Who comes first in a new window,
 *            and who asks for several units, swaps the word.
 * Full       That a window is used up is noted beside the key's name, in a line that is hardly ever written. So who is
 *            refused reads, and under an attack, when nearly all are, all cores share the line and none waits. Who begins
 *            a window takes the note back, so that an older clock finds the newest window.
 * Invariant  Single units are added, so each that is added in a window sees a different count, and the first N of them
 *            are allowed; several are swapped in only where they fit. So at most N units are allowed in a window, and
 *            exactly N if so many are asked for one by one.
 * In vain    What is added beyond N stays there: the window is full, so it harms nobody; beyond() says how much it can
 *            be. Only what was added to another key's count, since the slot went to it in that very moment, has to be
 *            taken back. Until then that other key may be refused a unit that it had; if its table grows just then, for
 *            the rest of its window. Too few by one, never too many.
 * Limits     The rest of the word is for the window's number: -EINVAL if 2^62 / T doesn't fit. N up to 10^9 at T = 1 s; a
 *            shorter window needs a smaller N.
 * Lock-free  All but inserting a new key: shared_keys.h.
 * Cost       A division, a locked instruction; 8 bytes of state a key.
 * Gets wrong What fixed_window.c gets wrong. Two cores at one hot key still send its line to and fro: one journey a
 *            decision.
 * Source     the packed word is folklore; compare resilience4j's AtomicRateLimiter, which swaps a pointer.
 */
#include "shared_keys.h"

struct limiter {
    struct shared_keys keys;
    uint64_t limit, window;
    uint64_t most; /* of a count: its bits, all set */
    uint32_t bits;
};

/* How far above N a count may get: in a window a thread adds in vain once, once more for each other one that was late to
 * note that an earlier window was used up, and once for each time that the table grew, which it can't 32 times. */
static uint64_t beyond(uint64_t threads)
{
    return threads * (threads + 32);
}

static int create(const struct rl_config *config, void **out)
{
    uint32_t bits = 1;
    int code = config_check(config, true);
    if (code)
        return code;
    while ((config->limit + beyond(config->threads)) >> bits)
        bits++;
    if (RL_MAX_TIME / config->window_ns >> (63 - bits))
        return -EINVAL;
    code = shared_keys_create(sizeof(struct limiter), out);
    if (code)
        return code;
    struct limiter *l = *out;
    l->limit = config->limit;
    l->window = config->window_ns;
    l->bits = bits;
    l->most = (UINT64_C(1) << bits) - 1;
    return 0;
}

/* Notes which window is used up, if that is news: the present one, or none any more. */
static void note(const struct limiter *l, struct shared_slot s, uint64_t window, uint64_t count, uint64_t noted)
{
    uint64_t full = count >= l->limit ? window + 1 : 0;
    if (full != noted)
        __atomic_store_n(&s.name->extra, full, __ATOMIC_RELEASE);
}

/* Takes back what was added to somebody else's count, unless that window is over, or the slot is being moved. */
static void take_back(const struct limiter *l, struct shared_slot s, uint64_t high)
{
    uint64_t window = high >> l->bits;
    while (high >> l->bits == window && !shared_swap(&s.state->high, &high, high - 1)) {
    }
}

static struct rl_answer refused(const struct limiter *l, uint64_t cost, uint64_t window, uint64_t now, uint64_t left)
{
    return answer_refused(cost > l->limit ? RL_NEVER : (window + 1) * l->window - now, left);
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    uint64_t id = keys_mix(key), present = now / l->window, one = cost == 1;
    (void)node;
    for (;;) {
        struct shared_slot s = shared_keys_find(&l->keys, id, present << l->bits);
        if (!s.name)
            return answer_no_memory();
        uint64_t full = shared_read(&s.name->extra); /* the window that is used up, plus 1; or 0 */
        if (full > present && shared_owns(s, id, 0))
            return refused(l, cost, full - 1, now, 0);
        uint64_t high = one ? __atomic_fetch_add(&s.state->high, 1, __ATOMIC_ACQ_REL) : shared_read(&s.state->high);
        if (!shared_owns(s, id, high)) {
            if (one && !(high & SHARED_LOCK)) /* what is added to a locked word is lost anyway */
                take_back(l, s, high + 1);
            sched_yield();
            continue;
        }
        uint64_t window = high >> l->bits, count = high & l->most;
        if (one && window >= present) { /* it has been counted */
            if (count + 1 >= l->limit)
                note(l, s, window, count + 1, full);
            return count < l->limit ? answer_allowed(l->limit - count - 1) : refused(l, 1, window, now, 0);
        }
        if (window < present) {
            window = present;
            count = 0;
        }
        uint64_t left = count < l->limit ? l->limit - count : 0;
        if (cost > left)
            return refused(l, cost, window, now, left);
        high += one;
        if (shared_swap(&s.state->high, &high, (window << l->bits) + count + cost)) {
            note(l, s, window, count + cost, full);
            return answer_allowed(left - cost);
        }
    }
}

static const struct rl_ops ops = {
    .create = create, .destroy = shared_keys_end, .allow = allow, .bytes = shared_keys_bytes, .thread_safe = true};
RL_ENTRY(fixed_window_atomic, "fixed-window-atomic", "fixed window for threads: number and count in one word", &ops);
