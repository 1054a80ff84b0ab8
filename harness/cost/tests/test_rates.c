/* Rates and their shares: on made-up rounds, which must come out exactly; then through the whole program, where every
 * figure must agree with the time that stands beside it. How fast anything is is no matter for a test. */
#include "cost/internal.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(rates, .timeout = 120);

/* ---- made-up rounds ---- */

enum { ROUNDS = 12, CELLS = 3 };

static double thousand(const struct cost_subject *subject)
{
    (void)subject;
    return 1000;
}

/* Three cells and a limit after two candidates that no table shows; each takes so long in every round, with a drift that
 * all have in common. */
struct scene {
    struct cost_run run;
    struct cost_cell cell[CELLS];
    struct cost_name name[CELLS];
    struct cost_group group;
    struct cost_operation operation;
    struct compare_result result[CELLS + 3];
    struct compare_run timed;
    double round[CELLS + 3][ROUNDS];
};

static struct scene *scene(const struct cost_operation *operation, unsigned threads)
{
    static const double ns[CELLS + 3] = {200, 400, 100, 7, 7, 10};
    static const uint32_t cell[CELLS] = {0, 1, 2};
    struct scene *s = xcalloc(1, sizeof *s);
    s->operation = *operation;
    s->run.cell = s->cell;
    s->group = (struct cost_group){.cells = CELLS, .limits = 1};
    s->group.limit[0].loop.work = 100;
    for (uint32_t i = 0; i < CELLS; i++) {
        static const char *const names[CELLS] = {"a", "b", "c"};
        snprintf(s->name[i].entry, sizeof s->name[i].entry, "%s", names[i]);
        s->cell[i] = (struct cost_cell){
            .operation = &s->operation, .who = &s->name[i], .size = 10, .threads = threads, .limit = i < 2 ? 0 : -1};
        s->cell[i].rate = s->cell[i].share = s->cell[i].against = (struct stats_interval){NAN, NAN, NAN};
    }
    for (uint32_t i = 0; i < CELLS + 3; i++) {
        for (uint32_t r = 0; r < ROUNDS; r++)
            s->round[i][r] = ns[i] * (1 + 0.1 * r);
        s->result[i].round = s->round[i];
        s->result[i].time = (struct stats_interval){ns[i], ns[i], 2 * ns[i]};
        s->result[i].p10 = ns[i] / 2;
        if (i < CELLS)
            s->cell[i].time = s->result[i].time;
    }
    s->timed = (struct compare_run){.candidates = CELLS + 3, .rounds = ROUNDS, .result = s->result};
    cost_rates(&s->run, &s->group, &s->timed, cell, CELLS, CELLS + 2);
    return s;
}

static void expect(const char *what, const struct stats_interval *i, double median, double low, double high)
{
    cr_assert(fabs(i->median - median) < 1e-9 * median && fabs(i->low - low) < 1e-9 * median &&
                  fabs(i->high - high) < 1e-9 * median,
              "%s: %g from %g to %g, expected %g from %g to %g", what, i->median, i->low, i->high, median, low, high);
}

Test(rates, share_of_the_limit_within_each_round)
{
    const struct cost_operation o = {.rate = "GFLOP/s", .work = thousand, .against = "b"};
    struct scene *s = scene(&o, 1);
    expect("a's rate", &s->cell[0].rate, 5, 2.5, 5);
    expect("b's rate", &s->cell[1].rate, 2.5, 1.25, 2.5);
    expect("the limit's rate", &s->group.limit[0].rate, 10, 5, 10);
    cr_assert(fabs(s->group.limit[0].best - 20) < 1e-9, "the limit's best: %g", s->group.limit[0].best);
    /* The drift of the rounds is in none of the shares. */
    expect("a's share", &s->cell[0].share, 50, 50, 50);
    expect("b's share", &s->cell[1].share, 25, 25, 25);
    expect("a against b", &s->cell[0].against, 200, 200, 200);
    expect("c against b", &s->cell[2].against, 400, 400, 400);
    cr_assert(isnan(s->cell[1].against.median), "b stands against itself");
    cr_assert(isnan(s->cell[2].share.median), "c stands under no limit");
    free(s);
}

Test(rates, threads_add_up_where_each_does_its_own)
{
    const struct cost_operation each = {.rate = "GB/s", .work = thousand},
                                shared = {.rate = "GB/s", .work = thousand, .shared = true},
                                own = {.rate = "GB/s", .work = thousand, .own_threads = true};
    struct scene *s = scene(&each, 2);
    expect("two threads, an operation each", &s->cell[0].rate, 10, 5, 10);
    expect("its share of two threads at the limit", &s->cell[0].share, 50, 50, 50);
    cr_assert(isnan(s->cell[0].against.median), "it stands against nobody");
    free(s);
    s = scene(&shared, 2);
    expect("two threads, one operation", &s->cell[0].rate, 5, 2.5, 5);
    expect("its share", &s->cell[0].share, 25, 25, 25);
    expect("the limit", &s->group.limit[0].rate, 20, 10, 20);
    free(s);
    s = scene(&own, 2);
    expect("threads of its own", &s->cell[0].share, 25, 25, 25);
    free(s);
}

Test(rates, none_where_there_is_no_work)
{
    const struct cost_operation o = {.rate = NULL};
    struct scene *s = scene(&o, 1);
    for (int i = 0; i < CELLS; i++)
        cr_assert(isnan(s->cell[i].rate.median) && isnan(s->cell[i].share.median), "cell %d has a rate", i);
    free(s);
}

/* ---- the whole program, on parts of its own ---- */

static uint64_t spent;

static int nothing_to_make(const struct cost_subject *subject, void **state, struct error *err)
{
    if (strcmp(subject->name, "refused") == 0)
        return error_set(err, -ENOTSUP, "it is not for here");
    *state = &spent;
    return 0;
}

static void spend(void *state, unsigned thread, uint64_t n)
{
    uint64_t x = *(const uint64_t *)state;
    (void)thread;
    for (uint64_t i = 0; i < 100 * n; i++)
        __asm__ volatile("" : "+r"(x));
}

static void keep(void *state)
{
    (void)state;
}

static const char *limit_of(const struct cost_subject *subject)
{
    return strcmp(subject->name, "limitless") == 0 ? "flops-unheard-of" : "flops-portable";
}

/* Deterministic: what a program elsewhere would have said. */
static int told(const struct cost_subject *subject, uint32_t rounds, double *ns, struct error *err)
{
    if (subject->size == 2)
        return error_set(err, -ENOTSUP, "that program is not here");
    for (uint32_t i = 0; i < 2 * rounds; i++)
        ns[i] = i < rounds ? 100 : 400;
    return 0;
}

static const char *no_entries(const struct plugin_entry *entry)
{
    (void)entry;
    return NULL;
}

/* The result of a run in a child, since the program prints and may end. */
static json_t *run_program(void)
{
    static const uint64_t one[] = {1, 0}, sizes[] = {1, 2, 0};
    static const unsigned thread[] = {1, 0};
    static const char *const here[] = {"spender", "limitless", "refused", NULL}, *const there[] = {"x", "y", NULL};
    const struct cost_operation operations[] = {{.name = "spend",
                                                 .what = "loops",
                                                 .sizes = one,
                                                 .threads = thread,
                                                 .names = here,
                                                 .parts = true,
                                                 .rounds = 8,
                                                 .create = nothing_to_make,
                                                 .run = spend,
                                                 .destroy = keep,
                                                 .rate = "GFLOP/s",
                                                 .work = thousand,
                                                 .limit = limit_of,
                                                 .against = "spender"},
                                                {.name = "tell",
                                                 .what = "told",
                                                 .size_name = "things",
                                                 .sizes = sizes,
                                                 .threads = thread,
                                                 .names = there,
                                                 .parts = true,
                                                 .rounds = 8,
                                                 .rate = "GFLOP/s",
                                                 .work = thousand,
                                                 .against = "x",
                                                 .own_threads = true,
                                                 .elsewhere = told}};
    const struct cost_suite suite = {
        .lab_folder = "01-load-balancing", .operation = operations, .operations = 2, .entry_name = no_entries};
    char path[] = "/tmp/faultline-rates.XXXXXX";
    int fd = mkstemp(path), status = 0;
    cr_assert(fd >= 0, "a temporary file");
    close(fd);
    pid_t child = fork();
    if (child == 0) {
        char *argv[] = {"cost", "--quiet", "--counters", "software", "--out", path, NULL};
        if (!freopen("/dev/null", "w", stdout))
            _exit(99);
        _exit(cost_main(6, argv, &suite));
    }
    waitpid(child, &status, 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ended with status %d", status);
    json_error_t where;
    json_t *json = json_load_file(path, 0, &where);
    unlink(path);
    cr_assert(json, "no result: %s", where.text);
    return json;
}

static const json_t *row(const json_t *json, const char *entry, int size, const char *metric)
{
    size_t i;
    json_t *r;
    json_array_foreach(json_object_get(json, "rows"), i, r)
    {
        if (strcmp(json_string_value(json_object_get(r, "entry")), entry) == 0 &&
            strcmp(json_string_value(json_object_get(r, "metric")), metric) == 0 &&
            json_integer_value(json_object_get(r, "size")) == size)
            return r;
    }
    cr_assert(false, "%s has no row %s at %d", entry, metric, size);
    return NULL;
}

static double value(const json_t *r, const char *field)
{
    const json_t *v = json_object_get(r, field);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static const char *word(const json_t *r, const char *field)
{
    const char *text = json_string_value(json_object_get(r, field));
    return text ? text : "";
}

static const json_t *group(const json_t *json, const char *operation)
{
    size_t i;
    json_t *g;
    json_array_foreach(json_object_get(json, "groups"), i, g)
    {
        if (strcmp(word(g, "operation"), operation) == 0)
            return g;
    }
    return NULL;
}

Test(rates, rows_agree_with_the_times)
{
    json_t *json = run_program();
    const json_t *time = row(json, "spender", 1, "time"), *rate = row(json, "spender", 1, "rate"),
                 *share = row(json, "spender", 1, "share"), *limits = json_object_get(group(json, "spend"), "limits");
    cr_assert(fabs(value(rate, "value") * value(time, "value") / 1000 - 1) < 1e-6, "rate %g, time %g",
              value(rate, "value"), value(time, "value"));
    cr_assert(fabs(value(rate, "low") * value(time, "high") / 1000 - 1) < 1e-6, "the interval is that of the time");
    cr_assert_str_eq(word(rate, "unit"), "GFLOP/s");
    cr_assert_str_eq(word(rate, "source"), "measured");
    cr_assert_str_eq(word(share, "unit"), "% of flops-portable");
    cr_assert(value(share, "value") > 0 && value(share, "low") <= value(share, "value") &&
                  value(share, "value") <= value(share, "high"),
              "share %g from %g to %g", value(share, "value"), value(share, "low"), value(share, "high"));
    cr_assert(json_array_size(limits) == 1, "%zu limits were timed", json_array_size(limits));
    const json_t *limit = json_array_get(limits, 0);
    cr_assert_str_eq(word(limit, "id"), "flops-portable");
    cr_assert(value(limit, "value") > 0 && value(limit, "best") > 0, "the limit was not measured");
    json_decref(json);
}

Test(rates, what_is_missing_has_its_reason)
{
    json_t *json = run_program();
    const json_t *share = row(json, "limitless", 1, "share"), *rate = row(json, "refused", 1, "rate");
    cr_assert(isnan(value(share, "value")) && strstr(word(share, "reason"), "can't be measured"), "%s",
              word(share, "reason"));
    cr_assert(value(row(json, "limitless", 1, "against"), "value") > 0, "it was timed beside the spender");
    cr_assert_str_eq(word(rate, "source"), "n/a");
    cr_assert_str_eq(word(rate, "reason"), "it is not for here");
    cr_assert_str_eq(word(row(json, "y", 2, "rate"), "reason"), "that program is not here");
    cr_assert_str_eq(word(row(json, "y", 2, "against"), "reason"), "that program is not here");
    json_decref(json);
}

Test(rates, a_program_elsewhere_tells_its_rounds)
{
    json_t *json = run_program();
    cr_assert_float_eq(value(row(json, "x", 1, "rate"), "value"), 10, 1e-6);
    cr_assert_float_eq(value(row(json, "y", 1, "rate"), "value"), 2.5, 1e-6);
    cr_assert_float_eq(value(row(json, "y", 1, "against"), "value"), 25, 1e-6);
    cr_assert_str_eq(word(row(json, "y", 1, "against"), "unit"), "% of x");
    cr_assert(value(row(json, "x", 1, "p10"), "value") == 100, "percentiles are of the rounds");
    json_decref(json);
}
