/* formats.c: whatever a submission prints, and however its files are called, each format stays well formed. Thousands of
 * odd texts go into results; parsers that are not ours read what was written (read_formats.py). */
#include "tiny.h"

#include "base/process.h"
#include "base/text.h"
#include "sim/rng.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(formats, .timeout = 300);

#define ROUNDS  1500u
#define LONGEST 300u

/* Bytes at random, characters at random (those that are none among them), and what means something to somebody. */
static size_t odd_text(struct rng *r, char *out)
{
    static const char *const piece[] = {"\033[2J",
                                        "]]>",
                                        "\"",
                                        "\\",
                                        "<a b='&'>",
                                        "&#x0;",
                                        "\n",
                                        "\r\n",
                                        "\nok 1 - x",
                                        "'",
                                        "\n...\n---\n",
                                        "\xc3\xa9",
                                        "\xef\xbf\xbe",
                                        "\xef\xbf\xbf",
                                        "\xe2\x80\xae",
                                        "\xed\xa0\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        "\xc2\x85",
                                        "\xe2\x80\xa8",
                                        "\xef\xbb\xbf",
                                        "\nScore: 7/7",
                                        "\t",
                                        "%s%n",
                                        "{\"a\": 1}",
                                        "\xc3",
                                        "\xf0\x9f",
                                        "\x7f",
                                        "\x01"};
    size_t n = 0;
    for (uint32_t k = rng_below(r, 30); k > 0 && n + 16 < LONGEST; k--) {
        const uint32_t kind = rng_below(r, 3), c = rng_below(r, 0x110000);
        if (kind == 0)
            out[n++] = (char)(1 + rng_below(r, 255));
        else if (kind == 1)
            n += (size_t)sprintf(out + n, "%s", piece[rng_below(r, sizeof piece / sizeof *piece)]);
        else if (c >= 0x10000)
            n += (size_t)sprintf(out + n, "%c%c%c%c", (int)(0xf0 | c >> 18), (int)(0x80 | (c >> 12 & 63)),
                                 (int)(0x80 | (c >> 6 & 63)), (int)(0x80 | (c & 63)));
        else if (c >= 0x800)
            n += (size_t)sprintf(out + n, "%c%c%c", (int)(0xe0 | c >> 12), (int)(0x80 | (c >> 6 & 63)),
                                 (int)(0x80 | (c & 63)));
    }
    out[n] = '\0';
    return n;
}

static void put(char **field, const char *text)
{
    free(*field);
    *field = strdup(text);
    cr_assert_not_null(*field);
}

static void write_all(const struct grade_result *r, uint32_t round)
{
    static const struct {
        const char *name;
        char *(*format)(const struct grade_result *);
    } formats[] = {{"junit.xml", grade_format_junit},
                   {"tap", grade_format_tap},
                   {"gradescope.json", grade_format_gradescope},
                   {"classroom", grade_format_classroom}};
    char name[80];
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        char *text = formats[i].format(r);
        cr_assert_not_null(text, "%s was not written", formats[i].name);
        snprintf(name, sizeof name, "odd/%u.%s", round, formats[i].name);
        write_text(name, text);
        free(text);
    }
    json_t *json = grade_result_json(r, true);
    char *text = json ? json_dumps(json, 0) : NULL;
    cr_assert_not_null(text, "JSON was not written");
    snprintf(name, sizeof name, "odd/%u.result.json", round);
    write_text(name, text);
    free(text);
    json_decref(json);
}

Test(formats, are_well_formed_whatever_comes_in)
{
    make_root();
    struct lab *lab = load_good();
    struct grade_result *r = grade_with(lab, "#!/bin/sh\n" RECORD("one_test", "true", "finished")
                                                 RECORD("two", "false", "wrong") RUNNER("true", "false"));
    struct rng random;
    rng_seed(&random, 5, 0);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        char raw[LONGEST], clean[LONGEST];
        char **const text[] = {&r->test[1].message, &r->notes, &r->build_output, &r->submission};
        for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
            const size_t n = odd_text(&random, raw), room = 1 + rng_below(&random, LONGEST);
            put(text[i], i == 3 ? text_clean_line(clean, room, raw) : text_clean(clean, room, raw, n));
        }
        r->built = round % 3 != 0;
        write_all(r, round);
    }
    char folder[FILE_PATH];
    const char *argv[] = {"/usr/bin/python3", "harness/grade/tests/read_formats.py", file_path(folder, "%s/odd", root),
                          NULL};
    struct process p = {.argv = argv, .wall_ms = 250000, .output_limit = 4000};
    struct process_result result;
    struct error err;
    cr_assert(process_run(&p, &result, &err) == 0, "%s", err.text);
    cr_assert(result.status == 0 && strstr(result.output, "1500 results in 5 formats"), "%s", result.output);
    process_result_free(&result);
    grade_result_destroy(r);
    lab_destroy(lab);
}

/* Texts come into a result by records of the check program, and there they are made safe. */
Test(formats, are_given_safe_texts)
{
    make_root();
    struct lab *lab = load_good();
    struct grade_result *r = grade_with(
        lab,
        "#!/bin/sh\n" RECORD("one_test", "true", "finished")
            RUNNER("true", "false") "echo '{\"task\": \"first\", \"test\": \"two\", \"passed\": false, \"verdict\": "
                                    "\"wrong\", \"message\": \"a\\uFFFEb\\u202Ec\\u001b[1md\"}' > "
                                    "$FAULTLINE_RESULTS/first.two.json\n");
    cr_assert_str_eq(r->test[1].message, "a?b?c?[1md");
    grade_result_destroy(r);
    lab_destroy(lab);
}
