/* LFU in the cache: out goes what was asked for least often since it came.
 *
 * Idea       All objects in one list, by how often they were asked for; among equals in the order in which they got
 *            there. The back of a group of equals is noted. A hit moves its object behind the next group, or makes a
 *            new one, or just counts where it is alone in its own. Out goes the front of the list.
 * Law        Independent requests with known rates: keeping the most popular is the best that can be done without
 *            knowing the future (A0). Counts only approach that, and those who were evicted have lost theirs.
 * Cost       O(1): a hit reads its group, the next one, and writes at most five objects. 16 bytes a group; with counts
 *            up to f there are f groups at most.
 * Gets wrong What was popular once is never evicted again. Above the least counted everybody who is new has one use
 *            and is evicted for the next: a new favourite has to be lucky twice. So nobody runs it without aging.
 * Source     Shah, Mitra & Matani 2010 (the lists); Aho, Denning & Ullman 1971 (A0).
 */
#include "store.h"

struct group {
    uint64_t uses;
    uint32_t back; /* its last object; of a group that is not in use, the next of these */
};

struct cache {
    struct store store; /* an object's note is its group */
    struct group *group;
    uint32_t unused, fresh, room; /* groups; 0 is none */
};

static int create(const struct cm_config *config, void **cache)
{
    int code = store_create(config, sizeof(struct cache), 1, 0, cache);
    if (code == 0)
        ((struct cache *)*cache)->fresh = 1;
    return code;
}

static void destroy(void *cache)
{
    free(((struct cache *)cache)->group);
    store_destroy(cache);
}

static size_t bytes(const void *cache)
{
    return store_bytes(cache) + ((const struct cache *)cache)->room * sizeof(struct group);
}

/* A group of one; 0: no memory. */
static uint32_t group_new(struct cache *c, uint64_t uses, uint32_t n)
{
    uint32_t g = c->unused;
    if (g) {
        c->unused = c->group[g].back;
    } else {
        if (c->fresh >= c->room) {
            const uint32_t room = c->room ? 2 * c->room : 64;
            struct group *group = realloc(c->group, room * sizeof *group);
            if (!group)
                return 0;
            c->group = group;
            c->room = room;
        }
        g = c->fresh++;
    }
    c->group[g] = (struct group){.uses = uses, .back = n};
    c->store.object[n].note = g;
    return g;
}

/* n leaves its group; where it stands stays as it is. */
static void group_leave(struct cache *c, uint32_t n)
{
    const struct object *o = c->store.object;
    struct group *g = &c->group[o[n].note];
    if (g->back != n)
        return;
    if (o[n].prev && o[o[n].prev].note == o[n].note) {
        g->back = o[n].prev;
        return;
    }
    g->back = c->unused;
    c->unused = o[n].note;
}

static void hit(struct cache *c, uint32_t n)
{
    struct store *s = &c->store;
    struct object *o = s->object;
    const uint32_t g = o[n].note, back = c->group[g].back, after = o[back].next;
    const uint64_t uses = c->group[g].uses + 1;
    const bool alone = back == n && (o[n].prev == 0 || o[o[n].prev].note != g);
    uint32_t behind = back;
    if (after && c->group[o[after].note].uses == uses) {
        const uint32_t next = o[after].note;
        behind = c->group[next].back;
        group_leave(c, n);
        o[n].note = next;
        c->group[next].back = n;
    } else if (alone) {
        c->group[g].uses = uses;
        return;
    } else {
        const uint32_t made = group_new(c, uses, n);
        if (!made)
            return; /* not counted */
        o[n].note = g;
        group_leave(c, n);
        o[n].note = made;
    }
    if (behind != n) {
        list_unlink(s, n);
        list_insert(s, behind, n);
    }
}

/* The first group, if it is of those that were asked for once, and n comes behind it; else n is one in front. */
static bool arrive(struct cache *c, uint32_t n)
{
    struct store *s = &c->store;
    const uint32_t first = list_first(s, 0), g = first ? s->object[first].note : 0;
    if (g && c->group[g].uses == 1) {
        list_insert(s, c->group[g].back, n);
        s->object[n].note = g;
        c->group[g].back = n;
        return true;
    }
    if (!group_new(c, 1, n))
        return false;
    list_push(s, 0, n);
    return true;
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key);
    if (n && store_usable(s, n, r->time)) {
        hit(c, n);
        return CM_HIT;
    }
    if (n) {
        group_leave(c, n);
        store_remove(s, n);
    }
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (store_lacks(s, r->size)) {
        group_leave(c, list_first(s, 0));
        store_evict(s, list_first(s, 0), evicted);
    }
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    if (!arrive(c, n)) {
        store_forget(s, n);
        return CM_BYPASS;
    }
    store_keep(s, n, r);
    store_foresee(s, list_first(s, 0));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {.create = create, .destroy = destroy, .request = request, .bytes = bytes};
CM_CACHE(lfu, "lfu", "evicts what was asked for least often since it came", &ops);
