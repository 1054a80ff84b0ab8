/* crew.c: so many threads, each on a processor of its own where there are enough, near to each other (hwloc). */
#include "crew.h"

#include "measure/topology.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum gate { SHUT, OPEN, GIVEN_UP };

struct hand {
    struct crew *crew;
    uint32_t number;
    unsigned place;
    int code;
    pthread_t thread;
};

struct crew {
    void (*work)(void *context, uint32_t number, int *code);
    void *context;
    bool bound;
    uint32_t arrived, threads;
    enum gate gate;
    pthread_mutex_t lock;
    pthread_cond_t opened;
    struct hand hand[];
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
static enum gate pass(struct crew *c)
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

static void *lend_a_hand(void *context)
{
    struct hand *h = context;
    struct error err;
    if (h->crew->bound)
        topology_bind(topology, h->place, &err); /* if not, it runs where it may */
    if (pass(h->crew) == OPEN)
        h->crew->work(h->crew->context, h->number, &h->code);
    return NULL;
}

static void give_up(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->gate = GIVEN_UP;
    pthread_cond_broadcast(&c->opened);
    pthread_mutex_unlock(&c->lock);
}

int crew_run(uint32_t threads, void (*work)(void *context, uint32_t number, int *code), void *context)
{
    unsigned place[CREW_MOST] = {0};
    if (threads == 0 || threads > CREW_MOST)
        return -EINVAL;
    struct crew *crew = calloc(1, sizeof *crew + threads * sizeof *crew->hand);
    if (!crew)
        return -ENOMEM;
    uint32_t started = 0;
    int code = 0;
    *crew = (struct crew){.work = work, .context = context, .threads = threads, .bound = find_places(threads, place)};
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->opened, NULL);
    while (started < threads && code == 0) {
        struct hand *h = &crew->hand[started];
        h->crew = crew;
        h->number = started;
        h->place = crew->bound ? place[started] : 0;
        code = pthread_create(&h->thread, NULL, lend_a_hand, h) ? -EAGAIN : 0;
        started += code == 0;
    }
    if (code)
        give_up(crew);
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(crew->hand[i].thread, NULL);
        if ((code == 0 || code == -EPIPE) && crew->hand[i].code)
            code = crew->hand[i].code;
    }
    pthread_cond_destroy(&crew->opened);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
    return code;
}
