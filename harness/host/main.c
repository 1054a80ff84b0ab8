/* faultline-host: the process that runs an entry.
 *
 *     faultline-host WORLD PLUGIN ENTRY CPU_SECONDS MEMORY_BYTES SECCOMP COUNT_LIMIT LATE_BYTES WALL_MS DATA_BYTES LINES STRETCHES
 *     faultline-host --compile CPU_SECONDS MEMORY_BYTES FILE_BYTES SECCOMP COMPILER ARGUMENT...
 *
 * The second form sets limits and starts a compiler. The first is started by host_run with three descriptors
 * (shared.h), inside the sandbox, as process 1. It splits in two. The supervisor waits and reports how the runner
 * ended; it holds the only descriptor that is believed. The runner loads the lab's world, whose calls are bound for good
 * then, gives up every right it can, and only then loads the plugin, because a shared object may run code of its own
 * while it is being loaded. Once it is there, the rights that loading took go too. With a COUNT_LIMIT above 0 the
 * supervisor also counts the runner's instructions: count.h.
 */
#include "host/count.h"
#include "host/host.h"
#include "host/lines.h"
#include "host/plugin.h"
#include "host/sandbox.h"
#include "host/shared.h"
#include "host/watchdog.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static struct host_note *note; /* shared; global because a signal handler and malloc write to it */
static const char *plugin_path;

/* ---- malloc, to know afterwards that memory was refused ---- */

#if !SANDBOX_SANITIZED
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static void *noted(void *p, size_t size)
{
    if (!p && size && note)
        note->refused = size;
    return p;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    return noted(__libc_malloc(size), size);
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t size)
{
    return noted(__libc_calloc(n, size), n && size ? (size > SIZE_MAX / n ? SIZE_MAX : n * size) : 0);
}

__attribute__((visibility("default"))) void *realloc(void *old, size_t size)
{
    return noted(__libc_realloc(old, size), size);
}
#endif

/* ---- crashes: note what and where, then die of the same signal (SA_RESETHAND: a second fault, in the handler, ends
 * it) ------------------------------------------------------------- */

static void note_frames(const ucontext_t *context)
{
    void *frames[64];
    int n = backtrace(frames, 64);
#if defined __x86_64__
    void *at = (void *)context->uc_mcontext.gregs[REG_RIP];
    note->stack = (uint64_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined __aarch64__
    void *at = (void *)context->uc_mcontext.pc;
    note->stack = context->uc_mcontext.sp;
#else
    void *at = NULL;
    (void)context;
#endif
    note->frames = 0;
    for (int i = -1; i < n && note->frames < NOTE_FRAMES; i++) {
        Dl_info info;
        void *address = i < 0 ? at : frames[i];
        if (!address || (i >= 0 && address == at) || !dladdr(address, &info) || !info.dli_fname ||
            strcmp(info.dli_fname, plugin_path) != 0)
            continue;
        /* A return address points behind the call; one byte back is inside it. */
        note->frame[note->frames++] = (uint64_t)((char *)address - (char *)info.dli_fbase) - (address == at ? 0 : 1);
    }
}

static void on_crash(int signal_number, siginfo_t *info, void *context)
{
    note->signal = signal_number;
    note->address = (uint64_t)(uintptr_t)info->si_addr;
    if (signal_number == SIGSYS)
        note->call = info->si_syscall;
    note_frames(context);
    raise(signal_number);
}

static void watch_crashes(void)
{
    static char stack[65536];
    void *warm[2];
    backtrace(warm, 2); /* loads what it needs now, while it still may */
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = (int)(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND)};
        sigaction(signals[i], &action, NULL);
    }
}

/* ---- the runner ---- */

static void *map(int fd, int protection, int flags, size_t *size)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return MAP_FAILED;
    *size = (size_t)st.st_size;
    return mmap(NULL, *size, protection, flags, fd, 0);
}

/* To the supervisor: what is said before the plugin is loaded is believed, so the pipe is closed then. */
static int report = -1;

_Noreturn static void give_up(const char *what)
{
    _exit(write(report, what, strlen(what)) > 0 ? EXIT_CANNOT_TELL : EXIT_WRONG_USE);
}

static void say_loading(void)
{
    if (write(report, "", 1) != 1)
        _exit(EXIT_CANNOT_TELL);
    close(report);
}

_Noreturn static void leave(const char *why)
{
    snprintf(note->message, sizeof note->message, "%s", why);
    _exit(EXIT_CANNOT_TELL);
}

struct order {
    const char *world, *entry;
    struct sandbox_limits limits;
    bool seccomp;
    struct count_order count; /* limit 0: nothing is counted */
    void *scenario;           /* [size] */
    size_t size;
};

static void join_count(const struct order *o)
{
    const char *why = count_impossible();
    if (!why && !o->seccomp)
        why = "it takes the system-call filter, which does not work here";
    bool lines = !why && o->count.lines && lines_impossible();
    why = lines ? lines_impossible() : why;
    int code = why ? 0 : count_join();
    char message[300];
    snprintf(message, sizeof message, "cannot tell: %s cannot be counted here: %s",
             lines ? "lines of memory" : "instructions", why ? why : strerror(-code));
    if (why || code)
        give_up(message);
}

_Noreturn static void run(const struct order *o, struct host_shared *shared)
{
    bool counting = o->count.limit > 0;
    if (counting)
        join_count(o);
    if (counting && o->count.lines)
        prctl(PR_SET_DUMPABLE, 1); /* or not even its tracer may read its instructions */
    close(HOST_FD_STATUS);
    close(HOST_FD_SHARED);
    close(HOST_FD_SCENARIO);
    watch_crashes();
#ifdef PR_SET_TSC
    if (counting) /* single steps are slow, which a clock would show */
        prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
#endif
    void *handle = dlopen(o->world, RTLD_NOW | RTLD_LOCAL);
    const struct plugin_world *world = handle ? dlsym(handle, "faultline_world") : NULL;
    if (!world || world->abi != PLUGIN_ABI)
        give_up(handle ? "the lab's world is of another version: run make build" : dlerror());
    if (sandbox_limit(&o->limits) < 0 ||
        (o->seccomp && sandbox_seccomp(counting ? SANDBOX_COUNT : SANDBOX_COMPUTE) < 0))
        give_up("limits cannot be set");

    say_loading();
    note->stage = STAGE_LOADING;
    note->call = -1;
    handle = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
    const struct plugin_entries *entries = handle ? dlsym(handle, "faultline_entries") : NULL;
    if (!entries || entries->abi != PLUGIN_ABI || (o->seccomp && sandbox_seccomp(SANDBOX_LOADED) < 0))
        leave(entries ? "it is of another version: build it again" : handle ? "it is no plugin" : dlerror());
    const struct plugin plugin = {world->lab, entries->first, entries->last, world};
    struct error err = {""};
    note->stage = STAGE_RUNNING;
    /* The stack begins below the words of the command line, a path among them. To have the same lines wherever the
     * project lies, the entry finds it at the beginning of a page. */
    volatile char above[(uintptr_t)__builtin_frame_address(0) % 4096 + 1];
    above[0] = 0;
    (void)above[0];
    note->run_code = world->run(&plugin, o->entry, o->scenario, o->size, &shared->log, &err);
    if (note->run_code) /* or copying it would be counted */
        snprintf(note->message, sizeof note->message, "%.500s", err.text);
    note->stage = STAGE_RETURNED;
    shared->log.finished = note->run_code == 0;
    fflush(NULL);
    _exit(EXIT_FINE);
}

/* ---- the supervisor ---- */

static void wait_for(pid_t runner, struct host_status *status, struct rusage *usage)
{
    /* As process 1 it also inherits what the runner leaves behind; only the runner's end counts. */
    for (pid_t pid; (pid = wait4(-1, &status->wait_status, 0, usage)) != runner;)
        if (pid < 0 && errno != EINTR) {
            status->trouble = -errno;
            break;
        }
}

/* What the runner said before it loaded the plugin: a NUL when it came so far, else why it did not. */
static void read_report(int from, struct host_status *status)
{
    ssize_t n = read(from, status->failed, sizeof status->failed - 1);
    status->loading = n > 0 && status->failed[0] == '\0';
    if (n <= 0)
        snprintf(status->failed, sizeof status->failed, "it ended before it came to load the plugin");
}

static int supervise(pid_t runner, const struct count_order *count, uint64_t wall_ms, int from)
{
    struct host_status status = {.magic = HOST_STATUS_MAGIC};
    struct rusage usage = {0};
    status.trouble = watchdog_start(runner, wall_ms ? wall_ms : 1);
    if (status.trouble)
        kill(runner, SIGKILL);
    if (count->limit)
        count_supervise(runner, count, &status, &usage);
    else
        wait_for(runner, &status, &usage);
    if (watchdog_killed())
        status.stopped = STOPPED_IDLE;
    read_report(from, &status);
    status.cpu_ns = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
                    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
    status.peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    return write(HOST_FD_STATUS, &status, sizeof status) == (ssize_t)sizeof status ? EXIT_FINE : EXIT_CANNOT_TELL;
}

_Noreturn static void compile(char **argv)
{
    struct sandbox_limits limits = {.cpu_seconds = strtoull(argv[0], NULL, 10),
                                    .memory_bytes = strtoull(argv[1], NULL, 10),
                                    .file_bytes = strtoull(argv[2], NULL, 10)};
    if (sandbox_limit(&limits) < 0 || (argv[3][0] == '1' && sandbox_seccomp(SANDBOX_COMPILE) < 0)) {
        fputs("limits cannot be set\n", stderr);
        _exit(EXIT_CANNOT_TELL);
    }
    execvp(argv[4], argv + 4);
    fprintf(stderr, "%s: cannot be started: %s\n", argv[4], strerror(errno));
    _exit(EXIT_CANNOT_TELL);
}

/* The scenario; when instructions are counted without its last `late` bytes, which come at the marker, in memory that
 * supervisor and runner share. */
static int take_scenario(struct order *o, size_t late, uint32_t stretches)
{
    if (o->count.limit == 0) {
        o->scenario = map(HOST_FD_SCENARIO, PROT_READ, MAP_PRIVATE, &o->size);
        return o->scenario == MAP_FAILED ? -errno : 0;
    }
    struct stat st;
    if (fstat(HOST_FD_SCENARIO, &st) < 0 || late + stretches * sizeof(struct host_stretch) > (size_t)st.st_size)
        return -EINVAL;
    o->size = (size_t)st.st_size - stretches * sizeof(struct host_stretch);
    o->count.stretches = stretches;
    o->scenario = mmap(NULL, o->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    size_t early = o->size - late;
    if (o->scenario == MAP_FAILED || pread(HOST_FD_SCENARIO, o->scenario, early, 0) != (ssize_t)early)
        return -EIO;
    o->count.late = (unsigned char *)o->scenario + early;
    o->count.late_size = late;
    o->count.late_at = (off_t)early;
    return 0;
}

/* What single steps cost the runner itself, at most; the wall-clock limit allows for the rest. */
#define STEPS_A_CPU_SECOND 20000u

int main(int argc, char **argv)
{
    if (argc >= 7 && strcmp(argv[1], "--compile") == 0)
        compile(argv + 2);
    if (argc != 13) {
        fputs("faultline-host is started by the judge; a person wants: faultline check --help\n", stderr);
        return EXIT_WRONG_USE;
    }
    plugin_path = argv[2];
    struct order order = {.world = argv[1],
                          .entry = argv[3],
                          .limits = {.cpu_seconds = strtoull(argv[4], NULL, 10),
                                     .memory_bytes = strtoull(argv[5], NULL, 10),
                                     .data_bytes = strtoull(argv[10], NULL, 10),
                                     .file_bytes = 1 << 20},
                          .seccomp = argv[6][0] == '1',
                          .count = {.limit = strtoull(argv[7], NULL, 10), .lines = argv[11][0] == '1'}};
    if (order.count.limit) {
        order.limits.cpu_later = order.limits.cpu_seconds + order.count.limit / STEPS_A_CPU_SECOND + 1;
        order.count.cpu_seconds = order.limits.cpu_later;
        count_settle(argv);
    }
    size_t size;
    struct host_shared *shared = map(HOST_FD_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, &size);
    if (shared == MAP_FAILED ||
        take_scenario(&order, strtoull(argv[8], NULL, 10), (uint32_t)strtoul(argv[12], NULL, 10)) < 0)
        return EXIT_CANNOT_TELL;
    note = &shared->note;
    prctl(PR_SET_DUMPABLE, 0); /* nobody inside may look at this process, or at its descriptors */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t supervisor = getpid();
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
        return EXIT_CANNOT_TELL;
    pid_t runner = fork();
    if (runner == 0) {
        close(pipes[0]);
        report = pipes[1];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != supervisor)
            _exit(EXIT_CANNOT_TELL);
        run(&order, shared);
    }
    munmap(shared, size);
    note = NULL;
    close(HOST_FD_SHARED);
    close(pipes[1]);
    if (runner < 0)
        return EXIT_CANNOT_TELL;
    return supervise(runner, &order.count, strtoull(argv[9], NULL, 10), pipes[0]);
}
