/* The tests of lab SKELETON_NUMBER. Everything random is drawn from check_seed(). */
#include "grade/check.h"
#include "sim/rng.h"
#include "skeleton.h"

/* Groups of up to `largest`, together about twice as many as may come in. */
static struct skeleton_run draw(uint64_t stream, uint32_t largest)
{
    struct rng random;
    struct skeleton_run r = {.groups = check_large() ? 200 : 50};
    rng_seed(&random, check_seed(), stream);
    r.limit = (uint32_t)(r.groups * (uint64_t)largest / 4);
    for (uint32_t i = 0; i < r.groups; i++)
        r.group[i] = 1 + rng_below(&random, largest);
    return r;
}

/* The judge's own count. */
static void judge(const struct skeleton_run *r, const uint32_t *taken)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->groups; i++) {
        const uint32_t room = r->limit - count, right = r->group[i] < room ? r->group[i] : room;
        check_that(taken[i] == right, "%u are in, %u may be; %u more ask. Expected: %u are let in; actual: %u", count,
                   r->limit, r->group[i], right, taken[i]);
        count += right;
    }
}

CHECK(counter, never_above)
{
    const struct skeleton_run r = draw(1, 20);
    struct host_outcome o;
    check_host("bounded", &r, sizeof r, sizeof(uint32_t), r.groups, &o);
    judge(&r, o.records);
    host_outcome_free(&o);
}

/* Instructions are counted, which is the same on every run: no more than 1,000 a group, the log's own among them. */
CHECK(counter, constant_time)
{
    const struct skeleton_run r = draw(2, 100000);
    struct host_outcome o;
    check_host_request((struct host_request){.entry = "bounded",
                                             .scenario = &r,
                                             .scenario_size = sizeof r,
                                             .record_size = sizeof(uint32_t),
                                             .records = r.groups,
                                             .count_limit = 1000ull * r.groups},
                       &o);
    if (o.verdict != VERDICT_FINISHED)
        check_fail(o.verdict, "%u groups of up to 100,000 ask: %s", r.groups, o.sentence);
    if (!o.counted && !check_debugging())
        check_fail(VERDICT_GRADER_FAULT, "cannot tell: nothing was counted");
    judge(&r, o.records);
    host_outcome_free(&o);
}
