/* Timing side by side: threads that take turns with their candidates in step. */
#include "measure/compare.h"

#include "measure/clock.h"
#include "measure/region.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_BLOCKS   8         /* candidates are made anew so often at least, however long that takes */
#define WARM_CHUNKS    16        /* at most, until a chunk is no faster than the one before */
#define WARM_NS        20000000  /* ... and no more of them when so long was spent */
#define LONG_NS        100000000 /* what takes so long warms itself in the first part of a chunk */
#define EVICT_LEAST    (4u << 20)
#define CALIBRATE_MOST (1u << 26)
#define CALIBRATE_NS   1000000 /* it goes on so long after the last that was faster */
#define CHUNK_NS       20000

/* ---- threads in step ---- */

struct barrier {
    _Atomic unsigned waiting, turn;
    unsigned threads;
};

static void barrier_wait(struct barrier *b)
{
    if (b->threads < 2)
        return;
    unsigned turn = atomic_load(&b->turn);
    if (atomic_fetch_add(&b->waiting, 1) + 1 == b->threads) {
        atomic_store(&b->waiting, 0);
        atomic_fetch_add(&b->turn, 1);
        return;
    }
    /* Spins first, since the others are about to come; a machine with fewer free cores needs the rest. */
    for (unsigned spins = 0; atomic_load_explicit(&b->turn, memory_order_acquire) == turn; spins++)
        if (spins > 2000)
            sched_yield();
}

struct bench {
    const struct compare_plan *plan;
    const struct compare_candidate *candidate;
    uint32_t candidates, rounds, chunks;
    uint32_t block; /* rounds between two makings of the candidates */
    uint64_t *ops;  /* [candidates]: of a chunk */
    bool *is_long;  /* [candidates]: a chunk takes LONG_NS */
    double clock_cost;
    struct barrier barrier;
    _Atomic int failed;
    struct compare_run *run;
    double *chunk;           /* [candidate][round][thread][chunk], ns an operation */
    double *count;           /* [candidate][round][COUNTERS], an operation, summed over threads; NaN */
    struct witness *witness; /* [candidate][round], summed over threads */
    size_t evict_bytes;
};

struct worker {
    struct bench *bench;
    unsigned thread;
    pthread_t handle;
    struct region region;
    struct witness_reader witness;
    unsigned char *evict;
    bool pinned;
    int64_t count[COUNTERS];
    struct witness seen;
};

/* ---- one sample ---- */

/* Fills the private caches with other lines, by reading and writing one byte of each. */
static void evict(struct worker *w)
{
    for (size_t i = 0; i < w->bench->evict_bytes; i += 64)
        w->evict[i]++;
    __asm__ volatile("" : : "r"(w->evict) : "memory");
}

static double *chunk_at(const struct bench *b, uint32_t candidate, uint32_t round, unsigned thread)
{
    return b->chunk + (((size_t)candidate * b->rounds + round) * b->plan->threads + thread) * b->chunks;
}

/* Runs it until it is no faster than a moment ago: whoever ran before has filled the caches with something else, and
 * how long it takes to fill them again depends on how much this one uses. */
static void warm_up(const struct compare_candidate *c, unsigned thread, uint64_t n)
{
    uint64_t last = UINT64_MAX, spent = 0;
    for (int i = 0; i < WARM_CHUNKS && spent < WARM_NS; i++) {
        uint64_t begin = clock_now_ns();
        c->run(c->context, thread, n);
        uint64_t ns = clock_now_ns() - begin;
        spent += ns;
        if (i > 0 && ns + ns / 32 >= last)
            return;
        last = ns < last ? ns : last;
    }
}

static void take_sample(struct worker *w, uint32_t which, uint32_t round)
{
    struct bench *b = w->bench;
    const struct compare_candidate *c = &b->candidate[which];
    double *chunk = chunk_at(b, which, round, w->thread);
    bool cold = b->plan->state == COMPARE_COLD;
    uint64_t n = b->ops[which];
    struct witness before, after;
    witness_read(&w->witness, &before);
    if (!cold && !b->is_long[which])
        warm_up(c, w->thread, n);
    barrier_wait(&b->barrier);
    if (!cold)
        region_begin(&w->region);
    for (uint32_t i = 0; i < b->chunks; i++) {
        if (cold)
            evict(w);
        uint64_t begin = clock_now_ns();
        c->run(c->context, w->thread, n);
        double ns = (double)(clock_now_ns() - begin) - b->clock_cost;
        chunk[i] = (ns > 0 ? ns : 0) / (double)n;
    }
    if (!cold)
        region_end(&w->region);
    witness_read(&w->witness, &after);
    for (int k = 0; k < WITNESSES; k++)
        w->seen.value[k] = after.value[k] - before.value[k];
    for (int id = 0; id < COUNTERS; id++)
        w->count[id] = cold ? -1 : w->region.count[id];
}

/* Thread 0 adds up what all threads saw in the sample. */
static void collect(struct worker *workers, uint32_t which, uint32_t round)
{
    struct bench *b = workers->bench;
    size_t at = (size_t)which * b->rounds + round;
    double ops = (double)(b->ops[which] * b->chunks * b->plan->threads);
    for (int id = 0; id < COUNTERS; id++) {
        double sum = 0;
        for (unsigned t = 0; t < b->plan->threads; t++)
            sum = workers[t].count[id] < 0 ? NAN : sum + (double)workers[t].count[id];
        b->count[at * COUNTERS + (size_t)id] = sum / ops;
    }
    for (unsigned t = 0; t < b->plan->threads; t++)
        for (int k = 0; k < WITNESSES; k++) {
            if (t > 0 && (k == WITNESS_STEAL || k == WITNESS_PRESSURE))
                continue; /* of the whole machine: every thread sees the same */
            b->witness[at].value[k] += workers[t].seen.value[k];
            b->run->witness_sum[k] += workers[t].seen.value[k];
        }
}

/* ---- the run ---- */

static uint64_t time_once(const struct compare_candidate *c, uint64_t n)
{
    uint64_t begin = clock_now_ns();
    c->run(c->context, 0, n);
    return clock_now_ns() - begin;
}

/* Operations that take about as long as a chunk should. They are slow at first, while the caches fill, and now and then
 * when something interrupts; a chunk that was sized by such a moment would stay too short for good, and cost more an
 * operation than the others' do. So after doubling up to the length, it goes on until the fastest chunk so far was not
 * beaten for a while, growing whenever one turns out too short. */
static void calibrate(struct bench *b, uint32_t which)
{
    const struct compare_candidate *c = &b->candidate[which];
    uint64_t n = 1, ns, target = b->plan->chunk_ns ? b->plan->chunk_ns : CHUNK_NS;
    uint64_t patience = CALIBRATE_NS / target;
    if (b->plan->state == COMPARE_COLD) {
        b->ops[which] = b->plan->cold_ops ? b->plan->cold_ops : 8;
        return;
    }
    while ((ns = time_once(c, n)) < target && n < CALIBRATE_MOST)
        n *= 2;
    double least = (double)ns / (double)n;
    for (uint64_t vain = 0; vain < patience; vain++) {
        double each = (double)time_once(c, n) / (double)n;
        if (each < 0.97 * least) {
            least = each;
            vain = 0;
            n = (uint64_t)fmax(1, fmin((double)target / fmax(least, 0.01), (double)CALIBRATE_MOST));
        }
    }
    b->ops[which] = (uint64_t)fmax(1, fmin((double)target / fmax(least, 0.01), (double)CALIBRATE_MOST));
    b->is_long[which] = (double)b->ops[which] * least > LONG_NS;
}

static void unmake_all(struct bench *b)
{
    for (uint32_t i = 0; i < b->candidates; i++)
        if (b->candidate[i].unmake)
            b->candidate[i].unmake(b->candidate[i].context);
}

static void make_all(struct bench *b, uint32_t first)
{
    for (uint32_t i = 0; i < b->candidates && !atomic_load(&b->failed); i++) {
        const struct compare_candidate *c = &b->candidate[(first + i) % b->candidates];
        int code = c->make ? c->make(c->context) : 0;
        if (code)
            atomic_store(&b->failed, code);
    }
}

/* Makes all candidates; the first time also finds how many operations a chunk is, and how often they can be made anew
 * without making them taking longer than timing them. */
static void begin_block(struct bench *b, uint32_t round)
{
    uint64_t begin = clock_now_ns();
    if (round > 0)
        unmake_all(b);
    make_all(b, round / b->block);
    double made = (double)(clock_now_ns() - begin);
    if (round > 0)
        return;
    for (uint32_t i = 0; i < b->candidates && !atomic_load(&b->failed); i++)
        calibrate(b, i);
    double chunk = b->plan->chunk_ns ? (double)b->plan->chunk_ns : CHUNK_NS, timed = b->candidates * b->chunks * chunk;
    double blocks = fmin(fmax(b->rounds * timed / made, LEAST_BLOCKS), b->rounds);
    b->block = (uint32_t)(b->rounds / blocks);
    b->block = b->block ? b->block : 1;
}

static void run_rounds(struct worker *w, struct worker *workers)
{
    struct bench *b = w->bench;
    uint32_t *order = malloc(b->candidates * sizeof *order);
    if (!order)
        atomic_store(&b->failed, -ENOMEM);
    barrier_wait(&b->barrier);
    /* A failure comes before a barrier and is looked at behind it, or one thread would go and the others wait for it. */
    for (uint32_t round = 0; round < b->rounds; round++) {
        if (w->thread == 0 && (round == 0 || round % b->block == 0))
            begin_block(b, round);
        barrier_wait(&b->barrier);
        if (atomic_load(&b->failed) || !order)
            break;
        compare_order(b->candidates, round, order);
        w->region.pass = b->plan->counters ? round % counters_passes(b->plan->counters) : 0;
        for (uint32_t i = 0; i < b->candidates; i++) {
            take_sample(w, order[i], round);
            barrier_wait(&b->barrier);
            if (w->thread == 0)
                collect(workers, order[i], round);
            barrier_wait(&b->barrier);
        }
        if (w->thread == 0 && b->plan->progress)
            b->plan->progress(b->plan->progress_context, round + 1, b->rounds);
    }
    free(order);
}

static void *work(void *context)
{
    struct worker *w = context;
    struct bench *b = w->bench;
    struct worker *workers = w - w->thread;
    const struct compare_plan *p = b->plan;
    w->pinned = p->place && p->topology && topology_bind(p->topology, p->place[w->thread], NULL) == 0;
    witness_open(&w->witness);
    if (p->counters && !(w->region.reader = counters_open(p->counters)))
        atomic_store(&b->failed, -ENOMEM);
    if (p->state == COMPARE_COLD && !(w->evict = calloc(1, b->evict_bytes)))
        atomic_store(&b->failed, -ENOMEM);
    run_rounds(w, workers);
    free(w->evict);
    if (w->region.reader)
        counters_close(w->region.reader);
    for (int k = 0; k < WITNESSES && w->thread == 0; k++)
        b->run->witness_there[k] = witness_has(&w->witness, (enum witness_id)k);
    witness_close(&w->witness);
    return NULL;
}

/* ---- results ---- */

static bool explained(const struct bench *b, size_t at, uint32_t explained_by[WITNESSES])
{
    bool any = false;
    for (int k = 0; k < WITNESSES; k++)
        if (b->witness[at].value[k]) {
            explained_by[k]++;
            any = true;
        }
    return any;
}

static void find_outliers(const struct bench *b, uint32_t which, struct compare_result *r, double *scratch)
{
    for (uint32_t i = 0; i < b->rounds; i++)
        scratch[i] = fabs(r->round[i] - r->time.median);
    double limit = r->time.median + 5 * fmax(stats_median(scratch, b->rounds), 0.01 * r->time.median);
    for (uint32_t i = 0; i < b->rounds; i++)
        if (r->round[i] > limit) {
            r->outliers++;
            r->unexplained += !explained(b, (size_t)which * b->rounds + i, r->explained);
        }
}

static void finish_candidate(const struct bench *b, uint32_t which, struct compare_result *r, double *scratch)
{
    unsigned threads = b->plan->threads;
    uint32_t all = b->rounds * threads * b->chunks;
    for (uint32_t i = 0; i < b->rounds; i++) {
        double sum = 0, most = 0;
        for (unsigned t = 0; t < threads; t++) {
            double one = stats_median(chunk_at(b, which, i, t), b->chunks);
            sum += one;
            most = fmax(most, one);
        }
        r->round[i] = b->plan->together ? most : sum / threads;
    }
    r->samples = b->rounds;
    r->time = stats_sign_interval(r->round, b->rounds, 0.05);
    find_outliers(b, which, r, scratch);
    for (int id = 0; id < COUNTERS; id++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < b->rounds; i++) {
            double v = b->count[((size_t)which * b->rounds + i) * COUNTERS + (size_t)id];
            if (!isnan(v))
                scratch[n++] = v;
        }
        r->count[id] = stats_sign_interval(scratch, n, 0.05);
    }
    double *chunks = chunk_at(b, which, 0, 0);
    stats_sort(chunks, all);
    r->p10 = stats_percentile(chunks, all, 10);
    r->p50 = stats_percentile(chunks, all, 50);
    r->p90 = stats_percentile(chunks, all, 90);
}

static void prepare(struct bench *b, const struct compare_plan *plan)
{
    uint64_t l2 = plan->topology ? topology_data_cache(plan->topology, 2) : 0;
    b->evict_bytes = 2 * l2 > EVICT_LEAST ? 2 * l2 : EVICT_LEAST;
    b->clock_cost = clock_cost_ns();
    b->barrier.threads = plan->threads;
    b->rounds = plan->rounds ? plan->rounds : COMPARE_ROUNDS;
    b->chunks = plan->chunks ? plan->chunks : 8;
    b->block = 1;
}

static int start(struct bench *b)
{
    unsigned threads = b->plan->threads, started = 1;
    struct worker *workers = calloc(threads, sizeof *workers);
    if (!workers)
        return -ENOMEM;
    cpu_set_t before;
    bool known = pthread_getaffinity_np(pthread_self(), sizeof before, &before) == 0;
    for (unsigned t = 0; t < threads; t++)
        workers[t] = (struct worker){.bench = b, .thread = t};
    for (; started < threads; started++)
        if (pthread_create(&workers[started].handle, NULL, work, &workers[started]) != 0)
            break;
    if (started < threads) { /* those that run wait for the missing ones: let them find the failure instead */
        atomic_store(&b->failed, -EAGAIN);
        b->barrier.threads = started;
    }
    work(&workers[0]);
    b->run->pinned = true;
    for (unsigned t = 0; t < started; t++) {
        if (t)
            pthread_join(workers[t].handle, NULL);
        b->run->pinned = b->run->pinned && workers[t].pinned;
    }
    unmake_all(b);
    if (known)
        pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    free(workers);
    return atomic_load(&b->failed);
}

int compare_run(const struct compare_plan *plan, const struct compare_candidate *candidate, uint32_t candidates,
                struct compare_run *out, struct error *err)
{
    struct bench b = {.plan = plan, .candidate = candidate, .candidates = candidates, .run = out};
    *out = (struct compare_run){.candidates = candidates};
    if (plan->threads < 1 || plan->threads > COMPARE_THREADS || candidates == 0)
        return error_set(err, -EINVAL, "a comparison takes 1 to %d threads and at least one candidate",
                         COMPARE_THREADS);
    prepare(&b, plan);
    size_t samples = (size_t)candidates * b.rounds;
    out->rounds = b.rounds;
    out->threads = plan->threads;
    b.ops = calloc(candidates, sizeof *b.ops);
    b.is_long = calloc(candidates, sizeof *b.is_long);
    b.chunk = calloc(samples * plan->threads * b.chunks, sizeof *b.chunk);
    b.count = calloc(samples * COUNTERS, sizeof *b.count);
    b.witness = calloc(samples, sizeof *b.witness);
    out->result = calloc(candidates, sizeof *out->result);
    double *rounds = calloc(samples + b.rounds, sizeof *rounds);
    const uint64_t begin = clock_now_ns();
    int code = b.ops && b.is_long && b.chunk && b.count && b.witness && out->result && rounds ? start(&b) : -ENOMEM;
    out->elapsed_ns = clock_now_ns() - begin;
    for (uint32_t i = 0; code == 0 && i < candidates; i++) {
        out->result[i].round = rounds + (size_t)i * b.rounds;
        finish_candidate(&b, i, &out->result[i], rounds + samples);
    }
    free(b.ops);
    free(b.is_long);
    free(b.chunk);
    free(b.count);
    free(b.witness);
    if (code) {
        free(rounds);
        free(out->result);
        *out = (struct compare_run){0};
        return error_set(err, code, "a candidate could not be timed: %s", strerror(-code));
    }
    return 0;
}

void compare_free(struct compare_run *run)
{
    if (run->result)
        free(run->result[0].round); /* one block holds the rounds of all */
    free(run->result);
    *run = (struct compare_run){0};
}
