/* fleet_change.c: what happens to a fleet while requests flow: members come and go, servers fail and heal, start
 * slowly, and report.
 *
 * All of it follows one pattern: bring the server's books up to now, change it, then work out its next end anew.
 * Whoever is told of something is told last, when the fleet is consistent again.
 *
 * A server that is stopped or refuses is silent: it sends no report and does not say that it is idle. One that fails
 * fast talks like a healthy one, with little to do: that is what makes it dangerous.
 */
#include "fleet_internal.h"

#include <errno.h>
#include <stdlib.h>

static bool talks(const struct server *s)
{
    return s->member && (s->health == SERVER_WELL || s->health == SERVER_FAILING);
}

void fleet_tell_idle(struct fleet *f, uint32_t server)
{
    const struct server *s = &f->server[server];
    if (!f->policy.idle || s->held || !talks(s))
        return;
    f->policy.idle(f->policy.context, rng_below(&f->idler, f->scenario->balancers), server, f->now);
}

void fleet_tell(struct fleet *f, uint32_t server)
{
    const struct server *s = &f->server[server];
    if (f->policy.report && f->scenario->report_every_ns == FLEET_REPORT_INSTANT && talks(s))
        for (uint32_t b = 0; b < f->scenario->balancers; b++)
            f->policy.report(f->policy.context, b, server, s->held, f->now);
    fleet_tell_idle(f, server);
}

/* ---- members ---- */

/* A slow start shows a smaller weight; but a weight of 0 would mean "nothing at all", which only the operator says. */
static uint32_t weight_now(const struct server_plan *p)
{
    const uint32_t w = (p->weight * p->step + RAMP_STEPS / 2) / RAMP_STEPS;
    return w || !p->weight ? w : 1;
}

static void tell_members(struct fleet *f, uint32_t server, bool joins)
{
    if (f->policy.member)
        for (uint32_t b = 0; b < f->scenario->balancers; b++)
            f->policy.member(f->policy.context, b, server, joins, weight_now(&f->plan[server]), f->now);
}

/* The server's books are settled. */
static void set_speed(struct fleet *f, uint32_t server)
{
    struct server *s = &f->server[server];
    const struct server_plan *p = &f->plan[server];
    s->ns_per_unit = 1e9 / (p->step == RAMP_STEPS ? p->speed : p->speed * p->step / RAMP_STEPS);
    timer_tree_set(f->ends, server, server_next_end(s, f->now));
}

static void join(struct fleet *f, uint32_t server, uint64_t ramp_ns)
{
    struct server *s = &f->server[server];
    struct server_plan *p = &f->plan[server];
    const bool is_new = !s->member;
    s->member = 1;
    p->step = ramp_ns ? 1 : RAMP_STEPS;
    p->ramp_from = f->now;
    p->ramp_ns = ramp_ns;
    set_speed(f, server);
    if (f->steps) {
        timer_tree_set(f->steps, server, ramp_ns ? f->now + ramp_ns / RAMP_STEPS : TIMER_NONE);
        fleet_plan(f, NEXT_STEP, timer_tree_min_time(f->steps));
    }
    tell_members(f, server, true);
    if (is_new)
        fleet_tell(f, server);
}

void fleet_open(struct fleet *f)
{
    const struct fleet_scenario *c = f->scenario;
    for (uint32_t i = 0; i < c->servers; i++) {
        f->plan[i].speed = c->server[i].speed;
        f->plan[i].weight = c->server[i].weight;
        f->plan[i].step = RAMP_STEPS;
        set_speed(f, i);
        f->server[i].member = !c->server[i].absent;
        if (!c->server[i].absent)
            tell_members(f, i, true);
    }
    for (uint32_t i = 0; i < c->servers; i++)
        fleet_tell_idle(f, i);
}

void fleet_step(struct fleet *f)
{
    const uint32_t server = timer_tree_min_actor(f->steps);
    struct server *s = &f->server[server];
    struct server_plan *p = &f->plan[server];
    server_settle(s, f->now);
    p->step++;
    set_speed(f, server);
    timer_tree_set(f->steps, server,
                   p->step == RAMP_STEPS ? TIMER_NONE : p->ramp_from + p->step * (p->ramp_ns / RAMP_STEPS));
    fleet_plan(f, NEXT_STEP, timer_tree_min_time(f->steps));
    if (s->member)
        tell_members(f, server, true);
}

/* ---- changes ---- */

/* The server crashes: whoever still waits for something it holds learns so now, oldest first. */
static void drop_all(struct fleet *f, uint32_t server)
{
    struct server *s = &f->server[server];
    const uint32_t dropped = s->held;
    server_sort(s);
    s->held = 0;
    fleet_held(f, f->held - dropped);
    for (uint32_t i = 0; i < dropped; i++)
        fleet_end_pending(f, server, &s->queue[i], LB_ERROR);
}

static void set_health(struct fleet *f, uint32_t server, enum server_health health)
{
    struct server *s = &f->server[server];
    const bool was_silent = s->health == SERVER_STOPPED || s->health == SERVER_REFUSING;
    s->health = (uint8_t)health;
    if (health == SERVER_REFUSING)
        drop_all(f, server);
    timer_tree_set(f->ends, server, server_next_end(s, f->now));
    if (was_silent)
        fleet_tell(f, server);
}

void fleet_change(struct fleet *f)
{
    const struct fleet_change *c = &f->scenario->change[f->next_change++];
    struct server *s = &f->server[c->server];
    struct server_plan *p = &f->plan[c->server];
    fleet_plan(f, NEXT_CHANGE, f->next_change < f->scenario->changes ? f->scenario->change[f->next_change].at : NEVER);
    server_settle(s, f->now);
    switch (c->kind) {
    case FLEET_JOIN:
        join(f, c->server, (uint64_t)c->value);
        break;
    case FLEET_LEAVE:
        if (s->member) {
            s->member = 0;
            tell_members(f, c->server, false);
        }
        break;
    case FLEET_WEIGHT:
        p->weight = (uint32_t)c->value;
        if (s->member)
            tell_members(f, c->server, true);
        break;
    case FLEET_SPEED:
        p->speed = c->value;
        set_speed(f, c->server);
        break;
    case FLEET_STOP:
        set_health(f, c->server, SERVER_STOPPED);
        break;
    case FLEET_REFUSE:
        set_health(f, c->server, SERVER_REFUSING);
        break;
    case FLEET_FAIL_FAST:
        p->fail_after = (uint64_t)c->value;
        set_health(f, c->server, SERVER_FAILING);
        break;
    default: /* FLEET_HEAL */
        set_health(f, c->server, SERVER_WELL);
        break;
    }
}

/* ---- reports ---- */

int fleet_changes_create(struct fleet *f)
{
    const struct fleet_scenario *c = f->scenario;
    bool slow_starts = false;
    for (uint32_t i = 0; i < c->changes; i++)
        slow_starts |= c->change[i].kind == FLEET_JOIN && c->change[i].value >= 1;
    if (slow_starts && timer_tree_create(c->servers, &f->steps))
        return -ENOMEM;
    if (c->changes)
        f->next[NEXT_CHANGE] = c->change[0].at;
    if (!f->policy.report || !c->report_every_ns || c->report_every_ns == FLEET_REPORT_INSTANT)
        return 0;
    f->snapshots = c->report_delay_ns / c->report_every_ns + 1;
    f->snapshot = malloc(f->snapshots * c->servers * sizeof *f->snapshot);
    f->next[NEXT_SNAPSHOT] = c->report_every_ns;
    f->next[NEXT_DELIVERY] = c->report_every_ns + c->report_delay_ns;
    return f->snapshot ? 0 : -ENOMEM;
}

void fleet_changes_destroy(struct fleet *f)
{
    timer_tree_destroy(f->steps);
    free(f->snapshot);
}

void fleet_snapshot(struct fleet *f)
{
    uint32_t *to = f->snapshot + f->taken++ % f->snapshots * f->scenario->servers;
    for (uint32_t i = 0; i < f->scenario->servers; i++)
        to[i] = talks(&f->server[i]) ? f->server[i].held : NO_REPORT;
    fleet_plan(f, NEXT_SNAPSHOT, f->now + f->scenario->report_every_ns);
}

void fleet_deliver(struct fleet *f)
{
    const uint32_t *from = f->snapshot + f->delivered++ % f->snapshots * f->scenario->servers;
    fleet_plan(f, NEXT_DELIVERY, f->now + f->scenario->report_every_ns);
    for (uint32_t b = 0; b < f->scenario->balancers; b++)
        for (uint32_t i = 0; i < f->scenario->servers; i++)
            if (from[i] != NO_REPORT && f->server[i].member)
                f->policy.report(f->policy.context, b, i, from[i], f->now);
}
