/* queues.c: what each queue promises, and of all of them that nothing is lost and nothing done twice. */
#include "entries.h"

TestSuite(queues, .timeout = 60);

static const char *const entries[] = {"bounded-fifo", "lifo", "drop-expired", "codel", "shedding", NULL};

struct queue {
    const struct cb_queue_ops *ops;
    void *state;
    struct cb_dropped dropped;
};

static struct queue start(const char *name, uint32_t most)
{
    const struct cb_queue_config config = {.most = most, .target_ns = 5 * MS, .interval_ns = 100 * MS};
    struct queue q = {.ops = entry_named(name)->queue};
    cr_assert(q.ops->create(&config, &q.state) == 0, "%s", name);
    return q;
}

static void stop(struct queue *q)
{
    q->ops->destroy(q->state);
    free(q->dropped.id);
}

static bool put(struct queue *q, uint64_t now, uint32_t id, uint64_t deadline)
{
    q->dropped.n = 0;
    return q->ops->arrive(q->state, now, &(struct cb_work){id, deadline}, &q->dropped);
}

static uint32_t take(struct queue *q, uint64_t now)
{
    q->dropped.n = 0;
    return q->ops->take(q->state, now, &q->dropped);
}

#define LATE (UINT64_C(1) << 62)

/* Of a thousand pieces of work each is refused, taken, dropped, or still there, and only one of these. */
Test(queues, nothing_is_lost)
{
    for (const char *const *name = entries; *name; name++)
        for (uint32_t most = 1; most <= 1000; most *= 10) {
            struct queue q = start(*name, most);
            struct rng r;
            static uint8_t known[20000]; /* 1: waits */
            uint64_t now = 0;
            uint32_t waiting = 0, next = 0;
            memset(known, 0, sizeof known);
            rng_seed(&r, most, 0);
            for (uint32_t step = 0; step < 20000; step++) {
                now += rng_below(&r, 3) * MS;
                uint32_t taken = CB_NOTHING;
                if (rng_below(&r, 100) < (step < 12000 ? 60u : 40u)) {
                    const bool accepted = put(&q, now, next, now + rng_below(&r, 200) * MS);
                    known[next++] = accepted;
                    waiting += accepted;
                } else {
                    taken = take(&q, now);
                }
                for (uint32_t i = 0; i < q.dropped.n; i++) {
                    cr_assert(known[q.dropped.id[i]] == 1, "%s drops what does not wait", *name);
                    known[q.dropped.id[i]] = 2;
                    waiting--;
                }
                if (taken != CB_NOTHING) {
                    cr_assert(known[taken] == 1, "%s: %u does not wait", *name, taken);
                    known[taken] = 2;
                    waiting--;
                }
                cr_assert(waiting <= most, "%s: %u wait, of %u", *name, waiting, most);
            }
            while (waiting > 0) {
                const uint32_t taken = take(&q, now), gone = q.dropped.n + (taken != CB_NOTHING);
                cr_assert(gone > 0, "%s: %u wait and are not given out", *name, waiting);
                waiting -= gone;
            }
            cr_assert(take(&q, now) == CB_NOTHING && q.dropped.n == 0, "%s gives out what is not there", *name);
            stop(&q);
        }
}

Test(queues, fifo)
{
    struct queue q = start("bounded-fifo", 3);
    cr_assert(put(&q, 0, 7, 1) && put(&q, 0, 5, 1) && put(&q, 0, 6, 1) && !put(&q, 0, 8, 1), "three wait");
    cr_assert(take(&q, S) == 7, "in their order, however late");
    cr_assert(take(&q, S) == 5, "in their order, however late");
    cr_assert(put(&q, S, 9, LATE) && put(&q, S, 10, LATE) && !put(&q, S, 11, LATE), "there is room for two");
    cr_assert(take(&q, S) == 6);
    cr_assert(take(&q, S) == 9);
    cr_assert(take(&q, S) == 10);
    cr_assert(take(&q, S) == CB_NOTHING);
    stop(&q);
}

Test(queues, lifo)
{
    struct queue q = start("lifo", 3);
    put(&q, 0, 1, LATE);
    put(&q, 0, 2, LATE);
    put(&q, 0, 3, LATE);
    cr_assert(put(&q, 0, 4, LATE) && q.dropped.n == 1 && q.dropped.id[0] == 1, "the oldest falls off the end");
    cr_assert(take(&q, 0) == 4);
    cr_assert(take(&q, 0) == 3);
    cr_assert(take(&q, 0) == 2);
    cr_assert(take(&q, 0) == CB_NOTHING);
    stop(&q);
}

/* At its deadline work is for nobody, a nanosecond earlier it isn't. */
Test(queues, expired)
{
    struct queue q = start("drop-expired", 10);
    put(&q, 0, 1, 100);
    put(&q, 0, 2, 101);
    put(&q, 0, 3, 100);
    cr_assert(take(&q, 100) == 2 && q.dropped.n == 1 && q.dropped.id[0] == 1);
    cr_assert(take(&q, 100) == CB_NOTHING && q.dropped.n == 1 && q.dropped.id[0] == 3);
    stop(&q);
}

/* Waits below the target are never touched, however many. */
Test(queues, codel_leaves_bursts)
{
    struct queue q = start("codel", 1000);
    for (uint32_t i = 0; i < 10000; i++) {
        const uint64_t now = i * S / 1000;
        cr_assert(put(&q, now, i, LATE));
        cr_assert(take(&q, now + 4 * MS) == i && q.dropped.n == 0, "a wait of 4 ms");
    }
    stop(&q);
}

/* A standing queue: nothing is dropped for an interval, then one, then the next after interval / sqrt(k). */
Test(queues, codel_drops_ever_faster)
{
    struct queue q = start("codel", 100000);
    uint64_t drop[5];
    uint32_t drops = 0;
    for (uint32_t i = 0; i < 50000; i++)
        put(&q, 0, i, LATE);
    for (uint64_t now = 10 * MS; drops < 5; now += MS / 10) {
        take(&q, now);
        cr_assert(q.dropped.n <= 1);
        if (q.dropped.n == 1)
            drop[drops++] = now;
    }
    static const double gap[] = {100, 100, 70.7, 57.7, 50};
    uint64_t last = 10 * MS;
    for (uint32_t i = 0; i < 5; i++) {
        const double found = (double)(drop[i] - last) / (double)MS;
        cr_assert(found >= gap[i] - 0.2 && found <= gap[i] + 0.2, "drop %u after %.1f ms, not %.1f", i, found, gap[i]);
        last = drop[i];
    }
    stop(&q);
}

/* Twice as much comes as can be done: who is served was there a moment ago, and nobody's time is up. */
Test(queues, shedding_serves_the_living)
{
    struct queue q = start("shedding", 10000);
    uint32_t id = 0;
    for (uint64_t now = 0; now < 20 * S; now += MS) {
        put(&q, now, id++, now + S);
        put(&q, now, id++, now + S);
        const uint32_t taken = take(&q, now);
        cr_assert(taken != CB_NOTHING && taken + 2 * 1000 > id, "%u of %u is too old", taken, id);
    }
    stop(&q);
}
