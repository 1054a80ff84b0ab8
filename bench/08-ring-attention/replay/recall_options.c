#include "recall_options.h"

#include "recall_view.h"

#include "loop.h"

#include "base/text.h"

#include <string.h>

static const char *value_of(int argc, char **argv, int *i)
{
    if (++*i >= argc)
        error_exit(EXIT_WRONG_USE, "replay: %s needs a value", argv[*i - 1]);
    return argv[*i];
}

static uint64_t number_of(int argc, char **argv, int *i, uint64_t least, uint64_t most)
{
    const char *name = argv[*i], *text = value_of(argc, argv, i);
    uint64_t number;
    const size_t n = text_scaled(text, RECALL_MOST_TOKENS, &number);
    if (n == 0 || text[n] || number < least || number > most)
        error_exit(EXIT_WRONG_USE, "replay: %s takes a number from %llu to %llu, not \"%s\"", name,
                   (unsigned long long)least, (unsigned long long)most, text);
    return number;
}

static bool parse_text(struct recall_options *o, int argc, char **argv, int *i)
{
    const struct {
        const char *name;
        const char **value;
    } texts[] = {{"--question", &o->question},
                 {"--entries", &o->entries},
                 {"--plugin", &o->plugin},
                 {"--plot", &o->plot},
                 {"--json", &o->json}};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        if (strcmp(argv[*i], texts[k].name) == 0) {
            *texts[k].value = value_of(argc, argv, i);
            return true;
        }
    return false;
}

static bool parse_number(struct recall_options *o, int argc, char **argv, int *i)
{
    const struct {
        const char *name;
        uint64_t *value, least, most;
    } numbers[] = {{"--tokens", &o->tokens, 1, RECALL_MOST_TOKENS},
                   {"--words", &o->words, 1, RECALL_MOST_WORDS},
                   {"--context", &o->context, 1, RECALL_MOST_CONTEXT},
                   {"--needles", &o->needles, 0, RECALL_EACH},
                   {"--ranks", &o->ranks, 1, LOOP_MAX_RANKS}};
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        if (strcmp(argv[*i], numbers[k].name) == 0) {
            *numbers[k].value = number_of(argc, argv, i, numbers[k].least, numbers[k].most);
            return true;
        }
    return false;
}

static void parse_windows(struct recall_options *o, const char *list)
{
    const char *p = list;
    for (o->windows = 0; *p; o->windows++) {
        uint64_t keys;
        const size_t n = text_scaled(p, RECALL_MOST_TOKENS, &keys);
        if (n == 0 || keys == 0 || (p[n] && p[n] != ',') || o->windows == RECALL_WINDOWS)
            error_exit(EXIT_WRONG_USE, "replay: --window takes up to %u numbers of tokens, such as 64K,4K, not \"%s\"",
                       RECALL_WINDOWS, list);
        o->window[o->windows] = keys;
        p += n + (p[n] == ',');
    }
}

struct recall_options recall_options_parse(int argc, char **argv)
{
    struct recall_options o = {.words = 16, .needles = 8, .ranks = 4, .seed = 1};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (parse_text(&o, argc, argv, &i) || parse_number(&o, argc, argv, &i))
            continue;
        if (strcmp(word, "--window") == 0) {
            parse_windows(&o, value_of(argc, argv, &i));
        } else if (strcmp(word, "--quiet") == 0) {
            o.quiet = true;
        } else if (strcmp(word, "--seed") == 0) {
            if (!text_number(value_of(argc, argv, &i), &o.seed))
                error_exit(EXIT_WRONG_USE, "replay: --seed takes a number, not \"%s\"", argv[i]);
        } else if (o.trace || (word[0] == '-' && word[1])) {
            error_exit(EXIT_WRONG_USE, "replay: \"%s\" is not understood; see faultline replay 08 --help", word);
        } else {
            o.trace = word;
        }
    }
    if (!o.trace)
        error_exit(EXIT_WRONG_USE,
                   "replay: which text? For example: faultline replay 08 book.txt --question \"what came after this\"");
    return o;
}
