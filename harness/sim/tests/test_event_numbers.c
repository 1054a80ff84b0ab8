/* test_event_numbers.c: what happens after 2^32 pushes, seen after 1000: the queue is compiled here once more, with
 * fewer numbers for its events and under other names. */
#define EVENT_NUMBERS       1000
#define event_queue_create  small_queue_create
#define event_queue_destroy small_queue_destroy
#define event_queue_push    small_queue_push
#define event_queue_peek    small_queue_peek
#define event_queue_pop     small_queue_pop
#define event_queue_size    small_queue_size
#include "sim/event_queue.c"

#include <criterion/criterion.h>
#include <inttypes.h>

#include "sim/rng.h"

TestSuite(event_numbers, .timeout = 60);

/* Fewer than 200 events wait at a time, at few different times, and 30,000 are pushed: each counts up, so that of two
 * with equal time the smaller data must come first. */
Test(event_numbers, order_survives_running_out_of_numbers)
{
    struct event_queue *q;
    cr_assert(event_queue_create(0, &q) == 0, "no memory");
    struct rng r;
    rng_seed(&r, 1, 0);
    uint32_t pushed = 0, popped = 0, renumbered = 0;
    struct event last = {0, 0};
    while (pushed < 30000) {
        const uint64_t before = q->pushed, now = last.time;
        if (event_queue_size(q) < 5 || (event_queue_size(q) < 200 && rng_below(&r, 2))) {
            cr_assert(event_queue_push(q, now + rng_below(&r, 20), pushed++) == 0, "push failed");
        } else {
            struct event e;
            cr_assert(event_queue_pop(q, &e), "the queue is empty");
            popped++;
            cr_assert(e.time > last.time || (e.time == last.time && (e.data > last.data || popped == 1)),
                      "time %" PRIu64 " data %" PRIu64 " came after time %" PRIu64 " data %" PRIu64, e.time, e.data,
                      last.time, last.data);
            last = e;
        }
        renumbered += q->pushed < before;
        cr_assert(q->pushed <= EVENT_NUMBERS, "number %" PRIu64 " was given out", q->pushed);
        cr_assert(event_queue_size(q) == pushed - popped, "%zu events in the queue, expected %u", event_queue_size(q),
                  pushed - popped);
    }
    cr_assert(renumbered >= 30, "the numbers ran out %u times, expected at least 30", renumbered);
    event_queue_destroy(q);
}
