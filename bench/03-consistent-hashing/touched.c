#include "touched.h"

#include "steps.h"

#include "base/file.h"
#include "host/host.h"
#include "host/lines.h"
#include "sim/rng.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define LOOKUPS 50u
#define STEPS   (3 + 2 * LOOKUPS)

/* Nodes join, some keys are looked up, and from the marker on each lookup is a stretch of its own. */
static struct steps *scenario(uint32_t nodes)
{
    struct rng r;
    struct steps *s = calloc(1, STEPS_SIZE(STEPS));
    if (!s)
        return NULL;
    rng_seed(&r, 1, 0);
    s->config = CH_USUAL;
    s->config.capacity = nodes;
    s->count = STEPS;
    s->late = 2 * LOOKUPS;
    s->step[0] = (struct step){.op = STEP_ADD, .weight = 1, .n = nodes};
    s->step[1] = (struct step){.op = STEP_LOOKUP, .key = rng_next(&r), .n = 100};
    s->step[2] = (struct step){.op = STEP_COUNT};
    for (uint32_t i = 3; i < STEPS; i += 2) {
        s->step[i] = (struct step){.op = STEP_LOOKUP, .key = rng_next(&r), .n = 1};
        s->step[i + 1] = (struct step){.op = STEP_COUNT};
    }
    return s;
}

static int count(const char *entry, const struct steps *steps, uint64_t *lines, struct error *err)
{
    char world[FILE_PATH], plugin[FILE_PATH];
    struct host_outcome o;
    const struct host_request q = {.world = file_build_path(world, "labs/03-consistent-hashing/world-03.so"),
                                   .plugin = file_build_path(plugin, "labs/03-consistent-hashing/reference.so"),
                                   .entry = entry,
                                   .scenario = steps,
                                   .scenario_size = STEPS_SIZE(STEPS),
                                   .record_size = sizeof(uint32_t),
                                   .records = steps_all_records(steps->step, STEPS),
                                   .limits = {10, 30000, 1u << 30},
                                   .count_limit = 4000000,
                                   .count_lines = true,
                                   .late_bytes = steps->late * sizeof(struct step)};
    host_run(&q, &o);
    *lines = o.lines;
    const uint32_t *answer = o.records;
    int code = o.verdict != VERDICT_FINISHED ? error_set(err, -ENOTSUP, "%s: %s", entry, o.sentence)
               : answer[0]                   ? error_set(err, -ENOSPC, "%s can't have so many nodes", entry)
                                             : 0;
    host_outcome_free(&o);
    return code;
}

double touched_lines(const char *entry, uint32_t nodes, struct error *err)
{
    uint64_t world = 0, all = 0;
    if (lines_impossible()) {
        error_set(err, -ENOTSUP, "%s", lines_impossible());
        return NAN;
    }
    struct steps *steps = scenario(nodes);
    if (!steps) {
        error_set(err, -ENOMEM, "out of memory");
        return NAN;
    }
    int code = count(STEPS_NOTHING, steps, &world, err);
    if (code == 0)
        code = count(entry, steps, &all, err);
    free(steps);
    return code ? NAN : ((double)all - (double)world) / LOOKUPS;
}
