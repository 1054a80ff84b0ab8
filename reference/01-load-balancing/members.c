/* members.c: the set of backends that a balancer may pick from, and what it has sent them. */
#include "members.h"

int members_create(size_t balancer_size, const struct lb_config *config, void **balancer)
{
    struct members *m = calloc(1, balancer_size);
    if (!m || members_init(m, config->max_backends) != 0) {
        free(m);
        return -ENOMEM;
    }
    *balancer = m;
    return 0;
}

void members_end(void *balancer)
{
    members_destroy(balancer);
    free(balancer);
}

int members_join(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    (void)now;
    if (weight > 0)
        members_add(balancer, backend, weight);
    else
        members_remove(balancer, backend);
    return 0;
}

void members_leave(void *balancer, uint32_t backend, uint64_t now)
{
    (void)now;
    members_remove(balancer, backend);
}

void members_done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct members *m = balancer;
    (void)outcome, (void)latency, (void)now;
    m->in_flight[backend]--;
}
