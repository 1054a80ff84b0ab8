/* check_model.c: what the judge of lab 04 holds a cache's answers against. */
#include "check_model.h"

#include "ledger.h"

#include <stdlib.h>
#include <string.h>

struct object {
    uint64_t key;
    uint64_t asked; /* number of the request that asked for it last */
    bool visited;   /* SIEVE */
    uint32_t visits;
    double value; /* GDSF */
    double rate;  /* ... cost / size */
    uint32_t size;
};

struct model {
    enum rule rule;
    uint64_t capacity, used, requests;
    struct ledger *ledger;
    struct object *object; /* in the order in which they were fetched */
    uint32_t n, room;
    uint32_t hand;    /* SIEVE: index; 0: the oldest */
    double inflation; /* GDSF: L */
    char wrong[400];
};

typedef unsigned long long ull;

struct model *model_create(enum rule rule, uint64_t capacity)
{
    struct model *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    *m = (struct model){.rule = rule, .capacity = capacity, .ledger = ledger_create(capacity)};
    if (m->ledger)
        return m;
    free(m);
    return NULL;
}

void model_destroy(struct model *m)
{
    if (!m)
        return;
    ledger_destroy(m->ledger);
    free(m->object);
    free(m);
}

uint32_t model_objects(const struct model *m)
{
    return m->n;
}

uint64_t model_key(const struct model *m, uint32_t i)
{
    return m->object[i].key;
}

uint64_t model_expires(const struct model *m, uint64_t key)
{
    const struct ledger_object *o = ledger_find(m->ledger, key);
    return o && o->ttl_ms > 0 ? o->fetched + o->ttl_ms * UINT64_C(1000000) : CM_NEVER;
}

static uint32_t find(const struct model *m, uint64_t key)
{
    uint32_t i = 0;
    while (i < m->n && m->object[i].key != key)
        i++;
    return i;
}

/* The hand stays where it is, on the next newer one; behind the newest it begins anew. */
static void take_out(struct model *m, uint32_t i)
{
    m->used -= m->object[i].size;
    memmove(&m->object[i], &m->object[i + 1], (m->n - i - 1) * sizeof *m->object);
    m->n--;
    m->hand -= m->hand > i;
    if (m->hand >= m->n)
        m->hand = 0;
}

static bool put_in(struct model *m, const struct cm_request *r)
{
    if (m->n == m->room) {
        const uint32_t room = m->room ? 2 * m->room : 64;
        struct object *more = realloc(m->object, room * sizeof *more);
        if (!more)
            return false;
        m->object = more;
        m->room = room;
    }
    const double rate = (double)r->cost_us / r->size;
    m->object[m->n++] = (struct object){
        .key = r->key, .asked = m->requests, .visits = 1, .rate = rate, .value = m->inflation + rate, .size = r->size};
    m->used += r->size;
    return true;
}

static void visit(struct model *m, struct object *o)
{
    o->asked = m->requests;
    o->visited = true;
    o->visits++;
    o->value = m->inflation + o->visits * o->rate;
}

/* ---- who is to go ---- */

static uint32_t least_recent(const struct model *m)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < m->n; i++)
        best = m->object[i].asked < m->object[best].asked ? i : best;
    return best;
}

static uint32_t least_value(const struct model *m)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < m->n; i++)
        best = m->object[i].value < m->object[best].value ? i : best;
    return best;
}

static uint32_t at_the_hand(struct model *m)
{
    while (m->object[m->hand].visited) {
        m->object[m->hand].visited = false;
        m->hand = (m->hand + 1) % m->n;
    }
    return m->hand;
}

static uint32_t victim(struct model *m)
{
    return m->rule == RULE_LRU ? least_recent(m) : m->rule == RULE_SIEVE ? at_the_hand(m) : least_value(m);
}

/* Two ways to round must not count as two policies. */
#define NEARLY (1 + 1e-9)

#define WRONG(...) (snprintf(m->wrong, sizeof m->wrong, __VA_ARGS__), m->wrong)

static const char *evict(struct model *m, uint64_t key)
{
    const uint32_t actual = find(m, key), expected = victim(m);
    const struct object *a = &m->object[actual], *e = &m->object[expected];
    const ull named = e->key;
    if (m->rule == RULE_GDSF && a->value > e->value * NEARLY)
        return WRONG(
            "expected: key %llu is evicted, with the least value, L + visits x cost / size = %.9g; actual: key "
            "%llu, with %.9g (L is %.9g)",
            named, e->value, (ull)key, a->value, m->inflation);
    if (m->rule == RULE_LRU && actual != expected)
        return WRONG("expected: key %llu is evicted, which nobody has asked for for the longest time; actual: key %llu",
                     named, (ull)key);
    if (m->rule == RULE_SIEVE && actual != expected)
        return WRONG("expected: key %llu is evicted, the first that the hand finds unvisited; actual: key %llu%s",
                     named, (ull)key, a->visited ? ", which was visited" : "");
    if (m->rule == RULE_GDSF && a->value > m->inflation)
        m->inflation = a->value;
    take_out(m, actual);
    return NULL;
}

/* ---- answers ---- */

static const char *enter_miss(struct model *m, const struct cm_request *r, const struct answer *a)
{
    const uint32_t old = find(m, r->key);
    uint32_t k = 0;
    if (old < m->n) /* its time was over */
        take_out(m, old);
    if (r->size > m->capacity)
        return NULL;
    while (m->used + r->size > m->capacity) { /* the ledger saw to it that there are as many as it takes */
        const char *wrong = evict(m, a->evicted[k++]);
        if (wrong)
            return wrong;
    }
    if (k < a->evictions)
        return WRONG("key %llu has room without evicting key %llu", (ull)r->key, (ull)a->evicted[k]);
    return put_in(m, r) ? NULL : WRONG("the judge has no memory");
}

const char *model_enter(struct model *m, const struct cm_request *r, const struct answer *a)
{
    const char *wrong = ledger_enter(m->ledger, r, a);
    m->requests++;
    if (wrong || m->rule == RULE_CONTRACT)
        return wrong;
    if (a->answer == CM_BYPASS && r->size <= m->capacity)
        return WRONG("expected: key %llu is kept, with its size of %u it fits; actual: it is passed on", (ull)r->key,
                     r->size);
    if (a->answer == CM_HIT && a->evictions > 0)
        return WRONG("a hit needs no room, and yet key %llu is evicted", (ull)a->evicted[0]);
    if (a->answer != CM_HIT)
        return enter_miss(m, r, a);
    visit(m, &m->object[find(m, r->key)]);
    return NULL;
}

void model_answer(struct model *m, const struct cm_request *r)
{
    const struct ledger_object *there = ledger_find(m->ledger, r->key);
    struct answer a = {CM_HIT, 0, NULL};
    uint64_t *evicted = malloc((m->n + 1) * sizeof *evicted);
    if (!there || !ledger_is_fresh(there, r->time)) {
        /* what would go, of a copy without the old one of this key */
        struct model copy = *m;
        copy.object = malloc((m->n + 1) * sizeof *copy.object);
        if (!evicted || !copy.object)
            abort();
        memcpy(copy.object, m->object, m->n * sizeof *copy.object);
        if (there)
            take_out(&copy, find(&copy, r->key));
        a = (struct answer){r->size > m->capacity ? CM_BYPASS : CM_MISS, 0, evicted};
        while (a.answer == CM_MISS && copy.used + r->size > copy.capacity) {
            const uint32_t i = victim(&copy);
            evicted[a.evictions++] = copy.object[i].key;
            take_out(&copy, i);
        }
        free(copy.object);
    }
    model_enter(m, r, &a);
    free(evicted);
}
