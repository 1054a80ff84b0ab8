/* Peak EWMA with two choices: draw two different members, take the one that is expected to answer sooner.
 *
 * Idea       How long did a backend take lately? An average that forgets with time constant tau tells, and it treats
 *            bad news unlike good: a latency above the average replaces it at once (the peak), one below only pulls it
 *            down by and by. Requests in flight multiply: who has three unanswered will take about four times as long.
 * Rules      On a latency r at time t, with the last one at time s, and w = e^((s - t) / tau):
 *                r > cost:    cost = r
 *                otherwise:   cost = cost w + r (1 - w)
 *            At a pick:       load = cost w x (in flight + 1)
 *            Never measured:  load = 0 when nothing is in flight, so that it gets tried; else larger than any measured
 *            load, so that it is not flooded.
 * Cost       O(1): two draws, up to two exponentials.
 * Gets wrong Every outcome is a sample, so a server that fails fast has the best latencies of all and attracts traffic:
 *            wrap it in outlier ejection. The peak rule overreacts to a single slow request; on servers of equal speed
 *            plain two choices does better.
 * Source     Twitter Finagle, "Peak EWMA"; linkerd.
 */
#include "members.h"

#include "sim/real.h"

struct measured {
    double cost;   /* ns; 0: never measured */
    uint64_t when; /* of the last latency */
};

struct balancer {
    struct members members;
    struct rng random;
    double tau;                /* ns */
    struct measured *measured; /* [capacity] */
};

static void destroy(void *balancer)
{
    free(((struct balancer *)balancer)->measured);
    members_end(balancer);
}

static int create(const struct lb_config *config, void **out)
{
    if (config->ewma_decay_ns == 0)
        return -EINVAL;
    int code = members_create(sizeof(struct balancer), config, out);
    if (code)
        return code;
    struct balancer *b = *out;
    b->random = config->random;
    b->tau = (double)config->ewma_decay_ns;
    b->measured = calloc(config->max_backends ? config->max_backends : 1, sizeof *b->measured);
    if (!b->measured) {
        destroy(b);
        return -ENOMEM;
    }
    return 0;
}

/* A backend that comes back may be another machine: it is measured anew. */
static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    ((struct balancer *)balancer)->measured[backend] = (struct measured){0, 0};
    members_leave(balancer, backend, now);
}

static double forgotten(const struct balancer *b, uint32_t backend, uint64_t now)
{
    return real_exp(-(double)(now - b->measured[backend].when) / b->tau);
}

static double load(const struct balancer *b, uint32_t backend, uint64_t now)
{
    const double untried = 1e30; /* ns: above every measured load */
    double requests = (double)b->members.in_flight[backend] + 1;
    double cost = b->measured[backend].cost;
    if (cost > 0)
        return cost * forgotten(b, backend, now) * requests;
    return b->members.in_flight[backend] ? untried * requests : 0;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    struct members *m = &b->members;
    uint32_t first, second;
    if (m->count == 0)
        return LB_NONE;
    if (m->count == 1) {
        first = m->list[0];
    } else {
        members_two(m, &b->random, &first, &second);
        if (load(b, second, now) < load(b, first, now))
            first = second;
    }
    m->in_flight[first]++;
    return first;
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct balancer *b = balancer;
    members_done(b, backend, outcome, latency, now);
    if (!members_has(&b->members, backend))
        return;
    struct measured *m = &b->measured[backend];
    double sample = latency ? (double)latency : 1; /* 0 would mean: never measured */
    if (sample > m->cost) {
        m->cost = sample;
    } else {
        double w = forgotten(b, backend, now);
        m->cost = m->cost * w + sample * (1 - w);
    }
    m->when = now;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = members_join,
                                  .remove = leave,
                                  .set_weight = members_join,
                                  .pick = pick,
                                  .done = done,
                                  .can = LB_RANDOM};
LB_ENTRY(peak_ewma, "peak-ewma", "the one of two random members with the lower peak EWMA x in flight", &ops);
