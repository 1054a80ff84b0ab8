/* Fixed window for many threads: window and count in one word, and a fetch-and-add.
 *
 * Idea       The number of the window in the upper bits, the count in the lower: then "still the same window?" and
 *            "count me" are one instruction. It never fails, so under contention it is cheaper than a
 *            compare-and-swap that has to be tried again. Who comes first in a new window swaps the whole word.
 * Invariant  Among those who add within one window, each sees a different count, so at most N units are allowed; and
 *            with requests of one unit exactly N, if so many are asked for.
 * Overshoot  Who reads that his request won't fit adds nothing. But between reading and adding others may have added;
 *            then he takes back what he added. The count needs room for every thread to be in that state at once:
 *            (threads + 1) N. While one is in it, a smaller request beside it may be refused that would have fitted.
 * Limits     The rest of the word is for the window's number: -EINVAL if 2^62 / T doesn't fit. N up to 3 x 10^8 with
 *            two threads at T = 1 s, 10^7 with 64; a shorter window needs a smaller N.
 * Lock-free  All but inserting a new key: shared_keys.h. (When a table grows in the very moment between adding and
 *            taking back, what was added stays counted for the rest of the window: too few, never too many.)
 * Cost       A division, a locked instruction; 8 bytes of state a key.
 * Gets wrong What fixed_window.c gets wrong.
 * Source     the packed word is folklore; compare resilience4j's AtomicRateLimiter, which swaps a pointer.
 */
#include "shared_keys.h"

struct limiter {
    struct shared_keys keys;
    uint64_t limit, window;
    uint64_t most; /* of a count: its bits, all set */
    uint32_t bits;
};

static int create(const struct rl_config *config, void **out)
{
    uint32_t bits = 1;
    int code = config_check(config, true);
    if (code)
        return code;
    while ((config->threads + 1) * config->limit >> bits)
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

/* Unless that window has ended since, or the slot is being moved. */
static void take_back(const struct limiter *l, struct shared_slot *s, uint64_t window, uint64_t cost)
{
    for (;;) {
        uint64_t high = shared_read(&s->high);
        if (high >> l->bits != window || shared_swap(&s->high, high, high - cost))
            return;
    }
}

/* Adds `cost` to the count of `window`, which its owner saw in the slot. True if it fitted; *left is what remains. */
static bool add(const struct limiter *l, struct shared_slot *s, uint64_t window, uint64_t cost, uint64_t *left)
{
    uint64_t before = __atomic_fetch_add(&s->high, cost, __ATOMIC_ACQ_REL), after = (before & l->most) + cost;
    if (before >> l->bits == window && after <= l->limit) {
        *left = l->limit - after;
        return true;
    }
    if (!(before & SHARED_LOCK)) /* what is added to a locked word is lost anyway */
        take_back(l, s, before >> l->bits, cost);
    return false;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    uint64_t id = keys_mix(key), fresh = now / l->window << l->bits;
    (void)node;
    for (;;) {
        uint64_t high, left;
        struct shared_slot *s = shared_keys_find(&l->keys, id, fresh, &high);
        if (!s)
            return answer_no_memory();
        if (high < fresh && cost <= l->limit) { /* the first in this window */
            if (shared_swap(&s->high, high, fresh | cost))
                return answer_allowed(l->limit - cost);
            continue;
        }
        uint64_t window = high >> l->bits, count = high < fresh ? 0 : high & l->most;
        if (count + cost > l->limit) {
            left = count < l->limit ? l->limit - count : 0;
            return answer_refused(cost > l->limit ? RL_NEVER : (window + 1) * l->window - now, left);
        }
        if (add(l, s, window, cost, &left))
            return answer_allowed(left);
    }
}

static const struct rl_ops ops = {
    .create = create, .destroy = shared_keys_end, .allow = allow, .bytes = shared_keys_bytes, .thread_safe = true};
RL_ENTRY(fixed_window_atomic, "fixed-window-atomic", "fixed window for threads: number and count in one word", &ops);
