/* check_steps.c: what the tests of lab 03 are written with. */
#include "check_steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rng random_of_test(uint64_t stream)
{
    struct rng r;
    rng_seed(&r, check_seed(), 3000 + stream);
    return r;
}

uint32_t between(struct rng *r, uint32_t low, uint32_t high)
{
    return low + rng_below(r, high - low + 1);
}

void *room_for(void *old, size_t count, size_t size)
{
    void *more = realloc(old, count * size);
    if (!more)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return more;
}

/* ---- lists ---- */

struct list *list_create(enum rule rule, struct ch_config config)
{
    struct list *l = room_for(NULL, 1, sizeof *l);
    *l = (struct list){.rule = rule, .config = config, .model = model_create(rule, &config)};
    if (!l->model)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return l;
}

void list_free(struct list *l)
{
    model_destroy(l->model);
    free(l->step);
    free(l);
}

static void append(struct list *l, struct step step)
{
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 256;
        l->step = room_for(l->step, l->room, sizeof *l->step);
    }
    l->step[l->n++] = step;
}

void list_add(struct list *l, uint32_t id, uint32_t weight, uint32_t n)
{
    append(l, (struct step){.op = STEP_ADD, .id = id, .weight = weight, .n = n});
    model_add(l->model, id, weight, n);
}

void list_remove(struct list *l, uint32_t id)
{
    append(l, (struct step){.op = STEP_REMOVE, .id = id});
    model_remove(l->model, id);
}

void list_lookup(struct list *l, uint64_t key, uint32_t n)
{
    append(l, (struct step){.op = STEP_LOOKUP, .key = key, .n = n});
}

void list_replicas(struct list *l, uint64_t key, uint32_t n)
{
    append(l, (struct step){.op = STEP_REPLICAS, .key = key, .n = n});
}

void list_place(struct list *l, uint64_t key, uint32_t n)
{
    const struct step step = {.op = STEP_PLACE, .key = key, .n = n};
    append(l, step);
    for (uint32_t i = 0; i < n; i++)
        model_place(l->model, steps_key(&step, i));
}

void list_release(struct list *l, uint32_t id)
{
    append(l, (struct step){.op = STEP_RELEASE, .id = id});
    model_release(l->model, id);
}

uint32_t some_node(const struct list *l, struct rng *r)
{
    return model_node(l->model, rng_below(r, model_nodes(l->model)));
}

uint32_t no_node(const struct list *l, struct rng *r)
{
    for (;;) {
        const uint32_t id = rng_below(r, 4) ? rng_below(r, 100) : rng_below(r, CH_MAX_NODES);
        uint32_t i = 0;
        while (i < model_nodes(l->model) && model_node(l->model, i) != id)
            i++;
        if (i == model_nodes(l->model))
            return id;
    }
}

struct steps *steps_block(const struct ch_config *config, const struct step *step, uint32_t n, uint32_t late,
                          size_t *size)
{
    *size = STEPS_SIZE(n);
    struct steps *steps = room_for(NULL, 1, *size);
    *steps = (struct steps){.config = *config, .count = n, .late = late};
    memcpy(steps->step, step, n * sizeof *step);
    return steps;
}

/* ---- one run, compared with the model ---- */

struct trial {
    const char *entry, *lesson;
    const struct list *list;
    struct model *model; /* of this run */
    struct host_outcome outcome;
    uint32_t key; /* of the step that was wrong: its place among the step's keys */
    char *why;
    size_t why_size;
};

static FILE *explain(struct trial *t)
{
    free(t->why);
    t->why = NULL;
    FILE *out = open_memstream(&t->why, &t->why_size);
    if (!out)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return out;
}

static bool code_is_right(struct trial *t, int expected, uint32_t actual)
{
    if ((uint32_t)-expected == actual)
        return true;
    FILE *out = explain(t);
    fprintf(out, "expected: %s; actual: %s", steps_code((uint32_t)-expected), steps_code(actual));
    fclose(out);
    return false;
}

static void print_node(FILE *out, uint32_t node)
{
    if (node == CH_NONE)
        fputs("none", out);
    else
        fprintf(out, "node %u", node);
}

static bool owner_is_right(struct trial *t, const struct step *step, uint32_t i, uint32_t actual)
{
    const uint64_t key = steps_key(step, i);
    char *why = NULL;
    size_t size;
    FILE *memory = open_memstream(&why, &size);
    if (!memory)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    if (step->op == STEP_PLACE) /* it changes with the placing */
        model_explain(memory, t->model, key);
    const uint32_t expected = step->op == STEP_PLACE ? model_place(t->model, key) : model_lookup(t->model, key);
    if (expected != actual) {
        FILE *out = explain(t);
        t->key = i;
        fputs("expected: ", out);
        print_node(out, expected);
        fprintf(out, " for key %#llx: ", (unsigned long long)key);
        if (step->op == STEP_LOOKUP)
            model_explain(memory, t->model, key);
        fflush(memory);
        fprintf(out, "%s; actual: ", why);
        print_node(out, actual);
        fclose(out);
    }
    fclose(memory);
    free(why);
    return expected == actual;
}

static void print_nodes(FILE *out, const uint32_t *node, uint32_t n)
{
    fprintf(out, "%u:", n);
    for (uint32_t i = 0; i < n && i < REPLICAS_MOST; i++)
        fprintf(out, " %u", node[i]);
}

static bool replicas_are_right(struct trial *t, const struct step *step, const uint32_t *answer)
{
    uint32_t node[REPLICAS_MOST];
    const uint32_t n = model_replicas(t->model, step->key, step->n, node);
    if (answer[0] == n && memcmp(answer + 1, node, n * sizeof *node) == 0)
        return true;
    FILE *out = explain(t);
    fputs("expected ", out);
    print_nodes(out, node, n);
    fputs("; actual ", out);
    print_nodes(out, answer + 1, answer[0] <= step->n ? answer[0] : 0);
    if (answer[0] > step->n)
        fprintf(out, " (it says %u, of %u asked for)", answer[0], step->n);
    for (uint32_t i = 1; i < answer[0] && answer[0] <= step->n; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (answer[1 + i] == answer[1 + k]) {
                fprintf(out, ". Node %u is there twice: a machine that dies would take two copies along",
                        answer[1 + i]);
                i = answer[0];
                break;
            }
        }
    }
    fclose(out);
    return false;
}

static bool visit(void *context, uint32_t index, const struct step *step, const uint32_t *answer)
{
    struct trial *t = context;
    (void)index;
    t->key = 0;
    if (!answer)
        return false;
    switch (step->op) {
    case STEP_ADD:
        return code_is_right(t, model_add(t->model, step->id, step->weight, step->n), answer[0]);
    case STEP_REMOVE:
        return code_is_right(t, model_remove(t->model, step->id), answer[0]);
    case STEP_RELEASE:
        return code_is_right(t, model_release(t->model, step->id), answer[0]);
    case STEP_REPLICAS:
        return replicas_are_right(t, step, answer);
    default:
        for (uint32_t i = 0; i < steps_records(step); i++) {
            if (!owner_is_right(t, step, i, answer[i]))
                return false;
        }
        return true;
    }
}

/* The first step whose answer is wrong, or n. A run that does not finish is wrong at its end. */
static uint32_t wrong_step(struct trial *t, const struct step *step, uint32_t n)
{
    size_t size;
    struct steps *steps = steps_block(&t->list->config, step, n, 0, &size);
    host_outcome_free(&t->outcome);
    check_host_try(t->entry, steps, size, sizeof(uint32_t), steps_all_records(step, n), &t->outcome);
    if (t->outcome.verdict == VERDICT_GRADER_FAULT)
        check_fail(VERDICT_GRADER_FAULT, "%s", t->outcome.sentence);
    int64_t fine = n;
    if (t->outcome.verdict == VERDICT_FINISHED) {
        t->model = model_create(t->list->rule, &t->list->config);
        if (!t->model)
            check_fail(VERDICT_GRADER_FAULT, "out of memory");
        fine = steps_replay(steps, t->outcome.records, t->outcome.count, visit, t);
        model_destroy(t->model);
        if (fine < 0)
            check_fail(VERDICT_GRADER_FAULT, "the list is not valid (%lld)", (long long)fine);
    }
    free(steps);
    return (uint32_t)fine;
}

static bool fails(const void *items, uint32_t n, void *context)
{
    struct trial *t = context;
    return wrong_step(t, items, n) < n || t->outcome.verdict != VERDICT_FINISHED;
}

/* What comes after the wrong answer is not needed; of a lookup of many keys only the one that was wrong. */
static uint32_t up_to_wrong(struct trial *t, struct step *step, uint32_t wrong)
{
    struct step *last = &step[wrong];
    const struct step whole = *last;
    if (whole.op == STEP_PLACE)
        last->n = whole.n == t->key + 1 ? whole.n : t->key + 2; /* one key alone would be another one: steps_key */
    else if (whole.op == STEP_LOOKUP)
        *last = (struct step){.op = STEP_LOOKUP, .n = 1, .key = steps_key(&whole, t->key)};
    if (!fails(step, wrong + 1, t))
        *last = whole;
    return wrong + 1;
}

/* ---- telling ---- */

#define SHOW_FIRST 12u
#define SHOW_LAST  12u

static void print_steps(FILE *out, const struct trial *t, const struct step *step, uint32_t n)
{
    const uint32_t *answer = t->outcome.records;
    uint64_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t records = steps_records(&step[i]);
        if (i < SHOW_FIRST || i + SHOW_LAST >= n)
            step_print(out, i + 1, &step[i], at + records <= t->outcome.count ? answer + at : NULL);
        else if (i == SHOW_FIRST)
            fprintf(out, "      ... %u steps more ...\n", n - SHOW_FIRST - SHOW_LAST);
        at += records;
    }
    fputs("      ^ here", out);
}

static void print_config(FILE *out, const struct list *l)
{
    if (l->rule == RULE_JUMP)
        return;
    fprintf(out, " with %u point%s a unit of weight, positions of %u bits", l->config.points,
            l->config.points == 1 ? "" : "s", l->config.bits);
    if (l->rule == RULE_BOUNDED)
        fprintf(out, ", at most %u %% of the average", l->config.percent);
}

static _Noreturn void tell(struct trial *t, const struct step *step, uint32_t n, bool shrunk)
{
    const uint32_t wrong = wrong_step(t, step, n);
    const bool finished = t->outcome.verdict == VERDICT_FINISHED;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    fprintf(out, "%s\n", finished ? t->why : t->outcome.sentence);
    if (t->lesson)
        fprintf(out, "%s\n", t->lesson);
    fprintf(out, "The %s that shows it, on %s", shrunk ? "smallest run found" : "run", t->entry);
    print_config(out, t->list);
    fputs(":\n", out);
    print_steps(out, t, step, finished && wrong < n ? wrong + 1 : n);
    if (t->outcome.output[0])
        fprintf(out, "\nIt printed: %.1000s", t->outcome.output);
    fclose(out);
    check_fail(finished ? VERDICT_WRONG : t->outcome.verdict, "%s", text);
}

void list_check(const char *entry, struct list *l, const char *lesson)
{
    struct trial t = {.entry = entry, .list = l, .lesson = lesson};
    const uint32_t wrong = wrong_step(&t, l->step, l->n);
    const enum verdict v = t.outcome.verdict;
    if (v == VERDICT_NO_ENTRY)
        check_fail(v, "%s", t.outcome.sentence);
    if (wrong == l->n && v == VERDICT_FINISHED) {
        host_outcome_free(&t.outcome);
        list_free(l);
        return;
    }
    /* A run with secret seeds is not shown, so it need not be small; nor need one that ends by a limit or a system call. */
    uint32_t n = v == VERDICT_FINISHED && wrong < l->n ? up_to_wrong(&t, l->step, wrong) : l->n;
    const bool shrink = !check_large() && (v == VERDICT_FINISHED || v == VERDICT_CRASHED);
    if (shrink)
        n = check_shrink(l->step, n, sizeof *l->step, 50, fails, &t);
    tell(&t, l->step, n, shrink);
}
