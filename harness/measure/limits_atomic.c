/* Words that two cores want: read-modify-write operations, a lock, and one cache line that is handed back and forth.
 *
 * Two lessons stand behind the choice. A plain store to a line that another core writes to as well looks free, because
 * the store buffer gathers many of them before the line comes; only operations that must read the line show its price.
 * And in a handing-over with two lines (a question and an answer), what is measured depends on where the two happen to
 * lie; with one line it does not.
 */
#include "measure/limits_bench.h"

#include "measure/clock.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* ---- read-modify-write, lock ---- */

struct word {
    _Alignas(LIMITS_LINE) _Atomic uint64_t value;
    _Atomic uint64_t neighbour; /* of the same line */
};

struct locked {
    _Alignas(LIMITS_LINE) pthread_mutex_t lock;
    uint64_t value;
};

/* What was counted is read by nobody, but the memory is shared, so no compiler may leave the operations out. */
static struct word word[2];
static struct locked locked = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void increment_by_cas(void *context, uint64_t operations)
{
    _Atomic uint64_t *w = context;
    for (uint64_t i = 0; i < operations; i++) {
        uint64_t seen = atomic_load_explicit(w, memory_order_relaxed);
        while (!atomic_compare_exchange_weak(w, &seen, seen + 1))
            ;
    }
}

static void increment(void *context, uint64_t operations)
{
    _Atomic uint64_t *w = context;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < operations; i++)
        sum += atomic_fetch_add(w, 1);
    limits_keep(sum);
}

static void increment_locked(void *context, uint64_t operations)
{
    struct locked *l = context;
    for (uint64_t i = 0; i < operations; i++) {
        pthread_mutex_lock(&l->lock);
        l->value++;
        pthread_mutex_unlock(&l->lock);
    }
}

static struct limits_work work_of(unsigned which, unsigned thread)
{
    struct limits_work w = {.run = increment, .context = (void *)&word[0].value};
    if (which == LIMITS_CAS)
        w.run = increment_by_cas;
    if (which == LIMITS_MUTEX) {
        w.run = increment_locked;
        w.context = &locked;
    }
    if (which == LIMITS_SAME_LINE && thread == 1)
        w.context = (void *)&word[0].neighbour;
    if (which == LIMITS_OWN_LINE && thread == 1)
        w.context = (void *)&word[1].value;
    return w;
}

void limits_atomic_alone(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    struct limits_work work = work_of(which, 0);
    limits_alone(b, s, &work);
}

void limits_atomic_together(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    struct limits_work work[2] = {work_of(which, 0), work_of(which, 1)};
    limits_together(b, s, work);
}

/* ---- one line, back and forth ---- */

#define TRIPS   200
#define SPINS   (1 << 16) /* between two looks at the clock */
#define PATIENT 100000000 /* ns that a side waits for the other before it gives up the chunk */

struct handing {
    _Alignas(LIMITS_LINE) _Atomic uint64_t turn; /* even: the first thread's; odd: the second's */
    _Alignas(LIMITS_LINE) atomic_bool quit;      /* read by the second thread while it waits, written once */
    bool refused;                                /* the second thread's binding */
    const struct limits_bench *bench;
    struct error err;
};

static void *hand_back(void *argument)
{
    struct handing *h = argument;
    h->refused = topology_bind(h->bench->topology, h->bench->two[1], &h->err) != 0;
    for (uint64_t want = 1;; want += 2) {
        while (atomic_load_explicit(&h->turn, memory_order_acquire) != want)
            if (atomic_load_explicit(&h->quit, memory_order_relaxed))
                return NULL;
        atomic_store_explicit(&h->turn, want + 1, memory_order_release);
    }
}

/* Waits until it is the first thread's turn again; false when the other side is not there. */
static bool wait_for(struct handing *h, uint64_t want)
{
    uint64_t begin = 0;
    for (unsigned spins = 0; atomic_load_explicit(&h->turn, memory_order_acquire) != want; spins++)
        if (spins == SPINS) {
            spins = 0;
            uint64_t now = clock_now_ns();
            begin = begin ? begin : now;
            if (now - begin > PATIENT)
                return false;
        }
    return true;
}

static double round_trips(void *context)
{
    struct handing *h = context;
    uint64_t turn = atomic_load(&h->turn), begin = clock_now_ns();
    for (int i = 0; i < TRIPS; i++, turn += 2) {
        if (!wait_for(h, turn))
            return (double)NAN;
        atomic_store_explicit(&h->turn, turn + 1, memory_order_release);
    }
    if (!wait_for(h, turn))
        return (double)NAN;
    return (double)(clock_now_ns() - begin) / TRIPS;
}

void limits_line_round_trip(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    (void)which;
    struct handing h = {.bench = b};
    struct limits_bench first = *b; /* the first thread's place is that of the pair */
    pthread_t other;
    if (*b->two_reason) {
        limits_refuse(s, "%s", b->two_reason);
        return;
    }
    first.one = b->two[0];
    snprintf(s->place, sizeof s->place, "%s", b->two_words);
    int code = pthread_create(&other, NULL, hand_back, &h);
    if (code) {
        limits_refuse(s, "no thread could be started: %s", strerror(code));
        return;
    }
    struct limits_work work = {.timed = round_trips, .context = &h};
    limits_alone(&first, s, &work);
    atomic_store(&h.quit, true);
    pthread_join(other, NULL);
    if (h.refused)
        limits_refuse(s, "%.200s", h.err.text);
}
