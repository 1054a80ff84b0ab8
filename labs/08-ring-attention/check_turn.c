/* check_turn.c: a ring run in the host, and what the judge makes of its log: the calls of every rank are made again, in
 * the same order, on a loop of the judge's own. Bytes, waiting and time are read there. */
#include "check_scene.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene *ring_scene(uint32_t total, uint32_t ranks, enum at_layout layout, bool causal)
{
    struct scene shape = {.kind = SCENE_RING, .parts = 1, .problem = problem_of(0, 0, total)};
    shape.problem.causal = causal;
    shape.ring.total = total;
    shape.ring.ranks = ranks;
    shape.ring.layout = layout;
    shape.ring.loop = (struct loop_settings){.holds = (size_t)1 << 30};
    shape.numbers = 1;
    struct scene *s = room_for(1, SCENE_SIZE(1));
    *s = shape;
    return s;
}

static _Noreturn void wrong(const struct ring_run *run, const char *lesson, const char *format, ...)
{
    static const char *const layout[] = {"contiguous", "striped", "zigzag"};
    char text[900];
    const struct scene *s = run->scene;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    check_that(false, "%u rank%s, %llu token%s, %s%s: %s%s%s", s->ring.ranks, s->ring.ranks == 1 ? "" : "s",
               (unsigned long long)s->ring.total, s->ring.total == 1 ? "" : "s", layout[s->ring.layout % 3],
               s->problem.causal ? ", causal" : "", text, lesson ? "\n" : "", lesson ? lesson : "");
    abort(); /* not reached */
}

/* ---- what went wrong before anybody met anybody ---- */

static void shards_are_usable(const struct ring_run *run, const char *lesson)
{
    for (uint32_t r = 0; r < run->scene->ring.ranks; r++)
        if (run->rank[r].shard_code)
            wrong(run, lesson, "shard must return 0 for rank %u, but returned -%u (%s).", r, run->rank[r].shard_code,
                  strerror((int)run->rank[r].shard_code));
    for (uint32_t r = 0; r < run->scene->ring.ranks; r++) {
        const struct scene_rank *k = &run->rank[r];
        const uint64_t bytes = k->bytes_low | (uint64_t)k->bytes_high << 32;
        if (k->asked == EINVAL && bytes == 0)
            wrong(run, lesson,
                  "shard of some rank names positions that are none. Rank %u: %u from %u, step %u, and %u from %u, "
                  "step %u.",
                  r, k->run[0][2], k->run[0][0], k->run[0][1], k->run[1][2], k->run[1][0], k->run[1][1]);
        if (k->asked == ENOMEM)
            wrong(run, lesson, "ring_workspace of rank %u asked for %llu bytes, more than there are.", r,
                  (unsigned long long)bytes);
        if (k->asked)
            wrong(run, lesson, "ring_workspace must return 0 for rank %u, but returned -%u (%s).", r, k->asked,
                  strerror((int)k->asked));
    }
}

static void tell_deadlock(const struct ring_run *run, const char *lesson)
{
    struct loop_record record = {0};
    char text[600];
    for (uint32_t r = 0; r < run->scene->ring.ranks; r++) {
        record.rank[r].waited = run->rank[r].waited != 0;
        record.rank[r].out = run->rank[r].out != 0;
        record.rank[r].what = run->rank[r].what;
        record.rank[r].on = run->rank[r].on;
        record.rank[r].amount = run->rank[r].amount;
    }
    struct loop_settings settings = run->scene->ring.loop;
    settings.ranks = run->scene->ring.ranks;
    wrong(run, lesson, "all ranks wait for each other, for ever. %s", loop_tell(&settings, &record, text, sizeof text));
}

static void ranks_ended_well(const struct ring_run *run, const char *lesson)
{
    if (run->head[RING_CODE] == EDEADLK)
        tell_deadlock(run, lesson);
    for (uint32_t r = 0; r < run->scene->ring.ranks; r++) {
        const uint32_t code = run->rank[r].code;
        if (code && code != EPIPE)
            wrong(run, lesson, "ring_forward of rank %u must return 0, but returned -%u (%s).%s", r, code,
                  strerror((int)code),
                  code == EMSGSIZE ? " What the rank before it had sent was longer or shorter than what it asked for."
                  : code == EBUSY  ? " What was begun has to end with wait before anything else is sent or begun."
                                   : "");
    }
    if (run->head[RING_CODE])
        wrong(run, lesson, "the ring ended with -%u (%s).", run->head[RING_CODE], strerror((int)run->head[RING_CODE]));
    for (uint32_t r = 0; r < run->scene->ring.ranks; r++)
        if (run->rank[r].outside == 1)
            wrong(run, lesson,
                  "rank %u has written outside the %u bytes of workspace that it had asked for. Was there room for the "
                  "longest shard? That is not always rank 0's.",
                  r, run->rank[r].bytes_low);
        else if (run->rank[r].outside)
            wrong(run, lesson, "rank %u has written between the rows of its output.", r);
}

/* ---- the calls, once more ---- */

struct play {
    const struct ring_run *run;
    void *out, *in; /* as large as any message */
};

static uint32_t bytes_of_next_wait(const struct ring_run *run, uint32_t from)
{
    for (uint32_t i = from; i < run->head[RING_EVENTS]; i++)
        if (run->event[i].rank == run->event[from].rank && run->event[i].what == LOOP_WAIT)
            return run->event[i].amount;
    return run->event[from].amount;
}

static int play_rank(void *context, const struct at_link *link)
{
    const struct play *p = context;
    const struct ring_run *run = p->run;
    int code = 0;
    for (uint32_t i = 0; i < run->head[RING_EVENTS] && !code; i++) {
        const struct scene_event *e = &run->event[i];
        if (e->rank != link->rank)
            continue;
        switch (e->what) {
        case LOOP_SEND:
            code = link->send(link->self, p->out, e->amount);
            break;
        case LOOP_RECEIVE:
            code = link->receive(link->self, p->in, e->amount);
            break;
        case LOOP_BEGIN:
            code = link->begin(link->self, p->out, e->amount, p->in, bytes_of_next_wait(run, i));
            break;
        case LOOP_WAIT:
            code = link->wait(link->self);
            break;
        case LOOP_BARRIER:
            code = link->barrier(link->self);
            break;
        case LOOP_WORK:
            loop_work(e->amount);
            break;
        default:
            code = -EINVAL;
        }
    }
    return code;
}

static void play(struct ring_run *run, const char *lesson)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < run->head[RING_EVENTS]; i++)
        most = run->event[i].what != LOOP_WORK && run->event[i].amount > most ? run->event[i].amount : most;
    if (most > (uint32_t)1 << 28)
        wrong(run, lesson, "a message of %u bytes, which is more than all keys and values.", most);
    struct play p = {run, room_for(most, 1), room_for(most, 1)};
    struct loop_settings settings = run->scene->ring.loop;
    settings.ranks = run->scene->ring.ranks;
    const int code = loop_run(&settings, play_rank, &p, &run->played);
    free(p.out);
    free(p.in);
    if (code)
        wrong(run, lesson, "the log has calls that can't have been made (%s when they are made again).",
              strerror(-code));
}

void ring_run_within(struct scene *s, uint64_t data_bytes, struct ring_run *run, const char *lesson)
{
    *run = (struct ring_run){.scene = s};
    if (data_bytes == 0) {
        check_host("ring", s, SCENE_SIZE(s->numbers), sizeof(uint32_t), scene_records(s), &run->outcome);
    } else {
        check_host_request((struct host_request){.entry = "ring",
                                                 .scenario = s,
                                                 .scenario_size = SCENE_SIZE(s->numbers),
                                                 .record_size = sizeof(uint32_t),
                                                 .records = scene_records(s),
                                                 .data_bytes = data_bytes},
                           &run->outcome);
        if (run->outcome.verdict != VERDICT_FINISHED)
            check_fail(run->outcome.verdict, "%u ranks, with %.3g MiB for all of them: %s%s%s", s->ring.ranks,
                       (double)data_bytes / (1 << 20), run->outcome.sentence, lesson ? "\n" : "", lesson ? lesson : "");
    }
    run->head = run->outcome.records;
    run->rank = (const void *)(run->head + RING_HEAD);
    run->event = (const void *)(run->rank + s->ring.ranks);
    run->out = (const void *)(run->event + SCENE_EVENTS);
    run->lse = run->out + (size_t)s->problem.batch * s->problem.heads * s->ring.total * s->problem.d;
    if (run->head[RING_EVENTS] > SCENE_EVENTS)
        wrong(run, lesson, "the log has more calls than fit into it.");
    shards_are_usable(run, lesson);
    ranks_ended_well(run, lesson);
    play(run, lesson);
}

void ring_run(struct scene *s, struct ring_run *run, const char *lesson)
{
    ring_run_within(s, 0, run, lesson);
}

void ring_end(struct ring_run *run)
{
    host_outcome_free(&run->outcome);
    free((struct scene *)(uintptr_t)run->scene);
}

/* ---- who has which tokens ---- */

static struct at_run piece(uint32_t total, uint32_t which, uint32_t runs)
{
    const uint32_t each = total / runs, more = total % runs;
    return (struct at_run){(uint64_t)which * each + (which < more ? which : more), 1, each + (which < more)};
}

/* Two runs that follow each other may be told as one: what counts is which row is which token. */
static void shard_is(const struct ring_run *run, uint32_t r, const struct at_run expected[2], const char *rule)
{
    uint32_t n = 0, have = run->rank[r].run[0][2] + run->rank[r].run[1][2];
    for (int i = 0; i < 2; i++)
        for (uint32_t j = 0; j < expected[i].count; j++, n++) {
            const uint32_t *k = run->rank[r].run[n >= run->rank[r].run[0][2]];
            const uint64_t in = n - (k == run->rank[r].run[0] ? 0 : run->rank[r].run[0][2]);
            const uint64_t wanted = expected[i].first + expected[i].step * j, actual = k[0] + (uint64_t)k[1] * in;
            if (n >= have)
                wrong(run, rule, "rank %u must have token %llu in row %u, and has only %u rows.", r,
                      (unsigned long long)wanted, n, have);
            if (wanted != actual)
                wrong(run, rule, "rank %u, row %u: expected: token %llu; actual: token %llu", r, n,
                      (unsigned long long)wanted, (unsigned long long)actual);
        }
    if (n != have)
        wrong(run, rule, "rank %u: expected: %u rows; actual: %u", r, n, have);
}

void ring_shards(const struct ring_run *run)
{
    static const char *const rule[] = {
        "contiguous: rank r has the r-th of P runs; the first total % P have a row more.",
        "striped: rank r has r, r + P, r + 2P, ...",
        "zigzag: rank r has the r-th and the (2P - 1 - r)-th of 2P runs; the first total % 2P have a row more."};
    const struct scene_ring *ring = &run->scene->ring;
    const uint32_t total = (uint32_t)ring->total, ranks = ring->ranks;
    for (uint32_t r = 0; r < ranks; r++) {
        struct at_run expected[2] = {piece(total, r, ranks), {0, 1, 0}};
        if (ring->layout == AT_STRIPED)
            expected[0] = (struct at_run){r, ranks, total / ranks + (r < total % ranks)};
        if (ring->layout == AT_ZIGZAG)
            expected[0] = piece(total, r, 2 * ranks), expected[1] = piece(total, 2 * ranks - 1 - r, 2 * ranks);
        shard_is(run, r, expected, rule[ring->layout]);
    }
}

static uint32_t holder(const struct ring_run *run, uint32_t token)
{
    for (uint32_t r = 0; r < run->scene->ring.ranks; r++)
        for (int i = 0; i < 2; i++)
            for (uint32_t n = 0; n < run->rank[r].run[i][2]; n++)
                if (run->rank[r].run[i][0] + (uint64_t)run->rank[r].run[i][1] * n == token)
                    return r;
    return UINT32_MAX;
}

/* ---- who met whom ---- */

static _Noreturn void met_wrongly(const struct ring_run *run, uint32_t i, uint32_t j, float times, bool expected,
                                  const char *lesson)
{
    char actual[60];
    uint32_t bits;
    memcpy(&bits, &times, sizeof bits);
    if (bits == SCENE_UNTOUCHED)
        wrong(run, lesson, "query %u (of rank %u) has no output at all.", i, holder(run, i));
    if (isnan(times))
        snprintf(actual, sizeof actual, "a block that had not arrived, or was written over");
    else
        snprintf(actual, sizeof actual, times == 1 ? "once" : "%g times", (double)times);
    wrong(run, lesson, "query %u (of rank %u) and key %u (of rank %u): expected to meet %s; actual: %s.%s", i,
          holder(run, i), j, holder(run, j), expected ? "once" : "never", actual,
          run->head[RING_STRANGE] && !isnan(times)
              ? " Keys, values and positions of a block did not belong together: which rank's block was it?"
              : "");
}

/* What nobody sent nobody can have met, and what is not `blocks` is not counted: not in work, and not in time. */
static void nothing_beside(const struct ring_run *run, const char *lesson)
{
    const struct at_problem *p = &run->scene->problem;
    const uint32_t total = (uint32_t)run->scene->ring.total, ranks = run->scene->ring.ranks;
    uint64_t pairs[SCENE_RANKS] = {0}, rows[SCENE_RANKS] = {0};
    for (uint32_t i = 0; i < total; i++) {
        const uint32_t r = holder(run, i);
        pairs[r] += (p->causal ? i + 1 : total) * (uint64_t)p->batch * p->heads;
        rows[r]++;
    }
    for (uint32_t r = 0; r < ranks; r++) {
        const struct loop_rank *played = &run->played.rank[r];
        const uint64_t least = (total - rows[(r + 1) % ranks]) * p->batch * p->kv_heads * 2 * p->d * sizeof(float);
        if (played->sent < (ranks > 1 ? least : 0))
            wrong(run, lesson,
                  "rank %u has sent %llu bytes; all keys and values but the next rank's own are %llu. What was not "
                  "sent cannot be met: on another machine the next rank would have nothing but its link.",
                  r, (unsigned long long)played->sent, (unsigned long long)least);
        if (played->work != pairs[r])
            wrong(run, lesson,
                  "rank %u: its queries have %llu pairs to meet, and ring->blocks->forward was asked for %llu. It does "
                  "all the arithmetic, each pair once.",
                  r, (unsigned long long)pairs[r], (unsigned long long)played->work);
    }
}

void ring_met(const struct ring_run *run, const char *lesson)
{
    const struct at_problem *p = &run->scene->problem;
    const uint32_t total = (uint32_t)run->scene->ring.total;
    for (uint32_t i = 0; i < total; i++)
        if (holder(run, i) == UINT32_MAX)
            wrong(run, lesson, "no rank's shard has token %u.", i);
    for (uint32_t h = 0; h < p->batch * p->heads; h++)
        for (uint32_t i = 0; i < total; i++) {
            const float *row = run->out + ((size_t)h * total + i) * p->d;
            uint32_t met = 0;
            for (uint32_t j = 0; j < total; j++) {
                const bool expected = !p->causal || j <= i;
                met += expected;
                if (row[j] != (float)expected)
                    met_wrongly(run, i, j, row[j], expected, lesson);
            }
            const float lse = run->lse[(size_t)h * total + i];
            if (lse != (float)met)
                wrong(run, lesson,
                      "query %u met everybody, but its lse says otherwise (expected: %u; actual: %g). merge needs the "
                      "lse of both sides.",
                      i, met, (double)lse);
        }
    if (run->head[RING_STRANGE])
        wrong(run, lesson,
              "%u blocks were computed with keys, values or positions that do not belong together: which rank's block "
              "is it in step s?",
              run->head[RING_STRANGE]);
    nothing_beside(run, lesson);
}
