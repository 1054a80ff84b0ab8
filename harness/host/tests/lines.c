/* Counting lines of memory: exact numbers for known ways to touch them, the same each time, and none that code can hide.
 *
 * What the frame of a run touches (the stack, the log) is the same whatever is counted, so each number is the
 * difference between a run that touches lines and one that does the same to none. */
#include "host/lines.h"
#include "compile.h"
#include "host/host.h"
#include "host/sandbox.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(lines, .timeout = 300);

/* The scenario is a word and a number. In two halves, since a string of C ends at 4095. */
static const char first_half[] =
    "#include \"host/plugin.h\"\n"
    "#include <errno.h>\n#include <sched.h>\n#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include "
    "<sys/mman.h>\n#include "
    "<unistd.h>\n"
    "#ifdef __x86_64__\n"
    "#define LINES 64\n"
    "#define A(...) __asm__ volatile(__VA_ARGS__ : \"memory\", \"cc\", \"rax\", \"rcx\", \"rdi\", \"rsi\", \"xmm0\", "
    "\"xmm1\", \"xmm2\")\n"
    "#define P(i) (place + 64 * (long)(i))\n"
    "static char memory[130 * 64] __attribute__((aligned(64)));\n"
    "static char *place = memory, *code;\n"
    "static __thread char own[LINES * 64] __attribute__((aligned(64)));\n"
    "static int is(const char *a, const char *b) { return strncmp(a, b, strlen(b)) == 0; }\n"
    "static void get(char *p) { A(\"movb (%0), %%al\" :: \"r\"(p)); }\n"
    "static char *page(int protection, const char *bytes, size_t n, size_t at)\n"
    "{\n"
    "    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
    "    memcpy(p + at, bytes, n);\n"
    "    if (munmap(p + 4096, 4096) || mprotect(p, 4096, protection)) _exit(9);\n"
    "    return p + at;\n"
    "}\n"
    /* Once the plugin is loaded there is no memory for code, so it is made while it is being loaded. */
    "static char *end, *unread, *changes, *low;\n"
    "__attribute__((constructor)) static void make(void)\n"
    "{\n"
    "    end = page(PROT_READ | PROT_EXEC, \"\\x8a\\x07\\xc3\", 3, 4093);\n"
    "    unread = page(PROT_EXEC, \"\\x8a\\x07\\xc3\", 3, 0);\n"
    "    changes = page(PROT_READ | PROT_WRITE | PROT_EXEC, \"\\x8a\\x87\\0\\0\\0\\0\\xc3\", 7, 0);\n"
    "    low = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);\n"
    "    memset(low, 0x90, 8192);\n"
    "}\n"
    "static void touch(const char *what, int i)\n"
    "{\n"
    "    if (is(what, \"read\") || is(what, \"again\")) get(P(i));\n"
    "    else if (is(what, \"write\")) A(\"movb $1, (%0)\" :: \"r\"(P(i)));\n"
    "    else if (is(what, \"across\")) A(\"movdqu (%0), %%xmm0\" :: \"r\"(P(2 * i) + 56));\n"
    "    else if (is(what, \"within\")) A(\"movdqu (%0), %%xmm0\" :: \"r\"(P(2 * i) + 48));\n"
    "    else if (is(what, \"prefetch\")) A(\"prefetcht0 (%0)\" :: \"r\"(P(i)));\n"
    "    else if (is(what, \"cmov\")) A(\"xor %%eax, %%eax\\n\\tcmovne (%0), %%rcx\" :: \"r\"(P(i)));\n"
    "    else if (is(what, \"atomic\")) A(\"lock xaddq %%rax, (%0)\" :: \"r\"(P(i)));\n"
    "    else if (is(what, \"scaled\")) A(\"movb -64(%0, %1, 8), %%al\" :: \"r\"(P(1)), \"r\"(8L * i));\n"
    "    else if (is(what, \"nop\")) A(\"nopw (%0)\\n\\tlea 5(%0), %%rax\\n\\tendbr64\" :: \"r\"(P(i)));\n"
    "    else if (is(what, \"bits\")) A(\"btsq %1, (%0)\" :: \"r\"(place), \"r\"(512L * i + 5));\n"
    "    else if (is(what, \"back\")) A(\"btl %1, (%0)\" :: \"r\"(P(LINES)), \"r\"(-512 * i - 1));\n"
    "    else if (is(what, \"xlat\")) A(\"mov %1, %%eax\\n\\txlat\" :: \"b\"(place), \"r\"(i % 4 * 64));\n"
    "    else if (is(what, \"fs\")) { char *zero; A(\"movq %%fs:0, %0\\n\\tmovb %%fs:(%1), %%al\" : \"=&r\"(zero) : "
    "\"r\"(own + 64 * i - (char *)__builtin_thread_pointer())); get(own + 64 * i); }\n"
    "    else if (is(what, \"low\")) { A(\"movb (%k0), %%al\" :: \"r\"(P(i))); get(P(i)); }\n"
    "    else if (is(what, \"rip\")) { A(\"movb memory+64(%%rip), %%al\" :: \"r\"(0)); get(memory + 64); }\n"
    "    else if (is(what, \"calls\")) ((void (*)(char *))code)(P(i));\n"
    "    else if (is(what, \"changes\")) { int d = 64 * i; memcpy(code + 2, &d, 4); ((void (*)(char *))code)(place); "
    "}\n"
    "    else if (is(what, \"gather\")) A(\"pcmpeqd %%xmm2, %%xmm2\\n\\tpxor %%xmm1, %%xmm1\\n\\tvpgatherdd %%xmm2, "
    "(%0, "
    "%%xmm1, 4), %%xmm0\" :: \"r\"(P(i)));\n"
    "}\n";
static const char second_half[] =
    "static void at_once(const char *what, int n)\n"
    "{\n"
    "    if (is(what, \"push\")) A(\"mov %0, %%rcx\\n1:\\tpush %%rcx\\n\\tsub $1, %%rcx\\n\\tjnz 1b\\n\\tlea (%%rsp, "
    "%0, "
    "8), %%rsp\" :: \"r\"(8L * n + 8));\n"
    "    else if (is(what, \"rep\")) A(\"mov %0, %%rcx\\n\\tmov %1, %%rsi\\n\\tmov %2, %%rdi\\n\\trep movsq\" :: "
    "\"r\"(8L "
    "* n), \"r\"(place), \"r\"(P(LINES)));\n"
    "    else if (is(what, \"none\")) A(\"mov %0, %%rdi\\n\\txor %%ecx, %%ecx\\n\\trep stosb\" :: \"r\"(P(n)));\n"
    "    else if (is(what, \"state\")) A(\"mov %0, %%rcx\\n\\tmov %1, %%rdi\\n1:\\tfxsave (%%rdi)\\n\\tadd $512, "
    "%%rdi\\n\\tsub $1, %%rcx\\n\\tjnz 1b\" :: \"r\"((long)n), \"r\"(place));\n"
    "    else if (is(what, \"yield\") && n) sched_yield();\n"
    "    else if (is(what, \"ss\") && n) A(\"movl %%ss, %%eax\\n\\tmovl %%eax, %%ss\\n\\tmovb (%0), %%al\" :: "
    "\"r\"(place));\n"
    "    else if (is(what, \"enter\") && n) A(\"push %%rbp\\n\\tenter $8, $3\\n\\tleave\\n\\tpop %%rbp\" :: "
    "\"r\"(place));\n"
    "    else if (is(what, \"narrow\") && n) A(\"pushq $0x23\\n\\tpush %0\\n\\tlretq\" :: \"r\"(code));\n"
    "    else if (is(what, \"unknown\") && n) A(\".byte 0x66, 0x0f, 0x1a, 0xe0\" :: \"r\"(place));\n"
    "    else if (is(what, \"null\") && n) get(NULL);\n"
    "    else if (is(what, \"trap\") && n) { raise(SIGTRAP); A(\"int3\" :: \"r\"(place)); }\n"
    "}\n"
    "static int run(const void *scenario, size_t size, struct decision_log *log, struct error *err)\n"
    "{\n"
    "    const char *what = scenario; (void)err; (void)size;\n"
    "    int n = atoi(strchr(what, ' ') + 1);\n"
    "    unsigned d = 7;\n"
    "    get(own);\n"
    "    if (is(what, \"calls-end\")) code = end;\n"
    "    if (is(what, \"calls-unread\")) code = unread;\n"
    "    if (is(what, \"changes\")) code = changes;\n"
    "    if (is(what, \"low\") || is(what, \"narrow\")) place = code = low;\n"
    "    if (is(what, \"state\")) place = mmap(NULL, 10 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, "
    "-1, "
    "0);\n"
    "    log_count_from_here();\n"
    "    for (int twice = 0; twice < 2; twice++) {\n"
    "        if (twice && is(what, \"again\")) log_count_from_here();\n"
    "        at_once(what, n);\n"
    "        for (int i = 0; i < n && !is(what, \"state\"); i++) touch(what, i);\n"
    "    }\n"
    "    log_append(log, &d);\n"
    "    return 0;\n"
    "}\n"
    "#endif\n#ifndef __x86_64__\n"
    "static int run(const void *scenario, size_t size, struct decision_log *log, struct error *err)\n"
    "{ (void)scenario, (void)size, (void)log, (void)err; return 0; }\n"
    "#endif\n"
    "PLUGIN_ENTRY(mine, \"mine\", \"what the scenario says\", run);\n";

static void compile_both(void)
{
    char text[sizeof first_half + sizeof second_half];
    snprintf(text, sizeof text, "%s%s", first_half, second_half);
    compile(text);
}

static struct host_outcome run(const char *what, bool lines)
{
    struct host_request how = {.world = world,
                               .plugin = plugin,
                               .entry = "mine",
                               .scenario = what,
                               .scenario_size = strlen(what) + 1,
                               .record_size = sizeof(unsigned),
                               .records = 1,
                               .count_limit = 1000000,
                               .count_lines = lines,
                               .limits = {.cpu_seconds = 5, .wall_ms = 20000, .memory_bytes = 256u << 20}};
    struct host_outcome o;
    host_run(&how, &o);
    host_outcome_free(&o);
    return o;
}

/* False where no lines can be counted. Then a run must say so, and nothing else. */
static bool counts(void)
{
    compile_both();
    struct host_outcome o = run("read 1", true);
    if (o.verdict != VERDICT_GRADER_FAULT)
        return true;
    const bool steps = run("read 1", false).verdict != VERDICT_GRADER_FAULT;
    cr_assert(strstr(o.sentence, "cannot tell: ") && strstr(o.sentence, "cannot be counted here"), "%s", o.sentence);
    cr_assert(!steps || (lines_impossible() && strstr(o.sentence, lines_impossible()) &&
                         strstr(o.sentence, "lines of memory")),
              "%s", o.sentence);
    printf("no lines of memory are counted here: %s\n", o.sentence);
    return false;
}

static long lines(const char *word, int n)
{
    char what[60];
    snprintf(what, sizeof what, "%s %d", word, n);
    struct host_outcome o = run(what, true);
    cr_assert(o.verdict == VERDICT_FINISHED && o.counted && o.lines > 0, "%s: %s: %s", what, verdict_name(o.verdict),
              o.sentence);
    return (long)o.lines;
}

/* So many more lines for 11 than for 1. */
static void expect(const char *word, long expected)
{
    const long few = lines(word, 1), many = lines(word, 11);
    cr_assert(many - few == expected, "%s: %ld lines and %ld, expected a difference of %ld", word, few, many, expected);
}

/* ---- the number ---- */

Test(lines, are_counted_once_however_often_they_are_touched)
{
    if (!counts())
        return;
    static const char *const each[] = {"read", "write", "prefetch", "cmov", "atomic",    "scaled",       "bits",
                                       "back", "push",  "fs",       "low",  "calls-end", "calls-unread", "changes"};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        expect(each[i], 10);
}

Test(lines, are_those_that_an_operand_lies_in)
{
    if (!counts())
        return;
    expect("within", 10);
    expect("across", 20);
    expect("rep", 20); /* read and written */
    expect("xlat", 3); /* 256 bytes is how far it reaches */
    expect("rip", 0);  /* one line, by whichever way */
    expect("nop", 0);
    expect("none", 0);
    if (__builtin_cpu_supports("avx2"))
        expect("gather", 2 * 4 * 10); /* too many rather than too few */
}

Test(lines, begin_anew_at_each_marker)
{
    if (!counts())
        return;
    expect("again", 20);
}

Test(lines, are_the_same_each_time)
{
    if (!counts())
        return;
    const long first = lines("rep", 3);
    for (int i = 0; i < 10; i++)
        cr_assert(lines("rep", 3) == first, "run %d: not %ld", i, first);
    cr_assert(first < 60, "the ends of a run touch %ld lines", first);
}

/* The name of the plugin is kept in memory in many places. Without namespaces it is another one inside too. */
Test(lines, do_not_depend_on_where_the_plugin_lies)
{
    if (!counts())
        return;
    if (!(sandbox_layers(NULL) & SANDBOX_NAMESPACES)) {
        cr_assert(true, "no namespaces here");
        return;
    }
    const long first = lines("rep", 3);
    char from[FILE_PATH], name[100] = "";
    struct error err;
    strcpy(from, plugin);
    for (size_t i = 0; i < 5; i++) {
        snprintf(name + strlen(name), sizeof name - strlen(name), "another-name-");
        file_path(plugin, "%.*s/%s.so", (int)(strrchr(from, '/') - from), from, name);
        cr_assert(file_copy(from, plugin, 1 << 20, &err) == 0, "%s", err.text);
        cr_assert(lines("rep", 3) == first, "%s: not %ld", plugin, first);
    }
}

Test(lines, are_not_counted_unless_asked_for)
{
    if (!counts())
        return;
    struct host_outcome without = run("read 10", false), with = run("read 10", true);
    cr_assert(without.verdict == VERDICT_FINISHED && without.counted && without.lines == 0, "%llu lines: %s",
              (unsigned long long)without.lines, without.sentence);
    cr_assert(with.instructions == without.instructions, "%llu instructions, with lines %llu",
              (unsigned long long)without.instructions, (unsigned long long)with.instructions);
}

/* ---- code that does not want to be seen ---- */

Test(lines, of_a_system_call_are_sixteen)
{
    if (!counts())
        return;
    const long more = lines("yield", 1) - lines("yield", 0);
    /* Made twice; who makes none compares a few words more. */
    cr_assert(more > 2 * 16 - 8 && more < 2 * 16 + 8, "two system calls are %ld lines", more);
}

static void expect_end(const char *what, enum verdict verdict, const char *word)
{
    struct host_outcome o = run(what, true);
    cr_assert(o.verdict == verdict && strstr(o.sentence, word), "%s: expected %s and \"%s\", got %s: %s", what,
              verdict_name(verdict), word, verdict_name(o.verdict), o.sentence);
}

Test(lines, cannot_be_hidden)
{
    if (!counts())
        return;
    expect_end("ss 1", VERDICT_FORBIDDEN_CALL, "hides which memory");
    expect_end("enter 1", VERDICT_FORBIDDEN_CALL, "hides which memory");
    struct host_outcome o = run("narrow 1", true); /* a kernel can be built without 32-bit code */
    cr_assert(o.verdict == VERDICT_FORBIDDEN_CALL || o.verdict == VERDICT_CRASHED, "%s", o.sentence);
    o = run("unknown 1", true); /* a processor without MPX does nothing here, one with it crashes */
    cr_assert((o.verdict == VERDICT_FORBIDDEN_CALL && strstr(o.sentence, "cannot be decoded")) ||
                  o.verdict == VERDICT_CRASHED,
              "%s", o.sentence);
}

Test(lines, end_a_run_that_touches_more_than_can_be_told_apart)
{
    if (!counts())
        return;
    cr_assert(lines("state", 11) - lines("state", 1) == 80, "fxsave writes 512 bytes");
    expect_end("state 17000", VERDICT_COST, "131072 different lines");
}

Test(lines, leave_the_other_ends_as_they_are)
{
    if (!counts())
        return;
    expect_end("null 1", VERDICT_CRASHED, "NULL");
    cr_assert(lines("trap", 1) >= lines("trap", 0), "traps make fewer lines");
}

/* ---- where nothing is counted ---- */

Test(lines, are_not_believed_without_the_filter_of_system_calls)
{
    compile_both();
    setenv("FAULTLINE_SANDBOX", "none", 1);
    struct host_outcome o = run("read 1", true);
    cr_assert(o.verdict == VERDICT_GRADER_FAULT && strstr(o.sentence, "cannot tell") && o.lines == 0, "%s: %s",
              verdict_name(o.verdict), o.sentence);
}
