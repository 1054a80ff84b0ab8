/* fleet_policy.c: who picks: an entry of the contract, or the log of one.
 *
 * The host runs the fleet with an entry and logs each pick; the judge runs the same fleet with the log and so sees,
 * request by request, what the entry brought about. Nothing else is carried over: a replayed policy hears nothing of
 * ends and members, because it needs nothing.
 */
#include "base/error.h"
#include "fleet_internal.h"
#include "host/log.h"

#include <errno.h>
#include <stdlib.h>

struct fleet_entry {
    const struct lb_ops *ops;
    struct decision_log *log; /* or NULL */
    uint32_t servers, balancers;
    int failure;           /* from then on the entry is not called any more */
    unsigned char *member; /* [balancers][servers]: was added and not removed */
    void **balancer;       /* [balancers] */
    struct fleet_policy policy;
};

static void entry_member(void *context, uint32_t balancer, uint32_t server, bool joins, uint32_t weight, uint64_t now)
{
    struct fleet_entry *e = context;
    void *b = e->balancer[balancer];
    unsigned char *member = &e->member[(size_t)balancer * e->servers + server];
    int failed = 0;
    if (e->failure)
        return;
    if (!joins)
        e->ops->remove(b, server, now);
    else if (*member)
        failed = e->ops->set_weight(b, server, weight, now);
    else
        failed = e->ops->add(b, server, weight, now);
    *member = joins;
    if (failed)
        e->failure = failed < 0 ? failed : -EPROTO; /* the contract knows no other number above 0 */
}

static uint32_t entry_pick(void *context, uint32_t balancer, uint64_t now)
{
    struct fleet_entry *e = context;
    const uint32_t server = e->failure ? LB_NONE : e->ops->pick(e->balancer[balancer], now);
    if (e->log)
        log_append(e->log, &server);
    return server;
}

static void entry_done(void *context, uint32_t balancer, uint32_t server, enum lb_outcome outcome, uint64_t latency,
                       uint64_t now)
{
    struct fleet_entry *e = context;
    if (!e->failure)
        e->ops->done(e->balancer[balancer], server, outcome, latency, now);
}

static void entry_report(void *context, uint32_t balancer, uint32_t server, uint32_t load, uint64_t now)
{
    struct fleet_entry *e = context;
    if (!e->failure)
        e->ops->report(e->balancer[balancer], server, load, now);
}

static void entry_idle(void *context, uint32_t balancer, uint32_t server, uint64_t now)
{
    struct fleet_entry *e = context;
    if (!e->failure)
        e->ops->idle(e->balancer[balancer], server, now);
}

static int create_balancer(struct fleet_entry *e, const struct fleet_scenario *scenario, const struct lb_ops *inner,
                           uint32_t number)
{
    struct lb_config config = scenario->balancer, inner_config;
    config.max_backends = scenario->servers;
    config.inner = NULL;
    config.inner_config = NULL;
    rng_seed(&config.random, scenario->seed, STREAM_ENTRY + number);
    if (inner) {
        inner_config = config;
        rng_seed(&inner_config.random, scenario->seed, STREAM_INNER + number);
        config.inner = inner;
        config.inner_config = &inner_config;
    }
    return e->ops->create(&config, &e->balancer[number]);
}

int fleet_entry_create(const struct fleet_scenario *scenario, const struct lb_ops *ops, const struct lb_ops *inner,
                       struct decision_log *log, struct fleet_entry **out, struct error *err)
{
    *out = NULL;
    const int bad = fleet_check_sizes(scenario, err);
    if (bad)
        return bad;
    if (ops->wraps != (inner != NULL) || (inner && inner->wraps))
        return error_set(err, -EINVAL, "entry: a wrapper needs a plain entry inside, and a plain entry needs none");
    struct fleet_entry *e = calloc(1, sizeof *e);
    if (!e)
        return error_set(err, -ENOMEM, "not enough memory for the balancers");
    e->ops = ops;
    e->log = log;
    e->servers = scenario->servers;
    e->member = calloc(scenario->balancers, scenario->servers);
    e->balancer = calloc(scenario->balancers, sizeof *e->balancer);
    e->policy = (struct fleet_policy){.context = e,
                                      .member = entry_member,
                                      .pick = entry_pick,
                                      .done = ops->done ? entry_done : NULL,
                                      .report = ops->report ? entry_report : NULL,
                                      .idle = ops->idle ? entry_idle : NULL};
    int failed = e->member && e->balancer ? 0 : -ENOMEM;
    for (uint32_t b = 0; b < scenario->balancers && !failed; b++) {
        failed = create_balancer(e, scenario, inner, b);
        e->balancers += !failed;
    }
    if (failed) {
        fleet_entry_destroy(e);
        return error_set(err, failed < 0 ? failed : -EPROTO, "create failed with %d", failed);
    }
    *out = e;
    return 0;
}

const struct fleet_policy *fleet_entry_policy(struct fleet_entry *entry)
{
    return &entry->policy;
}

int fleet_entry_failure(const struct fleet_entry *entry)
{
    return entry->failure;
}

void fleet_entry_destroy(struct fleet_entry *entry)
{
    if (!entry)
        return;
    for (uint32_t b = 0; b < entry->balancers; b++)
        entry->ops->destroy(entry->balancer[b]);
    free(entry->balancer);
    free(entry->member);
    free(entry);
}

int fleet_run_entry(const struct fleet_scenario *scenario, const struct fleet_source *source, const struct lb_ops *ops,
                    const struct lb_ops *inner, struct fleet_result *result, struct error *err)
{
    struct fleet_entry *entry = NULL;
    *result = (struct fleet_result){0};
    int failed = fleet_check(scenario, source, err);
    if (!failed)
        failed = fleet_entry_create(scenario, ops, inner, NULL, &entry, err);
    if (failed || !entry)
        return failed;
    failed = fleet_run(scenario, source, &entry->policy, result, err);
    if (!failed && entry->failure) {
        failed = error_set(err, entry->failure, "an operation of the entry failed with %d", entry->failure);
        fleet_result_free(result);
    }
    fleet_entry_destroy(entry);
    return failed;
}

static uint32_t replay_pick(void *context, uint32_t balancer, uint64_t now)
{
    struct fleet_replay *r = context;
    (void)balancer;
    (void)now;
    return r->next < r->count ? r->picks[r->next++] : LB_NONE;
}

struct fleet_policy fleet_replay_policy(struct fleet_replay *replay)
{
    return (struct fleet_policy){.context = replay, .pick = replay_pick};
}
