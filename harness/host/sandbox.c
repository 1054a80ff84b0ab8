/* Layers of protection around code that we do not trust. What each does is in sandbox.h; here is why they are set as
 * they are.
 *
 * The root folder inside is empty but for /usr (compiler, libraries), so there is nothing to read: no home folder, no
 * reference implementation, no results of others, and no /proc through which to look at the judge. Paths are the same
 * inside and outside, which makes the fallback without namespaces simple and error messages true.
 *
 * The system-call filter is a list of what is allowed. A call that is not on it raises SIGSYS rather than returning an
 * error, since an error might go unnoticed: the host's handler notes the number and the process dies. clone3 alone
 * answers "not implemented", because its flags can't be looked at; the C library then falls back to clone, whose flags
 * can: threads are allowed, processes are not. Where instructions are counted threads are refused too, since nobody
 * would count theirs.
 */
#include "host/sandbox.h"

#include "base/process.h"
#include "host/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- layers ---- */

const char *sandbox_layer_name(unsigned layer)
{
    switch (layer) {
    case SANDBOX_NAMESPACES:
        return "namespaces";
    case SANDBOX_SECCOMP:
        return "seccomp";
    case SANDBOX_LIMITS:
        return "limits";
    case SANDBOX_DEADLINE:
        return "deadline";
    default:
        return "?";
    }
}

const char *sandbox_describe(unsigned layers, char *out, size_t size)
{
    size_t used = 0;
    snprintf(out, size, "none");
    for (unsigned layer = 1; layer < SANDBOX_ALL; layer *= 2)
        if ((layers & layer) && used < size) {
            int n = snprintf(out + used, size - used, "%s%s", used ? ", " : "", sandbox_layer_name(layer));
            used += n > 0 ? (size_t)n : 0;
        }
    return out;
}

static bool seccomp_works(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 && seccomp_api_get() >= 1;
}

static unsigned layers_here;
static struct error reason; /* why a layer is missing */

static void probe(void)
{
    const char *without = getenv("FAULTLINE_SANDBOX");
    layers_here = SANDBOX_DEADLINE | (SANDBOX_SANITIZED ? 0 : SANDBOX_LIMITS);
    if (without && strcmp(without, "none") == 0) {
        error_set(&reason, 0, "FAULTLINE_SANDBOX=none");
    } else {
        if (seccomp_works() && !SANDBOX_SANITIZED)
            layers_here |= SANDBOX_SECCOMP;
        const char *command[SANDBOX_ARGV];
        const struct sandbox_bind none[] = {{.path = NULL}};
        sandbox_command(command, SANDBOX_NAMESPACES, none, "/", (const char *const[]){"/usr/bin/true", NULL});
        struct process p = {.argv = command, .wall_ms = 5000, .output_limit = 400};
        struct process_result r;
        if (without && strcmp(without, "no-namespaces") == 0)
            error_set(&reason, 0, "FAULTLINE_SANDBOX=no-namespaces");
        else if (process_run(&p, &r, &reason) == 0) {
            if (r.status == 0 && !r.timed_out)
                layers_here |= SANDBOX_NAMESPACES;
            else
                error_set(&reason, 0, "bubblewrap does not work here: %.300s", r.output);
            process_result_free(&r);
        }
        reason.text[strcspn(reason.text, "\n")] = '\0';
    }
    if (SANDBOX_SANITIZED && !reason.text[0])
        error_set(&reason, 0,
                  "built with a sanitizer, which needs memory and system calls that seccomp and limits refuse");
}

unsigned sandbox_layers(struct error *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* several threads may run hosts */
    pthread_once(&once, probe);
    if (why)
        *why = reason;
    return layers_here;
}

/* ---- namespaces ----------------------------------------------------------------------------------------------------
 */

static size_t add(const char **command, size_t n, const char *const *words)
{
    for (; *words; words++) {
        if (n + 1 >= SANDBOX_ARGV)
            error_exit(EXIT_CANNOT_TELL, "sandbox: a command line of more than %d words", SANDBOX_ARGV);
        command[n++] = *words;
    }
    return n;
}
#define ADD(...) n = add(command, n, (const char *const[]){__VA_ARGS__, NULL})

/* On a merged /usr these are links into it; elsewhere they are folders of their own. */
static size_t add_library_folders(const char **command, size_t n)
{
    static const char *const names[] = {"/bin", "/sbin", "/lib", "/lib64", "/lib32"};
    static const char *const targets[] = {"usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/lib32"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stat st;
        if (lstat(names[i], &st) < 0)
            continue;
        if (S_ISLNK(st.st_mode))
            ADD("--symlink", targets[i], names[i]);
        else
            ADD("--ro-bind", names[i], names[i]);
    }
    return n;
}

void sandbox_command(const char **command, unsigned layers, const struct sandbox_bind *binds, const char *folder,
                     const char *const *argv)
{
    size_t n = 0;
    if (layers & SANDBOX_NAMESPACES) {
        ADD("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--uid", "65534", "--gid", "65534",
            "--hostname", "sandbox", "--clearenv");
        ADD("--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LC_ALL", "C", "--setenv", "TMPDIR", "/tmp");
        ADD("--ro-bind", "/usr", "/usr");
        n = add_library_folders(command, n);
        ADD("--dev", "/dev", "--size", "67108864", "--perms", "1777", "--tmpfs", "/tmp");
        if (SANDBOX_SANITIZED)
            ADD("--proc", "/proc", "--setenv", "ASAN_OPTIONS", "detect_leaks=0");
        for (; binds->path; binds++)
            ADD(binds->writable ? "--bind" : "--ro-bind", binds->path, binds->at ? binds->at : binds->path);
        ADD("--remount-ro", "/", "--chdir", folder, "--as-pid-1", "--");
    }
    n = add(command, n, argv);
    command[n] = NULL;
}

/* ---- limits ---- */

static int limit_two(int resource, uint64_t soft, uint64_t hard)
{
    struct rlimit r = {.rlim_cur = soft, .rlim_max = hard};
    return setrlimit((unsigned)resource, &r) < 0 ? -errno : 0;
}

static int limit(int resource, uint64_t value)
{
    return limit_two(resource, value, value);
}

#define STACK_BYTES (1u << 20)

int sandbox_limit(const struct sandbox_limits *l)
{
    int code = limit(RLIMIT_CORE, 0);
    /* A second apart: the first one ends the process by SIGXCPU, which says why; SIGKILL alone would not. */
    if (code == 0 && l->cpu_seconds)
        code = limit_two(RLIMIT_CPU, l->cpu_seconds, l->cpu_later > l->cpu_seconds ? l->cpu_later : l->cpu_seconds + 1);
    if (code == 0 && l->memory_bytes && !SANDBOX_SANITIZED)
        code = limit(RLIMIT_AS, l->memory_bytes);
    if (code == 0 && l->data_bytes && !SANDBOX_SANITIZED)
        code = limit(RLIMIT_DATA, l->data_bytes);
    /* The stack is not counted there, and what lies below the stack pointer stays as it was left. */
    if (code == 0 && l->data_bytes && !SANDBOX_SANITIZED)
        code = limit(RLIMIT_STACK, STACK_BYTES);
    if (code == 0 && l->file_bytes)
        code = limit(RLIMIT_FSIZE, l->file_bytes);
    if (code == 0)
        code = limit(RLIMIT_NOFILE, 256);
    return code;
}

/* ---- system calls ---- */

#define CALL(name) SCMP_SYS(name)

/* What computing needs, once the entry's code is there: memory, threads, printing. (qsort asks for sysinfo.) */
static const int loaded_calls[] = {
    CALL(write),
    CALL(writev),
    CALL(fstat),
    CALL(newfstatat),
    CALL(munmap),
    CALL(mremap),
    CALL(madvise),
    CALL(brk),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(sigaltstack),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(getpid),
    CALL(gettid),
    CALL(getrandom),
    CALL(exit),
    CALL(exit_group),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(sysinfo),
    CALL(restart_syscall),
};
/* And what loading it takes besides; the calls by which the rights of loading are given up among them. */
static const int loading_calls[] = {
    CALL(read),       CALL(pread64), CALL(readv),     CALL(close),  CALL(lseek),     CALL(statx),
    CALL(stat),       CALL(mmap),    CALL(mprotect),  CALL(access), CALL(faccessat), CALL(readlink),
    CALL(readlinkat), CALL(seccomp), CALL(getrlimit), CALL(uname),  CALL(prctl),
};

static int allow_calls(scmp_filter_ctx filter, const int *calls, size_t n)
{
    int code = 0;
    for (size_t i = 0; i < n && code == 0; i++) {
        code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
        if (code == -EDOM) /* this machine's kernel has no call of that name */
            code = 0;
    }
    return code;
}

/* Memory is the process's own, and neither code nor a stack that grows: all else escapes the limit of data_bytes, which
 * counts private memory that can be written. Taking the right to write away from it would, too. */
static int add_memory_rules(scmp_filter_ctx filter)
{
    const scmp_datum_t kind = MAP_TYPE | MAP_GROWSDOWN;
    int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(mmap), 2, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                                SCMP_A3(SCMP_CMP_MASKED_EQ, kind, MAP_PRIVATE));
    return code ? code
                : seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(mprotect), 1,
                                   SCMP_A2(SCMP_CMP_EQ, PROT_READ | PROT_WRITE, 0));
}

static int add_run_rules(scmp_filter_ctx filter, enum sandbox_profile profile)
{
    const uint32_t allow = SCMP_ACT_ALLOW;
    const bool loaded = profile == SANDBOX_LOADED;
    /* Waiting is for others, not for time to pass: no time-out. */
    int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(futex), 1, SCMP_A3(SCMP_CMP_EQ, 0, 0));
    if (code == 0)
        code = allow_calls(filter, loaded_calls, sizeof loaded_calls / sizeof *loaded_calls);
    if (code == 0)
        code = loaded ? add_memory_rules(filter)
                      : allow_calls(filter, loading_calls, sizeof loading_calls / sizeof *loading_calls);
    /* Files may be opened for reading only, to load; the flags that would write or make one must all be off. Afterwards
     * there are none, and no crime in asking: the C library looks for /proc/sys/vm/overcommit_memory in free(). */
    const scmp_datum_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
    if (code == 0)
        code = seccomp_rule_add(filter, loaded ? SCMP_ACT_ERRNO(EACCES) : allow, CALL(openat), 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, writing, 0));
    if (code == 0 && profile != SANDBOX_COUNT)
        code = seccomp_rule_add(filter, allow, CALL(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), CALL(ioctl), 0);
    /* abort() and raise() signal the process itself; nobody else may be signalled. */
    if (code == 0)
        code = seccomp_rule_add(filter, allow, CALL(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    /* SIGSYS keeps its handler: it is how a refused call gets its name into the report. */
    if (code == 0)
        code = seccomp_rule_add(filter, allow, CALL(rt_sigaction), 1, SCMP_A0(SCMP_CMP_NE, SIGSYS, 0));
    if (code == 0)
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), CALL(rt_sigaction), 1, SCMP_A0(SCMP_CMP_EQ, SIGSYS, 0));
    if (code == 0)
        code = seccomp_rule_add(filter, profile == SANDBOX_COUNT ? SCMP_ACT_TRACE(1) : allow,
                                CALL(sched_get_priority_max), 1, SCMP_A0(SCMP_CMP_EQ, LOG_COUNT_MARK, 0));
    /* Limits may be read, not set. */
    if (code == 0)
        code = seccomp_rule_add(filter, allow, CALL(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0, 0));
    return code;
}

static const int compile_refused[] = {
    CALL(socket),
    CALL(socketpair),
    CALL(connect),
    CALL(bind),
    CALL(ptrace),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(bpf),
    CALL(perf_event_open),
    CALL(mount),
    CALL(umount2),
    CALL(unshare),
    CALL(setns),
    CALL(pivot_root),
    CALL(chroot),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(io_uring_setup),
    CALL(userfaultfd),
    CALL(kexec_load),
    CALL(init_module),
    CALL(reboot),
};

int sandbox_seccomp(enum sandbox_profile profile)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    scmp_filter_ctx filter = seccomp_init(profile == SANDBOX_COMPILE ? SCMP_ACT_ALLOW : SCMP_ACT_TRAP);
    if (!filter)
        return -ENOMEM;
    int code = 0;
    if (profile != SANDBOX_COMPILE)
        code = add_run_rules(filter, profile);
    for (size_t i = 0; profile == SANDBOX_COMPILE && i < sizeof compile_refused / sizeof *compile_refused && code == 0;
         i++) {
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), compile_refused[i], 0);
        if (code == -EDOM)
            code = 0;
    }
    if (code == 0)
        code = seccomp_load(filter);
    seccomp_release(filter);
    return code;
}

const char *sandbox_call_name(int number, char *out, size_t size)
{
    char *name = number < 0 ? NULL : seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (name)
        snprintf(out, size, "%s", name);
    else
        snprintf(out, size,
                 number < 0
                     ? "one made while signals were blocked: fork perhaps, or a thread where instructions are counted"
                     : "number %d",
                 number);
    free(name);
    return out;
}
