/* scene.c: how large a scene is, and what there is to log of it; both sides have to agree. */
#include "scene.h"

static bool fits(uint64_t n)
{
    return n <= SCENE_NUMBERS;
}

struct at_in scene_layout(const struct scene *scene, uint32_t heads, uint32_t n, size_t *length)
{
    size_t row = scene->problem.d + scene->gap;
    struct at_in t = {.row = row, .head = n * row, .batch = heads * (n * row)};
    if (scene->rows_first) {
        t.head = row;
        t.row = heads * row;
    }
    *length = scene->problem.batch * t.batch;
    return t;
}

/* Elements of a tensor, or too many. */
static uint64_t elements(const struct scene *scene, uint64_t heads, uint64_t n)
{
    uint64_t row = (uint64_t)scene->problem.d + scene->gap, some = heads * scene->problem.batch;
    return fits(some) && fits(n) && fits(some * n) ? some * n * row : UINT64_MAX / 4;
}

static bool sane(const struct at_problem *p)
{
    return p->batch && p->batch <= 64 && p->heads && p->heads <= 64 && p->kv_heads && p->kv_heads <= 64 &&
           p->heads % p->kv_heads == 0 && p->d && p->d <= AT_MAX_D;
}

static uint64_t merge_numbers(const struct scene *s)
{
    uint64_t rows = (uint64_t)s->problem.batch * s->problem.heads * s->problem.n_q;
    if (!fits(rows) || s->rows_first || s->results == 0 || s->results > 4096 || s->steps > 4096)
        return UINT64_MAX;
    return s->results * rows * (s->problem.d + s->gap + 1) + 2 * (uint64_t)s->steps;
}

static uint64_t ring_numbers(const struct scene *s)
{
    const struct scene_ring *r = &s->ring;
    if (r->ranks == 0 || r->ranks > SCENE_RANKS || r->total < r->ranks || r->total > 65536 || s->rows_first)
        return UINT64_MAX;
    if (!r->own)
        return r->total <= s->problem.d ? 1 : UINT64_MAX;
    const struct scene dense = {.problem = s->problem};
    return elements(&dense, s->problem.heads, r->total) + 2 * elements(&dense, s->problem.kv_heads, r->total);
}

uint64_t scene_numbers(const struct scene *s)
{
    uint64_t n = UINT64_MAX;
    if (sane(&s->problem) && s->gap <= 1024 && s->parts <= 4096) {
        const struct at_problem *p = &s->problem;
        if (s->kind == SCENE_MERGE)
            n = merge_numbers(s);
        else if (s->kind == SCENE_RING)
            n = ring_numbers(s);
        else if (s->kind == SCENE_ASK && s->parts)
            n = 1;
        else if (s->kind == SCENE_FORWARD && s->parts)
            n = elements(s, p->heads, p->n_q) + 2 * elements(s, p->kv_heads, p->n_k) + 1;
    }
    return fits(n) ? n : 0;
}

uint64_t scene_records(const struct scene *s)
{
    const struct at_problem *p = &s->problem;
    uint64_t rows = (uint64_t)p->batch * p->heads * (s->kind == SCENE_RING ? s->ring.total : p->n_q);
    switch (s->kind) {
    case SCENE_MERGE:
        return 2 * SCENE_GUARD + s->results * rows * (p->d + s->gap + 1);
    case SCENE_ASK:
        return FORWARD_HEAD;
    case SCENE_FORWARD:
        return FORWARD_HEAD + 3 * SCENE_GUARD + rows * (p->d + s->gap) + rows;
    default:
        return RING_HEAD + s->ring.ranks * SCENE_RANK_RECORDS + SCENE_EVENTS * SCENE_EVENT_RECORDS + rows * (p->d + 1);
    }
}
