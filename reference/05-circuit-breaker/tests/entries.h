/* entries.h: any entry by name, and a breaker taken literally from the contract: a list of all outcomes, looked through at
 * each question. */
#ifndef ENTRIES_H
#define ENTRIES_H

#include "circuit_breaker.h"

#include "sim/rng.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

const struct cb_ops *entry_named(const char *name); /* fails the test if there is none */

/* All breakers, ended by NULL, and those for threads. */
extern const char *const breakers[], *const thread_breakers[];

struct breaker {
    const char *name;
    const struct cb_breaker_ops *ops;
    void *state;
};
struct breaker breaker_start(const char *name, const struct cb_breaker_config *config);
void breaker_stop(struct breaker *b);
static inline struct cb_permit ask(const struct breaker *b, uint64_t now)
{
    return b->ops->allow(b->state, now);
}
static inline void tell(const struct breaker *b, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t took)
{
    b->ops->record(b->state, ticket, now, outcome, took);
}
/* A call that ends at once, for each letter: F fails, T times out, S succeeds, L succeeds slowly, I says nothing. How many
 * were allowed. */
uint32_t calls(const struct breaker *b, uint64_t now, const char *letters);

/* Half of 5 … 20 calls; open 5 s, 4 probes, for 1 s at most; slow from 4 s on. */
struct cb_breaker_config usual(void);

/* ---- the model ---- */

struct outcome_seen {
    uint64_t at;
    bool failed, slow;
};

struct model {
    struct cb_breaker_config config;
    bool by_time;
    enum cb_state state;
    uint64_t stay, since;
    uint32_t going;            /* probes that went and gave nothing back */
    struct outcome_seen *seen; /* in this stay */
    uint32_t n, room;
};

void model_start(struct model *m, const struct cb_breaker_config *config, bool by_time);
void model_stop(struct model *m);
/* stay: what a call is to be recorded with. */
bool model_allow(struct model *m, uint64_t now, uint64_t *stay);
void model_record(struct model *m, uint64_t stay, uint64_t now, enum cb_outcome outcome, uint64_t took);

#endif
