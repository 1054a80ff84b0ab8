/* entries.c: any entry by name, and a breaker taken literally from the contract. */
#include "entries.h"

const char *const breakers[] = {"count-breaker",  "time-breaker",    "breaker-mutex",
                                "breaker-atomic", "breaker-sharded", NULL};
const char *const thread_breakers[] = {"breaker-mutex", "breaker-atomic", "breaker-sharded", NULL};

const struct cb_ops *entry_named(const char *name)
{
    for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++)
        if (strcmp((*e)->name, name) == 0)
            return (*e)->ops;
    cr_assert(false, "there is no entry %s", name);
    return NULL;
}

struct breaker breaker_start(const char *name, const struct cb_breaker_config *config)
{
    struct breaker b = {.name = name, .ops = entry_named(name)->breaker};
    cr_assert(b.ops && b.ops->create(config, &b.state) == 0, "%s could not be made", name);
    return b;
}

void breaker_stop(struct breaker *b)
{
    b->ops->destroy(b->state);
}

uint32_t calls(const struct breaker *b, uint64_t now, const char *letters)
{
    uint32_t allowed = 0;
    for (const char *c = letters; *c; c++) {
        const struct cb_permit p = ask(b, now);
        const enum cb_outcome outcome = *c == 'F'   ? CB_ERROR
                                        : *c == 'T' ? CB_TIMEOUT
                                        : *c == 'I' ? CB_IGNORED
                                                    : CB_SUCCESS;
        allowed += p.allowed;
        if (p.allowed)
            tell(b, p.ticket, now, outcome, *c == 'L' ? 4 * S : MS);
    }
    return allowed;
}

struct cb_breaker_config usual(void)
{
    return (struct cb_breaker_config){.window_calls = 20,
                                      .window_ns = 20 * S,
                                      .slices = 20,
                                      .least_calls = 5,
                                      .failure_percent = 50,
                                      .slow_percent = 50,
                                      .slow_ns = 4 * S,
                                      .open_ns = 5 * S,
                                      .probes = 4,
                                      .probes_ns = S};
}

/* ---- the model ---- */

void model_start(struct model *m, const struct cb_breaker_config *config, bool by_time)
{
    *m = (struct model){.config = *config, .by_time = by_time, .state = CB_CLOSED};
}

void model_stop(struct model *m)
{
    free(m->seen);
}

static void change(struct model *m, enum cb_state state, uint64_t now)
{
    m->state = state;
    m->stay++;
    m->since = now;
    m->n = m->going = 0;
}

bool model_allow(struct model *m, uint64_t now, uint64_t *stay)
{
    if (m->state == CB_HALF_OPEN && now >= m->since + m->config.probes_ns)
        change(m, CB_OPEN, now);
    if (m->state == CB_OPEN && now >= m->since + m->config.open_ns)
        change(m, CB_HALF_OPEN, now);
    *stay = m->stay;
    if (m->state == CB_HALF_OPEN)
        return m->going < m->config.probes && ++m->going;
    return m->state == CB_CLOSED;
}

/* Does the outcome count that was the i-th of this stay? */
static bool in_window(const struct model *m, uint32_t i, uint64_t now)
{
    const uint64_t slice = m->config.window_ns / (m->config.slices ? m->config.slices : 1);
    if (m->state == CB_HALF_OPEN)
        return true;
    return m->by_time ? m->seen[i].at / slice + m->config.slices > now / slice : i + m->config.window_calls >= m->n;
}

void model_record(struct model *m, uint64_t stay, uint64_t now, enum cb_outcome outcome, uint64_t took)
{
    uint64_t n = 0, failures = 0, slow = 0;
    if (stay != m->stay)
        return;
    if (outcome == CB_IGNORED) {
        m->going -= m->state == CB_HALF_OPEN;
        return;
    }
    if (m->n == m->room) {
        m->room = m->room ? 2 * m->room : 64;
        m->seen = realloc(m->seen, m->room * sizeof *m->seen);
    }
    m->seen[m->n++] =
        (struct outcome_seen){now, outcome == CB_ERROR || outcome == CB_TIMEOUT, took >= m->config.slow_ns};
    for (uint32_t i = 0; i < m->n; i++)
        if (in_window(m, i, now)) {
            n++;
            failures += m->seen[i].failed;
            slow += m->seen[i].slow;
        }
    const bool bad = 100 * failures >= m->config.failure_percent * n || 100 * slow >= m->config.slow_percent * n;
    if (m->state == CB_HALF_OPEN && n == m->config.probes)
        change(m, bad ? CB_OPEN : CB_CLOSED, now);
    else if (m->state == CB_CLOSED && n >= m->config.least_calls && bad)
        change(m, CB_OPEN, now);
}
