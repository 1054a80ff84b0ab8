/* event_queue.h: the agenda of a simulation: events with a time, earliest first, equal times in the order they were
 * pushed.
 *
 * Times are whatever unit the simulation counts in, usually virtual nanoseconds. Events of equal time come out first
 * in, first out: without that rule a run would depend on how the heap happens to be laid out, and two versions of a
 * simulator could not be compared.
 *
 * Limits: 32 bits of data an event (an index or a small code, not a pointer), fewer than 2^32 events at a time, no
 * limit on the number of pushes.
 *
 * Cost: push O(1) on average, pop O(log n); 16 bytes an event; memory doubles when it is full and is not given back
 * before destroy.
 *
 * Threads: one at a time.
 *
 * A simulation where each actor has at most one event pending is better off with timer_tree.h.
 */
#ifndef SIM_EVENT_QUEUE_H
#define SIM_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
    uint64_t time;
    uint64_t data; /* as pushed: below 2^32 */
};

struct event_queue; /* opaque */

/* Room for `capacity` events before the first growth; 0 is fine. 0 and *out, to be given to event_queue_destroy; or
 * -ENOMEM and *out is NULL. */
int event_queue_create(size_t capacity, struct event_queue **out);
void event_queue_destroy(struct event_queue *q); /* NULL is fine */

/* 0, or -ENOMEM and the queue is as it was. */
int event_queue_push(struct event_queue *q, uint64_t time, uint32_t data);

/* The earliest event into *out; false, and *out untouched, when there is none. pop also removes it. */
bool event_queue_peek(const struct event_queue *q, struct event *out);
bool event_queue_pop(struct event_queue *q, struct event *out);

size_t event_queue_size(const struct event_queue *q);

#endif
