/* check_model.c: what the judge of lab 03 holds the answers against. */
#include "check_model.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct member {
    uint32_t id, weight, load;
};

struct model {
    enum rule rule;
    struct ch_config config;
    struct member *member; /* [count], in the order in which they joined */
    uint32_t count, room;
    uint64_t weights, placed;
};

struct model *model_create(enum rule rule, const struct ch_config *config)
{
    struct model *m = calloc(1, sizeof *m);
    if (m) {
        m->rule = rule;
        m->config = *config;
    }
    return m;
}

void model_destroy(struct model *m)
{
    free(m->member);
    free(m);
}

uint32_t model_nodes(const struct model *m)
{
    return m->count;
}

uint32_t model_node(const struct model *m, uint32_t i)
{
    return m->member[i].id;
}

/* ---- who is there ---- */

static uint32_t place_of(const struct model *m, uint32_t id)
{
    uint32_t i = 0;
    while (i < m->count && m->member[i].id != id)
        i++;
    return i;
}

int model_add(struct model *m, uint32_t id, uint32_t weight, uint32_t n)
{
    if (weight < 1 || weight > CH_MAX_WEIGHT || id >= CH_MAX_NODES || n > CH_MAX_NODES - id)
        return -EINVAL;
    if (weight != 1 && m->rule == RULE_JUMP)
        return -ENOTSUP;
    for (uint32_t i = 0; i < m->count; i++) {
        if (m->member[i].id >= id && m->member[i].id < id + n)
            return -EEXIST;
    }
    if (m->count + n > m->room) {
        m->room = 2 * (m->count + n);
        struct member *more = realloc(m->member, m->room * sizeof *more);
        if (!more)
            abort(); /* the judge is out of memory: its test ends without a result */
        m->member = more;
    }
    for (uint32_t i = 0; i < n; i++)
        m->member[m->count++] = (struct member){.id = id + i, .weight = weight};
    m->weights += (uint64_t)weight * n;
    return 0;
}

int model_remove(struct model *m, uint32_t id)
{
    const uint32_t i = place_of(m, id);
    if (i == m->count)
        return -ENOENT;
    if (m->rule == RULE_JUMP && i + 1 != m->count)
        return -ENOTSUP;
    m->weights -= m->member[i].weight;
    m->placed -= m->member[i].load;
    m->count--;
    memmove(m->member + i, m->member + i + 1, (m->count - i) * sizeof *m->member);
    return 0;
}

int model_release(struct model *m, uint32_t id)
{
    const uint32_t i = place_of(m, id);
    if (i == m->count || m->member[i].load == 0)
        return -ENOENT;
    m->member[i].load--;
    m->placed--;
    return 0;
}

/* ---- jump ---- */

/* Lamping & Veach 2014: the key draws numbers; from bucket b it jumps to (b + 1) / number. The last bucket below n. */
static uint32_t jump(uint64_t key, uint32_t n)
{
    int64_t bucket = -1, next = 0;
    while (next < n) {
        bucket = next;
        key = key * UINT64_C(2862933555777941757) + 1;
        next = (int64_t)((double)(bucket + 1) * ((double)(1ll << 31) / (double)((key >> 33) + 1)));
    }
    return (uint32_t)bucket;
}

/* ---- the ring ---- */

/* From the key clockwise to the nearest point of this node. */
static uint64_t distance(const struct model *m, const struct member *member, uint64_t key)
{
    const uint32_t shift = 64 - m->config.bits;
    const uint64_t mask = UINT64_MAX >> shift;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < m->config.points * member->weight; i++) {
        const uint64_t way = ((ch_point(member->id, i) >> shift) - (key >> shift)) & mask;
        least = way < least ? way : least;
    }
    return least;
}

struct rank {
    uint64_t distance;
    uint32_t place, id;
};

static int closer(const void *a, const void *b)
{
    const struct rank *one = a, *other = b;
    if (one->distance != other->distance)
        return one->distance < other->distance ? -1 : 1;
    return one->id < other->id ? -1 : one->id > other->id;
}

static struct rank rank_of(const struct model *m, uint32_t i, uint64_t key)
{
    return (struct rank){distance(m, &m->member[i], key), i, m->member[i].id};
}

/* Places of all members in the key's order, [count], to free. */
static struct rank *order_of(const struct model *m, uint64_t key)
{
    struct rank *rank = malloc((m->count + 1) * sizeof *rank);
    if (!rank)
        abort();
    for (uint32_t i = 0; i < m->count; i++)
        rank[i] = rank_of(m, i, key);
    qsort(rank, m->count, sizeof *rank, closer);
    return rank;
}

static struct rank first_of(const struct model *m, uint64_t key)
{
    struct rank best = rank_of(m, 0, key);
    for (uint32_t i = 1; i < m->count; i++) {
        const struct rank rank = rank_of(m, i, key);
        best = closer(&rank, &best) < 0 ? rank : best;
    }
    return best;
}

uint32_t model_lookup(const struct model *m, uint64_t key)
{
    if (m->count == 0)
        return CH_NONE;
    return m->rule == RULE_JUMP ? m->member[jump(key, m->count)].id : first_of(m, key).id;
}

uint32_t model_replicas(const struct model *m, uint64_t key, uint32_t most, uint32_t *node)
{
    struct rank *rank = order_of(m, key);
    const uint32_t n = most < m->count ? most : m->count;
    for (uint32_t i = 0; i < n; i++)
        node[i] = rank[i].id;
    free(rank);
    return n;
}

/* ---- bounded loads ---- */

static uint64_t room_of(const struct model *m, const struct member *member)
{
    return most_allowed(m->config.percent, m->placed + 1, member->weight, m->weights);
}

static struct member *place_for(const struct model *m, uint64_t key)
{
    struct rank *rank = order_of(m, key);
    struct member *found = NULL;
    for (uint32_t i = 0; i < m->count && !found; i++) {
        struct member *member = &m->member[rank[i].place];
        if (member->load + 1 <= room_of(m, member))
            found = member;
    }
    free(rank);
    return found;
}

uint32_t model_place(struct model *m, uint64_t key)
{
    struct member *member = place_for(m, key);
    if (!member)
        return CH_NONE;
    member->load++;
    m->placed++;
    return member->id;
}

/* ---- in words ---- */

void model_explain(FILE *out, const struct model *m, uint64_t key)
{
    const uint32_t shift = 64 - m->config.bits;
    if (m->count == 0) {
        fputs("there are no nodes", out);
        return;
    }
    if (m->rule == RULE_JUMP) {
        const uint32_t bucket = jump(key, m->count);
        fprintf(out,
                "there are %u nodes, the key's last jump below %u is to %u, and the node that joined as number %u "
                "(counted from 0) is %u",
                m->count, m->count, bucket, bucket, m->member[bucket].id);
        return;
    }
    const struct rank best = first_of(m, key);
    const uint64_t at = key >> shift, point = (at + best.distance) & (UINT64_MAX >> shift);
    fprintf(out, "the key stands at %#llx, and the next point clockwise%s is node %u's at %#llx",
            (unsigned long long)at, point < at ? ", past the end of the ring," : "", best.id,
            (unsigned long long)point);
    if (m->rule != RULE_BOUNDED)
        return;
    const struct member *member = &m->member[best.place], *chosen = place_for(m, key);
    fprintf(out, "; with this key %llu are placed, and node %u holds %u of at most %llu",
            (unsigned long long)m->placed + 1, best.id, member->load, (unsigned long long)room_of(m, member));
    if (chosen && chosen != member)
        fprintf(out, ", so it is full; the next in the key's order with room is node %u, which holds %u of %llu",
                chosen->id, chosen->load, (unsigned long long)room_of(m, chosen));
}
