/* check_model.c: what the judge of lab 02 holds the answers against. */
#include "check_model.h"

#include "calls.h"
#include "sim/ns.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 wide;

struct noted {
    uint64_t at, cost;
};

struct account {
    uint64_t key;
    /* the log */
    struct noted *noted;
    size_t first, count, room;
    /* windows: the newest one in which something was allowed, and the one before it */
    uint64_t window, current, previous;
    /* the bucket: in tokens / T, as it was `since` */
    wide level;
    uint64_t since;
};

struct model {
    enum rule rule;
    uint64_t n, t, b;
    uint32_t keys;
    struct account account[MODEL_KEYS];
};

struct model *model_create(enum rule rule, const struct rl_config *config)
{
    struct model *m = calloc(1, sizeof *m);
    if (m) {
        m->rule = rule;
        m->n = config->limit;
        m->t = config->window_ns;
        m->b = config->burst;
    }
    return m;
}

void model_destroy(struct model *m)
{
    for (uint32_t i = 0; m && i < m->keys; i++)
        free(m->account[i].noted);
    free(m);
}

static struct account *account_of(struct model *m, uint64_t key)
{
    for (uint32_t i = 0; i < m->keys; i++)
        if (m->account[i].key == key)
            return &m->account[i];
    if (m->keys == MODEL_KEYS)
        abort();
    m->account[m->keys] = (struct account){.key = key, .level = (wide)m->b * m->t};
    return &m->account[m->keys++];
}

/* ---- what counts at `now` ---- */

static uint64_t in_the_log(const struct model *m, struct account *a, uint64_t now)
{
    uint64_t sum = 0;
    for (size_t i = a->first; i < a->count; i++)
        if (now - a->noted[i].at < m->t)
            sum += a->noted[i].cost;
    return sum;
}

struct counts {
    uint64_t current, previous, elapsed;
};

static struct counts in_windows(const struct model *m, const struct account *a, uint64_t now)
{
    const uint64_t window = now / m->t;
    struct counts c = {.elapsed = now % m->t};
    if (window <= a->window) {
        c.current = a->current;
        c.previous = a->previous;
    } else if (window == a->window + 1) {
        c.previous = a->current;
    }
    return c;
}

static wide in_the_bucket(const struct model *m, const struct account *a, uint64_t now)
{
    const wide full = (wide)m->b * m->t, level = a->level + (wide)(now - a->since) * m->n;
    return level < full ? level : full;
}

/* ---- the question ---- */

bool model_would(struct model *m, uint64_t key, uint64_t now, uint64_t cost)
{
    struct account *a = account_of(m, key);
    const struct counts c = in_windows(m, a, now);
    switch (m->rule) {
    case RULE_LOG:
        return in_the_log(m, a, now) + cost <= m->n;
    case RULE_COUNTER:
        return (wide)c.previous * (m->t - c.elapsed) + (wide)(c.current + cost) * m->t <= (wide)m->n * m->t;
    case RULE_BUCKET:
        return in_the_bucket(m, a, now) >= (wide)cost * m->t;
    case RULE_FIXED:
        return c.current + cost <= m->n;
    }
    return false;
}

void model_take(struct model *m, uint64_t key, uint64_t now, uint64_t cost)
{
    struct account *a = account_of(m, key);
    if (m->rule == RULE_LOG) {
        while (a->first < a->count && now - a->noted[a->first].at >= m->t)
            a->first++;
        if (a->count == a->room) {
            a->room = a->room ? 2 * a->room : 64;
            a->noted = realloc(a->noted, a->room * sizeof *a->noted);
            if (!a->noted)
                abort();
        }
        a->noted[a->count++] = (struct noted){now, cost};
    }
    a->level = in_the_bucket(m, a, now) - (m->rule == RULE_BUCKET ? (wide)cost * m->t : 0);
    a->since = now;
    if (now / m->t > a->window) {
        a->previous = now / m->t == a->window + 1 ? a->current : 0;
        a->current = 0;
        a->window = now / m->t;
    }
    a->current += cost;
}

/* ---- what follows from it ---- */

uint64_t model_retry(struct model *m, uint64_t key, uint64_t now, uint64_t cost)
{
    if (cost > (m->rule == RULE_BUCKET ? m->b : m->n))
        return RL_NEVER;
    const struct account *a = account_of(m, key);
    uint64_t low = 0, high = m->rule == RULE_COUNTER ? 2 * m->t : m->t; /* refused after low, allowed after high */
    if (m->rule == RULE_BUCKET)
        high = (uint64_t)((wide)m->b * m->t / m->n) + 1;
    if (a->window > now / m->t) /* an older now */
        high += (a->window - now / m->t) * m->t;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (model_would(m, key, now + middle, cost))
            high = middle;
        else
            low = middle;
    }
    return high;
}

uint64_t model_left(struct model *m, uint64_t key, uint64_t now)
{
    uint64_t low = 0, high = RL_MAX_UNITS + 1;
    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (model_would(m, key, now, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- in words ---- */

#define ULL(x) ((unsigned long long)(x))

void model_explain(FILE *out, struct model *m, uint64_t key, uint64_t now, uint64_t cost)
{
    struct account *a = account_of(m, key);
    const struct counts c = in_windows(m, a, now);
    const wide level = in_the_bucket(m, a, now), used = (wide)c.previous * (m->t - c.elapsed) + (wide)c.current * m->t;
    const uint64_t hundredths = (uint64_t)(used * 100 / m->t);
    switch (m->rule) {
    case RULE_LOG:
        fputs("in the last ", out);
        ns_print(out, m->t);
        fprintf(out, " %llu of N = %llu units were allowed", ULL(in_the_log(m, a, now)), ULL(m->n));
        break;
    case RULE_COUNTER:
        fprintf(out, "%llu units in this window, %llu in the one before", ULL(c.current), ULL(c.previous));
        if (c.previous) {
            fputs(", of which ", out);
            ns_print(out, m->t - c.elapsed);
            fputs(" of ", out);
            ns_print(out, m->t);
            fputs(" still count", out);
        }
        fprintf(out, ": %llu.%02llu of N = %llu are used", ULL(hundredths / 100), ULL(hundredths % 100), ULL(m->n));
        break;
    case RULE_BUCKET:
        fprintf(out, "the bucket holds %llu", ULL(level / m->t));
        if (level % m->t)
            fprintf(out, " + %llu/%llu", ULL(level % m->t), ULL(m->t));
        fprintf(out, " of B = %llu tokens", ULL(m->b));
        break;
    case RULE_FIXED:
        fprintf(out, "window %llu holds %llu of N = %llu units", ULL(now / m->t > a->window ? now / m->t : a->window),
                ULL(c.current), ULL(m->n));
        break;
    }
    if (cost)
        fprintf(out, ", and this asks for %llu", ULL(cost));
}
