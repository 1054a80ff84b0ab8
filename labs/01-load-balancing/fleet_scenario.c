/* fleet_scenario.c: is a scenario possible, and how it travels through shared memory.
 *
 * Everything that the run relies on is checked here, once, so that the run itself checks nothing: bounds keep all times
 * below 146 years and all sums within their types.
 */
#include "base/error.h"
#include "fleet_internal.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static bool good_speed(double speed)
{
    return speed >= 1e-6 && speed <= 1e15; /* false for NaN */
}

static bool good_time(double ns)
{
    return ns >= 0 && ns <= (double)FLEET_FOREVER;
}

static int check_change(const struct fleet_scenario *s, uint32_t i, struct error *err)
{
    const struct fleet_change *c = &s->change[i];
    if (c->at > FLEET_FOREVER || (i && c->at < s->change[i - 1].at))
        return error_set(err, -EINVAL, "change[%u].at: changes must stand in the order of their times", i);
    if (c->server >= s->servers)
        return error_set(err, -EINVAL, "change[%u].server: there is no server %u among %u", i, c->server, s->servers);
    switch (c->kind) {
    case FLEET_JOIN:
    case FLEET_FAIL_FAST:
        if (!good_time(c->value))
            return error_set(err, -EINVAL, "change[%u].value: must be a time in ns, 0 or more", i);
        return 0;
    case FLEET_WEIGHT:
        if (!(c->value >= 0 && c->value <= LB_MAX_WEIGHT && floor(c->value) == c->value))
            return error_set(err, -EINVAL, "change[%u].value: a weight must be a whole number from 0 to %u", i,
                             LB_MAX_WEIGHT);
        return 0;
    case FLEET_SPEED:
        if (!good_speed(c->value))
            return error_set(err, -EINVAL, "change[%u].value: a speed must be from 1e-6 to 1e15 units a second", i);
        return 0;
    case FLEET_STOP:
        if (!s->timeout_ns)
            return error_set(err, -EINVAL,
                             "timeout_ns: must be set when a server stops (change[%u]), or its requests never end", i);
        return 0;
    case FLEET_LEAVE:
    case FLEET_REFUSE:
    case FLEET_HEAL:
        return 0;
    default:
        return error_set(err, -EINVAL, "change[%u].kind: %u is none of enum fleet_change_kind", i, c->kind);
    }
}

static int check_arrivals(const struct fleet_scenario *s, const struct fleet_source *source, struct error *err)
{
    if (s->rate == 0) {
        if (!source || !source->next)
            return error_set(err, -EINVAL, "rate: is 0, which means recorded requests, but there is no source of them");
    } else {
        if (!(s->rate >= 1e-9 && s->rate <= 1e15))
            return error_set(err, -EINVAL, "rate: must be 0 (recorded) or from 1e-9 to 1e15 requests a second");
        if (source)
            return error_set(err, -EINVAL, "rate: must be 0 when the requests are recorded");
        if (!dist_valid(&s->work))
            return error_set(err, -EINVAL, "work: is not a distribution with a finite mean");
        if (!s->requests)
            return error_set(err, -EINVAL, "requests: must be at least 1");
    }
    if (s->requests >> 40)
        return error_set(err, -EINVAL, "requests: must be below 2^40");
    if (s->warm_up >> 40 || (s->requests && s->warm_up >= s->requests))
        return error_set(err, -EINVAL, "warm_up: must be below the number of requests");
    return 0;
}

static int check_reports(const struct fleet_scenario *s, struct error *err)
{
    if (s->report_every_ns == 0 || s->report_every_ns == FLEET_REPORT_INSTANT)
        return 0;
    if (s->report_every_ns > FLEET_FOREVER)
        return error_set(err, -EINVAL, "report_every_ns: must be below 2^62, or FLEET_REPORT_INSTANT");
    if (s->report_delay_ns > FLEET_FOREVER)
        return error_set(err, -EINVAL, "report_delay_ns: must be below 2^62");
    if (s->report_delay_ns / s->report_every_ns >= ((uint64_t)1 << 28) / s->servers)
        return error_set(err, -EINVAL, "report_delay_ns: too many reports would be under way at one time");
    return 0;
}

int fleet_check_sizes(const struct fleet_scenario *s, struct error *err)
{
    if (s->servers < 1 || s->servers > FLEET_MAX_SERVERS)
        return error_set(err, -EINVAL, "servers: must be from 1 to %u", FLEET_MAX_SERVERS);
    if (s->balancers < 1 || s->balancers > FLEET_MAX_BALANCERS)
        return error_set(err, -EINVAL, "balancers: must be from 1 to %u", FLEET_MAX_BALANCERS);
    return 0;
}

int fleet_check(const struct fleet_scenario *s, const struct fleet_source *source, struct error *err)
{
    int bad = fleet_check_sizes(s, err);
    if (bad)
        return bad;
    if (s->discipline != FLEET_FIFO && s->discipline != FLEET_PROCESSOR_SHARING)
        return error_set(err, -EINVAL, "discipline: %u is none of enum fleet_discipline", s->discipline);
    if (s->queue_cap < 1)
        return error_set(err, -EINVAL, "queue_cap: must be at least 1, or FLEET_NO_CAP");
    if (s->timeout_ns > FLEET_FOREVER)
        return error_set(err, -EINVAL, "timeout_ns: must be below 2^62");
    if (!s->server)
        return error_set(err, -EINVAL, "server: is missing");
    if (s->changes && !s->change)
        return error_set(err, -EINVAL, "change: is missing");
    for (uint32_t i = 0; i < s->servers; i++) {
        if (!good_speed(s->server[i].speed))
            return error_set(err, -EINVAL, "server[%u].speed: must be from 1e-6 to 1e15 units a second", i);
        if (s->server[i].weight > LB_MAX_WEIGHT)
            return error_set(err, -EINVAL, "server[%u].weight: must be at most %u", i, LB_MAX_WEIGHT);
        if (s->server[i].absent > 1)
            return error_set(err, -EINVAL, "server[%u].absent: must be 0 or 1", i);
    }
    bad = check_arrivals(s, source, err);
    if (!bad)
        bad = check_reports(s, err);
    for (uint32_t i = 0; i < s->changes && !bad; i++)
        bad = check_change(s, i, err);
    return bad;
}

void fleet_pack(const struct fleet_scenario *scenario, void *bytes)
{
    struct fleet_scenario head = *scenario;
    unsigned char *at = bytes;
    head.server = NULL; /* addresses of this process say nothing to another */
    head.change = NULL;
    head.balancer.inner = NULL;
    head.balancer.inner_config = NULL;
    memcpy(at, &head, sizeof head);
    memcpy(at += sizeof head, scenario->server, scenario->servers * sizeof *scenario->server);
    if (scenario->changes)
        memcpy(at + scenario->servers * sizeof *scenario->server, scenario->change,
               scenario->changes * sizeof *scenario->change);
}

int fleet_unpack(const void *bytes, size_t size, struct fleet_scenario *scenario)
{
    if (size < sizeof *scenario || (uintptr_t)bytes % _Alignof(struct fleet_scenario))
        return -EINVAL;
    memcpy(scenario, bytes, sizeof *scenario);
    if (size < FLEET_PACKED(scenario))
        return -EINVAL;
    const unsigned char *at = (const unsigned char *)bytes + sizeof *scenario;
    scenario->server = (const struct fleet_server *)(const void *)at;
    scenario->change =
        (const struct fleet_change *)(const void *)(at + scenario->servers * sizeof(struct fleet_server));
    return 0;
}
