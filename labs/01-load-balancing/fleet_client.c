/* fleet_client.c: how requests end without a server's doing: the client gives up, or a failing server answers with a
 * quick error.
 *
 * With a timeout, each request that was taken in (or swallowed) stands in the waiting room, in the order of arrival.
 * The room is looked at when the timeout of its first request is due; those that have ended meanwhile are thrown out on
 * the way, so that most requests never cause an event of their own. Cost: O(1) a request; room for as many as arrive
 * within one timeout.
 */
#include "fleet_internal.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64, FIRST_SLOTS = 16 };

static int grow_room(struct waiting_room *room, uint64_t tickets)
{
    const uint64_t size = room->ring ? 2 * (room->mask + 1) : FIRST_ROOM;
    struct waiting *ring = malloc(size * sizeof *ring);
    if (!ring)
        return -ENOMEM;
    for (uint64_t t = room->first; room->ring && t < tickets; t++)
        ring[t & (size - 1)] = room->ring[t & room->mask];
    free(room->ring);
    room->ring = ring;
    room->mask = size - 1;
    return 0;
}

int fleet_wait(struct fleet *f, uint64_t ticket, const struct waiting *request)
{
    struct waiting_room *room = &f->room;
    if ((!room->ring || ticket - room->first > room->mask) && grow_room(room, ticket))
        return -ENOMEM;
    room->ring[ticket & room->mask] = *request;
    if (ticket == room->first)
        fleet_plan(f, NEXT_TIMEOUT, request->arrival + f->scenario->timeout_ns);
    return 0;
}

void fleet_time_out(struct fleet *f)
{
    struct waiting_room *room = &f->room;
    const struct waiting given_up = room->ring[room->first++ & room->mask];
    while (room->first < f->tickets && !room->ring[room->first & room->mask].live)
        room->first++;
    fleet_plan(f, NEXT_TIMEOUT,
               room->first == f->tickets ? NEVER
                                         : room->ring[room->first & room->mask].arrival + f->scenario->timeout_ns);
    if (given_up.live)
        fleet_end(f, &given_up, LB_TIMEOUT, f->scenario->timeout_ns);
}

static int grow_slots(struct answers *a)
{
    const uint32_t slots = a->slots ? 2 * a->slots : FIRST_SLOTS;
    if (slots < a->slots)
        return -ENOMEM;
    struct answer *slot = realloc(a->slot, slots * sizeof *slot);
    if (!slot)
        return -ENOMEM;
    for (uint32_t i = a->slots; i < slots; i++)
        slot[i].next_free = i + 1;
    a->slot = slot;
    a->free = a->slots;
    a->slots = slots;
    return 0;
}

/* Whether the error comes before the client gives up is known at once: both times are. */
int fleet_answer_later(struct fleet *f, const struct waiting *request)
{
    struct answers *a = &f->answers;
    uint64_t after = f->plan[request->server].fail_after;
    enum lb_outcome outcome = LB_ERROR;
    if (f->scenario->timeout_ns && f->scenario->timeout_ns < after) {
        after = f->scenario->timeout_ns;
        outcome = LB_TIMEOUT;
    }
    if (!a->queue && event_queue_create(FIRST_SLOTS, &a->queue))
        return -ENOMEM;
    if (a->free == a->slots && grow_slots(a))
        return -ENOMEM;
    const uint32_t at = a->free;
    if (event_queue_push(a->queue, f->now + after, at))
        return -ENOMEM;
    a->free = a->slot[at].next_free;
    a->slot[at].request = *request;
    a->slot[at].outcome = outcome;
    if (f->now + after < f->next[NEXT_ANSWER])
        fleet_plan(f, NEXT_ANSWER, f->now + after);
    return 0;
}

void fleet_answer(struct fleet *f)
{
    struct answers *a = &f->answers;
    struct event e;
    event_queue_pop(a->queue, &e);
    struct answer *slot = &a->slot[e.data];
    const struct waiting request = slot->request;
    slot->next_free = a->free;
    a->free = (uint32_t)e.data;
    fleet_plan(f, NEXT_ANSWER, event_queue_peek(a->queue, &e) ? e.time : NEVER);
    fleet_end(f, &request, slot->outcome, f->now - request.arrival);
    if (f->watched)
        fleet_tell_idle(f, request.server);
}
