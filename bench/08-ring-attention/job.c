/* job.c: a rank: its numbers, its workspace, its turn. */
#include "job.h"

#include "measure/clock.h"
#include "tracing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t numbers(const struct job *job, uint32_t heads, uint32_t n)
{
    return (size_t)job->ring.batch * heads * n * job->ring.d;
}

static int fill(const struct job *job, const struct job_rank *r, int which, void **rows)
{
    bool of_queries = which == 0 || which == 3;
    uint32_t heads = of_queries ? job->ring.heads : job->ring.kv_heads;
    size_t row = job->ring.d * (job->ring.type == AT_F32 || which == 3 ? sizeof(float) : sizeof(uint16_t));
    char *at = *rows = malloc((size_t)job->ring.batch * heads * r->n * row + 1);
    if (!at)
        return -ENOMEM;
    for (uint32_t b = 0; b < job->ring.batch; b++)
        for (uint32_t h = 0; h < heads; h++)
            for (uint32_t i = 0; i < r->n; i++, at += row)
                job_row(job, which, b, h, at_position(&r->at, i), at);
    return 0;
}

static int make_outputs(const struct job *job, struct job_rank *r)
{
    size_t q = numbers(job, job->ring.heads, r->n), kv = numbers(job, job->ring.kv_heads, r->n);
    r->out = calloc(q + 1, sizeof(float));
    r->lse = calloc(q / job->ring.d + 1, sizeof(float));
    r->room = 8 * job->ring.ranks + 8;
    r->span = calloc(r->room, sizeof *r->span);
    if (job->backward) {
        r->d_q = calloc(q + 1, sizeof(float));
        r->d_k = calloc(kv + 1, sizeof(float));
        r->d_v = calloc(kv + 1, sizeof(float));
        if (!r->d_q || !r->d_k || !r->d_v)
            return -ENOMEM;
    }
    return r->out && r->lse && r->span ? 0 : -ENOMEM;
}

static struct at_in dense(const struct job *job, const void *data, uint32_t heads, uint32_t n)
{
    size_t head = (size_t)n * job->ring.d;
    return (struct at_in){data, heads * head, head, job->ring.d};
}

static struct at_out dense_out(const struct job *job, float *data, uint32_t heads, uint32_t n)
{
    size_t head = (size_t)n * job->ring.d;
    return (struct at_out){data, heads * head, head, job->ring.d};
}

struct at_ranked job_ranked(const struct job *job, const struct job_rank *r, const struct at_link *link)
{
    const struct at_ring *ring = &job->ring;
    return (struct at_ranked){.q = dense(job, r->q, ring->heads, r->n),
                              .k = dense(job, r->k, ring->kv_heads, r->n),
                              .v = dense(job, r->v, ring->kv_heads, r->n),
                              .result = {dense_out(job, r->out, ring->heads, r->n), r->lse},
                              .link = link};
}

static struct at_ring traced(const struct job *job)
{
    struct at_ring ring = job->ring;
    ring.blocks = &tracing_blocks;
    return ring;
}

static int make_workspace(const struct job *job, struct job_rank *r)
{
    struct at_ring ring = traced(job);
    struct at_ranked mine = job_ranked(job, r, NULL);
    size_t more = 0;
    tracing_workspace(job);
    int code = job->ops->ring_workspace(&ring, &mine, &r->work_bytes);
    if (code == 0 && job->backward)
        code = job->ops->ring_backward_workspace ? job->ops->ring_backward_workspace(&ring, &mine, &more) : -ENOTSUP;
    tracing_end();
    if (code)
        return code;
    r->work_bytes = more > r->work_bytes ? more : r->work_bytes;
    r->work = aligned_alloc(AT_ALIGN, (r->work_bytes + AT_ALIGN) / AT_ALIGN * AT_ALIGN);
    return r->work ? 0 : -ENOMEM;
}

int job_rank_make(const struct job *job, uint32_t rank, struct job_rank *r)
{
    *r = (struct job_rank){.rank = rank};
    int code = job->ops->shard(&job->ring, rank, &r->at);
    r->n = r->at.run[0].count + r->at.run[1].count;
    code = code ? code : fill(job, r, 0, &r->q);
    code = code ? code : fill(job, r, 1, &r->k);
    code = code ? code : fill(job, r, 2, &r->v);
    if (job->backward) {
        void *d_out = NULL;
        code = code ? code : fill(job, r, 3, &d_out);
        r->d_out = d_out;
    }
    code = code ? code : make_outputs(job, r);
    code = code ? code : make_workspace(job, r);
    if (code)
        job_rank_free(r);
    return code;
}

void job_rank_free(struct job_rank *r)
{
    free(r->q), free(r->k), free(r->v), free(r->out), free(r->lse);
    free(r->d_out), free(r->d_q), free(r->d_k), free(r->d_v), free(r->work), free(r->span);
    *r = (struct job_rank){.rank = r->rank};
}

static int backward(const struct job *job, struct job_rank *r, const struct at_ring *ring, const struct at_ranked *mine)
{
    struct at_in d_out = dense(job, r->d_out, ring->heads, r->n);
    struct at_gradients to = {dense_out(job, r->d_q, ring->heads, r->n), dense_out(job, r->d_k, ring->kv_heads, r->n),
                              dense_out(job, r->d_v, ring->kv_heads, r->n)};
    memset(r->d_q, 0, numbers(job, ring->heads, r->n) * sizeof(float));
    memset(r->d_k, 0, numbers(job, ring->kv_heads, r->n) * sizeof(float));
    memset(r->d_v, 0, numbers(job, ring->kv_heads, r->n) * sizeof(float));
    return job->ops->ring_backward(ring, mine, &d_out, &to, r->work);
}

int job_rank_run(const struct job *job, struct job_rank *r, const struct at_link *link, bool virtual_clock)
{
    struct tracing tracing;
    struct at_ring ring = traced(job);
    struct at_ranked mine = job_ranked(job, r, &tracing.link);
    tracing_begin(&tracing, job, r, link, virtual_clock);
    int code = tracing.link.barrier(tracing.link.self); /* nobody begins before all are there */
    uint64_t sent = tracing.link.sent(tracing.link.self);
    r->begin = virtual_clock ? loop_now() : clock_now_ns();
    code = code ? code : job->ops->ring_forward(&ring, &mine, r->work);
    if (code == 0 && job->backward)
        code = backward(job, r, &ring, &mine);
    r->end = virtual_clock ? loop_now() : clock_now_ns();
    r->sent = tracing.link.sent(tracing.link.self) - sent;
    tracing_end();
    return code;
}

static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
    for (const unsigned char *at = data; bytes--; at++)
        hash = (hash ^ *at) * UINT64_C(0x100000001b3); /* FNV-1a */
    return hash;
}

uint64_t job_rank_hash(const struct job *job, const struct job_rank *r)
{
    size_t q = numbers(job, job->ring.heads, r->n), kv = numbers(job, job->ring.kv_heads, r->n);
    uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), r->out, q * sizeof(float));
    hash = mix(hash, r->lse, q / job->ring.d * sizeof(float));
    if (job->backward) {
        hash = mix(hash, r->d_q, q * sizeof(float));
        hash = mix(hash, r->d_k, kv * sizeof(float));
        hash = mix(hash, r->d_v, kv * sizeof(float));
    }
    return hash;
}
