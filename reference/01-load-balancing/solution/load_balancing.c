/* Lab 01: the model solution, in the form of the hand-in: the starter with its five tasks solved, as short as they can
 * be read.
 *
 * Every backend number has a record of its own, in an array behind the balancer's struct; a weight of 0 stands for "not
 * a member" as well as for "a member that gets nothing", since for picking they are the same. Scans go over all
 * numbers; peak EWMA has a list of its members besides, to draw from. Faster forms with the same answers, and what each
 * algorithm gets wrong, are in the files beside this folder.
 */
#include "load_balancing.h"

#include "sim/real.h"

#include <errno.h>
#include <stdlib.h>

/* ---- round robin, as it was given ---- */

struct round_robin {
    uint32_t count;   /* members */
    uint32_t next;    /* place in the list whose turn it is */
    uint32_t *member; /* [count] their numbers */
};

static int round_robin_create(const struct lb_config *config, void **balancer)
{
    struct round_robin *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->member = calloc(config->max_backends, sizeof *b->member);
    if (!b->member) {
        free(b);
        return -ENOMEM;
    }
    *balancer = b;
    return 0;
}

static void round_robin_destroy(void *balancer)
{
    struct round_robin *b = balancer;
    free(b->member);
    free(b);
}

static void round_robin_remove(void *balancer, uint32_t backend, uint64_t now)
{
    struct round_robin *b = balancer;
    (void)now;
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->member[i] != backend)
            continue;
        for (uint32_t k = i; k + 1 < b->count; k++)
            b->member[k] = b->member[k + 1];
        b->count--;
        if (i < b->next)
            b->next--; /* nobody's turn is lost or doubled */
        return;
    }
}

static int round_robin_add(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct round_robin *b = balancer;
    round_robin_remove(b, backend, now);
    if (weight > 0) /* a member of weight 0 gets nothing */
        b->member[b->count++] = backend;
    return 0;
}

static int round_robin_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct round_robin *b = balancer;
    for (uint32_t i = 0; i < b->count; i++)
        if (b->member[i] == backend && weight > 0)
            return 0; /* every member gets the same: that is the trouble with it */
    return round_robin_add(b, backend, weight, now);
}

static uint32_t round_robin_pick(void *balancer, uint64_t now)
{
    struct round_robin *b = balancer;
    (void)now;
    if (b->count == 0)
        return LB_NONE;
    if (b->next >= b->count)
        b->next = 0;
    return b->member[b->next++];
}

static const struct lb_ops round_robin_ops = {
    .create = round_robin_create,
    .destroy = round_robin_destroy,
    .add = round_robin_add,
    .remove = round_robin_remove,
    .set_weight = round_robin_set_weight,
    .pick = round_robin_pick,
};
LB_ENTRY(round_robin, "round-robin", "the members take turns", &round_robin_ops);

/* ---- task 1: smooth weighted round robin ---- */

struct smooth_weighted {
    uint32_t n;    /* backend numbers */
    int64_t total; /* sum of the weights */
    struct {
        int64_t credit; /* picks x weight - times picked x total, since the last change: sums to 0 over all */
        uint32_t weight;
    } backend[]; /* [n] */
};

static int smooth_weighted_create(const struct lb_config *config, void **balancer)
{
    struct smooth_weighted *b = calloc(1, sizeof *b + config->max_backends * sizeof *b->backend);
    if (!b)
        return -ENOMEM;
    b->n = config->max_backends;
    *balancer = b;
    return 0;
}

/* Credits are claims against the old weights, so after a change all begin again. */
static int smooth_weighted_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct smooth_weighted *b = balancer;
    (void)now;
    b->backend[backend].weight = weight;
    b->total = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        b->backend[i].credit = 0;
        b->total += b->backend[i].weight;
    }
    return 0;
}

static void smooth_weighted_remove(void *balancer, uint32_t backend, uint64_t now)
{
    smooth_weighted_set_weight(balancer, backend, 0, now);
}

static uint32_t smooth_weighted_pick(void *balancer, uint64_t now)
{
    struct smooth_weighted *b = balancer;
    uint32_t best = LB_NONE;
    (void)now;
    for (uint32_t i = 0; i < b->n; i++) {
        b->backend[i].credit += b->backend[i].weight;
        if (b->backend[i].weight > 0 && (best == LB_NONE || b->backend[i].credit > b->backend[best].credit))
            best = i;
    }
    if (best != LB_NONE)
        b->backend[best].credit -= b->total;
    return best;
}

static const struct lb_ops smooth_weighted_ops = {
    .create = smooth_weighted_create,
    .destroy = free,
    .add = smooth_weighted_set_weight,
    .remove = smooth_weighted_remove,
    .set_weight = smooth_weighted_set_weight,
    .pick = smooth_weighted_pick,
};
LB_ENTRY(smooth_weighted, "smooth-weighted", "turns by weight, interleaved", &smooth_weighted_ops);

/* ---- task 2: weighted least connections ---- */

struct weighted_least_connections {
    uint32_t n;     /* backend numbers */
    uint32_t start; /* the scan begins here, so that equals take turns */
    struct {
        uint32_t weight, in_flight;
    } backend[]; /* [n] */
};

static int weighted_least_connections_create(const struct lb_config *config, void **balancer)
{
    struct weighted_least_connections *b = calloc(1, sizeof *b + config->max_backends * sizeof *b->backend);
    if (!b)
        return -ENOMEM;
    b->n = config->max_backends;
    *balancer = b;
    return 0;
}

/* The requests in flight stay as they are: they belong to the number, not to the membership. */
static int weighted_least_connections_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct weighted_least_connections *b = balancer;
    (void)now;
    b->backend[backend].weight = weight;
    return 0;
}

static void weighted_least_connections_remove(void *balancer, uint32_t backend, uint64_t now)
{
    weighted_least_connections_set_weight(balancer, backend, 0, now);
}

static uint32_t weighted_least_connections_pick(void *balancer, uint64_t now)
{
    struct weighted_least_connections *b = balancer;
    uint32_t best = LB_NONE;
    uint64_t best_load = 0, best_weight = 1;
    (void)now;
    for (uint32_t k = 0; k < b->n; k++) {
        uint32_t i = (b->start + k) % b->n;
        uint64_t load = b->backend[i].in_flight + 1ull, weight = b->backend[i].weight;
        /* load / weight < best_load / best_weight, without the rounding of a division */
        if (weight > 0 && (best == LB_NONE || load * best_weight < best_load * weight)) {
            best = i;
            best_load = load;
            best_weight = weight;
        }
    }
    if (best == LB_NONE)
        return LB_NONE;
    b->backend[best].in_flight++;
    b->start = best + 1;
    return best;
}

/* However a request ends, it is in flight no more. */
static void weighted_least_connections_done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency,
                                            uint64_t now)
{
    struct weighted_least_connections *b = balancer;
    (void)outcome, (void)latency, (void)now;
    b->backend[backend].in_flight--;
}

static const struct lb_ops weighted_least_connections_ops = {
    .create = weighted_least_connections_create,
    .destroy = free,
    .add = weighted_least_connections_set_weight,
    .remove = weighted_least_connections_remove,
    .set_weight = weighted_least_connections_set_weight,
    .pick = weighted_least_connections_pick,
    .done = weighted_least_connections_done,
};
LB_ENTRY(weighted_least_connections, "weighted-least-connections", "least (in flight + 1) / weight",
         &weighted_least_connections_ops);

/* ---- task 3: two choices with peak EWMA ---- */

struct peak_ewma {
    struct rng random;
    double tau;       /* ns */
    uint32_t count;   /* members with a weight above 0 */
    uint32_t *member; /* [count] their numbers, to draw from */
    struct {
        double average; /* latency in ns at `when`; 0: never measured */
        uint64_t when;  /* of the last answer */
        uint32_t in_flight;
    } backend[]; /* [max_backends] */
};

static void peak_ewma_destroy(void *balancer)
{
    struct peak_ewma *b = balancer;
    free(b->member);
    free(b);
}

static int peak_ewma_create(const struct lb_config *config, void **balancer)
{
    if (config->ewma_decay_ns == 0)
        return -EINVAL;
    struct peak_ewma *b = calloc(1, sizeof *b + config->max_backends * sizeof *b->backend);
    if (!b)
        return -ENOMEM;
    b->random = config->random;
    b->tau = (double)config->ewma_decay_ns;
    b->member = calloc(config->max_backends, sizeof *b->member);
    if (!b->member) {
        free(b);
        return -ENOMEM;
    }
    *balancer = b;
    return 0;
}

/* The backend's place in the list of members, or `count`. */
static uint32_t peak_ewma_place(const struct peak_ewma *b, uint32_t backend)
{
    uint32_t place = 0;
    while (place < b->count && b->member[place] != backend)
        place++;
    return place;
}

static int peak_ewma_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct peak_ewma *b = balancer;
    (void)now;
    uint32_t place = peak_ewma_place(b, backend);
    if (weight > 0 && place == b->count)
        b->member[b->count++] = backend;
    else if (weight == 0 && place < b->count)
        b->member[place] = b->member[--b->count];
    return 0;
}

static void peak_ewma_remove(void *balancer, uint32_t backend, uint64_t now)
{
    struct peak_ewma *b = balancer;
    peak_ewma_set_weight(b, backend, 0, now);
    b->backend[backend].average = 0; /* what comes back may be another machine; what is in flight still is */
}

/* What is left of a memory after the time since the last answer. */
static double peak_ewma_fade(const struct peak_ewma *b, uint32_t backend, uint64_t now)
{
    return real_exp(-(double)(now - b->backend[backend].when) / b->tau);
}

static double peak_ewma_load(const struct peak_ewma *b, uint32_t backend, uint64_t now)
{
    double average = b->backend[backend].average;
    uint32_t in_flight = b->backend[backend].in_flight;
    if (average > 0)
        return average * peak_ewma_fade(b, backend, now) * (in_flight + 1.0);
    return in_flight ? 1e30 : 0; /* never measured: to be tried, but by one request at a time */
}

static uint32_t peak_ewma_pick(void *balancer, uint64_t now)
{
    struct peak_ewma *b = balancer;
    if (b->count == 0)
        return LB_NONE;
    uint32_t i = rng_below(&b->random, b->count), best = b->member[i];
    if (b->count > 1) {
        uint32_t j = rng_below(&b->random, b->count - 1), second = b->member[j + (j >= i)]; /* one of the others */
        if (peak_ewma_load(b, second, now) < peak_ewma_load(b, best, now))
            best = second;
    }
    b->backend[best].in_flight++;
    return best;
}

static void peak_ewma_done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct peak_ewma *b = balancer;
    (void)outcome;
    b->backend[backend].in_flight--;
    if (peak_ewma_place(b, backend) == b->count)
        return; /* it has left: nothing is to be known of it */
    double *average = &b->backend[backend].average, sample = latency ? (double)latency : 1;
    double w = peak_ewma_fade(b, backend, now);
    *average = sample > *average ? sample : *average * w + sample * (1 - w);
    b->backend[backend].when = now;
}

static const struct lb_ops peak_ewma_ops = {
    .create = peak_ewma_create,
    .destroy = peak_ewma_destroy,
    .add = peak_ewma_set_weight,
    .remove = peak_ewma_remove,
    .set_weight = peak_ewma_set_weight,
    .pick = peak_ewma_pick,
    .done = peak_ewma_done,
};
LB_ENTRY(peak_ewma, "peak-ewma", "the one of two with the lower peak EWMA x in flight", &peak_ewma_ops);

/* ---- task 4: outlier ejection, a wrapper ---- */

struct outlier_ejection {
    const struct lb_ops *inner;
    void *inner_balancer; /* its members are ours, less those that are out */
    struct lb_config config;
    uint32_t members, out;
    struct {
        uint32_t weight;
        uint32_t failures, ejections; /* in a row */
        uint64_t back_at;             /* when out */
        bool member, out;
    } backend[]; /* [config.max_backends] */
};

static int outlier_ejection_create(const struct lb_config *config, void **balancer)
{
    if (!config->inner || !config->inner_config || config->eject_after == 0)
        return -EINVAL;
    struct outlier_ejection *b = calloc(1, sizeof *b + config->max_backends * sizeof *b->backend);
    if (!b)
        return -ENOMEM;
    b->inner = config->inner;
    b->config = *config;
    int failed = b->inner->create(config->inner_config, &b->inner_balancer);
    if (failed)
        free(b);
    else
        *balancer = b;
    return failed;
}

static void outlier_ejection_destroy(void *balancer)
{
    struct outlier_ejection *b = balancer;
    b->inner->destroy(b->inner_balancer);
    free(b);
}

static int outlier_ejection_add(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct outlier_ejection *b = balancer;
    b->backend[backend].member = true;
    b->backend[backend].weight = weight;
    b->members++;
    return b->inner->add(b->inner_balancer, backend, weight, now);
}

static void outlier_ejection_remove(void *balancer, uint32_t backend, uint64_t now)
{
    struct outlier_ejection *b = balancer;
    if (b->backend[backend].out)
        b->out--;
    else
        b->inner->remove(b->inner_balancer, backend, now);
    b->backend[backend].member = b->backend[backend].out = false;
    b->backend[backend].failures = b->backend[backend].ejections = 0; /* who comes back begins anew */
    b->members--;
}

static int outlier_ejection_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct outlier_ejection *b = balancer;
    b->backend[backend].weight = weight;
    return b->backend[backend].out ? 0 : b->inner->set_weight(b->inner_balancer, backend, weight, now);
}

/* Fails only for want of memory; then it stays out, and is tried again at the next pick. */
static int outlier_ejection_bring_back(struct outlier_ejection *b, uint32_t backend, uint64_t now)
{
    if (b->inner->add(b->inner_balancer, backend, b->backend[backend].weight, now) != 0)
        return -ENOMEM;
    b->backend[backend].out = false;
    b->out--;
    return 0;
}

static uint32_t outlier_ejection_pick(void *balancer, uint64_t now)
{
    struct outlier_ejection *b = balancer;
    for (uint32_t i = 0; b->out > 0 && i < b->config.max_backends; i++)
        if (b->backend[i].out && b->backend[i].back_at <= now)
            outlier_ejection_bring_back(b, i, now);
    uint32_t picked = b->inner->pick(b->inner_balancer, now);
    while (picked == LB_NONE && b->out > 0) { /* nobody is left in: the one whose time is up first comes back at once */
        uint32_t first = LB_NONE;
        for (uint32_t i = 0; i < b->config.max_backends; i++)
            if (b->backend[i].out && (first == LB_NONE || b->backend[i].back_at < b->backend[first].back_at))
                first = i;
        if (outlier_ejection_bring_back(b, first, now) != 0)
            return LB_NONE;
        picked = b->inner->pick(b->inner_balancer, now);
    }
    return picked;
}

/* Unless too many are out already: then the trouble is not this backend. */
static void outlier_ejection_eject(struct outlier_ejection *b, uint32_t backend, uint64_t now)
{
    uint32_t allowed = (uint32_t)((uint64_t)b->members * b->config.eject_max_percent / 100);
    if (b->out >= (allowed ? allowed : 1) || b->out + 1 >= b->members)
        return;
    b->backend[backend].back_at = now + ++b->backend[backend].ejections * b->config.eject_for_ns;
    b->backend[backend].out = true;
    b->out++;
    b->inner->remove(b->inner_balancer, backend, now);
}

static void outlier_ejection_done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency,
                                  uint64_t now)
{
    struct outlier_ejection *b = balancer;
    if (b->inner->done)
        b->inner->done(b->inner_balancer, backend, outcome, latency, now);
    if (!b->backend[backend].member || b->backend[backend].out)
        return; /* late news of a request from before it went */
    if (outcome == LB_OK) {
        b->backend[backend].failures = b->backend[backend].ejections = 0;
    } else if (++b->backend[backend].failures >= b->config.eject_after) {
        b->backend[backend].failures = 0;
        outlier_ejection_eject(b, backend, now);
    }
}

static void outlier_ejection_report(void *balancer, uint32_t backend, uint32_t load, uint64_t now)
{
    struct outlier_ejection *b = balancer;
    if (b->inner->report)
        b->inner->report(b->inner_balancer, backend, load, now);
}

static void outlier_ejection_idle(void *balancer, uint32_t backend, uint64_t now)
{
    struct outlier_ejection *b = balancer;
    if (b->inner->idle && !b->backend[backend].out)
        b->inner->idle(b->inner_balancer, backend, now);
}

static const struct lb_ops outlier_ejection_ops = {
    .create = outlier_ejection_create,
    .destroy = outlier_ejection_destroy,
    .add = outlier_ejection_add,
    .remove = outlier_ejection_remove,
    .set_weight = outlier_ejection_set_weight,
    .pick = outlier_ejection_pick,
    .done = outlier_ejection_done,
    .report = outlier_ejection_report,
    .idle = outlier_ejection_idle,
    .wraps = true,
};
LB_ENTRY(outlier_ejection, "outlier-ejection", "takes out backends that fail in a row", &outlier_ejection_ops);

/* ---- task 5: weighted least connections by a heap ---- */

struct heap {
    uint32_t count; /* members with a weight above 0 */
    uint32_t *heap; /* [count] their numbers: none is less loaded than the one at (place - 1) / 2 */
    struct {
        uint32_t weight, in_flight;
        uint32_t place; /* in the heap, when weight > 0 */
    } backend[];        /* [max_backends] */
};

static void heap_destroy(void *balancer)
{
    struct heap *b = balancer;
    free(b->heap);
    free(b);
}

static int heap_create(const struct lb_config *config, void **balancer)
{
    struct heap *b = calloc(1, sizeof *b + config->max_backends * sizeof *b->backend);
    if (!b)
        return -ENOMEM;
    b->heap = calloc(config->max_backends, sizeof *b->heap);
    if (!b->heap) {
        free(b);
        return -ENOMEM;
    }
    *balancer = b;
    return 0;
}

/* Is backend x less loaded than y? (in flight + 1) / weight, without the rounding of a division. */
static bool heap_less(const struct heap *b, uint32_t x, uint32_t y)
{
    return (b->backend[x].in_flight + 1ull) * b->backend[y].weight <
           (b->backend[y].in_flight + 1ull) * b->backend[x].weight;
}

static void heap_put(struct heap *b, uint32_t place, uint32_t backend)
{
    b->heap[place] = backend;
    b->backend[backend].place = place;
}

/* The backend's load has changed, or it was put here: up while its parent is more loaded, then down while a child is
 * less. At most one of the two loops does anything. */
static void heap_settle(struct heap *b, uint32_t backend)
{
    uint32_t place = b->backend[backend].place;
    while (place > 0 && heap_less(b, backend, b->heap[(place - 1) / 2])) {
        heap_put(b, place, b->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (uint32_t child; (child = 2 * place + 1) < b->count; place = child) {
        if (child + 1 < b->count && heap_less(b, b->heap[child + 1], b->heap[child]))
            child++;
        if (!heap_less(b, b->heap[child], backend))
            break;
        heap_put(b, place, b->heap[child]);
    }
    heap_put(b, place, backend);
}

static int heap_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct heap *b = balancer;
    (void)now;
    uint32_t before = b->backend[backend].weight;
    b->backend[backend].weight = weight;
    if (weight > 0) {
        if (before == 0)
            heap_put(b, b->count++, backend);
        heap_settle(b, backend);
    } else if (before > 0) {
        uint32_t gap = b->backend[backend].place, last = b->heap[--b->count];
        if (last != backend) {
            heap_put(b, gap, last);
            heap_settle(b, last);
        }
    }
    return 0;
}

static void heap_remove(void *balancer, uint32_t backend, uint64_t now)
{
    heap_set_weight(balancer, backend, 0, now);
}

static uint32_t heap_pick(void *balancer, uint64_t now)
{
    struct heap *b = balancer;
    (void)now;
    if (b->count == 0)
        return LB_NONE;
    uint32_t best = b->heap[0];
    b->backend[best].in_flight++;
    heap_settle(b, best);
    return best;
}

static void heap_done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct heap *b = balancer;
    (void)outcome, (void)latency, (void)now;
    b->backend[backend].in_flight--;
    if (b->backend[backend].weight > 0)
        heap_settle(b, backend);
}

static const struct lb_ops heap_ops = {
    .create = heap_create,
    .destroy = heap_destroy,
    .add = heap_set_weight,
    .remove = heap_remove,
    .set_weight = heap_set_weight,
    .pick = heap_pick,
    .done = heap_done,
};
LB_ENTRY(weighted_least_connections_heap, "weighted-least-connections-heap", "the same without looking at all of them",
         &heap_ops);
