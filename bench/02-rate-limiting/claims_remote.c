/* claims_remote.c: a real Redis beside us: what it costs to ask it, and what goes wrong between two commands.
 *
 * Measured here and now; without a Redis these cannot be told.
 */
#include "parts.h"
#include "remote.h"
#include "runs.h"

#include "base/memory.h"
#include "measure/compare.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT = 1000, WINDOW_S = 600, CRASHES = 100 };

/* Names differ from run to run, so that each begins with no keys. */
static void name_keys(char out[64], const char *what, bool broken)
{
    snprintf(out, 64, "faultline-%d-%s-%d", (int)getpid(), what, broken);
}

/* ---- two clients at the same time ---- */

struct side {
    struct remote *remote;
    uint64_t admitted;
    bool silent;
};

static void *ask_on(void *context)
{
    struct side *s = context;
    for (int i = 0; i < 2 * LIMIT && !s->silent; i++) {
        int answer = remote_allow(s->remote, 1, 1);
        s->silent = answer < 0;
        s->admitted += answer == 1;
    }
    return NULL;
}

static void measure_race(const struct claim_run *run, struct claim_here *here)
{
    char name[64];
    struct side side[2] = {{NULL, 0, false}, {NULL, 0, false}};
    pthread_t other;
    name_keys(name, "race", run->broken);
    for (int i = 0; i < 2; i++)
        side[i].remote = remote_connect(run->broken ? REMOTE_GCRA : REMOTE_GET_SET, name, LIMIT, WINDOW_S, here->why,
                                        sizeof here->why);
    if (side[0].remote && side[1].remote && pthread_create(&other, NULL, ask_on, &side[1]) == 0) {
        ask_on(&side[0]);
        pthread_join(other, NULL);
        double admitted = (double)(side[0].admitted + side[1].admitted);
        if (side[0].silent || side[1].silent)
            snprintf(here->why, sizeof here->why, "the Redis stopped answering");
        else
            *here = (struct claim_here){admitted, admitted, admitted, ""};
    }
    for (int i = 0; i < 2; i++)
        if (side[i].remote)
            remote_close(side[i].remote);
}

/* ---- a client that dies in the middle ---- */

static void measure_leaked(const struct claim_run *run, struct claim_here *here)
{
    char name[64];
    enum remote_rule rule = run->broken ? REMOTE_GCRA : REMOTE_INCR_EXPIRE;
    name_keys(name, "leak", run->broken);
    for (uint64_t key = 0; key <= CRASHES; key++) {
        struct remote *r = remote_connect(rule, name, LIMIT, WINDOW_S, here->why, sizeof here->why);
        if (!r)
            return;
        if (key < CRASHES) {
            remote_die(r, key);
            continue;
        }
        double leaked = (double)remote_leaked(r);
        remote_close(r);
        if (leaked < 0)
            snprintf(here->why, sizeof here->why, "the Redis stopped answering");
        else
            *here = (struct claim_here){leaked, leaked, leaked, ""};
    }
}

/* ---- far and near ---- */

struct far {
    struct remote *remote;
    uint64_t now;
};

struct near {
    struct limiter limiter;
    uint64_t now;
};

static void ask_far(void *context, unsigned thread, uint64_t n)
{
    struct far *f = context;
    (void)thread;
    for (uint64_t i = 0; i < n; i++)
        (void)remote_allow(f->remote, 1, f->now += WINDOW_S * 1000);
}

static void ask_near(void *context, unsigned thread, uint64_t n)
{
    struct near *f = context;
    (void)thread;
    for (uint64_t i = 0; i < n; i++)
        (void)limiter_ask(&f->limiter, 1, f->now += WINDOW_S * MS, 0);
}

static void measure_far(const struct claim_run *run, struct claim_here *here)
{
    char name[64];
    struct rl_config config = article_limit();
    struct near near = {limiter_create("gcra", &config), 60 * S}, twin = {limiter_create("gcra", &config), 60 * S};
    struct far far = {NULL, 1};
    name_keys(name, "far", run->broken);
    far.remote = remote_connect(REMOTE_GCRA, name, LIMIT, WINDOW_S, here->why, sizeof here->why);
    if (far.remote) {
        const struct compare_candidate candidates[] = {
            {"near", &near, NULL, NULL, ask_near},
            {"far", run->broken ? (void *)&twin : (void *)&far, NULL, NULL, run->broken ? ask_near : ask_far}};
        /* A decision of the far one takes as long as a whole chunk usually does. */
        struct compare_plan plan = {.threads = 1, .rounds = 20, .chunk_ns = 200000};
        struct compare_run timed;
        struct error err;
        if (compare_run(&plan, candidates, 2, &timed, &err) == 0) {
            struct compare_difference d = compare_two(&timed, 0, 1, 1, 0);
            *here = (struct claim_here){d.ratio, d.low, d.high, ""};
            compare_free(&timed);
        } else {
            snprintf(here->why, sizeof here->why, "%.150s", err.text);
        }
        remote_close(far.remote);
    }
    limiter_destroy(&near.limiter);
    limiter_destroy(&twin.limiter);
}

static const struct claim claims[] = {
    {.id = "get-then-set",
     .statement =
         "Two clients that ask a Redis with GET and then SET admit more than the limit: both read the same count "
         "before either writes.",
     .formula = "more than N",
     .unit = "requests a window",
     .source = "counted",
     .broken = "one script in place of two commands",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .predicted = LIMIT + 1,
     .measure_here = measure_race},
    {.id = "leaked-counters",
     .statement = "Each client that dies between INCR and EXPIRE leaves a counter that is never forgotten.",
     .formula = "one for each of 100 crashes",
     .unit = "keys",
     .source = "counted",
     .broken = "one script in place of two commands",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .predicted = CRASHES,
     .measure_here = measure_leaked},
    {.id = "far-and-near",
     .statement = "A decision by a Redis on the same machine costs hundreds of times what one in this process does.",
     .formula = "at least 100: two system calls and two changes of process against a table in memory",
     .unit = "times",
     .source = "measured",
     .broken = "a limiter of this process in the Redis' place",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .predicted = 100,
     .measure_here = measure_far},
};

const struct claim_part part_remote = {.claim = claims, .claims = COUNT(claims)};
