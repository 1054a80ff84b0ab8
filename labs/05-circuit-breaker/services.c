/* services.c: services that call each other: a simulation by events. */
#include "services.h"

#include "sim/distribution.h"
#include "sim/event_queue.h"
#include "sim/real.h"
#include "sim/rng.h"

#include <errno.h>
#include <stdlib.h>

#define NONE     SERVICES_NONE
#define FAR_AWAY (UINT64_C(1) << 62)

/* A caller's side: one request to one service, with all of its tries. */
struct call {
    uint64_t began, deadline, sent, last_delay;
    uint64_t ticket;
    uint32_t service, kind, client;
    uint32_t job;     /* whose worker waits for it; NONE: a request of a client */
    uint32_t tries;   /* made so far; the last is the one that is waited for */
    uint32_t pending; /* events and jobs that know it */
    bool waits, ended;
};

/* A service's side: one try. */
struct job {
    uint32_t call, number; /* which try of it */
    uint32_t next;         /* in the queue, or among the free */
    enum { JOB_FREE, JOB_WAITS, JOB_WORKS } state;
};

enum event_kind { COMES, DONE, TIMES_OUT, TRIES_AGAIN };

struct happening {
    enum event_kind kind;
    uint32_t index, number; /* of a call or a job; which try */
    uint32_t next;          /* among the free */
};

/* What grows by doubling, and gives places out again. */
struct pool {
    void *item;
    uint32_t room, used, free; /* free: first of the free ones */
};

struct side {
    void *breaker, *retry;
};

struct place {
    uint32_t working, waiting, first, last; /* of the built-in queue */
    void *queue;
    struct rng work, lost;
};

struct run {
    const struct services *s;
    const struct services_policy *p;
    const struct services_hooks *h;
    struct event_queue *events;
    struct pool calls, jobs, happenings;
    struct side *side; /* [clients + services][services]: who calls whom */
    struct place place[SERVICES_MOST];
    struct cb_dropped dropped;
    struct rng arrivals, kinds, chance;
    int code;
};

static struct call *call_at(const struct run *r, uint32_t i)
{
    return &((struct call *)r->calls.item)[i];
}

static struct job *job_at(const struct run *r, uint32_t i)
{
    return &((struct job *)r->jobs.item)[i];
}

static struct happening *happening_at(const struct run *r, uint32_t i)
{
    return &((struct happening *)r->happenings.item)[i];
}

/* A place, or NONE without memory. *next: where a free item keeps the next one. */
static uint32_t pool_take(struct run *r, struct pool *p, size_t size, size_t next)
{
    if (p->free != NONE) {
        const uint32_t i = p->free;
        p->free = *(uint32_t *)((char *)p->item + i * size + next);
        return i;
    }
    if (p->used == p->room) {
        const uint32_t room = p->room ? 2 * p->room : 256;
        void *more = realloc(p->item, room * size);
        if (!more) {
            r->code = -ENOMEM;
            return NONE;
        }
        p->item = more;
        p->room = room;
    }
    return p->used++;
}

static void pool_give(struct pool *p, size_t size, size_t next, uint32_t i)
{
    *(uint32_t *)((char *)p->item + i * size + next) = p->free;
    p->free = i;
}

static void schedule(struct run *r, uint64_t at, enum event_kind kind, uint32_t index, uint32_t number)
{
    const uint32_t i = pool_take(r, &r->happenings, sizeof(struct happening), offsetof(struct happening, next));
    if (i == NONE)
        return;
    *happening_at(r, i) = (struct happening){kind, index, number, NONE};
    if (event_queue_push(r->events, at, i) != 0)
        r->code = -ENOMEM;
}

/* A call's place is given out again when nothing knows it any more. */
static void forget_call(struct run *r, uint32_t i)
{
    struct call *c = call_at(r, i);
    if (--c->pending == 0 && c->ended)
        pool_give(&r->calls, sizeof *c, offsetof(struct call, client), i);
}

static struct side *side_of(const struct run *r, const struct call *c)
{
    const uint32_t caller = c->job == NONE ? c->client : r->s->clients + call_at(r, job_at(r, c->job)->call)->service;
    return &r->side[(size_t)caller * r->s->services + c->service];
}

/* ---- how long work takes ---- */

static const struct trouble *trouble_at(const struct services *s, uint32_t service, uint64_t now, uint64_t *change)
{
    const struct trouble *found = NULL;
    *change = FAR_AWAY;
    for (uint32_t i = 0; i < s->troubles; i++) {
        const struct trouble *t = &s->trouble[i];
        if (t->service != service || now >= t->from + t->length)
            continue;
        if (now >= t->from)
            found = t;
        const uint64_t edge = now < t->from ? t->from : t->from + t->length;
        *change = edge < *change ? edge : *change;
    }
    return found;
}

/* When work of `work` ns is done that begins now. */
static uint64_t finish(const struct services *s, uint32_t service, uint64_t now, uint64_t work)
{
    double left = (double)work;
    for (;;) {
        uint64_t change;
        const struct trouble *t = trouble_at(s, service, now, &change);
        const double speed = t ? t->speed_permille / 1000.0 : 1, within = (double)(change - now) * speed;
        if (within >= left || change == FAR_AWAY)
            return speed > 0 ? now + (uint64_t)(left / speed) : FAR_AWAY;
        left -= within;
        now = change;
    }
}

static void tell_load(const struct run *r, uint64_t now, uint32_t service)
{
    const struct place *p = &r->place[service];
    if (r->h->load)
        r->h->load(r->h->context, now, service, p->working, p->waiting);
}

/* ---- the service's side ---- */

static void call_make(struct run *r, uint64_t now, struct call call);
static void call_failed(struct run *r, uint32_t i, uint64_t now, enum cb_outcome outcome);
static void call_succeeded(struct run *r, uint32_t i, uint64_t now);

static bool is_awaited(const struct run *r, const struct job *j)
{
    const struct call *c = call_at(r, j->call);
    return !c->ended && c->waits && c->tries == j->number;
}

static void job_forget(struct run *r, uint32_t i)
{
    struct job *j = job_at(r, i);
    const uint32_t call = j->call;
    j->state = JOB_FREE;
    pool_give(&r->jobs, sizeof *j, offsetof(struct job, next), i);
    forget_call(r, call);
}

/* Thrown away: whoever still waits for it is told. */
static void job_drop(struct run *r, uint32_t i, uint64_t now)
{
    const struct job j = *job_at(r, i);
    const bool awaited = is_awaited(r, &j);
    r->place[call_at(r, j.call)->service].waiting--;
    if (awaited)
        call_failed(r, j.call, now, CB_ERROR);
    job_forget(r, i);
}

static void drop_all(struct run *r, uint64_t now)
{
    if (r->dropped.failed)
        r->code = -ENOMEM;
    /* Telling a caller may bring new work, which names others: so they are copied first. */
    const uint32_t n = r->dropped.n;
    uint32_t *id = n > 0 ? malloc(n * sizeof *id) : NULL;
    if (n > 0 && !id) {
        r->code = -ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        id[i] = r->dropped.id[i];
    for (uint32_t i = 0; i < n; i++)
        if (id[i] < r->jobs.used && job_at(r, id[i])->state == JOB_WAITS)
            job_drop(r, id[i], now);
    free(id);
}

static bool queue_put(struct run *r, uint32_t service, uint32_t i, uint64_t now)
{
    struct place *p = &r->place[service];
    struct job *j = job_at(r, i);
    j->state = JOB_WAITS;
    if (p->queue) {
        const struct call *c = call_at(r, j->call);
        const uint64_t gone = c->sent + r->s->service[service].timeout_ns;
        const struct cb_work work = {i, gone < c->deadline ? gone : c->deadline};
        r->dropped.n = 0;
        p->waiting++;
        const bool taken = r->p->queue->arrive(p->queue, now, &work, &r->dropped);
        p->waiting -= !taken;
        if (!taken)
            job_at(r, i)->state = JOB_FREE;
        drop_all(r, now);
        return taken;
    }
    if (p->waiting >= r->s->service[service].queue.most)
        return false;
    j->next = NONE;
    *(p->last == NONE ? &p->first : &job_at(r, p->last)->next) = i;
    p->last = i;
    p->waiting++;
    return true;
}

static uint32_t queue_take(struct run *r, uint32_t service, uint64_t now)
{
    struct place *p = &r->place[service];
    uint32_t i = p->first;
    if (p->queue) {
        r->dropped.n = 0;
        i = r->p->queue->take(p->queue, now, &r->dropped);
        if (i != CB_NOTHING && (i >= r->jobs.used || job_at(r, i)->state != JOB_WAITS))
            i = CB_NOTHING;
        if (i != CB_NOTHING)
            job_at(r, i)->state = JOB_WORKS; /* and can't be dropped */
        drop_all(r, now);
        p->waiting -= i != CB_NOTHING;
        return i == CB_NOTHING ? NONE : i;
    }
    if (i == NONE)
        return NONE;
    p->first = job_at(r, i)->next;
    if (p->first == NONE)
        p->last = NONE;
    p->waiting--;
    job_at(r, i)->state = JOB_WORKS;
    return i;
}

/* Free workers take what waits. */
static void work_on(struct run *r, uint32_t service, uint64_t now)
{
    const struct service *s = &r->s->service[service];
    struct place *p = &r->place[service];
    while (p->working < s->workers && r->code == 0) {
        const uint32_t i = queue_take(r, service, now);
        if (i == NONE)
            break;
        if (s->cancels && !is_awaited(r, job_at(r, i))) {
            job_forget(r, i);
            continue;
        }
        const double law = s->exponential ? -real_log(rng_open(&p->work)) : 1;
        p->working++;
        schedule(r, finish(r->s, service, now, (uint64_t)(law * (double)s->work_ns)), DONE, i, 0);
    }
    tell_load(r, now, service);
}

/* The job's worker is free again. */
static void job_ended(struct run *r, uint32_t i, uint64_t now, bool success)
{
    const struct job j = *job_at(r, i);
    const uint32_t service = call_at(r, j.call)->service;
    r->place[service].working--;
    if (is_awaited(r, &j)) {
        if (success)
            call_succeeded(r, j.call, now);
        else
            call_failed(r, j.call, now, CB_ERROR);
    }
    job_forget(r, i);
    work_on(r, service, now);
}

static void work_done(struct run *r, uint32_t i, uint64_t now)
{
    const struct call *c = call_at(r, job_at(r, i)->call);
    const uint32_t next = r->s->service[c->service].next[c->kind];
    if (next == NONE) {
        job_ended(r, i, now, true);
        return;
    }
    call_make(
        r, now,
        (struct call){
            .began = now, .deadline = c->deadline, .service = next, .kind = c->kind, .client = c->client, .job = i});
}

/* ---- the caller's side ---- */

static void call_ended(struct run *r, uint32_t i, uint64_t now, bool success)
{
    struct call *c = call_at(r, i);
    const uint32_t job = c->job;
    c->ended = true;
    c->waits = false;
    if (job == NONE) {
        if (r->h->ended)
            r->h->ended(r->h->context, now, c->began, c->kind, success);
        return;
    }
    job_ended(r, job, now, success);
}

static void call_try(struct run *r, uint32_t i, uint64_t now)
{
    struct call *c = call_at(r, i);
    const uint32_t service = c->service;
    const struct side *side = side_of(r, c);
    if (side->breaker) {
        const struct cb_permit permit = r->p->breaker->allow(side->breaker, now);
        if (!permit.allowed) {
            if (r->h->refused)
                r->h->refused(r->h->context, now, service, true);
            call_ended(r, i, now, false);
            return;
        }
        c->ticket = permit.ticket;
    }
    c->tries++;
    c->sent = now;
    c->waits = true;
    c->pending++;
    schedule(r, now + r->s->service[service].timeout_ns, TIMES_OUT, i, c->tries);
    if (r->h->sent)
        r->h->sent(r->h->context, now, service);
    uint64_t change;
    const struct trouble *t = trouble_at(r->s, service, now, &change);
    if (t && t->lost_permille > 0 && rng_below(&r->place[service].lost, 1000) < t->lost_permille)
        return;
    const uint32_t job = pool_take(r, &r->jobs, sizeof(struct job), offsetof(struct job, next));
    if (job == NONE)
        return;
    c = call_at(r, i);
    *job_at(r, job) = (struct job){.call = i, .number = c->tries, .next = NONE};
    c->pending++;
    if (queue_put(r, service, job, now)) {
        work_on(r, service, now);
        return;
    }
    if (r->h->refused)
        r->h->refused(r->h->context, now, service, false);
    call_failed(r, i, now, CB_ERROR);
    job_forget(r, job);
}

static void record(const struct run *r, const struct call *c, uint64_t now, enum cb_outcome outcome)
{
    const struct side *side = side_of(r, c);
    if (side->breaker)
        r->p->breaker->record(side->breaker, c->ticket, now, outcome, now - c->sent);
}

static void call_succeeded(struct run *r, uint32_t i, uint64_t now)
{
    struct call *c = call_at(r, i);
    record(r, c, now, CB_SUCCESS);
    const struct side *side = side_of(r, c);
    if (side->retry && r->p->retry->succeeded)
        r->p->retry->succeeded(side->retry, now);
    call_ended(r, i, now, true);
}

static void call_failed(struct run *r, uint32_t i, uint64_t now, enum cb_outcome outcome)
{
    struct call *c = call_at(r, i);
    c->waits = false;
    record(r, c, now, outcome);
    const struct side *side = side_of(r, c);
    const struct cb_failed failed = {now, c->deadline, c->last_delay, c->tries, rng_open(&r->chance)};
    uint64_t delay = 0;
    if (!side->retry || !r->p->retry->retry(side->retry, &failed, &delay) || delay > FAR_AWAY - now) {
        call_ended(r, i, now, false);
        return;
    }
    c->last_delay = delay;
    c->pending++;
    schedule(r, now + delay, TRIES_AGAIN, i, c->tries);
}

static void call_make(struct run *r, uint64_t now, struct call call)
{
    const uint32_t i = pool_take(r, &r->calls, sizeof call, offsetof(struct call, client));
    if (i == NONE)
        return;
    call.pending = 1; /* until it is made */
    *call_at(r, i) = call;
    call_try(r, i, now);
    forget_call(r, i);
}

/* ---- requests ---- */

static void request_comes(struct run *r, uint64_t now)
{
    const struct services *s = r->s;
    call_make(r, now,
              (struct call){.began = now,
                            .deadline = s->deadline_ns ? now + s->deadline_ns : FAR_AWAY,
                            .kind = rng_below(&r->kinds, 1000) < s->kind_permille,
                            .client = rng_below(&r->chance, s->clients),
                            .job = NONE});
    const uint64_t next = now + (uint64_t)(-real_log(rng_open(&r->arrivals)) * 1e9 / (double)s->rate);
    if (next < s->until)
        schedule(r, next, COMES, 0, 0);
}

static void happens(struct run *r, const struct event *e)
{
    const uint32_t at = (uint32_t)e->data;
    const struct happening h = *happening_at(r, at);
    pool_give(&r->happenings, sizeof h, offsetof(struct happening, next), at);
    switch (h.kind) {
    case COMES:
        request_comes(r, e->time);
        break;
    case DONE:
        work_done(r, h.index, e->time);
        break;
    case TIMES_OUT:
        if (!call_at(r, h.index)->ended && call_at(r, h.index)->waits && call_at(r, h.index)->tries == h.number)
            call_failed(r, h.index, e->time, CB_TIMEOUT);
        forget_call(r, h.index);
        break;
    default:
        call_try(r, h.index, e->time);
        forget_call(r, h.index);
    }
}

/* ---- beginning and end ---- */

static bool is_valid(const struct services *s)
{
    bool good = s->services >= 1 && s->services <= SERVICES_MOST && s->troubles <= SERVICES_FAULTS && s->rate >= 1 &&
                s->until < FAR_AWAY && s->deadline_ns < FAR_AWAY && s->clients >= 1 && s->clients <= 10000;
    for (uint32_t i = 0; good && i < s->services; i++) {
        const struct service *v = &s->service[i];
        good = v->workers >= 1 && v->work_ns < FAR_AWAY / 64 && v->timeout_ns >= 1 && v->timeout_ns < FAR_AWAY;
        for (uint32_t k = 0; good && k < SERVICES_KINDS; k++)
            good = v->next[k] == NONE || (v->next[k] > i && v->next[k] < s->services);
    }
    for (uint32_t i = 0; good && i < s->troubles; i++)
        good = s->trouble[i].service < s->services && s->trouble[i].from < FAR_AWAY && s->trouble[i].length < FAR_AWAY;
    return good;
}

static int create_policy(struct run *r)
{
    const struct services *s = r->s;
    int code = 0;
    for (uint32_t caller = 0; caller < s->clients + s->services; caller++)
        for (uint32_t i = 0; i < s->services && code == 0; i++) {
            struct side *side = &r->side[(size_t)caller * s->services + i];
            const bool calls = caller < s->clients ? i == 0 : caller - s->clients < i;
            if (calls && r->p->breaker)
                code = r->p->breaker->create(&s->service[i].breaker, &side->breaker);
            if (calls && r->p->retry && code == 0)
                code = r->p->retry->create(&s->service[i].retry, &side->retry);
        }
    for (uint32_t i = 0; i < s->services && code == 0; i++)
        if (r->p->queue)
            code = r->p->queue->create(&s->service[i].queue, &r->place[i].queue);
    return code;
}

static void destroy_policy(struct run *r)
{
    const struct services *s = r->s;
    for (size_t i = 0; i < (size_t)(s->clients + s->services) * s->services; i++) {
        if (r->side[i].breaker)
            r->p->breaker->destroy(r->side[i].breaker);
        if (r->side[i].retry)
            r->p->retry->destroy(r->side[i].retry);
    }
    for (uint32_t i = 0; i < s->services; i++)
        if (r->place[i].queue)
            r->p->queue->destroy(r->place[i].queue);
}

int services_simulate(const struct services *s, const struct services_policy *p, const struct services_hooks *h)
{
    if (!is_valid(s))
        return -EINVAL;
    struct run r = {.s = s, .p = p, .h = h, .calls.free = NONE, .jobs.free = NONE, .happenings.free = NONE};
    struct event e;
    rng_seed(&r.arrivals, s->seed, 1);
    rng_seed(&r.kinds, s->seed, 2);
    rng_seed(&r.chance, s->seed, 3);
    for (uint32_t i = 0; i < s->services; i++) {
        r.place[i] = (struct place){.first = NONE, .last = NONE};
        rng_seed(&r.place[i].work, s->seed, 10 + 2 * i);
        rng_seed(&r.place[i].lost, s->seed, 11 + 2 * i);
    }
    r.code = event_queue_create(1024, &r.events);
    const size_t sides = (size_t)(s->clients + s->services) * s->services;
    r.side = calloc(sides > 0 ? sides : 1, sizeof *r.side);
    if (r.code == 0 && r.side) {
        r.code = create_policy(&r);
        schedule(&r, 0, COMES, 0, 0);
        while (r.code == 0 && event_queue_pop(r.events, &e) && e.time < s->until && (!h->go_on || h->go_on(h->context)))
            happens(&r, &e);
        destroy_policy(&r);
    } else {
        r.code = -ENOMEM;
    }
    event_queue_destroy(r.events);
    free(r.side);
    free(r.calls.item);
    free(r.jobs.item);
    free(r.happenings.item);
    free(r.dropped.id);
    return r.code;
}
