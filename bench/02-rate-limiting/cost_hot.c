/* cost_hot.c: decisions beside what the machine can do at best, so that a ratio of the two is one of the same minute. */
#include "cost_hot.h"

#include "runs.h"

#include "sim/rng.h"
#include "sim/zipf.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define NS_A_CALL 100u
#define LINE      128
#define THREADS   16u

const char *const hot_names[] = {"bare:fetch-add",
                                 "bare:compare-and-swap",
                                 "bare:own-counter",
                                 "entry:fixed-window-atomic",
                                 "entry:fixed-window-mutex",
                                 "entry:gcra-atomic",
                                 "entry:gcra-mutex",
                                 "entry:sharded-window",
                                 NULL};
const char *const many_names[] = {
    "bare:dependent-load", "entry:fixed-window", "entry:fixed-window-atomic", "entry:gcra",
    "entry:gcra-atomic",   "entry:token-bucket", "entry:sharded-window",      NULL};

/* ---- limiters that decide nothing ------------------------------------------------------------------------------ */

struct words {
    struct {
        _Alignas(LINE) _Atomic uint64_t word;
    } of[THREADS];
};

static int bare_create(const struct rl_config *config, void **limiter)
{
    (void)config;
    *limiter = aligned_alloc(LINE, sizeof(struct words));
    if (!*limiter)
        return -ENOMEM;
    memset(*limiter, 0, sizeof(struct words));
    return 0;
}

static struct rl_answer answer(uint64_t count)
{
    return (struct rl_answer){.allowed = true, .left = count};
}

static struct rl_answer fetch_add(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct words *w = limiter;
    (void)key, (void)now, (void)node;
    return answer(atomic_fetch_add_explicit(&w->of[0].word, cost, memory_order_acq_rel));
}

static struct rl_answer compare_and_swap(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct words *w = limiter;
    (void)key, (void)now, (void)node;
    uint64_t old = atomic_load_explicit(&w->of[0].word, memory_order_acquire);
    while (!atomic_compare_exchange_weak_explicit(&w->of[0].word, &old, old + cost, memory_order_acq_rel,
                                                  memory_order_acquire)) {
    }
    return answer(old);
}

static struct rl_answer own_counter(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct words *w = limiter;
    (void)key, (void)now;
    return answer(atomic_fetch_add_explicit(&w->of[node % THREADS].word, cost, memory_order_acq_rel));
}

static const struct rl_ops bare[] = {
    {.create = bare_create, .destroy = free, .allow = fetch_add},
    {.create = bare_create, .destroy = free, .allow = compare_and_swap},
    {.create = bare_create, .destroy = free, .allow = own_counter},
};

/* ---- a load that needs the last one's result --------------------------------------------------------------------- */

struct place {
    uint64_t next;
    char rest[LINE / 2 - 8];
};

/* One random cycle through all places (Sattolo). */
static struct place *chain_create(uint64_t bytes, uint64_t seed)
{
    uint64_t n = bytes / sizeof(struct place) + 2;
    struct place *place = aligned_alloc(LINE, (n + 1) / 2 * LINE);
    struct rng r;
    rng_seed(&r, seed, 99);
    for (uint64_t i = 0; place && i < n; i++)
        place[i].next = i;
    for (uint64_t i = n - 1; place && i > 0; i--) {
        uint64_t k = rng_below(&r, (uint32_t)i), there = place[i].next;
        place[i].next = place[k].next;
        place[k].next = there;
    }
    return place;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

struct asker {
    _Alignas(LINE) uint64_t now;
    uint64_t at;
    uint32_t *key; /* [HOT_SEQUENCE]; NULL: always key 1 */
};

struct hot {
    struct limiter limiter; /* or: */
    struct place *chain;
    struct asker asker[THREADS];
};

uint32_t *hot_draw_keys(uint64_t keys, bool zipf, uint64_t seed, unsigned thread)
{
    struct rng random;
    struct zipf law;
    uint32_t *key = malloc(HOT_SEQUENCE * sizeof *key);
    rng_seed(&random, seed, thread);
    zipf_init(&law, keys, 1.0);
    for (uint32_t i = 0; key && i < HOT_SEQUENCE; i++)
        key[i] = zipf ? (uint32_t)(zipf_draw(&law, &random) - 1) : rng_below(&random, (uint32_t)keys);
    return key;
}

static int limiter_of(const struct cost_subject *s, struct limiter *limiter)
{
    /* A limit that admits all, so that each decision has to write what it decided; memory of a second, so that no key
     * is forgotten. */
    const struct rl_config config = {
        .limit = 100000000, .window_ns = S, .burst = 100000000, .threads = s->threads, .nodes = 1, .sync_ns = S};
    size_t kind = 0;
    if (strncmp(s->name, "entry:", 6) == 0) {
        *limiter = limiter_create(s->name + 6, &config);
        for (uint64_t key = 0; s->size > 1 && key < s->size; key++) /* every key is known */
            limiter_ask(limiter, key, 1, 0);
        return 0;
    }
    while (strcmp(hot_names[kind], s->name) != 0)
        kind++;
    limiter->ops = &bare[kind];
    return bare[kind].create(&config, &limiter->state);
}

int hot_create(const struct cost_subject *s, void **state, struct error *err)
{
    struct hot *h = aligned_alloc(LINE, sizeof *h);
    int code = 0;
    (void)err;
    if (!h)
        return -ENOMEM;
    memset(h, 0, sizeof *h);
    if (strcmp(s->name, "bare:dependent-load") == 0) {
        h->chain = chain_create(s->size * 32, s->seed);
        code = h->chain ? 0 : -ENOMEM;
    } else {
        code = limiter_of(s, &h->limiter);
    }
    for (unsigned t = 0; t < s->threads && s->size > 1 && code == 0; t++) {
        h->asker[t].key = hot_draw_keys(s->size, true, s->seed, t);
        code = h->asker[t].key ? 0 : -ENOMEM;
    }
    *state = h;
    if (code)
        hot_destroy(h);
    return code;
}

void hot_run(void *state, unsigned thread, uint64_t n)
{
    struct hot *h = state;
    struct asker *a = &h->asker[thread];
    const struct rl_ops *ops = h->limiter.ops;
    for (uint64_t i = 0; h->chain && i < n; i++)
        a->at = h->chain[a->at].next;
    for (uint64_t i = 0; ops && i < n; i++) {
        uint64_t key = a->key ? a->key[a->at++ & (HOT_SEQUENCE - 1)] : 1;
        (void)ops->allow(h->limiter.state, key, a->now += NS_A_CALL, 1, thread);
    }
}

void hot_destroy(void *state)
{
    struct hot *h = state;
    if (h->limiter.state)
        limiter_destroy(&h->limiter);
    for (unsigned t = 0; t < THREADS; t++)
        free(h->asker[t].key);
    free(h->chain);
    free(h);
}
