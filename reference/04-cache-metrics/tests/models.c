/* models.c: policies as their papers tell them. */
#include "models.h"

#include <string.h>

/* ---- queues ------------------------------------------------------------------------------------------------------ */

static uint32_t where(const struct queue *q, uint64_t key)
{
    uint32_t i = 0;
    while (i < q->n && q->item[i].key != key)
        i++;
    return i;
}

static struct item take(struct queue *q, uint32_t i)
{
    struct item taken = q->item[i];
    q->n--;
    memmove(&q->item[i], &q->item[i + 1], (q->n - i) * sizeof taken);
    q->size -= taken.size;
    return taken;
}

static void append(struct queue *q, struct item item)
{
    q->item[q->n++] = item;
    q->size += item.size;
}

static void out(struct model *m, struct queue *q, uint32_t i)
{
    cm_evict(&m->evicted, take(q, i).key);
}

static struct item new_item(const struct model *m, const struct cm_request *r)
{
    const uint64_t ttl = r->ttl_ms * UINT64_C(1000000);
    return (struct item){.key = r->key,
                         .last = ttl ? r->time + ttl - 1 : UINT64_MAX,
                         .size = r->size,
                         .cost = r->cost_us,
                         .touched = m->now};
}

static uint64_t lacking(const struct model *m, const struct cm_request *r)
{
    const uint64_t with = m->a.size + m->b.size + r->size;
    return with > m->capacity ? with - m->capacity : 0;
}

/* The object that is asked for, or NULL; out it goes when its time is over. */
static struct item *kept(struct model *m, const struct cm_request *r)
{
    struct queue *queue[] = {&m->a, &m->b};
    m->now++;
    for (uint32_t k = 0; k < 2; k++) {
        uint32_t i = where(queue[k], r->key);
        if (i < queue[k]->n && r->time <= queue[k]->item[i].last)
            return &queue[k]->item[i];
        if (i < queue[k]->n) {
            take(queue[k], i);
            if (k == 0 && m->hand > i)
                m->hand--;
        }
    }
    return NULL;
}

/* ---- one queue --------------------------------------------------------------------------------------------------- */

static enum cm_answer fifo(struct model *m, const struct cm_request *r)
{
    if (kept(m, r))
        return CM_HIT;
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (lacking(m, r))
        out(m, &m->a, 0);
    append(&m->a, new_item(m, r));
    return CM_MISS;
}

static enum cm_answer lru(struct model *m, const struct cm_request *r)
{
    if (!kept(m, r))
        return fifo(m, r);
    append(&m->a, take(&m->a, where(&m->a, r->key)));
    return CM_HIT;
}

static enum cm_answer clock_(struct model *m, const struct cm_request *r)
{
    struct item *here = kept(m, r);
    if (here) {
        here->uses = 1;
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (lacking(m, r))
        if (m->a.item[0].uses) {
            m->a.item[0].uses = 0;
            append(&m->a, take(&m->a, 0));
        } else {
            out(m, &m->a, 0);
        }
    append(&m->a, new_item(m, r));
    return CM_MISS;
}

static enum cm_answer sieve(struct model *m, const struct cm_request *r)
{
    struct item *here = kept(m, r);
    if (here) {
        here->uses = 1;
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (lacking(m, r)) {
        if (m->hand >= m->a.n)
            m->hand = 0;
        if (m->a.item[m->hand].uses)
            m->a.item[m->hand++].uses = 0;
        else
            out(m, &m->a, m->hand);
        if (m->hand >= m->a.n)
            m->hand = 0; /* before the new one comes: the hand has been at the front */
    }
    append(&m->a, new_item(m, r));
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
    struct item *here = kept(m, r);
    if (here) {
        here->uses++;
        here->touched = m->now;
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (lacking(m, r))
        out(m, &m->a, by_uses(&m->a));
    append(&m->a, new_item(m, r));
    return CM_MISS;
}

static enum cm_answer gdsf(struct model *m, const struct cm_request *r)
{
    struct item *here = kept(m, r);
    if (here) {
        here->uses++;
        here->touched = m->now;
        here->h = m->h + (double)here->uses * (double)here->cost / (double)here->size;
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (lacking(m, r)) {
        uint32_t i = by_value(&m->a);
        m->h = m->a.item[i].h;
        out(m, &m->a, i);
    }
    append(&m->a, new_item(m, r));
    here = &m->a.item[m->a.n - 1];
    here->uses = 1;
    here->h = m->h + (double)here->cost / (double)here->size;
    return CM_MISS;
}

/* ---- two queues -------------------------------------------------------------------------------------------------- */

static bool ghost(struct queue *q, uint64_t key)
{
    uint32_t i = where(q, key);
    if (i == q->n)
        return false;
    take(q, i);
    return true;
}

static void remember(struct queue *q, struct item item, uint64_t most)
{
    append(q, item);
    while (q->size > most)
        take(q, 0);
}

static void s3_small(struct model *m)
{
    bool evicted = false;
    while (!evicted && m->a.n) {
        struct item first = take(&m->a, 0);
        evicted = first.uses < 2;
        if (evicted) {
            cm_evict(&m->evicted, first.key);
            remember(&m->ghost_a, first, m->capacity - m->capacity / 10);
        } else {
            first.uses = 0;
            append(&m->b, first);
        }
    }
}

static void s3_main(struct model *m)
{
    while (m->b.item[0].uses) {
        struct item first = take(&m->b, 0);
        first.uses--;
        append(&m->b, first);
    }
    out(m, &m->b, 0);
}

static enum cm_answer s3_fifo(struct model *m, const struct cm_request *r)
{
    struct item *here = kept(m, r);
    if (here) {
        here->uses += here->uses < 3;
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    const bool known = ghost(&m->ghost_a, r->key);
    while (lacking(m, r))
        if (m->a.n && m->b.size <= m->capacity - m->capacity / 10)
            s3_small(m);
        else
            s3_main(m);
    append(known ? &m->b : &m->a, new_item(m, r));
    return CM_MISS;
}

static enum cm_answer slru(struct model *m, const struct cm_request *r)
{
    struct item *here = kept(m, r);
    if (here) {
        uint32_t i = where(&m->a, r->key);
        append(&m->b, i < m->a.n ? take(&m->a, i) : take(&m->b, where(&m->b, r->key)));
        while (m->b.size > m->capacity * 4 / 5)
            append(&m->a, take(&m->b, 0));
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (lacking(m, r))
        out(m, m->a.n ? &m->a : &m->b, 0);
    append(&m->a, new_item(m, r));
    return CM_MISS;
}

static enum cm_answer two_q(struct model *m, const struct cm_request *r)
{
    if (kept(m, r)) {
        uint32_t i = where(&m->b, r->key);
        if (i < m->b.n)
            append(&m->b, take(&m->b, i));
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    const bool known = ghost(&m->ghost_a, r->key);
    while (lacking(m, r))
        if (m->a.n && (m->a.size > m->capacity / 4 || m->b.n == 0)) {
            cm_evict(&m->evicted, m->a.item[0].key);
            remember(&m->ghost_a, take(&m->a, 0), m->capacity / 2);
        } else {
            out(m, &m->b, 0);
        }
    append(known ? &m->b : &m->a, new_item(m, r));
    return CM_MISS;
}

/* a, b, ghost_a, ghost_b are the paper's T1, T2, B1, B2; p is its p. */
static void arc_replace(struct model *m, bool from_b2)
{
    struct queue *t =
        m->b.n == 0 || (m->a.n && ((double)m->a.size > m->p || (from_b2 && (double)m->a.size == m->p))) ? &m->a : &m->b;
    cm_evict(&m->evicted, t->item[0].key);
    append(t == &m->a ? &m->ghost_a : &m->ghost_b, take(t, 0));
}

static void arc_trim(struct model *m, uint64_t size)
{
    while (m->ghost_a.size + m->ghost_b.size + m->a.size + m->b.size + size > 2 * m->capacity && m->ghost_b.n)
        take(&m->ghost_b, 0);
    while (m->ghost_a.size + m->a.size + m->b.size + size > 2 * m->capacity && m->ghost_a.n)
        take(&m->ghost_a, 0);
}

static void arc_new(struct model *m, const struct cm_request *r)
{
    while (m->ghost_a.n && m->a.size + m->ghost_a.size + r->size > m->capacity)
        take(&m->ghost_a, 0);
    while (m->a.n && m->a.size + r->size > m->capacity)
        out(m, &m->a, 0);
    while (lacking(m, r))
        arc_replace(m, false);
    arc_trim(m, r->size);
    append(&m->a, new_item(m, r));
}

static enum cm_answer arc(struct model *m, const struct cm_request *r)
{
    if (kept(m, r)) {
        uint32_t i = where(&m->a, r->key);
        append(&m->b, i < m->a.n ? take(&m->a, i) : take(&m->b, where(&m->b, r->key)));
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    const double b1 = (double)m->ghost_a.size, b2 = (double)m->ghost_b.size, c = (double)m->capacity;
    const bool in_b1 = where(&m->ghost_a, r->key) < m->ghost_a.n, in_b2 = where(&m->ghost_b, r->key) < m->ghost_b.n;
    if (in_b1) {
        m->p += (double)r->size * (b2 > b1 ? b2 / b1 : 1);
        m->p = m->p < c ? m->p : c;
        ghost(&m->ghost_a, r->key);
    } else if (in_b2) {
        m->p -= (double)r->size * (b1 > b2 ? b1 / b2 : 1);
        m->p = m->p > 0 ? m->p : 0;
        ghost(&m->ghost_b, r->key);
    } else {
        arc_new(m, r);
        return CM_MISS;
    }
    while (lacking(m, r))
        arc_replace(m, in_b2);
    arc_trim(m, r->size);
    append(&m->b, new_item(m, r));
    return CM_MISS;
}

const struct model_policy model_policies[] = {{"fifo", fifo},   {"lru", lru},         {"clock", clock_},
                                              {"sieve", sieve}, {"lru-locked", lru},  {"lfu", lfu},
                                              {"gdsf", gdsf},   {"slru", slru},       {"2q", two_q},
                                              {"arc", arc},     {"s3-fifo", s3_fifo}, {"concurrent-sieve", sieve},
                                              {NULL, NULL}};
