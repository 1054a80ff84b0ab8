/* values.c: what is known of each key. A table with open addressing, at most half full. */
#include "values.h"

#include <errno.h>
#include <stdlib.h>

int values_create(const struct cm_recompute_config *config, void **state)
{
    struct values *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    *s = (struct values){.config = *config, .places = 16};
    s->table = calloc(s->places, sizeof *s->table);
    if (!s->table) {
        free(s);
        return -ENOMEM;
    }
    *state = s;
    return 0;
}

void values_destroy(void *state)
{
    free(((struct values *)state)->table);
    free(state);
}

size_t values_bytes(const void *state)
{
    const struct values *s = state;
    return sizeof *s + s->places * sizeof *s->table;
}

static struct value *place(struct value *table, uint32_t places, uint64_t key)
{
    uint64_t state = key;
    uint32_t i = (uint32_t)rng_splitmix64(&state) & (places - 1);
    while (table[i].used && table[i].key != key)
        i = (i + 1) & (places - 1);
    return &table[i];
}

static bool grow(struct values *s)
{
    struct value *more = calloc(2 * (size_t)s->places, sizeof *more);
    if (!more)
        return false;
    for (uint32_t i = 0; i < s->places; i++)
        if (s->table[i].used)
            *place(more, 2 * s->places, s->table[i].key) = s->table[i];
    free(s->table);
    s->table = more;
    s->places *= 2;
    return true;
}

struct value *values_of(struct values *s, uint64_t key)
{
    struct value *v = place(s->table, s->places, key);
    if (v->used)
        return v;
    if (2 * (s->keys + 1) > s->places) {
        if (!grow(s))
            return NULL;
        v = place(s->table, s->places, key);
    }
    s->keys++;
    *v = (struct value){.key = key, .used = true};
    return v;
}

void values_done(void *state, uint64_t key, uint64_t asked, uint64_t now, enum cm_result result, double u)
{
    struct values *s = state;
    struct value *v = values_of(s, key);
    const uint64_t ttl = result == CM_VALUE ? s->config.ttl_ns : s->config.negative_ttl_ns;
    (void)u;
    if (!v)
        return;
    if (v->computing && v->began == asked)
        v->computing = false;
    if (result == CM_FAILED || (v->known && asked < v->asked))
        return;
    v->known = ttl > 0;
    v->asked = asked;
    v->took = now - asked;
    v->expires = now + ttl;
}
