/* script.c: a balancer called step by step, and the judge walking the same steps. */
#include "script.h"

#include "host/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

TestSuite(script, .timeout = 20);

/* An entry that picks the member with the fewest in flight, the lowest first; backend 7 can't be added. */
struct least {
    uint32_t backends;
    bool member[8];
    int in_flight[8];
};

static int least_create(const struct lb_config *config, void **out)
{
    struct least *l = calloc(1, sizeof *l);
    l->backends = config->max_backends;
    cr_assert(!config->inner && !config->inner_config, "an inner entry came from the script");
    *out = l;
    return 0;
}

static int least_add(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct least *l = balancer;
    (void)weight;
    (void)now;
    cr_assert(!l->member[backend], "added twice");
    l->member[backend] = true;
    return backend == 7 ? -ENOMEM : 0;
}

static void least_remove(void *balancer, uint32_t backend, uint64_t now)
{
    struct least *l = balancer;
    (void)now;
    cr_assert(l->member[backend], "removed twice");
    l->member[backend] = false;
}

static int least_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct least *l = balancer;
    (void)weight;
    (void)now;
    cr_assert(l->member[backend], "set_weight of no member");
    return 0;
}

static uint32_t least_pick(void *balancer, uint64_t now)
{
    struct least *l = balancer;
    uint32_t best = LB_NONE;
    (void)now;
    for (uint32_t i = 0; i < l->backends; i++)
        if (l->member[i] && (best == LB_NONE || l->in_flight[i] < l->in_flight[best]))
            best = i;
    if (best != LB_NONE)
        l->in_flight[best]++;
    return best;
}

static void least_done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct least *l = balancer;
    (void)outcome;
    (void)latency;
    (void)now;
    cr_assert(l->in_flight[backend]-- > 0, "done without a pick");
}

static const struct lb_ops least = {least_create,     free,       least_add,  least_remove,
                                    least_set_weight, least_pick, least_done, .wraps = false};

static struct script *make(uint32_t backends, uint32_t steps, const struct script_step *step)
{
    struct script *s = calloc(1, SCRIPT_SIZE(steps));
    s->config.max_backends = backends;
    s->config.inner = (const struct lb_ops *)(uintptr_t)64; /* an address of another process: must not be used */
    rng_seed(&s->config.random, 1, 0);
    s->steps = steps;
    memcpy(s->step, step, steps * sizeof *step);
    return s;
}

struct picks {
    struct decision_log log;
    uint32_t pick[32];
};

static struct picks *run(const struct script *s, int expected)
{
    struct picks *p = calloc(1, sizeof *p);
    p->log.record_size = sizeof(uint32_t);
    p->log.capacity = 32;
    const int failed = script_run(s, &least, NULL, &p->log);
    cr_assert(failed == expected, "expected %d, got %d", expected, failed);
    return p;
}

static const struct script_step story[] = {
    {.op = SCRIPT_PICK, .id = 0},                                             /* nobody is there */
    {.at = 1, .op = SCRIPT_ADD, .backend = 2, .value = 1},                    /* */
    {.at = 1, .op = SCRIPT_ADD, .backend = 2, .value = 1},                    /* skipped: is a member */
    {.at = 1, .op = SCRIPT_ADD, .backend = 3, .value = 5},                    /* */
    {.at = 2, .op = SCRIPT_PICK, .id = 1},                                    /* 2 */
    {.at = 3, .op = SCRIPT_PICK, .id = 2},                                    /* 3 */
    {.at = 4, .op = SCRIPT_DONE, .id = 0, .value = LB_OK},                    /* skipped: got no backend */
    {.at = 4, .op = SCRIPT_DONE, .id = 2, .value = LB_TIMEOUT, .latency = 1}, /* of 3 */
    {.at = 5, .op = SCRIPT_DONE, .id = 2, .value = LB_OK},                    /* skipped: has ended */
    {.at = 5, .op = SCRIPT_DONE, .id = 9, .value = LB_OK},                    /* skipped: no such pick */
    {.at = 6, .op = SCRIPT_PICK, .id = 5},                                    /* 3 */
    {.at = 6, .op = SCRIPT_REMOVE, .backend = 3},                             /* */
    {.at = 6, .op = SCRIPT_REMOVE, .backend = 3},                             /* skipped: is no member */
    {.at = 6, .op = SCRIPT_WEIGHT, .backend = 3, .value = 1},                 /* skipped: is no member */
    {.at = 7, .op = SCRIPT_WEIGHT, .backend = 2, .value = 9},                 /* */
    {.at = 8, .op = SCRIPT_DONE, .id = 5, .value = LB_OK},                    /* of 3, which left meanwhile */
};
enum { STEPS = sizeof story / sizeof *story };
static const uint32_t story_picks[] = {LB_NONE, 2, 3, 3};

struct visits {
    uint32_t count, stop_at;
    uint32_t index[STEPS], backend[STEPS];
};

static bool visit(void *context, uint32_t index, const struct script_step *step, uint32_t backend)
{
    struct visits *v = context;
    cr_assert(step->op <= SCRIPT_DONE, "a step of no kind");
    v->index[v->count] = index;
    v->backend[v->count++] = backend;
    return index != v->stop_at;
}

Test(script, steps_and_picks)
{
    struct script *s = make(4, STEPS, story);
    struct picks *p = run(s, 0);
    cr_assert(p->log.count == 4, "%llu picks", (unsigned long long)p->log.count);
    cr_assert(memcmp(log_records(&p->log), story_picks, sizeof story_picks) == 0, "other picks");
    free(p);
    free(s);
}

Test(script, replay_visits_what_was_carried_out)
{
    const uint32_t index[] = {0, 1, 3, 4, 5, 7, 10, 11, 14, 15}, backend[] = {LB_NONE, 2, 3, 2, 3, 3, 3, 3, 2, 3};
    struct script *s = make(4, STEPS, story);
    struct visits v = {.stop_at = STEPS};
    const int64_t taken = script_replay(s, story_picks, 4, visit, &v);
    cr_assert(taken == STEPS, "%lld steps were taken", (long long)taken);
    cr_assert(v.count == sizeof index / sizeof *index, "%u were carried out", v.count);
    cr_assert(memcmp(v.index, index, sizeof index) == 0, "other steps");
    cr_assert(memcmp(v.backend, backend, sizeof backend) == 0, "other backends");
    for (uint32_t stop = 0; stop < STEPS; stop++) {
        struct visits w = {.stop_at = stop};
        bool carried_out = false;
        for (uint32_t i = 0; i < v.count; i++)
            carried_out |= v.index[i] == stop;
        const int64_t fine = script_replay(s, story_picks, 4, visit, &w);
        cr_assert(fine == (carried_out ? stop : STEPS), "stopped at %u, says %lld", stop, (long long)fine);
    }
    free(s);
}

/* A log that says nonsense, or too little, is passed on as it is; what was not sent does not end. */
Test(script, replay_believes_nothing)
{
    const uint32_t nonsense[] = {1, 1000000, LB_NONE};
    const uint32_t backend[] = {1, 2, 3, 1000000, LB_NONE, LB_NONE, 3, 2};
    struct script *s = make(4, STEPS, story);
    struct visits v = {.stop_at = STEPS};
    script_replay(s, nonsense, 3, visit, &v);
    cr_assert(v.count == sizeof backend / sizeof *backend, "%u were carried out", v.count);
    cr_assert(memcmp(v.backend, backend, sizeof backend) == 0, "other backends");
    free(s);
}

Test(script, failures)
{
    const struct script_step step[] = {{.op = SCRIPT_ADD, .backend = 1}, {.op = SCRIPT_ADD, .backend = 7}};
    struct script *s = make(8, 2, step);
    free(run(s, -ENOMEM));
    cr_assert(script_run(s, &least, &least, NULL) == -EINVAL, "an inner entry in a plain one");
    free(s);
    const struct script_step bad[][2] = {
        {{.op = SCRIPT_ADD, .backend = 8}},
        {{.op = SCRIPT_REMOVE, .backend = 8}},
        {{.op = SCRIPT_ADD, .value = LB_MAX_WEIGHT + 1}},
        {{.op = SCRIPT_COUNT + 1}},
        {{.op = SCRIPT_PICK, .id = SCRIPT_MAX_PICKS}},
        {{.op = SCRIPT_PICK}, {.op = SCRIPT_DONE, .value = LB_TIMEOUT + 1}},
        {{.op = SCRIPT_PICK, .at = 5}, {.op = SCRIPT_PICK, .at = 4}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct visits v = {0};
        s = make(8, 2, bad[i]);
        free(run(s, -EINVAL));
        cr_assert(script_replay(s, NULL, 0, visit, &v) == -EINVAL, "bad script %zu was taken", i);
        free(s);
    }
    s = make(0, 0, step);
    free(run(s, -EINVAL));
    free(s);
}

/* The host sees the late steps when it counts; until then they may be anything. The judge sees them from the start. */
Test(script, late_steps)
{
    const struct script_step steps[] = {{.op = SCRIPT_ADD, .backend = 2, .value = 1},
                                        {.op = SCRIPT_PICK, .id = 0},
                                        {.op = SCRIPT_COUNT},
                                        {.op = SCRIPT_DONE, .id = 0},
                                        {.at = 1, .op = SCRIPT_PICK, .id = 4}};
    struct script *s = make(4, 5, steps);
    s->late = 2;
    struct visits v = {.stop_at = STEPS};
    struct picks *p = run(s, 0);
    cr_assert(p->log.count == 2 && p->pick[0] == 2 && p->pick[1] == 2, "%llu picks", (unsigned long long)p->log.count);
    cr_assert(script_replay(s, p->pick, 2, visit, &v) == 5 && v.count == 4, "%u were carried out", v.count);
    free(p);
    const struct script_step bad[] = {{.op = SCRIPT_ADD, .backend = 3},
                                      {.op = SCRIPT_PICK, .id = 5},
                                      {.op = SCRIPT_COUNT + 1},
                                      {.op = SCRIPT_REMOVE, .backend = 2}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s->step[4] = bad[i];
        s->step[4].at = 1;
        free(run(s, -EINVAL));
        cr_assert(script_replay(s, NULL, 0, visit, &v) == -EINVAL, "bad late step %zu was taken", i);
    }
    const uint32_t late[] = {1, 3, 5, 6}; /* the marker is not the one before them */
    s->step[4] = steps[4];
    for (size_t i = 0; i < sizeof late / sizeof *late; i++) {
        s->late = late[i];
        free(run(s, -EINVAL));
        cr_assert(script_replay(s, NULL, 0, visit, &v) == -EINVAL, "%u late steps were taken", late[i]);
    }
    s->late = 0; /* then the marker may be anywhere */
    free(run(s, 0));
    free(s);
}

Test(script, printed)
{
    const char *expected = "  1. at 0.0 ms: add backend 3, weight 5\n"
                           "  2. at 2.0 ms: pick gives backend 3\n"
                           "  3. at 2.000001 ms: pick gives no backend\n"
                           "  4. at 2.5 ms: set_weight of backend 3 to 0\n"
                           "  5. at 3.0 ms: remove backend 3\n"
                           "123. at 12.0 ms: done, backend 3: timeout after 10.0 ms\n";
    const struct script_step step[] = {{.op = SCRIPT_ADD, .backend = 3, .value = 5},
                                       {.op = SCRIPT_PICK, .at = 2000000},
                                       {.op = SCRIPT_PICK, .at = 2000001},
                                       {.op = SCRIPT_WEIGHT, .at = 2500000, .backend = 3},
                                       {.op = SCRIPT_REMOVE, .at = 3000000, .backend = 3},
                                       {.op = SCRIPT_DONE, .at = 12000000, .value = LB_TIMEOUT, .latency = 10000000}};
    const uint32_t number[] = {1, 2, 3, 4, 5, 123}, backend[] = {3, 3, LB_NONE, 3, 3, 3};
    char text[1000] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    for (int i = 0; i < 6; i++)
        script_print_step(out, number[i], &step[i], backend[i]);
    fclose(out);
    cr_assert(strcmp(text, expected) == 0, "expected\n%sgot\n%s", expected, text);
}
