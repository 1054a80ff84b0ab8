/* recall_options.c: the options of a replay over a text. */
#include "recall_options.h"

#include "recall_view.h"

#include "loop.h"

#include "base/memory.h"
#include "base/text.h"

#include <errno.h>

static int take_windows(const char *list, void *to, struct error *err)
{
    struct recall_options *o = to;
    const char *p = list;
    for (o->windows = 0; *p; o->windows++) {
        uint64_t keys;
        const size_t n = text_scaled(p, RECALL_MOST_TOKENS, &keys);
        if (n == 0 || keys == 0 || (p[n] && p[n] != ',') || o->windows == RECALL_WINDOWS)
            return error_set(err, -EINVAL, "takes up to %u numbers of tokens, such as 64K,4K, not \"%s\"",
                             RECALL_WINDOWS, list);
        o->window[o->windows] = keys;
        p += n + (p[n] == ',');
    }
    return 0;
}

struct recall_options recall_options_parse(int argc, char **argv)
{
    struct recall_options o = {.words = 16, .needles = 8, .ranks = 4};
    const struct option_row own[] = {
        {.name = "question", .argument = "WORDS", .kind = OPTION_TEXT, .to = &o.question},
        {.name = "plot", .argument = "FILE.svg", .kind = OPTION_TEXT, .to = &o.plot},
        {.name = "tokens",
         .argument = "N",
         .kind = OPTION_NUMBER,
         .to = &o.tokens,
         .least = 1,
         .most = RECALL_MOST_TOKENS},
        {.name = "words",
         .argument = "N",
         .kind = OPTION_NUMBER,
         .to = &o.words,
         .least = 1,
         .most = RECALL_MOST_WORDS},
        {.name = "context",
         .argument = "N",
         .kind = OPTION_NUMBER,
         .to = &o.context,
         .least = 1,
         .most = RECALL_MOST_CONTEXT},
        {.name = "needles", .argument = "N", .kind = OPTION_NUMBER, .to = &o.needles, .most = RECALL_EACH},
        {.name = "ranks", .argument = "N", .kind = OPTION_NUMBER, .to = &o.ranks, .least = 1, .most = LOOP_MAX_RANKS},
        {.name = "window", .argument = "N,N", .kind = OPTION_OTHER, .to = &o, .take = take_windows}};
    replay_read_options(&o.all, "08-ring-attention",
                        "which text? For example: faultline replay 08 book.txt --question \"what came after this\"",
                        own, COUNT(own), argc, argv);
    return o;
}
