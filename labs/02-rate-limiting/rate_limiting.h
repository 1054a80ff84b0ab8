/* rate_limiting.h: the contract of lab 02.
 *
 * A limiter decides, request by request, whether a client may go on. It sees who asks (a key), when, and how much the
 * request costs; and it answers in nanoseconds, for keys that come and go by the million.
 *
 * An entry is one table of functions, registered with RL_ENTRY under its name. Rules for all of them:
 *
 * - Time is `now`, in nanoseconds since the run began; it is given, never read. For one limiter it never goes back, but
 *   for entries that are called by several threads, whose clocks may differ by a little: there an older `now` must not
 *   let more through than the newest that the limiter has seen for that key would.
 * - Decisions depend on the configuration and on the calls so far, and on nothing else: nothing is random.
 * - State lives behind the pointer that `create` gives. No globals.
 * - A request that is refused changes nothing: it neither uses up what is left nor prolongs the wait.
 * - Arithmetic is in integers. What is due at time t does not depend on how often anybody asked before t.
 * - Keys are any 64-bit numbers, 0 and UINT64_MAX among them. No key knows of another.
 * - Memory is bounded: a key that has been idle so long that forgetting it changes no decision may be forgotten, and an
 *   entry must not grow with keys that are idle for so long. Until then it must be remembered. A request of a new key
 *   for which there is no memory is refused.
 */
#ifndef RATE_LIMITING_H
#define RATE_LIMITING_H

#include "host/plugin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RL_MAX_UNITS   UINT32_C(1000000000)       /* of a limit, a burst, a cost */
#define RL_MAX_WINDOW  UINT64_C(1000000000000000) /* 11 days and a half */
#define RL_MAX_TIME    (UINT64_C(1) << 62)        /* now stays below: 146 years */
#define RL_MAX_THREADS 64u

#define RL_NEVER UINT64_MAX /* retry_ns: this request can never be allowed (it costs more than there can be) */
#define RL_UNKNOWN                                                                                                     \
    UINT64_C(0) /* retry_ns of a refusal: nobody can know, for instance as other requests must end first */

/* N requests in any (or each, or a rolling …) window of T: what exactly is promised is the entry's own. */
struct rl_config {
    uint64_t limit;     /* N, 1 … RL_MAX_UNITS: what a key may use in a window, in units of cost */
    uint64_t window_ns; /* T, 1 … RL_MAX_WINDOW */
    uint64_t burst;     /* B, 1 … RL_MAX_UNITS: the most that a bucket holds; entries without a bucket ignore it */
    uint32_t threads; /* how many threads call at the same time; 1 … RL_MAX_THREADS. Entries that are not safe refuse
                           more than 1 */
    uint32_t nodes;   /* distributed entries: so many nodes decide, each for its share of the calls. For all others
                           there is one limiter, whoever asks: they ignore this and `node` */
    uint64_t sync_ns; /* distributed entries: nodes tell each other so often; others ignore it */
};

struct rl_answer {
    bool allowed;
    uint64_t delay_ns; /* allowed: how long the request has to wait first (a leaky bucket as a queue); else 0 */
    uint64_t retry_ns; /* refused: the least wait, from `now`, after which the same request would be allowed, if nobody
                          else of this key asked meanwhile; or RL_NEVER, RL_UNKNOWN. Allowed: 0 */
    uint64_t left;     /* the most that one more request of this key could cost at this same `now` and be allowed;
                          0: not even 1. Where several threads call, an entry may give less: it says so */
};

enum rl_outcome { RL_OK, RL_DROPPED /* timed out or refused further down */ };

struct rl_ops {
    /* 0 and *limiter; -ENOMEM; -EINVAL: a configuration that the entry cannot keep (say, threads). The caller ends it
     * with destroy, when no call is under way any more. */
    int (*create)(const struct rl_config *config, void **limiter);
    void (*destroy)(void *limiter);

    /* May `key` do something that costs `cost` (1 … RL_MAX_UNITS) at `now`? `node` (0 … nodes-1) is who asks. */
    struct rl_answer (*allow)(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node);

    /* Concurrency limits: a request of `key` that was allowed at `cost` ended now, `latency` after it was allowed.
     * Called once for each that was allowed, from the threads that call allow. NULL: not listened to. */
    void (*done)(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint64_t latency, enum rl_outcome outcome);

    size_t (*bytes)(const void *limiter); /* of state held now, all keys together; not while other threads call */

    bool thread_safe; /* allow may be called by config->threads threads at the same time */
};

#define RL_ENTRY(identifier, name, summary, ops) PLUGIN_ENTRY(identifier, name, summary, ops)

#endif
