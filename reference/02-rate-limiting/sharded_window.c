/* Sharded window: a fixed window whose limit is dealt out to the cores, so that they needn't meet at each request.
 *
 * Idea       A word that all cores write costs a journey of its cache line each time. So each core has an allowance
 *            of its own, in a line of its own, and fetches more from the common rest when it runs out: an eighth of
 *            its fair share, then again. Near the end of a window the rest is empty while allowances lie about; then
 *            who needs one collects them from the others, and only if all together aren't enough is he refused.
 * Invariant  In each window: taken from N = allowances + allowed. Units move, and are never made; so at most N are
 *            allowed. And whenever nobody is in the middle of a call, a request is refused only if it doesn't fit
 *            into what is left in all places together. Units carry the number of their window: of another window they
 *            are worth nothing.
 * When       A key gets allowances once two threads got in each other's way at it (a swap failed), or once it used an
 *            eighth of a core's fair share in one window. All others have but the common rest.
 * Cost       A locked instruction on a line that is already here: the price of one core, on each core. Collecting
 *            touches every line, once or twice a window. Refusing only reads. Memory: 128 bytes a core and key with
 *            allowances.
 * Left       A lower bound where there is more than one shard: the common rest and the core's own. Refused: all there
 *            is.
 * Limits     -EINVAL where N and the number 2^62 / T don't fit into 63 bits.
 * Gets wrong What fixed_window.c gets wrong. While somebody collects, or carries units from the rest to his allowance,
 *            a request beside him may be refused that would fit.
 * Source     Linux's percpu_counter; Doug Lea's LongAdder (2011) for the lines; "local buckets" of envoy for the
 *            dealing.
 */
#include "shared_keys.h"

#include <stdlib.h>

#define CORES 1024u

struct part {
    _Alignas(128) uint64_t word; /* window and allowance; two lines, since processors fetch lines in pairs */
};

struct parts { /* of a key: stays with the slot for good */
    struct parts *next;
    struct part part[];
};

struct limiter {
    struct shared_keys keys; /* high: window, and how much was taken from N; extra: its parts */
    uint64_t limit, window, most, batch;
    struct parts *all;
    uint64_t all_bytes;
    uint32_t bits, shards, cores;
    uint8_t place[CORES]; /* of a core: its part's number, plus 1 */
};

static int create(const struct rl_config *config, void **out)
{
    uint32_t bits = 1;
    int code = config_check(config, true);
    if (code)
        return code;
    while (config->limit >> bits)
        bits++;
    if (RL_MAX_TIME / config->window_ns >> (63 - bits))
        return -EINVAL;
    code = shared_keys_create(sizeof(struct limiter), out);
    if (code)
        return code;
    struct limiter *l = *out;
    l->keys.extra_stays = true;
    l->limit = config->limit;
    l->window = config->window_ns;
    l->bits = bits;
    l->most = (UINT64_C(1) << bits) - 1;
    l->shards = config->threads;
    l->batch = l->shards > 1 ? l->limit / (UINT64_C(8) * l->shards) : 0;
    return 0;
}

static void destroy(void *limiter)
{
    struct limiter *l = limiter;
    for (struct parts *p = l->all, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    shared_keys_end(l);
}

static size_t bytes(const void *limiter)
{
    return shared_keys_bytes(limiter) + ((const struct limiter *)limiter)->all_bytes;
}

/* The parts of the key that owns the slot. NULL: it has only the common rest, since it isn't busy enough for more, or
 * for want of memory. */
static struct parts *parts_of(struct limiter *l, struct shared_name *name, bool busy)
{
    uint64_t there = shared_read(&name->extra);
    if (there || !busy || l->batch == 0)
        return (struct parts *)(uintptr_t)there;
    size_t size = sizeof(struct parts) + l->shards * sizeof(struct part);
    struct parts *p = aligned_alloc(128, size);
    if (!p)
        return NULL;
    for (uint32_t i = 0; i < l->shards; i++)
        p->part[i].word = 0;
    if (!shared_swap(&name->extra, &there, (uint64_t)(uintptr_t)p)) {
        free(p);
        return (struct parts *)(uintptr_t)there;
    }
    p->next = __atomic_load_n(&l->all, __ATOMIC_ACQUIRE);
    while (!__atomic_compare_exchange_n(&l->all, &p->next, p, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
    __atomic_fetch_add(&l->all_bytes, size, __ATOMIC_RELAXED);
    return p;
}

/* ---- an allowance: what a word holds of a window ---------------------------------------------------------------- */

static uint64_t held(const struct limiter *l, const uint64_t *word, uint64_t window)
{
    uint64_t v = shared_read(word);
    return v >> l->bits == window ? v & l->most : 0;
}

/* Takes `least` … `most` units, as many as there are; 0 if there are fewer. *rest: what stays. */
static uint64_t take(const struct limiter *l, uint64_t *word, uint64_t window, uint64_t least, uint64_t most,
                     uint64_t *rest)
{
    for (uint64_t v = shared_read(word);;) {
        uint64_t there = v >> l->bits == window ? v & l->most : 0, taken = there < most ? there : most;
        if (taken < least || taken == 0)
            return 0;
        *rest = there - taken;
        if (shared_swap(word, &v, v - taken))
            return taken;
    }
}

static void give(const struct limiter *l, uint64_t *word, uint64_t window, uint64_t units)
{
    uint64_t v = shared_read(word);
    while (v >> l->bits <= window && /* else that window is over, and so are its units */
           !shared_swap(word, &v, (v >> l->bits == window ? v : window << l->bits) + units)) {
    }
}

/* ---- deciding --------------------------------------------------------------------------------------------------- */

/* Which part is this core's: cores are numbered as they come. Any answer is right; one number for two cores is slow. */
static uint32_t own(struct limiter *l)
{
    if (l->shards == 1)
        return 0;
    uint8_t *place = &l->place[(uint32_t)sched_getcpu() % CORES], there = __atomic_load_n(place, __ATOMIC_RELAXED);
    if (there == 0) {
        there = (uint8_t)(1 + __atomic_fetch_add(&l->cores, 1, __ATOMIC_RELAXED) % l->shards);
        __atomic_store_n(place, there, __ATOMIC_RELAXED);
    }
    return there - 1u;
}

/* From everywhere: `rest` units of the common rest, which the caller has taken out already, and all parts. */
static bool collect(struct limiter *l, struct parts *p, uint64_t window, uint64_t cost, uint64_t rest)
{
    uint64_t got = rest, ignored;
    for (uint32_t i = 0; i < l->shards && got < cost; i++)
        got += take(l, &p->part[i].word, window, 1, cost - got, &ignored);
    if (got >= cost)
        return true;
    give(l, &p->part[own(l)].word, window, got);
    return false;
}

enum outcome { AGAIN /* things have changed meanwhile */, ALLOWED, REFUSED };

/* One attempt to decide. `busy`: give the key parts if it has none. */
static enum outcome attempt(struct limiter *l, struct shared_slot s, uint64_t high, uint64_t fresh, uint32_t cost,
                            bool busy, uint64_t *left)
{
    uint64_t window = high >> l->bits, rest = l->limit - (high & l->most), all = rest, mine = 0;
    if (high < fresh) { /* the first in this window */
        *left = l->limit - cost;
        return shared_swap(&s.state->high, &high, fresh | cost) ? ALLOWED : AGAIN;
    }
    struct parts *p = parts_of(l, s.name, busy || l->limit - rest >= l->batch);
    uint64_t *word = p ? &p->part[own(l)].word : NULL;
    if (word && take(l, word, window, cost, cost, &mine)) {
        *left = rest + mine;
        return ALLOWED;
    }
    if (rest >= cost) {
        uint64_t extra = word ? (rest - cost < l->batch ? rest - cost : l->batch) : 0;
        *left = rest - cost + (word ? held(l, word, window) : 0);
        if (!shared_swap(&s.state->high, &high, high + cost + extra))
            return AGAIN;
        if (extra)
            give(l, word, window, extra);
        return ALLOWED;
    }
    for (uint32_t i = 0; p && i < l->shards; i++)
        all += held(l, &p->part[i].word, window);
    if (all < cost) {
        *left = all;
        return shared_read(&s.state->high) == high ? REFUSED : AGAIN;
    }
    *left = all - cost;
    return shared_swap(&s.state->high, &high, high + rest) && collect(l, p, window, cost, rest) ? ALLOWED : AGAIN;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    uint64_t id = keys_mix(key), fresh = now / l->window << l->bits, left = 0;
    (void)node;
    /* What costs too much is told what is left all the same: see whether all of it can be had. */
    for (bool busy = false;; busy = true) {
        struct shared_slot s = shared_keys_find(&l->keys, id, fresh);
        if (!s.name)
            return answer_no_memory();
        uint64_t high = shared_read(&s.state->high);
        if (!shared_owns(s, id, high)) {
            sched_yield();
            continue;
        }
        if (cost > l->limit && high < fresh)
            return answer_refused(RL_NEVER, l->limit);
        enum outcome o = attempt(l, s, high, fresh, cost, busy, &left);
        if (o == ALLOWED)
            return answer_allowed(left);
        if (o == REFUSED)
            return answer_refused(cost > l->limit ? RL_NEVER : ((high >> l->bits) + 1) * l->window - now, left);
    }
}

static const struct rl_ops ops = {
    .create = create, .destroy = destroy, .allow = allow, .bytes = bytes, .thread_safe = true};
RL_ENTRY(sharded_window, "sharded-window", "fixed window for threads: a share of the limit for each core", &ops);
