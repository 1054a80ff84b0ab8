/* decided.c: the decisions of an entry within a simulation, logged and read. */
#include "decided.h"

#include "host/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    const struct cb_retry_ops *retry;
    const struct cb_queue_ops *queue;
    struct decision_log *log;
    const uint64_t *record;
    uint64_t records, at;
    char wrong[200];
} now;

/* ---- in the host: a retry, a queue ---- */

static int log_create_retry(const struct cb_retry_config *config, void **retries)
{
    return now.retry->create(config, retries);
}

static void log_destroy_retry(void *retries)
{
    now.retry->destroy(retries);
}

static bool log_retry(void *retries, const struct cb_failed *failed, uint64_t *delay)
{
    const bool again = now.retry->retry(retries, failed, delay);
    const uint64_t record = again ? *delay : DECIDED_GIVE_UP;
    log_append(now.log, &record);
    return again && *delay != DECIDED_GIVE_UP;
}

static void log_succeeded(void *retries, uint64_t at)
{
    if (now.retry->succeeded)
        now.retry->succeeded(retries, at);
}

static const struct cb_retry_ops log_retry_ops = {
    .create = log_create_retry, .destroy = log_destroy_retry, .retry = log_retry, .succeeded = log_succeeded};

const struct cb_retry_ops *decided_log_retry(const struct cb_retry_ops *entry, struct decision_log *log)
{
    now.retry = entry;
    now.log = log;
    return &log_retry_ops;
}

static int log_create_queue(const struct cb_queue_config *config, void **queue)
{
    return now.queue->create(config, queue);
}

static void log_destroy_queue(void *queue)
{
    now.queue->destroy(queue);
}

static void log_dropped(const struct cb_dropped *d)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const uint64_t id = d->id[i];
        log_append(now.log, &id);
    }
}

static bool log_arrive(void *queue, uint64_t at, const struct cb_work *work, struct cb_dropped *d)
{
    const bool taken = now.queue->arrive(queue, at, work, d);
    const uint64_t record = (uint64_t)taken + 2 * (uint64_t)d->n;
    log_append(now.log, &record);
    log_dropped(d);
    return taken;
}

static uint32_t log_take(void *queue, uint64_t at, struct cb_dropped *d)
{
    const uint32_t id = now.queue->take(queue, at, d);
    const uint64_t record = id | (uint64_t)d->n << 32;
    log_append(now.log, &record);
    log_dropped(d);
    return id;
}

static const struct cb_queue_ops log_queue_ops = {
    .create = log_create_queue, .destroy = log_destroy_queue, .arrive = log_arrive, .take = log_take};

const struct cb_queue_ops *decided_log_queue(const struct cb_queue_ops *entry, struct decision_log *log)
{
    now.queue = entry;
    now.log = log;
    return &log_queue_ops;
}

/* ---- in the judge ---- */

static void begin_reading(const uint64_t *record, uint64_t records)
{
    now.record = record;
    now.records = records;
    now.at = 0;
    now.wrong[0] = '\0';
}

static bool next(uint64_t *record)
{
    if (now.at == now.records) {
        if (!now.wrong[0])
            snprintf(now.wrong, sizeof now.wrong, "it made only %llu decisions", (unsigned long long)now.records);
        return false;
    }
    *record = now.record[now.at++];
    return true;
}

static int read_create_retry(const struct cb_retry_config *config, void **retries)
{
    (void)config;
    *retries = &now;
    return 0;
}

static void read_destroy(void *state)
{
    (void)state;
}

static bool read_retry(void *retries, const struct cb_failed *failed, uint64_t *delay)
{
    (void)retries;
    (void)failed;
    return next(delay) && *delay != DECIDED_GIVE_UP;
}

static const struct cb_retry_ops read_retry_ops = {
    .create = read_create_retry, .destroy = read_destroy, .retry = read_retry};

const struct cb_retry_ops *decided_read_retry(const uint64_t *record, uint64_t records)
{
    begin_reading(record, records);
    return &read_retry_ops;
}

static int read_create_queue(const struct cb_queue_config *config, void **queue)
{
    (void)config;
    *queue = &now;
    return 0;
}

static void read_dropped(uint64_t n, struct cb_dropped *d)
{
    uint64_t id;
    for (uint64_t i = 0; i < n && next(&id); i++)
        cb_drop(d, (uint32_t)id);
}

static bool read_arrive(void *queue, uint64_t at, const struct cb_work *work, struct cb_dropped *d)
{
    uint64_t record;
    (void)queue;
    (void)at;
    (void)work;
    if (!next(&record))
        return false;
    read_dropped(record / 2, d);
    return record % 2;
}

static uint32_t read_take(void *queue, uint64_t at, struct cb_dropped *d)
{
    uint64_t record;
    (void)queue;
    (void)at;
    if (!next(&record))
        return CB_NOTHING;
    read_dropped(record >> 32, d);
    return (uint32_t)record;
}

static const struct cb_queue_ops read_queue_ops = {
    .create = read_create_queue, .destroy = read_destroy, .arrive = read_arrive, .take = read_take};

const struct cb_queue_ops *decided_read_queue(const uint64_t *record, uint64_t records)
{
    begin_reading(record, records);
    return &read_queue_ops;
}

const char *decided_wrong(void)
{
    if (!now.wrong[0] && now.at < now.records)
        snprintf(now.wrong, sizeof now.wrong, "it made %llu decisions, of which %llu were asked for",
                 (unsigned long long)now.records, (unsigned long long)now.at);
    return now.wrong[0] ? now.wrong : NULL;
}
