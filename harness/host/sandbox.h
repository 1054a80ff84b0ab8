/* sandbox.h: where code that we do not trust may run.
 *
 * Layers, each probed for and named in every report, since some machines lack some:
 *
 *   namespaces   bubblewrap: own users, processes, network (none), IPC and host name; a root folder with nothing in it
 *                but /usr, read-only, an empty /tmp of limited size and what the caller names; when its first process
 *                goes, the kernel kills all others
 *   seccomp      the few system calls that computing needs; anything else ends the process
 *   limits       CPU time, memory, file size, descriptors, no core file
 *   deadline     wall-clock time, after which everything is killed
 *
 * Grading needs namespaces and seccomp. Without them it refuses to run, unless it is told to and then says so in its
 * report.
 */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 1 in a build with a sanitizer, which needs memory and system calls that limits and seccomp refuse. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANDBOX_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

enum sandbox_layer {
    SANDBOX_NAMESPACES = 1,
    SANDBOX_SECCOMP = 2,
    SANDBOX_LIMITS = 4,
    SANDBOX_DEADLINE = 8,
};
#define SANDBOX_ALL    15u
#define SANDBOX_NEEDED (SANDBOX_NAMESPACES | SANDBOX_SECCOMP)

/* The layers that work here, found by trying them (once a process; about 20 ms). `why` (may be NULL) gets the reason
 * for each that is missing. The environment variable FAULTLINE_SANDBOX=none|no-namespaces takes layers away, to test
 * what happens then. */
unsigned sandbox_layers(struct error *why);
const char *sandbox_layer_name(unsigned layer); /* one layer */
const char *sandbox_describe(unsigned layers, char *out,
                             size_t size); /* "namespaces, seccomp, limits, deadline" or "none" */

struct sandbox_bind {
    const char *path;
    bool writable;
    const char *at; /* its name inside; NULL: the same */
};

/* Builds the command line that runs argv inside the namespaces, or argv itself where that layer is missing. `command`
 * gets room for SANDBOX_ARGV pointers; strings in it live as long as the arguments and the static parts do. argv is
 * started in `folder`, as process 1 in there, which nothing inside can kill and with which everything inside ends.
 * binds ends with a NULL path. */
#define SANDBOX_ARGV 400
void sandbox_command(const char **command, unsigned layers, const struct sandbox_bind *binds, const char *folder,
                     const char *const *argv);

/* For the process inside. Limits of 0 are not set. */
struct sandbox_limits {
    uint64_t cpu_seconds, memory_bytes, file_bytes;
    uint64_t data_bytes; /* memory that can be written and is nobody else's: heap, maps, libraries' data; and 1 MiB of
                            stack besides */
    uint64_t cpu_later;  /* what cpu_seconds may be raised to from outside; 0: no more than it is */
};
int sandbox_limit(const struct sandbox_limits *limits);

enum sandbox_profile {
    SANDBOX_COMPUTE, /* memory, threads, reading files, further profiles; any other call raises SIGSYS */
    SANDBOX_COUNT,   /* the same without threads, and log_count_from_here() stops for the tracer */
    SANDBOX_LOADED,  /* on top of either, once the plugin is loaded: no files, no memory that is shared, grows down or
                        holds code. Neither has clocks or sleep */
    SANDBOX_COMPILE, /* may also start programs and write files; no network, no tracing, no new namespaces */
};
int sandbox_seccomp(enum sandbox_profile profile); /* 0 or -errno; for this process and all it makes, for good */
const char *sandbox_call_name(int number, char *out, size_t size);

#endif
