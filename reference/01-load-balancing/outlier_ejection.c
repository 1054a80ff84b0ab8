/* Outlier ejection: a wrapper round any entry that takes a backend out for a while after failures in a row.
 *
 * Idea       A balancer that judges by load or latency is drawn to a server that fails fast: it has nothing in flight
 *            and answers in no time. So look at what the answers are, not only at when they come. After `eject_after`
 *            failures with no success between them the backend is removed from the inner entry, which then simply has
 *            one member fewer; when its time is up, it is added again and gets another chance.
 * Rules      A failure is an error, a refusal or a time-out. The k-th ejection in a row lasts k x eject_for_ns; a
 *            success ends the row. Never are more than eject_max_percent of the members out at once (rounded down, but
 *            one always may be): when all fail, the trouble is not the backends, and sending everything to the last one
 *            standing would only kill that one too.
 *            When all that are in leave or get weight 0, whoever is out comes back at once, one by one: a member that
 *            failed is better than none.
 * Invariant  inner's members = our members minus those that are out. Requests in flight to one that is out are still
 *            reported to inner.
 * Cost       O(1) a pick and a done, beside the inner entry's; the list of those that are out is short and looked at on
 *            each pick.
 * Gets wrong Failures in a row miss a server that fails half of its requests; a success rate over a window finds it.
 *            Requests of clients that are wrong themselves ("404") must not count as failures.
 * Source     Envoy, outlier detection (consecutive_5xx, base_ejection_time, max_ejection_percent); Finagle, failure
 *            accrual.
 */
#include "members.h"

struct health {
    uint32_t failures;  /* in a row */
    uint32_t ejections; /* in a row */
    uint64_t back_at;   /* when it is out */
    bool out;
};

struct balancer {
    struct members members; /* all, those that are out among them */
    const struct lb_ops *inner;
    void *inner_balancer;
    uint32_t eject_after, max_percent;
    uint64_t eject_for;
    struct health *health; /* [capacity] */
    uint32_t *out;         /* [out_count] backends that are out */
    uint32_t out_count;
};

static void destroy(void *balancer)
{
    struct balancer *b = balancer;
    if (b->inner_balancer)
        b->inner->destroy(b->inner_balancer);
    free(b->health);
    free(b->out);
    members_end(b);
}

static int create(const struct lb_config *config, void **out)
{
    if (!config->inner || !config->inner_config || config->eject_after == 0)
        return -EINVAL;
    int code = members_create(sizeof(struct balancer), config, out);
    if (code)
        return code;
    struct balancer *b = *out;
    size_t n = config->max_backends ? config->max_backends : 1;
    b->inner = config->inner;
    b->eject_after = config->eject_after;
    b->max_percent = config->eject_max_percent;
    b->eject_for = config->eject_for_ns;
    b->health = calloc(n, sizeof *b->health);
    b->out = calloc(n, sizeof *b->out);
    code = b->health && b->out ? b->inner->create(config->inner_config, &b->inner_balancer) : -ENOMEM;
    if (code)
        destroy(b);
    return code;
}

static int bring_back(struct balancer *b, uint32_t backend, uint64_t now)
{
    for (uint32_t i = 0; i < b->out_count; i++)
        if (b->out[i] == backend)
            b->out[i] = b->out[--b->out_count];
    b->health[backend].out = false;
    b->health[backend].failures = 0;
    return b->inner->add(b->inner_balancer, backend, b->members.weight[backend], now);
}

static void eject(struct balancer *b, uint32_t backend, uint64_t now)
{
    struct health *h = &b->health[backend];
    uint32_t allowed = b->members.count * b->max_percent / 100;
    if (b->out_count >= (allowed ? allowed : 1) || b->out_count + 1 >= b->members.count)
        return;
    h->out = true;
    h->ejections++;
    h->back_at = now + h->ejections * b->eject_for;
    b->out[b->out_count++] = backend;
    b->inner->remove(b->inner_balancer, backend, now);
}

static int add(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    b->health[backend] = (struct health){0};
    members_add(&b->members, backend, weight);
    return b->inner->add(b->inner_balancer, backend, weight, now);
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    struct balancer *b = balancer;
    members_remove(&b->members, backend);
    if (!b->health[backend].out) {
        b->inner->remove(b->inner_balancer, backend, now);
        return;
    }
    b->health[backend].out = false;
    for (uint32_t i = 0; i < b->out_count; i++)
        if (b->out[i] == backend)
            b->out[i] = b->out[--b->out_count];
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    b->members.weight[backend] = weight;
    return b->health[backend].out ? 0 : b->inner->set_weight(b->inner_balancer, backend, weight, now);
}

/* Of those that are out, the one whose time is up first. */
static uint32_t first_due(const struct balancer *b)
{
    uint32_t first = b->out[0];
    for (uint32_t i = 1; i < b->out_count; i++)
        if (b->health[b->out[i]].back_at < b->health[first].back_at)
            first = b->out[i];
    return first;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    for (uint32_t i = 0; i < b->out_count;) {
        if (b->health[b->out[i]].back_at > now)
            i++;
        else if (bring_back(b, b->out[i], now) != 0) /* takes the i-th from the list, so another stands there now */
            return LB_NONE;
    }
    uint32_t backend = b->inner->pick(b->inner_balancer, now);
    /* Those that were in have left or have a weight of 0: better one that failed than none. */
    while (backend == LB_NONE && b->out_count > 0) {
        if (bring_back(b, first_due(b), now) != 0)
            return LB_NONE;
        backend = b->inner->pick(b->inner_balancer, now);
    }
    return backend;
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct balancer *b = balancer;
    struct health *h = &b->health[backend];
    if (b->inner->done)
        b->inner->done(b->inner_balancer, backend, outcome, latency, now);
    if (outcome == LB_OK) {
        h->failures = 0;
        if (!h->out) /* an answer to a request from before the ejection ends nothing */
            h->ejections = 0;
    } else if (!h->out && members_has(&b->members, backend) && ++h->failures >= b->eject_after) {
        h->failures = 0;
        eject(b, backend, now);
    }
}

static void report(void *balancer, uint32_t backend, uint32_t load, uint64_t now)
{
    struct balancer *b = balancer;
    if (b->inner->report)
        b->inner->report(b->inner_balancer, backend, load, now);
}

static void idle(void *balancer, uint32_t backend, uint64_t now)
{
    struct balancer *b = balancer;
    if (b->inner->idle && !b->health[backend].out)
        b->inner->idle(b->inner_balancer, backend, now);
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = add,
                                  .remove = leave,
                                  .set_weight = set_weight,
                                  .pick = pick,
                                  .done = done,
                                  .report = report,
                                  .idle = idle,
                                  .wraps = true};
LB_ENTRY(outlier_ejection, "outlier-ejection", "wraps any entry: takes out backends that fail in a row", &ops);
