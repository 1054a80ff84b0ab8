/* Join the idle queue: servers that have run dry queue up at a balancer; a request takes the first of them, or a random
 * member when there is none.
 *
 * Idea       Turn the search round. A balancer need not look for an idle server if each server says, once, to one
 *            balancer, that it is idle. The message is sent when the request is done, not when the next arrives, so it
 *            costs the request nothing; and with many balancers no server is taken for idle by two of them at once.
 * Invariant  The queue holds backends that said they were idle and have not been picked from it since, each at most
 *            once. Some may be busy again, since another balancer's random pick may have found them.
 * Cost       O(1) a pick; one message for each time a server runs dry.
 * Gets wrong At high load hardly any server is ever idle, the queue is empty, and this is random placing: it is at its
 *            best where there is least to gain. With few servers a balancer each, likewise.
 * Source     Lu, Xie, Kliot, Geller, Larus & Greenberg 2011.
 */
#include "members.h"

struct balancer {
    struct members members;
    struct rng random;
    uint32_t *queue; /* ring of [capacity] */
    bool *queued;    /* [capacity] */
    uint32_t first, waiting, capacity;
};

static void destroy(void *balancer)
{
    struct balancer *b = balancer;
    free(b->queue);
    free(b->queued);
    members_end(b);
}

static int create(const struct lb_config *config, void **out)
{
    int code = members_create(sizeof(struct balancer), config, out);
    if (code)
        return code;
    struct balancer *b = *out;
    b->random = config->random;
    b->capacity = config->max_backends ? config->max_backends : 1;
    b->queue = calloc(b->capacity, sizeof *b->queue);
    b->queued = calloc(b->capacity, sizeof *b->queued);
    if (!b->queue || !b->queued) {
        destroy(b);
        return -ENOMEM;
    }
    return 0;
}

static void idle(void *balancer, uint32_t backend, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (b->queued[backend])
        return;
    b->queued[backend] = true;
    b->queue[(b->first + b->waiting++) % b->capacity] = backend;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    while (b->waiting > 0) {
        uint32_t backend = b->queue[b->first];
        b->first = (b->first + 1) % b->capacity;
        b->waiting--;
        b->queued[backend] = false;
        if (members_has(&b->members, backend)) /* it may have left while it waited */
            return backend;
    }
    if (b->members.count == 0)
        return LB_NONE;
    return b->members.list[rng_below(&b->random, b->members.count)];
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = members_join,
                                  .remove = members_leave,
                                  .set_weight = members_join,
                                  .pick = pick,
                                  .idle = idle,
                                  .can = LB_RANDOM};
LB_ENTRY(join_idle_queue, "join-idle-queue", "a server that said it is idle, else any", &ops);
