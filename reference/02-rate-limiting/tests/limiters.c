/* limiters.c: any entry by name, and beside it an oracle that knows its promise and nothing of how it is kept. */
#include "limiters.h"

#include <stdio.h>
#include <string.h>

const struct candidate candidates[] = {
    {"fixed-window", FIXED},
    {"fixed-window-mutex", FIXED},
    {"fixed-window-atomic", FIXED},
    {"sharded-window", FIXED},
    {"sliding-log", LOG},
    {"sliding-counter", COUNTER},
    {"token-bucket", BUCKET},
    {"leaky-bucket", BUCKET},
    {"gcra", BUCKET},
    {"gcra-mutex", BUCKET},
    {"gcra-atomic", BUCKET},
    {"leaky-queue", QUEUE},
    {"local-windows", LOCAL},
    {"distributed-window", DISTRIBUTED},
};
const uint32_t candidates_count = sizeof candidates / sizeof *candidates;

const struct rl_ops *limiter_ops(const char *name)
{
    for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++)
        if (strcmp((*e)->name, name) == 0)
            return (*e)->ops;
    cr_assert(false, "there is no entry %s", name);
    return NULL;
}

int limiter_start(struct limiter_run *l, const char *name, const struct rl_config *config)
{
    *l = (struct limiter_run){.name = name, .ops = limiter_ops(name)};
    return l->ops->create(config, &l->limiter);
}

void limiter_stop(struct limiter_run *l)
{
    l->ops->destroy(l->limiter);
}

uint64_t keys_unmix(uint64_t id)
{
    uint64_t x = id ^ id >> 31 ^ id >> 62;
    x *= UINT64_C(0x319642b2d24d8ec3);
    x ^= x >> 27 ^ x >> 54;
    x *= UINT64_C(0x96de1b173f119089);
    return x ^ x >> 30 ^ x >> 60;
}

struct rl_config plain_config(uint64_t limit, uint64_t window_ns)
{
    return (struct rl_config){
        .limit = limit, .window_ns = window_ns, .burst = limit, .threads = 1, .nodes = 1, .sync_ns = 1};
}

/* ---- the oracle ------------------------------------------------------------------------------------------------- */

/* For each time at which something was allowed: what was let in from then on, this request included, is no more than
 * the burst and what has come since. */
static bool bucket_fits(const struct oracle *o, uint64_t burst, uint64_t now, uint64_t cost)
{
    huge n = o->config.limit, t = o->config.window_ns, sum = cost;
    if (cost > burst)
        return false;
    for (uint32_t i = o->count; i-- > 0;) {
        sum += o->list[i].cost;
        if (sum * t > burst * t + (now - o->list[i].at) * n)
            return false;
    }
    return true;
}

static bool counter_fits(const struct oracle *o, uint64_t now, uint64_t cost)
{
    uint64_t t = o->config.window_ns, window = now / t, previous = 0, current = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        previous += o->list[i].at / t + 1 == window ? o->list[i].cost : 0;
        current += o->list[i].at / t == window ? o->list[i].cost : 0;
    }
    return (huge)previous * (t - now % t) + (huge)(current + cost) * t <= (huge)o->config.limit * t;
}

/* Does what was taken count at `now`? start: of the window that `now` is in. */
static bool counts(const struct oracle *o, const struct taken *x, uint64_t now, uint64_t start, uint32_t node)
{
    bool in_window = x->at >= start && x->at - start < o->config.window_ns;
    switch (o->promise) {
    case LOG:
        return now - x->at < o->config.window_ns;
    case LOCAL:
        return in_window && x->node == node;
    case DISTRIBUTED:
        return in_window && (x->node == node || x->at < now / o->config.sync_ns * o->config.sync_ns);
    default:
        return in_window;
    }
}

bool oracle_fits(const struct oracle *o, uint64_t now, uint64_t cost, uint32_t node)
{
    uint64_t used = 0, start = now / o->config.window_ns * o->config.window_ns;
    if (o->promise == BUCKET || o->promise == QUEUE)
        return bucket_fits(o, o->config.burst + (o->promise == QUEUE), now, cost);
    if (o->promise == COUNTER)
        return counter_fits(o, now, cost);
    for (uint32_t i = 0; i < o->count; i++)
        used += counts(o, &o->list[i], now, start, node) ? o->list[i].cost : 0;
    return used + cost <= o->config.limit;
}

/* The least wait with which `cost` fits: from 0 in steps that double, then by bisection. */
static uint64_t least_wait(const struct oracle *o, uint64_t now, uint64_t cost, uint32_t node)
{
    struct oracle *nothing = calloc(1, sizeof *nothing);
    nothing->promise = o->promise;
    nothing->config = o->config;
    bool ever = oracle_fits(nothing, now, cost, node);
    free(nothing);
    if (!ever)
        return RL_NEVER;
    uint64_t refused = 0, allowed = 1;
    while (!oracle_fits(o, now + allowed, cost, node)) {
        refused = allowed;
        allowed *= 2;
    }
    while (allowed - refused > 1) {
        uint64_t middle = refused + (allowed - refused) / 2;
        if (oracle_fits(o, now + middle, cost, node))
            allowed = middle;
        else
            refused = middle;
    }
    return allowed;
}

static uint64_t most_cost(const struct oracle *o, uint64_t now, uint32_t node)
{
    uint64_t fits = 0, too_much = 1;
    while (too_much <= RL_MAX_UNITS && oracle_fits(o, now, too_much, node)) {
        fits = too_much;
        too_much *= 2;
    }
    while (too_much - fits > 1) {
        uint64_t middle = (fits + too_much) / 2;
        if (oracle_fits(o, now, middle, node))
            fits = middle;
        else
            too_much = middle;
    }
    return fits;
}

/* A queue: all units since i, this request's included, leave T/N apart from the time of i on; the last of them here. */
static uint64_t queue_delay(const struct oracle *o, uint64_t now)
{
    huge n = o->config.limit, t = o->config.window_ns, sum = 0, leaves = 0;
    for (uint32_t i = o->count; i-- > 0;) {
        sum += o->list[i].cost;
        if (o->list[i].at * n + (sum - 1) * t > leaves)
            leaves = o->list[i].at * n + (sum - 1) * t;
    }
    return (uint64_t)((leaves + n - 1) / n) - now;
}

struct rl_answer oracle_ask(struct oracle *o, uint64_t now, uint32_t cost, uint32_t node)
{
    struct rl_answer a = {.allowed = oracle_fits(o, now, cost, node)};
    if (a.allowed) {
        cr_assert(o->count < MOST_TAKEN, "the oracle is full");
        o->list[o->count++] = (struct taken){.at = now, .cost = cost, .node = node};
        a.delay_ns = o->promise == QUEUE ? queue_delay(o, now) : 0;
    } else {
        a.retry_ns = least_wait(o, now, cost, node);
    }
    a.left = most_cost(o, now, node);
    return a;
}

void expect_answer(const char *name, uint32_t step, struct rl_answer actual, struct rl_answer expected)
{
    if (same_answer(actual, expected))
        return;
    cr_assert(false, "%s, call %u: expected: allowed %d, delay %lu, retry %lu, left %lu; actual: %d, %lu, %lu, %lu",
              name, step, expected.allowed, expected.delay_ns, expected.retry_ns, expected.left, actual.allowed,
              actual.delay_ns, actual.retry_ns, actual.left);
}

/* ---- random input ----------------------------------------------------------------------------------------------- */

static uint64_t up_to(struct rng *r, uint64_t most)
{
    return rng_next(r) % (most + 1);
}

/* Of any order of magnitude up to `most`. */
static uint64_t of_any_size(struct rng *r, uint64_t most)
{
    uint64_t x = 1 + (rng_next(r) >> (1 + rng_below(r, 63)));
    return x < most ? x : most;
}

struct rl_config draw_config(struct rng *r)
{
    static const uint64_t limits[] = {1, 2, 3, 7, 10, 100, 999, RL_MAX_UNITS};
    static const uint64_t lengths[] = {1, 2, 3, 10, 100, 1000, 1000000000, RL_MAX_WINDOW};
    struct rl_config c = plain_config(0, 0);
    c.limit = rng_below(r, 3) ? limits[rng_below(r, 8)] : of_any_size(r, RL_MAX_UNITS);
    c.window_ns = rng_below(r, 3) ? lengths[rng_below(r, 8)] : of_any_size(r, RL_MAX_WINDOW);
    c.burst = rng_below(r, 2) ? c.limit : rng_below(r, 2) ? 1 + rng_below(r, 20) : of_any_size(r, RL_MAX_UNITS);
    c.nodes = 1 + rng_below(r, 4);
    c.sync_ns = rng_below(r, 2) ? 1 + c.window_ns / (1 + rng_below(r, 20)) : of_any_size(r, RL_MAX_WINDOW);
    return c;
}

uint64_t draw_start(struct rng *r, const struct rl_config *c)
{
    switch (rng_below(r, 3)) {
    case 0:
        return 0;
    case 1:
        return rng_next(r) >> (3 + rng_below(r, 40));
    default:
        return RL_MAX_TIME - 1 - up_to(r, 20 * c->window_ns);
    }
}

uint64_t draw_next(struct rng *r, const struct rl_config *c, uint64_t now)
{
    uint64_t t = c->window_ns, unit = t / c->limit, next = now;
    switch (rng_below(r, 9)) {
    case 0:
        next += 1;
        break;
    case 1:
        next += unit;
        break;
    case 2:
        next += unit + 1;
        break;
    case 3:
        next += up_to(r, 3 * unit + 3);
        break;
    case 4:
        next = (now / t + 1) * t - rng_below(r, 2); /* a window's first moment, or the last before */
        break;
    case 5:
        next += t - rng_below(r, 2);
        break;
    case 6:
        next += up_to(r, rng_below(r, 4) ? t / 4 : 2 * t);
        break;
    default:
        break; /* the same moment again */
    }
    return next < RL_MAX_TIME && next >= now ? next : now;
}

uint32_t draw_cost(struct rng *r, const struct rl_config *c, uint64_t left)
{
    uint64_t cost;
    switch (rng_below(r, 10)) {
    case 0:
        cost = up_to(r, c->limit);
        break;
    case 1:
        cost = left;
        break;
    case 2:
        cost = left + 1;
        break;
    case 3:
        cost = left / 2;
        break;
    case 4:
        cost = rng_below(r, 8) ? c->limit / 5 : c->limit + rng_below(r, 3);
        break;
    default:
        cost = 1 + rng_below(r, 3) / 2;
    }
    return cost < 1 ? 1 : cost < RL_MAX_UNITS ? (uint32_t)cost : RL_MAX_UNITS;
}
