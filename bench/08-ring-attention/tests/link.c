/* link.c: links over threads: what they carry, refuse and survive, at memory's speed and at one that is set. */
#include "link_threads.h"
#include "team.h"

#include "measure/clock.h"
#include "sim/rng.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TestSuite(link, .timeout = 60);

#define MOST 8u
#define SIZE 3000u

struct scene {
    struct link_group *group;
    int (*body)(const struct at_link *link, uint64_t seed);
    uint64_t seed;
    int code[MOST];
};

static void run_one(void *context, uint32_t number, int *code)
{
    struct scene *s = context;
    struct at_link link = link_of_rank(s->group, number);
    *code = s->code[number] = s->body(&link, s->seed);
    link_leave(s->group, number, *code);
}

static int run(struct scene *s, uint32_t ranks, double bytes_per_second)
{
    struct link_settings settings = {ranks, bytes_per_second, 100};
    cr_assert_eq(link_group_create(&settings, &s->group), 0);
    int code = team_run(ranks, run_one, s);
    link_group_destroy(s->group);
    return code;
}

static void dawdle(struct rng *r)
{
    if (rng_below(r, 4) == 0) {
        struct timespec t = {0, (long)rng_below(r, 300000)};
        nanosleep(&t, NULL);
    }
}

/* Blocks of changing size go round, each rank late now and then; what comes is what the one before has sent. */
static int go_round(const struct at_link *link, uint64_t seed)
{
    unsigned char out[SIZE], in[SIZE];
    struct rng r;
    rng_seed(&r, seed, link->rank);
    uint64_t sent = 0;
    int code = 0;
    for (uint32_t step = 0; step < 60 && code == 0; step++) {
        size_t bytes = (step * 997 + seed) % SIZE; /* none now and then */
        uint32_t previous = (link->rank + link->ranks - 1) % link->ranks;
        memset(out, (int)(link->rank * 50 + step), bytes);
        memset(in, 255, sizeof in);
        dawdle(&r);
        code = link->begin(link->self, out, bytes, in, bytes);
        if (code == 0 && link->begin(link->self, out, bytes, in, bytes) != -EBUSY)
            code = -EPROTO;
        dawdle(&r);
        code = code ? code : link->wait(link->self);
        for (size_t i = 0; i < SIZE && code == 0; i++)
            code = in[i] == (i < bytes ? (unsigned char)(previous * 50 + step) : 255) ? 0 : -EPROTO;
        sent += bytes;
        if (code == 0 && step % 7 == 0)
            code = link->barrier(link->self);
    }
    return code ? code : link->sent(link->self) == sent ? 0 : -EPROTO;
}

Test(link, blocks_go_round_and_arrive_whole)
{
    for (uint32_t ranks = 1; ranks <= MOST; ranks += 1 + ranks / 3)
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct scene s = {.body = go_round, .seed = seed};
            cr_assert_eq(run(&s, ranks, 0), 0, "%u ranks", ranks);
            cr_assert_eq(run(&s, ranks, 50e6), 0, "%u ranks, slow", ranks);
        }
}

static int by_parity(const struct at_link *link, uint64_t seed)
{
    uint64_t out = link->rank + seed, in = 0;
    int code = 0;
    for (uint32_t i = 0; i < 200 && code == 0; i++)
        code =
            (link->rank + i) % 2 ? link->receive(link->self, &in, sizeof in) : link->send(link->self, &out, sizeof out);
    return code ? code : in == (link->rank + link->ranks - 1) % link->ranks + seed ? 0 : -EPROTO;
}

Test(link, send_and_receive)
{
    for (uint32_t ranks = 2; ranks <= 6; ranks += 2) {
        struct scene s = {.body = by_parity, .seed = 5};
        cr_assert_eq(run(&s, ranks, 0), 0);
        cr_assert_eq(run(&s, ranks, 1e9), 0);
    }
}

/* Rank 1 ends; the others wait for somebody who waits for it. */
static int one_ends(const struct at_link *link, uint64_t code)
{
    char data[64] = {0}, in[64];
    if (link->rank == 1)
        return -(int)code;
    int all = 0;
    for (int i = 0; i < 3 && all == 0; i++) {
        all = link->begin(link->self, data, sizeof data, in, sizeof in);
        all = all ? all : link->wait(link->self);
    }
    return all;
}

static int one_misses_the_barrier(const struct at_link *link, uint64_t seed)
{
    (void)seed;
    return link->rank == 1 ? 0 : link->barrier(link->self);
}

Test(link, one_that_ends_takes_the_others_with_it)
{
    for (uint32_t ranks = 2; ranks <= 5; ranks++)
        for (int slow = 0; slow < 2; slow++) {
            struct scene s = {.body = one_ends, .seed = EIO};
            cr_assert_eq(run(&s, ranks, slow * 1e6), -EIO);
            for (uint32_t r = 0; r < ranks; r++)
                cr_assert_eq(s.code[r], r == 1 ? -EIO : -EPIPE, "rank %u of %u: %d", r, ranks, s.code[r]);
            s.seed = 0; /* without an error */
            cr_assert_eq(run(&s, ranks, slow * 1e6), -EPIPE);
            s.body = one_misses_the_barrier;
            cr_assert_eq(run(&s, ranks, slow * 1e6), -EPIPE);
        }
}

static int sizes_differ(const struct at_link *link, uint64_t seed)
{
    char out[64] = {0}, in[64];
    (void)seed;
    int code = link->begin(link->self, out, 64, in, link->rank == 2 ? 63 : 64);
    return code ? code : link->wait(link->self);
}

static int nonsense(const struct at_link *link, uint64_t seed)
{
    char data[8];
    (void)seed;
    return link->send(link->self, NULL, 8) == -EINVAL && link->receive(link->self, NULL, 8) == -EINVAL &&
                   link->begin(link->self, NULL, 8, data, 8) == -EINVAL &&
                   link->begin(link->self, data, 8, NULL, 8) == -EINVAL && link->wait(link->self) == 0 &&
                   link->begin(link->self, NULL, 0, NULL, 0) == 0 && link->send(link->self, data, 8) == -EBUSY &&
                   link->receive(link->self, data, 8) == -EBUSY && link->wait(link->self) == 0
               ? 0
               : -EPROTO;
}

Test(link, sizes_that_differ_and_nonsense)
{
    struct scene s = {.body = sizes_differ};
    struct link_settings bad[] = {{0, 0, 0}, {LINK_MAX_RANKS + 1, 0, 0}, {2, -1, 0}};
    for (int slow = 0; slow < 2; slow++) {
        cr_assert_eq(run(&s, 4, slow * 1e6), -EMSGSIZE);
        cr_assert_eq(s.code[2], -EMSGSIZE);
        cr_assert_eq(s.code[1], -EPIPE);
    }
    s.body = nonsense;
    cr_assert_eq(run(&s, 3, 0), 0);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(link_group_create(&bad[i], &s.group), -EINVAL);
}

/* What it begins it does not wait for, and its buffers are no more. */
static int leaves_too_early(const struct at_link *link, uint64_t seed)
{
    char *data = calloc(2, 100);
    (void)seed;
    int code = link->begin(link->self, data, 100, data + 100, 100);
    free(data);
    return code;
}

Test(link, what_was_begun_is_withdrawn)
{
    for (int i = 0; i < 20; i++) {
        struct scene s = {.body = leaves_too_early};
        cr_assert_eq(run(&s, 4, 0), 0);
        cr_assert_eq(run(&s, 4, 1e6), 0);
    }
}

static int one_transfer(const struct at_link *link, uint64_t bytes)
{
    char *data = calloc(2, bytes);
    int code = link->barrier(link->self);
    for (int i = 0; i < 2; i++) {
        code = code ? code : link->begin(link->self, data, bytes, data + bytes, bytes);
        code = code ? code : link->wait(link->self);
    }
    free(data);
    return code;
}

/* No test may depend on time being fast: so, that it is slow. */
Test(link, a_slow_link_is_no_faster_than_it_says)
{
    struct link_settings settings = {2, 10e6, 4};
    struct scene s = {.body = one_transfer, .seed = 300000};
    cr_assert_eq(link_group_create(&settings, &s.group), 0);
    uint64_t begin = clock_now_ns();
    cr_assert_eq(team_run(2, run_one, &s), 0);
    cr_assert_geq(clock_now_ns() - begin, 60000000);
    for (uint32_t r = 0; r < 2; r++) {
        uint32_t n;
        const struct link_transfer *t = link_transfers(s.group, r, &n);
        cr_assert_eq(n, 2);
        for (uint32_t i = 0; i < n; i++)
            cr_assert(t[i].bytes == 300000 && t[i].end - t[i].begin >= 30000000);
        cr_assert_geq(t[1].begin, t[0].end);
    }
    link_group_destroy(s.group);
}
