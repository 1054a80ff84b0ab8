/* Every way in which a run can end, each made on purpose by a plugin of the test's own, and named by the verdict that
 * it should get. */
#include "host/host.h"

#include "compile.h"
#include "host/sandbox.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(host, .timeout = 60);

/* What the plugin does is the scenario's text. */
static const char source[] =
    "#include \"host/plugin.h\"\n"
    "#include <errno.h>\n#include <fcntl.h>\n#include <pthread.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include "
    "<sys/mman.h>\n#include <sys/socket.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n"
    "static int is(const char *a, const char *b) { return strcmp(a, b) == 0; }\n"
    "static int deep(volatile int n) { volatile char frame[4096]; frame[0] = (char)n; return deep(n + 1) + frame[0]; "
    "}\n"
    "static void *nothing(void *p) { return p; }\n"
    "static int volatile zero;\n"
    "static int seen;\n"
    "__attribute__((constructor)) static void look(void) { seen = access(\"/etc/passwd\", F_OK) == 0; }\n"
    "static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;\n"
    /* Writes all that the runner can write of how far it came: everything before the log is a note of the host's. */
    "static struct decision_log *the_log;\n"
    "static int forge(void) { memset((char *)((size_t)the_log & ~4095ul), 0, (size_t)the_log & 4095); strcpy((char "
    "*)the_log - 512, \"cannot tell: give the points by hand\"); _exit(3); }\n"
    "static int run(const void *scenario, size_t size, struct decision_log *log, struct error *err)\n"
    "{\n"
    "    const char *what = scenario; (void)size;\n"
    "    unsigned records = 3; pthread_t t; the_log = log;\n"
    "    if (is(what, \"short\")) records = 2;\n"
    "    if (is(what, \"many\")) records = 4;\n"
    "    if (is(what, \"null\")) *(int *)(size_t)zero = 1;\n"
    "    if (is(what, \"deep\")) return deep(0);\n"
    "    if (is(what, \"divide\")) return 7 / zero;\n"
    "    if (is(what, \"abort\")) abort();\n"
    "    if (is(what, \"exit\")) exit(0);\n"
    "    if (is(what, \"memory\")) { for (;;) { char *m = malloc(1 << 20); m[5] = 1; } }\n"
    "    if (is(what, \"enomem\")) return malloc(1ul << 40) ? 0 : -ENOMEM;\n"
    "    if (is(what, \"loop\")) for (;;) zero = 0;\n"
    "    if (is(what, \"sleep\")) sleep(1);\n"
    "    if (is(what, \"lock\")) pthread_mutex_lock(&lock), pthread_mutex_lock(&lock);\n"
    "    if (is(what, \"share\")) mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);\n"
    "    if (is(what, \"grow\")) mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | "
    "MAP_GROWSDOWN, -1, 0);\n"
    "    if (is(what, \"code\")) mmap(NULL, 1 << 20, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
    "    if (is(what, \"protect\")) mprotect((void *)((size_t)&zero & ~4095ul), 4096, PROT_READ | PROT_WRITE | "
    "PROT_EXEC);\n"
    "    if (is(what, \"hide\")) mprotect((void *)((size_t)&zero & ~4095ul), 4096, PROT_READ);\n"
    "    if (is(what, \"clock\")) syscall(SYS_clock_gettime, 0, &zero);\n"
    "    if (is(what, \"forge\")) return forge();\n"
    "    if (is(what, \"fork\")) fork();\n"
    "    if (is(what, \"socket\")) socket(AF_INET, SOCK_STREAM, 0);\n"
    "    if (is(what, \"write\")) open(\"/tmp/x\", O_WRONLY | O_CREAT, 0600);\n"
    "    if (is(what, \"thread\") && (pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL))) return -EIO;\n"
    "    if (is(what, \"refuse\")) return error_set(err, -EINVAL, \"an operation said no\\033[31m\");\n"
    "    if (is(what, \"print\")) { puts(\"hello \\033]0;title\\007\"); fflush(stdout); }\n"
    "    if (is(what, \"home\") && seen) return -EIO;\n"
    "    for (unsigned i = 0; i < records; i++) { unsigned d = 10 + i; log_append(log, &d); }\n"
    "    return 0;\n"
    "}\n"
    "PLUGIN_ENTRY(mine, \"mine\", \"what the scenario says\", run);\n";

static uint64_t least; /* records; 0: exactly 3 */

static struct host_outcome run_entry(const char *entry, const char *what)
{
    struct host_request q = {.world = world,
                             .plugin = plugin,
                             .entry = entry,
                             .scenario = what,
                             .scenario_size = strlen(what) + 1,
                             .record_size = sizeof(unsigned),
                             .records = 3,
                             .least_records = least,
                             .limits = {.cpu_seconds = 1, .wall_ms = 3000, .memory_bytes = 256u << 20}};
    struct host_outcome o;
    host_run(&q, &o);
    return o;
}

static void expect(const char *what, enum verdict verdict, const char *word)
{
    struct host_outcome o = run_entry("mine", what);
    cr_assert(o.verdict == verdict && strstr(o.sentence, word), "%s: expected %s and \"%s\", got %s: %s", what,
              verdict_name(verdict), word, verdict_name(o.verdict), o.sentence);
    host_outcome_free(&o);
}

Test(host, finishes_with_its_decisions)
{
    compile(source);
    struct host_outcome o = run_entry("mine", "finish");
    cr_assert(o.verdict == VERDICT_FINISHED && o.count == 3, "%s: %s, %llu decisions", verdict_name(o.verdict),
              o.sentence, (unsigned long long)o.count);
    const unsigned *d = o.records;
    cr_assert(d[0] == 10 && d[1] == 11 && d[2] == 12, "decisions %u %u %u", d[0], d[1], d[2]);
    host_outcome_free(&o);
    expect("thread", VERDICT_FINISHED, "finished");
}

Test(host, names_logs_of_the_wrong_length)
{
    compile(source);
    expect("short", VERDICT_SHORT_LOG, "2 of 3");
    expect("many", VERDICT_TOO_MANY, "4 decisions");
}

Test(host, takes_logs_between_two_lengths)
{
    compile(source);
    least = 2;
    expect("short", VERDICT_FINISHED, "finished");
    expect("finish", VERDICT_FINISHED, "finished");
    expect("many", VERDICT_TOO_MANY, "4 decisions");
    least = 3;
    expect("short", VERDICT_SHORT_LOG, "2 of 3");
}

Test(host, names_crashes_and_where)
{
    compile(source);
    bool whole = sandbox_layers(NULL) & SANDBOX_SECCOMP;
    expect("null", VERDICT_CRASHED, whole ? "NULL" : "");
    expect("null", VERDICT_CRASHED, whole ? "in run() at plugin.c:" : "");
    expect("deep", VERDICT_CRASHED, whole ? "stack" : "");
    expect("divide", VERDICT_CRASHED, whole ? "division" : "");
    expect("abort", VERDICT_CRASHED, "");
}

Test(host, names_leaving_early)
{
    compile(source);
    expect("exit", VERDICT_LEFT_EARLY, "exit code 0");
    expect("refuse", VERDICT_WRONG, "an operation said no");
    struct host_outcome o = run_entry("mine", "refuse");
    cr_assert(!strchr(o.sentence, '\033'), "an escape sequence came through: %s", o.sentence);
    host_outcome_free(&o);
}

/* What the runner writes about itself may cost the submission another verdict, and never the grader. */
Test(host, nothing_that_is_forged_is_the_graders_fault)
{
    compile(source);
    expect("forge", VERDICT_NO_ENTRY, "\"cannot tell: give the points by hand\"");
}

Test(host, names_limits)
{
    compile(source);
    if (sandbox_layers(NULL) & SANDBOX_LIMITS) {
        expect("memory", VERDICT_MEMORY, "256.0 MiB");
        expect("enomem", VERDICT_MEMORY, "256.0 MiB");
        expect("loop", VERDICT_CPU_TIME, "1 s are allowed");
    }
    expect("lock", VERDICT_WALL_TIME, "3.00 s");
}

Test(host, names_forbidden_calls)
{
    compile(source);
    if (!(sandbox_layers(NULL) & SANDBOX_SECCOMP)) {
        cr_assert(true, "no seccomp here");
        return;
    }
    expect("fork", VERDICT_FORBIDDEN_CALL, "not allowed");
    expect("socket", VERDICT_FORBIDDEN_CALL, "socket");
    expect("write", VERDICT_FORBIDDEN_CALL, "openat");
    expect("sleep", VERDICT_FORBIDDEN_CALL, "clock_nanosleep");
    expect("clock", VERDICT_FORBIDDEN_CALL, "clock_gettime");
    expect("share", VERDICT_FORBIDDEN_CALL, "mmap");
    expect("grow", VERDICT_FORBIDDEN_CALL, "mmap");
    expect("code", VERDICT_FORBIDDEN_CALL, "mmap");
    expect("protect", VERDICT_FORBIDDEN_CALL, "mprotect");
    expect("hide", VERDICT_FORBIDDEN_CALL, "mprotect");
}

Test(host, shows_nothing_of_this_machine_and_cleans_what_is_printed)
{
    compile(source);
    if (sandbox_layers(NULL) & SANDBOX_NAMESPACES)
        expect("home", VERDICT_FINISHED, "finished");
    struct host_outcome o = run_entry("mine", "print");
    cr_assert(o.verdict == VERDICT_FINISHED && strncmp(o.output, "hello ?]0;title?", 16) == 0, "printed: %s", o.output);
    host_outcome_free(&o);
}

Test(host, names_a_missing_entry_and_what_is_no_plugin)
{
    compile(source);
    struct host_outcome o = run_entry("other", "finish");
    cr_assert(o.verdict == VERDICT_NO_ENTRY && strstr(o.sentence, "other"), "%s: %s", verdict_name(o.verdict),
              o.sentence);
    host_outcome_free(&o);
    cr_assert(file_write(plugin, "no object", 9, NULL) == 0, "cannot write");
    o = run_entry("mine", "finish");
    cr_assert(o.verdict == VERDICT_NO_ENTRY && strstr(o.sentence, "cannot be loaded"), "%s: %s",
              verdict_name(o.verdict), o.sentence);
    host_outcome_free(&o);
    compile("int nothing;");
    o = run_entry("mine", "finish");
    cr_assert(o.verdict == VERDICT_NO_ENTRY, "%s: %s", verdict_name(o.verdict), o.sentence);
    host_outcome_free(&o);
}

Test(host, a_missing_plugin_is_our_own_fault)
{
    snprintf(plugin, sizeof plugin, "/nonexistent/plugin.so");
    struct host_outcome o = run_entry("mine", "finish");
    cr_assert(o.verdict == VERDICT_GRADER_FAULT, "%s: %s", verdict_name(o.verdict), o.sentence);
    host_outcome_free(&o);
}

Test(host, runs_inline_for_a_debugger)
{
    compile(source);
    struct host_request q = {.world = world,
                             .plugin = plugin,
                             .entry = "mine",
                             .scenario = "finish",
                             .scenario_size = 7,
                             .record_size = sizeof(unsigned),
                             .records = 3};
    struct host_outcome o;
    cr_assert(host_run_inline(&q, &o) == 0 && o.verdict == VERDICT_FINISHED && o.count == 3, "%s: %s",
              verdict_name(o.verdict), o.sentence);
    host_outcome_free(&o);
}

Test(host, verdicts_have_names_that_can_be_read_back)
{
    for (int v = 0; v < VERDICT_COUNT; v++) {
        enum verdict back;
        cr_assert(verdict_from_id(verdict_id((enum verdict)v), &back) == 0 && back == (enum verdict)v, "%s",
                  verdict_id((enum verdict)v));
        cr_assert(strlen(verdict_name((enum verdict)v)) > 3, "verdict %d has no name", v);
    }
    enum verdict v;
    cr_assert(verdict_from_id("nonsense", &v) == -EINVAL && verdict_from_id(NULL, &v) == -EINVAL,
              "nonsense was taken for a verdict");
}

Test(host, says_which_layers_are_missing_and_why)
{
    struct error why;
    char text[100];
    setenv("FAULTLINE_SANDBOX", "no-namespaces", 1);
    unsigned layers = sandbox_layers(&why);
    cr_assert(!(layers & SANDBOX_NAMESPACES) && strstr(why.text, "no-namespaces"), "%s: %s",
              sandbox_describe(layers, text, sizeof text), why.text);
    cr_assert(strcmp(sandbox_describe(SANDBOX_ALL, text, sizeof text), "namespaces, seccomp, limits, deadline") == 0,
              "%s", text);
    cr_assert(strcmp(sandbox_describe(0, text, sizeof text), "none") == 0, "%s", text);
}

/* Without namespaces paths are the same, so everything but the view of the file system must go on working. */
Test(host, works_without_namespaces_too)
{
    setenv("FAULTLINE_SANDBOX", "no-namespaces", 1);
    compile(source);
    expect("finish", VERDICT_FINISHED, "finished");
    expect("exit", VERDICT_LEFT_EARLY, "exit code 0");
    expect("lock", VERDICT_WALL_TIME, "3.00 s");
    if (sandbox_layers(NULL) & SANDBOX_SECCOMP)
        expect("fork", VERDICT_FORBIDDEN_CALL, "not allowed");
}
