/* Counting instructions: that the number is the same each time, that nothing of a submission makes it smaller, and that
 * a run ends as it would have ended without. */
#include "host/count.h"
#include "compile.h"
#include "host/host.h"
#include "host/sandbox.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(count, .timeout = 300);

/* The scenario is a word, a number and, when something is to come late, a text behind them. */
static const char source[] =
    "#include \"host/plugin.h\"\n"
    "#include <errno.h>\n#include <pthread.h>\n#include <setjmp.h>\n#include <signal.h>\n#include <stdio.h>\n#include "
    "<stdlib.h>\n"
    "#include <sys/ptrace.h>\n#include <unistd.h>\n"
    "static int is(const char *a, const char *b) { return strncmp(a, b, strlen(b)) == 0; }\n"
    "static volatile int zero, handled;\n"
    "static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;\n"
    "static void *nothing(void *p) { return p; }\n"
    "static void on_signal(int s) { (void)s; handled++; }\n"
    "static sigjmp_buf back;\n"
    "static void on_crash(int s) { (void)s; siglongjmp(back, 1); }\n"
    "static void loop(int n) { for (volatile int i = 0; i < n; i++) zero = 0; }\n"
    "static void keep(size_t all) { for (size_t n = 0; n < all; n += 1000) { char *m = malloc(1000); if (m) m[5] = 1; "
    "} "
    "}\n"
    "#ifdef __x86_64__\n"
    "static void trap(void) { __asm__ volatile(\"int3\\n\\tnop\"); }\n"
    "static void flag(void) { __asm__ volatile(\"pushf\\n\\torl $0x100,(%%rsp)\\n\\tpopf\\n\\tnop\\n\\tpushf\\n\\tandl "
    "$0xfffffeff,(%%rsp)\\n\\tpopf\" ::: \"memory\", \"cc\"); }\n"
    "static void tsc(void) { __asm__ volatile(\"rdtsc\" ::: \"rax\", \"rdx\"); }\n"
    "#else\n"
    "static void tsc(void) { }\n"
    "static void trap(void) { }\n"
    "static void flag(void) { }\n"
    "#endif\n"
    "#ifdef EARLY\n"
    "__attribute__((constructor)) static void early(void) { log_count_from_here(); }\n"
    "#endif\n"
    "static int run(const void *scenario, size_t size, struct decision_log *log, struct error *err)\n"
    "{\n"
    "    const char *what = scenario, *late = what + size - 5; (void)err;\n"
    "    int number = atoi(strchr(what, ' ') + 1);\n"
    "    unsigned d = 7; pthread_t t;\n"
    "    if (is(what, \"late\") && late[0] != 0) return -EIO;\n"
    "    if (is(what, \"handler\")) { signal(SIGTRAP, on_signal); signal(SIGUSR1, on_signal); }\n"
    "    if (is(what, \"before\")) for (;;) zero = 0;\n"
    "    if (is(what, \"dreams\")) pthread_mutex_lock(&lock), pthread_mutex_lock(&lock);\n"
    "    if (!is(what, \"never\")) log_count_from_here();\n"
    "    if (is(what, \"late\") && !is(late, \"late\")) return -EIO;\n"
    "    if (is(what, \"again\")) log_count_from_here();\n"
    /* A marker before each of five loops; the n-th turns round as often as the n-th late byte says. */
    "    if (is(what, \"stretches\")) { const char *turns = what + size - 5; loop(turns[0]); for (int i = 1; i < 5; "
    "i++) { if (turns[i]) return -EIO; log_count_from_here(); loop(turns[i]); } }\n"
    "    if (is(what, \"more\")) { for (int i = 0; i < 5; i++) log_count_from_here(); }\n"
    "    if (is(what, \"handler\")) { raise(SIGTRAP); trap(); flag(); if (handled) return -EIO; raise(SIGUSR1); if "
    "(handled != 1) return -EIO; }\n"
    "    if (is(what, \"traps\")) { raise(SIGTRAP); trap(); flag(); }\n"
    "    if (is(what, \"thread\")) pthread_create(&t, NULL, nothing, NULL);\n"
    "    if (is(what, \"ptrace\")) ptrace(PTRACE_TRACEME, 0, NULL, NULL);\n"
    "    if (is(what, \"null\")) *(int *)(size_t)zero = 1;\n"
    "    if (is(what, \"survives\")) { signal(SIGSEGV, on_crash); if (!sigsetjmp(back, 1)) *(int *)(size_t)zero = 1; "
    "}\n"
    "    if (is(what, \"tsc\")) tsc();\n"
    "    if (is(what, \"abort\")) abort();\n"
    "    if (is(what, \"exit\")) exit(0);\n"
    "    if (is(what, \"sleep\")) pthread_mutex_lock(&lock), pthread_mutex_lock(&lock);\n"
    "    if (is(what, \"endless\")) for (;;) zero = 0;\n"
    "    if (is(what, \"stack\")) for (int n = 0; n < number; n += 4096) ((volatile char "
    "*)__builtin_frame_address(0))[-n - 8192] = 1;\n"
    "    if (is(what, \"keep\")) keep((size_t)number);\n"
    "    else loop(number);\n"
    "    log_append(log, &d);\n"
    "    return 0;\n"
    "}\n"
    "PLUGIN_ENTRY(mine, \"mine\", \"what the scenario says\", run);\n";

#define LIMIT 30000u

static struct host_outcome run_with(const char *what, struct host_request how)
{
    how.world = world;
    how.plugin = plugin;
    how.entry = "mine";
    how.scenario = what;
    how.scenario_size = strlen(what) + 1;
    how.record_size = sizeof(unsigned);
    how.records = 1;
    if (how.limits.wall_ms == 0)
        how.limits = (struct host_limits){.cpu_seconds = 5, .wall_ms = 20000, .memory_bytes = 256u << 20};
    struct host_outcome o;
    host_run(&how, &o);
    host_outcome_free(&o);
    return o;
}

static struct host_outcome count(const char *what)
{
    return run_with(what, (struct host_request){.count_limit = LIMIT});
}

/* False where nothing can be counted. Then a run must say so, and nothing else. */
static bool counts(const char *text)
{
    compile(text);
    struct host_outcome o = count("loop 1");
    if (o.verdict != VERDICT_GRADER_FAULT)
        return true;
    bool expected = count_impossible() || !(sandbox_layers(NULL) & SANDBOX_SECCOMP) ||
                    strstr(o.sentence, "Operation not permitted") || strstr(o.sentence, "Function not implemented");
    cr_assert(expected && strstr(o.sentence, "cannot tell: instructions cannot be counted here"), "%s", o.sentence);
    return false;
}

static uint64_t counted(const char *what)
{
    struct host_outcome o = count(what);
    cr_assert(o.verdict == VERDICT_FINISHED && o.counted, "%s: %s: %s", what, verdict_name(o.verdict), o.sentence);
    return o.instructions;
}

static void expect(const char *what, enum verdict verdict, const char *word)
{
    struct host_outcome o = count(what);
    cr_assert(o.verdict == verdict && strstr(o.sentence, word), "%s: expected %s and \"%s\", got %s: %s", what,
              verdict_name(verdict), word, verdict_name(o.verdict), o.sentence);
}

/* ---- the number ---- */

Test(count, grows_exactly_with_what_is_done)
{
    if (!counts(source))
        return;
    uint64_t none = counted("loop 0"), some = counted("loop 100"), more = counted("loop 300");
    cr_assert(some > none && more - some == 2 * (some - none), "0, 100 and 300 rounds took %llu, %llu and %llu",
              (unsigned long long)none, (unsigned long long)some, (unsigned long long)more);
    cr_assert(none < 2000, "the ends of a run take %llu instructions", (unsigned long long)none);
}

static pid_t busy(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (volatile unsigned n = 0;; n++)
            ;
    return pid;
}

Test(count, is_the_same_each_time_on_a_busy_machine_too)
{
    if (!counts(source))
        return;
    uint64_t first = counted("loop 100");
    pid_t others[4] = {0};
    for (unsigned i = 0; i < 20; i++) {
        if (i == 10)
            for (unsigned k = 0; k < 4; k++)
                others[k] = busy();
        uint64_t again = counted("loop 100");
        cr_assert(again == first, "run %u: %llu instead of %llu", i, (unsigned long long)again,
                  (unsigned long long)first);
    }
    for (unsigned k = 0; k < 4; k++) {
        kill(others[k], SIGKILL);
        waitpid(others[k], NULL, 0);
    }
}

Test(count, does_not_get_smaller_by_traps_signals_or_further_markers)
{
    if (!counts(source))
        return;
    uint64_t plain = counted("loop 100");
    static const char *const games[] = {"again 100", "traps 100", "handler 100"};
    for (size_t i = 0; i < sizeof games / sizeof *games; i++) {
        uint64_t with = counted(games[i]);
        cr_assert(with > plain, "%s: %llu, without it %llu", games[i], (unsigned long long)with,
                  (unsigned long long)plain);
    }
}

Test(count, of_who_begins_it_early_is_larger)
{
    if (!counts(source))
        return;
    uint64_t plain = counted("loop 100");
    char early[sizeof source + 20];
    snprintf(early, sizeof early, "#define EARLY\n%s", source);
    compile(early);
    struct host_outcome o = count("loop 100");
    cr_assert(o.counted && o.instructions > plain && (o.verdict == VERDICT_FINISHED || o.verdict == VERDICT_COST),
              "%s: %llu, on time %llu", o.sentence, (unsigned long long)o.instructions, (unsigned long long)plain);
}

Test(count, is_not_made_unless_asked_for)
{
    compile(source);
    struct host_outcome o = run_with("loop 100", (struct host_request){0});
    cr_assert(o.verdict == VERDICT_FINISHED && !o.counted && o.instructions == 0, "%s: %s", verdict_name(o.verdict),
              o.sentence);
}

/* ---- the end ---- */

Test(count, has_a_limit_that_ends_the_run)
{
    if (!counts(source))
        return;
    struct host_outcome o = count("endless 0");
    cr_assert(o.verdict == VERDICT_COST && o.instructions == LIMIT && strstr(o.sentence, "stopped after 30000"),
              "%s: %s", verdict_name(o.verdict), o.sentence);
}

Test(count, leaves_the_other_ends_as_they_are)
{
    if (!counts(source))
        return;
    expect("null 0", VERDICT_CRASHED, "in run() at plugin.c:");
    expect("null 0", VERDICT_CRASHED, "NULL");
    expect("abort 0", VERDICT_CRASHED, "abort");
    expect("survives 0", VERDICT_CRASHED, "Segmentation fault");
    expect("exit 0", VERDICT_LEFT_EARLY, "exit code 0");
    expect("thread 0", VERDICT_FORBIDDEN_CALL, "a thread where instructions are counted");
    expect("ptrace 0", VERDICT_FORBIDDEN_CALL, "ptrace");
    expect("never 0", VERDICT_LEFT_EARLY, "before the part began whose instructions are counted");
}

Test(count, leaves_the_time_limits_as_they_are)
{
    if (!counts(source))
        return;
    struct host_request how = {.count_limit = 1000,
                               .limits = {.cpu_seconds = 1, .wall_ms = 60000, .memory_bytes = 256u << 20}};
    struct host_outcome o = run_with("before 0", how);
    cr_assert(o.verdict == VERDICT_CPU_TIME, "%s: %s", verdict_name(o.verdict), o.sentence);
    how.limits.wall_ms = 300;
    o = run_with("dreams 0", how);
    cr_assert(o.verdict == VERDICT_WALL_TIME && strstr(o.sentence, "300"), "%s: %s", verdict_name(o.verdict),
              o.sentence);
    o = run_with("sleep 0", how);
    cr_assert(o.verdict == VERDICT_WALL_TIME, "%s: %s", verdict_name(o.verdict), o.sentence);
}

Test(count, shows_the_end_of_the_scenario_at_the_marker_only)
{
    if (!counts(source))
        return;
    struct host_outcome o = run_with("late 0 late", (struct host_request){.count_limit = LIMIT, .late_bytes = 5});
    cr_assert(o.verdict == VERDICT_FINISHED && o.counted, "%s: %s", verdict_name(o.verdict), o.sentence);
    o = run_with("late 0 late", (struct host_request){.count_limit = LIMIT});
    cr_assert(o.verdict == VERDICT_WRONG, "%s: %s", verdict_name(o.verdict), o.sentence);
}

/* "stretches 0" and five bytes, each shown at its own marker. */
static struct host_outcome run_stretches(const char *what, const char turns[5], const struct host_stretch *stretch)
{
    char scenario[40];
    size_t size = (size_t)snprintf(scenario, sizeof scenario, "%s 0", what) + 1;
    memcpy(scenario + size, turns, 5);
    struct host_request how = {.world = world,
                               .plugin = plugin,
                               .entry = "mine",
                               .scenario = scenario,
                               .scenario_size = size + 5,
                               .record_size = sizeof(unsigned),
                               .records = 1,
                               .limits = {.cpu_seconds = 5, .wall_ms = 20000, .memory_bytes = 256u << 20},
                               .count_limit = LIMIT,
                               .late_bytes = 5,
                               .stretch = stretch,
                               .stretches = 5};
    struct host_outcome o;
    host_run(&how, &o);
    host_outcome_free(&o);
    return o;
}

static uint64_t stretches(const char turns[5], const char *counted)
{
    struct host_stretch stretch[5];
    for (int i = 0; i < 5; i++)
        stretch[i] = (struct host_stretch){.bytes = 1, .counted = counted[i] == '1'};
    struct host_outcome o = run_stretches("stretches", turns, stretch);
    cr_assert(o.verdict == VERDICT_FINISHED && o.counted, "%s: %s", verdict_name(o.verdict), o.sentence);
    return o.instructions;
}

Test(count, of_stretches_is_of_those_that_were_chosen)
{
    if (!counts(source))
        return;
    const char same[5] = {10, 10, 10, 10, 10}, second[5] = {10, 20, 10, 10, 10}, third[5] = {10, 10, 20, 10, 10};
    uint64_t ten = stretches(second, "11111") - stretches(same, "11111");
    cr_assert(ten > 0 && ten == stretches(third, "11111") - stretches(same, "11111"));
    cr_assert(stretches(second, "01000") - stretches(same, "01000") == ten);
    cr_assert(stretches(second, "10100") == stretches(same, "10100"), "a stretch was counted that was not chosen");
    cr_assert(stretches(third, "10100") - stretches(same, "10100") == ten);
}

Test(count, of_who_marks_stretches_himself_is_refused)
{
    if (!counts(source))
        return;
    const struct host_stretch stretch[5] = {{1, 0}, {1, 1}, {1, 0}, {1, 1}, {1, 0}};
    struct host_outcome o = run_stretches("more", (const char[5]){1, 1, 1, 1, 1}, stretch);
    cr_assert(o.verdict == VERDICT_FORBIDDEN_CALL && strstr(o.sentence, "where counting begins"), "%s: %s",
              verdict_name(o.verdict), o.sentence);
}

Test(count, has_no_clock_beside_it)
{
#ifdef __x86_64__
    if (!counts(source))
        return;
    expect("tsc 0", VERDICT_CRASHED, "Segmentation fault");
#else
    cr_assert(true, "no time-stamp counter");
#endif
}

Test(count, is_not_believed_without_the_filter_of_system_calls)
{
    compile(source);
    setenv("FAULTLINE_SANDBOX", "none", 1);
    struct host_outcome o = count("loop 1");
    cr_assert(o.verdict == VERDICT_GRADER_FAULT && strstr(o.sentence, "cannot tell") && !o.counted, "%s: %s",
              verdict_name(o.verdict), o.sentence);
}

/* ---- memory ---- */

Test(memory, that_can_be_written_has_a_limit_of_its_own)
{
    compile(source);
    if (!(sandbox_layers(NULL) & SANDBOX_LIMITS)) {
        cr_assert(true, "no limits here");
        return;
    }
    struct host_request how = {.data_bytes = 16u << 20};
    struct host_outcome o = run_with("keep 1000000", how);
    cr_assert(o.verdict == VERDICT_FINISHED, "%s: %s", verdict_name(o.verdict), o.sentence);
    o = run_with("keep 20000000", how); /* and goes on when it is refused */
    cr_assert(o.verdict == VERDICT_MEMORY && strstr(o.sentence, "16.0 MiB"), "%s: %s", verdict_name(o.verdict),
              o.sentence);
    o = run_with("stack 300000", how);
    cr_assert(o.verdict == VERDICT_FINISHED, "%s: %s", verdict_name(o.verdict), o.sentence);
    o = run_with("stack 4000000", how); /* kept below the stack pointer */
    cr_assert(o.verdict == VERDICT_CRASHED, "%s: %s", verdict_name(o.verdict), o.sentence);
}
