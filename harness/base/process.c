/* process.c: runs one child program, takes what it prints, and never waits for it longer than it was told to. */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t process_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Keeps the first half and the last half of a stream in one buffer; the second half is a ring. */
struct keeper {
    char *data;
    size_t half, limit;
    uint64_t total;
    bool first_only;
};

static void keep(struct keeper *k, const char *bytes, size_t n)
{
    const size_t ring = k->limit - k->half;
    if (ring == 0)
        return;
    for (size_t i = 0; i < n; i++, k->total++) {
        if (k->total < (k->first_only ? k->limit : k->half))
            k->data[k->total] = bytes[i];
        else if (!k->first_only)
            k->data[k->half + (size_t)((k->total - k->half) % ring)] = bytes[i];
    }
}

static char *kept(const struct keeper *k, size_t *size)
{
    char gap[80] = "";
    size_t ring = k->limit - k->half;
    uint64_t tail = k->total > k->half ? k->total - k->half : 0;
    if (k->first_only || tail <= ring) {
        *size = k->total < k->limit ? (size_t)k->total : k->limit;
        k->data[*size] = '\0';
        return k->data;
    }
    int gap_size = snprintf(gap, sizeof gap, "\n[... %llu bytes left out ...]\n", (unsigned long long)(tail - ring));
    char *out = malloc(k->limit + (size_t)gap_size + 1);
    if (!out) {
        *size = k->half;
        k->data[*size] = '\0';
        return k->data;
    }
    size_t start = (size_t)(tail % ring), used = k->half;
    memcpy(out, k->data, k->half);
    memcpy(out + used, gap, (size_t)gap_size);
    used += (size_t)gap_size;
    memcpy(out + used, k->data + k->half + start, ring - start);
    memcpy(out + used + ring - start, k->data + k->half, start);
    *size = used + ring;
    out[*size] = '\0';
    free(k->data);
    return out;
}

/* Between the parent and the program stands a guard. When the parent dies, by kill -9 too, the kernel sends the guard a
 * signal and it kills the whole group; a signal to the program alone would leave behind what the program had started
 * (bubblewrap, killed half-way through its own set-up, leaves a child that waits for ever). The guard ends as the
 * program ends. */
_Noreturn static void guard(pid_t program, const sigset_t *watched)
{
    for (;;) {
        int status;
        pid_t pid;
        if (sigwaitinfo(watched, NULL) == SIGTERM)
            kill(-getpid(), SIGKILL); /* itself too */
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
            if (pid != program)
                continue;
            if (WIFEXITED(status))
                _exit(WEXITSTATUS(status));
            sigset_t one;
            sigemptyset(&one);
            sigaddset(&one, WTERMSIG(status));
            setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
            signal(WTERMSIG(status), SIG_DFL);
            sigprocmask(SIG_UNBLOCK, &one, NULL);
            kill(getpid(), WTERMSIG(status));
            _exit(127);
        }
    }
}

_Noreturn static void child(const struct process *p, int output, pid_t parent)
{
    setpgid(0, 0);
    sigset_t watched, before;
    sigemptyset(&watched);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, &watched, &before);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(127);
    signal(SIGPIPE, SIG_DFL);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    if (output >= 0) {
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
    }
    /* First out of the way, then into place, since a descriptor to pass may already have a number that another is to
     * get. */
    int high[PROCESS_FDS], n = 0;
    for (; n < PROCESS_FDS && p->pass[n] > 0; n++)
        high[n] = fcntl(p->pass[n], F_DUPFD, 3 + PROCESS_FDS);
    for (int i = 0; i < n; i++)
        dup2(high[i], 3 + i);
    syscall(SYS_close_range, 3 + n, ~0u, 0);
    if (p->folder && chdir(p->folder) < 0)
        _exit(127);
    pid_t program = fork();
    if (program != 0) {
        if (program < 0)
            _exit(127);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        guard(program, &watched);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (p->environment)
        environ = (char **)(uintptr_t)p->environment;
    execvp(p->argv[0], (char **)(uintptr_t)p->argv);
    dprintf(STDERR_FILENO, "%s: cannot be started: %s\n", p->argv[0], strerror(errno));
    _exit(127);
}

/* Reads what the child prints until it ends or the deadline comes. Descendants may keep the pipe open after the child
 * has ended: they are not waited for. */
static void attend(pid_t pid, int output, uint64_t deadline, uint64_t most, struct keeper *keeper,
                   struct process_result *r)
{
    int ended = (int)syscall(SYS_pidfd_open, pid, 0);
    for (;;) {
        struct pollfd fds[2] = {{.fd = output, .events = POLLIN}, {.fd = ended, .events = POLLIN}};
        uint64_t now = process_clock_ns();
        int wait = -1;
        r->timed_out = deadline && now >= deadline;
        r->flooded = most && keeper->total > most;
        if (r->timed_out || r->flooded) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            break;
        }
        if (deadline)
            wait = (int)((deadline - now) / 1000000 + 1);
        int n = poll(fds, 2, wait);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0 && (fds[0].revents & (POLLIN | POLLHUP))) {
            char buffer[65536];
            ssize_t got = read(output, buffer, sizeof buffer);
            if (got > 0)
                keep(keeper, buffer, (size_t)got);
            else if (got == 0 || errno != EAGAIN)
                output = -1;
            continue;
        }
        if (n > 0 && (fds[1].revents & POLLIN))
            break;
    }
    if (ended >= 0)
        close(ended);
}

int process_run(const struct process *p, struct process_result *r, struct error *err)
{
    *r = (struct process_result){0};
    int pipe_fds[2] = {-1, -1};
    struct keeper keeper = {.limit = p->output_limit, .half = p->output_limit / 2, .first_only = p->output_first};
    if (p->output_limit) {
        keeper.data = malloc(p->output_limit + 1);
        if (!keeper.data)
            return error_set(err, -ENOMEM, "%s: out of memory", p->argv[0]);
        if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
            free(keeper.data);
            return error_set(err, -errno, "%s: no pipe: %s", p->argv[0], strerror(errno));
        }
        fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    }
    uint64_t start = process_clock_ns();
    pid_t parent = getpid();
    fflush(NULL); /* or the child might print our pending output again */
    pid_t pid = fork();
    if (pid == 0)
        child(p, pipe_fds[1], parent);
    int code = pid < 0 ? -errno : 0;
    if (pipe_fds[1] >= 0)
        close(pipe_fds[1]);
    if (pid > 0) {
        setpgid(pid, pid);
        attend(pid, pipe_fds[0], p->wall_ms ? start + p->wall_ms * 1000000u : 0, p->output_most, &keeper, r);
        while (waitpid(pid, &r->status, 0) < 0 && errno == EINTR)
            ;
        kill(-pid, SIGKILL); /* whatever it left behind in its group */
    }
    r->wall_ns = process_clock_ns() - start;
    if (keeper.data) {
        char buffer[65536]; /* what was still in the pipe; at most its size, so this ends */
        for (ssize_t n; pid > 0 && keeper.total < (1u << 30) && (n = read(pipe_fds[0], buffer, sizeof buffer)) > 0;)
            keep(&keeper, buffer, (size_t)n);
        close(pipe_fds[0]);
        r->output_total = keeper.total;
        r->output = kept(&keeper, &r->output_size);
    }
    if (code) {
        process_result_free(r);
        return error_set(err, code, "%s: cannot be started: %s", p->argv[0], strerror(-code));
    }
    return 0;
}

void process_result_free(struct process_result *r)
{
    free(r->output);
    r->output = NULL;
}

const char *process_status_text(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(out, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(out, size, "exit code %d", WEXITSTATUS(status));
    return out;
}
