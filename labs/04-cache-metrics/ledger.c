/* ledger.c: what a cache holds, by the answers that it gave. A table by key with open addressing. */
#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>

struct slot {
    struct ledger_object object;
    bool taken;
};

struct ledger {
    uint64_t capacity, used;
    struct slot *slot;
    uint32_t room, objects; /* room: a power of two */
    uint32_t kept;          /* ever */
    char wrong[400];
};

typedef unsigned long long ull;

struct ledger *ledger_create(uint64_t capacity)
{
    struct ledger *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct ledger){.capacity = capacity, .room = 64};
    l->slot = calloc(l->room, sizeof *l->slot);
    if (l->slot)
        return l;
    free(l);
    return NULL;
}

void ledger_destroy(struct ledger *l)
{
    if (!l)
        return;
    free(l->slot);
    free(l);
}

static uint32_t home(uint32_t room, uint64_t key)
{
    return (uint32_t)(rng_splitmix64(&key) & (room - 1));
}

/* The key's place, or the free one where it would stand. */
static uint32_t place(const struct ledger *l, uint64_t key)
{
    uint32_t i = home(l->room, key);
    while (l->slot[i].taken && l->slot[i].object.key != key)
        i = (i + 1) & (l->room - 1);
    return i;
}

static bool grow(struct ledger *l)
{
    struct slot *old = l->slot;
    const uint32_t room = l->room;
    struct slot *slot = calloc(2 * (size_t)room, sizeof *slot);
    if (!slot)
        return false;
    l->slot = slot;
    l->room = 2 * room;
    for (uint32_t i = 0; i < room; i++) {
        if (old[i].taken)
            l->slot[place(l, old[i].object.key)] = old[i];
    }
    free(old);
    return true;
}

/* Takes the object at i out, and moves up what stands behind it and belongs before it. */
static void take_out(struct ledger *l, uint32_t i)
{
    const uint32_t mask = l->room - 1;
    l->used -= l->slot[i].object.size;
    l->objects--;
    for (uint32_t k = (i + 1) & mask; l->slot[k].taken; k = (k + 1) & mask) {
        if (((k - home(l->room, l->slot[k].object.key)) & mask) >= ((k - i) & mask)) {
            l->slot[i] = l->slot[k];
            i = k;
        }
    }
    l->slot[i].taken = false;
}

const struct ledger_object *ledger_find(const struct ledger *l, uint64_t key)
{
    const struct slot *s = &l->slot[place(l, key)];
    return s->taken ? &s->object : NULL;
}

bool ledger_is_fresh(const struct ledger_object *o, uint64_t time)
{
    return o->ttl_ms == 0 || time - o->fetched < o->ttl_ms * UINT64_C(1000000);
}

uint64_t ledger_used(const struct ledger *l)
{
    return l->used;
}

uint32_t ledger_objects(const struct ledger *l)
{
    return l->objects;
}

#define WRONG(...) (snprintf(l->wrong, sizeof l->wrong, __VA_ARGS__), l->wrong)

static const char *enter_evictions(struct ledger *l, const struct cm_request *r, const struct answer *a)
{
    for (uint32_t i = 0; i < a->evictions; i++) {
        const uint64_t key = a->evicted[i];
        if (key == r->key)
            return WRONG("it says that key %llu is evicted, which is what was asked for", (ull)key);
        const uint32_t at = place(l, key);
        if (!l->slot[at].taken)
            return WRONG("it says that key %llu is evicted, which is not there", (ull)key);
        take_out(l, at);
    }
    return NULL;
}

const char *ledger_enter(struct ledger *l, const struct cm_request *r, const struct answer *a)
{
    const struct ledger_object *o = ledger_find(l, r->key);
    const bool fresh = o && ledger_is_fresh(o, r->time);
    if (a->answer > CM_BYPASS)
        return WRONG("the answer is %u, which is neither hit nor miss", a->answer);
    if (a->answer == CM_HIT && !o)
        return WRONG("expected: a miss, since key %llu is not there; actual: a hit", (ull)r->key);
    if (a->answer == CM_HIT && !fresh)
        return WRONG("expected: a miss, since key %llu was fetched %llu ns ago and has a ttl of %u ms; actual: a hit",
                     (ull)r->key, (ull)(r->time - o->fetched), o->ttl_ms);
    if (a->answer != CM_HIT && fresh)
        return WRONG("expected: a hit, since key %llu is there%s; actual: a miss", (ull)r->key,
                     o->ttl_ms > 0 ? " and fresh" : "");
    if (a->answer == CM_BYPASS && r->size > l->capacity && a->evictions > 0)
        return WRONG("key %llu with its size of %u fits in no way, and yet something was evicted", (ull)r->key,
                     r->size);
    const char *wrong = enter_evictions(l, r, a);
    if (wrong || a->answer == CM_HIT)
        return wrong;
    const uint32_t old = place(l, r->key);
    if (l->slot[old].taken) /* its time was over */
        take_out(l, old);
    if (a->answer == CM_BYPASS)
        return NULL;
    if (l->used + r->size > l->capacity)
        return WRONG("%llu of %llu are in use, so key %llu with its size of %u does not fit", (ull)l->used,
                     (ull)l->capacity, (ull)r->key, r->size);
    if (2 * l->objects >= l->room && !grow(l))
        return WRONG("the judge has no memory");
    struct slot *s = &l->slot[place(l, r->key)];
    *s = (struct slot){{r->key, r->time, r->size, r->cost_us, r->ttl_ms, l->kept++}, true};
    l->used += r->size;
    l->objects++;
    return NULL;
}
