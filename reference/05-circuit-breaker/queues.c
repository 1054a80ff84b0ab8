/* queues.c: what a service does with work that it can't do at once: first come first served, last come first served, and
 * what throws away work that nobody waits for.
 *
 * Bounded FIFO
 *   Idea       So many may wait; whoever comes then is refused at once, and can do something else.
 *   Law        It helps if and only if most x the time of a piece of work is less than what callers wait: otherwise all that
 *              comes out of the queue is too old, however short it is kept.
 * LIFO
 *   Idea       In overload the newest work is the one whose caller is still there. Old work is thrown away when it falls off
 *              the end.
 *   Gets wrong Whoever came a moment too early waits for ever: unfair, and everybody's wait varies.
 * Deadlines
 *   Idea       FIFO, but work that would not be done in time is thrown away when its turn comes. It costs nothing then.
 *   Gets wrong It works on what is nearly too late, so of what it does a part ends too late all the same.
 * CoDel
 *   Idea       When work has waited longer than the target for a whole interval, throw away what comes next, more and more
 *              often (interval / sqrt(drops)), until the wait is short again: standing queues go, bursts stay.
 *   Gets wrong Made for senders who slow down; those who only try again are not impressed.
 *
 * Sources: Nichols & Jacobson 2012 (CoDel); Maurer 2015, "Fail at scale" (adaptive LIFO, CoDel in front of services).
 */
#include "circuit_breaker.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct waiting {
    uint32_t id;
    uint64_t came, deadline;
};

struct queue {
    struct cb_queue_config config;
    struct waiting *ring; /* [most], from first on */
    uint32_t first, n, room;
    /* CoDel */
    uint64_t above_since; /* 0: it is below the target */
    uint64_t next_drop;
    uint32_t drops; /* in a row */
};

static int create(const struct cb_queue_config *config, void **queue)
{
    struct queue *q = calloc(1, sizeof *q);
    if (!q)
        return -ENOMEM;
    q->config = *config;
    *queue = q;
    return 0;
}

static void destroy(void *queue)
{
    free(((struct queue *)queue)->ring);
    free(queue);
}

static struct waiting *at(const struct queue *q, uint32_t i)
{
    return &q->ring[(q->first + i) % q->room];
}

static bool put(struct queue *q, uint64_t now, const struct cb_work *work)
{
    if (q->n == q->room) {
        const uint32_t room = q->room ? 2 * q->room : 64;
        struct waiting *more = malloc(room * sizeof *more);
        if (!more)
            return false;
        for (uint32_t i = 0; i < q->n; i++)
            more[i] = *at(q, i);
        free(q->ring);
        q->ring = more;
        q->room = room;
        q->first = 0;
    }
    q->n++;
    *at(q, q->n - 1) = (struct waiting){work->id, now, work->deadline};
    return true;
}

static struct waiting take_first(struct queue *q)
{
    const struct waiting w = *at(q, 0);
    q->first = (q->first + 1) % q->room;
    q->n--;
    return w;
}

/* ---- bounded FIFO ---- */

static bool fifo_arrive(void *queue, uint64_t now, const struct cb_work *work, struct cb_dropped *dropped)
{
    struct queue *q = queue;
    (void)dropped;
    return q->n < q->config.most && put(q, now, work);
}

static uint32_t fifo_take(void *queue, uint64_t now, struct cb_dropped *dropped)
{
    struct queue *q = queue;
    (void)now;
    (void)dropped;
    return q->n > 0 ? take_first(q).id : CB_NOTHING;
}

static const struct cb_queue_ops fifo_ops = {
    .create = create, .destroy = destroy, .arrive = fifo_arrive, .take = fifo_take};
CB_QUEUE(bounded_fifo, "bounded-fifo", "first come, first served, up to a bound", &fifo_ops);

/* ---- LIFO ---- */

static bool lifo_arrive(void *queue, uint64_t now, const struct cb_work *work, struct cb_dropped *dropped)
{
    struct queue *q = queue;
    if (q->n == q->config.most)
        cb_drop(dropped, take_first(q).id);
    return put(q, now, work);
}

static uint32_t lifo_take(void *queue, uint64_t now, struct cb_dropped *dropped)
{
    struct queue *q = queue;
    (void)now;
    (void)dropped;
    if (q->n == 0)
        return CB_NOTHING;
    return at(q, --q->n)->id;
}

static const struct cb_queue_ops lifo_ops = {
    .create = create, .destroy = destroy, .arrive = lifo_arrive, .take = lifo_take};
CB_QUEUE(lifo, "lifo", "last come, first served", &lifo_ops);

/* ---- deadlines ---- */

static uint32_t deadline_take(void *queue, uint64_t now, struct cb_dropped *dropped)
{
    struct queue *q = queue;
    while (q->n > 0) {
        const struct waiting w = take_first(q);
        if (now < w.deadline)
            return w.id;
        cb_drop(dropped, w.id);
    }
    return CB_NOTHING;
}

static const struct cb_queue_ops deadline_ops = {
    .create = create, .destroy = destroy, .arrive = fifo_arrive, .take = deadline_take};
CB_QUEUE(drop_expired, "drop-expired", "FIFO; what nobody waits for any more is thrown away", &deadline_ops);

/* ---- CoDel ---- */

/* Is it time to drop what has waited for so long? */
static bool codel_drops(struct queue *q, uint64_t now, uint64_t waited)
{
    if (waited < q->config.target_ns || q->n == 0) {
        q->above_since = 0;
        q->drops = 0;
        return false;
    }
    if (q->above_since == 0) {
        q->above_since = now;
        q->next_drop = now + q->config.interval_ns;
        return false;
    }
    if (now < q->next_drop)
        return false;
    q->drops++;
    q->next_drop = now + (uint64_t)((double)q->config.interval_ns / sqrt(q->drops));
    return true;
}

static uint32_t codel_take(void *queue, uint64_t now, struct cb_dropped *dropped)
{
    struct queue *q = queue;
    while (q->n > 0) {
        const struct waiting w = take_first(q);
        if (!codel_drops(q, now, now - w.came))
            return w.id;
        cb_drop(dropped, w.id);
    }
    return CB_NOTHING;
}

static const struct cb_queue_ops codel_ops = {
    .create = create, .destroy = destroy, .arrive = fifo_arrive, .take = codel_take};
CB_QUEUE(codel, "codel", "drops while work has waited too long for too long", &codel_ops);

/* ---- shedding: the task's ---- */

/* Deadlines from the newest end: last come first served, and whatever nobody waits for is dropped as it is met. In overload
 * all that is begun was asked for a moment ago; without overload there is never more than one to choose from. */
static bool shed_arrive(void *queue, uint64_t now, const struct cb_work *work, struct cb_dropped *dropped)
{
    struct queue *q = queue;
    while (q->n > 0 && at(q, 0)->deadline <= now)
        cb_drop(dropped, take_first(q).id);
    return lifo_arrive(q, now, work, dropped);
}

static const struct cb_queue_ops shed_ops = {
    .create = create, .destroy = destroy, .arrive = shed_arrive, .take = lifo_take};
CB_QUEUE(shedding, "shedding", "last come, first served, and nobody's work is thrown away", &shed_ops);
