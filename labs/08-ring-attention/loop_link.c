/* The loop, one part of two: what a rank calls. A call that has to wait gives its turn away, and looks again when it
 * comes round; nobody wakes anybody. loop.c has the turns.
 */
#include "loop_parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LAST_NS (UINT64_C(1) << 63)

static struct rank *next_of(const struct rank *r)
{
    return &r->loop->rank[(r->number + 1) % r->loop->settings->ranks];
}

static struct rank *previous_of(const struct rank *r)
{
    return &r->loop->rank[(r->number ? r->number : r->loop->settings->ranks) - 1];
}

/* ---- time and events ---- */

uint64_t loop_add_time(struct loop *l, uint64_t from, uint64_t amount, double per_ns)
{
    if (per_ns == 0)
        return from;
    double ns = floor((double)amount / per_ns + 0.5);
    if (ns < (double)(LAST_NS - from))
        return from + (uint64_t)ns;
    l->broken = l->broken ? l->broken : -EOVERFLOW;
    return from;
}

void loop_note(struct rank *r, uint32_t what, uint64_t amount, uint64_t begin, uint64_t end)
{
    struct loop *l = r->loop;
    l->changes++;
    if (!l->record || !l->record->event)
        return;
    if (l->record->events == l->record->room)
        l->broken = l->broken ? l->broken : -ENOBUFS;
    else
        l->record->event[l->record->events++] = (struct loop_event){r->number, what, amount, begin, end};
}

/* ---- waiting ---- */

/* The others have their turns. The record keeps what the rank waits for, in case it waits forever. */
static int pause_for(struct rank *r, enum loop_what what, const struct rank *on, bool out, uint64_t amount)
{
    r->told.what = what;
    r->told.on = on->number;
    r->told.out = out;
    r->told.amount = amount;
    if (r->loop->broken)
        return r->loop->broken;
    r->told.waited = on->ended;
    if (on->ended)
        return -EPIPE;
    swapcontext(&r->context, &r->loop->scheduler);
    return 0;
}

/* ---- messages ---- */

static void time_transfer(struct rank *sender, struct message *m, uint64_t from)
{
    uint64_t begin = loop_later(from, sender->link_free);
    m->end = sender->link_free = loop_add_time(sender->loop, begin, m->bytes, sender->loop->settings->bytes_per_ns);
    m->timed = true;
    loop_note(sender, LOOP_TRANSFER, m->bytes, begin, m->end);
}

/* A message that the link has room for is held by it, and on its way at once. */
static void hold_if_possible(struct rank *r, struct message *m, uint64_t from)
{
    if (m->timed || m->bytes > r->loop->settings->holds - r->holds)
        return;
    m->held = true;
    r->holds += m->bytes;
    time_transfer(r, m, from);
}

static int post(struct rank *r, const void *data, size_t bytes)
{
    struct message *m = calloc(1, sizeof *m), **last = &r->queue;
    if (!m)
        return -ENOMEM;
    *m = (struct message){.data = data, .bytes = bytes, .from = r->now};
    while (*last)
        last = &(*last)->next;
    *last = r->out = m;
    r->told.sent += bytes;
    r->loop->changes++;
    hold_if_possible(r, m, m->from);
    return 0;
}

/* The receiver has said what it takes, and this is it. */
static bool is_expected(const struct rank *r, const struct message *m)
{
    const struct expected *in = &next_of(r)->in;
    return r->queue == m && in->now && in->bytes == m->bytes;
}

static int copy(struct message *m)
{
    m->copy = malloc(m->bytes + 1);
    if (!m->copy)
        return -ENOMEM;
    if (m->bytes)
        memcpy(m->copy, m->data, m->bytes);
    return 0;
}

/* Waits until what goes out is needed no more, and no longer. */
static int let_go(struct rank *r, enum loop_what what)
{
    struct message *m = r->out;
    int code = 0;
    while (!m->taken && !m->copy && code == 0) {
        hold_if_possible(r, m, loop_later(m->from, r->room_since));
        if (!m->timed && is_expected(r, m))
            time_transfer(r, m, loop_later(m->from, next_of(r)->in.from));
        code = m->timed ? copy(m) : pause_for(r, what, next_of(r), true, m->bytes);
    }
    if (code)
        return code;
    if (!m->held)
        r->now = loop_later(r->now, m->end);
    r->out = NULL;
    r->loop->changes++;
    if (m->taken)
        free(m);
    return 0;
}

/* Waits for what is expected, and puts it in its place. */
static int take(struct rank *r, enum loop_what what)
{
    struct rank *from = previous_of(r);
    int code = 0;
    while (!from->queue && code == 0)
        code = pause_for(r, what, from, false, r->in.bytes);
    struct message *m = from->queue;
    if (code || r->loop->broken)
        return code ? code : r->loop->broken;
    if (m->bytes != r->in.bytes)
        return -EMSGSIZE;
    if (!m->timed)
        time_transfer(from, m, loop_later(m->from, r->in.from));
    if (m->bytes)
        memcpy(r->in.data, m->copy ? m->copy : m->data, m->bytes);
    r->now = loop_later(r->now, m->end);
    r->in.now = false;
    r->loop->changes++;
    from->queue = m->next;
    if (m->held) {
        from->holds -= m->bytes;
        from->room_since = r->now;
    }
    m->taken = true;
    free(m->copy);
    if (from->out != m) /* else its sender still looks at it */
        free(m);
    return 0;
}

/* ---- what a rank calls ---- */

static int may_call(const struct rank *r, const void *data, size_t bytes)
{
    if (r->loop->broken)
        return r->loop->broken;
    return r->begun ? -EBUSY : !data && bytes ? -EINVAL : 0;
}

static int link_send(void *self, const void *data, size_t bytes)
{
    struct rank *r = self;
    uint64_t begin = r->now;
    int code = may_call(r, data, bytes);
    code = code ? code : post(r, data, bytes);
    code = code ? code : let_go(r, LOOP_SEND);
    if (code == 0)
        loop_note(r, LOOP_SEND, bytes, begin, r->now);
    return code;
}

static int link_receive(void *self, void *data, size_t bytes)
{
    struct rank *r = self;
    uint64_t begin = r->now;
    int code = may_call(r, data, bytes);
    if (code)
        return code;
    r->in = (struct expected){data, bytes, r->now, true};
    r->loop->changes++;
    code = take(r, LOOP_RECEIVE);
    if (code == 0)
        loop_note(r, LOOP_RECEIVE, bytes, begin, r->now);
    return code;
}

static int link_begin(void *self, const void *out, size_t out_bytes, void *in, size_t in_bytes)
{
    struct rank *r = self;
    int code = may_call(r, out, out_bytes);
    code = code ? code : may_call(r, in, in_bytes);
    code = code ? code : post(r, out, out_bytes);
    if (code)
        return code;
    if (in_bytes)
        memset(in, 0xff, in_bytes);
    r->in = (struct expected){in, in_bytes, r->now, true};
    r->begun = true;
    loop_note(r, LOOP_BEGIN, out_bytes, r->now, r->now);
    return 0;
}

static int link_wait(void *self)
{
    struct rank *r = self;
    uint64_t begin = r->now;
    if (r->loop->broken || !r->begun)
        return r->loop->broken;
    int code = take(r, LOOP_WAIT);
    code = code ? code : let_go(r, LOOP_WAIT);
    if (code == 0) {
        r->begun = false;
        loop_note(r, LOOP_WAIT, r->in.bytes, begin, r->now);
    }
    return code;
}

static const struct rank *first_not_at_barrier(const struct loop *l)
{
    const struct rank *r = l->rank;
    while (r->at_barrier)
        r++;
    return r;
}

static void open_barrier(struct loop *l)
{
    l->arrived = 0;
    for (uint32_t i = 0; i < l->settings->ranks; i++) {
        l->rank[i].at_barrier = false;
        l->rank[i].now = l->barrier_end;
    }
}

static int link_barrier(void *self)
{
    struct rank *r = self;
    struct loop *l = r->loop;
    uint64_t begin = r->now;
    int code = l->broken;
    if (code)
        return code;
    r->at_barrier = true;
    l->changes++;
    l->barrier_end = loop_later(l->arrived ? l->barrier_end : 0, r->now);
    if (++l->arrived == l->settings->ranks)
        open_barrier(l);
    while (r->at_barrier && code == 0)
        code = pause_for(r, LOOP_BARRIER, first_not_at_barrier(l), false, 0);
    if (code == 0)
        loop_note(r, LOOP_BARRIER, 0, begin, r->now);
    return code;
}

static uint64_t link_sent(const void *self)
{
    return ((const struct rank *)self)->told.sent;
}

struct at_link loop_link(struct rank *r)
{
    return (struct at_link){.self = r,
                            .rank = r->number,
                            .ranks = r->loop->settings->ranks,
                            .send = link_send,
                            .receive = link_receive,
                            .begin = link_begin,
                            .wait = link_wait,
                            .barrier = link_barrier,
                            .sent = link_sent};
}

/* What was begun and not waited for goes with the rank: what it points to may be no more. */
void loop_forget(struct rank *r)
{
    struct message *m = r->out, **at = &r->queue;
    r->in.now = false;
    r->out = NULL;
    while (m && *at && *at != m)
        at = &(*at)->next;
    if (m && *at)
        *at = m->next;
    free(m);
}
