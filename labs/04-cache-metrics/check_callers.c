/* check_callers.c: callers, an origin, and an exact model of who has to do what. */
#include "check_callers.h"

#include "adapter.h"
#include "base/memory.h"
#include "grade/check_list.h"
#include "sim/ns.h"
#include "sim/real.h"

#include <stdlib.h>
#include <string.h>

/* ---- crowds ---- */

struct crowd *crowd_random(const struct cm_recompute_config *config, struct rng *r, const struct habits *h)
{
    struct crowd *c = xcalloc(1, sizeof *c);
    *c = (struct crowd){.config = *config, .keys = h->keys, .callers = h->callers, .works = h->callers};
    c->caller = xcalloc(c->callers, sizeof *c->caller);
    c->work = xcalloc(c->works, sizeof *c->work);
    const uint64_t grid = h->grid ? h->grid : 1;
    uint64_t now = 0;
    for (uint32_t i = 0; i < c->callers; i++) {
        now += rng_below(r, 3) ? 0 : rng_next(r) % (6 * h->gap + 1) / grid * grid;
        c->caller[i] = (struct caller){.at = now, .key = rng_below(r, 1 + rng_below(r, h->keys))};
    }
    for (uint32_t i = 0; i < c->works; i++) {
        const uint32_t luck = rng_below(r, 16);
        const bool fails = luck < h->fail, none = !fails && luck < h->fail + h->nothing;
        c->work[i] = (struct work){.takes = rng_next(r) % (2 * h->takes + 1) / grid * grid,
                                   .result = fails  ? CM_FAILED
                                             : none ? CM_NOTHING
                                                    : CM_VALUE,
                                   .hangs = rng_below(r, 16) < h->hang};
        if (rng_below(r, 16) < h->slow)
            c->work[i].takes *= 10;
    }
    return c;
}

/* Nobody who decides right asks more often: each computation that ends lets all who wait ask again. */
static uint64_t most_asks(uint32_t callers)
{
    return 16 * (uint64_t)callers + 64;
}

static void *block_of(const struct crowd *c, const struct caller *caller, uint32_t n, size_t *size)
{
    const struct adapter_header header = {ADAPTER_CALLERS, 0};
    *size = sizeof header + CALLERS_SIZE(n, c->works);
    unsigned char *block = xcalloc(1, *size);
    struct callers *s = (struct callers *)(block + sizeof header);
    memcpy(block, &header, sizeof header);
    *s = (struct callers){.config = c->config,
                          .seed = check_seed(),
                          .asks = most_asks(n),
                          .keys = c->keys,
                          .callers = n,
                          .works = c->works,
                          .rounds = c->rounds};
    memcpy(s->caller, caller, n * sizeof *caller);
    memcpy(callers_works(s), c->work, c->works * sizeof *c->work);
    return block;
}

/* ---- the model: what is known of a key ---- */

struct known {
    bool has; /* a value, or the answer that there is none */
    uint64_t asked, expires;
    uint64_t took;  /* to compute it */
    bool computing; /* and it was not given up */
    uint64_t began; /* the computation that others wait for */
};

struct judged {
    const struct crowd *crowd;
    enum recompute_rule rule;
    struct known *known; /* [keys] */
    const struct ask_record *record;
    uint64_t records, at;
    FILE *why, *print; /* either */
    uint32_t lines;    /* of print */
    bool shown;        /* the last line */
    bool wrong;
    uint32_t caller; /* who was told what is wrong */
};

static struct cm_decision expected(const struct judged *j, const struct question *q, bool *either)
{
    const struct known *k = &j->known[q->key];
    const struct cm_recompute_config *c = &j->crowd->config;
    const bool fresh = k->has && q->now < k->expires;
    *either = false;
    if (j->rule == RULE_EARLY) {
        if (!fresh)
            return (struct cm_decision){CM_COMPUTE, 0};
        const double early = (double)k->took * c->beta * -real_log(q->u);
        const double left = (double)(k->expires - q->now), nearly = 2 + 1e-9 * left;
        *either = early > left - nearly && early < left + nearly; /* two ways to round must not count as two rules */
        return (struct cm_decision){early >= left ? CM_COMPUTE : CM_SERVE, 0};
    }
    if (fresh)
        return (struct cm_decision){CM_SERVE, 0};
    if (k->computing && q->now < k->began + c->patience_ns)
        return (struct cm_decision){CM_WAIT, k->began + c->patience_ns};
    return (struct cm_decision){CM_COMPUTE, 0};
}

static const char *action_name(enum cm_action a)
{
    static const char *const name[] = {"CM_SERVE", "CM_COMPUTE", "CM_SERVE_COMPUTE", "CM_WAIT"};
    return (unsigned)a <= CM_WAIT ? name[a] : "no action that there is";
}

static void explain(const struct judged *j, const struct question *q, struct cm_decision e, struct cm_decision a)
{
    const struct known *k = &j->known[q->key];
    fprintf(j->why, "expected: %s for caller %u", action_name(e.action), q->caller);
    if (e.action == CM_WAIT)
        fprintf(j->why, " until %llu ns", (unsigned long long)e.until);
    if (!k->has)
        fputs(", since nothing is known of the key", j->why);
    else
        fprintf(j->why, ", since what is known was good until %llu ns", (unsigned long long)k->expires);
    if (k->computing)
        fprintf(j->why, ", and somebody began to compute at %llu ns", (unsigned long long)k->began);
    if (j->rule == RULE_EARLY && k->has)
        fprintf(j->why, ", it took %llu ns, and u = %.6f", (unsigned long long)k->took, q->u);
    fprintf(j->why, "; actual: %s", action_name(a.action));
    if (a.action == CM_WAIT)
        fprintf(j->why, " until %llu ns", (unsigned long long)a.until);
}

static bool ask(void *context, const struct question *q, struct cm_decision *decision)
{
    struct judged *j = context;
    if (j->at == j->records) {
        if (j->why)
            fputs("there is no decision", j->why);
        j->wrong = true;
        j->caller = q->caller;
        return false;
    }
    const struct ask_record *record = &j->record[j->at++];
    *decision = (struct cm_decision){(enum cm_action)record->action, record->until};
    j->shown = j->print && check_list_shows(j->print, (uint32_t)j->at - 1, j->lines);
    if (j->shown)
        question_print(j->print, (uint32_t)j->at, q, decision);
    bool either;
    const struct cm_decision e = expected(j, q, &either);
    const bool one_of_both = either && (record->action == CM_SERVE || record->action == CM_COMPUTE);
    if (!one_of_both && (record->action != (uint32_t)e.action || (e.action == CM_WAIT && record->until != e.until))) {
        if (j->why)
            explain(j, q, e, *decision);
        j->wrong = true;
        j->caller = q->caller;
        return false;
    }
    if (record->action == CM_COMPUTE) {
        j->known[q->key].computing = true;
        j->known[q->key].began = q->now;
    }
    return true;
}

static void print_return(FILE *out, const struct computation *c)
{
    static const char *const words[] = {"a value", "the answer that there is none", "nothing: it failed"};
    fputs("      at ", out);
    ns_print(out, c->now);
    fprintf(out, " caller %u is back, asked for key %u at ", c->caller, c->key);
    ns_print(out, c->asked);
    fprintf(out, ", with %s\n", words[c->result]);
}

static void done(void *context, const struct computation *c)
{
    struct judged *j = context;
    struct known *k = &j->known[c->key];
    if (j->shown)
        print_return(j->print, c);
    const uint64_t ttl = c->result == CM_VALUE ? j->crowd->config.ttl_ns : j->crowd->config.negative_ttl_ns;
    if (k->computing && k->began == c->asked)
        k->computing = false;
    if (c->result == CM_FAILED || (k->has && c->asked < k->asked))
        return;
    *k = (struct known){.has = ttl > 0,
                        .asked = c->asked,
                        .expires = c->now + ttl,
                        .took = c->now - c->asked,
                        .computing = k->computing,
                        .began = k->began};
}

/* ---- one run ---- */

struct checked {
    const char *entry;
    enum recompute_rule rule;
    const struct crowd *crowd;
};

static void replay(const struct checked *c, const void *steps, uint32_t n, const struct host_outcome *o,
                   struct judged *j)
{
    size_t size;
    void *block = block_of(c->crowd, steps, n, &size);
    j->crowd = c->crowd;
    j->rule = c->rule;
    j->known = xcalloc(c->crowd->keys, sizeof *j->known);
    j->record = o->records;
    j->records = o->count;
    const struct callers *s = (const struct callers *)((unsigned char *)block + sizeof(struct adapter_header));
    if (callers_simulate(s, &(struct callers_policy){j, ask, done}) != 0)
        check_fail(VERDICT_GRADER_FAULT, "the crowd is not valid");
    free(j->known);
    free(block);
}

static uint32_t wrong_step(const void *context, const void *steps, uint32_t n, struct host_outcome *o, FILE *why)
{
    const struct checked *c = context;
    struct judged j = {.why = why};
    size_t size;
    void *block = block_of(c->crowd, steps, n, &size);
    check_host_request((struct host_request){.entry = c->entry,
                                             .scenario = block,
                                             .scenario_size = size,
                                             .record_size = sizeof(struct ask_record),
                                             .records = most_asks(n),
                                             .least_records = n,
                                             .data_bytes = c->crowd->rounds > 1 ? small_memory() : 0},
                       o);
    free(block);
    if (o->verdict != VERDICT_FINISHED)
        return n;
    replay(c, steps, n, o, &j);
    return j.wrong ? n - 1 : n; /* who comes later may have been asked for already, so none is cut off */
}

static void print(const void *context, const void *steps, uint32_t last, const struct host_outcome *o, FILE *out)
{
    struct judged count = {0}, j = {.print = out};
    replay(context, steps, last + 1, o, &count);
    j.lines = (uint32_t)count.at;
    replay(context, steps, last + 1, o, &j);
}

#define ROUNDS 30000u

void crowd_check_ends(const char *entry, enum recompute_rule rule, const struct cm_recompute_config *config,
                      uint64_t stream)
{
    struct rng r = random_of_test(stream);
    struct crowd *c =
        crowd_random(config, &r, &(struct habits){.callers = 30, .keys = 60, .gap = 20 * MS, .takes = 80 * MS});
    c->rounds = ROUNDS;
    crowd_check(entry, rule, c, "States come and go: destroy gives back all that create, ask and done took.");
}

void crowd_check(const char *entry, enum recompute_rule rule, struct crowd *crowd, const char *lesson)
{
    const struct checked checked = {entry, rule, crowd};
    check_list(&(struct check_list){entry, lesson, sizeof *crowd->caller, &checked, wrong_step, print}, crowd->caller,
               crowd->callers);
    free(crowd->caller);
    free(crowd->work);
    free(crowd);
}
