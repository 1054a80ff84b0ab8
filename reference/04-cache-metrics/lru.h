/* lru.h: LRU's two functions, for whoever puts something round it. */
#ifndef LRU_H
#define LRU_H

#include "store.h"

int lru_create(const struct cm_config *config, void **cache);
enum cm_answer lru_request(void *cache, const struct cm_request *r, struct cm_evicted *evicted);

#endif
