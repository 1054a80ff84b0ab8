/* Tests of task 5: the ring's owners, found with few instructions and few lines of memory.
 *
 * Both are counted by the host (host/count.h, host/lines.h), so they are the same on every run. What is counted is
 * lookups alone, on a ring that is built; the keys are not to be seen before that. Every owner is judged as well: who
 * recognises these runs and answers anything at all is wrong.
 */
#include "check_steps.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRY   "fast-ring"
#define POINTS  100u /* of a node */
#define FEW     64u  /* nodes */
#define MANY    4096u
#define TOO_FAR 20000ull /* instructions a lookup with FEW nodes: a limit, so that every run ends soon */

CHECK(fast_ring, same_owners)
{
    struct rng r = random_of_test(30);
    for (uint32_t round = 0; round < 3; round++) {
        struct ch_config c = CH_USUAL;
        c.points = round ? between(&r, 1, 12) : 100;
        c.bits = round == 1 ? between(&r, 8, 12) : round == 2 ? between(&r, 24, 63) : 64;
        struct list *l = list_create(RULE_RING, c);
        list_lookup(l, rng_next(&r), 1);
        for (uint32_t i = 0; i < 12; i++) {
            list_add(l, no_node(l, &r), between(&r, 1, 4), 1);
            list_lookup(l, rng_next(&r), check_large() ? 300 : 60);
        }
        while (model_nodes(l->model) > 0) {
            list_remove(l, some_node(l, &r));
            list_lookup(l, 0, 1);
            list_lookup(l, UINT64_MAX, 1);
            list_lookup(l, rng_next(&r), 40);
        }
        list_check(ENTRY, l, "The owners are those of task 1, whatever the points are kept in.");
    }
}

/* Nodes that came one by one must be found as fast as those that came together. */
static struct step *built_ring(uint32_t nodes, uint32_t lookups, struct rng *r, uint32_t *n, uint32_t *late)
{
    struct step *step = room_for(NULL, 8 + 2 * (size_t)lookups, sizeof *step);
    *n = 0;
    step[(*n)++] = (struct step){.op = STEP_ADD, .id = 1, .weight = 1, .n = nodes - 1};
    step[(*n)++] = (struct step){.op = STEP_ADD, .id = nodes + 1, .weight = 1, .n = 1};
    step[(*n)++] = (struct step){.op = STEP_ADD, .id = 0, .weight = 1, .n = 1};
    step[(*n)++] = (struct step){.op = STEP_REMOVE, .id = nodes / 2};
    step[(*n)++] = (struct step){.op = STEP_LOOKUP, .key = rng_next(r), .n = 100};
    step[(*n)++] = (struct step){.op = STEP_COUNT};
    *late = *n;
    for (uint32_t i = 0; i < lookups; i++) {
        step[(*n)++] = (struct step){.op = STEP_LOOKUP, .key = rng_next(r), .n = 1};
        step[(*n)++] = (struct step){.op = STEP_COUNT}; /* a stretch for each, so that each counts its own lines */
    }
    *late = *n - *late;
    return step;
}

/* So many are counted. Each instruction takes microseconds to count, and their number says the same. */
static uint32_t counted_lookups(void)
{
    return check_large() ? 60 : 40;
}

/* ---- judging a ring with many nodes: all points, sorted once ---- */

struct spot {
    uint64_t at;
    uint32_t id;
};

static int spot_order(const void *a, const void *b)
{
    const struct spot *one = a, *other = b;
    if (one->at != other->at)
        return one->at < other->at ? -1 : 1;
    return one->id < other->id ? -1 : one->id > other->id;
}

struct chart {
    struct spot *spot;
    uint32_t spots;
    char wrong[300];
};

static struct chart chart_of(uint32_t nodes)
{
    struct chart c = {.spot = room_for(NULL, (size_t)(nodes + 1) * POINTS, sizeof *c.spot)};
    for (uint32_t id = 0; id <= nodes + 1; id++) {
        for (uint32_t i = 0; i < POINTS && id != nodes && id != nodes / 2; i++)
            c.spot[c.spots++] = (struct spot){ch_point(id, i), id};
    }
    qsort(c.spot, c.spots, sizeof *c.spot, spot_order);
    return c;
}

static uint32_t owner_of(const struct chart *c, uint64_t key)
{
    uint32_t low = 0, high = c->spots;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (c->spot[middle].at < key)
            low = middle + 1;
        else
            high = middle;
    }
    return c->spot[low == c->spots ? 0 : low].id;
}

static bool judge_step(void *context, uint32_t index, const struct step *step, const uint32_t *answer)
{
    struct chart *c = context;
    (void)index;
    if (!answer)
        return false;
    for (uint32_t i = 0; step->op == STEP_LOOKUP && i < step->n; i++) {
        const uint64_t key = steps_key(step, i);
        const uint32_t owner = owner_of(c, key);
        if (answer[i] == owner)
            continue;
        snprintf(c->wrong, sizeof c->wrong,
                 "with %u points on the ring key %#llx belongs to node %u; actual: %s%u. The same owners are asked for "
                 "whatever it costs.",
                 c->spots, (unsigned long long)key, owner, answer[i] == CH_NONE ? "none, " : "node ", answer[i]);
        return false;
    }
    if ((step->op != STEP_ADD && step->op != STEP_REMOVE) || answer[0] == 0)
        return true;
    snprintf(c->wrong, sizeof c->wrong, "with %u points on the ring a node could not join or leave: %s", c->spots,
             steps_code(answer[0]));
    return false;
}

static void judge(const struct steps *steps, const struct host_outcome *o, uint32_t nodes)
{
    struct chart c = chart_of(nodes);
    const int64_t fine = steps_replay(steps, o->records, o->count, judge_step, &c);
    if (fine < 0)
        check_fail(VERDICT_GRADER_FAULT, "the list is not valid (%lld)", (long long)fine);
    check_that(fine == steps->count, "%s", c.wrong);
    free(c.spot);
}

/* ---- what a lookup costs ---- */

struct cost {
    bool whole; /* it came to its end below the limit */
    uint64_t instructions, lines;
    char why[200]; /* not */
};

static struct cost cost_of(const char *plugin, const char *entry, uint32_t nodes, uint64_t limit, bool lines)
{
    struct rng r = random_of_test(31 + nodes);
    uint32_t n, late;
    size_t size;
    struct host_outcome o;
    struct step *step = built_ring(nodes, counted_lookups(), &r, &n, &late);
    const struct ch_config config = CH_USUAL;
    struct steps *steps = steps_block(&config, step, n, late, &size);
    check_host_request((struct host_request){.plugin = plugin,
                                             .entry = entry,
                                             .scenario = steps,
                                             .scenario_size = size,
                                             .record_size = sizeof(uint32_t),
                                             .records = steps_all_records(step, n),
                                             .count_limit = limit,
                                             .count_lines = lines,
                                             .late_bytes = late * sizeof *step},
                       &o);
    if (o.verdict != VERDICT_FINISHED && o.verdict != VERDICT_COST)
        check_fail(o.verdict, "with %u nodes of %u points: %s", nodes, POINTS, o.sentence);
    struct cost c = {.whole = o.verdict == VERDICT_FINISHED, .instructions = o.instructions, .lines = o.lines};
    snprintf(c.why, sizeof c.why, "%.199s", o.sentence);
    if (c.whole && !o.counted && !check_debugging())
        check_fail(VERDICT_GRADER_FAULT, "cannot tell: nothing was counted");
    if (c.whole && strcmp(entry, STEPS_NOTHING) != 0)
        judge(steps, &o, nodes);
    host_outcome_free(&o);
    free(steps);
    free(step);
    return c;
}

/* Of all counted lookups, without what the world does for them: taking the next step, noting the answer. Stopped at
 * `each` instructions a lookup. */
static struct cost own_cost(const char *plugin, uint32_t nodes, uint64_t each, bool lines)
{
    const uint64_t limit = each * counted_lookups();
    const struct cost world = cost_of(plugin, STEPS_NOTHING, nodes, 10 * TOO_FAR * counted_lookups(), lines);
    struct cost c = cost_of(plugin, ENTRY, nodes, limit + world.instructions, lines);
    c.instructions = c.instructions > world.instructions ? c.instructions - world.instructions : 1;
    c.lines = c.lines > world.lines ? c.lines - world.lines : 1;
    return c;
}

/* To two digits behind the point, which is how it is told. */
static double times(uint64_t a, uint64_t b)
{
    const uint64_t hundredths = (100 * a + b / 2) / b;
    return (double)hundredths / 100;
}

/* Growth is a ratio, and who wastes time with few nodes makes it smaller: no more counts there than so many times what
 * the reference takes. */
#define MOST_OF_FEW 4u

CHECK(fast_ring, instructions_grow)
{
    const uint64_t lookups = counted_lookups();
    const double none = check_no_points_at(16);
    struct cost few = own_cost(NULL, FEW, TOO_FAR, false);
    if (!few.whole)
        check_fail(VERDICT_COST, "a lookup takes more than %llu instructions with %u nodes of %u points.", TOO_FAR, FEW,
                   POINTS);
    if (!check_debugging()) {
        const uint64_t most = MOST_OF_FEW * own_cost(check_reference(), FEW, TOO_FAR, false).instructions;
        few.instructions = few.instructions < most ? few.instructions : most;
    }
    const struct cost many = own_cost(NULL, MANY, (uint64_t)(none * (double)few.instructions) / lookups + 1, false);
    if (check_debugging()) {
        puts("(in a debugger every owner is judged, and nothing is counted)");
        return;
    }
    if (!many.whole)
        check_fail(VERDICT_COST,
                   "a lookup takes %.1f instructions with %u nodes (no more count than %u times what the reference "
                   "takes), and "
                   "more than %g times as many with %u, where it was stopped. What looks at every point grows %u "
                   "times; halving what is left grows from 13 steps to 19.",
                   times(few.instructions, lookups), FEW, MOST_OF_FEW, none, MANY, MANY / FEW);
    check_measured(times(many.instructions, few.instructions),
                   "a lookup takes %.1f instructions with %u nodes of %u points and %.1f with %u: %.2f times as many. "
                   "The points are spread evenly: can you tell from a key about where its point stands?",
                   times(few.instructions, lookups), FEW, POINTS, times(many.instructions, lookups), MANY,
                   times(many.instructions, few.instructions));
}

CHECK(fast_ring, lines_touched)
{
    const uint64_t lookups = counted_lookups();
    const struct cost c = own_cost(NULL, MANY, 10 * TOO_FAR, true);
    if (check_debugging())
        return;
    if (!c.whole)
        check_fail(VERDICT_COST, "with %u nodes of %u points: %s", MANY, POINTS, c.why);
    check_measured(times(c.lines, lookups),
                   "with %u nodes of %u points a lookup touches %.2f lines of memory. Each that isn't in a cache is a "
                   "wait of about 100 ns. Halving looks at a line of its own in nearly every step.",
                   MANY, POINTS, times(c.lines, lookups));
}

/* ---- memory ---- */

/* Bytes that can be written, libraries and all: 2 MiB, of which less than 600 KiB are taken before the entry is there;
 * and 80 bytes a point: a list twice as long as it need be, and as much again while it is sorted or grows. */
CHECK(fast_ring, bytes_a_point)
{
    struct rng r = random_of_test(32);
    const uint64_t room = (8u << 18) + 64 * (uint64_t)sysconf(_SC_PAGESIZE) + 80ull * POINTS * MANY;
    uint32_t n, late;
    size_t size;
    struct host_outcome o;
    struct step *step = built_ring(MANY, 10, &r, &n, &late);
    const struct ch_config config = CH_USUAL;
    struct steps *steps = steps_block(&config, step, n, 0, &size);
    check_host_request((struct host_request){.entry = ENTRY,
                                             .scenario = steps,
                                             .scenario_size = size,
                                             .record_size = sizeof(uint32_t),
                                             .records = steps_all_records(step, n),
                                             .data_bytes = room},
                       &o);
    if (o.verdict == VERDICT_MEMORY)
        check_fail(o.verdict,
                   "%u nodes of %u points in %.3g MiB: %s\nThere is room for 80 bytes a point, sorting and growing "
                   "included.",
                   MANY, POINTS, (double)room / (1 << 20), o.sentence);
    if (o.verdict != VERDICT_FINISHED)
        check_fail(o.verdict, "with %u nodes of %u points: %s", MANY, POINTS, o.sentence);
    judge(steps, &o, MANY);
    host_outcome_free(&o);
    free(steps);
    free(step);
}
