/* models.c: policies as their papers tell them. */
#include "models.h"

#include <string.h>

/* ---- queues ------------------------------------------------------------------------------------------------------ */

uint32_t queue_where(const struct queue *q, uint64_t key)
{
    uint32_t i = 0;
    while (i < q->n && q->item[i].key != key)
        i++;
    return i;
}

struct item queue_take(struct queue *q, uint32_t i)
{
    struct item taken = q->item[i];
    q->n--;
    memmove(&q->item[i], &q->item[i + 1], (q->n - i) * sizeof taken);
    q->size -= taken.size;
    return taken;
}

void queue_append(struct queue *q, struct item item)
{
    q->item[q->n++] = item;
    q->size += item.size;
}

void model_evict(struct model *m, struct queue *q, uint32_t i)
{
    cm_evict(&m->evicted, queue_take(q, i).key);
}

struct item model_item(const struct model *m, const struct cm_request *r)
{
    const uint64_t ttl = r->ttl_ms * UINT64_C(1000000);
    return (struct item){.key = r->key,
                         .last = ttl ? r->time + ttl - 1 : UINT64_MAX,
                         .size = r->size,
                         .cost = r->cost_us,
                         .touched = m->now};
}

uint64_t model_lacks(const struct model *m, const struct cm_request *r)
{
    const uint64_t with = m->a.size + m->b.size + m->c.size + r->size;
    return with > m->capacity ? with - m->capacity : 0;
}

/* The object that is asked for, or NULL; out it goes when its time is over. */
struct item *model_kept(struct model *m, const struct cm_request *r)
{
    struct queue *queue[] = {&m->a, &m->b, &m->c};
    m->now++;
    for (uint32_t k = 0; k < 3; k++) {
        uint32_t i = queue_where(queue[k], r->key);
        if (i < queue[k]->n && r->time <= queue[k]->item[i].last)
            return &queue[k]->item[i];
        if (i < queue[k]->n) {
            queue_take(queue[k], i);
            if (k == 0 && m->hand > i)
                m->hand--;
        }
    }
    return NULL;
}

bool queue_forget(struct queue *q, uint64_t key)
{
    uint32_t i = queue_where(q, key);
    if (i == q->n)
        return false;
    queue_take(q, i);
    return true;
}

/* ---- one queue --------------------------------------------------------------------------------------------------- */

static enum cm_answer fifo(struct model *m, const struct cm_request *r)
{
    if (model_kept(m, r))
        return CM_HIT;
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (model_lacks(m, r))
        model_evict(m, &m->a, 0);
    queue_append(&m->a, model_item(m, r));
    return CM_MISS;
}

static enum cm_answer lru(struct model *m, const struct cm_request *r)
{
    if (!model_kept(m, r))
        return fifo(m, r);
    queue_append(&m->a, queue_take(&m->a, queue_where(&m->a, r->key)));
    return CM_HIT;
}

static enum cm_answer clock_(struct model *m, const struct cm_request *r)
{
    struct item *here = model_kept(m, r);
    if (here) {
        here->uses = 1;
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (model_lacks(m, r))
        if (m->a.item[0].uses) {
            m->a.item[0].uses = 0;
            queue_append(&m->a, queue_take(&m->a, 0));
        } else {
            model_evict(m, &m->a, 0);
        }
    queue_append(&m->a, model_item(m, r));
    return CM_MISS;
}

static enum cm_answer sieve(struct model *m, const struct cm_request *r)
{
    struct item *here = model_kept(m, r);
    if (here) {
        here->uses = 1;
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (model_lacks(m, r)) {
        if (m->hand >= m->a.n)
            m->hand = 0;
        if (m->a.item[m->hand].uses)
            m->a.item[m->hand++].uses = 0;
        else
            model_evict(m, &m->a, m->hand);
        if (m->hand >= m->a.n)
            m->hand = 0; /* before the new one comes: the hand has been at the front */
    }
    queue_append(&m->a, model_item(m, r));
    return CM_MISS;
}

/* Of the least used the one that was touched first. */
static uint32_t by_uses(const struct queue *q)
{
    uint32_t min = 0;
    for (uint32_t i = 1; i < q->n; i++) {
        const struct item *x = &q->item[i], *y = &q->item[min];
        if (x->uses != y->uses ? x->uses < y->uses : x->touched < y->touched)
            min = i;
    }
    return min;
}

/* Of the least valuable the one that was touched first. */
static uint32_t by_value(const struct queue *q)
{
    uint32_t min = 0;
    for (uint32_t i = 1; i < q->n; i++) {
        const struct item *x = &q->item[i], *y = &q->item[min];
        if (x->h < y->h || (x->h == y->h && x->touched < y->touched))
            min = i;
    }
    return min;
}

static enum cm_answer lfu(struct model *m, const struct cm_request *r)
{
    struct item *here = model_kept(m, r);
    if (here) {
        here->uses++;
        here->touched = m->now;
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (model_lacks(m, r))
        model_evict(m, &m->a, by_uses(&m->a));
    queue_append(&m->a, model_item(m, r));
    return CM_MISS;
}

static enum cm_answer gdsf(struct model *m, const struct cm_request *r)
{
    struct item *here = model_kept(m, r);
    if (here) {
        here->uses++;
        here->touched = m->now;
        here->h = m->h + (double)here->uses * (double)here->cost / (double)here->size;
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (model_lacks(m, r)) {
        uint32_t i = by_value(&m->a);
        m->h = m->a.item[i].h;
        model_evict(m, &m->a, i);
    }
    queue_append(&m->a, model_item(m, r));
    here = &m->a.item[m->a.n - 1];
    here->uses = 1;
    here->h = m->h + (double)here->cost / (double)here->size;
    return CM_MISS;
}

const struct model_policy model_policies[] = {{"fifo", fifo},
                                              {"lru", lru},
                                              {"clock", clock_},
                                              {"sieve", sieve},
                                              {"lfu", lfu},
                                              {"gdsf", gdsf},
                                              {"slru", model_slru},
                                              {"2q", model_two_q},
                                              {"arc", model_arc},
                                              {"lirs", model_lirs},
                                              {"w-tinylfu", model_w_tinylfu},
                                              {"s3-fifo", model_s3_fifo},
                                              {"lru-locked", lru},
                                              {"concurrent-sieve", sieve},
                                              {NULL, NULL}};
