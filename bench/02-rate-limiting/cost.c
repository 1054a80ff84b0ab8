/* cost: what a decision costs, by how many keys there are, how evenly they ask, and how many threads. */
#include "cost_hot.h"
#include "rate_limiting.h"
#include "remote.h"
#include "runs.h"

#include "cost/cost.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_A_CALL 100u
#define LINE      128

/* ---- a decision by an entry ---- */

struct asker {
    uint64_t at, now;
    uint32_t *key; /* [HOT_SEQUENCE], asked for over and over */
    uint64_t refused;
    char pad[LINE];
};

struct decisions {
    const struct rl_ops *ops;
    void *limiter;
    unsigned threads;
    struct asker asker[];
};

/* Entries that listen to the end of a request are told of it at once. */
static bool ask(struct decisions *d, uint64_t key, uint64_t now)
{
    bool allowed = d->ops->allow(d->limiter, key, now, 1, 0).allowed;
    if (allowed && d->ops->done)
        d->ops->done(d->limiter, key, now + NS_A_CALL, 1, NS_A_CALL, RL_OK);
    return allowed;
}

static void run(void *state, unsigned thread, uint64_t n)
{
    struct decisions *d = state;
    struct asker *a = &d->asker[thread];
    for (uint64_t i = 0; i < n; i++) {
        a->now += NS_A_CALL;
        a->refused += !ask(d, a->key[a->at++ & (HOT_SEQUENCE - 1)], a->now);
    }
}

static void destroy(void *state)
{
    struct decisions *d = state;
    if (d->limiter)
        d->ops->destroy(d->limiter);
    for (unsigned t = 0; t < d->threads; t++)
        free(d->asker[t].key);
    free(d);
}

/* Its argument: do keys ask by Zipf's law? */
static int create(const struct cost_subject *s, void **state, struct error *err)
{
    const bool zipf = *(const bool *)s->arg;
    /* A limit that admits all, so that each decision has to write what it decided; memory of a second, so that no key
     * is forgotten. */
    const struct rl_config config = {.limit = 100000000,
                                     .window_ns = 1000000000,
                                     .burst = 100000000,
                                     .threads = s->threads,
                                     .nodes = 1,
                                     .sync_ns = 1000000000};
    struct decisions *d = calloc(1, sizeof *d + s->threads * sizeof *d->asker);
    if (!d)
        return -ENOMEM;
    d->threads = s->threads;
    d->ops = plugin_find(s->plugin, s->name);
    int code = !d->ops ? -ENOENT : 0;
    if (code == 0 && s->threads > 1 && !d->ops->thread_safe)
        code = error_set(err, -ENOTSUP, "it is called by one thread at a time");
    if (code == 0)
        code = d->ops->create(&config, &d->limiter);
    for (unsigned t = 0; t < s->threads && code == 0; t++)
        code = (d->asker[t].key = hot_draw_keys(s->size, zipf, s->seed, t)) ? 0 : -ENOMEM;
    for (uint64_t key = 0; key < s->size && code == 0; key++) /* every key is known */
        ask(d, key, 1);
    if (code) {
        destroy(d);
        return code;
    }
    *state = d;
    return 0;
}

/* ---- a decision across a socket ---- */

static const char *const remote_parts[] = {"redis-get-set", "redis-incr-expire", "redis-gcra", NULL};

struct far {
    struct remote *remote;
    uint64_t now_us, key;
};

static int remote_create(const struct cost_subject *s, void **state, struct error *err)
{
    enum remote_rule rule = REMOTE_GET_SET;
    char why[200];
    struct far *f = calloc(1, sizeof *f);
    if (!f)
        return -ENOMEM;
    while (rule < REMOTE_GCRA && strcmp(remote_parts[rule], s->name) != 0)
        rule++;
    f->remote = remote_connect(rule, s->name, 1000000, 600, why, sizeof why);
    if (!f->remote) {
        free(f);
        return error_set(err, -ENOTSUP, "%s", why);
    }
    *state = f;
    return 0;
}

static void remote_run(void *state, unsigned thread, uint64_t n)
{
    struct far *f = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i++)
        (void)remote_allow(f->remote, f->key++ & 1023, f->now_us += 1000000);
}

static void remote_destroy(void *state)
{
    struct far *f = state;
    remote_close(f->remote);
    free(f);
}

/* ---- the table ---- */

static const uint64_t keys[] = {1, 1000, 1000000, 0}, many_keys[] = {1000, 1000000, 0}, million[] = {1000000, 0},
                      one[] = {1, 0};
static const unsigned one_and_two[] = {1, 2, 0}, one_thread[] = {1, 0};
static const bool uniform = false, by_zipf = true;
static const char *const shown[] = {"fixed-window", "sliding-log", "sliding-counter", "token-bucket", "gcra",
                                    "gcra-atomic",  NULL};

static const struct cost_operation operations[] = {
    {.name = "decision",
     .what = "may this key go on? All keys ask equally often; the limit admits all, so each decision writes.",
     .size_name = "keys",
     .sizes = keys,
     .threads = one_and_two,
     .threads_what = "one limiter for both, by entries that allow it",
     .cold = true,
     .simulated = true,
     .arg = &uniform,
     .create = create,
     .run = run,
     .destroy = destroy},
    {.name = "zipf-decision",
     .what = "the same where the k-th key asks 1/k as often as the first, as clients do",
     .size_name = "keys",
     .sizes = many_keys,
     .threads = one_and_two,
     .threads_what = "one limiter for both, by entries that allow it",
     .arg = &by_zipf,
     .create = create,
     .run = run,
     .destroy = destroy},
    {.name = "hot-key",
     .what = "one key for all threads: entries, and limiters that do nothing but add to a word by fetch-and-add, by "
             "compare-and-swap, or to a word of each thread's own. All are asked by the same loop.",
     .sizes = one,
     .threads = one_and_two,
     .threads_what = "the same key, by entries for threads and their twins with a mutex",
     .names = hot_names,
     .parts = true,
     .create = hot_create,
     .run = hot_run,
     .destroy = hot_destroy},
    {.name = "many-keys",
     .what =
         "a million keys, asked for by Zipf's law, and beside them a load that needs the last one's result, from as "
         "much memory as their slots take: how many such loads is a decision?",
     .size_name = "keys",
     .sizes = million,
     .threads = one_thread,
     .names = many_names,
     .parts = true,
     .create = hot_create,
     .run = hot_run,
     .destroy = hot_destroy},
    {.name = "remote-decision",
     .what = "a decision by a Redis on this machine, over the loopback: one or two commands, each a round trip",
     .sizes = one,
     .threads = one_thread,
     .names = remote_parts,
     .parts = true,
     .chunk_ns = 1000000,
     .rounds = 30,
     .create = remote_create,
     .run = remote_run,
     .destroy = remote_destroy},
};

/* It admits up to the limit in one moment and refuses the next. Another key has a limit of its own, but where the limit
 * belongs to the server behind (concurrency). */
static int verify(const struct cost_subject *subject, char *why, size_t size)
{
    const struct rl_config config = {
        .limit = 5, .window_ns = 1000000000, .burst = 5, .threads = 1, .nodes = 1, .sync_ns = 1000000000};
    const struct rl_ops *ops = plugin_find(subject->plugin, subject->name);
    void *limiter;
    int admitted = 0, other;
    if (!ops || ops->create(&config, &limiter) != 0) {
        snprintf(why, size, "it cannot be made");
        return -1;
    }
    for (int i = 0; i < 40; i++)
        admitted += ops->allow(limiter, 1, 5000000000, 1, 0).allowed;
    other = ops->allow(limiter, 2, 5000000000, 1, 0).allowed;
    ops->destroy(limiter);
    if (admitted >= 1 && admitted <= 20 && (other || ops->done))
        return 0;
    snprintf(why, size, "it is wrong: with a limit of 5 it admitted %d of 40 at once, and another key %s", admitted,
             other ? "too" : "not");
    return -1;
}

int main(int argc, char **argv)
{
    const struct cost_suite suite = {
        .lab_folder = "02-rate-limiting",
        .operation = operations,
        .operations = COUNT(operations),
        .verify = verify,
        .shown = shown,
    };
    runs_load();
    return cost_main(argc, argv, &suite);
}
