/* traced_run.c: one entry over the input at one capacity. */
#include "traced_run.h"

#include "ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int ask_all(const struct traced_input *in, const struct cm_cache_ops *ops, void *cache, struct ledger *ledger,
                   struct account *account, struct error *err)
{
    struct cm_evicted evicted = {0};
    int code = 0;
    for (uint64_t i = 0; i < in->count && code == 0; i++) {
        struct cm_request r = in->request[i];
        if (!(ops->can & CM_OFFLINE))
            r.next = CM_NEVER;
        evicted.n = 0;
        const enum cm_answer said = ops->request(cache, &r, &evicted);
        const struct answer answer = {(uint32_t)said, evicted.n, evicted.key};
        const char *wrong = evicted.failed ? "no memory for what it evicts" : ledger_enter(ledger, &r, &answer);
        if (wrong)
            code = error_set(err, -EINVAL, "request %llu: %s", (unsigned long long)(i + 1), wrong);
        else
            account_add(account, &r, said, evicted.n);
    }
    free(evicted.key);
    return code;
}

int traced_run(const struct traced_input *in, const struct cm_cache_ops *ops, const struct traced_run_params *params,
               struct account_figures *figures, struct error *err)
{
    const struct account_params counted = {
        .from_request = params->warm_up, .window = params->window_ns, .hit_ns = params->hit_ns};
    struct cm_config config = {.capacity = params->capacity};
    struct account *account = NULL;
    struct ledger *ledger = ledger_create(params->capacity);
    void *cache = NULL;
    rng_seed(&config.random, params->seed, 0);
    int code = ledger ? account_create(&counted, &account) : -ENOMEM;
    if (code == 0)
        code = ops->create(&config, &cache);
    if (code)
        error_set(err, code, "%s", strerror(-code));
    else {
        code = ask_all(in, ops, cache, ledger, account, err);
        account_read(account, figures);
        ops->destroy(cache);
    }
    account_destroy(account);
    ledger_destroy(ledger);
    return code;
}
