/* ping_pong.c: how long a cache line takes from one core to another and back. */
#include "measure/ping_pong.h"

#include "measure/clock.h"
#include "measure/stats.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define CHUNKS 40
#define TRIPS  100

struct line {
    _Alignas(128) _Atomic uint32_t turn;
    const struct topology *topology;
    const unsigned *place;
    double ns;
};

/* Gives way now and then, for where both share one processor. */
static void wait_for(struct line *line, uint32_t turn)
{
    for (unsigned spins = 1; atomic_load_explicit(&line->turn, memory_order_acquire) != turn; spins++)
        if (spins % 4096 == 0)
            sched_yield();
}

/* Odd turns are this thread's. */
static void *answer(void *context)
{
    struct line *line = context;
    topology_bind(line->topology, line->place[1], NULL);
    for (uint32_t turn = 1; turn < 2 * CHUNKS * TRIPS; turn += 2) {
        wait_for(line, turn);
        atomic_store_explicit(&line->turn, turn + 1, memory_order_release);
    }
    return NULL;
}

static void *ask(void *context)
{
    struct line *line = context;
    double chunk[CHUNKS];
    uint32_t turn = 0;
    topology_bind(line->topology, line->place[0], NULL);
    for (int c = 0; c < CHUNKS; c++) {
        uint64_t begin = clock_now_ns();
        for (int i = 0; i < TRIPS; i++, turn += 2) {
            atomic_store_explicit(&line->turn, turn + 1, memory_order_release);
            wait_for(line, turn + 2);
        }
        chunk[c] = (double)(clock_now_ns() - begin) / TRIPS;
    }
    stats_sort(chunk, CHUNKS);
    line->ns = stats_percentile(chunk, CHUNKS, 10);
    return NULL;
}

int ping_pong_ns(const struct topology *topology, const unsigned place[2], double *ns)
{
    struct line line = {.topology = topology, .place = place};
    pthread_t side[2];
    /* Threads of their own, so that the caller stays where it is. The one that answers comes first: without it the
     * other would wait for ever. */
    if (pthread_create(&side[0], NULL, answer, &line) != 0)
        return -EAGAIN;
    if (pthread_create(&side[1], NULL, ask, &line) == 0)
        pthread_join(side[1], NULL);
    else
        ask(&line);
    pthread_join(side[0], NULL);
    *ns = line.ns;
    return 0;
}
