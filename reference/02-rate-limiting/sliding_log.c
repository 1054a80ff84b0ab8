/* Sliding log: the times of what was allowed in the last T. Exact.
 *
 * Idea       Remember when each unit was allowed. One that is T old or older has left the window; what remains is the
 *            use of (now - T, now].
 * Invariant  In no half-open interval of length T, wherever it lies, are more than N units allowed; and no request is
 *            refused that would fit. No limiter that promises the first can allow more than this one at any moment.
 * Structure  A ring of (time, units allowed up to then), oldest first. With running sums the units between two places
 *            are one subtraction, so the moment at which enough has left for a large request is found by bisection.
 *            Units allowed at the same nanosecond share a place. Rings start at 4 places and double; an idle key gives
 *            its ring back.
 * Cost       O(1) on average when allowed, O(log n) when refused, n <= N places. 16 bytes a place: for a million keys
 *            with N = 100, up to 2 GB. That is why almost nobody runs it, and why it is the measure of all others.
 * Gets wrong Only the memory, and that a client decides how much of it he takes.
 * Source     the sorted-set limiters of ClassDojo (2015) and Figma (2017). The former also logs what it refuses, so
 *            that who keeps knocking stays out for ever; this one doesn't.
 */
#include "keys.h"

#include <stdlib.h>

struct place {
    uint64_t at, total; /* total: units allowed up to and with this place, since the ring began; it may wrap round */
};

struct ring {
    uint32_t capacity, first, count; /* capacity: a power of two */
    uint64_t gone;                   /* total of the last place that left */
    struct place place[];
};

struct slot {
    uint64_t id;
    struct ring *ring; /* NULL: nothing */
};

struct limiter {
    struct keys keys;
    uint64_t limit, window;
    size_t ring_bytes;
};

static size_t ring_size(uint32_t capacity)
{
    return sizeof(struct ring) + capacity * sizeof(struct place);
}

static struct place *nth(struct ring *r, uint32_t n)
{
    return &r->place[(r->first + n) & (r->capacity - 1)];
}

static bool idle(void *limiter, void *slot, uint64_t now)
{
    struct limiter *l = limiter;
    struct slot *s = slot;
    if (s->ring && s->ring->count && nth(s->ring, s->ring->count - 1)->at + l->window > now)
        return false;
    l->ring_bytes -= s->ring ? ring_size(s->ring->capacity) : 0;
    free(s->ring);
    s->ring = NULL;
    return true;
}

static int create(const struct rl_config *config, void **out)
{
    int code = config_check(config, false);
    if (code == 0)
        code = keys_create(sizeof(struct limiter), sizeof(struct slot), idle, out);
    if (code)
        return code;
    struct limiter *l = *out;
    l->limit = config->limit;
    l->window = config->window_ns;
    return 0;
}

static size_t bytes(const void *limiter)
{
    return keys_bytes(limiter) + ((const struct limiter *)limiter)->ring_bytes;
}

static struct ring *grow(struct limiter *l, struct ring *old)
{
    uint32_t capacity = old ? 2 * old->capacity : 4;
    struct ring *r = malloc(ring_size(capacity));
    if (!r)
        return NULL;
    *r = (struct ring){.capacity = capacity, .count = old ? old->count : 0, .gone = old ? old->gone : 0};
    for (uint32_t i = 0; i < r->count; i++)
        r->place[i] = *nth(old, i);
    l->ring_bytes += ring_size(capacity) - (old ? ring_size(old->capacity) : 0);
    free(old);
    return r;
}

static void leave(struct ring *r, uint64_t window, uint64_t now)
{
    for (; r->count && nth(r, 0)->at + window <= now; r->count--) {
        r->gone = nth(r, 0)->total;
        r->first = (r->first + 1) & (r->capacity - 1);
    }
}

/* The place that must have left before no more than `most` units remain. */
static struct place *last_to_leave(struct ring *r, uint64_t most)
{
    uint64_t total = nth(r, r->count - 1)->total;
    uint32_t low = 0, high = r->count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (total - nth(r, middle)->total <= most)
            high = middle;
        else
            low = middle + 1;
    }
    return nth(r, low);
}

/* Notes `cost` units at `now`; false without memory. */
static bool note(struct limiter *l, struct slot *s, uint64_t now, uint32_t cost)
{
    struct ring *r = s->ring;
    struct place *last = r && r->count ? nth(r, r->count - 1) : NULL;
    if (last && last->at == now) {
        last->total += cost;
        return true;
    }
    uint64_t total = (last ? last->total : r ? r->gone : 0) + cost;
    if (!r || r->count == r->capacity) {
        r = grow(l, r);
        if (!r)
            return false;
        s->ring = r;
    }
    *nth(r, r->count++) = (struct place){.at = now, .total = total};
    return true;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    struct slot *s = keys_find(&l->keys, sizeof *s, key, now);
    uint64_t used = 0;
    (void)node;
    if (!s)
        return answer_no_memory();
    if (s->ring) {
        leave(s->ring, l->window, now);
        used = s->ring->count ? nth(s->ring, s->ring->count - 1)->total - s->ring->gone : 0;
    }
    if (cost > l->limit)
        return answer_refused(RL_NEVER, l->limit - used);
    if (used + cost > l->limit)
        return answer_refused(last_to_leave(s->ring, l->limit - cost)->at + l->window - now, l->limit - used);
    return note(l, s, now, cost) ? answer_allowed(l->limit - used - cost) : answer_no_memory();
}

static const struct rl_ops ops = {.create = create, .destroy = keys_end, .allow = allow, .bytes = bytes};
RL_ENTRY(sliding_log, "sliding-log", "N in any window: remembers the time of each", &ops);
