/* options.c: what a table of options takes, and what it says to what it doesn't. */
#include "base/options.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct {
    bool quiet, given;
    const char *name, *unknown_value;
    uint64_t number;
    uint32_t narrow;
    int color, calls;
} got;

static int odd_only(const char *value, void *to, struct error *err)
{
    ++*(int *)to;
    return strlen(value) % 2 ? 0 : error_set(err, -EINVAL, "takes words of odd length, not \"%s\"", value);
}

static bool of_a_lab(const char *name, const char *value, void *context)
{
    (void)context;
    got.unknown_value = value;
    return name[0] == 'l';
}

static const char *const colors[] = {"red", "green", NULL};
static const struct option_row rows[] = {
    {.name = "quiet", .kind = OPTION_FLAG, .to = &got.quiet, .help = "no progress"},
    {.name = "name", .argument = "WORD", .kind = OPTION_TEXT, .to = &got.name, .help = "a name"},
    {.name = "number", .argument = "N", .kind = OPTION_NUMBER, .to = &got.number, .given = &got.given, .help = "one"},
    {.name = "narrow", .argument = "N", .kind = OPTION_NUMBER32, .to = &got.narrow, .least = 1, .most = 4096},
    {.name = "color", .argument = "C", .kind = OPTION_WORD, .to = &got.color, .words = colors},
    {.name = "odd", .argument = "X", .kind = OPTION_OTHER, .to = &got.calls, .take = odd_only}};
static const char *word[2];
static struct error err;

static int read_words(bool with_unknown, const char *const *argument)
{
    char *argv[12] = {"program"};
    int argc = 1;
    struct option_table t = {.program = "program",
                             .see = "program --help",
                             .usage = "program: a test",
                             .row = rows,
                             .rows = COUNT(rows),
                             .word = word,
                             .most_words = 2,
                             .unknown = with_unknown ? of_a_lab : NULL};
    memset(&got, 0, sizeof got);
    word[0] = word[1] = NULL;
    while (*argument)
        argv[argc++] = (char *)(uintptr_t)*argument++;
    return options_read(&t, argc, argv, &err);
}
#define READ(...) read_words(false, (const char *const[]){__VA_ARGS__, NULL})

Test(options, values_stand_beside_or_behind_an_equals_sign)
{
    cr_assert_eq(READ("--name", "a", "one", "--number=64K", "--quiet", "two", "--color", "green", "--odd=abc"), 0, "%s",
                 err.text);
    cr_assert(got.quiet && got.given && got.number == 65536 && got.color == 1 && got.calls == 1);
    cr_assert_str_eq(got.name, "a");
    cr_assert(strcmp(word[0], "one") == 0 && strcmp(word[1], "two") == 0, "words between options");
    cr_assert_eq(READ("--name=", "--narrow", "0x10", "--", "--number"), 0, "%s", err.text);
    cr_assert(*got.name == '\0' && got.narrow == 16 && !got.given && strcmp(word[0], "--number") == 0);
    cr_assert_eq(READ("-", "--name", "--quiet"), 0, "%s", err.text);
    cr_assert(strcmp(word[0], "-") == 0 && strcmp(got.name, "--quiet") == 0, "a value may begin with a dash");
}

Test(options, help_ends_the_reading)
{
    cr_assert_eq(READ("--name", "a", "--help", "--nonsense"), 1);
}

Test(options, what_is_wrong_is_named)
{
    static const struct {
        const char *argument[4], *says;
    } cases[] = {{{"--naem", "a"}, "there is no option --naem; was --name meant?"},
                 {{"--nam=a"}, "there is no option --nam; was --name meant?"},
                 {{"--n", "1"}, "there is no option --n; "},
                 {{"--hepl"}, "was --help meant?"},
                 {{"--zzzzzzzz"}, "there is no option --zzzzzzzz; see program --help"},
                 {{"-q"}, "there is no option -q; see program --help"},
                 {{"--name"}, "--name needs a value: --name WORD"},
                 {{"--quiet=yes"}, "--quiet takes no value"},
                 {{"--number", "x"}, "--number takes a number of 0 or more, not \"x\""},
                 {{"--number=-1"}, "--number takes a number of 0 or more, not \"-1\""},
                 {{"--narrow", "5K"}, "--narrow takes a number from 1 to 4096, not \"5K\""},
                 {{"--narrow", "0"}, "from 1 to 4096"},
                 {{"--narrow", "99999999999999999999"}, "from 1 to 4096"},
                 {{"--color", "blue"}, "--color is one of red, green, not \"blue\""},
                 {{"--odd", "ab"}, "--odd takes words of odd length"},
                 {{"a", "b", "c"}, "\"c\" is one word too many"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        cr_assert_eq(read_words(false, cases[i].argument), -EINVAL, "case %zu", i);
        cr_assert(strstr(err.text, cases[i].says), "case %zu: expected \"%s\", got \"%s\"", i, cases[i].says, err.text);
    }
}

Test(options, unknown_ones_may_be_somebody_elses)
{
    cr_assert_eq(read_words(true, (const char *const[]){"--limit", "5", "--name", "a", "w", NULL}), 0, "%s", err.text);
    cr_assert(strcmp(got.unknown_value, "5") == 0 && strcmp(got.name, "a") == 0 && strcmp(word[0], "w") == 0);
    cr_assert_eq(read_words(true, (const char *const[]){"--limit=5", "w", NULL}), 0, "%s", err.text);
    cr_assert(strcmp(got.unknown_value, "5") == 0 && strcmp(word[0], "w") == 0);
    cr_assert_eq(read_words(true, (const char *const[]){"w", "--limit", NULL}), 0, "%s", err.text);
    cr_assert(!got.unknown_value, "nothing follows");
    cr_assert_eq(read_words(true, (const char *const[]){"--other", "5", NULL}), -EINVAL);
}
