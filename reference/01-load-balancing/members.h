/* members.h: the set of backends that a balancer may pick from, and what it has sent them: what every entry needs and
 * none is about.
 *
 * A dense list of the members, and for each backend its place in it: add, remove and "is it one" are O(1), picking the
 * i-th is an array access. Removing moves the last member into the gap, so the order of the list is the order of
 * joining only until somebody leaves. Entries whose sequence depends on the order keep the list sorted with
 * members_add_sorted / members_remove_sorted (O(n), and members change rarely). Owned by the balancer that embeds it.
 * Units: weights as the contract has them.
 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct members {
    uint32_t count, capacity;
    uint32_t *list;      /* [count] backend numbers */
    uint32_t *place;     /* [capacity] index in list, or LB_NONE */
    uint32_t *weight;    /* [capacity] of members; 0 of others */
    uint32_t *in_flight; /* [capacity] requests sent and not answered; of a number, not of a membership: leaving does
                            not reset it */
};

static inline void members_destroy(struct members *m)
{
    free(m->list);
    free(m->place);
    free(m->weight);
    free(m->in_flight);
}

static inline int members_init(struct members *m, uint32_t capacity)
{
    *m = (struct members){.capacity = capacity};
    size_t n = capacity ? capacity : 1;
    m->list = malloc(n * sizeof *m->list);
    m->place = malloc(n * sizeof *m->place);
    m->weight = calloc(n, sizeof *m->weight);
    m->in_flight = calloc(n, sizeof *m->in_flight);
    if (!m->list || !m->place || !m->weight || !m->in_flight) {
        members_destroy(m);
        return -ENOMEM;
    }
    memset(m->place, 0xff, n * sizeof *m->place);
    return 0;
}

static inline bool members_has(const struct members *m, uint32_t backend)
{
    return m->place[backend] != LB_NONE;
}

static inline void members_add(struct members *m, uint32_t backend, uint32_t weight)
{
    m->weight[backend] = weight;
    if (members_has(m, backend))
        return;
    m->place[backend] = m->count;
    m->list[m->count++] = backend;
}

static inline void members_remove(struct members *m, uint32_t backend)
{
    if (!members_has(m, backend))
        return;
    uint32_t hole = m->place[backend], last = m->list[--m->count];
    m->list[hole] = last;
    m->place[last] = hole;
    m->place[backend] = LB_NONE;
    m->weight[backend] = 0;
}

/* Keeps the list in the order of backend numbers. */
static inline void members_add_sorted(struct members *m, uint32_t backend, uint32_t weight)
{
    m->weight[backend] = weight;
    if (members_has(m, backend))
        return;
    uint32_t at = m->count++;
    for (; at > 0 && m->list[at - 1] > backend; at--) {
        m->list[at] = m->list[at - 1];
        m->place[m->list[at]] = at;
    }
    m->list[at] = backend;
    m->place[backend] = at;
}

static inline void members_remove_sorted(struct members *m, uint32_t backend)
{
    if (!members_has(m, backend))
        return;
    for (uint32_t at = m->place[backend]; at + 1 < m->count; at++) {
        m->list[at] = m->list[at + 1];
        m->place[m->list[at]] = at;
    }
    m->count--;
    m->place[backend] = LB_NONE;
    m->weight[backend] = 0;
}

/* Operations of the contract for entries whose balancer struct begins with a `struct members` and needs nothing more
 * when membership changes. A member of weight 0 gets nothing, which is to say that it is none. */
int members_create(size_t balancer_size, const struct lb_config *config, void **balancer); /* zeroed, members ready */
void members_end(void *balancer);
int members_join(void *balancer, uint32_t backend, uint32_t weight, uint64_t now); /* add and set_weight */
void members_leave(void *balancer, uint32_t backend, uint64_t now);
/* A request ended, however it ended: in_flight goes down. Whoever forgets this for one of the outcomes starves a
 * server, little by little. */
void members_done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now);

/* Two different members, uniformly among all pairs; count >= 2. */
static inline void members_two(const struct members *m, struct rng *random, uint32_t *a, uint32_t *b)
{
    uint32_t i = rng_below(random, m->count), j = rng_below(random, m->count - 1);
    *a = m->list[i];
    *b = m->list[j + (j >= i)]; /* the second is drawn from the others: never the first again */
}

#endif
