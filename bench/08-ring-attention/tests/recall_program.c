/* replay: what people and programs get, and what it refuses. */
#include "replay/recall_needle.h"
#include "test_file.h"

#include "base/file.h"
#include "base/process.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

TestSuite(recall_program, .timeout = 300);

static int run_replay(char *said, size_t size, const char *threads, ...)
{
    char program[FILE_PATH], setting[64];
    const char *argv[32] = {"env", setting};
    size_t n = 3;
    va_list more;
    snprintf(setting, sizeof setting, "FAULTLINE_THREADS=%s", threads);
    argv[2] = file_build_path(program, "labs/08-ring-attention/replay");
    va_start(more, threads);
    while (n < 31 && (argv[n] = va_arg(more, const char *)))
        n++;
    va_end(more);
    struct process p = {.argv = argv, .wall_ms = 100000, .output_limit = 100000};
    struct process_result r;
    struct error err;
    cr_assert(process_run(&p, &r, &err) == 0, "%s", err.text);
    snprintf(said, size, "%s", r.output);
    int code = WIFEXITED(r.status) ? WEXITSTATUS(r.status) : -1;
    process_result_free(&r);
    return code;
}

#define SAID 60000

static const char *play_path(char *out)
{
    const char *root = getenv("FAULTLINE_ROOT");
    return file_path(out, "%s/datasets/hamlet/hamlet.txt.gz", root ? root : ".");
}

Test(recall_program, answers)
{
    char said[SAID], path[FILE_PATH], json[FILE_PATH], plot[FILE_PATH];
    cr_assert_eq(run_replay(said, SAID, "2", play_path(path), "--question", "To be, or not to be", "--words", "7",
                            "--window", "30K,2K", "--needles", "2", "--quiet", "--json",
                            test_file(json, "out", NULL, 0), "--plot", test_file(plot, "plot.svg", NULL, 0), NULL),
                 0, "%s", said);
    json_t *all = json_load_file(json, 0, NULL), *answer;
    cr_assert(all, "no JSON");
    size_t i;
    json_array_foreach(json_object_get(json_object_get(all, "question"), "answers"), i, answer)
    {
        const bool last = i == 3; /* best, ring, the last 30K, the last 2K */
        const char *text = json_string_value(json_object_get(answer, "answer"));
        cr_assert_eq(json_is_true(json_object_get(answer, "found")), !last);
        cr_assert(last ? text == NULL : text && strcmp(text, "that is the question whether tis nobler") == 0, "%s",
                  text ? text : "nothing");
    }
    cr_assert_eq(i, 4);
    json_t *depth = json_object_get(json_object_get(all, "question"), "first_depth");
    cr_assert_float_eq(json_number_value(depth), 42.17, 0.01);
    cr_assert(json_array_size(json_object_get(all, "rows")) == 4 * (RECALL_DEPTHS + 1) + 1);
    cr_assert(strstr(said, "best and ring say the same in 95 of 95 answers"), "%s", said);
    cr_assert(file_exists(plot));
    json_decref(all);
}

Test(recall_program, is_the_same_with_any_number_of_threads)
{
    char said[SAID], path[FILE_PATH], json[FILE_PATH], *data[2];
    size_t size[2];
    struct error err;
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(run_replay(said, SAID, i ? "3" : "1", play_path(path), "--question", "to be or not to be",
                                "--needles", "1", "--quiet", "--json", test_file(json, "threads", NULL, 0), NULL),
                     0, "%s", said);
        cr_assert(file_read(json, 1 << 20, &data[i], &size[i], &err) == 0, "%s", err.text);
    }
    cr_assert(size[0] > 1000 && size[0] == size[1]);
    cr_assert_str_eq(data[0], data[1]);
    free(data[0]);
    free(data[1]);
}

Test(recall_program, tells_a_wrong_entry)
{
    char said[SAID], path[FILE_PATH], plugin[FILE_PATH];
    file_build_path(plugin, "labs/08-ring-attention/mistakes/blocks_averages.so");
    cr_assert_eq(run_replay(said, SAID, "2", play_path(path), "--tokens", "16K", "--quiet", "--needles", "2",
                            "--plugin", plugin, "--entries", "blockwise", NULL),
                 1, "%s", said);
    cr_assert(strstr(said, "best and blockwise say the same in 88 of 88") &&
                  strstr(said, "best and blockwise (yours) say the same in ") &&
                  !strstr(said, "(yours) say the same in 88 of 88"),
              "%s", said);
}

static void expect_refused(const char *what, ...) __attribute__((sentinel));
static void expect_refused(const char *what, ...)
{
    char said[SAID];
    const char *argv[8] = {NULL};
    va_list more;
    va_start(more, what);
    for (size_t n = 0; n < 7 && (argv[n] = va_arg(more, const char *)); n++)
        ;
    va_end(more);
    int code = run_replay(said, SAID, "2", argv[0], argv[1], argv[2], argv[3], argv[4], argv[5], argv[6], NULL);
    cr_assert(code == 2 && strstr(said, what), "exit code %d, and \"%s\" is not in: %s", code, what, said);
}

Test(recall_program, refuses_bad_input)
{
    char path[FILE_PATH], other[FILE_PATH];
    play_path(path);
    expect_refused("which text?", NULL);
    expect_refused("not-there: No such file", test_file(other, "not-there", NULL, 0), NULL);
    expect_refused("has no words", test_file(other, "empty", "", 0), NULL);
    expect_refused("is no text",
                   test_file(other, "binary",
                             "\x7f"
                             "ELF\x02\x01\x01 words",
                             13),
                   NULL);
    test_file(other, "short", "just some words that follow each other\n", 39);
    expect_refused("--question has 1 words, and 4 are needed", other, "--question", "just", NULL);
    expect_refused("has 7 tokens, and sentences can be planted into 176 or more", other, NULL);
    expect_refused("has 3 tokens: a key takes 4 words", other, "--tokens", "3", NULL);
    expect_refused("--question has 2 words, and 4 are needed", path, "--question", "to be", NULL);
    expect_refused("the text has no \"frobnicate\", \"widget\"", path, "--question", "to frobnicate the widget", NULL);
    expect_refused("--tokens takes a number from 1", path, "--tokens", "0", NULL);
    expect_refused("--tokens takes a number from 1", path, "--tokens", "1X", NULL);
    expect_refused("larger than the text, which has 1000", path, "--tokens", "1000", "--window", "1K", NULL);
    expect_refused("--window takes up to 4 numbers", path, "--window", "0", NULL);
    expect_refused("--window takes up to 4 numbers", path, "--window", "4K;2K", NULL);
    expect_refused("tell 35566 places apart by 5 words at most", path, "--context", "6", NULL);
    expect_refused("there is no entry blokwise; was blockwise meant?", path, "--entries", "blokwise", NULL);
    expect_refused("there is no option --frob", path, "--frob", NULL);
    expect_refused("--plot shows what becomes of planted sentences", path, "--needles", "0", "--plot", "x.svg", NULL);
}
