/* fleet_entries.c: entries in a fleet: created and called as the contract says, logged, replayed, and carried as bytes.
 */
#include "adapter.h"

#include "base/error.h"
#include "fleet_policies.h"
#include "host/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

TestSuite(fleet_entries, .timeout = 20);

/* ---- an entry that strictly minds the contract: least in flight of two ---- */

enum { MOST_BACKENDS = 16 };

struct strict {
    const struct lb_ops *inner;
    void *wrapped;
    uint32_t backends, fail_add;
    struct rng random;
    bool member[MOST_BACKENDS];
    uint32_t weight[MOST_BACKENDS], load[MOST_BACKENDS];
    int64_t in_flight[MOST_BACKENDS];
};

static uint32_t living; /* created and not destroyed */
static uint64_t first_number[MOST_BACKENDS];
static uint32_t created;

static int strict_create(const struct lb_config *config, void **out)
{
    if (config->max_backends > MOST_BACKENDS)
        return -EINVAL;
    struct strict *s = calloc(1, sizeof *s);
    s->backends = config->max_backends;
    s->random = config->random;
    struct rng copy = config->random;
    first_number[created++ % MOST_BACKENDS] = rng_next(&copy);
    s->inner = config->inner;
    s->fail_add = config->eject_after; /* this entry reads it as: fail at the add of that weight */
    if (s->inner)
        cr_assert(s->inner->create(config->inner_config, &s->wrapped) == 0, "no inner entry");
    living++;
    *out = s;
    return 0;
}

static void strict_destroy(void *balancer)
{
    struct strict *s = balancer;
    if (s->inner)
        s->inner->destroy(s->wrapped);
    free(s);
    living--;
}

static int strict_add(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct strict *s = balancer;
    cr_assert(backend < s->backends && !s->member[backend] && weight <= LB_MAX_WEIGHT, "add of %u", backend);
    if (s->fail_add && weight == s->fail_add)
        return -ENOMEM;
    s->member[backend] = true;
    s->weight[backend] = weight;
    return s->inner ? s->inner->add(s->wrapped, backend, weight, now) : 0;
}

static void strict_remove(void *balancer, uint32_t backend, uint64_t now)
{
    struct strict *s = balancer;
    cr_assert(s->member[backend], "remove of %u", backend);
    s->member[backend] = false;
    s->weight[backend] = 0;
    if (s->inner)
        s->inner->remove(s->wrapped, backend, now);
}

static int strict_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct strict *s = balancer;
    cr_assert(s->member[backend] && weight <= LB_MAX_WEIGHT, "set_weight of %u", backend);
    s->weight[backend] = weight;
    return s->inner ? s->inner->set_weight(s->wrapped, backend, weight, now) : 0;
}

static uint32_t strict_pick(void *balancer, uint64_t now)
{
    struct strict *s = balancer;
    uint32_t best = LB_NONE;
    (void)now;
    for (uint32_t i = 0, start = rng_below(&s->random, s->backends); i < s->backends; i++) {
        const uint32_t b = (start + i) % s->backends;
        if (s->weight[b] && (best == LB_NONE || s->in_flight[b] + s->load[b] < s->in_flight[best] + s->load[best]))
            best = b;
    }
    if (best != LB_NONE)
        s->in_flight[best]++;
    return best;
}

static void strict_done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct strict *s = balancer;
    cr_assert(s->in_flight[backend]-- > 0 && outcome <= LB_TIMEOUT && latency <= now, "done of %u", backend);
}

static void strict_report(void *balancer, uint32_t backend, uint32_t load, uint64_t now)
{
    struct strict *s = balancer;
    (void)now;
    s->load[backend] = load;
}

static const struct lb_ops plain = {.create = strict_create,
                                    .destroy = strict_destroy,
                                    .add = strict_add,
                                    .remove = strict_remove,
                                    .set_weight = strict_set_weight,
                                    .pick = strict_pick,
                                    .done = strict_done,
                                    .report = strict_report};
static const struct lb_ops wrapper = {.create = strict_create,
                                      .destroy = strict_destroy,
                                      .add = strict_add,
                                      .remove = strict_remove,
                                      .set_weight = strict_set_weight,
                                      .pick = strict_pick,
                                      .done = strict_done,
                                      .wraps = true};
static const struct lb_ops half = {.create = strict_create, .destroy = strict_destroy, .pick = strict_pick};
static const struct plugin_entry entry[] = {{"plain", "", &plain}, {"wrapper", "", &wrapper}, {"half", "", &half}};
static const struct plugin_entry *const entries[] = {&entry[0], &entry[1], &entry[2]};
extern const struct plugin_world faultline_world;

static struct plugin plugin_of_test(void)
{
    return (struct plugin){"01", entries, entries + 3, &faultline_world};
}

/* ---- a fleet with changes ---- */

static const struct fleet_change change[] = {
    {100000000, 1, FLEET_STOP, 0},        {200000000, 2, FLEET_LEAVE, 0},       {300000000, 1, FLEET_HEAL, 0},
    {400000000, 3, FLEET_REFUSE, 0},      {500000000, 2, FLEET_JOIN, 50000000}, {600000000, 3, FLEET_HEAL, 0},
    {650000000, 0, FLEET_FAIL_FAST, 1e5}, {700000000, 0, FLEET_HEAL, 0},        {750000000, 4, FLEET_WEIGHT, 7},
};

static struct fleet_scenario eventful(void)
{
    struct fleet_scenario s = textbook(8, 6500, dist_hyperexponential(1, 4), 6000);
    s.seed = 99;
    s.balancers = 3;
    s.timeout_ns = 30000000;
    s.queue_cap = 40;
    s.report_every_ns = 10000000;
    s.report_delay_ns = 2000000;
    s.changes = sizeof change / sizeof *change;
    s.change = change;
    return s;
}

static struct decision_log *new_log(uint64_t capacity)
{
    struct decision_log *log = calloc(1, sizeof *log + capacity * sizeof(uint32_t));
    log->magic = LOG_MAGIC;
    log->record_size = sizeof(uint32_t);
    log->capacity = capacity;
    return log;
}

/* A scenario as it stands in shared memory. */
static void *packed(const struct fleet_scenario *s, size_t *size)
{
    *size = sizeof(struct adapter_header) + FLEET_PACKED(s);
    unsigned char *bytes = malloc(*size);
    const struct adapter_header header = {ADAPTER_FLEET, 0};
    memcpy(bytes, &header, sizeof header);
    fleet_pack(s, bytes + sizeof header);
    return bytes;
}

/* Through the adapter with a log, then the log through the replay: all figures of the direct run. */
static void assert_replays(const char *name, const struct lb_ops *ops, const struct lb_ops *inner)
{
    const struct fleet_scenario s = eventful();
    struct decision_log *log = new_log(s.requests);
    const struct plugin plugin = plugin_of_test();
    struct fleet_result direct, replayed;
    struct error err = {""};
    size_t size;
    void *bytes = packed(&s, &size);
    const int failed = plugin.world->run(&plugin, name, bytes, size, log, &err);
    cr_assert(failed == 0 && err.text[0] == 0, "the adapter says %d: %s", failed, err.text);
    cr_assert(log->count == s.requests, "%llu picks in the log", (unsigned long long)log->count);
    cr_assert(fleet_run_entry(&s, NULL, ops, inner, &direct, &err) == 0, "%s", err.text);
    struct fleet_replay replay = {(const uint32_t *)(const void *)log_records(log), log->count, 0};
    const struct fleet_policy policy = fleet_replay_policy(&replay);
    cr_assert(fleet_run(&s, NULL, &policy, &replayed, &err) == 0, "%s", err.text);
    cr_assert(direct.ok > 4000 && direct.error && direct.timeout, "nothing happened: ok %llu",
              (unsigned long long)direct.ok);
    cr_assert(memcmp(direct.latency, replayed.latency, sizeof *direct.latency) == 0, "other latencies");
    cr_assert(memcmp(direct.server, replayed.server, s.servers * sizeof *direct.server) == 0, "other servers");
    hist_destroy(replayed.latency);
    free(replayed.server);
    replayed.latency = direct.latency;
    replayed.server = direct.server;
    cr_assert(memcmp(&direct, &replayed, sizeof direct) == 0, "other figures");
    fleet_result_free(&direct);
    cr_assert(living == 0, "%u balancers were not destroyed", living);
    free(bytes);
    free(log);
}

Test(fleet_entries, a_log_replays_to_the_same_figures)
{
    assert_replays("plain", &plain, NULL);
    assert_replays("wrapper+plain", &wrapper, &plain);
}

Test(fleet_entries, a_short_log_ends_in_no_backend)
{
    const struct fleet_scenario s = eventful();
    const uint32_t picks[2] = {0, 5};
    struct fleet_replay replay = {picks, 2, 0};
    struct fleet_result r;
    struct fleet_scenario all = s;
    all.warm_up = 0;
    all.changes = 0;
    const struct fleet_policy policy = fleet_replay_policy(&replay);
    cr_assert(fleet_run(&all, NULL, &policy, &r, NULL) == 0, "the run failed");
    cr_assert(r.ok == 2 && r.unplaced == s.requests - 2, "ok %llu, unplaced %llu", (unsigned long long)r.ok,
              (unsigned long long)r.unplaced);
    fleet_result_free(&r);
}

Test(fleet_entries, pack_and_unpack)
{
    const struct fleet_scenario s = eventful();
    struct fleet_scenario back;
    const size_t size = FLEET_PACKED(&s);
    unsigned char *bytes = malloc(size);
    fleet_pack(&s, bytes);
    cr_assert(fleet_unpack(bytes, size, &back) == 0, "it does not unpack");
    cr_assert((const unsigned char *)back.server == bytes + sizeof s, "the servers are not in the block");
    cr_assert(memcmp(back.server, s.server, s.servers * sizeof *s.server) == 0, "other servers");
    cr_assert(memcmp(back.change, s.change, s.changes * sizeof *s.change) == 0, "other changes");
    back.server = s.server;
    back.change = s.change;
    cr_assert(back.seed == s.seed && back.rate == s.rate && back.requests == s.requests && back.changes == s.changes &&
                  memcmp(&back.work, &s.work, sizeof s.work) == 0,
              "other fields");
    cr_assert(fleet_unpack(bytes, size - 1, &back) == -EINVAL, "a block that is cut short was taken");
    cr_assert(fleet_unpack(bytes, sizeof s - 1, &back) == -EINVAL, "a block without a scenario was taken");
    free(bytes);
}

/* Balancers that drew the same numbers would pick the same backends at the same time, and a wrapper would follow its
 * inner entry. */
Test(fleet_entries, each_balancer_has_numbers_of_its_own)
{
    const struct fleet_scenario s = eventful();
    struct fleet_entry *e;
    cr_assert(fleet_entry_create(&s, &wrapper, &plain, NULL, &e, NULL) == 0, "no entry");
    cr_assert(created == 6, "%u balancers", created);
    for (uint32_t i = 0; i < created; i++)
        for (uint32_t k = 0; k < i; k++)
            cr_assert(first_number[i] != first_number[k], "balancers %u and %u draw the same", i, k);
    fleet_entry_destroy(e);
}

/* ---- names and failures ---- */

Test(fleet_entries, names)
{
    const struct plugin plugin = plugin_of_test();
    const struct lb_ops *inner;
    cr_assert(adapter_find(&plugin, "plain", &inner) == &plain && !inner, "a plain entry");
    cr_assert(adapter_find(&plugin, "wrapper+plain", &inner) == &wrapper && inner == &plain, "a wrapper");
    const char *const bad[] = {"",       "none",         "wrapper",         "plain+plain", "wrapper+",
                               "+plain", "wrapper+none", "wrapper+wrapper", "plain+",      "wrapper+wrapper+plain"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert(!adapter_find(&plugin, bad[i], &inner) && !inner, "\"%s\" was found", bad[i]);
}

static int run_bytes(const char *name, const void *bytes, size_t size, struct error *err)
{
    const struct plugin plugin = plugin_of_test();
    struct decision_log *log = new_log(100);
    const int failed = plugin.world->run(&plugin, name, bytes, size, log, err);
    free(log);
    return failed;
}

Test(fleet_entries, the_adapter_says_what_is_wrong)
{
    struct fleet_scenario s = eventful();
    struct error err = {""};
    size_t size;
    unsigned char *bytes = packed(&s, &size);
    cr_assert(run_bytes("nobody", bytes, size, &err) == -ENOENT && strstr(err.text, "nobody"), "%s", err.text);
    cr_assert(run_bytes("half", bytes, size, &err) == -EINVAL && strstr(err.text, "no add"), "%s", err.text);
    cr_assert(run_bytes("plain", bytes, size - 1, &err) == -EINVAL && strstr(err.text, "cut short"), "%s", err.text);
    cr_assert(run_bytes("plain", bytes, 3, &err) == -EINVAL && strstr(err.text, "cut short"), "%s", err.text);
    bytes[0] = 9;
    cr_assert(run_bytes("plain", bytes, size, &err) == -EINVAL && strstr(err.text, "kind"), "%s", err.text);
    free(bytes);
    s.queue_cap = 0;
    bytes = packed(&s, &size);
    cr_assert(run_bytes("plain", bytes, size, &err) == -EINVAL && strstr(err.text, "queue_cap"), "%s", err.text);
    free(bytes);
    s = eventful();
    s.servers = MOST_BACKENDS + 1;
    s.changes = 0;
    bytes = packed(&s, &size);
    cr_assert(run_bytes("plain", bytes, size, &err) == -EINVAL && strstr(err.text, "create"), "%s", err.text);
    free(bytes);
    cr_assert(living == 0, "%u balancers were not destroyed", living);
}

/* An entry whose add fails half way is called no more, and the run says so. */
Test(fleet_entries, an_operation_that_fails)
{
    struct fleet_scenario s = eventful();
    struct fleet_result r;
    struct error err = {""};
    size_t size;
    struct fleet_server server[2] = {{.speed = 1000, .weight = 1}, {.speed = 1000, .weight = 5, .absent = 1}};
    const struct fleet_change joins = {1000000, 1, FLEET_JOIN, 0};
    s.servers = 2;
    s.server = server;
    s.changes = 1;
    s.change = &joins;
    s.balancer.eject_after = 5;
    cr_assert(fleet_run_entry(&s, NULL, &plain, NULL, &r, &err) == -ENOMEM, "the failure was not seen: %s", err.text);
    unsigned char *bytes = packed(&s, &size);
    cr_assert(run_bytes("plain", bytes, size, &err) == -ENOMEM && strstr(err.text, "failed"), "%s", err.text);
    cr_assert(living == 0, "%u balancers were not destroyed", living);
    free(bytes);
}

/* ---- what a scenario may not say -----------------------------------------------------------------------------------
 */

static void assert_refused(const struct fleet_scenario *s, const char *field)
{
    struct simple simple;
    struct fleet_result r;
    struct error err = {""};
    const struct fleet_policy policy = simple_policy(&simple, RANDOM, 8, 1);
    cr_assert(fleet_run(s, NULL, &policy, &r, &err) == -EINVAL, "%s: a bad one was taken", field);
    cr_assert(strncmp(err.text, field, strlen(field)) == 0, "%s: it says \"%s\"", field, err.text);
}

#define REFUSED(field, set)                                                                                            \
    do {                                                                                                               \
        struct fleet_scenario s = eventful();                                                                          \
        struct fleet_server server[8] = {s.server[0], s.server[1], s.server[2], s.server[3],                           \
                                         s.server[4], s.server[5], s.server[6], s.server[7]};                          \
        struct fleet_change c[2] = {{10, 0, FLEET_LEAVE, 0}, {20, 0, FLEET_JOIN, 0}};                                  \
        s.server = server;                                                                                             \
        s.changes = 2;                                                                                                 \
        s.change = c;                                                                                                  \
        set;                                                                                                           \
        assert_refused(&s, field);                                                                                     \
    } while (0)

Test(fleet_entries, bad_scenarios_name_the_field)
{
    REFUSED("servers", s.servers = 0);
    REFUSED("balancers", s.balancers = 0);
    REFUSED("server:", s.server = NULL);
    REFUSED("server[3].speed", server[3].speed = 0);
    REFUSED("server[0].speed", server[0].speed = 0.0 / 0.0);
    REFUSED("server[7].weight", server[7].weight = LB_MAX_WEIGHT + 1);
    REFUSED("server[1].absent", server[1].absent = 2);
    REFUSED("discipline", s.discipline = 2);
    REFUSED("queue_cap", s.queue_cap = 0);
    REFUSED("timeout_ns", s.timeout_ns = UINT64_MAX);
    REFUSED("rate", s.rate = 0);
    REFUSED("rate", s.rate = -1);
    REFUSED("rate", s.rate = 1.0 / 0.0);
    REFUSED("rate", s.rate = 0.0 / 0.0);
    REFUSED("work", s.work = dist_exponential(-1));
    REFUSED("requests", s.requests = 0);
    REFUSED("requests", s.requests = (uint64_t)1 << 40);
    REFUSED("warm_up", s.warm_up = s.requests);
    REFUSED("report_every_ns", s.report_every_ns = UINT64_MAX - 1);
    REFUSED("report_delay_ns", s.report_delay_ns = UINT64_MAX);
    REFUSED("report_delay_ns", (s.report_every_ns = 1, s.report_delay_ns = 1000000000));
    REFUSED("change: ", s.change = NULL);
    REFUSED("change[1].at", c[1].at = 9);
    REFUSED("change[0].server", c[0].server = 8);
    REFUSED("change[1].kind", c[1].kind = FLEET_HEAL + 1);
    REFUSED("change[1].value", c[1].value = -1);
    REFUSED("change[1].value", (c[1].kind = FLEET_WEIGHT, c[1].value = 1.5));
    REFUSED("change[1].value", (c[1].kind = FLEET_SPEED, c[1].value = 0));
    REFUSED("change[1].value", (c[1].kind = FLEET_FAIL_FAST, c[1].value = 0.0 / 0.0));
    REFUSED("timeout_ns", (c[1].kind = FLEET_STOP, s.timeout_ns = 0));
}
