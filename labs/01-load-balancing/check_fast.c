/* Tests of task 5, fast weighted least connections: the same decisions as task 2 by any way of breaking ties, and what
 * they cost.
 *
 * Costs are instructions that the host counted (host/count.h), so they are the same on every run. What is counted is
 * picks and ends of picks alone, on a fleet that is in use already; joining is not. To count an instruction takes
 * microseconds, so only some short stretches of a long run are counted, drawn by the seed, and nobody in the run can
 * tell which: who sorts all members ahead must do it all the time, and pays for it. Every pick is judged as well,
 * counted or not: who recognises these runs and answers anything at all is wrong.
 */
#include "check_script.h"

#include "base/memory.h"

#include <stdlib.h>
#include <unistd.h>

#define ENTRY "weighted-least-connections-heap"
#define FEW   64u /* backends of the small runs */

CHECK(fast_least_connections, still_least_loaded)
{
    check_least_loaded(
        ENTRY,
        (struct load_test){
            .backends = check_large() ? 30 : 4, .weights = 6, .steps = check_large() ? 4000 : 400, .failures = true},
        50);
    check_least_loaded(ENTRY,
                       (struct load_test){.backends = check_large() ? MODEL_BACKENDS : 40,
                                          .weights = 100,
                                          .steps = check_large() ? 4000 : 1200,
                                          .failures = true,
                                          .leaving = true},
                       51);
}

/* ---- judging a run with many backends ---- */

struct account {
    uint32_t backends, *weight, *in_flight; /* [backends] */
    uint32_t picks;
    char wrong[400];
};

static bool judge_pick(struct account *a, uint32_t backend)
{
    a->picks++;
    if (backend >= a->backends) {
        snprintf(a->wrong, sizeof a->wrong, "pick %u of a run with %u backends gave %s.", a->picks, a->backends,
                 backend == LB_NONE ? "no backend" : "a backend that is none");
        return false;
    }
    const uint64_t mine = a->in_flight[backend] + 1ull, weight = a->weight[backend];
    for (uint32_t i = 0; i < a->backends; i++) {
        if ((a->in_flight[i] + 1ull) * weight >= mine * a->weight[i])
            continue;
        snprintf(
            a->wrong, sizeof a->wrong,
            "pick %u of a run with %u backends.\nexpected: backend %u or its like, (in flight + 1) / weight = (%u + "
            "1) / %u = %.4f\nactual: backend %u, (%u + 1) / %u = %.4f",
            a->picks, a->backends, i, a->in_flight[i], a->weight[i], (a->in_flight[i] + 1.0) / a->weight[i], backend,
            a->in_flight[backend], a->weight[backend], (double)mine / (double)weight);
        return false;
    }
    a->in_flight[backend]++;
    return true;
}

static bool judge_step(void *context, uint32_t index, const struct script_step *step, uint32_t backend)
{
    struct account *a = context;
    (void)index;
    if (step->op == SCRIPT_PICK)
        return judge_pick(a, backend);
    if (step->op == SCRIPT_ADD)
        a->weight[backend] = step->value;
    else
        a->in_flight[backend]--;
    return true;
}

static void judge(const struct script *script, const struct host_outcome *o)
{
    const uint32_t n = script->config.max_backends;
    struct account a = {
        .backends = n, .weight = calloc(n, sizeof *a.weight), .in_flight = calloc(n, sizeof *a.in_flight)};
    if (!a.weight || !a.in_flight)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    int64_t fine = script_replay(script, o->records, o->count, judge_step, &a);
    if (fine < 0)
        check_fail(VERDICT_GRADER_FAULT, "the script is not valid (%lld)", (long long)fine);
    check_that(fine == script->steps, "%s", a.wrong);
    free(a.weight);
    free(a.in_flight);
}

/* Runs a script and judges every pick. False when it was stopped at its limit of instructions. `how`: what the run is
 * to be beside that; the plugin NULL for the one under test. */
static bool run(struct host_request how, struct script *script, uint32_t picks, struct host_outcome *o)
{
    how.entry = ENTRY;
    how.scenario = (const char *)script - sizeof(struct adapter_header);
    how.scenario_size = sizeof(struct adapter_header) + SCRIPT_SIZE(script->steps);
    how.late_bytes = script->late * sizeof(struct script_step);
    how.record_size = sizeof(uint32_t);
    how.records = picks;
    check_host_request(how, o);
    if (o->verdict == VERDICT_COST)
        return false;
    if (o->verdict == VERDICT_MEMORY && how.data_bytes)
        check_fail(
            o->verdict,
            "%u backends, %u picks, never more than %u requests in flight: %s\nWhat is kept of a pick must be gone "
            "when it has ended.",
            script->config.max_backends, picks, 2 * FEW, o->sentence);
    if (o->verdict != VERDICT_FINISHED)
        check_fail(o->verdict, "with %u backends and %u picks: %s", script->config.max_backends, picks, o->sentence);
    judge(script, o);
    return true;
}

/* ---- what a pick costs ---- */

#define MANY    1024u
#define GROWN   4096u   /* where vectors of members don't hide that all are looked at */
#define TOP     100u    /* weights are 1 … TOP */
#define TOO_FAR 2500ull /* instructions a step with FEW backends: a limit, so that every run ends soon */

#define STRETCHES 80u /* of a run */
#define STRETCH   10u /* steps of one, without its marker */

/* So many stretches are counted. */
static uint32_t counted_stretches(void)
{
    return check_large() ? 6 : 4;
}

static uint32_t counted_steps(void)
{
    return counted_stretches() * STRETCH;
}

/* One step more of a fleet in use: a pick, or the end of one. */
static void use(struct steps *s, struct rng *r, uint32_t *flying, uint32_t *flights, bool pick)
{
    s->now += MS;
    if (pick) {
        flying[(*flights)++] = steps_pick(s);
    } else {
        uint32_t which = rng_below(r, *flights);
        steps_done(s, flying[which], LB_OK, between(r, 1000, 50 * MS));
        flying[which] = flying[--*flights];
    }
}

/* All join; twice as many requests are in flight as there are backends, after some have come and gone; from there on,
 * in stretches, picks and answers in random order, drawn from a stream of their own: what is seen before says nothing
 * about them. */
static struct steps *busy_fleet(uint32_t n)
{
    struct rng r = random_of_test(52);
    struct steps *s = new_steps();
    uint32_t *flying = xcalloc(4 * n + STRETCHES * STRETCH, sizeof *flying), flights = 0;
    for (uint32_t i = 0; i < n; i++)
        steps_add(s, i, between(&r, 1, TOP));
    for (uint32_t k = 0; k < 6 * n; k++)
        use(s, &r, flying, &flights, k < 4 * n);
    r = random_of_test(54);
    for (uint32_t k = 0; k < STRETCHES * STRETCH; k++) {
        if (k % STRETCH == 0)
            steps_count(s);
        use(s, &r, flying, &flights, rng_below(&r, 2));
    }
    free(flying);
    return s;
}

/* Which stretches are counted. The bytes of each are its steps and the marker of the next. */
static void draw_stretches(struct host_stretch stretch[STRETCHES])
{
    struct rng r = random_of_test(55);
    for (uint32_t i = 0; i < STRETCHES; i++)
        stretch[i].bytes = (STRETCH + (i + 1 < STRETCHES)) * sizeof(struct script_step), stretch[i].counted = 0;
    for (uint32_t left = counted_stretches(); left > 0;) {
        struct host_stretch *one = &stretch[rng_below(&r, STRETCHES)];
        left -= !one->counted;
        one->counted = 1;
    }
}

/* Instructions of the counted steps; 0 when they were `limit` or more. Where nothing is counted (in a debugger): 1. */
static uint64_t cost(const char *plugin, uint32_t backends, uint64_t limit)
{
    struct steps *s = busy_fleet(backends);
    struct lb_config config = config_for(backends);
    struct script *script;
    struct host_outcome o;
    size_t size;
    rng_seed(&config.random, 1, 0); /* the seed of the steps could be read off that of the test */
    void *block = script_block(&config, s->step, s->n, &script, &size);
    script->late = STRETCHES * (STRETCH + 1) - 1;
    struct host_stretch stretch[STRETCHES];
    draw_stretches(stretch);
    bool whole =
        run((struct host_request){.plugin = plugin, .count_limit = limit, .stretch = stretch, .stretches = STRETCHES},
            script, count_picks(s->step, s->n), &o);
    if (whole && !o.counted && !check_debugging())
        check_fail(VERDICT_GRADER_FAULT, "cannot tell: nothing was counted");
    host_outcome_free(&o);
    free(block);
    free(s);
    return !whole ? 0 : o.counted ? o.instructions : 1;
}

/* To two digits behind the point, which is how it is told. */
static double times(uint64_t a, uint64_t b)
{
    uint64_t hundredths = (100 * a + b / 2) / b;
    return (double)hundredths / 100;
}

static unsigned each(uint64_t instructions)
{
    return (unsigned)(instructions / counted_steps());
}

static uint64_t reference_cost(uint32_t backends)
{
    const uint64_t reference = cost(check_reference(), backends, 100 * TOO_FAR * counted_steps());
    if (reference < counted_steps())
        check_fail(VERDICT_GRADER_FAULT, "cannot tell: the reference did not come to its end");
    return reference;
}

/* Growth is a ratio, and who wastes time with few backends makes it smaller: no more counts there than so many times
 * what the reference takes, which is what near-the-reference has full points for. */
#define MOST_OF_FEW 2.5

CHECK(fast_least_connections, cost_grows_slowly)
{
    const double none = check_no_points_at(16);
    uint64_t few = cost(NULL, FEW, TOO_FAR * counted_steps());
    const uint64_t most = check_debugging() ? few : (uint64_t)(MOST_OF_FEW * (double)reference_cost(FEW));
    if (!few)
        check_fail(VERDICT_COST, "a pick or an answer takes more than %llu instructions with %u backends.", TOO_FAR,
                   FEW);
    if (few > most && most > 0)
        few = most;
    uint64_t many = cost(NULL, GROWN, (uint64_t)(none * (double)few) + 1);
    if (check_debugging()) {
        puts("(in a debugger every pick is judged, and nothing is counted)");
        return;
    }
    if (!many)
        check_fail(VERDICT_COST,
                   "a pick or an answer takes %u instructions with %u backends (no more count than %g times what the "
                   "reference takes), and more than %u with %u, where it was stopped: more than %g times as many for "
                   "%u times the backends. What looks at every member grows %u "
                   "times; what goes down a tree looks at 6 of %u and at 12 of %u.",
                   each(few), FEW, MOST_OF_FEW, each((uint64_t)(none * (double)few)), GROWN, none, GROWN / FEW,
                   GROWN / FEW, FEW, GROWN);
    check_measured(times(many, few),
                   "a pick or an answer takes %u instructions with %u backends and %u with %u: %.2f times as many. Is "
                   "there still a loop over all members, or a search for a backend's place?",
                   each(few), FEW, each(many), GROWN, times(many, few));
}

CHECK(fast_least_connections, near_the_reference)
{
    if (check_debugging()) {
        cost(NULL, MANY, 0);
        return;
    }
    const uint64_t reference = reference_cost(MANY);
    const double none = check_no_points_at(100);
    uint64_t mine = cost(NULL, MANY, (uint64_t)(none * (double)reference) + 1);
    if (!mine)
        check_fail(VERDICT_COST,
                   "with %u backends a pick or an answer takes more than %u instructions, where it was stopped; the "
                   "reference, built by the same compiler, takes %u.",
                   MANY, each((uint64_t)(none * (double)reference)), each(reference));
    check_measured(times(mine, reference),
                   "with %u backends a pick or an answer takes %u instructions; the reference, built by the same "
                   "compiler, takes %u. %.2f times as many: what is done twice, or for every member?",
                   MANY, each(mine), each(reference), times(mine, reference));
}

/* ---- memory ---- */

#define PICKS 400000u

/* Bytes that can be written, libraries and all, which take pages whatever their size: 2 MiB with pages of 4 KiB, of
 * which less than 400 KiB are taken before the entry is there. Who keeps 8 bytes of each pick needs 3.2 million more. */
static uint64_t room(void)
{
    return (7u << 18) + 64 * (uint64_t)sysconf(_SC_PAGESIZE);
}

CHECK(fast_least_connections, memory_stays)
{
    struct rng r = random_of_test(53);
    const uint32_t n = FEW + 2 * PICKS, slots = 2 * FEW;
    struct script_step *step = calloc(n, sizeof *step);
    if (!step)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    for (uint32_t i = 0; i < FEW; i++)
        step[i] = (struct script_step){.op = SCRIPT_ADD, .backend = i, .value = between(&r, 1, TOP)};
    for (uint32_t k = 0; k < PICKS; k++) { /* what a slot held ends, then it holds another */
        const uint32_t slot = k < slots ? k : rng_below(&r, slots);
        struct script_step *s = step + FEW + 2 * k;
        s[0] = (struct script_step){.at = k * MS, .op = SCRIPT_DONE, .id = slot, .value = LB_OK, .latency = MS};
        s[1] = (struct script_step){.at = k * MS, .op = SCRIPT_PICK, .id = slot};
    }
    struct lb_config config = config_for(FEW);
    struct script *script;
    struct host_outcome o;
    size_t size;
    void *block = script_block(&config, step, n, &script, &size);
    free(step);
    run((struct host_request){.data_bytes = room()}, script, PICKS, &o);
    free(block);
    host_outcome_free(&o);
}
