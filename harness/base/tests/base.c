/* base.c: files, text, child processes and errors. */
#include "base/error.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/process.h"
#include "base/terminal.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(text, .timeout = 60);
TestSuite(file, .timeout = 60);
TestSuite(process, .timeout = 60);
TestSuite(parallel, .timeout = 60);
TestSuite(terminal, .timeout = 60);

/* ---- text ---- */

Test(text, nearest_finds_what_was_meant)
{
    const char *const words[] = {"check", "grade", "replay", "status", "published-sequence", NULL};
    const char *const pairs[][2] = {{"chekc", "check"},
                                    {"grad", "grade"},
                                    {"statsu", "status"},
                                    {"published", "published-sequence"},
                                    {"replya", "replay"}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        const char *found = text_nearest(pairs[i][0], words);
        cr_assert(found && strcmp(found, pairs[i][1]) == 0, "%s gives %s", pairs[i][0], found ? found : "nothing");
    }
    cr_assert(!text_nearest("zzzzzz", words), "zzzzzz is near %s", text_nearest("zzzzzz", words));
    cr_assert(!text_nearest("x", words), "x is near something");
}

Test(text, clean_lets_no_control_character_through)
{
    char out[100], tiny[4];
    const char raw[] = "a\033[31mb\tc\nd\x80"
                       "e\xc3\xa9"
                       "f\xe2\x82g\x7f\xc2\x9bh";
    text_clean(out, sizeof out, raw, sizeof raw - 1);
    cr_assert(strcmp(out, "a?[31mb\tc\nd?e\xc3\xa9"
                          "f??g??h") == 0,
              "got: %s", out);
    text_clean(tiny, sizeof tiny, "ab\xc3\xa9", 4);
    cr_assert(strcmp(tiny, "ab") == 0, "a character was cut in half: %s", tiny);
}

Test(text, numbers_are_whole_or_nothing)
{
    uint64_t n;
    cr_assert(text_number("42", &n) && n == 42, "42 is %llu", (unsigned long long)n);
    cr_assert(text_number("0x10", &n) && n == 16, "0x10 is %llu", (unsigned long long)n);
    cr_assert(text_number("18446744073709551615", &n) && n == UINT64_MAX, "the largest is %llu", (unsigned long long)n);
    const char *const bad[] = {"", "-1", "+1", " 1", "1x", "1 ", "x", "18446744073709551616", "0x"};
    for (size_t i = 0; i < COUNT(bad); i++)
        cr_assert(!text_number(bad[i], &n) || strcmp(bad[i], "0x") == 0, "\"%s\" was taken for %llu", bad[i],
                  (unsigned long long)n);
    cr_assert(!text_number(NULL, &n), "NULL was taken for a number");
    cr_assert(text_scaled("64", 64, &n) == 2 && n == 64, "64 is %llu", (unsigned long long)n);
    cr_assert(text_scaled("64K,1M", UINT64_MAX, &n) == 3 && n == 65536, "64K is %llu", (unsigned long long)n);
    cr_assert(text_scaled("1m", 1 << 20, &n) == 2 && n == 1 << 20, "1m is %llu", (unsigned long long)n);
    cr_assert(text_scaled("65", 64, &n) == 0 && text_scaled("2K", 2047, &n) == 0, "what is above the most was taken");
    cr_assert(text_scaled("K", 64, &n) == 0 && text_scaled("", 64, &n) == 0 && text_scaled("-1", 64, &n) == 0,
              "what is no number was taken");
    cr_assert(text_scaled("18446744073709551616", UINT64_MAX, &n) == 0, "what does not fit was taken");
}

Test(text, bars_show_shares)
{
    const double value[] = {0, 1, 4, 8, 9, -1};
    char out[64];
    cr_assert_str_eq(text_bars(out, sizeof out, value, COUNT(value), 8), " ▁▄██ ");
    cr_assert_str_eq(text_bars(out, 8, value + 2, 3, 8), "▄█"); /* cut between characters */
    cr_assert_str_eq(text_bars(out, sizeof out, value, 2, 0), "  ");
}

Test(text, quantities_have_units)
{
    char out[TEXT_NUMBER];
    cr_assert(strcmp(text_duration(out, 1500), "1.50 us") == 0, "%s", out);
    cr_assert(strcmp(text_duration(out, 2.5e9), "2.50 s") == 0, "%s", out);
    cr_assert(strcmp(text_bytes(out, 1536), "1.5 KiB") == 0, "%s", out);
    cr_assert(strcmp(text_count(out, 1234567), "1,234,567") == 0, "%s", out);
    cr_assert(strcmp(text_count(out, 0), "0") == 0, "%s", out);
}

/* ---- files ---- */

Test(file, comes_back_as_it_went_and_makes_its_folders)
{
    char folder[FILE_PATH], path[FILE_PATH], *data;
    size_t size;
    struct error err;
    cr_assert(file_temp_dir(folder, "file-test", &err) == 0, "%s", err.text);
    file_path(path, "%s/a/b/c", folder);
    cr_assert(file_write(path, "x\0y", 3, &err) == 0, "%s", err.text);
    cr_assert(file_read(path, 10, &data, &size, &err) == 0 && size == 3 && memcmp(data, "x\0y", 4) == 0, "%s",
              err.text);
    free(data);
    cr_assert(file_read(path, 2, &data, &size, &err) == -EFBIG && strstr(err.text, "3 bytes"), "%s", err.text);
    file_remove_tree(folder);
    cr_assert(!file_is_dir(folder), "%s is still there", folder);
}

Test(file, refuses_links_pipes_and_folders)
{
    char folder[FILE_PATH], link[FILE_PATH], fifo[FILE_PATH], to[FILE_PATH], *data;
    size_t size;
    struct error err;
    cr_assert(file_temp_dir(folder, "file-test", &err) == 0, "%s", err.text);
    file_path(link, "%s/link", folder);
    file_path(fifo, "%s/fifo", folder);
    file_path(to, "%s/to", folder);
    cr_assert(symlink("/etc/hostname", link) == 0 && mkfifo(fifo, 0600) == 0, "cannot prepare");
    cr_assert(file_copy(link, to, 100000, &err) == -ELOOP && strstr(err.text, "symbolic link"), "a link was copied: %s",
              err.text);
    cr_assert(file_copy(fifo, to, 100000, &err) == -EINVAL, "a named pipe was copied: %s", err.text);
    cr_assert(file_read(folder, 100000, &data, &size, &err) < 0, "a folder was read");
    cr_assert(!file_exists(to), "something was left behind");
    file_remove_tree(folder);
}

Test(file, json_is_sorted_exact_and_whole)
{
    char folder[FILE_PATH], path[FILE_PATH], *data;
    size_t size;
    struct error err;
    cr_assert(file_temp_dir(folder, "file-test", &err) == 0, "%s", err.text);
    file_path(path, "%s/result.json", folder);
    json_t *json = json_pack("{s:f, s:i}", "b", 0.1, "a", 7);
    cr_assert(json_file_write(path, json, &err) == 0, "%s", err.text);
    cr_assert(file_read(path, 1000, &data, &size, &err) == 0, "%s", err.text);
    cr_assert_str_eq(data, "{\n  \"a\": 7,\n  \"b\": 0.1\n}\n");
    free(data);
    cr_assert_eq(json_file_write(path, NULL, &err), -ENOMEM);
    cr_assert(json_file_write(folder, json, &err) < 0 && strstr(err.text, folder), "%s", err.text);
    cr_assert(file_exists(path), "what was there is gone");
    json_decref(json);
    file_remove_tree(folder);
}

/* Killed at any moment, the file is the old one or the new one. */
Test(file, survives_kill_at_any_moment)
{
    char folder[FILE_PATH], path[FILE_PATH], *data;
    size_t size;
    struct error err;
    static char old[200000], new[200000];
    memset(old, 'o', sizeof old);
    memset(new, 'n', sizeof new);
    cr_assert(file_temp_dir(folder, "file-test", &err) == 0, "%s", err.text);
    file_path(path, "%s/result", folder);
    cr_assert(file_write(path, old, sizeof old, &err) == 0, "%s", err.text);
    for (int round = 0; round < 60; round++) {
        pid_t pid = fork();
        if (pid == 0)
            for (;;) {
                file_write(path, new, sizeof new, NULL);
                file_write(path, old, sizeof old, NULL);
            }
        usleep((useconds_t)(round * 137 % 3000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        cr_assert(file_read(path, 1 << 20, &data, &size, &err) == 0 && size == sizeof old, "%zu bytes: %s", size,
                  err.text);
        cr_assert(memcmp(data, old, size) == 0 || memcmp(data, new, size) == 0, "half old, half new");
        free(data);
    }
    file_remove_tree(folder);
}

Test(file, cannot_write_says_where)
{
    struct error err;
    cr_assert(file_write("/proc/nothing/x", "a", 1, &err) < 0 && strstr(err.text, "/proc/nothing"), "%s", err.text);
}

/* ---- processes ---- */

static struct process_result run(const char *script, uint64_t wall_ms, size_t limit)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct process p = {.argv = argv, .wall_ms = wall_ms, .output_limit = limit};
    struct process_result r;
    struct error err;
    cr_assert(process_run(&p, &r, &err) == 0, "%s", err.text);
    return r;
}

Test(process, gives_status_and_output)
{
    char text[80];
    struct process_result r = run("echo out; echo err >&2; exit 3", 5000, 1000);
    cr_assert(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 3 && strcmp(r.output, "out\nerr\n") == 0, "%s: %s",
              process_status_text(r.status, text, 80), r.output);
    process_result_free(&r);
    r = run("kill -SEGV $$", 5000, 100);
    cr_assert(WIFSIGNALED(r.status) && strstr(process_status_text(r.status, text, 80), "signal 11"), "%s", text);
    process_result_free(&r);
}

Test(process, keeps_head_and_tail_of_a_flood)
{
    struct process_result r = run("echo first; seq 1 200000; echo last", 20000, 1000);
    cr_assert(r.output_size < 1200 && r.output_total > 1000000, "%zu kept of %llu", r.output_size,
              (unsigned long long)r.output_total);
    cr_assert(strncmp(r.output, "first\n1\n", 8) == 0 && strstr(r.output, "bytes left out") &&
                  strcmp(r.output + r.output_size - 5, "last\n") == 0,
              "%s", r.output);
    process_result_free(&r);
}

Test(process, ends_at_the_deadline_with_all_it_started)
{
    char folder[FILE_PATH], script[2 * FILE_PATH];
    struct error err;
    cr_assert(file_temp_dir(folder, "process-test", &err) == 0, "%s", err.text);
    snprintf(script, sizeof script, "trap '' TERM; (sleep 1; echo late > %s/late) & sleep 100", folder);
    struct process_result r = run(script, 300, 100);
    cr_assert(r.timed_out && r.wall_ns < 2000000000u, "timed out %d after %.3f s", r.timed_out,
              (double)r.wall_ns / 1e9);
    process_result_free(&r);
    usleep(1500000);
    char late[FILE_PATH];
    cr_assert(!file_exists(file_path(late, "%s/late", folder)), "a descendant lived on");
    file_remove_tree(folder);
}

Test(process, does_not_wait_for_a_descendant_that_keeps_the_pipe)
{
    struct process_result r = run("sleep 30 & echo done", 20000, 100);
    cr_assert(!r.timed_out && r.wall_ns < 5000000000u && strcmp(r.output, "done\n") == 0, "%.1f s: %s",
              (double)r.wall_ns / 1e9, r.output);
    process_result_free(&r);
}

Test(process, a_missing_program_is_said)
{
    const char *argv[] = {"/nonexistent/program", NULL};
    struct process p = {.argv = argv, .output_limit = 200};
    struct process_result r;
    cr_assert(process_run(&p, &r, NULL) == 0 && r.status != 0 && strstr(r.output, "/nonexistent/program"), "%s",
              r.output);
    process_result_free(&r);
}

/* ---- threads, terminal ---- */

static void square(uint32_t i, void *context)
{
    ((uint64_t *)context)[i] = (uint64_t)i * i;
}

Test(parallel, does_each_once_with_any_number_of_threads)
{
    const char *const threads[] = {"1", "2", "7"};
    for (int t = 0; t < 3; t++) {
        uint64_t out[1000] = {0};
        setenv("FAULTLINE_THREADS", threads[t], 1);
        parallel_for(1000, square, out, NULL);
        for (uint32_t i = 0; i < 1000; i++)
            cr_assert(out[i] == (uint64_t)i * i, "%s threads: item %u is %llu", threads[t], i,
                      (unsigned long long)out[i]);
    }
    parallel_for(0, square, NULL, NULL);
}

Test(terminal, no_colour_and_no_progress_where_there_is_no_terminal)
{
    cr_assert(strcmp(terminal_style(STYLE_BAD), "") == 0, "colour in a pipe");
    struct progress p;
    progress_start(&p, "x", 10, false);
    cr_assert(!p.shown, "progress in a pipe");
    progress_end(&p);
}
