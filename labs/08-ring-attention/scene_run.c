/* scene_run.c: merges, and one problem of attention, carried out in the host. */
#include "scene_host.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

void scene_fill(uint32_t *at, size_t n, uint32_t bits)
{
    for (size_t i = 0; i < n; i++)
        at[i] = bits;
}

void scene_log(struct decision_log *log, const void *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        log_append(log, (const uint32_t *)records + i);
}

/* ---- workspace: just the bytes asked for, poisoned, between guards ---- */

int room_make(struct room *room, size_t bytes)
{
    *room = (struct room){.bytes = bytes};
    if (bytes > ROOM_MOST)
        return -ENOMEM;
    size_t whole = (bytes + AT_ALIGN - 1) / AT_ALIGN * AT_ALIGN + 2 * ROOM_GUARD;
    room->all = aligned_alloc(AT_ALIGN, whole);
    if (!room->all)
        return -ENOMEM;
    memset(room->all, ROOM_BYTE, whole);
    room->at = room->all + ROOM_GUARD;
    return 0;
}

/* The library's way to compare is fast: this is among what is counted. */
static bool is_guard(const unsigned char *at)
{
    return at[0] == ROOM_BYTE && memcmp(at, at + 1, ROOM_GUARD - 1) == 0;
}

bool room_end(struct room *room)
{
    bool outside = room->all && !(is_guard(room->all) && is_guard(room->at + room->bytes));
    free(room->all);
    room->all = NULL;
    return outside;
}

/* ---- merge ---- */

static int run_merge(const struct scene *s, const struct at_ops *ops, struct decision_log *log)
{
    const struct at_problem *p = &s->problem;
    size_t length, rows = (size_t)p->batch * p->heads * p->n_q;
    const struct at_in t = scene_layout(s, p->heads, p->n_q, &length);
    const size_t each = length + rows, all = s->results * each;
    if (!ops->merge)
        return -ENOSYS;
    float *memory = malloc((all + 2 * SCENE_GUARD) * sizeof *memory), *data = memory + SCENE_GUARD;
    struct at_result *result = malloc(s->results * sizeof *result);
    if (memory && result) {
        scene_fill((uint32_t *)(void *)memory, all + 2 * SCENE_GUARD, SCENE_UNTOUCHED);
        memcpy(data, s->data, all * sizeof *data);
        for (uint32_t i = 0; i < s->results; i++)
            result[i] = (struct at_result){{data + i * each, t.batch, t.head, t.row}, data + i * each + length};
        for (uint32_t i = 0; i < s->steps; i++) {
            uint32_t into = (uint32_t)s->data[all + 2 * i], from = (uint32_t)s->data[all + 2 * i + 1];
            if (into < s->results && from < s->results && into != from)
                ops->merge(p, &result[into], &result[from]);
        }
        scene_log(log, memory, all + 2 * SCENE_GUARD);
    }
    int code = memory && result ? 0 : -ENOMEM;
    free(memory);
    free(result);
    return code;
}

/* ---- forward ---- */

/* A copy that can't be in place in the scenario when rows begin off any alignment. */
static struct at_in input(const struct scene *s, uint32_t heads, uint32_t n, const float **from)
{
    size_t length;
    struct at_in t = scene_layout(s, heads, n, &length);
    t.data = *from + (s->gap != 0);
    *from += length;
    return t;
}

/* What the parts write: all numbers of the result, guards among them. */
struct written {
    uint32_t *now, *kept; /* `kept` is NULL for one part: then nobody else can write what it writes */
    size_t n;
};

/* Takes away what a part has written, so that the next one finds none of it. */
static void take_away(const struct written *w, uint32_t *head)
{
    uint32_t some = 0;
    for (size_t i = 0; i < w->n && w->kept; i++) {
        if (w->now[i] == SCENE_UNTOUCHED)
            continue;
        head[FORWARD_TWICE] += w->kept[i] != SCENE_UNTOUCHED;
        w->kept[i] = w->now[i];
        w->now[i] = SCENE_UNTOUCHED;
        some++;
    }
    head[FORWARD_MOST] = some > head[FORWARD_MOST] ? some : head[FORWARD_MOST];
}

static void run_parts(const struct scene *s, const struct at_ops *ops, const struct at_result *result,
                      const struct written *written, struct room *room, uint32_t *head)
{
    const float *data = s->data;
    struct at_in q = input(s, s->problem.heads, s->problem.n_q, &data);
    struct at_in k = input(s, s->problem.kv_heads, s->problem.n_k, &data);
    struct at_in v = input(s, s->problem.kv_heads, s->problem.n_k, &data);
    struct at_problem p = s->problem; /* a copy, where it can't be told what is right by its address */
    if (s->counted)
        log_count_from_here();
    for (uint32_t part = s->parts; part-- > 0 && head[FORWARD_CODE] == 0;) {
        memset(room->at, ROOM_BYTE, s->parts > 1 ? room->bytes : 0);
        int code = ops->forward(&p, &q, &k, &v, result, part, s->parts, room->at);
        head[FORWARD_CODE] = (uint32_t)-code;
        take_away(written, head);
    }
    if (s->counted)
        log_count_from_here();
    if (written->kept)
        memcpy(written->now, written->kept, written->n * sizeof *written->now);
}

/* ---- the same on a stack of a given size ---- */

struct parts_call {
    const struct scene *s;
    const struct at_ops *ops;
    const struct at_result *result;
    const struct written *written;
    struct room *room;
    uint32_t *head;
};

static void *parts_thread(void *argument)
{
    const struct parts_call *c = argument;
    run_parts(c->s, c->ops, c->result, c->written, c->room, c->head);
    return NULL;
}

/* Below it, more than any array reaches over: what is too large for it ends the process, and writes nowhere else. */
#define BELOW_STACK ((size_t)64 << 20)

static int run_on_stack(struct parts_call *c)
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (c->s->stack == 0) {
        parts_thread(c);
        return 0;
    }
    int code = pthread_attr_init(&attributes);
    if (code)
        return -code;
    code = pthread_attr_setguardsize(&attributes, BELOW_STACK);
    code = code ? code : pthread_attr_setstacksize(&attributes, c->s->stack);
    code = code ? code : pthread_create(&thread, &attributes, parts_thread, c);
    pthread_attr_destroy(&attributes);
    return code ? -code : -pthread_join(thread, NULL);
}

static void ask(const struct scene *s, const struct at_ops *ops, uint32_t *head, size_t *bytes)
{
    head[FORWARD_ASKED] = (uint32_t)-ops->workspace(&s->problem, s->parts, bytes);
    head[FORWARD_BYTES_LOW] = (uint32_t)*bytes;
    head[FORWARD_BYTES_HIGH] = (uint32_t)((uint64_t)*bytes >> 32);
}

static int run_forward(const struct scene *s, const struct at_ops *ops, struct decision_log *log)
{
    uint32_t head[FORWARD_HEAD] = {0};
    size_t length, bytes = 0, lse = (size_t)s->problem.batch * s->problem.heads * s->problem.n_q;
    struct at_in out = scene_layout(s, s->problem.heads, s->problem.n_q, &length);
    struct room room = {0};
    if (!ops->workspace || !ops->forward)
        return -ENOSYS;
    size_t all = length + lse + 3 * SCENE_GUARD;
    float *memory = malloc(all * sizeof *memory);
    if (!memory)
        return -ENOMEM;
    scene_fill((uint32_t *)(void *)memory, all, SCENE_UNTOUCHED);
    struct at_result result = {{memory + SCENE_GUARD, out.batch, out.head, out.row},
                               memory + SCENE_GUARD + length + SCENE_GUARD};
    ask(s, ops, head, &bytes);
    if (head[FORWARD_ASKED] == 0 && room_make(&room, bytes) != 0)
        head[FORWARD_ASKED] = ENOMEM;
    struct written written = {(uint32_t *)(void *)memory, s->parts > 1 ? malloc(all * sizeof *memory) : NULL, all};
    if (written.kept)
        memcpy(written.kept, memory, all * sizeof *memory);
    int code = s->parts > 1 && !written.kept ? -ENOMEM : 0;
    if (head[FORWARD_ASKED] == 0 && code == 0)
        code = run_on_stack(&(struct parts_call){s, ops, &result, &written, &room, head});
    head[FORWARD_OUTSIDE] = room_end(&room);
    scene_log(log, head, FORWARD_HEAD);
    scene_log(log, memory, all);
    free(written.kept);
    free(memory);
    return code;
}

static int run_ask(const struct scene *s, const struct at_ops *ops, struct decision_log *log)
{
    uint32_t head[FORWARD_HEAD] = {0};
    size_t bytes = 0;
    if (!ops->workspace)
        return -ENOSYS;
    ask(s, ops, head, &bytes);
    scene_log(log, head, FORWARD_HEAD);
    return 0;
}

int scene_run(const struct scene *s, const struct plugin *plugin, const struct at_ops *ops, struct decision_log *log)
{
    if (scene_numbers(s) == 0 || s->numbers < scene_numbers(s))
        return -EINVAL;
    return s->kind == SCENE_MERGE     ? run_merge(s, ops, log)
           : s->kind == SCENE_FORWARD ? run_forward(s, ops, log)
           : s->kind == SCENE_ASK     ? run_ask(s, ops, log)
                                      : scene_run_ring(s, plugin, ops, log);
}
