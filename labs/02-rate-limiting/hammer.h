/* hammer.h: a scenario of lab 02: several threads ask one limiter at the same time, as fast as they can.
 *
 * A round is a moment: time stands still in it, and each thread asks so many times for key 1, then for key 2, and so
 * on. So exactly min(limit, calls of all threads) units may be admitted for each key, whatever the threads do to each
 * other. The threads go from key to key side by side: what goes wrong only where a limit ends, a window begins or a key
 * is new has as many chances as there are rounds and keys. What is logged is how many each thread was admitted in each
 * round for each key.
 */
#ifndef HAMMER_H
#define HAMMER_H

#include "rate_limiting.h"

#define HAMMER_THREADS 8
#define HAMMER_RECORDS (1u << 22)

struct hammer {
    struct rl_config config;
    uint64_t now, step; /* of the first round; and how much later each next one is */
    uint64_t calls;     /* of each thread in each round for each key */
    uint32_t threads, keys, rounds;
    uint32_t fresh; /* not 0: round r has keys r x keys + 1 …, which nobody has seen; else all have 1 … keys */
    uint32_t warm;  /* not 0: one thread alone has asked once for each of 1 … keys before, at `now` - `step` */
};

struct hammer_count {
    uint64_t admitted; /* records go round by round, thread by thread, key by key */
};

uint64_t hammer_records(const struct hammer *hammer);

/* 0; -EINVAL for bounds broken; -ENOMEM, -EAGAIN; or what create failed with. */
int hammer_run(const struct hammer *hammer, const struct rl_ops *ops, struct decision_log *log);

#endif
