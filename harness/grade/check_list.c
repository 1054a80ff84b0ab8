/* check_list.c: tests that are a list of steps. */
#include "grade/check_list.h"

#include <stdlib.h>

struct trial {
    const struct check_list *list;
    struct host_outcome outcome;
    char *why;
    size_t why_size;
};

static FILE *memory(char **text, size_t *size)
{
    FILE *out = open_memstream(text, size);
    if (!out)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return out;
}

static uint32_t wrong_step(struct trial *t, const void *steps, uint32_t n)
{
    free(t->why);
    t->why = NULL;
    host_outcome_free(&t->outcome);
    t->outcome = (struct host_outcome){0};
    FILE *why = memory(&t->why, &t->why_size);
    const uint32_t wrong = t->list->wrong(t->list->context, steps, n, &t->outcome, why);
    fclose(why);
    if (t->outcome.verdict == VERDICT_GRADER_FAULT)
        check_fail(VERDICT_GRADER_FAULT, "%s", t->outcome.sentence);
    return t->outcome.verdict == VERDICT_FINISHED ? wrong : n;
}

static bool fails(const void *steps, uint32_t n, void *context)
{
    struct trial *t = context;
    return wrong_step(t, steps, n) < n || t->outcome.verdict != VERDICT_FINISHED;
}

#define SHOW_FIRST 12u
#define SHOW_LAST  12u

bool check_list_shows(FILE *out, uint32_t line, uint32_t lines)
{
    const bool gap = lines > SHOW_FIRST + SHOW_LAST && line >= SHOW_FIRST && line < lines - SHOW_LAST;
    if (gap && line == SHOW_FIRST)
        fprintf(out, "      ... %u steps more ...\n", lines - SHOW_FIRST - SHOW_LAST);
    return !gap;
}

static _Noreturn void tell(struct trial *t, const void *steps, uint32_t n, bool shrunk)
{
    const struct check_list *l = t->list;
    const uint32_t wrong = wrong_step(t, steps, n); /* judged once more, from its own beginning */
    const bool finished = t->outcome.verdict == VERDICT_FINISHED;
    char *text = NULL;
    size_t size;
    FILE *out = memory(&text, &size);
    fprintf(out, "%s\n", finished ? t->why : t->outcome.sentence);
    if (l->lesson)
        fprintf(out, "%s\n", l->lesson);
    fprintf(out, "The %s that shows it, on %s:\n", shrunk ? "smallest run found" : "run", l->about);
    l->print(l->context, steps, wrong < n ? wrong : n - 1, &t->outcome, out);
    fputs("      ^ here", out);
    if (t->outcome.output[0])
        fprintf(out, "\nIt printed: %.1000s", t->outcome.output);
    fclose(out);
    check_fail(finished ? VERDICT_WRONG : t->outcome.verdict, "%s", text);
}

void check_list(const struct check_list *list, void *steps, uint32_t n)
{
    struct trial t = {.list = list};
    const uint32_t wrong = wrong_step(&t, steps, n);
    const enum verdict v = t.outcome.verdict;
    if (v == VERDICT_NO_ENTRY)
        check_fail(v, "%s", t.outcome.sentence);
    if (wrong == n && v == VERDICT_FINISHED) {
        host_outcome_free(&t.outcome);
        free(t.why);
        return;
    }
    /* What comes after the wrong answer is not needed. A run with secret seeds is not shown, so it need not be small; nor
     * need one that ends by a limit or a system call. */
    if (v == VERDICT_FINISHED && wrong < n)
        n = wrong + 1;
    const bool shrink = !check_large() && (v == VERDICT_FINISHED || v == VERDICT_CRASHED);
    if (shrink)
        n = check_shrink(steps, n, list->size, 50, fails, &t);
    tell(&t, steps, n, shrink);
}
