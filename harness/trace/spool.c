/* spool.c: a trace that is read more than once, though it may be standard input. */
#include "trace/spool.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[FILE_PATH]; /* "" until there is a temporary file */

static void remove_temporary(void)
{
    if (*path)
        unlink(path);
}

static void on_signal(int number)
{
    remove_temporary();
    signal(number, SIG_DFL);
    raise(number);
}

const char *spool_trace(const char *trace)
{
    const char *base = getenv("TMPDIR");
    char block[65536];
    if (strcmp(trace, "-") != 0)
        return trace;
    file_path(path, "%s/faultline-replay.XXXXXX", base && *base ? base : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        error_exit(EXIT_CANNOT_TELL, "%s: %s", path, strerror(errno));
    atexit(remove_temporary);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    for (ssize_t n; (n = read(STDIN_FILENO, block, sizeof block)) != 0;)
        if (n < 0 || write(fd, block, (size_t)n) != n)
            error_exit(EXIT_CANNOT_TELL, "standard input could not be kept in %s: %s", path, strerror(errno));
    close(fd);
    return path;
}
