/* Counting by single steps. What is counted, and why so, is in count.h.
 *
 * Each stop of the runner after the marker is one, whatever the reason: a step, or a signal on its way. A signal is
 * handed on; SIGTRAP alone is not, as a step and a SIGTRAP of the runner's own making look alike. It can set the trap
 * flag, run int3 or raise the signal: each is one more in the count and nothing else.
 *
 * At a signal that means a crash the counting ends and the run has crashed, whatever it does then. The handler that
 * notes where takes a quarter of a million instructions, too many to step through, and who handles the signal itself
 * would go on uncounted.
 *
 * On arm64 an exception between a load-exclusive and its store-exclusive makes the store fail, so a loop of these never
 * ends under single steps. Processors with atomic instructions (LSE) don't need such loops, and the compiler's and the
 * C library's atomics use them where they are there; without them nothing is counted.
 */
#include "host/count.h"

#include "host/host.h"
#include "host/lines.h"
#include "host/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined __aarch64__ && !defined HWCAP_ATOMICS
#define HWCAP_ATOMICS (1 << 8)
#endif

const char *count_impossible(void)
{
#if SANDBOX_SANITIZED
    return "a build with a sanitizer counts the sanitizer's instructions too, and has no filter to hold the marker";
#elif defined __x86_64__
    return NULL;
#elif defined __aarch64__
    return getauxval(AT_HWCAP) & HWCAP_ATOMICS ? NULL : "this processor has no atomic instructions (LSE)";
#else
    return "single steps are prepared for x86-64 and arm64 alone";
#endif
}

void count_settle(char **argv)
{
    if (!getenv("FAULTLINE_SETTLED")) {
        int now = personality(0xffffffff);
        if (now >= 0)
            personality((unsigned long)now | ADDR_NO_RANDOMIZE);
        setenv("FAULTLINE_SETTLED", "1", 1);
        setenv("LD_BIND_NOW", "1", 1); /* or the first call of a library's function costs what looking it up costs */
        execv(argv[0], argv);
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    int cpu = sched_getcpu();
    if (cpu >= 0 && cpu < CPU_SETSIZE) {
        CPU_SET((unsigned)cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
    }
}

int count_join(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0 ? -errno : 0;
}

/* ---- the supervisor ---- */

/* Puts the next bytes in their place that were held back. */
static int give_late(const struct count_order *order, size_t bytes)
{
    static size_t given;
    if (bytes > order->late_size - given)
        return -EINVAL;
    for (size_t end = given + bytes; given < end;) {
        ssize_t n = pread(HOST_FD_SCENARIO, order->late + given, end - given, order->late_at + (off_t)given);
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        given += (size_t)n;
    }
    return 0;
}

/* The stretch that begins at the next marker. A marker too many begins one that is counted; the judge sees their number. */
static int next_stretch(const struct count_order *order, const struct host_status *status, struct host_stretch *stretch)
{
    const off_t at = order->late_at + (off_t)order->late_size + (off_t)(status->markers * sizeof *stretch);
    *stretch = (struct host_stretch){.bytes = status->markers ? 0 : order->late_size, .counted = 1};
    if (order->stretches == 0 || status->markers >= order->stretches)
        return 0;
    return pread(HOST_FD_SCENARIO, stretch, sizeof *stretch, at) == (ssize_t)sizeof *stretch ? 0 : -EIO;
}

/* 0 or -errno; *counting: whether the stretch that begins is counted. */
static int reach_marker(pid_t runner, const struct count_order *order, struct host_status *status, bool *counting)
{
    struct host_stretch stretch;
    int code = next_stretch(order, status, &stretch);
    if (code == 0)
        code = give_late(order, stretch.bytes);
    *counting = stretch.counted;
    struct rlimit cpu = {order->cpu_seconds, order->cpu_seconds};
    if (code == 0 && !status->counted && prlimit(runner, RLIMIT_CPU, &cpu, NULL) < 0)
        code = -errno;
    status->counted = 1;
    status->markers++;
    return code;
}

/* What a stop is, from the status that wait gave. */
static bool is_marker(int stop)
{
    return stop >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
}

static bool is_crash(int signal_number)
{
    return signal_number == SIGSEGV || signal_number == SIGBUS || signal_number == SIGFPE || signal_number == SIGILL ||
           signal_number == SIGABRT || signal_number == SIGSYS;
}

/* Before the instruction that comes next. */
static int count_lines(pid_t runner, bool marker, struct host_status *status)
{
    static struct lines *lines;
    if (!lines && !(lines = lines_create()))
        return -ENOMEM;
    if (marker)
        lines_forget(lines);
    int fresh = lines_step(lines, runner);
    if (fresh == -E2BIG || fresh == -EPERM || fresh == -EILSEQ) {
        status->stopped = fresh == -E2BIG ? STOPPED_LINES : fresh == -EPERM ? STOPPED_HIDES : STOPPED_UNKNOWN;
        kill(runner, SIGKILL);
        return 0;
    }
    if (fresh == -ESRCH) /* killed meanwhile */
        return 0;
    status->lines += fresh > 0 ? (uint64_t)fresh : 0;
    return fresh < 0 ? fresh : 0;
}

/* Handles one stop and lets the runner go on. 0 or -errno. */
static int on_stop(pid_t runner, int stop, const struct count_order *order, struct host_status *status)
{
    static bool counting;
    int signal_number = WSTOPSIG(stop), code = 0;
    if (is_marker(stop)) {
        code = reach_marker(runner, order, status, &counting);
        signal_number = 0;
    } else if (counting && !status->crashed) {
        status->instructions++;
        if (is_crash(signal_number))
            status->crashed = signal_number;
        if (status->instructions >= order->limit) {
            status->stopped = STOPPED_LIMIT;
            kill(runner, SIGKILL);
            return 0;
        }
    }
    bool stepping = counting && !status->crashed;
    if (stepping && code == 0 && order->lines)
        code = count_lines(runner, is_marker(stop), status);
    if (status->counted && signal_number == SIGTRAP)
        signal_number = 0;
    if (code == 0 && ptrace(stepping ? PTRACE_SINGLESTEP : PTRACE_CONT, runner, NULL, signal_number) < 0 &&
        errno != ESRCH) /* killed meanwhile */
        code = -errno;
    return code;
}

void count_supervise(pid_t runner, const struct count_order *order, struct host_status *status, struct rusage *usage)
{
    int code = 0, stop = 0;
    bool joined = false;
    for (;;) {
        pid_t pid = wait4(-1, &stop, __WALL, usage);
        if (pid < 0 && errno != EINTR) {
            code = -errno;
            break;
        }
        if (pid != runner)
            continue; /* as process 1 it also inherits what the runner leaves behind */
        if (!WIFSTOPPED(stop))
            break;
        if (!joined && WSTOPSIG(stop) == SIGSTOP) {
            joined = true;
            if (ptrace(PTRACE_SETOPTIONS, runner, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP) < 0 ||
                ptrace(PTRACE_CONT, runner, NULL, 0) < 0)
                code = -errno;
        } else {
            code = on_stop(runner, stop, order, status);
        }
        if (code) {
            kill(runner, SIGKILL);
            status->trouble = code;
        }
    }
    status->wait_status = stop;
    if (code && !status->trouble)
        status->trouble = code;
    if (status->counted && status->instructions == 0) /* the kernel took the order and made no steps */
        status->trouble = -ENOSYS;
}
