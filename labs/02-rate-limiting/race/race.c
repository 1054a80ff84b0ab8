/* race: the hammer (../hammer.h) as a program of its own, for ThreadSanitizer. ../race.sh builds and runs it.
 *
 * The tests of the lab see that a count is wrong; this sees why: which two lines touched the same memory at the same
 * time, also where it went well this time. Each entry that is named is asked by four threads: for one key, for keys that
 * were there before, and for new keys in each window, so that tables grow and forget meanwhile.
 *
 * Exit code 0: all counts right; 1: one is wrong; 2: no such entry, or it failed; 66: ThreadSanitizer found a race.
 */
#include "hammer.h"

#include <stdio.h>
#include <stdlib.h>

#define S UINT64_C(1000000000)

enum { THREADS = 4 };

static const struct hammer plans[] = {
    {.config.limit = 20000, .calls = 10000, .keys = 1, .rounds = 1},
    {.config.limit = 8, .calls = 4, .keys = 500, .rounds = 4, .warm = 1},
    {.config.limit = 5, .calls = 4, .keys = 1000, .rounds = 6, .fresh = 1},
};

/* How many keys of how many windows did not get exactly what they should. */
static uint64_t wrong(const struct hammer *h, const struct hammer_count *count)
{
    const uint64_t asked = h->calls * h->threads, right = asked < h->config.limit ? asked : h->config.limit;
    uint64_t n = 0;
    for (uint32_t round = 0; round < h->rounds; round++)
        for (uint32_t key = 0; key < h->keys; key++) {
            uint64_t total = 0;
            for (uint32_t i = 0; i < h->threads; i++)
                total += count[((size_t)round * h->threads + i) * h->keys + key].admitted;
            n += total != right;
        }
    return n;
}

static int run(const char *name, const struct rl_ops *ops, struct hammer h)
{
    h.config.window_ns = S;
    h.config.burst = h.config.limit;
    h.config.threads = h.threads = THREADS;
    h.config.nodes = 1;
    h.config.sync_ns = S;
    h.now = 100 * S;
    h.step = 10 * S;
    struct decision_log *log = calloc(1, sizeof *log + hammer_records(&h) * sizeof(struct hammer_count));
    if (!log)
        return 2;
    log->record_size = sizeof(struct hammer_count);
    log->capacity = hammer_records(&h);
    int code = hammer_run(&h, ops, log);
    uint64_t n = code ? 0 : wrong(&h, (const struct hammer_count *)log_records(log));
    free(log);
    if (code)
        fprintf(stderr, "%s: ended with %d\n", name, code);
    else
        printf("%s: %d threads, %u keys, %u windows, N = %llu: %llu totals are wrong\n", name, THREADS, h.keys,
               h.rounds, (unsigned long long)h.config.limit, (unsigned long long)n);
    return code ? 2 : n > 0;
}

int main(int argc, char **argv)
{
    int worst = 0;
    for (int i = 1; i < argc; i++) {
        const struct rl_ops *ops = NULL;
        for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++)
            ops = strcmp((*e)->name, argv[i]) == 0 ? (*e)->ops : ops;
        if (!ops)
            fprintf(stderr, "there is no entry %s\n", argv[i]);
        for (size_t k = 0; ops && k < sizeof plans / sizeof *plans; k++) {
            int code = run(argv[i], ops, plans[k]);
            worst = code > worst ? code : worst;
        }
        worst = ops ? worst : 2;
    }
    return worst;
}
