/* Lab 02: your rate limiters. This is the one file that you hand in.
 *
 * The contract, with what every operation promises, is in rate_limiting.h; the tasks and their rules are in README.md.
 * The table of keys and the fixed window below are complete: they show how an entry is made, and the fixed window is
 * the algorithm that fails in the article. The five entries after it are yours.
 *
 *     make check LAB=02                         all public tests, with your points
 *     make check LAB=02 TEST=exactly-n          one of them
 *     make hint  LAB=02 TEST=sliding-log        the next of three hints
 */
#include "rate_limiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Products of a time and a number of units do not fit into 64 bits. This has 128. */
__extension__ typedef unsigned __int128 wide;

/* ---- a table of keys, complete: from a key to its state ---- */

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

static struct head *keys_slot(const struct keys *k, size_t i)
{
    return (struct head *)(k->table + i * (sizeof(struct head) + k->state_bytes));
}

/* Where the key is, or where it would be put. */
static struct head *keys_place(const struct keys *k, uint64_t key)
{
    uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (hash ^ hash >> 32) & (k->slots - 1);
    while (keys_slot(k, i)->used && keys_slot(k, i)->key != key)
        i = (i + 1) & (k->slots - 1);
    return keys_slot(k, i);
}

/* Moves the states that are not idle to a table of 2 to 4 times their number. False without memory. */
static bool keys_make_room(struct keys *k, uint64_t now)
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
static void *keys_find(struct keys *k, uint64_t key, uint64_t now)
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

static size_t keys_bytes(const void *limiter)
{
    const struct keys *k = limiter;
    return k->slots * (sizeof(struct head) + k->state_bytes);
}

static void keys_destroy(void *limiter)
{
    struct keys *k = limiter;
    for (size_t i = 0; k->drop && i < k->slots; i++)
        if (keys_slot(k, i)->used)
            k->drop(keys_slot(k, i) + 1);
    free(k->table);
    free(limiter);
}

/* ---- fixed window, complete: a count for each key, which begins anew at every multiple of T ---- */

struct fixed_window {
    struct keys keys; /* first */
    uint64_t limit, window_ns;
};

struct fixed_window_state {
    uint64_t window; /* the number of the window that `count` belongs to */
    uint64_t count;
};

static bool fixed_window_idle(const void *limiter, const void *state, uint64_t now)
{
    const struct fixed_window *l = limiter;
    const struct fixed_window_state *s = state;
    return s->window != now / l->window_ns;
}

static int fixed_window_create(const struct rl_config *config, void **limiter)
{
    struct fixed_window *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->keys.state_bytes = sizeof(struct fixed_window_state);
    l->keys.idle = fixed_window_idle;
    l->limit = config->limit;
    l->window_ns = config->window_ns;
    *limiter = l;
    return 0;
}

static struct rl_answer fixed_window_allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct fixed_window *l = limiter;
    struct fixed_window_state *s = keys_find(&l->keys, key, now);
    const uint64_t window = now / l->window_ns;
    (void)node;
    if (!s)
        return (struct rl_answer){.allowed = false, .retry_ns = RL_UNKNOWN};
    if (s->window != window)
        *s = (struct fixed_window_state){.window = window};
    if (s->count + cost <= l->limit) {
        s->count += cost;
        return (struct rl_answer){.allowed = true, .left = l->limit - s->count};
    }
    const uint64_t retry_ns = cost > l->limit ? RL_NEVER : (window + 1) * l->window_ns - now;
    return (struct rl_answer){.allowed = false, .retry_ns = retry_ns, .left = l->limit - s->count};
}

static const struct rl_ops fixed_window_ops = {
    .create = fixed_window_create,
    .destroy = keys_destroy,
    .allow = fixed_window_allow,
    .bytes = keys_bytes,
};
RL_ENTRY(fixed_window, "fixed-window", "N in each window, counted from 0 at its start", &fixed_window_ops);

/* ---- what the five below have to begin with: no state, and everybody is refused ---- */

static int nothing_create(const struct rl_config *config, void **limiter)
{
    (void)config;
    *limiter = malloc(1);
    return *limiter ? 0 : -ENOMEM;
}

static struct rl_answer nothing_allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    (void)limiter, (void)key, (void)now, (void)cost, (void)node;
    return (struct rl_answer){.allowed = false, .retry_ns = RL_UNKNOWN, .left = 0};
}

static size_t nothing_bytes(const void *limiter)
{
    (void)limiter;
    return 0;
}

/* ---- task 1: sliding log ---- */

static const struct rl_ops sliding_log_ops = {
    .create = nothing_create,
    .destroy = free,
    .allow = nothing_allow,
    .bytes = nothing_bytes,
};
RL_ENTRY(sliding_log, "sliding-log", "N in any window: remembers when each was allowed", &sliding_log_ops);

/* ---- task 2: sliding counter ---- */

static const struct rl_ops sliding_counter_ops = {
    .create = nothing_create,
    .destroy = free,
    .allow = nothing_allow,
    .bytes = nothing_bytes,
};
RL_ENTRY(sliding_counter, "sliding-counter", "two windows, the older one by what is left of it", &sliding_counter_ops);

/* ---- task 3: token bucket ---- */

static const struct rl_ops token_bucket_ops = {
    .create = nothing_create,
    .destroy = free,
    .allow = nothing_allow,
    .bytes = nothing_bytes,
};
RL_ENTRY(token_bucket, "token-bucket", "a bucket of B tokens, into which N fall in T", &token_bucket_ops);

/* ---- task 4: GCRA ---- */

static const struct rl_ops gcra_ops = {
    .create = nothing_create,
    .destroy = free,
    .allow = nothing_allow,
    .bytes = nothing_bytes,
};
RL_ENTRY(gcra, "gcra", "the same bucket in one time a key", &gcra_ops);

/* ---- task 5: a fixed window that config->threads threads ask at the same time ---- */

static const struct rl_ops fixed_window_atomic_ops = {
    .create = nothing_create,
    .destroy = free,
    .allow = nothing_allow,
    .bytes = nothing_bytes,
    .thread_safe = true,
};
RL_ENTRY(fixed_window_atomic, "fixed-window-atomic", "a fixed window for threads", &fixed_window_atomic_ops);
