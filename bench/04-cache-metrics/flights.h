/* flights.h: callers who want values, by an entry of the reference: which computations that made, and how long each
 * caller waited. The callers are those of the lab's world (callers.h).
 */
#ifndef FLIGHTS_H
#define FLIGHTS_H

#include "account.h"
#include "callers.h"

/* What is to happen. Times in seconds. */
struct flights_plan {
    const char *entry;
    struct cm_recompute_config config;
    double seconds;     /* so long callers come */
    double rate;        /* callers a second, by Poisson's law, of all keys together */
    double takes;       /* a computation */
    uint32_t keys;      /* each as likely as the others; 0: one */
    uint32_t bad_first; /* of each two computations the first: 0 is like the other, 1 fails, 2 never comes back */
    bool no_values;     /* the origin says that there is none */
};
enum { FLIGHTS_FAILS = 1, FLIGHTS_HANGS = 2 };

struct flight {
    uint64_t began, ended; /* ended: CM_NEVER: not yet */
    double lead; /* of the value at hand: how long before its expiry; negative: after it, NAN: there was none */
    bool first;  /* nothing else was under way when it began */
};

struct flights {
    struct flight *flight; /* [n] in the order in which they began */
    uint32_t n, callers;
    double longest_wait;            /* seconds, of any caller; of who never got an answer: until the last one came */
    struct account_figures figures; /* of callers from the first expiry on; a hit takes a millisecond */
};

/* No memory, or a plan that is none, ends the program with exit code 3. */
struct flights flights_run(const struct flights_plan *plan, uint64_t seed);
void flights_free(struct flights *flights);

/* Computations for each expiry: those that began until nothing was under way any more; the first, for a value that was
 * never there, and the last are left out. And how long before the expiry the first of each began, on average. */
struct flights_cycles {
    uint32_t cycles;
    double computations, lead;
};
struct flights_cycles flights_cycles(const struct flights *flights);

/* Computations that are under way at a moment; that began in [from, until). */
uint32_t flights_under_way(const struct flights *flights, uint64_t now);
uint32_t flights_begun(const struct flights *flights, uint64_t from, uint64_t until);

#endif
