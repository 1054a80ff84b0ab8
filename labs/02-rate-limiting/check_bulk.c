/* Lists of a million calls, and how much memory they may take. */
#include "check_calls.h"

#include "sim/ns.h"

#include <stdlib.h>
#include <unistd.h>

struct bulk *bulk_create(uint64_t limit, uint64_t window_ns, uint64_t burst, uint32_t calls)
{
    struct bulk *b = room_for(NULL, 1, sizeof *b);
    *b = (struct bulk){.config = config_of(limit, window_ns, burst), .room = calls};
    b->call = room_for(NULL, calls, sizeof *b->call);
    b->allowed = room_for(NULL, calls, 1);
    return b;
}

void bulk_ask(struct bulk *b, uint64_t key, uint64_t at, uint32_t cost, bool allowed)
{
    if (b->n == b->room)
        check_fail(VERDICT_GRADER_FAULT, "more than %u calls", b->room);
    b->call[b->n] = (struct call){.at = at, .key = key, .kind = CALL_ALLOW, .cost = cost};
    b->allowed[b->n++] = allowed;
}

uint64_t bulk_base_bytes(void)
{
    return (6u << 18) + 64 * (uint64_t)sysconf(_SC_PAGESIZE);
}

static _Noreturn void wrong_answer(const struct bulk *b, uint32_t i, uint64_t data_bytes, const char *lesson)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    fprintf(out, "%u calls with N = %llu, T = ", b->n, (ULL)b->config.limit);
    ns_print(out, b->config.window_ns);
    fprintf(out, ", B = %llu, in %.3g MiB of memory.\nexpected: call %u (key %llu asks for %u at ",
            (ULL)b->config.burst, (double)data_bytes / (1 << 20), i + 1, (ULL)b->call[i].key, b->call[i].cost);
    ns_print(out, b->call[i].at);
    fprintf(out, ") is %s; actual: %s.\n%s", b->allowed[i] ? "allowed" : "refused",
            b->allowed[i] ? "refused" : "allowed", lesson);
    fclose(out);
    check_fail(VERDICT_WRONG, "%s", text);
}

void bulk_check(const char *entry, struct bulk *b, uint64_t data_bytes, const char *lesson)
{
    size_t size;
    struct host_outcome o;
    void *block = calls_block(&b->config, b->call, b->n, &size);
    check_host_request((struct host_request){.entry = entry,
                                             .scenario = block,
                                             .scenario_size = size,
                                             .record_size = sizeof(struct call_answer),
                                             .records = b->n,
                                             .data_bytes = data_bytes},
                       &o);
    if (o.verdict == VERDICT_MEMORY)
        check_fail(o.verdict, "%llu of %u calls were answered in %.3g MiB: %s\n%s", (ULL)o.count, b->n,
                   (double)data_bytes / (1 << 20), o.sentence, lesson);
    if (o.verdict != VERDICT_FINISHED)
        check_fail(o.verdict, "after %llu of %u calls: %s", (ULL)o.count, b->n, o.sentence);
    const struct call_answer *answer = o.records;
    for (uint32_t i = 0; i < b->n; i++) {
        if (answer[i].allowed != b->allowed[i])
            wrong_answer(b, i, data_bytes, lesson);
    }
    host_outcome_free(&o);
    free(block);
    free(b->call);
    free(b->allowed);
    free(b);
}
