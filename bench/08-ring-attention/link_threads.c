/* link_threads.c: edges, and what a rank calls.
 *
 * A waiting thread first looks again and again, for as long as waking it up would take: but only where every rank has a
 * processor, else it would keep the very thread from running that it waits for.
 */
#include "link_edge.h"

#include "base/parallel.h"
#include "measure/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SPIN_NS 20000u

struct at_barrier {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t arrived;
    uint64_t times;
    bool broken;
};

struct member {
    struct link_group *group;
    uint32_t rank;
    bool begun;
    uint64_t sent;
};

struct link_group {
    uint32_t ranks;
    struct at_barrier barrier;
    struct edge *edge;     /* [ranks]: from rank i to the next */
    struct member *member; /* [ranks] */
};

/* ---- edges ---- */

void edge_changed(struct edge *e)
{
    atomic_fetch_add_explicit(&e->version, 1, memory_order_release);
    pthread_cond_broadcast(&e->changed);
}

static void wait_for_change(struct edge *e)
{
    uint32_t seen = atomic_load_explicit(&e->version, memory_order_relaxed);
    if (e->spins) {
        pthread_mutex_unlock(&e->lock);
        uint64_t until = clock_now_ns() + SPIN_NS;
        while (atomic_load_explicit(&e->version, memory_order_acquire) == seen && clock_now_ns() < until) {
        }
        pthread_mutex_lock(&e->lock);
    }
    if (atomic_load_explicit(&e->version, memory_order_relaxed) == seen)
        pthread_cond_wait(&e->changed, &e->lock);
}

void edge_move(struct edge *e, void (*copy)(struct edge *e))
{
    e->moving = true;
    pthread_mutex_unlock(&e->lock);
    uint64_t begin = e->bytes_per_second > 0 ? e->ready : clock_now_ns();
    copy(e);
    uint64_t end = clock_now_ns();
    pthread_mutex_lock(&e->lock);
    if (e->transfers < e->room)
        e->transfer[e->transfers++] = (struct link_transfer){e->out_bytes, begin, end};
    e->moving = e->offered = e->wanted = false;
    edge_changed(e);
}

static void copy_at_once(struct edge *e)
{
    if (e->out_bytes)
        memcpy(e->in, e->out, e->out_bytes);
}

static void offer(struct edge *e, const void *out, size_t bytes)
{
    pthread_mutex_lock(&e->lock);
    e->out = out;
    e->out_bytes = bytes;
    e->offered = true;
    e->ready = clock_now_ns();
    edge_changed(e);
    pthread_mutex_unlock(&e->lock);
}

static void want(struct edge *e, void *in, size_t bytes)
{
    pthread_mutex_lock(&e->lock);
    e->in = in;
    e->in_bytes = bytes;
    e->wanted = true;
    e->ready = clock_now_ns();
    edge_changed(e);
    pthread_mutex_unlock(&e->lock);
}

/* Until what this side has offered, or wanted (`mine`), has been moved. */
static int settle(struct edge *e, bool *mine, bool receives)
{
    int code = 0;
    pthread_mutex_lock(&e->lock);
    while (*mine && code == 0) {
        bool both = e->offered && e->wanted;
        bool fit = e->out_bytes == e->in_bytes; /* if not, the sender hears of it when the receiver has left */
        if (!e->moving && (e->broken || (!both && (receives ? e->no_sender : e->no_receiver))))
            code = -EPIPE;
        else if (!e->moving && both && !fit && receives)
            code = -EMSGSIZE;
        else if (!e->moving && both && fit && e->bytes_per_second == 0)
            edge_move(e, copy_at_once);
        else
            wait_for_change(e);
    }
    if (code)
        *mine = false;
    pthread_mutex_unlock(&e->lock);
    return code;
}

static int make_edge(struct edge *e, const struct link_settings *s)
{
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->changed, NULL);
    e->bytes_per_second = s->bytes_per_second;
    e->room = s->transfers;
    e->spins = s->ranks <= parallel_threads();
    e->transfer = calloc(s->transfers + 1u, sizeof *e->transfer);
    if (!e->transfer)
        return -ENOMEM;
    return s->bytes_per_second > 0 ? link_slow_begin(e) : 0;
}

static void end_edge(struct edge *e)
{
    link_slow_end(e);
    free(e->transfer);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
}

/* ---- what a rank calls ---- */

static struct edge *to_next(const struct member *m)
{
    return &m->group->edge[m->rank];
}

static struct edge *from_previous(const struct member *m)
{
    return &m->group->edge[(m->rank ? m->rank : m->group->ranks) - 1];
}

static int may_call(const struct member *m, const void *data, size_t bytes)
{
    return m->begun ? -EBUSY : !data && bytes ? -EINVAL : 0;
}

static int link_send(void *self, const void *data, size_t bytes)
{
    struct member *m = self;
    int code = may_call(m, data, bytes);
    if (code)
        return code;
    m->sent += bytes;
    offer(to_next(m), data, bytes);
    return settle(to_next(m), &to_next(m)->offered, false);
}

static int link_receive(void *self, void *data, size_t bytes)
{
    struct member *m = self;
    int code = may_call(m, data, bytes);
    if (code)
        return code;
    want(from_previous(m), data, bytes);
    return settle(from_previous(m), &from_previous(m)->wanted, true);
}

static int link_begin(void *self, const void *out, size_t out_bytes, void *in, size_t in_bytes)
{
    struct member *m = self;
    int code = may_call(m, out, out_bytes);
    code = code ? code : may_call(m, in, in_bytes);
    if (code)
        return code;
    m->sent += out_bytes;
    m->begun = true;
    want(from_previous(m), in, in_bytes);
    offer(to_next(m), out, out_bytes);
    return 0;
}

static int link_wait(void *self)
{
    struct member *m = self;
    if (!m->begun)
        return 0;
    int in = settle(from_previous(m), &from_previous(m)->wanted, true);
    int out = settle(to_next(m), &to_next(m)->offered, false);
    m->begun = false;
    return in ? in : out;
}

static int link_barrier(void *self)
{
    const struct member *m = self;
    struct at_barrier *b = &m->group->barrier;
    pthread_mutex_lock(&b->lock);
    uint64_t before = b->times;
    if (++b->arrived == m->group->ranks) {
        b->arrived = 0;
        b->times++;
        pthread_cond_broadcast(&b->changed);
    }
    while (b->times == before && !b->broken)
        pthread_cond_wait(&b->changed, &b->lock);
    int code = b->times == before ? -EPIPE : 0;
    pthread_mutex_unlock(&b->lock);
    return code;
}

static uint64_t link_sent(const void *self)
{
    return ((const struct member *)self)->sent;
}

struct at_link link_of_rank(struct link_group *group, uint32_t rank)
{
    return (struct at_link){.self = &group->member[rank],
                            .rank = rank,
                            .ranks = group->ranks,
                            .send = link_send,
                            .receive = link_receive,
                            .begin = link_begin,
                            .wait = link_wait,
                            .barrier = link_barrier,
                            .sent = link_sent};
}

/* ---- the group ---- */

static void leave_edge(struct edge *e, bool *mine, bool *gone)
{
    pthread_mutex_lock(&e->lock);
    while (e->moving)
        wait_for_change(e);
    *mine = false;
    *gone = true;
    edge_changed(e);
    pthread_mutex_unlock(&e->lock);
}

void link_leave(struct link_group *g, uint32_t rank, int code)
{
    const struct member *m = &g->member[rank];
    leave_edge(to_next(m), &to_next(m)->offered, &to_next(m)->no_sender);
    leave_edge(from_previous(m), &from_previous(m)->wanted, &from_previous(m)->no_receiver);
    for (uint32_t i = 0; i < g->ranks && code; i++) {
        pthread_mutex_lock(&g->edge[i].lock);
        g->edge[i].broken = true;
        edge_changed(&g->edge[i]);
        pthread_mutex_unlock(&g->edge[i].lock);
    }
    pthread_mutex_lock(&g->barrier.lock);
    g->barrier.broken = true; /* nobody will pass it without this rank */
    pthread_cond_broadcast(&g->barrier.changed);
    pthread_mutex_unlock(&g->barrier.lock);
}

const struct link_transfer *link_transfers(const struct link_group *group, uint32_t rank, uint32_t *n)
{
    *n = group->edge[rank].transfers;
    return group->edge[rank].transfer;
}

void link_group_destroy(struct link_group *g)
{
    if (!g)
        return;
    for (uint32_t i = 0; i < g->ranks && g->edge; i++)
        end_edge(&g->edge[i]);
    pthread_cond_destroy(&g->barrier.changed);
    pthread_mutex_destroy(&g->barrier.lock);
    free(g->edge);
    free(g->member);
    free(g);
}

int link_group_create(const struct link_settings *s, struct link_group **group)
{
    if (s->ranks == 0 || s->ranks > LINK_MAX_RANKS || !(s->bytes_per_second >= 0))
        return -EINVAL;
    struct link_group *g = calloc(1, sizeof *g);
    if (!g)
        return -ENOMEM;
    pthread_mutex_init(&g->barrier.lock, NULL);
    pthread_cond_init(&g->barrier.changed, NULL);
    g->edge = aligned_alloc(_Alignof(struct edge), s->ranks * sizeof *g->edge);
    g->member = calloc(s->ranks, sizeof *g->member);
    int code = g->edge && g->member ? 0 : -ENOMEM;
    if (code == 0)
        memset(g->edge, 0, s->ranks * sizeof *g->edge);
    for (; g->ranks < s->ranks && code == 0; g->ranks++) {
        g->member[g->ranks] = (struct member){.group = g, .rank = g->ranks};
        code = make_edge(&g->edge[g->ranks], s);
    }
    if (code) {
        link_group_destroy(g);
        return code;
    }
    *group = g;
    return 0;
}
