/* job_whole.c: the same numbers in one place: what a ring is measured against. */
#include "job.h"
#include "team.h"

#include "measure/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct job_whole {
    struct job job; /* one rank, contiguous */
    struct job_rank rank;
    uint32_t threads;
    size_t work_bytes; /* of each */
    struct at_problem p;
    _Alignas(64) uint64_t begin[TEAM_MOST];
    uint64_t end[TEAM_MOST];
};

int job_whole_make(const struct job *job, uint32_t threads, struct job_whole **whole)
{
    struct job_whole *w = threads && threads <= TEAM_MOST ? aligned_alloc(64, (sizeof *w + 63) / 64 * 64) : NULL;
    if (!w)
        return threads && threads <= TEAM_MOST ? -ENOMEM : -EINVAL;
    memset(w, 0, sizeof *w);
    w->job = *job;
    w->job.ring.ranks = 1;
    w->job.ring.layout = AT_CONTIGUOUS;
    w->job.backward = false;
    w->threads = threads;
    const struct at_ring *ring = &w->job.ring;
    int code = job_rank_make(&w->job, 0, &w->rank);
    w->p = (struct at_problem){ring->batch, ring->heads, ring->kv_heads, w->rank.n,  w->rank.n, ring->d,
                               ring->scale, ring->type,  ring->causal,   w->rank.at, w->rank.at};
    if (code == 0)
        code = ring->blocks->workspace(&w->p, threads, &w->work_bytes);
    if (code == 0) {
        w->work_bytes = (w->work_bytes + AT_ALIGN) / AT_ALIGN * AT_ALIGN;
        free(w->rank.work);
        w->rank.work = aligned_alloc(AT_ALIGN, threads * w->work_bytes);
        code = w->rank.work ? 0 : -ENOMEM;
    }
    if (code) {
        job_rank_free(&w->rank);
        free(w);
        return code;
    }
    *whole = w;
    return 0;
}

void job_whole_free(struct job_whole *w)
{
    if (!w)
        return;
    job_rank_free(&w->rank);
    free(w);
}

static void run_part(void *context, uint32_t number, int *code)
{
    struct job_whole *w = context;
    struct at_ranked mine = job_ranked(&w->job, &w->rank, NULL);
    w->begin[number] = clock_now_ns();
    *code = w->job.ring.blocks->forward(&w->p, &mine.q, &mine.k, &mine.v, &mine.result, number, w->threads,
                                        (char *)w->rank.work + number * w->work_bytes);
    w->end[number] = clock_now_ns();
}

int job_whole_run(struct job_whole *w, uint64_t *ns)
{
    uint64_t begin = UINT64_MAX, end = 0;
    int code = team_run(w->threads, run_part, w);
    for (uint32_t i = 0; i < w->threads; i++) {
        begin = w->begin[i] < begin ? w->begin[i] : begin;
        end = w->end[i] > end ? w->end[i] : end;
    }
    *ns = end - begin;
    return code;
}

const float *job_whole_out(const struct job_whole *w)
{
    return w->rank.out;
}
