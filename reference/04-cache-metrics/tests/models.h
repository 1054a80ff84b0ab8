/* models.h: policies as their papers tell them, with arrays that are searched and moved: slow, and easy to believe. */
#ifndef MODELS_H
#define MODELS_H

#include "cache_metrics.h"
#include "sketch.h"

enum { MODEL_MOST = 256 };

struct item {
    uint64_t key, last;
    uint32_t size, cost;
    uint64_t uses; /* how often, or a bit, as the policy has it */
    uint64_t touched;
    double h;
};

/* From the oldest to the newest. */
struct queue {
    struct item item[MODEL_MOST];
    uint32_t n;
    uint64_t size;
};

struct model {
    uint64_t capacity, now;
    struct queue a, b, c;          /* what is kept */
    struct queue ghost_a, ghost_b; /* what is only remembered */
    uint32_t hand, peak;           /* peak: the most objects there were at a time */
    struct sketch sketch;
    double h, p;
    struct cm_evicted evicted;
};

uint32_t queue_where(const struct queue *q, uint64_t key); /* q->n: nowhere */
struct item queue_take(struct queue *q, uint32_t i);
void queue_append(struct queue *q, struct item item);
bool queue_forget(struct queue *q, uint64_t key); /* false: it was not there */

struct item model_item(const struct model *m, const struct cm_request *r); /* what is asked for, new */
struct item *model_kept(struct model *m, const struct cm_request *r);      /* fresh; NULL, and no old copy is left */
uint64_t model_lacks(const struct model *m, const struct cm_request *r);   /* how much has to go for it */
void model_evict(struct model *m, struct queue *q, uint32_t i);

enum cm_answer model_slru(struct model *m, const struct cm_request *r);
enum cm_answer model_two_q(struct model *m, const struct cm_request *r);
enum cm_answer model_arc(struct model *m, const struct cm_request *r);
enum cm_answer model_s3_fifo(struct model *m, const struct cm_request *r);
enum cm_answer model_w_tinylfu(struct model *m, const struct cm_request *r);
enum cm_answer model_lirs(struct model *m, const struct cm_request *r);

struct model_policy {
    const char *name;
    enum cm_answer (*request)(struct model *m, const struct cm_request *r);
};

extern const struct model_policy model_policies[]; /* ended by one without a name */

#endif
