/* storage.c: storage servers and their metadata service: a simulation by events. */
#include "storage.h"

#include "sim/event_queue.h"
#include "sim/rng.h"

#include <errno.h>
#include <stdlib.h>

#define FAR_AWAY (UINT64_C(1) << 62)

enum event_kind { FETCHES, TIMES_OUT, DONE };

struct server {
    void *retry;
    uint64_t last_delay;
    uint64_t gives_up; /* when it does so on the fetch that it waits for */
    uint32_t tries;    /* of this fetch */
    uint32_t fetch;    /* number of the one that it waits for, counted up; 0: none */
    bool serves, waits;
};

struct fetch {
    uint32_t server, number;
};

struct run {
    const struct storage *s;
    const struct cb_retry_ops *retry;
    struct event_queue *events;
    struct server *server;
    struct fetch *queue; /* a ring of `room` */
    uint32_t first, waiting, room, working;
    struct fetch *work; /* [workers] */
    struct rng chance;
    struct storage_result *result;
    uint32_t serving;
    uint64_t last; /* up to when in_service_ns is added up */
    uint64_t well; /* since when 99 of 100 serve; UINT64_MAX: they don't */
    int code;
};

static void push(struct run *r, uint64_t at, uint32_t index, enum event_kind kind)
{
    if (at < r->s->until && event_queue_push(r->events, at, index * 4 + kind) != 0)
        r->code = -ENOMEM;
}

static void add_up(struct run *r, uint64_t now)
{
    const uint64_t from = r->last > r->s->fault_at ? r->last : r->s->fault_at;
    if (now > from)
        r->result->in_service_ns += (now - from) * r->serving;
    r->last = now;
}

static void set_serving(struct run *r, struct server *v, uint64_t now, bool serves)
{
    add_up(r, now);
    r->serving += (uint32_t)serves - v->serves;
    v->serves = serves;
    const bool well = 100 * (uint64_t)r->serving >= 99 * (uint64_t)r->s->servers;
    r->well = !well ? UINT64_MAX : r->well == UINT64_MAX ? now : r->well;
}

static bool is_paused(const struct storage *s, uint64_t now)
{
    return s->pause_ns > 0 && now >= s->pause_at && now < s->pause_at + s->pause_ns;
}

/* ---- the metadata service ---- */

static void work_on(struct run *r, uint64_t now)
{
    for (uint32_t i = 0; i < r->s->workers && r->waiting > 0; i++) {
        if (r->work[i].number > 0)
            continue;
        r->work[i] = r->queue[r->first];
        r->first = (r->first + 1) % r->room;
        r->waiting--;
        push(r, now + r->s->fetch_ns, i, DONE);
    }
}

static bool enqueue(struct run *r, struct fetch fetch)
{
    if (r->waiting == r->room) {
        struct fetch *more = malloc(2 * (size_t)r->room * sizeof *more);
        if (!more) {
            r->code = -ENOMEM;
            return false;
        }
        for (uint32_t i = 0; i < r->waiting; i++)
            more[i] = r->queue[(r->first + i) % r->room];
        free(r->queue);
        r->queue = more;
        r->room *= 2;
        r->first = 0;
    }
    r->queue[(r->first + r->waiting++) % r->room] = fetch;
    return true;
}

/* ---- a server ---- */

static void fetches(struct run *r, uint32_t i, uint64_t now)
{
    struct server *v = &r->server[i];
    if (v->waits)
        return; /* it lost its membership meanwhile, and is at it */
    v->tries++;
    v->fetch++;
    v->waits = true;
    v->gives_up = now + r->s->timeout_ns;
    push(r, v->gives_up, i, TIMES_OUT);
    const bool cut = now >= r->s->fault_at && now < r->s->fault_at + r->s->fault_ns;
    if (!cut && !is_paused(r->s, now) && enqueue(r, (struct fetch){i, v->fetch}))
        work_on(r, now);
}

static void failed(struct run *r, uint32_t i, uint64_t now)
{
    struct server *v = &r->server[i];
    const struct cb_failed f = {now, FAR_AWAY, v->last_delay, v->tries, rng_open(&r->chance)};
    uint64_t delay = 0;
    v->waits = false;
    set_serving(r, v, now, false);
    if (!r->retry->retry(v->retry, &f, &delay) || delay > FAR_AWAY)
        return;
    v->last_delay = delay;
    push(r, now + delay, i, FETCHES);
}

static void succeeded(struct run *r, uint32_t i, uint64_t now)
{
    struct server *v = &r->server[i];
    v->waits = false;
    v->tries = 0;
    v->last_delay = 0;
    set_serving(r, v, now, true);
    if (r->retry->succeeded)
        r->retry->succeeded(v->retry, now);
    push(r, now + r->s->interval_ns, i, FETCHES);
}

static void done(struct run *r, uint32_t worker, uint64_t now)
{
    const struct fetch f = r->work[worker];
    struct server *v = &r->server[f.server];
    r->work[worker].number = 0;
    r->result->fetches++;
    if (v->waits && v->fetch == f.number)
        succeeded(r, f.server, now);
    else
        r->result->wasted++;
    work_on(r, now);
}

/* ---- the whole ---- */

/* All lose what they knew, at once, and ask for it. */
static void lose_all(struct run *r, uint64_t now)
{
    for (uint32_t i = 0; i < r->s->servers; i++) {
        set_serving(r, &r->server[i], now, false);
        fetches(r, i, now);
    }
}

static int begin(struct run *r)
{
    const struct storage *s = r->s;
    int code = event_queue_create(1024, &r->events);
    r->server = calloc(s->servers, sizeof *r->server);
    r->room = 1024;
    r->queue = calloc(r->room, sizeof *r->queue);
    r->work = calloc(s->workers, sizeof *r->work);
    if (code || !r->server || !r->queue || !r->work)
        return -ENOMEM;
    for (uint32_t i = 0; i < s->servers && code == 0; i++) {
        code = r->retry->create(&s->retry, &r->server[i].retry);
        set_serving(r, &r->server[i], 0, true);
        push(r, (uint64_t)(rng_double(&r->chance) * (double)s->interval_ns), i, FETCHES);
    }
    return code;
}

static void end(struct run *r)
{
    for (uint32_t i = 0; r->server && i < r->s->servers; i++)
        if (r->server[i].retry)
            r->retry->destroy(r->server[i].retry);
    event_queue_destroy(r->events);
    free(r->server);
    free(r->queue);
    free(r->work);
}

static bool is_valid(const struct storage *s)
{
    return s->servers >= 1 && s->servers <= STORAGE_MOST_SERVERS && s->workers >= 1 && s->workers <= 1024 &&
           s->fetch_ns >= 1 && s->timeout_ns >= 1 && s->interval_ns > s->timeout_ns && s->until < FAR_AWAY &&
           s->fetch_ns < FAR_AWAY && s->timeout_ns < FAR_AWAY && s->interval_ns < FAR_AWAY && s->fault_at < s->until &&
           s->fault_ns < FAR_AWAY && s->pause_ns < FAR_AWAY;
}

int storage_simulate(const struct storage *s, const struct cb_retry_ops *retry, struct storage_result *result,
                     uint32_t *in_service, uint32_t seconds)
{
    if (!is_valid(s))
        return -EINVAL;
    *result = (struct storage_result){.healed_ns = UINT64_MAX};
    struct run r = {.s = s, .retry = retry, .result = result, .well = UINT64_MAX};
    struct event e;
    uint32_t second = 0;
    bool lost = false;
    rng_seed(&r.chance, s->seed, 20);
    r.code = begin(&r);
    while (r.code == 0) {
        const bool more = event_queue_peek(r.events, &e);
        const uint64_t now = more ? e.time : s->until;
        for (; in_service && second < seconds && second * UINT64_C(1000000000) <= now; second++)
            in_service[second] = r.serving;
        if (!lost && now >= s->fault_at) {
            lost = true;
            lose_all(&r, s->fault_at);
            continue;
        }
        if (!more)
            break;
        event_queue_pop(r.events, &e);
        if (s->pause_ns > 0 && is_paused(s, now))
            r.waiting = 0;
        const uint32_t i = (uint32_t)(e.data / 4);
        if (e.data % 4 == FETCHES)
            fetches(&r, i, now);
        else if (e.data % 4 == DONE)
            done(&r, i, now);
        else if (r.server[i].waits && r.server[i].gives_up == now)
            failed(&r, i, now);
    }
    if (r.code == 0) {
        add_up(&r, s->until);
        result->healed_ns = r.well == UINT64_MAX ? UINT64_MAX : r.well > s->fault_at ? r.well - s->fault_at : 0;
    }
    end(&r);
    return r.code;
}
