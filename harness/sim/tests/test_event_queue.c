/* test_event_queue.c: the queue against a model, a list that is searched for its earliest event; and events of equal
 * time in order. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/event_queue.h"
#include "sim/rng.h"

TestSuite(event_queue, .timeout = 60);

/* The model: events in the order they were pushed, so that the first of the earliest is the one to come. */
struct model {
    struct event event[3000];
    size_t size;
};

static size_t earliest(const struct model *m)
{
    size_t best = 0;
    for (size_t i = 1; i < m->size; i++)
        if (m->event[i].time < m->event[best].time)
            best = i;
    return best;
}

static struct event model_pop(struct model *m)
{
    const size_t i = earliest(m);
    const struct event e = m->event[i];
    memmove(&m->event[i], &m->event[i + 1], (--m->size - i) * sizeof e);
    return e;
}

static void push(struct event_queue *q, struct model *m, uint64_t time, uint32_t data)
{
    cr_assert(event_queue_push(q, time, data) == 0, "push failed");
    m->event[m->size++] = (struct event){time, data};
}

static void same(struct event got, struct event expected, const char *what)
{
    cr_assert(got.time == expected.time && got.data == expected.data,
              "%s: expected time %" PRIu64 " data %" PRIu64 ", got time %" PRIu64 " data %" PRIu64, what, expected.time,
              expected.data, got.time, got.data);
}

/* `times` different times: few make many ties. */
static void compare_with_model(uint64_t seed, uint64_t times)
{
    struct event_queue *q;
    struct model *m = calloc(1, sizeof *m);
    cr_assert(m && event_queue_create(0, &q) == 0, "no memory");
    struct rng r;
    rng_seed(&r, seed, times);
    for (uint32_t step = 0; step < 20000; step++) {
        /* Grows for a while, then shrinks, so that both the small and the large queue are met. */
        const uint32_t dice = rng_below(&r, 100), growing = step / 2000 % 2 == 0;
        const uint64_t time = times ? rng_next(&r) % times : rng_next(&r);
        struct event got = {0, 0};
        if (dice < (growing ? 55u : 30u) && m->size < 2999) {
            push(q, m, time, (uint32_t)rng_next(&r));
        } else if (dice < 80) {
            const bool any = event_queue_pop(q, &got);
            cr_assert(any == (m->size > 0), "pop says %d with %zu events", any, m->size);
            if (any)
                same(got, model_pop(m), "pop");
        } else {
            const bool any = event_queue_peek(q, &got);
            cr_assert(any == (m->size > 0), "peek says %d with %zu events", any, m->size);
            if (any)
                same(got, m->event[earliest(m)], "peek");
        }
        cr_assert(event_queue_size(q) == m->size, "size: expected %zu, got %zu", m->size, event_queue_size(q));
    }
    struct event got;
    while (event_queue_pop(q, &got))
        same(got, model_pop(m), "the rest");
    cr_assert(m->size == 0, "%zu events were lost", m->size);
    event_queue_destroy(q);
    free(m);
}

Test(event_queue, agrees_with_the_model)
{
    for (uint64_t seed = 0; seed < 4; seed++)
        compare_with_model(seed, 0);
}

Test(event_queue, agrees_with_the_model_on_ties)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        compare_with_model(seed, 1);
        compare_with_model(seed, 10);
    }
}

Test(event_queue, equal_times_come_in_the_order_pushed)
{
    struct event_queue *q;
    cr_assert(event_queue_create(0, &q) == 0, "no memory");
    const uint64_t times[] = {5, 0, UINT64_MAX};
    for (uint32_t i = 0; i < 3000; i++)
        cr_assert(event_queue_push(q, times[i % 3], UINT32_MAX - i) == 0, "push failed");
    for (uint32_t i = 0; i < 3000; i++) {
        struct event e;
        const uint32_t order[] = {1, 0, 2}; /* time 0 first, then 5, then the largest */
        cr_assert(event_queue_pop(q, &e), "only %u events", i);
        same(e, (struct event){times[order[i / 1000]], UINT32_MAX - (i % 1000 * 3 + order[i / 1000])}, "tie");
    }
    event_queue_destroy(q);
}

Test(event_queue, sorts_a_hundred_thousand)
{
    struct event_queue *q;
    cr_assert(event_queue_create(100, &q) == 0, "no memory");
    struct rng r;
    rng_seed(&r, 8, 0);
    for (uint32_t i = 0; i < 100000; i++)
        cr_assert(event_queue_push(q, rng_next(&r), i) == 0, "push failed");
    struct event last = {0, 0}, e;
    size_t n = 0;
    while (event_queue_pop(q, &e)) {
        cr_assert(e.time >= last.time, "time %" PRIu64 " after %" PRIu64, e.time, last.time);
        last = e;
        n++;
    }
    cr_assert(n == 100000, "expected 100000 events, got %zu", n);
    event_queue_destroy(q);
}

Test(event_queue, edges)
{
    struct event_queue *q = (struct event_queue *)&q;
    const int rc = event_queue_create(SIZE_MAX, &q);
    cr_assert(rc == -ENOMEM && q == NULL, "a capacity of SIZE_MAX: expected -ENOMEM and NULL, got %d", rc);
    event_queue_destroy(NULL);
    cr_assert(event_queue_create(0, &q) == 0, "no memory");
    struct event e = {1, 2};
    cr_assert(!event_queue_peek(q, &e) && !event_queue_pop(q, &e), "an empty queue gave an event");
    cr_assert(e.time == 1 && e.data == 2, "an empty queue wrote to *out");
    event_queue_destroy(q);
}
