/* recall_view.c: one way to look at a text, and what it says when it is asked. */
#include "recall_view.h"

#include "runs.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void show_progress(uint32_t finished, void *context)
{
    struct recall_asking *a = context;
    progress_set(&a->progress, a->steps + finished);
}

struct recall_pass recall_view_pass(const struct recall_asking *a, const struct recall_view *v,
                                    const uint32_t *const *after, uint32_t n)
{
    const size_t tokens = a->code->text->tokens;
    struct recall_pass pass = {.code = a->code, .after = after, .n = n, .end = tokens};
    pass.first = v->keys < tokens - a->code->context ? tokens - v->keys : a->code->context;
    return pass;
}

/* What the view reads for each question; places and share (of each) may be NULL. */
static void ask(struct recall_asking *a, struct recall_view *v, const uint32_t *const *after, uint32_t n,
                uint32_t *word, double *share, double *places)
{
    struct recall_pass pass = recall_view_pass(a, v, after, n);
    pass.out = xcalloc((size_t)n * RECALL_D, sizeof *pass.out);
    pass.lse = xcalloc(n, sizeof *pass.lse);
    v->failed = recall_attend(&v->way, &pass, show_progress, a);
    a->steps += recall_steps(&pass);
    for (uint32_t i = 0; i < n && v->failed == 0; i++) {
        double one;
        word[i] = recall_read(a->code, pass.out + (size_t)i * RECALL_D, share ? &share[i] : &one);
        if (places)
            places[i] = recall_places(a->code, pass.lse[i]);
    }
    free(pass.out);
    free(pass.lse);
}

void recall_write_on(struct recall_asking *a, struct recall_view *v, uint32_t most)
{
    struct recall_answer *said = &v->answer;
    uint32_t line[RECALL_MOST_QUESTION + RECALL_MOST_WORDS], word = 0;
    memcpy(line, a->line, a->question * sizeof *line);
    while (said->words < most && !(said->words && word == RECALL_END)) {
        double share, places;
        const uint32_t *after = line + a->question + said->words;
        ask(a, v, &after, 1, &word, &share, &places);
        if (v->failed)
            return;
        if (said->words == 0) {
            said->places = places;
            said->share = share;
        }
        if (places < 0.5)
            return;
        line[a->question + said->words] = word;
        said->word[said->words++] = word;
        said->share = fmin(said->share, share);
    }
}

void recall_check(struct recall_asking *a, struct recall_view *v, uint32_t n)
{
    struct recall_answer *said = &v->answer;
    const uint32_t *after[RECALL_MOST_WORDS] = {a->line + a->question};
    double share[RECALL_MOST_WORDS], places[RECALL_MOST_WORDS];
    for (uint32_t i = 1; i < n; i++)
        after[i] = after[0] + i;
    ask(a, v, after, n ? n : 1, said->word, share, places);
    if (v->failed)
        return;
    said->places = places[0];
    said->share = share[0];
    v->asked += n ? n : 1;
    v->same += n == 0 && places[0] < 0.5; /* nothing there, as the first said */
    bool same = places[0] >= 0.5;
    for (uint32_t i = 0; i < n; i++) {
        v->same += said->word[i] == *after[i];
        if (same) {
            said->words++;
            said->share = fmin(said->share, share[i]);
        }
        same = same && said->word[i] == *after[i];
    }
}

void recall_find(struct recall_asking *a, struct recall_view *v, const struct recall_needles *n, bool first)
{
    uint32_t *word = first ? a->read : xcalloc(n->questions, sizeof *word);
    ask(a, v, n->after, n->questions, word, NULL, NULL);
    if (v->failed == 0)
        recall_score(n, word, v->found);
    if (first)
        return;
    for (uint32_t k = 0; k < n->questions && v->all && v->failed == 0; k++) {
        v->asked++;
        v->same += word[k] == a->read[k];
    }
    free(word);
}
