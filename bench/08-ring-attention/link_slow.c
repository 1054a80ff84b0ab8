/* link_slow.c: a link of so many bytes a second, by the clock on the wall.
 *
 * Idea       A network card moves bytes while the processor computes. Here a thread for each link does: some bytes, then
 *            it sleeps until so many may have arrived, and so on. Compute goes on meanwhile, but for the copying.
 * Invariant  At any time at most (now - ready) x speed bytes of a transfer have arrived, and a piece. What the thread
 *            slept too long it doesn't have to sleep again: each piece has a time of its own, counted from when both
 *            sides were there. A thread that has to wait for a processor first then catches up, as no card would have to.
 * Cost       A wake-up for each piece, every millisecond or so, and the copying, which the processors have to do here;
 *            both are counted in what computing takes. The last piece is late by a wake-up.
 * Gets wrong Speeds near that of memory: then the link takes a processor for itself.
 */
#include "link_edge.h"

#include "measure/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#define PIECE_SECONDS 1e-3
#define LEAST_PIECE   4096u
#define MOST_PIECE    (1u << 20)

static void sleep_until(uint64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
    }
}

static void copy_slowly(struct edge *e)
{
    double piece = e->bytes_per_second * PIECE_SECONDS;
    size_t most = piece < LEAST_PIECE ? LEAST_PIECE : piece > MOST_PIECE ? MOST_PIECE : (size_t)piece;
    for (size_t at = 0; at < e->out_bytes;) {
        size_t now = e->out_bytes - at < most ? e->out_bytes - at : most;
        memcpy((char *)e->in + at, (const char *)e->out + at, now);
        at += now;
        sleep_until(e->ready + (uint64_t)((double)at * 1e9 / e->bytes_per_second));
    }
}

static void *move_all(void *context)
{
    struct edge *e = context;
    prctl(PR_SET_TIMERSLACK, 1); /* ns; usually 50,000 */
    pthread_mutex_lock(&e->lock);
    while (!e->closing)
        if (e->offered && e->wanted && e->out_bytes == e->in_bytes && !e->broken)
            edge_move(e, copy_slowly);
        else
            pthread_cond_wait(&e->changed, &e->lock);
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

int link_slow_begin(struct edge *e)
{
    int code = -pthread_create(&e->mover, NULL, move_all, e);
    if (code)
        e->bytes_per_second = 0; /* there is nobody to end */
    return code;
}

void link_slow_end(struct edge *e)
{
    if (e->bytes_per_second == 0)
        return;
    pthread_mutex_lock(&e->lock);
    e->closing = true;
    edge_changed(e);
    pthread_mutex_unlock(&e->lock);
    pthread_join(e->mover, NULL);
}
