/* Lab 02: the model solution, in the form of the hand-in: the starter with its five tasks solved, as short as they can
 * be read.
 *
 * Every rule stands here as one comparison of exact integers. Where the rule has a fraction (T/N ns a token, the share
 * of a window), both sides are multiplied by what it is divided by, and nothing is ever rounded. Faster forms with the
 * same answers, and what each algorithm gets wrong, are in the files beside this folder.
 */
#include "rate_limiting.h"

#include <errno.h>
#include <pthread.h>
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

/* ---- what the five below share ---- */

/* A limiter of `bytes`, all zeros but for its keys. */
static int limiter_create(size_t bytes, size_t state_bytes,
                          bool (*idle)(const void *limiter, const void *state, uint64_t now), void **limiter)
{
    struct keys *k = calloc(1, bytes);
    if (!k)
        return -ENOMEM;
    k->state_bytes = state_bytes;
    k->idle = idle;
    *limiter = k;
    return 0;
}

static struct rl_answer allowed(uint64_t left)
{
    return (struct rl_answer){.allowed = true, .left = left};
}

static struct rl_answer refused(uint64_t retry_ns, uint64_t left)
{
    return (struct rl_answer){.allowed = false, .retry_ns = retry_ns, .left = left};
}

static wide divide_up(wide a, uint64_t b)
{
    return (a + b - 1) / b;
}

/* ---- task 1: sliding log ---- */

struct sliding_log {
    struct keys keys;
    uint64_t limit, window_ns;
};

struct request {
    uint64_t at;
    uint32_t cost;
};

struct sliding_log_state {
    struct request *ring; /* [room], a power of two; NULL: nothing */
    uint32_t first, count, room;
    uint64_t used; /* sum of the costs in the ring */
};

static struct request *nth(const struct sliding_log_state *s, uint32_t n)
{
    return &s->ring[(s->first + n) & (s->room - 1)];
}

static bool sliding_log_idle(const void *limiter, const void *state, uint64_t now)
{
    const struct sliding_log *l = limiter;
    const struct sliding_log_state *s = state;
    return s->count == 0 || now - nth(s, s->count - 1)->at >= l->window_ns;
}

static void sliding_log_drop(void *state)
{
    struct sliding_log_state *s = state;
    free(s->ring);
}

static int sliding_log_create(const struct rl_config *config, void **limiter)
{
    const int code =
        limiter_create(sizeof(struct sliding_log), sizeof(struct sliding_log_state), sliding_log_idle, limiter);
    if (code)
        return code;
    struct sliding_log *l = *limiter;
    l->keys.drop = sliding_log_drop;
    l->limit = config->limit;
    l->window_ns = config->window_ns;
    return 0;
}

static bool sliding_log_grow(struct sliding_log_state *s)
{
    const uint32_t room = s->room ? 2 * s->room : 4;
    struct request *ring = malloc(room * sizeof *ring);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        ring[i] = *nth(s, i);
    free(s->ring);
    s->ring = ring;
    s->first = 0;
    s->room = room;
    return true;
}

/* The wait until enough of the oldest are T old. */
static uint64_t sliding_log_retry(const struct sliding_log *l, const struct sliding_log_state *s, uint64_t now,
                                  uint32_t cost)
{
    uint64_t used = s->used;
    for (uint32_t i = 0; i < s->count; i++) {
        used -= nth(s, i)->cost;
        if (used + cost <= l->limit)
            return nth(s, i)->at + l->window_ns - now;
    }
    return RL_NEVER;
}

static struct rl_answer sliding_log_allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct sliding_log *l = limiter;
    struct sliding_log_state *s = keys_find(&l->keys, key, now);
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    while (s->count > 0 && now - nth(s, 0)->at >= l->window_ns) {
        s->used -= nth(s, 0)->cost;
        s->first = (s->first + 1) & (s->room - 1);
        s->count--;
    }
    if (s->used + cost > l->limit)
        return refused(sliding_log_retry(l, s, now, cost), l->limit - s->used);
    if (s->count == s->room && !sliding_log_grow(s))
        return refused(RL_UNKNOWN, 0);
    *nth(s, s->count++) = (struct request){now, cost};
    s->used += cost;
    return allowed(l->limit - s->used);
}

static size_t sliding_log_bytes(const void *limiter)
{
    const struct sliding_log *l = limiter;
    size_t bytes = keys_bytes(limiter);
    for (size_t i = 0; i < l->keys.slots; i++)
        bytes += ((struct sliding_log_state *)(keys_slot(&l->keys, i) + 1))->room * sizeof(struct request);
    return bytes;
}

static const struct rl_ops sliding_log_ops = {
    .create = sliding_log_create,
    .destroy = keys_destroy,
    .allow = sliding_log_allow,
    .bytes = sliding_log_bytes,
};
RL_ENTRY(sliding_log, "sliding-log", "N in any window: remembers when each was allowed", &sliding_log_ops);

/* ---- task 2: sliding counter ---- */

struct sliding_counter {
    struct keys keys;
    uint64_t limit, window_ns;
};

struct sliding_counter_state {
    uint64_t window; /* the number of the window that `current` belongs to; `previous` belongs to the one before */
    uint32_t current, previous;
};

static bool sliding_counter_idle(const void *limiter, const void *state, uint64_t now)
{
    const struct sliding_counter *l = limiter;
    const struct sliding_counter_state *s = state;
    return now / l->window_ns > s->window + 1;
}

static int sliding_counter_create(const struct rl_config *config, void **limiter)
{
    const int code = limiter_create(sizeof(struct sliding_counter), sizeof(struct sliding_counter_state),
                                    sliding_counter_idle, limiter);
    if (code)
        return code;
    struct sliding_counter *l = *limiter;
    l->limit = config->limit;
    l->window_ns = config->window_ns;
    return 0;
}

/* How old a window has to be so that `previous` of the one before it leaves room for `cost` beside `current`:
 * the least e with previous x (T - e) <= (N - current - cost) x T. */
static uint64_t sliding_counter_age(const struct sliding_counter *l, uint64_t previous, uint64_t current, uint64_t cost)
{
    const wide room = (wide)(l->limit - current - cost) * l->window_ns;
    return room >= (wide)previous * l->window_ns ? 0 : l->window_ns - (uint64_t)(room / previous);
}

static struct rl_answer sliding_counter_allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct sliding_counter *l = limiter;
    struct sliding_counter_state *s = keys_find(&l->keys, key, now);
    const uint64_t window = now / l->window_ns, age = now % l->window_ns;
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    if (s->window != window)
        *s = (struct sliding_counter_state){.window = window, .previous = s->window + 1 == window ? s->current : 0};
    const uint64_t used = s->current + (uint64_t)divide_up((wide)s->previous * (l->window_ns - age), l->window_ns);
    if (used + cost <= l->limit) {
        s->current += cost;
        return allowed(l->limit - used - cost);
    }
    if (cost > l->limit)
        return refused(RL_NEVER, l->limit - used);
    if (s->current + cost <= l->limit)
        return refused(sliding_counter_age(l, s->previous, s->current, cost) - age, l->limit - used);
    return refused(l->window_ns - age + sliding_counter_age(l, s->current, 0, cost), l->limit - used);
}

static const struct rl_ops sliding_counter_ops = {
    .create = sliding_counter_create,
    .destroy = keys_destroy,
    .allow = sliding_counter_allow,
    .bytes = keys_bytes,
};
RL_ENTRY(sliding_counter, "sliding-counter", "two windows, the older one by what is left of it", &sliding_counter_ops);

/* ---- task 3: token bucket ---- */

struct bucket {
    struct keys keys;
    uint64_t limit, window_ns, burst;
};

/* In 1/T of a token: N of these fall into the bucket in a nanosecond, and a token is T of them. What is missing is kept
 * rather than what is there, so that zeros are a full bucket. */
struct token_bucket_state {
    wide missing;
    uint64_t since;
};

static wide token_bucket_missing(const struct bucket *l, const struct token_bucket_state *s, uint64_t now)
{
    const wide fell = (wide)(now - s->since) * l->limit;
    return s->missing > fell ? s->missing - fell : 0;
}

static bool token_bucket_idle(const void *limiter, const void *state, uint64_t now)
{
    return token_bucket_missing(limiter, state, now) == 0;
}

static int bucket_create(const struct rl_config *config, size_t state_bytes,
                         bool (*idle)(const void *limiter, const void *state, uint64_t now), void **limiter)
{
    const int code = limiter_create(sizeof(struct bucket), state_bytes, idle, limiter);
    if (code)
        return code;
    struct bucket *l = *limiter;
    l->limit = config->limit;
    l->window_ns = config->window_ns;
    l->burst = config->burst;
    return 0;
}

static int token_bucket_create(const struct rl_config *config, void **limiter)
{
    return bucket_create(config, sizeof(struct token_bucket_state), token_bucket_idle, limiter);
}

static struct rl_answer token_bucket_allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct bucket *l = limiter;
    struct token_bucket_state *s = keys_find(&l->keys, key, now);
    const wide full = (wide)l->burst * l->window_ns, wanted = (wide)cost * l->window_ns;
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    s->missing = token_bucket_missing(l, s, now);
    s->since = now;
    const uint64_t left = (uint64_t)((full - s->missing) / l->window_ns);
    if (cost > l->burst)
        return refused(RL_NEVER, left);
    if (s->missing + wanted > full)
        return refused((uint64_t)divide_up(s->missing + wanted - full, l->limit), left);
    s->missing += wanted;
    return allowed(left - cost);
}

static const struct rl_ops token_bucket_ops = {
    .create = token_bucket_create,
    .destroy = keys_destroy,
    .allow = token_bucket_allow,
    .bytes = keys_bytes,
};
RL_ENTRY(token_bucket, "token-bucket", "a bucket of B tokens, into which N fall in T", &token_bucket_ops);

/* ---- task 4: GCRA ---- */

/* When the bucket would be full again if nobody asked, in 1/N ns: then a token takes T of them, a nanosecond N. */
struct gcra_state {
    wide full_at;
};

static bool gcra_idle(const void *limiter, const void *state, uint64_t now)
{
    const struct bucket *l = limiter;
    return ((const struct gcra_state *)state)->full_at <= (wide)now * l->limit;
}

static int gcra_create(const struct rl_config *config, void **limiter)
{
    return bucket_create(config, sizeof(struct gcra_state), gcra_idle, limiter);
}

static struct rl_answer gcra_allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct bucket *l = limiter;
    struct gcra_state *s = keys_find(&l->keys, key, now);
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    const wide present = (wide)now * l->limit, latest = present + (wide)l->burst * l->window_ns;
    const wide from = s->full_at > present ? s->full_at : present, to = from + (wide)cost * l->window_ns;
    const uint64_t left = (uint64_t)((latest - from) / l->window_ns);
    if (cost > l->burst)
        return refused(RL_NEVER, left);
    if (to > latest)
        return refused((uint64_t)divide_up(to - latest, l->limit), left);
    s->full_at = to;
    return allowed(left - cost);
}

static const struct rl_ops gcra_ops = {
    .create = gcra_create,
    .destroy = keys_destroy,
    .allow = gcra_allow,
    .bytes = keys_bytes,
};
RL_ENTRY(gcra, "gcra", "the same bucket in one time a key", &gcra_ops);

/* ---- task 5: a fixed window that config->threads threads ask at the same time ---- */

/* The keys are dealt out to shards, each with a table and a lock of its own: threads wait for each other only when they
 * are at the same shard. */
#define SHARDS 64

struct shard {
    struct keys keys;
    uint64_t limit, window_ns;
    pthread_mutex_t lock;
};

struct atomic_window {
    struct shard shard[SHARDS];
};

/* Kept for a window more, as another thread's clock may still be in the one before. */
static bool atomic_window_idle(const void *limiter, const void *state, uint64_t now)
{
    const struct shard *l = limiter;
    const struct fixed_window_state *s = state;
    return now / l->window_ns > s->window + 1;
}

static int atomic_window_create(const struct rl_config *config, void **limiter)
{
    struct atomic_window *w = calloc(1, sizeof *w);
    if (!w)
        return -ENOMEM;
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct shard *l = &w->shard[i];
        l->keys.state_bytes = sizeof(struct fixed_window_state);
        l->keys.idle = atomic_window_idle;
        l->limit = config->limit;
        l->window_ns = config->window_ns;
        pthread_mutex_init(&l->lock, NULL);
    }
    *limiter = w;
    return 0;
}

static void atomic_window_destroy(void *limiter)
{
    struct atomic_window *w = limiter;
    for (uint32_t i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&w->shard[i].lock);
        free(w->shard[i].keys.table);
    }
    free(w);
}

static struct rl_answer locked_allow(struct shard *l, uint64_t key, uint64_t now, uint32_t cost)
{
    struct fixed_window_state *s = keys_find(&l->keys, key, now);
    if (!s)
        return refused(RL_UNKNOWN, 0);
    if (s->window < now / l->window_ns) /* an older one than that never comes back */
        *s = (struct fixed_window_state){.window = now / l->window_ns};
    if (s->count + cost <= l->limit) {
        s->count += cost;
        return allowed(l->limit - s->count);
    }
    return refused(cost > l->limit ? RL_NEVER : (s->window + 1) * l->window_ns - now, l->limit - s->count);
}

static struct rl_answer atomic_window_allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct atomic_window *w = limiter;
    struct shard *l = &w->shard[key % SHARDS];
    (void)node;
    pthread_mutex_lock(&l->lock);
    const struct rl_answer answer = locked_allow(l, key, now, cost);
    pthread_mutex_unlock(&l->lock);
    return answer;
}

static size_t atomic_window_bytes(const void *limiter)
{
    const struct atomic_window *w = limiter;
    size_t bytes = sizeof *w;
    for (uint32_t i = 0; i < SHARDS; i++)
        bytes += keys_bytes(&w->shard[i]);
    return bytes;
}

static const struct rl_ops atomic_window_ops = {
    .create = atomic_window_create,
    .destroy = atomic_window_destroy,
    .allow = atomic_window_allow,
    .bytes = atomic_window_bytes,
    .thread_safe = true,
};
RL_ENTRY(atomic_window, "fixed-window-atomic", "a fixed window for threads", &atomic_window_ops);
