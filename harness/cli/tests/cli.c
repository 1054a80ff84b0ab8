/* The command line as a person meets it, in a project of the test's own: a copy of the program, a lab of two tests, and
 * a check program that is a shell script. */
#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(cli, .timeout = 120);

static char root[FILE_PATH];

static void clean(void)
{
    file_remove_tree(root);
}

static void write_text(const char *name, const char *text, mode_t mode)
{
    char path[FILE_PATH];
    struct error err;
    cr_assert(file_write(file_path(path, "%s/%s", root, name), text, strlen(text), &err) == 0, "%s", err.text);
    chmod(path, mode);
}

/* Its plugins are shared objects, as all are, since they are looked at. */
static const char makefile[] =
    "build/labs/99-tiny/built: ; @touch $@\n"
    "build/labs/99-tiny/%.so: labs/99-tiny/%.c ; @gcc -shared -fPIC -nostartfiles -o $@ $<\n"
    "build/labs/99-tiny/starter.so: labs/99-tiny/mine.c ; @gcc -shared -fPIC -nostartfiles -o $@ $<\n";

static void run(const char *command)
{
    char line[2 * FILE_PATH];
    snprintf(line, sizeof line, "cd %s && %s", root, command);
    cr_assert(system(line) == 0, "%s", line);
}

static void make_project(void)
{
    char to[FILE_PATH];
    struct error err;
    char from[FILE_PATH];
    cr_assert(file_temp_dir(root, "cli-test", &err) == 0, "%s", err.text);
    atexit(clean);
    file_build_path(from, "faultline");
    cr_assert(file_copy(from, file_path(to, "%s/build/faultline", root), 100 << 20, &err) == 0, "%s", err.text);
    chmod(to, 0755);
    write_text("Makefile", makefile, 0644);
    write_text(
        "labs/99-tiny/lab.json",
        "{\"faultline\": 1, \"id\": \"99\", \"name\": \"tiny\", \"title\": \"Tiny\", \"incident\": [\"a\", "
        "\"b\", \"c\"], \"next\": [\"n\"],"
        " \"hand_in\": [\"mine.c\"], \"limits\": {\"build_seconds\": 5, \"cpu_seconds\": 1, \"wall_seconds\": "
        "2, \"memory_mib\": 64},"
        " \"replay\": [{\"name\": \"limit\", \"argument\": \"N/T\", \"what\": \"so many in a time\"}, {\"name\": "
        "\"of-what\", \"argument\": \"A|B\", \"what\": \"which of the two\"}],"
        " \"seeds\": {\"public\": [1], \"hidden\": 1}, \"tasks\": [{\"id\": \"first\", \"title\": \"First "
        "task\", \"entry\": \"mine\","
        " \"hints\": [\"hint one\", \"hint two\", \"hint three\"],"
        " \"tests\": [{\"id\": \"easy\", \"what\": \"w\", \"points\": 3, \"hidden_points\": 2}, {\"id\": "
        "\"hard\", \"what\": \"v\", \"points\": 4, \"hidden_points\": 0, \"rules\": [\"no-sloth\"]}]}],"
        " \"rules\": [{\"id\": \"no-sloth\", \"text\": \"work hard\"}, {\"id\": \"no-haste\", \"text\": \"wait\"}],"
        " \"mistakes\": [{\"name\": \"one_more\", \"caught_by\": \"first/hard\"}]}",
        0644);
    write_text("reference/99-tiny/solution/mine.c", "/* right */\nint answer = 42;\n", 0644);
    write_text(
        "reference/99-tiny/mistakes/one_more.patch",
        "Its author believed that one\nmore is better.\n\nIt is not.\n\n--- a/mine.c\n+++ b/mine.c\n@@ -1,2 +1,2 @@\n"
        " /* right */\n-int answer = 42;\n+int answer = 43;\n",
        0644);
    write_text("labs/99-tiny/starter/mine.c", "int starter;\n", 0644);
    write_text("labs/99-tiny/mine.c", "int my_own_work;\n", 0644);
    write_text(
        "build/labs/99-tiny/check",
        "#!/bin/sh\n"
        "for t in easy hard; do p=true v=finished; [ $t = hard ] && p=false v=wrong\n"
        "echo \"{\\\"task\\\": \\\"first\\\", \\\"test\\\": \\\"$t\\\", \\\"passed\\\": $p, \\\"verdict\\\": "
        "\\\"$v\\\", \\\"message\\\": \\\"told\\\"}\" > $FAULTLINE_RESULTS/first.$t.json\n"
        "done\n"
        "echo '{\"tests\": [{\"task\": \"first\", \"test\": \"easy\", \"passed\": true, \"seconds\": 0.1}, {\"task\": "
        "\"first\", \"test\": \"hard\", \"passed\": false, \"seconds\": 0.1}]}' > $FAULTLINE_RESULTS/run.json\n",
        0755);
    write_text("labs/99-tiny/world-99.c", "int world;\n", 0644);
    run("make -s build/labs/99-tiny/world-99.so build/labs/99-tiny/starter.so build/labs/99-tiny/built");
}

/* Runs "faultline words" and expects the exit code and a piece of what is printed. */
static void expect(const char *words, int code, const char *piece)
{
    char line[4 * FILE_PATH], how[80];
    snprintf(line, sizeof line, "cd %s && build/faultline %s", root, words);
    const char *argv[] = {"sh", "-c", line, NULL};
    struct process p = {.argv = argv, .wall_ms = 60000, .output_limit = 100000};
    struct process_result r;
    struct error err;
    cr_assert(process_run(&p, &r, &err) == 0, "%s", err.text);
    cr_assert(WIFEXITED(r.status) && WEXITSTATUS(r.status) == code, "faultline %s: expected exit code %d, got %s:\n%s",
              words, code, process_status_text(r.status, how, sizeof how), r.output);
    cr_assert(strstr(r.output, piece), "faultline %s: expected \"%s\" in:\n%s", words, piece, r.output);
    cr_assert(!strchr(r.output, '\033'), "faultline %s: an escape sequence where there is no terminal", words);
    process_result_free(&r);
}

Test(cli, helps)
{
    make_project();
    expect("--help", 0, "grade");
    expect("", 2, "COMMAND");
    expect("--version", 0, "compiler:");
    static const char *const commands[] = {"list", "demo",  "check",  "watch",   "grade",   "replay", "status",
                                           "hint", "reset", "verify", "machine", "mistake", "mutants"};
    for (size_t i = 0; i < COUNT(commands); i++) {
        char words[60];
        snprintf(words, sizeof words, "%s --help", commands[i]);
        expect(words, 0, "For example:");
    }
}

Test(cli, says_what_was_probably_meant)
{
    make_project();
    expect("chekc 99", 2, "was check meant?");
    expect("check 99 --tset easy", 2, "was --test meant?");
    expect("check 99 --test eazy", 2, "was easy meant?");
    expect("check 99 --test first", 2, "is a task");
    expect("check tinny", 2, "was tiny meant?");
    expect("check", 2, "which lab?");
    expect("check 99 --seed x", 2, "--seed takes a number");
    expect("check 99 --seed", 2, "needs a value");
    expect("list 99 more", 2, "one word too many");
    expect("grade 99 submissions/ada", 2, "was --submission submissions/ada meant?");
    expect("grade 99 --secret 0", 2, "above 0");
    expect("hint 99", 2, "first");
    expect("verify 99 --only everything", 2, "everything");
    expect("grade 99 --submission /nonexistent", 2, "/nonexistent");
}

Test(cli, shows_mistakes_and_writes_one_out)
{
    make_project();
    expect("mistake 99", 0, "one_more (caught by first/hard)\n  Its author believed that one more is better.\n");
    expect("mistake 99 --json -", 0, "\"believed\": \"Its author believed that one more is better.\"");
    expect("mistake 99 one_more", 0, "/* right */\nint answer = 43;\n");
    expect("mistake 99 one_moer", 2, "was one_more meant?");
    expect("mistake 99 one_more more", 2, "one word too many");
    expect("mistake", 2, "which lab?");
    write_text("reference/99-tiny/solution/mine.c", "/* right */\nint answer = 41;\n", 0644);
    expect("mistake 99 one_more", 2, "one_more.patch does not apply to");
}

Test(cli, lists_and_finds_labs_by_number_and_name)
{
    make_project();
    expect("list", 0, "tiny");
    expect("list 99", 0, "First task");
    expect("list tiny", 0, "First task");
    expect("list 99-tiny", 0, "First task");
    expect("list --json -", 0, "\"points\": 9");
}

Test(cli, lists_rules_and_says_which_has_no_test)
{
    make_project();
    expect("list 99 --rules", 1, "- **no-sloth**: work hard\n- **no-haste**: wait\n");
    expect("list 99 --rules", 1, "labs/99-tiny/lab.json: rules[1]: no test names no-haste");
    expect("list --rules", 2, "needs a lab");
    expect("check 99", 1, "told\n      rule no-sloth: work hard\n");
}

Test(cli, mutants_refuses_what_it_cannot_use)
{
    make_project();
    expect("mutants", 2, "which lab?");
    expect("mutants 99 --sample 0", 2, "--sample takes how many");
    expect("mutants 99 --sample x", 2, "--sample takes how many");
    expect("mutants 99", 2, ""); /* nothing to change, or no libclang */
}

/* Of another machine's topology nothing is measured, so this is fast. */
Test(cli, machine_shows_another_topology_and_says_so)
{
    make_project();
    setenv("HWLOC_SYNTHETIC", "pack:2 l3:1(size=33554432) core:4 l1d:1(size=32768) pu:2", 1);
    expect("machine", 0, "not this machine's");
    expect("machine", 0, "33554432,16,64");
    expect("machine --anew --quiet", 0, "nothing is measured by it");
    expect("machine --json -", 0, "\"hardware_threads\": 16");
    expect("machine --json /proc/none/card.json", 2, "/proc/none");
    setenv("HWLOC_SYNTHETIC", "nonsense", 1);
    expect("machine", 2, "HWLOC_SYNTHETIC");
}

Test(cli, checks_and_remembers)
{
    make_project();
    expect("status", 0, "not checked yet");
    expect("check 99", 1, "Score: 3/7");
    expect("status", 0, "3/7");
    expect("check 99 --test easy", 0, "Score: 3/3");
    expect("status", 0, "3/7"); /* one test alone changes nothing */
    expect("check 99 --json -", 1, "\"verdict\": \"wrong\"");
}

/* The plugin is built from what stands in the hand-in now, not from what stood there once. */
Test(cli, builds_what_it_checks)
{
    make_project();
    write_text("build/labs/99-tiny/check",
               "#!/bin/sh\n"
               "p=false v=wrong; grep -q right $FAULTLINE_PLUGIN && p=true v=finished\n"
               "for t in easy hard; do\n"
               "echo \"{\\\"task\\\": \\\"first\\\", \\\"test\\\": \\\"$t\\\", \\\"passed\\\": $p, \\\"verdict\\\": "
               "\\\"$v\\\", \\\"message\\\": \\\"told\\\"}\" > $FAULTLINE_RESULTS/first.$t.json\n"
               "done\n"
               "echo \"{\\\"tests\\\": [{\\\"task\\\": \\\"first\\\", \\\"test\\\": \\\"easy\\\", \\\"passed\\\": $p}, "
               "{\\\"task\\\": \\\"first\\\", \\\"test\\\": \\\"hard\\\", \\\"passed\\\": $p}]}\" > "
               "$FAULTLINE_RESULTS/run.json\n",
               0755);
    expect("check 99", 1, "Score: 0/7");
    write_text("labs/99-tiny/mine.c", "int right;\n", 0644);
    expect("check 99", 0, "Score: 7/7");
    write_text("labs/99-tiny/mine.c", "garbage\n", 0644);
    expect("check 99", 1, "it does not build");
    char mine[FILE_PATH];
    unlink(file_path(mine, "%s/labs/99-tiny/mine.c", root));
    expect("check 99", 2, "make reset LAB=99");
}

/* What may stand in a plugin is seen in what was linked, before anything of it runs. */
Test(cli, names_what_a_hand_in_may_not_have)
{
    make_project();
    static const struct {
        const char *text, *piece;
    } hand_in[] = {
        {"int system(const char *); int f(void) { return system(\"\"); }", "it uses system, which"},
        {"int misspelt(void); int f(void) { return misspelt(); }", "it uses misspelt, which"},
        {"int pthread_mutex_lock(void *); int f(void) { return pthread_mutex_lock(0); }", "is for threads"},
        {"__attribute__((constructor)) void f(void) {}", "runs when it is loaded or unloaded (INIT_ARRAY"},
        {"__attribute__((destructor)) void f(void) {}", "runs when it is loaded or unloaded (FINI_ARRAY"},
        {"static int g(void) { return 1; } static int (*r(void))(void) { return g; }"
         "static int f(void) __attribute__((ifunc(\"r\"))); int h(void) { return f(); }",
         "an ifunc"},
        {"static int g(void) { return 1; } static int (*r(void))(void) { return g; }"
         "int f(void) __attribute__((ifunc(\"r\"))); ",
         "an ifunc"},
    };
    for (size_t i = 0; i < sizeof hand_in / sizeof *hand_in; i++) {
        write_text("labs/99-tiny/mine.c", hand_in[i].text, 0644);
        expect("check 99", 1, hand_in[i].piece);
    }
    write_text("labs/99-tiny/mine.c",
               "#include <ctype.h>\n#include <math.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
               "static int less(const void *a, const void *b) { return memcmp(a, b, 4); }\n"
               "int f(char *s, double x) { int n = toupper(*s) + isdigit(*s); qsort(s, 8, 4, less);\n"
               "printf(\"%d %s\", n, strchr(s, 'x')); fprintf(stderr, \"%f\", pow(x, expf((float)x)));\n"
               "return (int)strtol(s, 0, 10) + abs(n); }\n",
               0644);
    expect("check 99", 1, "Score: 3/7");
}

Test(cli, builds_nothing_to_grade_with_and_says_what_is_old)
{
    make_project();
    run("find . -exec touch -d '1 hour ago' {} +; touch -d '1 minute ago' build/labs/99-tiny/built; touch "
        "labs/99-tiny/world.h");
    expect("grade 99", 3, "lab 99 was built before a change of labs/99-tiny/world.h: run make build");
    expect("check 99 --plugin build/labs/99-tiny/starter.so", 3, "was built before");
    expect("replay 99 x", 3, "was built before");
    run("rm labs/99-tiny/world.h; echo 'build/labs/99-tiny/built: ; @false' >> Makefile; rm build/labs/99-tiny/built");
    expect("grade 99", 3, "lab 99 is not built");
    expect("check 99", 3, "the lab itself does not build");
}

static void make_replay(void)
{
    make_project();
    write_text("build/labs/99-tiny/replay", "#!/bin/sh\necho got: \"$@\"\n", 0755);
}

Test(cli, replay_takes_the_options_that_lab_json_lists)
{
    make_replay();
    expect("replay 99 my.log", 0, "got: my.log\n");
    expect("replay 99 my.log --limit 100/60s --of-what=A --seed 7 --quiet", 0,
           "got: my.log --limit 100/60s --of-what A --seed 7 --quiet\n");
    expect("replay --limit 3/s --entries one,two 99 - --json x", 0, "got: - --limit 3/s --entries one,two --json x\n");
    expect("replay 99 --help", 0, "--limit N/T            so many in a time");
    expect("replay 99 my.log --help", 0, "--of-what A|B");
    expect("replay --help", 0, "faultline replay LAB --help");
    expect("replay 99", 2, "faultline replay 99 --help");
}

Test(cli, replay_refuses_other_options)
{
    make_replay();
    expect("replay 99 my.log --limt 3", 2,
           "there is no option --limt; was --limit meant? Lab 99 takes --limit N/T, "
           "--of-what A|B, and those of every lab");
    expect("replay 99 my.log --entires a", 2, "was --entries meant?");
    expect("replay 99 my.log --unlike-any", 2, "there is no option --unlike-any. Lab 99 takes");
    expect("replay 99 my.log --debug", 2, "there is no option --debug"); /* of other commands */
    expect("replay 99 my.log --limit", 2, "--limit needs a value: --limit N/T");
    expect("replay 99 my.log more", 2, "one word too many");
    expect("check 99 --limit 3/s", 2, "there is no option --limit"); /* of replay alone */
    char words[200] = "replay 99 my.log";
    for (int i = 0; i < 17; i++)
        strcat(words, " --limit=3");
    expect(words, 2, "more than 16");
}

/* What stands on make's own command line in capitals is an option; what the Makefile knows, or the environment has, is
 * not. */
Test(cli, make_replay_passes_the_options_of_any_lab_on)
{
    const char *argv[] = {"env",
                          "-u",
                          "MAKEFLAGS",
                          "-u",
                          "MFLAGS",
                          "AWAY=1",
                          "make",
                          "-s",
                          "--eval=own-is: ; @echo got: $(own) end",
                          "own-is",
                          "LAB=03",
                          "NODES=10",
                          "B=build/none",
                          "OF_WHAT=a b",
                          "LIMIT=100/60s",
                          "TRACE=keys.txt",
                          "SEED=3",
                          NULL};
    struct process p = {.argv = argv, .wall_ms = 60000, .output_limit = 100000};
    struct process_result r;
    struct error err;
    cr_assert(process_run(&p, &r, &err) == 0, "%s", err.text);
    cr_assert(r.status == 0 && strstr(r.output, "--nodes 10") && strstr(r.output, "--of-what a b") &&
                  strstr(r.output, "--limit 100/60s") &&
                  strlen(strstr(r.output, "got:")) == strlen("got: --nodes 10 --of-what a b --limit 100/60s end\n"),
              "%s", r.output);
    process_result_free(&r);
}

Test(cli, gives_one_hint_at_a_time)
{
    make_project();
    expect("hint 99 --test first", 0, "1 of 3. hint one");
    expect("hint 99 --test easy", 0, "2 of 3. hint two");
    expect("hint 99 --test first", 0, "3 of 3. hint three");
    expect("hint 99 --test first", 0, "3 of 3. hint three");
}

Test(cli, resets_and_keeps_what_was_written)
{
    make_project();
    expect("reset 99", 0, "what you wrote is in mine.c.");
    expect("reset 99", 0, "is the starter already");
    char command[3 * FILE_PATH];
    snprintf(command, sizeof command,
             "grep -q starter %s/labs/99-tiny/mine.c && grep -q my_own_work %s/labs/99-tiny/mine.c.2*", root, root);
    cr_assert(system(command) == 0, "not as it should be: %s", command);
}

Test(cli, a_bad_lab_names_its_field_and_leaves_the_others_alone)
{
    make_project();
    write_text("labs/98-bad/lab.json", "{\"faultline\": 2}", 0644);
    expect("list", 0, "labs/98-bad/lab.json: faultline: must be an integer from 1 to 1");
    expect("list", 0, "9 points"); /* the other's */
    expect("list 99", 0, "First task");
    expect("check 99", 1, "Score: 3/7");
    expect("list 98", 2, "labs/98-bad/lab.json: faultline: must be an integer from 1 to 1");
    expect("check 98", 2, "labs/98-bad/lab.json: faultline: must be an integer from 1 to 1");
}

/* Kill -9 at any moment: the result is not there, or whole. */
Test(cli, killed_at_any_moment_it_leaves_no_half_result)
{
    make_project();
    char program[FILE_PATH], out[FILE_PATH];
    file_path(program, "%s/build/faultline", root);
    file_path(out, "%s/out.json", root);
    unsigned whole = 0;
    for (int round = 0; round < 40; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (!freopen("/dev/null", "w", stdout))
                _exit(127);
            execl(program, program, "check", "99", "--json", out, (char *)NULL);
            _exit(127);
        }
        usleep((useconds_t)(round * 2500));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        if (!file_exists(out))
            continue;
        json_t *json = json_load_file(out, 0, NULL);
        cr_assert(json && json_object_get(json, "score"), "half a result after %d us", round * 2500);
        json_decref(json);
        unlink(out);
        whole++;
    }
    cr_assert(whole > 0, "it was always killed before it wrote anything, so nothing was shown");
}
