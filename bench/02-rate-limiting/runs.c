/* runs.c: the experiments of lab 02. */
#include "runs.h"

#include "base/file.h"
#include "base/memory.h"
#include "host/trusted.h"

#include <stdlib.h>
#include <string.h>

static const struct plugin *reference;

void runs_load(void)
{
    reference = trusted_reference("02-rate-limiting", EXIT_CANNOT_TELL);
}

struct rl_config article_limit(void)
{
    return (struct rl_config){.limit = 100, .window_ns = 60 * S, .burst = 100, .threads = 1, .nodes = 1, .sync_ns = S};
}

struct limiter limiter_create(const char *entry, const struct rl_config *config)
{
    struct limiter l = {.ops = plugin_find(reference, entry)};
    if (!l.ops)
        error_exit(EXIT_CANNOT_TELL, "the reference has no entry %s", entry);
    int code = l.ops->create(config, &l.state);
    if (code)
        error_exit(EXIT_CANNOT_TELL, "%s cannot be made: %s", entry, strerror(-code));
    return l;
}

void limiter_destroy(struct limiter *limiter)
{
    limiter->ops->destroy(limiter->state);
}

struct rl_answer limiter_ask(struct limiter *limiter, uint64_t key, uint64_t now, uint32_t node)
{
    return limiter->ops->allow(limiter->state, key, now, 1, node);
}

void admissions_add(struct admissions *a, uint64_t at)
{
    if (a->count == a->room) {
        a->room = a->room ? 2 * a->room : 1024;
        a->list = xrealloc(a->list, a->room, sizeof *a->list);
    }
    a->list[a->count++] = (struct admitted){at, 1};
}

void admissions_free(struct admissions *a)
{
    free(a->list);
    *a = (struct admissions){NULL, 0, 0};
}

uint64_t ask_at(struct limiter *limiter, struct admissions *a, uint64_t at, uint64_t n)
{
    uint64_t admitted = 0;
    for (uint64_t i = 0; i < n; i++)
        if (limiter_ask(limiter, 1, at, 0).allowed) {
            admissions_add(a, at);
            admitted++;
        }
    return admitted;
}
