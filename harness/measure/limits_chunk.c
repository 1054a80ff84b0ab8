/* Idea: on a machine that does other things too, the mean of a long run measures those other things. Short chunks do
 * not: an interruption takes milliseconds and spoils the chunk that it falls into, and there are thousands of others.
 *
 * One thread: the number of operations is doubled until a chunk takes 20 us, so that reading the clock costs a
 * thousandth; then chunk after chunk until the time is up.
 *
 * Two threads: what matters is what they do while both run. Each notes the time after every small chunk. Afterwards the
 * time in which both were at it is cut into windows of 100 us; what each thread did in a window follows from its notes
 * (in proportion, where a chunk lies across an edge), and a window in which one of the two noted nothing is left out:
 * it was not running.
 *
 * What it leaves out: which of the two got more. A lock or a line may be very unfair, and the sum does not show it.
 */
#include "measure/limits_bench.h"

#include "measure/clock.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_NS      20000
#define PAIR_CHUNK_NS 5000
#define WINDOW_NS     100000
#define LEAST_CHUNKS  8           /* of work that takes long: then more time than the slice is used */
#define LONGEST_NS    2000000000u /* but never more than this */

void limits_add(struct limits_series *s, double ns)
{
    if (s->chunks == s->room) {
        size_t room = s->room ? 2 * s->room : 1024;
        double *more = realloc(s->ns, room * sizeof *more);
        if (!more)
            return; /* fewer chunks */
        s->ns = more;
        s->room = room;
    }
    s->ns[s->chunks++] = ns;
}

void limits_refuse(struct limits_series *s, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(s->reason, sizeof s->reason, format, list);
    va_end(list);
}

/* ---- one thread ---- */

struct alone {
    const struct limits_bench *bench;
    struct limits_series *series;
    const struct limits_work *work;
};

/* Doubles the operations of a chunk until it takes `enough` ns. */
static uint64_t calibrate(const struct limits_work *work, uint64_t enough)
{
    for (uint64_t operations = 16;; operations *= 2) {
        uint64_t begin = clock_now_ns();
        work->run(work->context, operations);
        if (clock_now_ns() - begin >= enough || operations >= (uint64_t)1 << 40)
            return operations;
    }
}

static void *work_alone(void *argument)
{
    const struct alone *a = argument;
    const struct limits_work *work = a->work;
    struct error err;
    if (topology_bind(a->bench->topology, a->bench->one, &err) != 0) {
        limits_refuse(a->series, "%.200s", err.text);
        return NULL;
    }
    if (work->warm)
        work->warm(work->context);
    uint64_t operations = work->run ? calibrate(work, CHUNK_NS) : 0, begin = clock_now_ns(), now = begin;
    size_t chunks = 0;
    while (now - begin < a->bench->slice_ns || (chunks < LEAST_CHUNKS && now - begin < LONGEST_NS)) {
        double ns;
        if (work->run) {
            work->run(work->context, operations);
            uint64_t end = clock_now_ns();
            ns = (double)(end - now) / (double)operations;
            now = end;
        } else {
            ns = work->timed(work->context);
            now = clock_now_ns();
        }
        if (!isfinite(ns))
            break;
        limits_add(a->series, ns);
        chunks++;
    }
    return NULL;
}

void limits_alone(const struct limits_bench *b, struct limits_series *s, const struct limits_work *work)
{
    struct alone a = {b, s, work};
    pthread_t thread;
    if (*b->one_reason) {
        limits_refuse(s, "%s", b->one_reason);
        return;
    }
    if (!*s->place)
        snprintf(s->place, sizeof s->place, "%s", b->one_words);
    int code = pthread_create(&thread, NULL, work_alone, &a);
    if (code)
        limits_refuse(s, "no thread could be started: %s", strerror(code));
    else
        pthread_join(thread, NULL);
}

/* ---- two threads ---- */

struct side {
    _Alignas(LIMITS_LINE) struct pair *pair;
    const struct limits_work *work;
    unsigned place;
    uint64_t operations;  /* of a chunk */
    uint64_t begin, *end; /* of the first chunk; of each */
    size_t chunks, room;
    bool bound;
};

struct pair {
    const struct limits_bench *bench;
    atomic_uint ready;
    struct side side[2];
    struct error err[2];
};

static void meet(struct pair *p, unsigned all)
{
    atomic_fetch_add(&p->ready, 1);
    while (atomic_load(&p->ready) < all)
        sched_yield();
}

static void *work_beside(void *argument)
{
    struct side *side = argument;
    struct pair *p = side->pair;
    const struct limits_work *work = side->work;
    side->bound = topology_bind(p->bench->topology, side->place, &p->err[side - p->side]) == 0;
    if (work->warm && side->bound)
        work->warm(work->context);
    meet(p, 2);
    if (!p->side[0].bound || !p->side[1].bound)
        return NULL;
    side->operations = calibrate(work, PAIR_CHUNK_NS);
    side->begin = clock_now_ns();
    uint64_t last = side->begin + p->bench->slice_ns;
    for (uint64_t now = side->begin; now < last && side->chunks < side->room;) {
        work->run(work->context, side->operations);
        now = clock_now_ns();
        side->end[side->chunks++] = now;
    }
    return NULL;
}

/* Operations that were finished at `time`, counted from side->begin. *at: the first chunk that ends after it; times
 * must not go back from call to call. */
static double finished(const struct side *s, uint64_t time, size_t *at)
{
    while (*at < s->chunks && s->end[*at] <= time)
        ++*at;
    uint64_t from = *at ? s->end[*at - 1] : s->begin;
    double part = *at < s->chunks && s->end[*at] > from ? (double)(time - from) / (double)(s->end[*at] - from) : 0;
    return ((double)*at + part) * (double)s->operations;
}

static void add_windows(const struct pair *p, struct limits_series *s)
{
    const struct side *a = &p->side[0], *b = &p->side[1];
    if (!a->chunks || !b->chunks)
        return;
    uint64_t begin = a->begin > b->begin ? a->begin : b->begin,
             end = a->end[a->chunks - 1] < b->end[b->chunks - 1] ? a->end[a->chunks - 1] : b->end[b->chunks - 1];
    size_t at[2] = {0, 0}, before[2];
    if (begin >= end)
        return;
    double done = finished(a, begin, &at[0]) + finished(b, begin, &at[1]);
    for (uint64_t time = begin + WINDOW_NS; time <= end; time += WINDOW_NS) {
        before[0] = at[0];
        before[1] = at[1];
        double now = finished(a, time, &at[0]) + finished(b, time, &at[1]);
        if (at[0] > before[0] && at[1] > before[1] && now > done)
            limits_add(s, WINDOW_NS / (now - done));
        done = now;
    }
}

void limits_together(const struct limits_bench *b, struct limits_series *s, const struct limits_work work[2])
{
    struct pair p = {.bench = b};
    pthread_t thread;
    if (*b->two_reason) {
        limits_refuse(s, "%s", b->two_reason);
        return;
    }
    snprintf(s->place, sizeof s->place, "%s", b->two_words);
    for (unsigned i = 0; i < 2; i++) {
        size_t room = (size_t)(b->slice_ns / (PAIR_CHUNK_NS / 4)) + 16;
        p.side[i] = (struct side){
            .pair = &p, .work = &work[i], .place = b->two[i], .room = room, .end = calloc(room, sizeof(uint64_t))};
    }
    pthread_t other;
    int code = p.side[0].end && p.side[1].end ? pthread_create(&thread, NULL, work_beside, &p.side[0]) : ENOMEM;
    if (code == 0) {
        code = pthread_create(&other, NULL, work_beside, &p.side[1]);
        if (code == 0)
            pthread_join(other, NULL);
        else
            atomic_store(&p.ready, 2); /* the first waits for nobody, and finds that the second is not bound */
        pthread_join(thread, NULL);
    }
    if (code)
        limits_refuse(s, "two threads could not be started: %s", strerror(code));
    else if (!p.side[0].bound || !p.side[1].bound)
        limits_refuse(s, "%.200s", p.err[p.side[0].bound].text);
    else
        add_windows(&p, s);
    free(p.side[0].end);
    free(p.side[1].end);
}
