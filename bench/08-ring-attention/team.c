/* team.c: so many threads, each on a processor of its own where there are enough, near to each other (hwloc). */
#include "team.h"

#include "measure/topology.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum gate { SHUT, OPEN, GIVEN_UP };

struct member {
    struct team *team;
    uint32_t number;
    unsigned place;
    int code;
    pthread_t thread;
};

struct team {
    void (*work)(void *context, uint32_t number, int *code);
    void *context;
    bool bound;
    uint32_t arrived, threads;
    enum gate gate;
    pthread_mutex_t lock;
    pthread_cond_t opened;
    struct member member[];
};

static struct topology *topology; /* of a thread that is not bound, so loaded once */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    struct error err;
    if (topology_load(&topology, &err) != 0)
        topology = NULL;
}

/* Are there places for so many threads? */
static bool find_places(uint32_t threads, unsigned *place)
{
    struct error err;
    pthread_once(&once, load);
    return topology && topology_is_this_machine(topology) && threads <= topology_usable_cores(topology) &&
           topology_places(topology, threads, place, NULL, 0, &err) == 0;
}

/* The last one opens. */
static enum gate wait_for_all(struct team *c)
{
    pthread_mutex_lock(&c->lock);
    if (++c->arrived == c->threads && c->gate == SHUT) {
        c->gate = OPEN;
        pthread_cond_broadcast(&c->opened);
    }
    while (c->gate == SHUT)
        pthread_cond_wait(&c->opened, &c->lock);
    enum gate gate = c->gate;
    pthread_mutex_unlock(&c->lock);
    return gate;
}

static void *member_main(void *context)
{
    struct member *h = context;
    struct error err;
    if (h->team->bound)
        topology_bind(topology, h->place, &err); /* if not, it runs where it may */
    if (wait_for_all(h->team) == OPEN)
        h->team->work(h->team->context, h->number, &h->code);
    return NULL;
}

static void give_up(struct team *c)
{
    pthread_mutex_lock(&c->lock);
    c->gate = GIVEN_UP;
    pthread_cond_broadcast(&c->opened);
    pthread_mutex_unlock(&c->lock);
}

int team_run(uint32_t threads, void (*work)(void *context, uint32_t number, int *code), void *context)
{
    unsigned place[TEAM_MOST] = {0};
    if (threads == 0 || threads > TEAM_MOST)
        return -EINVAL;
    struct team *team = calloc(1, sizeof *team + threads * sizeof *team->member);
    if (!team)
        return -ENOMEM;
    uint32_t started = 0;
    int code = 0;
    *team = (struct team){.work = work, .context = context, .threads = threads, .bound = find_places(threads, place)};
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->opened, NULL);
    while (started < threads && code == 0) {
        struct member *h = &team->member[started];
        h->team = team;
        h->number = started;
        h->place = team->bound ? place[started] : 0;
        code = pthread_create(&h->thread, NULL, member_main, h) ? -EAGAIN : 0;
        started += code == 0;
    }
    if (code)
        give_up(team);
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(team->member[i].thread, NULL);
        if ((code == 0 || code == -EPIPE) && team->member[i].code)
            code = team->member[i].code;
    }
    pthread_cond_destroy(&team->opened);
    pthread_mutex_destroy(&team->lock);
    free(team);
    return code;
}
