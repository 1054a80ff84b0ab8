/* cuda_device.c: cuda/device.h on the host. */
#include "cuda_device.h"

#include "cuda_launch.h"
#include "sim/rng.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool emulated_on, emulated_deaf;
uint64_t emulated_seed;
struct emulated emulated_counts;
size_t emulated_bytes;
uint32_t emulated_fails;
bool emulated_no_cudnn;

#define MOST_STREAMS 64u
#define MOST_ACTS    8192u

enum kind { RUN, COPY, ZERO, GEMM, RECORD, WAIT, PASS, CUDNN };

struct act {
    enum kind kind;
    uint32_t stream, record; /* WAIT: for that act; UINT32_MAX: for none */
    bool done;
    enum gpu_rung rung;
    struct gpu_work work;
    void *to;
    const void *from;
    size_t bytes;
    struct device_pass *pass; /* of all ranks, with the last one's act */
    uint32_t ranks, group;
};

static struct act acts[MOST_ACTS];
static uint32_t count, groups, batch; /* batches: what was finished together */

struct stream {
    uint32_t number; /* 0: the default one */
};
static bool in_use[MOST_STREAMS] = {true};
struct event {
    uint32_t record, batch;
};

static uint32_t number_of(const void *stream)
{
    return stream ? ((const struct stream *)stream)->number : 0;
}

static struct act *add(enum kind kind, const void *stream)
{
    if (count == MOST_ACTS)
        abort();
    acts[count] = (struct act){.kind = kind, .stream = number_of(stream)};
    return &acts[count++];
}

/* ---- doing it ------------------------------------------------------------------------------------------------------ */

static struct act *head(uint32_t stream)
{
    for (uint32_t i = 0; i < count; i++)
        if (!acts[i].done && acts[i].stream == stream)
            return &acts[i];
    return NULL;
}

/* All ranks have come to it. */
static bool all_there(const struct act *a)
{
    uint32_t there = 0;
    for (uint32_t s = 0; s < MOST_STREAMS; s++) {
        const struct act *other = head(s);
        there += other && other->kind == PASS && other->group == a->group;
    }
    return there == a->ranks;
}

static void pass_all(const struct act *a)
{
    const struct act *last = a;
    for (uint32_t i = 0; i < count; i++)
        if (acts[i].kind == PASS && acts[i].group == a->group) {
            acts[i].done = true;
            last = &acts[i];
        }
    for (uint32_t r = 0; r < a->ranks; r++) {
        const struct device_pass *from = &last->pass[r], *to = &last->pass[(r + 1) % a->ranks];
        if (from->out_bytes != to->in_bytes && !emulated_counts.fault)
            emulated_counts.fault = "a message is received with another size than it was sent with";
        memmove(to->in, from->out, from->out_bytes);
    }
    free(last->pass);
}

/* Like the tensor rung, but its output is bfloat16, and nothing is left where that of the rungs is. */
static void act_cudnn(const struct act *a)
{
    const struct gpu_work *w = &a->work;
    launch_emulated(GPU_TENSOR, w, emulated_seed, &emulated_counts);
    for (size_t i = 0; i < (size_t)w->pairs * w->n_q * w->d; i++) {
        uint32_t bits;
        memcpy(&bits, &w->out[i], sizeof bits);
        ((uint16_t *)a->to)[i] = (uint16_t)((bits + 0x8000u) >> 16);
        w->out[i] = NAN;
    }
}

static void act(struct act *a)
{
    if (a->kind == RUN)
        launch_emulated(a->rung, &a->work, emulated_seed, &emulated_counts);
    else if (a->kind == COPY)
        memcpy(a->to, a->from, a->bytes);
    else if (a->kind == ZERO)
        memset(a->to, 0, a->bytes);
    else if (a->kind == PASS)
        pass_all(a);
    else if (a->kind == CUDNN)
        act_cudnn(a);
    a->done = true;
}

static bool ready(const struct act *a)
{
    if (a && a->kind == WAIT)
        return emulated_deaf || a->record == UINT32_MAX || acts[a->record].done;
    return a && (a->kind != PASS || all_there(a));
}

static void finish(void)
{
    struct rng r;
    rng_seed(&r, emulated_seed, 9);
    for (uint32_t left = count; left > 0;) {
        uint32_t s = (uint32_t)(rng_next(&r) % MOST_STREAMS), tries = 0;
        while (!ready(head(s)) && tries++ < MOST_STREAMS)
            s = (s + 1) % MOST_STREAMS;
        if (ready(head(s)))
            act(head(s));
        else if (tries > MOST_STREAMS)
            break;
        left = 0;
        for (uint32_t i = 0; i < count; i++)
            left += !acts[i].done;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!acts[i].done && !emulated_counts.fault)
            emulated_counts.fault = "streams wait for each other";
    count = 0;
    batch++;
}

/* ---- device.h ------------------------------------------------------------------------------------------------------ */

const char *device_missing(void)
{
    return emulated_on ? NULL : "the emulated device is off";
}
const char *device_complaint(void)
{
    return "";
}
int device_name(char *name, size_t size)
{
    snprintf(name, size, "emulated");
    return 0;
}
int device_count(void)
{
    return 8;
}
int device_use(int device)
{
    return device < 8 ? 0 : -ENODEV;
}

/* The size stands before the memory. */
int device_alloc(void **memory, size_t bytes)
{
    *memory = NULL;
    if (bytes == 0)
        return 0;
    if (emulated_fails && --emulated_fails == 0)
        return -ENOMEM;
    char *room = aligned_alloc(256, (bytes + 511) / 256 * 256);
    if (!room)
        return -ENOMEM;
    memcpy(room, &bytes, sizeof bytes);
    memset(room + 256, 0xff, bytes);
    emulated_bytes += bytes;
    *memory = room + 256;
    return 0;
}
void device_free(void *memory)
{
    if (!memory)
        return;
    size_t bytes;
    finish();
    memcpy(&bytes, (char *)memory - 256, sizeof bytes);
    emulated_bytes -= bytes;
    free((char *)memory - 256);
}

int device_put(void *device, const void *host, size_t bytes)
{
    if (bytes)
        memcpy(device, host, bytes);
    return 0;
}
int device_get(void *host, const void *device, size_t bytes)
{
    if (bytes)
        memcpy(host, device, bytes);
    return 0;
}
int device_copy(void *to, const void *from, size_t bytes, void *stream)
{
    struct act *a = add(COPY, stream);
    a->to = to;
    a->from = from;
    a->bytes = bytes;
    return 0;
}
int device_zero(void *memory, size_t bytes, void *stream)
{
    struct act *a = add(ZERO, stream);
    a->to = memory;
    a->bytes = bytes;
    return 0;
}

int device_stream(void **stream)
{
    struct stream *s = malloc(sizeof *s);
    uint32_t n = 1;
    while (n < MOST_STREAMS && in_use[n])
        n++;
    *stream = s;
    if (!s || n == MOST_STREAMS)
        abort();
    in_use[n] = true;
    s->number = n;
    return 0;
}
void device_stream_end(void *stream)
{
    if (!stream)
        return;
    finish();
    in_use[number_of(stream)] = false;
    free(stream);
}
int device_event(void **event)
{
    struct event *e = malloc(sizeof *e);
    *event = e;
    if (!e)
        return -ENOMEM;
    e->record = UINT32_MAX;
    return 0;
}
void device_event_end(void *event)
{
    free(event);
}
int device_record(void *event, void *stream)
{
    *(struct event *)event = (struct event){count, batch};
    add(RECORD, stream);
    return 0;
}
int device_wait(void *stream, void *event)
{
    const struct event *e = event;
    add(WAIT, stream)->record = e->batch == batch ? e->record : UINT32_MAX; /* those of before are done */
    return 0;
}
int device_sync(void)
{
    finish();
    return 0;
}
int device_seconds(void *first, void *last, double *seconds)
{
    (void)first, (void)last;
    finish();
    *seconds = 1;
    return 0;
}

int device_run(enum gpu_rung rung, const struct gpu_work *work, void *stream)
{
    struct act *a = add(RUN, stream);
    a->rung = rung;
    a->work = *work;
    return 0;
}
int device_gemm(uint32_t n, bool bf16, const void *a, const void *b, void *c, void *stream)
{
    (void)n, (void)bf16, (void)a, (void)b, (void)c;
    add(GEMM, stream);
    return 0;
}

struct cudnn {
    struct gpu_work work;
    void *out;
};
int device_cudnn(const struct gpu_work *work, void *out, void **attention)
{
    struct cudnn *c = emulated_no_cudnn ? NULL : malloc(sizeof *c);
    *attention = c;
    if (!c)
        return -ENOTSUP;
    *c = (struct cudnn){*work, out};
    return 0;
}
int device_cudnn_run(const void *attention, void *stream)
{
    const struct cudnn *c = attention;
    struct act *a = add(CUDNN, stream);
    a->work = c->work;
    a->to = c->out;
    return 0;
}
void device_cudnn_end(void *attention)
{
    free(attention);
}
int device_cudnn_plans(const struct gpu_work *work, const char *device)
{
    return device && work->d % 8 == 0 ? 0 : -ENOTSUP;
}

int device_links(uint32_t ranks, void **links)
{
    uint32_t *all = malloc(sizeof *all);
    *links = all;
    if (!all)
        return -ENOMEM;
    *all = ranks;
    return 0;
}
void device_links_end(void *links)
{
    free(links);
}
int device_links_step(void *links, const struct device_pass *pass)
{
    uint32_t ranks = *(const uint32_t *)links;
    struct act *a = NULL;
    for (uint32_t r = 0; r < ranks; r++) {
        a = add(PASS, pass[r].stream);
        a->ranks = ranks;
        a->group = groups;
    }
    groups++;
    if (!a)
        return -EINVAL;
    a->pass = malloc(ranks * sizeof *pass);
    if (!a->pass)
        return -ENOMEM;
    memcpy(a->pass, pass, ranks * sizeof *pass);
    return 0;
}
