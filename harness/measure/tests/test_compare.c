/* Orders, verdicts on made-up rounds, and that a run does what it says. What a comparison finds in real time is no
 * matter for a test: `faultline machine --trials` measures it. */
#include "measure/callgrind.h"
#include "measure/clock.h"
#include "measure/compare.h"
#include "measure/ping_pong.h"
#include "measure/region.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

TestSuite(compare, .timeout = 120);

/* ---- order ---- */

Test(compare, two_candidates_go_abba)
{
    uint32_t a[2], b[2];
    compare_order(2, 0, a);
    compare_order(2, 1, b);
    cr_assert(a[0] == 0 && a[1] == 1 && b[0] == 1 && b[1] == 0, "A B, then B A");
}

Test(compare, each_follows_each_equally_often)
{
    for (uint32_t k = 2; k <= 21; k++) {
        uint32_t follows[21][21] = {{0}}, place[21][21] = {{0}}, order[21], rounds = k % 2 ? 2 * k : k;
        for (uint32_t r = 0; r < rounds; r++) {
            bool seen[21] = {false};
            compare_order(k, r, order);
            for (uint32_t i = 0; i < k; i++) {
                cr_assert(order[i] < k && !seen[order[i]], "%u candidates, round %u: a permutation", k, r);
                seen[order[i]] = true;
                place[order[i]][i]++;
                if (i)
                    follows[order[i - 1]][order[i]]++;
            }
        }
        for (uint32_t a = 0; a < k; a++)
            for (uint32_t b = 0; b < k; b++) {
                cr_assert(a == b || follows[a][b] == rounds / k, "%u candidates: %u follows %u %u times in %u rounds",
                          k, b, a, follows[a][b], rounds);
                cr_assert(place[a][b] == rounds / k, "%u candidates: %u stands at place %u %u times", k, a, b,
                          place[a][b]);
            }
    }
}

/* ---- verdicts ---- */

enum { ROUNDS = 40 };

/* Candidate i takes time[i] in each round, with a common drift and a wobble of its own. */
static void made_up(struct compare_run *run, const double *time, uint32_t n, double wobble)
{
    uint64_t x = 88172645463325252u;
    double *round = calloc((size_t)n * ROUNDS, sizeof *round);
    *run = (struct compare_run){.candidates = n, .rounds = ROUNDS, .result = calloc(n, sizeof *run->result)};
    for (uint32_t i = 0; i < n; i++)
        run->result[i].round = round + (size_t)i * ROUNDS;
    for (uint32_t r = 0; r < ROUNDS; r++)
        for (uint32_t i = 0; i < n; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            double u = (double)(x >> 11) * 0x1p-53 - 0.5;
            run->result[i].round[r] = time[i] * (1 + 0.5 * r / ROUNDS) * (1 + wobble * u);
        }
    for (uint32_t i = 0; i < n; i++)
        run->result[i].time = stats_sign_interval(run->result[i].round, ROUNDS, 0.05);
}

Test(compare, drift_does_not_hide_a_difference)
{
    struct compare_run run;
    made_up(&run, (const double[]){10, 10.5, 10}, 3, 0.02); /* the drift is ten times the difference */
    struct compare_difference d = compare_two(&run, 0, 1, 1, 0.01);
    cr_assert(d.verdict == COMPARE_SLOWER && fabs(d.ratio - 1.05) < 0.01, "verdict %d by %g", (int)d.verdict, d.ratio);
    d = compare_two(&run, 1, 0, 1, 0.01);
    cr_assert(d.verdict == COMPARE_FASTER && d.high < 1, "the other way round: verdict %d, at most %g", (int)d.verdict,
              d.high);
    d = compare_two(&run, 0, 2, 1, 0.01);
    cr_assert(d.verdict == COMPARE_NOT_RESOLVED, "equals: verdict %d", (int)d.verdict);
    compare_free(&run);
}

Test(compare, ratios_are_of_the_rounds)
{
    struct compare_run run;
    made_up(&run, (const double[]){10, 25}, 2, 0);
    struct stats_interval i = compare_ratio(&run, 0, 1, 0.05);
    cr_assert(fabs(i.median - 2.5) < 1e-9 && fabs(i.low - 2.5) < 1e-9 && fabs(i.high - 2.5) < 1e-9,
              "%g from %g to %g: a drift that both have is in it", i.median, i.low, i.high);
    compare_free(&run);
}

Test(compare, floor_and_corrections_hold_claims_back)
{
    struct compare_run run;
    made_up(&run, (const double[]){10, 10.2}, 2, 0.001);
    cr_assert(compare_two(&run, 0, 1, 1, 0.01).verdict == COMPARE_SLOWER, "2 %% above a floor of 1 %%");
    cr_assert(compare_two(&run, 0, 1, 1, 0.03).verdict == COMPARE_NOT_RESOLVED, "2 %% below a floor of 3 %%");
    struct compare_difference one = compare_two(&run, 0, 1, 1, 0), many = compare_two(&run, 0, 1, 1000, 0);
    cr_assert(many.low <= one.low && many.high >= one.high, "more comparisons, wider intervals");
    cr_assert(compare_floor(&run, 0, 1) >= 0.02 && compare_floor(&run, 0, 0) == COMPARE_LEAST_FLOOR,
              "two copies that differ by 2 %% set such a floor; the same one sets the least");
    compare_free(&run);
}

Test(compare, ranks_are_groups)
{
    struct compare_run run;
    uint32_t rank[5];
    made_up(&run, (const double[]){20, 10, 10.01, 40, 20.02}, 5, 0.02);
    compare_rank(&run, 5, 0.01, rank);
    cr_assert(rank[1] == 1 && rank[2] == 1 && rank[0] == 2 && rank[4] == 2 && rank[3] == 3, "%u %u %u %u %u", rank[0],
              rank[1], rank[2], rank[3], rank[4]);
    compare_free(&run);
}

Test(compare, a_busy_machine_is_seen)
{
    struct compare_run run = {.threads = 2, .elapsed_ns = 100000000};
    char why[200] = "";
    cr_assert(!compare_was_disturbed(&run, why, sizeof why) && why[0] == '\0', "%s", why);
    run.witness_sum[WITNESS_PRESSURE] = 2 * 1900; /* us, seen by both threads */
    cr_assert(!compare_was_disturbed(&run, why, sizeof why), "1.9 %% of the time");
    run.witness_sum[WITNESS_PRESSURE] = 2 * 30000;
    cr_assert(compare_was_disturbed(&run, why, sizeof why) && strstr(why, "30 % of the time"), "%s", why);
    run.witness_sum[WITNESS_PRESSURE] = 0;
    run.witness_sum[WITNESS_STEAL] = 2; /* one tick of 10 ms */
    cr_assert(compare_was_disturbed(&run, why, sizeof why), "stolen time");
}

Test(compare, too_few_rounds_rank_nothing)
{
    struct compare_run run;
    uint32_t rank[4] = {9, 9, 9, 9};
    cr_assert_eq(compare_rounds_needed(1), 2);
    for (uint32_t n = 2; n <= 20; n++) { /* two-sided sign test: all rounds on one side have 2^(1 - rounds) */
        const uint32_t rounds = compare_rounds_needed(n);
        const double alpha = COMPARE_ALPHA / (n * (n - 1) / 2.0);
        cr_assert(ldexp(1, 1 - (int)rounds) <= alpha && ldexp(1, 2 - (int)rounds) > alpha, "%u candidates: %u rounds",
                  n, rounds);
    }
    made_up(&run, (const double[]){3.9, 445, 108, 74}, 4, 0.001);
    run.rounds = compare_rounds_needed(4) - 1;
    compare_rank(&run, 4, 0.02, rank);
    cr_assert(!rank[0] && !rank[1] && !rank[2] && !rank[3], "%u %u %u %u", rank[0], rank[1], rank[2], rank[3]);
    run.rounds++;
    compare_rank(&run, 4, 0.02, rank);
    cr_assert(rank[0] == 1 && rank[3] == 2 && rank[2] == 3 && rank[1] == 4, "%u %u %u %u", rank[0], rank[1], rank[2],
              rank[3]);
    compare_free(&run);
}

/* ---- a run ---- */

struct tally {
    _Atomic uint64_t ops[2];
    unsigned made;
};

static int make_tally(void *context)
{
    ((struct tally *)context)->made++;
    return 0;
}

static void tally(void *context, unsigned thread, uint64_t n)
{
    struct tally *t = context;
    for (uint64_t i = 0; i < n; i++)
        atomic_fetch_add(&t->ops[thread], 1);
}

Test(compare, runs_all_of_them_on_all_threads)
{
    struct tally a = {{0, 0}, 0}, b = {{0, 0}, 0};
    const struct compare_candidate candidates[] = {{"a", &a, make_tally, NULL, tally},
                                                   {"b", &b, make_tally, NULL, tally}};
    struct compare_plan plan = {.threads = 2, .rounds = 8, .chunks = 3};
    struct compare_run run;
    struct error err;
    cr_assert(compare_run(&plan, candidates, 2, &run, &err) == 0, "%s", err.text);
    for (uint32_t i = 0; i < 2; i++) {
        const struct compare_result *r = &run.result[i];
        cr_assert(r->samples == 8 && r->time.median > 0 && r->p10 <= r->p50 && r->p50 <= r->p90, "%u samples, %g ns",
                  r->samples, r->time.median);
        cr_assert(r->time.low <= r->time.median && r->time.median <= r->time.high, "the median lies in its interval");
        cr_assert(isnan(r->count[COUNTER_INSTRUCTIONS].median), "nothing was counted");
    }
    cr_assert(a.ops[0] > 0 && a.ops[1] > 0 && b.ops[1] > 0, "both threads worked");
    cr_assert(a.made == 8, "made anew in each round, not %u times", a.made);
    compare_free(&run);
}

static int fail_to_make(void *context)
{
    (void)context;
    return -ENOMEM;
}

/* The second thread takes 200 us at least; the first has nothing to do. */
static void one_waits(void *context, unsigned thread, uint64_t n)
{
    uint64_t end = clock_now_ns() + 200000 * n;
    (void)context;
    while (thread == 1 && clock_now_ns() < end)
        ;
}

Test(compare, threads_together_take_as_long_as_the_last)
{
    const struct compare_candidate candidate = {"uneven", NULL, NULL, NULL, one_waits};
    struct compare_plan plan = {.threads = 2, .rounds = 8, .chunks = 1, .together = true, .chunk_ns = 1};
    struct compare_run run;
    struct error err;
    cr_assert(compare_run(&plan, &candidate, 1, &run, &err) == 0, "%s", err.text);
    cr_assert(run.result[0].time.median >= 199000, "the one that ends first counts: %g ns", run.result[0].time.median);
    compare_free(&run);
}

Test(compare, a_candidate_that_cannot_be_made_ends_it)
{
    struct tally a = {{0, 0}, 0};
    const struct compare_candidate candidates[] = {{"a", &a, make_tally, NULL, tally},
                                                   {"b", &a, fail_to_make, NULL, tally}};
    struct compare_run run;
    struct error err;
    for (unsigned threads = 1; threads <= 2; threads++) {
        struct compare_plan plan = {.threads = threads, .rounds = 8};
        cr_assert(compare_run(&plan, candidates, 2, &run, &err) == -ENOMEM, "%u threads", threads);
        cr_assert(run.result == NULL, "nothing to free");
    }
}

Test(compare, cold_runs_few_operations_a_chunk)
{
    struct tally a = {{0, 0}, 0};
    const struct compare_candidate candidates[] = {{"a", &a, NULL, NULL, tally}};
    struct compare_plan plan = {.threads = 1, .rounds = 6, .chunks = 2, .state = COMPARE_COLD, .cold_ops = 5};
    struct compare_run run;
    struct error err;
    cr_assert(compare_run(&plan, candidates, 1, &run, &err) == 0, "%s", err.text);
    cr_assert(a.ops[0] == 6 * 2 * 5, "6 rounds of 2 chunks of 5: %llu", (unsigned long long)a.ops[0]);
    compare_free(&run);
}

Test(compare, counts_go_with_the_rounds)
{
    struct counters *counters;
    struct tally a = {{0, 0}, 0};
    const struct compare_candidate candidates[] = {{"a", &a, NULL, NULL, tally}};
    cr_assert(counters_plan(COUNT_SOFTWARE, NULL, &counters) == 0, "a plan");
    struct compare_plan plan = {.threads = 1, .rounds = 8, .counters = counters};
    struct compare_run run;
    struct error err;
    cr_assert(compare_run(&plan, candidates, 1, &run, &err) == 0, "%s", err.text);
    cr_assert(run.result[0].count[COUNTER_VOLUNTARY].median == 0, "pure computation waits for nobody: %g",
              run.result[0].count[COUNTER_VOLUNTARY].median);
    cr_assert(run.witness_there[WITNESS_INVOLUNTARY], "some witnesses are there for every user");
    compare_free(&run);
    counters_destroy(counters);
}

/* ---- clocks and lines ---- */

Test(compare, a_clock_reading_costs_something)
{
    cr_assert(clock_cost_ns() > 0 && clock_cost_ns() < 100000, "%g ns", clock_cost_ns());
    cr_assert(clock_cost_ns() == clock_cost_ns(), "measured once");
}

Test(compare, a_line_goes_round)
{
    struct topology *t;
    struct error err;
    unsigned place[2] = {0, 0};
    double ns = -1;
    cr_assert(topology_load(&t, &err) == 0, "%s", err.text);
    topology_places(t, 2, place, NULL, 0, NULL); /* on one core both share it: slower, and still an answer */
    cr_assert(ping_pong_ns(t, place, &ns) == 0 && ns > 0, "%g ns", ns);
    topology_destroy(t);
}

/* ---- callgrind ---- */

Test(compare, callgrind_marks_outside_valgrind_do_nothing)
{
    struct region r = {0};
    cr_assert(!callgrind_here(), "this is no valgrind");
    callgrind_start();
    region_begin(&r);
    region_end(&r);
    callgrind_stop("nothing");
}

Test(compare, callgrind_geometry_is_always_acceptable)
{
    struct topology *t;
    struct error err;
    struct callgrind_caches c;
    cr_assert(topology_load(&t, &err) == 0, "%s", err.text);
    callgrind_geometry(t, &c);
    const struct topology_geometry *g[] = {&c.instruction, &c.data, &c.last};
    for (size_t i = 0; i < 3; i++) {
        uint64_t sets = g[i]->size / (g[i]->ways * (uint64_t)g[i]->line);
        cr_assert(sets > 0 && (sets & (sets - 1)) == 0 && sets * g[i]->ways * g[i]->line == g[i]->size, "%s: %llu sets",
                  g[i]->text, (unsigned long long)sets);
    }
    callgrind_geometry(NULL, &c);
    cr_assert(c.assumed && strstr(c.words, "not known"), "without hwloc common sizes are taken, and it says so");
    topology_destroy(t);
}
