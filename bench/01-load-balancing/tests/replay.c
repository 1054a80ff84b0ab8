/* replay.c: the replay program as an engineer runs it, and with it what harness/replay does for every lab. */
#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

TestSuite(replay, .timeout = 120);

static char folder[FILE_PATH], log_file[FILE_PATH], result[FILE_PATH], said[20000];

static void make_log(void)
{
    char *text = NULL;
    size_t size;
    struct error err;
    cr_assert_eq(file_temp_dir(folder, "replay-test", &err), 0, "%s", err.text);
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < 20000; i++)
        fprintf(out, "10.0.0.%d - - [10/Oct/2020:13:%02d:%02d +0000] \"GET /%d HTTP/1.1\" 200 %d\n", i % 200, i / 6000,
                i / 100 % 60, i % 50, 100 + i % 900);
    fputs("this is no line of a log\n", out);
    fclose(out);
    cr_assert_eq(file_write(file_path(log_file, "%s/access.log", folder), text, size, &err), 0, "%s", err.text);
    free(text);
    file_path(result, "%s/result.json", folder);
}

static void remove_log(void)
{
    file_remove_tree(folder);
}

/* The exit code; what it said on either output is in `said`. */
static int run_replay(const char *const *arguments)
{
    char program[FILE_PATH];
    const char *argv[32] = {file_build_path(program, "labs/01-load-balancing/replay"), "--quiet"};
    struct process_result r;
    struct error err;
    for (size_t n = 2; *arguments && n < 31;)
        argv[n++] = *arguments++;
    const struct process p = {.argv = argv, .wall_ms = 100000, .output_limit = 19000};
    cr_assert_eq(process_run(&p, &r, &err), 0, "%s", err.text);
    snprintf(said, sizeof said, "%s", r.output);
    const int code = WIFEXITED(r.status) ? WEXITSTATUS(r.status) : -1;
    process_result_free(&r);
    return code;
}
#define REPLAY(...) run_replay((const char *const[]){__VA_ARGS__, NULL})

Test(replay, the_same_requests_for_every_entry, .init = make_log, .fini = remove_log)
{
    char plugin[FILE_PATH];
    file_build_path(plugin, "labs/01-load-balancing/reference.so");
    cr_assert_eq(REPLAY(log_file, "--entries=random,outlier-ejection+random", "--rate", "9000", "--seed=7", "--plugin",
                        plugin, "--json", result),
                 0, "%s", said);
    cr_assert(strstr(said, "20,000 requests") && strstr(said, "1 of 20,001 lines are malformed") &&
                  strstr(said, "line 20001\n") && strstr(said, "\noutlier-ejection+random (yours) "),
              "%s", said);
    json_t *all = json_load_file(result, 0, NULL), *rows = json_object_get(all, "rows");
    cr_assert(all && json_integer_value(json_object_get(all, "seed")) == 7 && json_array_size(rows) == 4 * 6);
    for (size_t i = 0; i < 6; i++) { /* random, random (yours): the same plugin, the same figures */
        const json_t *one = json_array_get(rows, i), *other = json_array_get(rows, i + 12);
        cr_assert_str_eq(json_string_value(json_object_get(one, "entry")), "random");
        cr_assert_str_eq(json_string_value(json_object_get(other, "entry")), "random (yours)");
        cr_assert(json_equal(json_object_get(one, "value"), json_object_get(other, "value")), "metric %zu", i);
        cr_assert(json_object_get(one, "value") || json_object_get(one, "reason"), "metric %zu", i);
    }
    json_decref(all);
}

Test(replay, wrong_use_is_told, .init = make_log, .fini = remove_log)
{
    char other[FILE_PATH];
    file_build_path(other, "labs/02-rate-limiting/reference.so");
    const struct {
        const char *argument[5], *says;
    } cases[] = {{{NULL}, "replay: which trace? For example"},
                 {{log_file, "--ratte=5"}, "there is no option --ratte; was --rate meant?"},
                 {{log_file, "--rate", "-1"}, "--rate takes requests a second"},
                 {{log_file, "--rate"}, "--rate needs a value: --rate N"},
                 {{log_file, "again.log"}, "\"again.log\" is one word too many; see faultline replay 01 --help"},
                 {{log_file, "--entries", "two-choises"}, "there is no entry two-choises; was two-choices meant?"},
                 {{log_file, "--entries", "zzzzzzzz"}, "faultline list 01 shows all"},
                 {{log_file, "--plugin", other}, "is a plugin of lab 02"},
                 {{log_file, "--plugin", "/nowhere/mine.so"}, "/nowhere/mine.so"},
                 {{"/nowhere/access.log"}, "/nowhere/access.log: "},
                 {{log_file, "--json", "/proc/none/result.json", "--entries=random"}, "/proc/none"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        cr_assert_eq(run_replay(cases[i].argument), 2, "case %zu: %s", i, said);
        cr_assert(strstr(said, cases[i].says), "case %zu: expected \"%s\" in: %s", i, cases[i].says, said);
    }
}
