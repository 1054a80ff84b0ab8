/* ranks: a ring of MPI processes, on one machine or on many: --help has its options.
 *
 * Idea       A rank of the ring is an MPI process, a link a pair of nonblocking messages. What a rank does is the same
 *            as over threads, to the last bit.
 * Invariant  At most one pair of messages is under way. A message too large for MPI's int is sent in pieces, in order.
 * Cost       MPI moves large messages only while somebody calls it: nothing travels while a rank computes. So a block is
 *            computed in --parts, with MPI_Testall after each. On one machine that is worth nothing: of 107 ms with 4
 *            MiB to send, a rank waits 0.5 ms at most in one part and 2 us in eight, which compute 1 % more slowly.
 * Source     The MPI standard, 3.7.4 (progress) and 3.7.3 (nonblocking completion).
 */
#include "ranks_options.h"

#include "base/memory.h"
#include "base/terminal.h"
#include "base/text.h"
#include "measure/clock.h"
#include "report/table.h"

#include <errno.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PIECE  ((size_t)1 << 30)
#define PIECES 32u /* of a message */

/* ---- the link ---- */

struct mpi_link {
    int next, previous, in, all; /* ranks; requests: those of `in` come first */
    MPI_Request request[2 * PIECES];
    MPI_Status status[2 * PIECES];
    size_t in_bytes;
    uint64_t sent;
    bool begun, ended; /* ended: MPI_Testall has found that all is done */
};

static struct mpi_link the_link;

static int to_errno(int code)
{
    int class = MPI_SUCCESS;
    if (code != MPI_SUCCESS)
        MPI_Error_class(code, &class);
    return class == MPI_SUCCESS ? 0 : class == MPI_ERR_TRUNCATE ? -EMSGSIZE : -EPIPE;
}

static int may_call(const struct mpi_link *l, const void *data, size_t bytes)
{
    return l->begun ? -EBUSY : !data && bytes ? -EINVAL : bytes > PIECE * PIECES ? -EMSGSIZE : 0;
}

static int start(struct mpi_link *l, char *data, size_t bytes, int with, bool receives)
{
    int code = MPI_SUCCESS;
    for (size_t at = 0; code == MPI_SUCCESS && (at < bytes || at == 0); at += PIECE) {
        int now = (int)(bytes - at < PIECE ? bytes - at : PIECE);
        MPI_Request *request = &l->request[l->all];
        code = receives ? MPI_Irecv(data + at, now, MPI_BYTE, with, 0, MPI_COMM_WORLD, request)
                        : MPI_Isend(data + at, now, MPI_BYTE, with, 0, MPI_COMM_WORLD, request);
        l->all += code == MPI_SUCCESS;
    }
    return to_errno(code);
}

static int check_sizes(const struct mpi_link *l)
{
    size_t bytes = 0;
    for (int i = 0; i < l->in; i++) {
        int some = 0;
        MPI_Get_count(&l->status[i], MPI_BYTE, &some);
        bytes += (size_t)some;
    }
    return bytes == l->in_bytes ? 0 : -EMSGSIZE;
}

static int begin_in(struct mpi_link *l, void *in, size_t bytes)
{
    l->all = 0;
    l->ended = false;
    l->in_bytes = bytes;
    int code = start(l, in, bytes, l->previous, true);
    l->in = l->all;
    return code;
}

static int finish(struct mpi_link *l)
{
    int code = l->ended ? 0 : to_errno(MPI_Waitall(l->all, l->request, l->status));
    l->begun = false;
    return code ? code : check_sizes(l);
}

static int link_send(void *self, const void *data, size_t bytes)
{
    struct mpi_link *l = self;
    int code = may_call(l, data, bytes);
    if (code)
        return code;
    l->sent += bytes;
    l->all = l->in = 0;
    l->in_bytes = 0;
    l->ended = false;
    code = start(l, (char *)(uintptr_t)data, bytes, l->next, false); /* MPI only reads it */
    int ended = finish(l);
    return code ? code : ended;
}

static int link_receive(void *self, void *data, size_t bytes)
{
    struct mpi_link *l = self;
    int code = may_call(l, data, bytes);
    if (code)
        return code;
    code = begin_in(l, data, bytes);
    int ended = finish(l);
    return code ? code : ended;
}

static int link_begin(void *self, const void *out, size_t out_bytes, void *in, size_t in_bytes)
{
    struct mpi_link *l = self;
    int code = may_call(l, out, out_bytes);
    code = code ? code : may_call(l, in, in_bytes);
    if (code)
        return code;
    l->sent += out_bytes;
    l->begun = true;
    code = begin_in(l, in, in_bytes);
    return code ? code : start(l, (char *)(uintptr_t)out, out_bytes, l->next, false);
}

static int link_wait(void *self)
{
    struct mpi_link *l = self;
    return l->begun ? finish(l) : 0;
}

static int link_barrier(void *self)
{
    (void)self;
    return to_errno(MPI_Barrier(MPI_COMM_WORLD));
}

static uint64_t link_sent(const void *self)
{
    return ((const struct mpi_link *)self)->sent;
}

/* ---- a rank ---- */

struct told { /* to rank 0 */
    char host[MPI_MAX_PROCESSOR_NAME], error[200];
    int code;
    uint64_t begin, ns, computed, waited, sent, hash;
    uint64_t rows, workspace, resident;
    struct job_error off;
};

static struct progress progress;

static void tick(void *context, uint32_t rank, uint64_t met, uint64_t all)
{
    struct mpi_link *l = &the_link;
    (void)context;
    int done = 0;
    if (l->begun && !l->ended && MPI_Testall(l->all, l->request, &done, l->status) == MPI_SUCCESS)
        l->ended = done != 0;
    if (rank == 0 && progress.shown)
        progress_set(&progress, (uint64_t)((double)met / (double)all * 1000));
}

/* The others sleep in this, where MPI_Barrier would keep a processor busy. */
static void quiet_barrier(void)
{
    MPI_Request request;
    int done = 0;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    for (MPI_Test(&request, &done, MPI_STATUS_IGNORE); !done; MPI_Test(&request, &done, MPI_STATUS_IGNORE))
        usleep(200);
}

static uint64_t sum_of(const struct job_rank *r, enum job_what what)
{
    uint64_t ns = 0;
    for (uint32_t i = 0; i < r->spans; i++)
        ns += r->span[i].what == (uint32_t)what ? r->span[i].end - r->span[i].begin : 0;
    return ns;
}

/* The longest of all ranks'. A barrier stands before it, so all begin at nearly the same time. */
static uint64_t slowest(uint64_t ns)
{
    uint64_t most = ns;
    MPI_Allreduce(&ns, &most, 1, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD);
    return most;
}

struct rounds { /* ns, of each repetition */
    uint64_t *mpi, *threads;
};

static int run_threads(const struct ranks_options *o, struct job_rank *all, uint64_t *ns)
{
    struct job job = o->job;
    const struct job_way way = {.transport = JOB_THREADS};
    job.tick = NULL;
    return all ? job_run(&job, all, &way, ns) : 0;
}

static int run_all(const struct ranks_options *o, struct job_rank *r, const struct at_link *link, struct job_rank *all,
                   struct rounds *rounds)
{
    int code = 0;
    for (uint32_t i = 0; i < o->repeats && code == 0; i++) {
        code = job_rank_run(&o->job, r, link, false);
        if (code)
            break;
        rounds->mpi[i] = slowest(r->end - r->begin);
        if (o->threads) {
            code = run_threads(o, all, &rounds->threads[i]);
            quiet_barrier();
        }
    }
    return code;
}

static void measure(const struct ranks_options *o, struct told *t, struct rounds *rounds)
{
    struct job_rank r;
    struct job_rank *all = NULL;
    int rank = 0, ranks = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    the_link = (struct mpi_link){.next = (rank + 1) % ranks, .previous = (rank + ranks - 1) % ranks};
    struct at_link link = {&the_link,  (uint32_t)rank, (uint32_t)ranks, link_send, link_receive,
                           link_begin, link_wait,      link_barrier,    link_sent};
    t->code = job_rank_make(&o->job, (uint32_t)rank, &r);
    if (t->code == 0 && o->threads && rank == 0)
        t->code = job_make(&o->job, &all);
    t->code = t->code ? t->code : run_all(o, &r, &link, all, rounds);
    progress_end(&progress);
    if (t->code == 0) {
        struct rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        t->resident = (uint64_t)usage.ru_maxrss * 1024;
        t->ns = r.end - r.begin;
        t->computed = sum_of(&r, JOB_COMPUTE);
        t->waited = sum_of(&r, JOB_WAIT);
        t->sent = r.sent;
        t->rows = r.n;
        t->workspace = r.work_bytes;
        t->hash = job_rank_hash(&o->job, &r);
        if (o->check)
            t->code = job_rank_check(&o->job, &r, (o->check + (uint32_t)ranks - 1) / (uint32_t)ranks, &t->off);
    }
    if (t->code) {
        fprintf(stderr, "ranks: rank %d of %d: %s\n", rank, ranks, strerror(-t->code));
        fflush(stderr);
        MPI_Abort(MPI_COMM_WORLD, EXIT_CANNOT_TELL); /* the others may be waiting for this one */
    }
    job_rank_free(&r);
    job_free(&o->job, all);
}

/* ---- what is said ---- */

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void print_rounds(const char *over, uint64_t *ns, const struct ranks_options *o)
{
    char best[TEXT_NUMBER], median[TEXT_NUMBER], worst[TEXT_NUMBER];
    const uint32_t middle = o->repeats / 2;
    for (uint32_t i = 0; i < o->repeats && o->times; i++)
        printf("times %s %u %llu\n", over, i, (unsigned long long)ns[i]);
    qsort(ns, o->repeats, sizeof *ns, by_size);
    printf("%s: %s, %.1f GFLOP/s", over, text_duration(best, (double)ns[0]),
           job_operations(&o->job.ring) / (double)ns[0]);
    if (o->repeats > 1)
        printf(" (best of %u; median %s, worst %s)", o->repeats, text_duration(median, (double)ns[middle]),
               text_duration(worst, (double)ns[o->repeats - 1]));
    printf("\n");
}

static void print_head(const struct ranks_options *o)
{
    static const char *const layout[] = {"contiguous", "striped", "zigzag"};
    const struct at_ring *ring = &o->job.ring;
    char tokens[TEXT_NUMBER];
    printf("%s tokens over %u ranks, %s%s; batch %u, heads %u (%u of keys), d %u, %s%s; %s over %s, seed %llu\n",
           text_count(tokens, ring->total), ring->ranks, layout[ring->layout], ring->causal ? ", causal" : "",
           ring->batch, ring->heads, ring->kv_heads, ring->d, ring->type == AT_F32 ? "float32" : "bfloat16",
           ring->partial == AT_BF16 ? ", partial results in bfloat16" : "", o->entry, o->blocks,
           (unsigned long long)o->job.seed);
}

static bool print_ranks(const struct ranks_options *o, const struct told *told)
{
    static const char *const columns[] = {"rank", "host",      "rows",     "computed",      "waited",
                                          "sent", "workspace", "peak RSS", "largest error", "result"};
    struct table *t = table_create();
    bool right = true;
    char text[TEXT_NUMBER];
    for (size_t i = 0; i < COUNT(columns); i++)
        table_column(t, columns[i], i == 1 ? TABLE_LEFT : TABLE_RIGHT);
    for (uint32_t i = 0; i < o->job.ring.ranks; i++) {
        const struct told *r = &told[i];
        table_cell(t, "%u", i);
        table_cell(t, "%s", r->host);
        table_cell(t, "%s", text_count(text, r->rows));
        table_cell(t, "%s", text_duration(text, (double)r->computed));
        table_cell(t, "%s", text_duration(text, (double)r->waited));
        table_cell(t, "%s", text_count(text, r->sent));
        table_cell(t, "%s", text_bytes(text, (double)r->workspace));
        table_cell(t, "%s", text_bytes(text, (double)r->resident));
        if (o->check)
            table_cell(t, "%.1e", r->off.out);
        else
            table_cell(t, "not checked");
        table_cell(t, "%016llx", (unsigned long long)r->hash);
        right = right && (!o->check || ranks_right(&o->job, &r->off));
    }
    table_print(stdout, t, 0);
    table_destroy(t);
    return right;
}

static int report(const struct ranks_options *o, const struct told *told, const struct rounds *rounds)
{
    print_head(o);
    bool right = print_ranks(o, told);
    print_rounds("MPI", rounds->mpi, o);
    if (o->threads) {
        print_rounds("threads", rounds->threads, o);
        printf("MPI over threads: %.1f %% (best of each)\n",
               100.0 * (double)rounds->threads[0] / (double)rounds->mpi[0]);
    }
    if (!right)
        printf("WRONG: a checked row is further from float64 than rounding explains\n");
    return right ? EXIT_FINE : EXIT_FAILED;
}

static int run(struct ranks_options *o, int rank)
{
    struct told mine = {.code = 0}, *told = calloc(o->job.ring.ranks, sizeof *told);
    struct rounds rounds = {calloc(o->repeats, sizeof(uint64_t)), calloc(o->repeats, sizeof(uint64_t))};
    int exit_code = EXIT_FINE;
    if (!told || !rounds.mpi || !rounds.threads) {
        MPI_Abort(MPI_COMM_WORLD, EXIT_CANNOT_TELL);
        exit(EXIT_CANNOT_TELL);
    }
    int length;
    MPI_Get_processor_name(mine.host, &length);
    o->job.tick = tick;
    if (rank == 0)
        progress_start(&progress, "ring", 1000, o->quiet || o->repeats > 1);
    measure(o, &mine, &rounds);
    MPI_Gather(&mine, sizeof mine, MPI_BYTE, told, sizeof mine, MPI_BYTE, 0, MPI_COMM_WORLD);
    if (rank == 0)
        exit_code = report(o, told, &rounds);
    MPI_Bcast(&exit_code, 1, MPI_INT, 0, MPI_COMM_WORLD);
    free(told);
    free(rounds.mpi);
    free(rounds.threads);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct ranks_options o;
    struct error err = {""};
    int rank = 0, ranks = 1, level;
    int code = ranks_parse(argc, argv, &o, &err);
    if (code > 0)
        return EXIT_FINE;
    if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS)
        error_exit(EXIT_CANNOT_TELL, "ranks: MPI does not start");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    code = code ? code : ranks_load(&o, (uint32_t)ranks, &err);
    /* All have found the same, unless their machines differ: then nobody may run without the others. */
    int worst = code;
    MPI_Allreduce(&code, &worst, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (worst && (rank == 0 || code != worst) && code)
        fprintf(stderr, "ranks: %s\n", err.text);
    int exit_code = worst == 0 ? run(&o, rank) : worst == -EINVAL ? EXIT_WRONG_USE : EXIT_CANNOT_TELL;
    MPI_Finalize();
    return exit_code;
}
