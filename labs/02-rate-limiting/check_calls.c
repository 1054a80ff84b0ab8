/* check_calls.c: what the tests of lab 02 are written with. */
#include "check_calls.h"

#include "sim/ns.h"

#include <stdlib.h>
#include <string.h>

struct rng random_of_test(uint64_t stream)
{
    struct rng r;
    rng_seed(&r, check_seed(), 2000 + stream);
    return r;
}

uint64_t between(struct rng *r, uint64_t low, uint64_t high)
{
    const uint64_t span = high - low + 1;
    return low + (span <= UINT32_MAX ? rng_below(r, (uint32_t)span) : rng_next(r) % span);
}

uint64_t some_key(struct rng *r)
{
    static const uint64_t keys[] = {1, 2, 0, UINT64_MAX};
    return keys[rng_below(r, 4)];
}

void *room_for(void *old, size_t count, size_t size)
{
    void *more = realloc(old, count * size);
    if (!more)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return more;
}

struct rl_config config_of(uint64_t limit, uint64_t window_ns, uint64_t burst)
{
    return (struct rl_config){.limit = limit, .window_ns = window_ns, .burst = burst, .threads = 1, .nodes = 1};
}

/* ---- lists ---- */

struct list *list_create(enum rule rule, uint64_t limit, uint64_t window_ns, uint64_t burst)
{
    struct list *l = room_for(NULL, 1, sizeof *l);
    *l = (struct list){.rule = rule, .config = config_of(limit, window_ns, burst)};
    l->model = model_create(rule, &l->config);
    if (!l->model)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return l;
}

bool list_ask(struct list *l, uint64_t key, uint64_t at, uint64_t cost)
{
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 1024;
        l->call = room_for(l->call, l->room, sizeof *l->call);
    }
    l->call[l->n] = (struct call){.at = at, .key = key, .kind = CALL_ALLOW, .id = l->n, .cost = (uint32_t)cost};
    l->n++;
    if (!model_would(l->model, key, at, cost))
        return false;
    model_take(l->model, key, at, cost);
    return true;
}

uint64_t list_ask_until(struct list *l, uint64_t key, uint64_t at, uint64_t cost)
{
    if (list_ask(l, key, at, cost))
        return at;
    const uint64_t wait = model_retry(l->model, key, at, cost);
    if (wait == RL_NEVER)
        return at;
    if (wait > 1)
        list_ask(l, key, at + wait - 1, cost);
    if (!list_ask(l, key, at + wait, cost))
        check_fail(VERDICT_GRADER_FAULT, "the model refuses what it promised");
    return at + wait;
}

/* How long it takes until everything is as if nobody had ever asked. */
static uint64_t span_of(const struct list *l)
{
    const struct rl_config *c = &l->config;
    return l->rule == RULE_BUCKET ? c->burst * (c->window_ns / c->limit) + c->window_ns / c->limit + 1 : c->window_ns;
}

void list_random(struct list *l, struct rng *r, uint64_t start, uint32_t calls)
{
    const uint64_t most = l->rule == RULE_BUCKET ? l->config.burst : l->config.limit, span = span_of(l);
    uint64_t at = start;
    for (uint32_t i = 0; i < calls; i++) {
        const uint32_t gap = rng_below(r, 16), size = rng_below(r, 16);
        at += gap < 6    ? 0
              : gap < 8  ? 1
              : gap < 13 ? between(r, 0, span / 4)
                         : between(r, 0, gap < 15 ? span : 3 * span);
        uint64_t cost = between(r, 1, size < 10 ? (most + 3) / 4 : most);
        if (size == 15 && most < RL_MAX_UNITS)
            cost = most + 1;
        const uint64_t key = some_key(r);
        if (rng_below(r, 3) == 0)
            at = list_ask_until(l, key, at, cost);
        else
            list_ask(l, key, at, cost);
    }
}

void list_free(struct list *l)
{
    model_destroy(l->model);
    free(l->call);
    free(l);
}

void *calls_block(const struct rl_config *config, const struct call *call, uint32_t n, size_t *size)
{
    *size = sizeof(struct adapter_header) + CALLS_SIZE(n);
    struct adapter_header *block = room_for(NULL, 1, *size);
    *block = (struct adapter_header){.kind = ADAPTER_CALLS};
    struct calls *calls = (struct calls *)(block + 1);
    *calls = (struct calls){.config = *config, .count = n};
    memcpy(calls->call, call, n * sizeof *call);
    return block;
}

struct call_answer *list_answers(const char *entry, const struct list *l)
{
    size_t size;
    struct host_outcome outcome;
    void *block = calls_block(&l->config, l->call, l->n, &size);
    check_host(entry, block, size, sizeof(struct call_answer), l->n, &outcome);
    free(block);
    return outcome.records; /* the caller's */
}

/* ---- one run, compared with the model ---- */

/* Of memory that can be written: far more than a few keys need, and soon used up by who needs it for each unit. */
#define LIST_BYTES (128u << 20)

struct trial {
    const char *entry, *lesson;
    const struct list *list;
    unsigned what;
    struct model *model; /* of this run */
    struct host_outcome outcome;
    char *why;
    size_t why_size;
};

static void print_answer(FILE *out, bool allowed, uint64_t retry)
{
    fputs(allowed ? "allowed" : "refused", out);
    if (allowed)
        return;
    fputs(retry == RL_NEVER ? ", retry RL_NEVER" : ", retry in ", out);
    if (retry != RL_NEVER)
        ns_print(out, retry);
}

static FILE *explain(struct trial *t)
{
    free(t->why);
    t->why = NULL;
    FILE *out = open_memstream(&t->why, &t->why_size);
    if (!out)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return out;
}

static void wrong_decision(struct trial *t, const struct call *call, const struct call_answer *answer, bool allowed)
{
    FILE *out = explain(t);
    fprintf(out, "expected: %s: ", allowed ? "allowed" : "refused");
    model_explain(out, t->model, call->key, call->at, call->cost);
    fprintf(out, "; actual: %s", answer->allowed ? "allowed" : "refused");
    fclose(out);
}

static bool retry_is_right(struct trial *t, const struct call *call, const struct call_answer *answer)
{
    const uint64_t retry = answer->allowed ? 0 : model_retry(t->model, call->key, call->at, call->cost);
    if (answer->retry_ns == retry)
        return true;
    FILE *out = explain(t);
    fputs("expected: ", out);
    print_answer(out, answer->allowed, retry);
    if (answer->allowed) {
        fprintf(out, ", so retry_ns is 0; actual: retry_ns is %llu", (ULL)answer->retry_ns);
    } else {
        fputs("; actual: ", out);
        print_answer(out, false, answer->retry_ns);
        fputs(". (", out);
        model_explain(out, t->model, call->key, call->at, call->cost);
        fputc(')', out);
    }
    fclose(out);
    return false;
}

static bool left_is_right(struct trial *t, const struct call *call, const struct call_answer *answer)
{
    const uint64_t left = model_left(t->model, call->key, call->at);
    if (answer->left == left)
        return true;
    FILE *out = explain(t);
    fprintf(out, "expected: left %llu after this call: ", (ULL)left);
    model_explain(out, t->model, call->key, call->at, 0);
    fprintf(out, "; actual: left %llu", (ULL)answer->left);
    fclose(out);
    return false;
}

static bool visit(void *context, uint64_t index, const struct call *call, const struct call_answer *answer)
{
    struct trial *t = context;
    (void)index;
    if (!answer || answer->allowed > 1)
        return false;
    const bool allowed = model_would(t->model, call->key, call->at, call->cost);
    if (allowed != (answer->allowed == 1)) {
        wrong_decision(t, call, answer, allowed);
        return false;
    }
    if (allowed)
        model_take(t->model, call->key, call->at, call->cost);
    return (!(t->what & RETRY) || retry_is_right(t, call, answer)) &&
           (!(t->what & LEFT) || left_is_right(t, call, answer));
}

/* The first call whose answer is wrong, or n. A run that does not finish is wrong at its end. */
static uint32_t wrong_call(struct trial *t, const struct call *call, uint32_t n)
{
    size_t size;
    void *block = calls_block(&t->list->config, call, n, &size);
    host_outcome_free(&t->outcome);
    check_host_request((struct host_request){.entry = t->entry,
                                             .scenario = block,
                                             .scenario_size = size,
                                             .record_size = sizeof(struct call_answer),
                                             .records = n,
                                             .data_bytes = LIST_BYTES},
                       &t->outcome);
    if (t->outcome.verdict == VERDICT_GRADER_FAULT)
        check_fail(VERDICT_GRADER_FAULT, "%s", t->outcome.sentence);
    int64_t fine = n;
    if (t->outcome.verdict == VERDICT_FINISHED) {
        t->model = model_create(t->list->rule, &t->list->config);
        if (!t->model)
            check_fail(VERDICT_GRADER_FAULT, "out of memory");
        const struct calls *calls = (const struct calls *)((const struct adapter_header *)block + 1);
        fine = calls_replay(calls, t->outcome.records, t->outcome.count, visit, t);
        model_destroy(t->model);
        if (fine < 0)
            check_fail(VERDICT_GRADER_FAULT, "the list is not valid (%lld)", (long long)fine);
    }
    free(block);
    return (uint32_t)fine;
}

static bool fails(const void *items, uint32_t n, void *context)
{
    struct trial *t = context;
    return wrong_call(t, items, n) < n || t->outcome.verdict != VERDICT_FINISHED;
}

/* Keys know nothing of each other, so most often the calls of one are enough. */
static uint32_t only_key(struct trial *t, struct call *call, uint32_t n)
{
    struct call *fewer = room_for(NULL, n, sizeof *fewer);
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++)
        if (call[i].key == call[n - 1].key)
            fewer[count++] = call[i];
    if (count < n && fails(fewer, count, t)) {
        memcpy(call, fewer, count * sizeof *call);
        n = count;
    }
    free(fewer);
    return n;
}

/* ---- telling ---- */

#define SHOW_FIRST 14u
#define SHOW_LAST  14u

static void print_config(FILE *out, const struct list *l)
{
    fprintf(out, "N = %llu, T = ", (ULL)l->config.limit);
    ns_print(out, l->config.window_ns);
    if (l->rule == RULE_BUCKET)
        fprintf(out, ", B = %llu", (ULL)l->config.burst);
}

static void print_calls(FILE *out, const struct call *call, uint32_t n, const struct call_answer *answer,
                        uint32_t answers)
{
    fputs(":\n", out);
    for (uint32_t i = 0; i < n; i++) {
        if (i < SHOW_FIRST || i + SHOW_LAST >= n)
            call_print(out, i + 1, &call[i], i < answers ? &answer[i] : NULL);
        else if (i == SHOW_FIRST)
            fprintf(out, "      ... %u calls more ...\n", n - SHOW_FIRST - SHOW_LAST);
    }
    fputs("      ^ here", out);
}

static _Noreturn void tell(struct trial *t, const struct call *call, uint32_t n, bool shrunk)
{
    const uint32_t wrong = wrong_call(t, call, n);
    const bool finished = t->outcome.verdict == VERDICT_FINISHED;
    const uint32_t answers = (uint32_t)(t->outcome.count < n ? t->outcome.count : n);
    const uint32_t shown = finished ? (wrong < n ? wrong + 1 : n) : (answers < n ? answers + 1 : n);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    fprintf(out, "%s\n", finished ? t->why : t->outcome.sentence);
    if (t->lesson)
        fprintf(out, "%s\n", t->lesson);
    fprintf(out, "The %s that shows it, on %s with ", shrunk ? "smallest list found" : "list", t->entry);
    print_config(out, t->list);
    if (t->outcome.verdict != VERDICT_MEMORY) /* then it answered all the same, but what it said means nothing */
        print_calls(out, call, shown, t->outcome.records, answers);
    if (t->outcome.output[0])
        fprintf(out, "\nIt printed: %.1000s", t->outcome.output);
    fclose(out);
    check_fail(finished ? VERDICT_WRONG : t->outcome.verdict, "%s", text);
}

void list_check(const char *entry, struct list *l, unsigned what, const char *lesson)
{
    struct trial t = {.entry = entry, .list = l, .what = what, .lesson = lesson};
    const uint32_t wrong = wrong_call(&t, l->call, l->n);
    if (t.outcome.verdict == VERDICT_NO_ENTRY)
        check_fail(t.outcome.verdict, "%s", t.outcome.sentence);
    if (wrong == l->n && t.outcome.verdict == VERDICT_FINISHED) {
        host_outcome_free(&t.outcome);
        list_free(l);
        return;
    }
    /* What comes after the wrong answer is not needed. A run with secret seeds is not shown, so it need not be small;
     * nor need one that ends by a limit or a system call. */
    uint32_t n = wrong < l->n ? wrong + 1 : l->n;
    const enum verdict v = t.outcome.verdict;
    const bool shrink = !check_large() && (v == VERDICT_FINISHED || v == VERDICT_CRASHED);
    if (shrink) {
        n = only_key(&t, l->call, n);
        n = check_shrink(l->call, n, sizeof *l->call, 50, fails, &t);
    }
    tell(&t, l->call, n, shrink);
}
