/* side_by_side.c: pieces of work, each in a process of its own, some of them at the same time. */
#include "base/side_by_side.h"

#include "base/error.h"
#include "base/process.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child leaves, in memory that it shares with us. */
struct left {
    struct side_counts counts;
    bool returned;
};

struct child {
    pid_t pid;
    int output, status; /* a file in memory, and how it ended */
    bool over;
    char how[80]; /* why there is none */
};

_Noreturn static void work_on(const struct side_work *work, uint32_t i, int output, struct left *left, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent || dup2(output, STDOUT_FILENO) < 0)
        _exit(EXIT_CANNOT_TELL);
    work->piece(i, work->context, &left->counts);
    if (fflush(stdout) == 0)
        left->returned = true;
    _exit(EXIT_FINE);
}

/* What can't be started is over. */
static void start(const struct side_work *work, uint32_t i, struct child *c, struct left *left)
{
    const pid_t parent = getpid();
    fflush(NULL); /* or the child might print it again */
    c->output = memfd_create("output", MFD_CLOEXEC);
    c->pid = c->output < 0 ? -1 : fork();
    if (c->pid == 0)
        work_on(work, i, c->output, left, parent);
    c->over = c->pid < 0;
    if (c->over)
        snprintf(c->how, sizeof c->how, "could not be started: %s", strerror(errno));
}

/* Waits for one to end; others' children are none of ours. */
static void wait_for_one(struct child *child, uint32_t started)
{
    int status;
    const pid_t pid = waitpid(-1, &status, 0);
    for (uint32_t i = 0; i < started; i++) {
        struct child *c = &child[i];
        if (c->over || (pid != c->pid && !(pid < 0 && errno == ECHILD)))
            continue;
        c->over = true;
        c->status = status;
        if (pid < 0)
            snprintf(c->how, sizeof c->how, "nobody knows how");
        else
            process_status_text(status, c->how, sizeof c->how);
    }
}

static void print(int output)
{
    char block[4096];
    ssize_t n;
    if (lseek(output, 0, SEEK_SET) == 0)
        while ((n = read(output, block, sizeof block)) > 0)
            fwrite(block, 1, (size_t)n, stdout);
    fflush(stdout);
}

static void tell(const struct side_work *work, uint32_t i, struct child *c, const struct left *left,
                 struct side_counts *sum)
{
    if (c->output >= 0) {
        print(c->output);
        close(c->output);
    }
    sum->passed += left->counts.passed;
    sum->failed += left->counts.failed;
    if (!left->returned)
        work->lost(i, work->context, c->how);
    else if (left->counts.passed + left->counts.failed == 0)
        work->lost(i, work->context, "it has counted nothing");
}

void side_by_side(const struct side_work *work, struct side_counts *sum)
{
    const size_t size = (work->n + 1u) * sizeof(struct left);
    struct left *left = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct child *child = calloc(work->n + 1u, sizeof *child);
    *sum = (struct side_counts){0};
    if (left == MAP_FAILED || !child)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    uint32_t started = 0, told = 0;
    while (told < work->n) {
        uint32_t running = 0;
        for (uint32_t i = told; i < started; i++)
            running += !child[i].over;
        if (child[told].over) {
            tell(work, told, &child[told], &left[told], sum);
            told++;
        } else if (started < work->n && (running == 0 || running < work->at_once)) {
            start(work, started, &child[started], &left[started]);
            started++;
        } else {
            wait_for_one(child, started);
        }
    }
    free(child);
    munmap(left, size);
}
