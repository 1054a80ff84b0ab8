/* requests.h: a scenario of lab 04: requests for a cache, or for several side by side, one after the other.
 *
 * The same list is carried out twice: in the host, where the entry answers and the answers are logged, and in the
 * judge, which goes through the list with the answers from the log (requests_replay).
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "cache_metrics.h"

#include <stdio.h>

#define REQUESTS_MOST   (1u << 24)
#define REQUESTS_CACHES 4u

enum step_op {
    STEP_REQUEST,
    STEP_COUNT, /* from here on instructions are counted, if the run is to be counted at all */
};

struct step {
    uint32_t op, cache; /* which of the caches is asked */
    struct cm_request request;
};

struct caches {
    struct cm_config config[REQUESTS_CACHES]; /* of each */
    uint32_t n;                               /* 1 … REQUESTS_CACHES */
    uint32_t
        rounds; /* the whole list is carried out so often, each time with new caches, and the last is logged; 0: once */
};

struct requests {
    struct caches caches;
    uint32_t count;
    uint32_t late; /* so many steps at the end are not to be seen before counting begins */
    struct step step[];
};
#define REQUESTS_SIZE(n) (sizeof(struct requests) + (size_t)(n) * sizeof(struct step))

/* What is logged: a uint64_t for each request, answer + 256 x evictions, and behind it the evicted keys. No more are
 * evicted than were fetched, so this is the most that n right answers take. */
#define REQUESTS_RECORDS(n) (2 * (uint64_t)(n))
static inline uint64_t requests_record(uint32_t answer, uint32_t evicted)
{
    return answer + 256 * (uint64_t)evicted;
}

struct decision_log;

/* Carries the list out. The caches are destroyed at the end, but where steps are late: that would be counted. 0; -EINVAL
 * for a list out of bounds; -ENOMEM; or what create failed with. */
int requests_run(const struct requests *requests, const struct cm_cache_ops *ops, struct decision_log *log);

struct answer {
    uint32_t answer;    /* enum cm_answer, or a number that is none */
    uint32_t evictions; /* as the log says; no more than it has keys for */
    const uint64_t *evicted;
};

/* The judge's side: calls `visit` for each request with its answer, or NULL where the log has none, until it returns
 * false. The index of the step that stopped it, or count. */
typedef bool requests_visit(void *context, uint32_t index, const struct step *step, const struct answer *answer);
uint32_t requests_replay(const struct requests *requests, const uint64_t *record, uint64_t records,
                         requests_visit *visit, void *context);

/* "   3. at 2 ms: key 7, size 10, cost 500 us: miss, evicts 4, 9". */
void step_print(FILE *out, uint32_t number, const struct step *step, const struct answer *answer);

#endif
