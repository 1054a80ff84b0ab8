/* models_of_lists.c: policies of several lists, as their papers tell them. */
#include "models.h"

/* ---- two queues -------------------------------------------------------------------------------------------------- */

static void remember(struct queue *q, struct item item, uint64_t most)
{
    queue_append(q, item);
    while (q->size > most)
        queue_take(q, 0);
}

static void s3_small(struct model *m)
{
    bool evicted = false;
    while (!evicted && m->a.n) {
        struct item first = queue_take(&m->a, 0);
        evicted = first.uses < 2;
        if (evicted) {
            cm_evict(&m->evicted, first.key);
            remember(&m->ghost_a, first, m->capacity - m->capacity / 10);
        } else {
            first.uses = 0;
            queue_append(&m->b, first);
        }
    }
}

static void s3_main(struct model *m)
{
    while (m->b.item[0].uses) {
        struct item first = queue_take(&m->b, 0);
        first.uses--;
        queue_append(&m->b, first);
    }
    model_evict(m, &m->b, 0);
}

enum cm_answer model_s3_fifo(struct model *m, const struct cm_request *r)
{
    struct item *here = model_kept(m, r);
    if (here) {
        here->uses += here->uses < 3;
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    const bool known = queue_forget(&m->ghost_a, r->key);
    while (model_lacks(m, r))
        if (m->a.n && m->b.size <= m->capacity - m->capacity / 10)
            s3_small(m);
        else
            s3_main(m);
    queue_append(known ? &m->b : &m->a, model_item(m, r));
    return CM_MISS;
}

enum cm_answer model_slru(struct model *m, const struct cm_request *r)
{
    struct item *here = model_kept(m, r);
    if (here) {
        uint32_t i = queue_where(&m->a, r->key);
        queue_append(&m->b, i < m->a.n ? queue_take(&m->a, i) : queue_take(&m->b, queue_where(&m->b, r->key)));
        while (m->b.size > m->capacity * 4 / 5)
            queue_append(&m->a, queue_take(&m->b, 0));
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (model_lacks(m, r))
        model_evict(m, m->a.n ? &m->a : &m->b, 0);
    queue_append(&m->a, model_item(m, r));
    return CM_MISS;
}

enum cm_answer model_two_q(struct model *m, const struct cm_request *r)
{
    if (model_kept(m, r)) {
        uint32_t i = queue_where(&m->b, r->key);
        if (i < m->b.n)
            queue_append(&m->b, queue_take(&m->b, i));
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    const bool known = queue_forget(&m->ghost_a, r->key);
    while (model_lacks(m, r))
        if (m->a.n && (m->a.size > m->capacity / 4 || m->b.n == 0)) {
            cm_evict(&m->evicted, m->a.item[0].key);
            remember(&m->ghost_a, queue_take(&m->a, 0), m->capacity / 2);
        } else {
            model_evict(m, &m->b, 0);
        }
    queue_append(known ? &m->b : &m->a, model_item(m, r));
    return CM_MISS;
}

/* a, b, ghost_a, ghost_b are the paper's T1, T2, B1, B2; p is its p. */
static void arc_replace(struct model *m, bool from_b2)
{
    struct queue *t =
        m->b.n == 0 || (m->a.n && ((double)m->a.size > m->p || (from_b2 && (double)m->a.size == m->p))) ? &m->a : &m->b;
    cm_evict(&m->evicted, t->item[0].key);
    queue_append(t == &m->a ? &m->ghost_a : &m->ghost_b, queue_take(t, 0));
}

static void arc_trim(struct model *m, uint64_t size)
{
    while (m->ghost_a.size + m->ghost_b.size + m->a.size + m->b.size + size > 2 * m->capacity && m->ghost_b.n)
        queue_take(&m->ghost_b, 0);
    while (m->ghost_a.size + m->a.size + m->b.size + size > 2 * m->capacity && m->ghost_a.n)
        queue_take(&m->ghost_a, 0);
}

static void arc_new(struct model *m, const struct cm_request *r)
{
    while (m->ghost_a.n && m->a.size + m->ghost_a.size + r->size > m->capacity)
        queue_take(&m->ghost_a, 0);
    while (m->a.n && m->a.size + r->size > m->capacity)
        model_evict(m, &m->a, 0);
    while (model_lacks(m, r))
        arc_replace(m, false);
    arc_trim(m, r->size);
    queue_append(&m->a, model_item(m, r));
}

enum cm_answer model_arc(struct model *m, const struct cm_request *r)
{
    if (model_kept(m, r)) {
        uint32_t i = queue_where(&m->a, r->key);
        queue_append(&m->b, i < m->a.n ? queue_take(&m->a, i) : queue_take(&m->b, queue_where(&m->b, r->key)));
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    const double b1 = (double)m->ghost_a.size, b2 = (double)m->ghost_b.size, c = (double)m->capacity;
    const bool in_b1 = queue_where(&m->ghost_a, r->key) < m->ghost_a.n,
               in_b2 = queue_where(&m->ghost_b, r->key) < m->ghost_b.n;
    if (in_b1) {
        m->p += (double)r->size * (b2 > b1 ? b2 / b1 : 1);
        m->p = m->p < c ? m->p : c;
        queue_forget(&m->ghost_a, r->key);
    } else if (in_b2) {
        m->p -= (double)r->size * (b1 > b2 ? b1 / b2 : 1);
        m->p = m->p > 0 ? m->p : 0;
        queue_forget(&m->ghost_b, r->key);
    } else {
        arc_new(m, r);
        return CM_MISS;
    }
    while (model_lacks(m, r))
        arc_replace(m, in_b2);
    arc_trim(m, r->size);
    queue_append(&m->b, model_item(m, r));
    return CM_MISS;
}

/* a, b, c are the window, probation and what is protected. The sketch is the cache's own, and as large as there. */
static bool tiny_contest(struct model *m, const struct item *candidate, uint64_t asked)
{
    while (m->a.size + m->b.size + m->c.size > m->capacity) {
        struct queue *q = m->b.item[0].key != candidate->key ? &m->b : &m->c;
        if (q->n == 0 || sketch_estimate(&m->sketch, candidate->key) <= sketch_estimate(&m->sketch, q->item[0].key)) {
            queue_take(&m->b, m->b.n - 1);
            if (candidate->key != asked)
                cm_evict(&m->evicted, candidate->key);
            return false;
        }
        model_evict(m, q, 0);
    }
    return true;
}

static bool tiny_settle(struct model *m, uint64_t asked)
{
    const uint64_t window = m->capacity < 100 ? 1 : m->capacity / 100;
    bool here = true;
    while (m->a.size > window) {
        const struct item candidate = queue_take(&m->a, 0);
        queue_append(&m->b, candidate);
        if (!tiny_contest(m, &candidate, asked) && candidate.key == asked)
            here = false;
    }
    while (m->a.size + m->b.size + m->c.size > m->capacity)
        model_evict(m, m->b.n ? &m->b : &m->c, 0);
    return here;
}

enum cm_answer model_w_tinylfu(struct model *m, const struct cm_request *r)
{
    const uint64_t window = m->capacity < 100 ? 1 : m->capacity / 100;
    sketch_fit(&m->sketch, 1);
    sketch_add(&m->sketch, r->key);
    if (model_kept(m, r)) {
        const uint32_t i = queue_where(&m->a, r->key), j = queue_where(&m->b, r->key);
        if (i < m->a.n) {
            queue_append(&m->a, queue_take(&m->a, i));
            return CM_HIT;
        }
        queue_append(&m->c, j < m->b.n ? queue_take(&m->b, j) : queue_take(&m->c, queue_where(&m->c, r->key)));
        while (m->c.size > (m->capacity - window) * 4 / 5)
            queue_append(&m->b, queue_take(&m->c, 0));
        return CM_HIT;
    }
    if (r->size > m->capacity)
        return CM_BYPASS;
    queue_append(&m->a, model_item(m, r));
    const uint32_t objects = m->a.n + m->b.n + m->c.n + 3; /* and three ends of lists */
    m->peak = objects > m->peak ? objects : m->peak;
    sketch_fit(&m->sketch, m->peak);
    return tiny_settle(m, r->key) ? CM_MISS : CM_BYPASS;
}

/* ---- LIRS -------------------------------------------------------------------------------------------------------- */

enum { LIR, HIR, GONE }; /* an item's uses, in the stack */

/* a is the stack S, from its bottom; b the queue Q of HIR objects that are kept; ghost_a keys in the order of eviction.
 */
static uint64_t lirs_size(const struct model *m)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < m->a.n; i++)
        sum += m->a.item[i].uses == LIR ? m->a.item[i].size : 0;
    return sum;
}

static void lirs_prune(struct model *m)
{
    while (m->a.n && m->a.item[0].uses != LIR) {
        const struct item bottom = queue_take(&m->a, 0);
        if (bottom.uses == GONE)
            queue_forget(&m->ghost_a, bottom.key);
    }
}

static void lirs_demote(struct model *m)
{
    queue_append(&m->b, queue_take(&m->a, 0));
    lirs_prune(m);
}

static uint64_t lirs_most(const struct model *m)
{
    return m->capacity - (m->capacity < 100 ? 1 : m->capacity / 100);
}

static void lirs_enter(struct model *m, struct item item, bool lir)
{
    item.uses = lir ? LIR : HIR;
    queue_append(&m->a, item);
    if (!lir)
        queue_append(&m->b, item);
    else
        lirs_prune(m);
    while (lirs_size(m) > lirs_most(m))
        lirs_demote(m);
}

static void lirs_evict(struct model *m)
{
    if (m->b.n == 0)
        lirs_demote(m);
    const struct item front = queue_take(&m->b, 0);
    const uint32_t i = queue_where(&m->a, front.key);
    cm_evict(&m->evicted, front.key);
    if (i == m->a.n)
        return;
    m->a.item[i].uses = GONE;
    queue_append(&m->ghost_a, front);
    while (m->ghost_a.size > m->capacity)
        queue_take(&m->a, queue_where(&m->a, queue_take(&m->ghost_a, 0).key));
}

enum cm_answer model_lirs(struct model *m, const struct cm_request *r)
{
    const uint32_t s = queue_where(&m->a, r->key), q = queue_where(&m->b, r->key);
    const bool in_s = s < m->a.n, lir = in_s && m->a.item[s].uses == LIR, in_q = q < m->b.n;
    const struct item item = in_q ? m->b.item[q] : m->a.item[in_s ? s : 0];
    if (!lir && !in_q && r->size > m->capacity)
        return CM_BYPASS;
    if (in_s)
        queue_take(&m->a, s);
    if (in_q)
        queue_take(&m->b, q);
    if ((lir || in_q) && r->time <= item.last) {
        lirs_enter(m, item, in_s);
        return CM_HIT;
    }
    const bool again = in_s && !lir && !in_q && queue_forget(&m->ghost_a, r->key);
    if (lir || in_q)
        lirs_prune(m);
    if (r->size > m->capacity)
        return CM_BYPASS;
    while (lirs_size(m) + m->b.size + r->size > m->capacity)
        lirs_evict(m);
    lirs_enter(m, model_item(m, r), again || lirs_size(m) + r->size <= lirs_most(m));
    return CM_MISS;
}
