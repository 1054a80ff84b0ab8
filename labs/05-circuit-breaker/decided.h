/* decided.h: the decisions of an entry within a simulation: written to a log in the host, and read from it in the judge.
 *
 * Both are tables of functions like an entry's own, so the same simulation runs with either. What is going on stands in
 * one variable, since such a table has no place for it: one simulation at a time in a process.
 */
#ifndef DECIDED_H
#define DECIDED_H

#include "circuit_breaker.h"

struct decision_log;

/* Logged: of each question to a retry the delay, or DECIDED_GIVE_UP. Of each arrival 0 or 1 + 2 x drops, of each take
 * the id + 2^32 x drops; and behind either the ids that were dropped. */
#define DECIDED_GIVE_UP UINT64_MAX

const struct cb_retry_ops *decided_log_retry(const struct cb_retry_ops *entry, struct decision_log *log);
const struct cb_queue_ops *decided_log_queue(const struct cb_queue_ops *entry, struct decision_log *log);

const struct cb_retry_ops *decided_read_retry(const uint64_t *record, uint64_t records);
const struct cb_queue_ops *decided_read_queue(const uint64_t *record, uint64_t records);

/* In the judge: were there as many decisions as were asked for? NULL; else a sentence. */
const char *decided_wrong(void);

#endif
