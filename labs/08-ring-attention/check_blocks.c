/* Tests of task 2: attention without the matrix of scores. */
#include "check_scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRY "blockwise"

/* ---- memory ---- */

static uint64_t asked_for(uint32_t n_q, uint32_t n_k, uint32_t d)
{
    struct at_problem p = problem_of(n_q, n_k, d);
    struct scene *s = scene_of(SCENE_ASK, &p);
    struct host_outcome o;
    check_host(ENTRY, s, SCENE_SIZE(s->numbers), sizeof(uint32_t), scene_records(s), &o);
    const uint32_t *head = o.records;
    check_that(head[FORWARD_ASKED] == 0,
               "workspace must return 0 and the bytes it needs; for %u queries and %u keys it returned -%u (%s).", n_q,
               n_k, head[FORWARD_ASKED], strerror((int)head[FORWARD_ASKED]));
    const uint64_t bytes = head[FORWARD_BYTES_LOW] | (uint64_t)head[FORWARD_BYTES_HIGH] << 32;
    host_outcome_free(&o);
    free(s);
    return bytes;
}

#define MOST  (1u << 20) /* bytes of workspace, at d = 64; of stack, where that is looked at */
#define TOKEN (1u << 20) /* so many of them */

/* What this task is about: without it the right numbers are those of naive, which is complete in the starter. */
static void no_matrix(void)
{
    const uint64_t few = asked_for(4096, 4096, 64), many = asked_for(TOKEN, TOKEN, 64);
    check_that(few <= MOST && many <= MOST && many <= 2 * few + 4096,
               "workspace for 4,096 tokens: %llu bytes; for 1,048,576: %llu.\nIt may take %u bytes (d = 64), and no "
               "more for a longer sequence: one row of scores would be 4 MiB here, all of them 4 TiB.",
               (unsigned long long)few, (unsigned long long)many, MOST);
}

/* Keys for which not even one row of scores fits into the workspace or the stack, whose scores rise or fall. */
static struct scene *long_scene(struct rng *r, bool falling)
{
    struct at_problem p = problem_of(2, 300000, 2);
    struct scene *s = forward_scene(&p, 0, false, r, 1);
    for (uint32_t i = 0; i < p.n_q; i++)
        scene_row(s, 0, 0, 0, i)[0] = 10;
    for (uint32_t j = 0; j < p.n_k; j++)
        scene_row(s, 1, 0, 0, j)[0] = 30 * (float)(falling ? p.n_k - j : j) / (float)p.n_k;
    s->stack = MOST;
    return s;
}

static const char *const one_row = "The scores of one query with all keys would take 1.2 MB: more than the workspace "
                                   "may be, and than the stack is here. Scores come in blocks, and go.";

/* What is not asked for may not be taken either. */
static void nothing_beside(struct scene *s)
{
    struct host_outcome o;
    const struct at_problem p = s->problem;
    const uint64_t room = (8u << 18) + 64 * (uint64_t)sysconf(_SC_PAGESIZE) + MOST + s->stack + 4 * scene_records(s);
    check_host_request((struct host_request){.entry = ENTRY,
                                             .scenario = s,
                                             .scenario_size = SCENE_SIZE(s->numbers),
                                             .record_size = sizeof(uint32_t),
                                             .records = scene_records(s),
                                             .data_bytes = room},
                       &o);
    const char *lesson =
        s->stack ? one_row : "What is needed is asked for with workspace, and there is no room for a matrix.";
    if (o.verdict != VERDICT_FINISHED)
        check_fail(o.verdict, "%u queries, %u keys, with %.3g MiB for everything: %s\n%s", p.n_q, p.n_k,
                   (double)room / (1 << 20), o.sentence, lesson);
    forward_is_right(s, o.records, lesson);
    host_outcome_free(&o);
    free(s);
}

CHECK(blocks, peak_memory)
{
    struct rng r = random_of_test(14);
    const uint32_t n = check_large() ? 3000 : 2048; /* whose matrix takes some times as much as there is */
    struct at_problem p = problem_of(n, n, 4);
    no_matrix();
    nothing_beside(forward_scene(&p, 0, false, &r, 1));
    nothing_beside(long_scene(&r, false));
}

/* ---- numbers ---- */

CHECK(blocks, exact)
{
    static const uint32_t d[] = {1, 3, 8, 13, 16, 33, 64};
    struct rng r = random_of_test(10);
    no_matrix();
    for (uint32_t round = 0; round < (check_large() ? 24 : 10); round++) {
        struct at_problem p = problem_of(between(&r, 1, 40), between(&r, 1, round % 3 ? 300 : 20), d[round % 7]);
        forward_check(forward_scene(&p, 0, false, &r, 1), NULL);
    }
    struct at_problem wide = problem_of(3, 70, AT_MAX_D), none = problem_of(3, 0, 4);
    forward_check(forward_scene(&wide, 0, false, &r, 1), "d is 1 to AT_MAX_D.");
    forward_check(forward_scene(&none, 0, false, &r, 1),
                  "Without keys a row has seen nothing: output 0, log-sum-exp -inf.");
}

static const char *const relative = "Scores reach hundreds, and exp overflows at 89: weights are taken relative to the "
                                    "largest score so far. When a larger one comes, what was summed is too large by a "
                                    "factor, the sum of weights and the output alike.";

/* Scores that rise from block to block, fall, are all far below 0, or have one that outweighs all others. */
CHECK(blocks, large_scores)
{
    struct rng r = random_of_test(11);
    no_matrix();
    for (uint32_t round = 0; round < 5; round++) {
        struct at_problem p = problem_of(7, between(&r, 150, 300), 6);
        struct scene *s = forward_scene(&p, 0, false, &r, 1);
        const uint32_t far = rng_below(&r, p.n_k);
        for (uint32_t i = 0; i < p.n_q; i++)
            scene_row(s, 0, 0, 0, i)[0] = 10;
        for (uint32_t j = 0; j < p.n_k; j++) {
            const float along = (float)j / (float)p.n_k;
            scene_row(s, 1, 0, 0, j)[0] = round == 0   ? 60 * along
                                          : round == 1 ? -60 * along
                                          : round == 2 ? -50 + along
                                          : round == 3 ? (j == far ? 50.f : 0)
                                                       : 50 + along;
        }
        forward_check(s, round == 2 ? "All scores are about -200: the largest so far begins at -inf, not at 0."
                                    : relative);
    }
    forward_check(long_scene(&r, false), one_row);
    forward_check(long_scene(&r, true), one_row);
}

CHECK(blocks, strides_and_heads)
{
    struct rng r = random_of_test(12);
    no_matrix();
    for (uint32_t round = 0; round < (check_large() ? 12 : 6); round++) {
        struct at_problem p = problem_of(between(&r, 1, 20), between(&r, 1, 90), between(&r, 1, 24));
        p.batch = between(&r, 1, 3);
        p.kv_heads = between(&r, 1, 3);
        p.heads = p.kv_heads * between(&r, 1, 3);
        p.scale = 0.1f + (float)round / 10;
        forward_check(forward_scene(&p, round % 2 ? between(&r, 1, 9) : 0, round / 2 % 2, &r, 1),
                      "Row i of head h of batch b begins at b x batch + h x head + i x row; query head h reads "
                      "key-value head h / (heads / kv_heads); scores are multiplied with problem->scale.");
    }
}

CHECK(blocks, parts)
{
    struct rng r = random_of_test(13);
    struct at_problem p = problem_of(between(&r, 200, 300), between(&r, 20, 90), 5);
    static const uint32_t parts[] = {2, 3, 7, 64, 500};
    const char *lesson = "Part `part` of `parts` computes some of the rows and leaves the others alone; all parts "
                         "together write every row, each of them once. There may be more parts than rows.";
    uint32_t head[FORWARD_HEAD];
    size_t n;
    no_matrix();
    p.heads = p.kv_heads = 2;
    struct scene *s = forward_scene(&p, 0, false, &r, 1);
    uint32_t *whole = forward_bits(s, &n, NULL, NULL);
    const uint32_t numbers = p.heads * p.n_q * (p.d + 1);
    for (int i = 0; i < 5; i++) {
        s->parts = parts[i];
        uint32_t *some = forward_bits(s, &n, head, lesson);
        check_that(memcmp(whole, some, n * sizeof *some) == 0,
                   "%u parts: expected: the same bits as in one part; actual: others\nA row's result may not depend on "
                   "which part it is in.",
                   parts[i]);
        check_that(parts[i] != 2 || head[FORWARD_MOST] <= numbers / 4 * 3,
                   "2 parts, %u queries in %u heads: one of them has written %.0f %% of the result; expected: about "
                   "half, at most 75 %%.\nEach part may run on a core of its own.",
                   p.n_q, p.heads, 100.0 * head[FORWARD_MOST] / numbers);
        free(some);
    }
    free(whole);
    free(s);
}

/* ---- instructions ---- */

#define QUERIES 8u
#define KEYS    64u
#define DEPTH   32u

/* Instructions of a whole run, whose result must be `bits` when they are given; 0: it was stopped. */
static uint64_t counted(const char *plugin, const char *entry, struct scene *s, const uint32_t *bits, uint64_t limit)
{
    struct host_outcome o;
    check_host_request((struct host_request){.plugin = plugin,
                                             .entry = entry,
                                             .scenario = s,
                                             .scenario_size = SCENE_SIZE(s->numbers),
                                             .record_size = sizeof(uint32_t),
                                             .records = scene_records(s),
                                             .count_limit = limit,
                                             .late_bytes = s->numbers * sizeof(float)},
                       &o);
    if (o.verdict != VERDICT_FINISHED && o.verdict != VERDICT_COST)
        check_fail(o.verdict, "%s", o.sentence);
    const bool whole = o.verdict == VERDICT_FINISHED;
    const uint32_t *head = o.records;
    if (whole)
        check_that(head[FORWARD_ASKED] == 0 && head[FORWARD_CODE] == 0,
                   "workspace and forward must return 0, but returned %d and %d.", -(int)head[FORWARD_ASKED],
                   -(int)head[FORWARD_CODE]);
    const size_t size = (scene_records(s) - FORWARD_HEAD) * sizeof *head;
    check_that(!whole || !bits || memcmp(head + FORWARD_HEAD, bits, size) == 0,
               "expected: the same bits in every run; actual: others when instructions are counted.");
    const uint64_t n = o.instructions;
    host_outcome_free(&o);
    return whole ? n : 0;
}

CHECK(blocks, instructions)
{
    struct rng r = random_of_test(15);
    struct at_problem p = problem_of(QUERIES, KEYS, DEPTH);
    struct scene *s = forward_scene(&p, 0, false, &r, 1);
    size_t n;
    no_matrix();
    uint32_t *bits = forward_bits(s, &n, NULL, NULL); /* right, before it is counted */
    if (check_debugging()) {
        free(bits);
        free(s);
        return;
    }
    s->counted = 1;
    const double scores = QUERIES * KEYS, none = check_no_points_at(4);
    /* Not the reference's blocks: how wide their vectors are depends on the machine, and a grade must not. */
    const uint64_t theirs = counted(check_reference(), "rows", s, NULL, 100000000);
    if (theirs == 0)
        check_fail(VERDICT_GRADER_FAULT, "the reference took more instructions than it ever should");
    const uint64_t own = counted(NULL, ENTRY, s, bits, (uint64_t)(none * (double)theirs) + 1);
    free(bits);
    free(s);
    if (own == 0)
        check_fail(VERDICT_COST,
                   "%u queries, %u keys, d = %u: more than %.0f instructions for each score, %g times what the "
                   "reference takes row by row, one number at a time. Is anything computed again that is known?",
                   QUERIES, KEYS, DEPTH, none * (double)theirs / scores, none);
    check_measured((double)own / (double)theirs,
                   "%u queries, %u keys, d = %u: %.0f instructions for each score, where the reference takes %.0f "
                   "row by row, one number at a time. %u multiplications for the score and as many for the values are "
                   "not to be avoided; "
                   "several at once take fewer instructions (__attribute__((vector_size(16))), or loops that the "
                   "compiler can do so "
                   "with), and one exp for each score is enough.",
                   QUERIES, KEYS, DEPTH, (double)own / scores, (double)theirs / scores, DEPTH);
}
