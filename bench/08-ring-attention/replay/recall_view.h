/* recall_view.h: one way to look at a text, and what it says when it is asked. */
#ifndef RECALL_VIEW_H
#define RECALL_VIEW_H

#include "recall_needle.h"
#include "recall_pass.h"

#include "base/terminal.h"

#define RECALL_MOST_WORDS    64u   /* of an answer */
#define RECALL_MOST_QUESTION 1024u /* words of a question */

/* What follows a question, word by word. */
struct recall_answer {
    uint32_t words, word[RECALL_MOST_WORDS];
    double share;  /* of the weight that said so, the least of all words */
    double places; /* with these words, from the first log-sum-exp; less than 1/2: none, and there is no answer */
};

struct recall_view {
    char entry[80];
    struct recall_way way;
    uint64_t keys; /* the last so many ... */
    bool all;      /* ... which are all that there are */
    int failed;    /* -errno */
    struct recall_answer answer;
    uint32_t found[RECALL_DEPTHS];
    uint32_t asked, same; /* what the first view was asked too, and how often it said the same */
};

/* What is asked of several views, one after the other. */
struct recall_asking {
    const struct recall_code *code;
    struct progress progress;
    uint64_t steps;                                             /* of passes that have ended */
    uint32_t line[RECALL_MOST_QUESTION + RECALL_MOST_WORDS];    /* the question, and the first view's answer */
    size_t question;                                            /* words of it */
    uint32_t read[RECALL_DEPTHS * RECALL_EACH * RECALL_ANSWER]; /* what the first view said of the needles */
};

/* The view's pass over its keys; out and lse are still to be set. */
struct recall_pass recall_view_pass(const struct recall_asking *a, const struct recall_view *v,
                                    const uint32_t *const *after, uint32_t n);

/* The view is given the question and writes on, word by word, each by what it said before: until a sentence ends, until
 * there are `most`, or until what it has written stands nowhere in its text. */
void recall_write_on(struct recall_asking *a, struct recall_view *v, uint32_t most);

/* The view is asked for every word of the first one's answer (of `n`, on the line behind the question) at once, each
 * after the words before it: as far as it says the same, it would have written the same. */
void recall_check(struct recall_asking *a, struct recall_view *v, uint32_t n);

/* The view is asked for all needles, and what the first view said is kept, for the others to be compared with. */
void recall_find(struct recall_asking *a, struct recall_view *v, const struct recall_needles *needles, bool first);

#endif
