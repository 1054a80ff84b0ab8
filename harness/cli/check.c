/* check, watch, grade: what a student and an instructor do with tests. */
#include "cli/command.h"

#include "base/process.h"
#include "base/terminal.h"
#include "grade/grade.h"
#include "grade/linked.h"
#include "host/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <unistd.h>

static void need_hand_in(const struct session *s)
{
    for (char **f = s->lab->hand_in; *f; f++) {
        char own[FILE_PATH];
        if (!file_exists(file_path(own, "%s/%s/%s", s->root, s->lab->folder, *f)))
            error_exit(EXIT_WRONG_USE, "%s/%s is missing; make reset LAB=%s puts the starter there", s->lab->folder, *f,
                       s->lab->id);
    }
}

/* The plugin to check: the one that was asked for, or what the student edits, built and looked at. */
static void find_plugin(const struct session *s, char *plugin)
{
    char world[FILE_PATH];
    struct error err;
    if (s->options.plugin) {
        session_need_build(s, s->lab);
        file_path(plugin, "%s", s->options.plugin);
        return;
    }
    need_hand_in(s);
    session_build_plugin(s, plugin);
    int code = linked_check(s->lab, lab_world(s->lab, s->build, world), plugin, &err);
    if (code)
        error_exit(code == -ENOEXEC ? EXIT_FAILED : EXIT_CANNOT_TELL, "%s", err.text);
}

/* What status shows later. Only a whole check counts. */
static void keep_progress(const struct session *s, const struct grade_result *result)
{
    char path[FILE_PATH];
    if (!s->options.test && !s->options.have_seed && !s->options.plugin && access(s->build, W_OK) == 0)
        session_write_json(file_path(path, "%s/progress/%s.json", s->build, s->lab->id),
                           grade_result_json(result, false));
}

/* The tests in one process, without sandbox or limits; says how to start a debugger on the same. */
static enum exit_code debug(const struct session *s, const char *plugin)
{
    char program[FILE_PATH], world[FILE_PATH], name[200] = "", seed[24];
    const struct lab_test *test = session_test(s);
    session_file(s, s->lab, "check", program);
    snprintf(seed, sizeof seed, "%llu",
             (unsigned long long)(s->options.have_seed ? s->options.seed : s->lab->public_seed[0]));
    if (test)
        snprintf(name, sizeof name, "%.90s/%.90s", test->task->id, test->id);
    setenv("FAULTLINE_DEBUG", "1", 1);
    setenv("FAULTLINE_SEED", seed, 1);
    setenv("FAULTLINE_PLUGIN", plugin, 1);
    setenv("FAULTLINE_WORLD", lab_world(s->lab, s->build, world), 1);
    printf("Everything in one process; the first failure ends it. The same in a debugger (break where you like):\n"
           "  FAULTLINE_DEBUG=1 FAULTLINE_SEED=%s FAULTLINE_PLUGIN=%s \\\n"
           "    gdb -ex 'set breakpoint pending on' -ex 'break YOUR_FUNCTION' -ex run --args %s %s\n\n",
           seed, getenv("FAULTLINE_PLUGIN"), program, name);
    fflush(stdout);
    execl(program, program, test ? name : NULL, (char *)NULL);
    error_exit(EXIT_CANNOT_TELL, "%s: cannot be started: %s", program, strerror(errno));
}

enum exit_code command_check(struct session *s)
{
    char plugin[FILE_PATH];
    struct error err;
    session_test(s);
    find_plugin(s, plugin);
    if (s->options.debug)
        return debug(s, plugin);
    struct grade_options options = {.root = s->root,
                                    .build = s->build,
                                    .only = s->options.test,
                                    .seed = s->options.have_seed ? s->options.seed : 0,
                                    .quiet = s->options.quiet};
    struct grade_result *result;
    file_remove_left_over();
    grade_print_title(s->lab);
    int code = grade_plugin(s->lab, plugin, &options, &result, &err);
    if (code)
        error_exit(code == -ENOENT ? EXIT_WRONG_USE : EXIT_CANNOT_TELL, "%s", err.text);
    grade_print(result, true);
    keep_progress(s, result);
    enum exit_code end = result->fault ? EXIT_CANNOT_TELL : result->score == result->max ? EXIT_FINE : EXIT_FAILED;
    if (s->options.json && session_write_json(s->options.json, grade_result_json(result, true)) != EXIT_FINE)
        end = EXIT_WRONG_USE;
    grade_result_destroy(result);
    return end;
}

/* ---- watch
 * -------------------------------------------------------------------------------------------------------------------
 */

/* Editors write a new file and rename it, so the folder is watched, not the file. */
static void wait_for_save(int notify)
{
    char buffer[4096] __attribute__((aligned(8)));
    ssize_t n = read(notify, buffer, sizeof buffer);
    struct pollfd more = {.fd = notify, .events = POLLIN};
    while (n > 0 && poll(&more, 1, 150) > 0) /* one save is several events */
        n = read(notify, buffer, sizeof buffer);
}

enum exit_code command_watch(struct session *s)
{
    char folder[FILE_PATH], program[FILE_PATH];
    int notify = inotify_init1(IN_CLOEXEC);
    session_test(s);
    if (notify < 0 || inotify_add_watch(notify, file_path(folder, "%s/%s", s->root, s->lab->folder),
                                        IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
        error_exit(EXIT_CANNOT_TELL, "%s cannot be watched: %s", folder, strerror(errno));
    file_path(program, "%s/faultline", s->build);
    for (;;) {
        if (isatty(STDOUT_FILENO))
            fputs("\033[2J\033[H", stdout);
        fflush(stdout);
        const char *argv[] = {program, "check", s->lab->id, s->options.test ? "--test" : NULL, s->options.test, NULL};
        struct process p = {.argv = argv};
        struct process_result r;
        struct error err;
        if (process_run(&p, &r, &err) != 0)
            error_exit(EXIT_CANNOT_TELL, "%s", err.text);
        printf("%swaiting for a save in %s (Ctrl-C ends)%s\n", terminal_style(STYLE_DIM), s->lab->folder,
               terminal_style(STYLE_PLAIN));
        fflush(stdout);
        wait_for_save(notify);
    }
}

/* ---- grade
 * -------------------------------------------------------------------------------------------------------------------
 */

static int write_formats(const struct options *o, const struct grade_result *result)
{
    int code = EXIT_FINE;
    const struct {
        const char *path;
        char *(*format)(const struct grade_result *);
    } formats[] = {{o->junit, grade_format_junit},
                   {o->tap, grade_format_tap},
                   {o->gradescope, grade_format_gradescope},
                   {o->classroom, grade_format_classroom}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].path && session_write_text(formats[i].path, formats[i].format(result)) != EXIT_FINE)
            code = EXIT_WRONG_USE;
    if (o->json && session_write_json(o->json, grade_result_json(result, true)) != EXIT_FINE)
        code = EXIT_WRONG_USE;
    return code;
}

enum exit_code command_grade(struct session *s)
{
    char own[FILE_PATH];
    struct error err;
    session_test(s);
    session_need_build(s, s->lab);
    struct grade_options options = {.root = s->root,
                                    .build = s->build,
                                    .only = s->options.test,
                                    .seed = s->options.have_seed ? s->options.seed : 0,
                                    .allow_unsafe = s->options.allow_unsafe,
                                    .quiet = s->options.quiet};
    options.secret = s->options.secret;
    if (s->options.have_secret && options.secret == 0)
        error_exit(EXIT_WRONG_USE, "grade: --secret takes a number above 0 (0 would mean: no secret seeds)");
    while (options.secret == 0 && getrandom(&options.secret, sizeof options.secret, 0) < 0 && errno == EINTR)
        ;
    const char *folder =
        s->options.submission ? s->options.submission : file_path(own, "%s/%s", s->root, s->lab->folder);
    if (!file_is_dir(folder))
        error_exit(EXIT_WRONG_USE, "%s: is no folder with a submission", folder);
    struct grade_result *result;
    file_remove_left_over();
    grade_print_title(s->lab);
    int code = grade_submission(s->lab, folder, &options, &result, &err);
    if (code)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    if (!s->options.submission) /* the lab's own folder holds the lab besides */
        result->notes[0] = '\0';
    grade_print(result, true);
    enum exit_code end = result->fault ? EXIT_CANNOT_TELL : result->score == result->max ? EXIT_FINE : EXIT_FAILED;
    if (write_formats(&s->options, result) != EXIT_FINE)
        end = EXIT_WRONG_USE;
    grade_result_destroy(result);
    return end;
}
