/* Tests of task 7, a policy of one's own: how much work it spares the origin, between LRU's figure and Belady's. */
#include "base/memory.h"
#include "check_requests.h"
#include "ledger.h"
#include "traffic.h"

#include <stdlib.h>

#define ENTRY "own-policy"

struct stream {
    uint32_t n, capacity;
    struct cm_request *request;
    uint64_t work; /* of all, in us */
};

static struct stream stream_of_test(void)
{
    struct rng r = random_of_test(70);
    struct traffic t = {.seed = rng_next(&r),
                        .requests = check_large() ? 100000 : 50000,
                        .keys = between(&r, 3000, 5000),
                        .skew = 0.85 + 0.05 * between(&r, 0, 2),
                        .shift_every = between(&r, 3000, 9000),
                        .scan_every = between(&r, 2000, 3000),
                        .scan_length = between(&r, 400, 700),
                        .dearest_us = 1000000};
    struct stream s = {.n = t.requests, .capacity = between(&r, 250, 400)};
    s.request = xcalloc(s.n, sizeof *s.request);
    if (traffic_make(&t, s.request) != 0)
        check_fail(VERDICT_GRADER_FAULT, "the requests could not be made");
    /* Nothing but how often it comes tells what is popular from a report: not its cost, nor its key, which is made of a
     * number (low ones are popular, and those of reports go up by one). */
    const uint64_t secret = rng_next(&r);
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.request[i].kind)
            s.request[i].cost_us = between(&r, t.dearest_us / 4, t.dearest_us - 1);
        uint64_t state = s.request[i].key ^ secret;
        s.request[i].key = rng_splitmix64(&state);
        s.work += s.request[i].cost_us;
    }
    return s;
}

/* ---- LRU and Belady, in their most literal form ---- */

struct kept {
    uint64_t key, rank; /* who has the least goes */
};

static uint64_t work_avoided(const struct stream *s, bool belady)
{
    struct kept *kept = xcalloc(s->capacity, sizeof *kept);
    uint64_t avoided = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct cm_request *r = &s->request[i];
        uint32_t at = 0, least = 0;
        for (; at < n && kept[at].key != r->key; at++)
            least = kept[at].rank < kept[least].rank ? at : least;
        if (at < n)
            avoided += r->cost_us;
        else if (n < s->capacity)
            n++;
        else
            at = least;
        kept[at] = (struct kept){r->key, belady ? UINT64_MAX - r->next : i};
    }
    free(kept);
    return avoided;
}

/* ---- the student's ---- */

struct judged {
    struct ledger *ledger;
    const char *wrong;
    uint64_t avoided;
};

static bool visit(void *context, uint32_t index, const struct step *step, const struct answer *answer)
{
    struct judged *j = context;
    (void)index;
    j->wrong = answer ? ledger_enter(j->ledger, &step->request, answer) : "there is no answer";
    if (!j->wrong && answer->answer == CM_HIT)
        j->avoided += step->request.cost_us;
    return !j->wrong;
}

/* Requests come so many at a time, so that nobody can read ahead: behind a marker each. What is counted is the end of
 * the process alone, behind a last one. */
#define STRETCH 40u

static uint64_t own_work_avoided(const struct stream *s)
{
    const uint32_t stretches = (s->n + STRETCH - 1) / STRETCH + 1;
    struct caches caches = {.n = 1};
    struct step *step = xcalloc(s->n + stretches, sizeof *step);
    struct host_stretch *stretch = xcalloc(stretches, sizeof *stretch);
    struct judged j = {.ledger = ledger_create(s->capacity)};
    struct host_outcome o;
    uint32_t n = 0;
    size_t size;
    caches.config[0].capacity = s->capacity;
    rng_seed(&caches.config[0].random, 1, 0); /* nothing that the requests could be drawn again from */
    for (uint32_t i = 0; i < s->n; i++) {
        if (i % STRETCH == 0)
            step[n++].op = STEP_COUNT;
        step[n] = (struct step){STEP_REQUEST, 0, s->request[i]};
        step[n].request.next = CM_NEVER; /* nobody knows the future */
        step[n++].request.kind = 0;
        const bool last = i % STRETCH == STRETCH - 1 || i + 1 == s->n; /* the next marker comes with it */
        stretch[i / STRETCH].bytes += (last ? 2 : 1) * sizeof *step;
    }
    step[n++].op = STEP_COUNT;
    stretch[stretches - 1].counted = 1;
    void *block = requests_block(&caches, step, n, n - 1, &size);
    check_host_request((struct host_request){.entry = ENTRY,
                                             .scenario = block,
                                             .scenario_size = size,
                                             .record_size = sizeof(uint64_t),
                                             .records = REQUESTS_RECORDS(s->n),
                                             .least_records = s->n,
                                             .count_limit = 1000000,
                                             .late_bytes = (n - 1) * sizeof *step,
                                             .stretch = stretch,
                                             .stretches = stretches},
                       &o);
    if (o.verdict != VERDICT_FINISHED)
        check_fail(o.verdict, "%s: %s", ENTRY, o.sentence);
    const uint32_t fine = requests_replay(requests_of(block), o.records, o.count, visit, &j);
    check_that(fine == n, "request %u of %u: %s", fine - fine / (STRETCH + 1), s->n, j.wrong ? j.wrong : "");
    host_outcome_free(&o);
    ledger_destroy(j.ledger);
    free(block);
    free(step);
    free(stretch);
    return j.avoided;
}

CHECK(own_policy, work_avoided)
{
    struct rng r = random_of_test(72);
    struct list *l = list_create(RULE_CONTRACT, 60, 2);
    list_random(
        l, &r, &(struct shape){.requests = 1200, .keys = 60, .size = 70, .cost_us = 1000, .ttl_ms = 5, .step_us = 300});
    list_check(ENTRY, l, "What holds for every cache holds for this one.");
    list_check_ends(ENTRY, RULE_CONTRACT, 71);
    const struct stream s = stream_of_test();
    const uint64_t own = own_work_avoided(&s), lru = work_avoided(&s, false), best = work_avoided(&s, true);
    const double share = ((double)own - (double)lru) / ((double)best - (double)lru), all = (double)s.work;
    free(s.request);
    check_measured(
        share > 0.001 ? share : 0.001,
        "a cache of %u objects, %u requests: it spares the origin %.1f %% of its work; LRU %.1f %%, and "
        "Belady, who knows the future, %.1f %%. Which objects are worth keeping when costs differ a thousand "
        "times, when a scan passes, when popularity shifts?",
        s.capacity, s.n, 100 * (double)own / all, 100 * (double)lru / all, 100 * (double)best / all);
}
