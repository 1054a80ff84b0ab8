/* ring_loop.c: the loop finds what is wrong, always, and its clock says what takes how long. */
#include "ring_world.h"

TestSuite(ring_loop, .timeout = 30);

struct seen {
    float in[MOST_RANKS][4];
    int code[MOST_RANKS];
};

static int run(uint32_t ranks, size_t holds, int (*body)(void *, const struct at_link *), void *context,
               struct loop_record *record)
{
    struct loop_settings s = {.ranks = ranks, .holds = holds};
    return loop_run(&s, body, context, record);
}

static int all_send_first(void *context, const struct at_link *link)
{
    struct seen *seen = context;
    float out[4] = {(float)link->rank, 1, 2, 3};
    int code = link->send(link->self, out, sizeof out);
    code = code ? code : link->receive(link->self, seen->in[link->rank], sizeof out);
    seen->code[link->rank] = code;
    return code;
}

Test(ring_loop, all_send_first_is_a_deadlock_when_links_hold_too_little)
{
    struct seen seen;
    static struct loop_record record;
    struct loop_settings s = {.ranks = 3};
    char text[400];
    for (uint32_t ranks = 1; ranks <= 5; ranks++) {
        cr_assert_eq(run(ranks, 15, all_send_first, &seen, NULL), -EDEADLK, "%u ranks", ranks);
        for (uint32_t r = 0; r < ranks; r++)
            cr_assert_eq(seen.code[r], -EDEADLK);
        cr_assert_eq(run(ranks, 16, all_send_first, &seen, NULL), 0, "%u ranks", ranks);
        for (uint32_t r = 0; r < ranks; r++)
            cr_assert_eq((uint32_t)seen.in[r][0], (r + ranks - 1) % ranks);
    }
    cr_assert_eq(loop_run(&s, all_send_first, &seen, &record), -EDEADLK);
    cr_assert_str_eq(loop_tell(&s, &record, text, sizeof text),
                     "rank 0 waits in send, for rank 1 to take 16 bytes; rank 1 waits in send, for rank 2 to take 16 "
                     "bytes; rank 2 waits in send, for rank 0 to take 16 bytes");
}

static int by_parity(void *context, const struct at_link *link)
{
    struct seen *seen = context;
    float out[4] = {(float)link->rank, 1, 2, 3};
    int code = 0;
    for (uint32_t i = 0; i < 2 && code == 0; i++)
        code = (link->rank + i) % 2 ? link->receive(link->self, seen->in[link->rank], sizeof out)
                                    : link->send(link->self, out, sizeof out);
    return code;
}

Test(ring_loop, by_parity_there_is_none)
{
    struct seen seen;
    for (uint32_t ranks = 2; ranks <= 7; ranks++) {
        cr_assert_eq(run(ranks, 0, by_parity, &seen, NULL), 0, "%u ranks", ranks);
        for (uint32_t r = 0; r < ranks; r++)
            cr_assert_eq((uint32_t)seen.in[r][0], (r + ranks - 1) % ranks);
    }
}

static int looks_before_wait(void *context, const struct at_link *link)
{
    struct seen *seen = context;
    float out[4] = {(float)link->rank, 1, 2, 3}, *in = seen->in[link->rank];
    memset(in, 0, sizeof out);
    int code = link->begin(link->self, out, sizeof out, in, sizeof out);
    for (int i = 0; i < 4; i++)
        seen->code[link->rank] += isnan(in[i]);
    code = code ? code : link->barrier(link->self); /* all have begun by now */
    for (int i = 0; i < 4; i++)
        seen->code[link->rank] += isnan(in[i]);
    int busy[4] = {link->begin(link->self, out, 4, in, 4), link->send(link->self, out, 4),
                   link->receive(link->self, in, 4), -EBUSY};
    for (int i = 0; i < 4; i++)
        seen->code[link->rank] += busy[i] == -EBUSY;
    code = code ? code : link->wait(link->self);
    return code ? code : link->wait(link->self); /* nothing is under way: 0 */
}

Test(ring_loop, what_was_sent_arrives_in_wait_and_not_before)
{
    for (uint32_t ranks = 1; ranks <= 4; ranks++) {
        struct seen seen = {.code = {0}};
        cr_assert_eq(run(ranks, 1000, looks_before_wait, &seen, NULL), 0);
        for (uint32_t r = 0; r < ranks; r++) {
            cr_assert_eq(seen.code[r], 12, "rank %u: expected: NaN twice 4, busy 4; actual: %d", r, seen.code[r]);
            cr_assert_eq((uint32_t)seen.in[r][0], (r + ranks - 1) % ranks);
        }
    }
}

static int writes_before_wait(void *context, const struct at_link *link)
{
    struct seen *seen = context;
    float out[4] = {(float)link->rank, 1, 2, 3};
    int code = link->begin(link->self, out, sizeof out, seen->in[link->rank], sizeof out);
    out[3] = 77;
    return code ? code : link->wait(link->self);
}

Test(ring_loop, what_is_written_before_wait_is_what_arrives)
{
    struct seen seen;
    for (size_t holds = 0; holds < 200; holds += 100)
        for (uint32_t ranks = 1; ranks <= 4; ranks++) {
            cr_assert_eq(run(ranks, holds, writes_before_wait, &seen, NULL), 0);
            for (uint32_t r = 0; r < ranks; r++)
                cr_assert_eq(seen.in[r][3], 77);
        }
}

/* And not a moment after it: then it is the caller's again. */
static int writes_after_wait(void *context, const struct at_link *link)
{
    struct seen *seen = context;
    float out[4] = {(float)link->rank, 1, 2, 3};
    int code = link->begin(link->self, out, sizeof out, seen->in[link->rank], sizeof out);
    code = code ? code : link->barrier(link->self);
    code = code ? code : link->wait(link->self);
    out[3] = 77;
    return code ? code : link->barrier(link->self);
}

Test(ring_loop, what_is_written_after_wait_is_not)
{
    struct seen seen;
    for (uint32_t ranks = 1; ranks <= 4; ranks++) {
        cr_assert_eq(run(ranks, 0, writes_after_wait, &seen, NULL), 0);
        for (uint32_t r = 0; r < ranks; r++)
            cr_assert_eq(seen.in[r][3], 3);
    }
}

static int one_does_otherwise(void *context, const struct at_link *link)
{
    const int *what = context;
    char data[8] = {0};
    if (link->rank == 1 && *what == 0)
        return -EIO;
    if (link->rank == 1 && *what == 1)
        return 0;
    return link->rank % 2 ? link->receive(link->self, data, *what == 2 ? 7 : 8) : link->send(link->self, data, 8);
}

Test(ring_loop, one_that_ends_takes_the_others_with_it)
{
    static struct loop_record record;
    int what = 0;
    cr_assert_eq(run(4, 0, one_does_otherwise, &what, &record), -EIO);
    cr_assert_eq(record.first, 1);
    for (uint32_t r = 0; r < 4; r++)
        cr_assert_eq(record.rank[r].code, r == 1 ? -EIO : -EPIPE);
    what = 1; /* without an error: rank 0 needs it, 2 and 3 don't */
    cr_assert_eq(run(4, 0, one_does_otherwise, &what, &record), -EPIPE);
    cr_assert_eq(record.first, 0);
    cr_assert(record.rank[0].waited && record.rank[0].on == 1 && record.rank[0].out);
    what = 2; /* another size */
    cr_assert_eq(run(4, 0, one_does_otherwise, &what, &record), -EMSGSIZE);
    cr_assert_eq(record.rank[0].code, -EPIPE);
}

static int nonsense(void *context, const struct at_link *link)
{
    (void)context;
    char data[8];
    bool right = link->send(link->self, NULL, 8) == -EINVAL && link->receive(link->self, NULL, 8) == -EINVAL &&
                 link->begin(link->self, NULL, 8, data, 8) == -EINVAL &&
                 link->begin(link->self, data, 8, NULL, 8) == -EINVAL && link->wait(link->self) == 0 &&
                 link->sent(link->self) == 0 && link->begin(link->self, NULL, 0, NULL, 0) == 0 &&
                 link->wait(link->self) == 0;
    return right ? 0 : -EPROTO;
}

static int leaves_too_early(void *context, const struct at_link *link)
{
    char *data = calloc(100, 1);
    int code = link->begin(link->self, data, 100, (char *)context + 100 * link->rank, 100);
    free(data); /* nobody may look there now */
    return code;
}

Test(ring_loop, nonsense_is_refused)
{
    char room[400];
    struct loop_settings bad[] = {{.ranks = 0},
                                  {.ranks = LOOP_MAX_RANKS + 1},
                                  {.ranks = 1, .bytes_per_ns = NAN},
                                  {.ranks = 1, .work_per_ns = -1},
                                  {.ranks = 1, .stack = 1},
                                  {.ranks = 1, .stack = SIZE_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(loop_run(&bad[i], nonsense, NULL, NULL), -EINVAL, "settings %zu", i);
    cr_assert_eq(run(3, 0, nonsense, NULL, NULL), 0);
    cr_assert_eq(run(4, 0, leaves_too_early, room, NULL), 0);
}

/* ---- time ---- */

/* 3 steps: 100 units of work while 40 bytes travel, then 10 while 40 travel, then the two one after the other. */
static int works(void *context, const struct at_link *link)
{
    (void)context;
    char out[40] = {0}, in[40];
    int code = 0;
    for (uint64_t step = 0; step < 2 && code == 0; step++) {
        code = link->begin(link->self, out, sizeof out, in, sizeof in);
        loop_work(step ? 10 : 100);
        code = code ? code : link->wait(link->self);
    }
    loop_work(100);
    code = code ? code : link->begin(link->self, out, sizeof out, in, sizeof in);
    return code ? code : link->wait(link->self);
}

Test(ring_loop, a_step_takes_the_longer_of_the_two)
{
    static struct loop_event event[200];
    struct loop_settings s = {.ranks = 3, .bytes_per_ns = 0.5, .work_per_ns = 2};
    struct loop_record record = {.event = event, .room = 200};
    cr_assert_eq(loop_run(&s, works, NULL, &record), 0);
    cr_assert_eq(record.total, 80 + 80 + 50 + 80, "actual: %llu", (unsigned long long)record.total);
    for (uint32_t r = 0; r < 3; r++)
        cr_assert(record.rank[r].sent == 120 && record.rank[r].work == 210 && record.rank[r].end == 290);
    uint64_t transfers = 0;
    for (size_t i = 0; i < record.events; i++)
        if (event[i].what == LOOP_TRANSFER) {
            transfers++;
            cr_assert_eq(event[i].end - event[i].begin, 80);
        }
    cr_assert_eq(transfers, 9);
    record.room = 10;
    cr_assert_eq(loop_run(&s, works, NULL, &record), -ENOBUFS);
    cr_assert_eq(record.events, 10);
    s.work_per_ns = 1e-300;
    cr_assert_eq(loop_run(&s, works, NULL, NULL), -EOVERFLOW);
}

/* Rank 0 has more to do before it begins; that is when the transfers to and from it begin. */
static int one_is_late(void *context, const struct at_link *link)
{
    uint64_t *end = context;
    char out[40] = {0}, in[40];
    loop_work(link->rank ? 10 : 100);
    int code = link->begin(link->self, out, sizeof out, in, sizeof in);
    code = code ? code : link->wait(link->self);
    end[link->rank] = loop_now();
    return code ? code : link->barrier(link->self);
}

Test(ring_loop, transfers_begin_when_both_are_there_and_barriers_are_for_all)
{
    uint64_t end[4];
    struct loop_settings s = {.ranks = 4, .bytes_per_ns = 1, .work_per_ns = 1};
    static struct loop_record record;
    cr_assert_eq(loop_run(&s, one_is_late, end, &record), 0);
    cr_assert(end[0] == 140 && end[1] == 140 && end[2] == 50 && end[3] == 140);
    cr_assert_eq(record.total, 140);
    s.holds = 40; /* what a link can hold travels without the receiver */
    cr_assert_eq(loop_run(&s, one_is_late, end, &record), 0);
    cr_assert(end[0] == 100 && end[1] == 140 && end[2] == 50 && end[3] == 50);
}

static int inner(void *context, const struct at_link *link)
{
    struct seen seen;
    (void)context;
    if (run(3, 16, all_send_first, &seen, NULL))
        return -EPROTO;
    uint64_t before = loop_now();
    loop_work(5);
    return loop_now() == before + 5 ? link->barrier(link->self) : -EPROTO;
}

Test(ring_loop, loops_within_loops_and_none)
{
    struct loop_settings s = {.ranks = 3, .work_per_ns = 1};
    loop_work(7); /* nobody's */
    cr_assert_eq(loop_now(), 0);
    cr_assert_eq(loop_run(&s, inner, NULL, NULL), 0);
}

Test(ring_loop, the_same_events_on_every_run)
{
    static struct loop_event a[200], b[200];
    struct loop_settings s = {.ranks = 5, .bytes_per_ns = 3, .work_per_ns = 7};
    struct loop_record first = {.event = a, .room = 200}, second = {.event = b, .room = 200};
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    cr_assert_eq(loop_run(&s, works, NULL, &first), 0);
    cr_assert_eq(loop_run(&s, works, NULL, &second), 0);
    cr_assert(first.events == second.events && memcmp(a, b, sizeof a) == 0);
}
