/* runs.h: the experiments of lab 04: entries of the reference plugin, requests, and callers.
 *
 * All functions touch nothing global once runs_load has returned, and may run on several threads at once. An entry that is
 * missing or fails ends the program with exit code 3: no claim can be told without it.
 */
#ifndef RUNS_H
#define RUNS_H

#include "account.h"
#include "callers.h"
#include "traffic.h"

/* Loads the reference plugin from $FAULTLINE_BUILD (default "build"). Once, before any thread. */
void runs_load(void);

const struct cm_ops *runs_entry(const char *name);

/* Runs all requests through an entry with this capacity, and accounts for them; `seed` is that of its random numbers. */
struct account_figures runs_account(const char *entry, uint64_t capacity, const struct cm_request *request, uint32_t n,
                                    const struct account_params *params, uint64_t seed);

/* The same, and only its misses; those among the first `warm_up` requests are not counted. */
uint64_t runs_misses(const char *entry, uint64_t capacity, const struct cm_request *request, uint32_t n,
                     uint32_t warm_up, uint64_t seed);

/* n requests for keys of size 1, to free: by Zipf's law over `keys` keys, or in turn. With `next`. */
struct cm_request *runs_zipf(uint32_t n, uint32_t keys, double a, uint64_t seed);
struct cm_request *runs_in_turn(uint32_t n, uint32_t keys);

/* ---- callers ---- */

struct crowd {
    const char *entry;
    struct cm_recompute_config config;
    double rate;    /* callers/s, by Poisson's law */
    double seconds; /* so long they come */
    double warm_up; /* computations that begin before that are not counted */
    double takes;   /* a computation, in seconds */
    uint32_t keys;  /* asked for by chance; or, with `all_at_once`, all at time 0 as well */
    bool all_at_once;
    uint32_t fail_one_in, hang_one_in; /* every so-manieth computation, from the first on; 0: none */
    bool nothing;                      /* the origin never has a value */
};

struct crowd_seen {
    uint64_t asked, served, waited, computed; /* callers: all; at once from what is there; after a wait; themselves */
    uint64_t computations;
    uint32_t most_at_once;     /* computations under way */
    uint32_t most_in_a_second; /* that began */
    double longest_wait;       /* of a caller that was answered, in seconds */
    double p99;                /* time to the answer, in seconds */
    double
        lead; /* mean time from the first computation of a round to the expiry before which it began; NAN: none did */
    double expiries;         /* rounds: computations that were the first after a value was stored */
    uint32_t under_way[400]; /* computations, at each full tenth of a second */
};

struct crowd_seen runs_crowd(const struct crowd *crowd, uint64_t seed);

#endif
