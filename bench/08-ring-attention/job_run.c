/* job_run.c: all ranks of a job in this process, over the loop or over threads. */
#include "job.h"
#include "link_threads.h"
#include "team.h"

#include <errno.h>
#include <stdlib.h>

struct all {
    const struct job *job;
    struct job_rank *rank;
    struct link_group *group;
};

static void make_one(void *context, uint32_t number, int *code)
{
    struct all *a = context;
    *code = job_rank_make(a->job, number, &a->rank[number]);
}

int job_make(const struct job *job, struct job_rank **ranks)
{
    struct at_positions first;
    if (job->ring.ranks == 0 || job->ring.ranks > LINK_MAX_RANKS || job->ops->shard(&job->ring, 0, &first) != 0)
        return -EINVAL;
    struct all a = {job, calloc(job->ring.ranks, sizeof *a.rank), NULL};
    int code = a.rank ? team_run(job->ring.ranks, make_one, &a) : -ENOMEM;
    if (code)
        job_free(job, a.rank);
    *ranks = code ? NULL : a.rank;
    return code;
}

void job_free(const struct job *job, struct job_rank *ranks)
{
    for (uint32_t i = 0; ranks && i < job->ring.ranks; i++)
        job_rank_free(&ranks[i]);
    free(ranks);
}

static void run_one(void *context, uint32_t number, int *code)
{
    struct all *a = context;
    struct at_link link = link_of_rank(a->group, number);
    *code = job_rank_run(a->job, &a->rank[number], &link, false);
    link_leave(a->group, number, *code);
}

static void note_transfer(struct job_rank *r, uint32_t step, uint64_t begin, uint64_t end)
{
    if (r->spans < r->room)
        r->span[r->spans++] = (struct job_span){JOB_TRANSFER, step, begin, end};
}

static uint64_t duration(const struct job *job, struct job_rank *rank)
{
    uint64_t begin = UINT64_MAX, end = 0;
    for (uint32_t i = 0; i < job->ring.ranks; i++) {
        begin = rank[i].begin < begin ? rank[i].begin : begin;
        end = rank[i].end > end ? rank[i].end : end;
    }
    for (uint32_t i = 0; i < job->ring.ranks; i++)
        for (uint32_t s = 0; s < rank[i].spans; s++) {
            rank[i].span[s].begin -= begin;
            rank[i].span[s].end -= begin;
        }
    return end - begin;
}

static int run_threads(const struct job *job, struct job_rank *ranks, double bytes_per_second)
{
    struct link_settings settings = {job->ring.ranks, bytes_per_second, 3 * job->ring.ranks};
    struct all a = {job, ranks, NULL};
    int code = link_group_create(&settings, &a.group);
    if (code)
        return code;
    code = team_run(job->ring.ranks, run_one, &a);
    for (uint32_t i = 0; i < job->ring.ranks && code == 0; i++) {
        uint32_t n;
        const struct link_transfer *t = link_transfers(a.group, i, &n);
        for (uint32_t step = 0; step < n; step++)
            note_transfer(&ranks[i], step, t[step].begin, t[step].end);
    }
    link_group_destroy(a.group);
    return code;
}

static int run_on_loop(void *context, const struct at_link *link)
{
    struct all *a = context;
    return job_rank_run(a->job, &a->rank[link->rank], link, true);
}

static int run_loop(const struct job *job, struct job_rank *ranks, const struct loop_settings *given)
{
    struct loop_settings settings = *given;
    struct loop_record *record = calloc(1, sizeof *record);
    struct all a = {job, ranks, NULL};
    int code = -ENOMEM;
    settings.ranks = job->ring.ranks;
    if (record) {
        record->room = 64 * (size_t)job->ring.ranks * (job->ring.ranks + 2);
        record->event = calloc(record->room, sizeof *record->event);
        code = record->event ? loop_run(&settings, run_on_loop, &a, record) : -ENOMEM;
        for (size_t i = 0; i < record->events && code == 0; i++) {
            const struct loop_event *e = &record->event[i];
            uint32_t step = 0;
            for (size_t s = 0; s < i; s++)
                step += record->event[s].what == LOOP_TRANSFER && record->event[s].rank == e->rank;
            if (e->what == LOOP_TRANSFER)
                note_transfer(&ranks[e->rank], step, e->begin, e->end);
        }
        free(record->event);
    }
    free(record);
    return code;
}

int job_run(const struct job *job, struct job_rank *ranks, const struct job_way *way, uint64_t *ns)
{
    int code = way->transport == JOB_LOOP      ? run_loop(job, ranks, &way->loop)
               : way->transport == JOB_THREADS ? run_threads(job, ranks, 0)
               : way->bytes_per_second > 0     ? run_threads(job, ranks, way->bytes_per_second)
                                               : -EINVAL;
    if (code == 0)
        *ns = duration(job, ranks);
    return code;
}
