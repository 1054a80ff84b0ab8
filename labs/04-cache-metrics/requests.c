/* requests.c: a list of requests for a cache, carried out by the host and replayed by the judge. */
#include "requests.h"

#include "host/log.h"
#include "sim/ns.h"

#include <errno.h>
#include <stdlib.h>

static void carry_out(const struct step *s, const struct cm_cache_ops *ops, void *const *cache,
                      struct cm_evicted *evicted, struct decision_log *log)
{
    if (s->op == STEP_COUNT) {
        log_count_from_here();
        return;
    }
    struct cm_request request = s->request;
    evicted->n = 0;
    if (!(ops->can & CM_OFFLINE))
        request.next = CM_NEVER;
    const uint32_t answer = (uint32_t)ops->request(cache[s->cache], &request, evicted);
    if (!log)
        return;
    const uint64_t record = requests_record(answer & 0xff, evicted->n);
    log_append(log, &record);
    for (uint32_t i = 0; i < evicted->n; i++)
        log_append(log, &evicted->key[i]);
}

static int run_round(const struct requests *r, const struct cm_cache_ops *ops, struct decision_log *log)
{
    void *cache[REQUESTS_CACHES];
    struct cm_evicted evicted = {0};
    uint32_t made = 0;
    int code = r->caches.n < 1 || r->caches.n > REQUESTS_CACHES || r->late > r->count ? -EINVAL : 0;
    while (code == 0 && made < r->caches.n) {
        code = ops->create(&r->caches.config[made], &cache[made]);
        made += code == 0;
    }
    /* What is late is all zeros until counting begins, so each step is looked at when its turn has come. */
    for (uint32_t i = 0; i < r->count && code == 0; i++) {
        if (r->step[i].op > STEP_COUNT || r->step[i].cache >= r->caches.n)
            return -EINVAL; /* of our own making: the caches go with the process */
        carry_out(&r->step[i], ops, cache, &evicted, log);
        code = evicted.failed ? -ENOMEM : 0;
    }
    for (uint32_t i = 0; i < made && !r->late; i++) /* or it would be counted too */
        ops->destroy(cache[i]);
    if (!r->late)
        free(evicted.key);
    return code;
}

int requests_run(const struct requests *r, const struct cm_cache_ops *ops, struct decision_log *log)
{
    int code = 0;
    for (uint32_t round = 1; code == 0 && round < r->caches.rounds; round++)
        code = run_round(r, ops, NULL);
    return code ? code : run_round(r, ops, log);
}

uint32_t requests_replay(const struct requests *r, const uint64_t *record, uint64_t records, requests_visit *visit,
                         void *context)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->step[i].op == STEP_COUNT)
            continue;
        struct answer answer;
        bool there = at < records;
        if (there) {
            answer = (struct answer){(uint32_t)(record[at] & 0xff), (uint32_t)(record[at] >> 8), record + at + 1};
            there = answer.evictions <= records - at - 1;
            at += 1 + (there ? answer.evictions : 0);
        }
        if (!visit(context, i, &r->step[i], there ? &answer : NULL))
            return i;
    }
    return r->count;
}

void step_print(FILE *out, uint32_t number, const struct step *s, const struct answer *a)
{
    static const char *const words[] = {"hit", "miss", "passed on"};
    if (s->op == STEP_COUNT) {
        fprintf(out, "%4u. from here on it is counted\n", number);
        return;
    }
    const struct cm_request *r = &s->request;
    fprintf(out, "%4u. at ", number);
    ns_print(out, r->time);
    if (s->cache > 0)
        fprintf(out, ", cache %u", s->cache);
    fprintf(out, ": key %llu, size %u, cost %u us", (unsigned long long)r->key, r->size, r->cost_us);
    if (r->ttl_ms > 0)
        fprintf(out, ", ttl %u ms", r->ttl_ms);
    if (!a) {
        fputs(": no answer\n", out);
        return;
    }
    fprintf(out, ": %s", a->answer <= CM_BYPASS ? words[a->answer] : "an answer that is none");
    for (uint32_t i = 0; i < a->evictions && i < 8; i++)
        fprintf(out, "%s%llu", i ? ", " : ", evicts ", (unsigned long long)a->evicted[i]);
    fputs(a->evictions > 8 ? ", ...\n" : "\n", out);
}
