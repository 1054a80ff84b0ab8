/* The judge's side of a run: makes the shared memory, starts the host, waits with a deadline, and names the way it
 * ended.
 *
 * The order of the questions in `judge_end` is the point. First whether we know at all how it ended (the supervisor's
 * status); then what was done to it (deadline, limits, refused call); then what it did itself (crash, exit); last
 * whether the log is whole. Each answer rests on the kernel's word or on the supervisor's; the runner's own note only
 * fills in the words.
 */
#include "host/host.h"

#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "host/lines.h"
#include "host/plugin.h"
#include "host/sandbox.h"
#include "host/shared.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name, *id;
} verdicts[VERDICT_COUNT] = {
    [VERDICT_FINISHED] = {"finished", "finished"},
    [VERDICT_WRONG] = {"wrong", "wrong"},
    [VERDICT_CRASHED] = {"crashed", "crashed"},
    [VERDICT_CPU_TIME] = {"CPU time", "cpu-time"},
    [VERDICT_WALL_TIME] = {"wall time", "wall-time"},
    [VERDICT_MEMORY] = {"memory", "memory"},
    [VERDICT_LEFT_EARLY] = {"left early", "left-early"},
    [VERDICT_SHORT_LOG] = {"short log", "short-log"},
    [VERDICT_TOO_MANY] = {"too many records", "too-many-records"},
    [VERDICT_FORBIDDEN_CALL] = {"forbidden system call", "forbidden-system-call"},
    [VERDICT_COST] = {"too costly", "too-costly"},
    [VERDICT_NO_BUILD] = {"does not build", "does-not-build"},
    [VERDICT_NO_ENTRY] = {"lacks an entry", "lacks-an-entry"},
    [VERDICT_GRADER_FAULT] = {"grader's own fault", "grader-fault"},
};

const char *verdict_name(enum verdict verdict)
{
    return verdicts[verdict].name;
}

const char *verdict_id(enum verdict verdict)
{
    return verdicts[verdict].id;
}

int verdict_from_id(const char *id, enum verdict *verdict)
{
    for (int i = 0; id && i < VERDICT_COUNT; i++)
        if (strcmp(verdicts[i].id, id) == 0) {
            *verdict = (enum verdict)i;
            return 0;
        }
    return -EINVAL;
}

/* ---- shared memory ---- */

struct memory {
    int fd;
    void *at;
    size_t size;
};

static int memory_create(struct memory *m, const char *name, size_t size)
{
    *m = (struct memory){.fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), .at = MAP_FAILED, .size = size};
    if (m->fd < 0 || ftruncate(m->fd, (off_t)size) < 0)
        return -errno;
    m->at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
    return m->at == MAP_FAILED ? -errno : 0;
}

static void memory_destroy(struct memory *m)
{
    if (m->at != MAP_FAILED && m->at)
        munmap(m->at, m->size);
    if (m->fd > 0)
        close(m->fd);
    *m = (struct memory){.fd = -1, .at = MAP_FAILED};
}

/* The scenario can't be changed once it is there; F_SEAL_WRITE needs that nobody has it mapped for writing. */
static int seal_scenario(struct memory *m, const struct host_request *q)
{
    memcpy(m->at, q->scenario, q->scenario_size);
    if (q->stretches)
        memcpy((char *)m->at + q->scenario_size, q->stretch, q->stretches * sizeof *q->stretch);
    munmap(m->at, m->size);
    m->at = MAP_FAILED;
    return fcntl(m->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0 ? -errno : 0;
}

static int seal_shared(struct memory *m, const struct host_request *q)
{
    struct host_shared *shared = m->at;
    shared->log.magic = LOG_MAGIC;
    shared->log.record_size = q->record_size;
    shared->log.capacity = q->records;
    return fcntl(m->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ? -errno : 0;
}

/* ---- words ---- */

__attribute__((format(printf, 3, 4))) static void say(struct host_outcome *o, enum verdict verdict, const char *format,
                                                      ...)
{
    char raw[sizeof o->sentence];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    o->verdict = verdict;
    text_clean_line(o->sentence, sizeof o->sentence, raw);
}

/* Function and line of an offset in the plugin: "in pick() at load_balancing.c:120". Reads debug information of an
 * object that we do not trust, so the reader runs in the sandbox too. */
static void find_place(const struct host_request *q, const struct host_note *n, unsigned layers, char *out, size_t size)
{
    out[0] = '\0';
    char offsets[NOTE_FRAMES][24];
    const char *argv[NOTE_FRAMES + 8] = {"addr2line", "-s", "-f", "-e", q->plugin};
    uint32_t frames = n->frames < NOTE_FRAMES ? n->frames : NOTE_FRAMES;
    for (uint32_t i = 0; i < frames; i++) {
        snprintf(offsets[i], sizeof offsets[i], "0x%llx", (unsigned long long)n->frame[i]);
        argv[5 + i] = offsets[i];
    }
    if (frames == 0)
        return;
    const char *command[SANDBOX_ARGV];
    const struct sandbox_bind binds[] = {{.path = q->plugin}, {.path = NULL}};
    sandbox_command(command, layers, binds, "/", argv);
    struct process p = {.argv = command, .wall_ms = 3000, .output_limit = 4096, .output_first = true};
    struct process_result r;
    if (process_run(&p, &r, NULL) < 0)
        return;
    char clean[2048];
    text_clean(clean, sizeof clean, r.output, r.output_size);
    process_result_free(&r);
    /* Pairs of lines, "function" and "file:line", innermost first. */
    size_t used = 0;
    char *save = NULL;
    for (char *function = strtok_r(clean, "\n", &save); function; function = strtok_r(NULL, "\n", &save)) {
        char *place = strtok_r(NULL, "\n", &save);
        if (!place || strcmp(function, "??") == 0 || used + 120 > size)
            break;
        place[strcspn(place, " ")] = '\0';
        used += (size_t)snprintf(out + used, size - used, "%s%.60s() at %.60s", used ? ", called from " : " in ",
                                 function, place);
        if (used > 180)
            break;
    }
}

static void say_crash(const struct host_request *q, struct host_outcome *o, const struct host_note *n,
                      int signal_number, unsigned layers)
{
    char place[400];
    find_place(q, n, layers, place, sizeof place);
    bool same = n->signal == signal_number;
    uint64_t below = n->stack - n->address;
    const char *why = "";
    if (same && signal_number == SIGSEGV && n->address < 65536)
        why = " (a NULL pointer was followed)";
    else if (same && signal_number == SIGSEGV && (below < 65536 || -below < 65536))
        why = " (the stack overflowed: an endless recursion?)";
    else if (same && signal_number == SIGFPE)
        why = " (a division by zero?)";
    else if (signal_number == SIGABRT)
        why = " (abort, a failed assertion, or memory that malloc found damaged)";
    say(o, VERDICT_CRASHED, "it crashed: %s%s%s.", strsignal(signal_number), why, place);
}

static const char *memory_limit(const struct host_request *q, char text[TEXT_NUMBER])
{
    return text_bytes(text, (double)(q->data_bytes ? q->data_bytes : q->limits.memory_bytes));
}

/* ---- the verdict ---- */

/* By the hard limit, a second after a SIGXCPU that was ignored. The kernel keeps this limit by counting ticks, and a tick
 * of a processor that was somebody else's meanwhile (steal) counts whole: on a loaded guest 4 s by ticks were seen to be
 * 2.7 s by the exact clock that cpu_ns is from. Nothing else that is killed is likely to have used half of its time. */
static bool killed_for_cpu(const struct host_request *q, const struct host_outcome *o, int signal_number)
{
    return signal_number == SIGKILL && 2 * o->cpu_ns >= q->limits.cpu_seconds * 1000000000u;
}

static bool judge_signal(const struct host_request *q, struct host_outcome *o, const struct host_note *n,
                         int signal_number, unsigned layers)
{
    char text[TEXT_NUMBER], place[400];
    if (signal_number == SIGSYS) {
        char call[120];
        find_place(q, n, layers, place, sizeof place);
        say(o, VERDICT_FORBIDDEN_CALL,
            "it made a system call that is not allowed: %s%s. An implementation computes; it needs no files, processes "
            "or network.",
            sandbox_call_name(n->call, call, sizeof call), place);
    } else if (q->limits.cpu_seconds && (signal_number == SIGXCPU || killed_for_cpu(q, o, signal_number))) {
        say(o, VERDICT_CPU_TIME,
            "it used %s of processor time; %llu s are allowed. An endless loop, or an operation that is far too slow?",
            text_duration(text, (double)o->cpu_ns), (unsigned long long)q->limits.cpu_seconds);
    } else if (n->refused) {
        say(o, VERDICT_MEMORY,
            "it asked for memory beyond the limit of %s (the last request: %llu bytes) and then ended by signal %d.",
            memory_limit(q, text), (unsigned long long)n->refused, signal_number);
    } else {
        say_crash(q, o, n, signal_number, layers);
    }
    return true;
}

static void judge_exit(const struct host_request *q, struct host_outcome *o, const struct host_shared *s, int exit_code)
{
    const struct host_note *n = &s->note;
    const uint64_t least = q->least_records ? q->least_records : q->records;
    char text[TEXT_NUMBER];
    if (n->stage == STAGE_LOADING && exit_code == EXIT_CANNOT_TELL) {
        say(o, VERDICT_NO_ENTRY, "it cannot be loaded: \"%.400s\".", n->message);
    } else if (n->stage != STAGE_RETURNED) {
        say(o, VERDICT_LEFT_EARLY, "it ended the process itself (exit code %d) after %llu of %llu decisions.",
            exit_code, (unsigned long long)o->count, (unsigned long long)q->records);
    } else if (n->run_code == -ENOENT) {
        say(o, VERDICT_NO_ENTRY, "there is no entry named %s: register it with the name that the handout gives.",
            q->entry);
    } else if (n->run_code == -ENOMEM || (n->refused && (n->run_code != 0 || q->data_bytes))) {
        say(o, VERDICT_MEMORY, "it ran out of memory; the limit is %s (the last request: %llu bytes).",
            memory_limit(q, text), (unsigned long long)n->refused);
    } else if (n->run_code != 0) {
        say(o, VERDICT_WRONG, "it ended with error %d (%s)%s%.300s%s.", n->run_code, strerror(abs(n->run_code)),
            n->message[0] ? ", saying \"" : "", n->message, n->message[0] ? "\"" : "");
    } else if (s->log.count > q->records) {
        say(o, VERDICT_TOO_MANY, "it made %llu decisions where %llu were asked for.", (unsigned long long)s->log.count,
            (unsigned long long)q->records);
    } else if (s->log.count < least) {
        say(o, VERDICT_SHORT_LOG, "it made only %llu of %llu decisions.", (unsigned long long)s->log.count,
            (unsigned long long)least);
    } else {
        say(o, VERDICT_FINISHED, "finished.");
    }
}

/* The supervisor ends a run that waits, the kernel one that computes; this ends what is neither, or them. A single step
 * takes some microseconds; this is more than it takes when the machine has a lot else to do. */
#define STEP_US 300u
#define PATIENT 10u

/* What is printed is for looking for mistakes. */
#define PRINTED_MOST (16u << 20)

static uint64_t hard_limit(const struct host_request *q)
{
    return PATIENT * (q->limits.wall_ms + 1000 * q->limits.cpu_seconds) + q->count_limit * STEP_US / 1000;
}

static void judge_end(const struct host_request *q, struct host_outcome *o, struct host_shared *s,
                      const struct process_result *r, const struct host_status *status, bool have_status,
                      unsigned layers)
{
    char text[TEXT_NUMBER];
    s->note.message[sizeof s->note.message - 1] = '\0';
    o->count = s->log.count < q->records ? s->log.count : q->records;
    if (r->flooded)
        say(o, VERDICT_COST, "it printed more than %s and was stopped.", text_bytes(text, PRINTED_MOST));
    else if (r->timed_out)
        say(o, VERDICT_WALL_TIME, "it was not done after %s and was stopped.",
            text_duration(text, (double)hard_limit(q) * 1e6));
    else if (!have_status || status->magic != HOST_STATUS_MAGIC)
        say(o, VERDICT_GRADER_FAULT, "the host process gave no status (%s): %.300s",
            process_status_text(r->status, text, sizeof text), r->output);
    else if (status->trouble)
        say(o, VERDICT_GRADER_FAULT, "%s: %s.",
            q->count_limit ? "cannot tell: instructions cannot be counted here" : "the run could not be watched",
            strerror(-status->trouble));
    else if (!status->loading)
        say(o, VERDICT_GRADER_FAULT, "%s%.300s.",
            strncmp(status->failed, "cannot tell", 11) == 0 ? "" : "the host could not prepare the run: ",
            status->failed);
    else if (status->stopped == STOPPED_IDLE && !status->crashed)
        say(o, VERDICT_WALL_TIME,
            "it did nothing for %s and was stopped: does it wait for something that never comes, such as a lock that "
            "it holds itself?",
            text_duration(text, (double)q->limits.wall_ms * 1e6));
    else if (status->stopped == STOPPED_UNKNOWN)
        say(o, VERDICT_FORBIDDEN_CALL,
            "it executed an instruction that cannot be decoded, so what memory it touches cannot be counted. No "
            "compiler makes it.");
    else if (status->stopped == STOPPED_HIDES)
        say(o, VERDICT_FORBIDDEN_CALL,
            "it executed an instruction that hides which memory it touches (a mov to ss, an enter with levels, 32-bit "
            "code). "
            "No compiler makes these.");
    else if (status->crashed)
        judge_signal(q, o, &s->note, status->crashed, layers);
    else if (status->stopped == STOPPED_LIMIT)
        say(o, VERDICT_COST, "it was stopped after %llu instructions, with %llu of %llu decisions made.",
            (unsigned long long)status->instructions, (unsigned long long)o->count, (unsigned long long)q->records);
    else if (status->stopped == STOPPED_LINES)
        say(o, VERDICT_COST,
            "it was stopped after %llu instructions, when it had touched more than %u different lines of memory.",
            (unsigned long long)status->instructions, LINES_MOST);
    else if (WIFSIGNALED(status->wait_status))
        judge_signal(q, o, &s->note, WTERMSIG(status->wait_status), layers);
    else
        judge_exit(q, o, s, WEXITSTATUS(status->wait_status));
    if (o->verdict == VERDICT_FINISHED && q->stretches && status->markers != q->stretches)
        say(o, VERDICT_FORBIDDEN_CALL, "it made the system call by which the lab says where counting begins.");
    if (o->verdict == VERDICT_FINISHED && q->count_limit && !status->counted)
        say(o, VERDICT_LEFT_EARLY, "it ended before the part began whose instructions are counted.");
}

/* ---- running
 * ------------------------------------------------------------------------------------------------------------------------
 */

static const char *host_program(char *out)
{
    const char *build = getenv("FAULTLINE_BUILD");
    char relative[PATH_MAX];
    snprintf(relative, sizeof relative, "%s/faultline-host", build && *build ? build : "build");
    return realpath(relative, out);
}

static int start_and_wait(const struct host_request *q, struct host_outcome *o, struct memory *scenario,
                          struct memory *shared)
{
    char host[PATH_MAX], world[PATH_MAX], plugin[PATH_MAX], number[8][24];
    const char *lacks = !host_program(host)                       ? "faultline-host"
                        : !q->world || !realpath(q->world, world) ? "the lab's world"
                        : !realpath(q->plugin, plugin)            ? "the plugin"
                                                                  : NULL;
    if (lacks) {
        say(o, VERDICT_GRADER_FAULT, "%s is missing: run make build.", lacks);
        return -ENOENT;
    }
    int status_pipe[2];
    if (pipe2(status_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    unsigned layers = sandbox_layers(NULL);
    const uint64_t numbers[] = {q->limits.cpu_seconds, q->limits.memory_bytes, q->count_limit, q->late_bytes,
                                q->limits.wall_ms,     q->data_bytes,          q->count_lines, q->stretches};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        snprintf(number[i], sizeof number[i], "%llu", (unsigned long long)numbers[i]);
    /* Under the same names wherever the project lies: where a name is kept, its length moves what lies behind it, and
     * then an entry touches other lines of memory. */
    const bool renamed = layers & SANDBOX_NAMESPACES;
    const struct sandbox_bind binds[] = {{.path = host, .at = "/host"},
                                         {.path = world, .at = "/world.so"},
                                         {.path = plugin, .at = "/plugin.so"},
                                         {NULL}};
    const char *argv[] = {renamed ? binds[0].at : host,
                          renamed ? binds[1].at : world,
                          renamed ? binds[2].at : plugin,
                          q->entry,
                          number[0],
                          number[1],
                          layers & SANDBOX_SECCOMP ? "1" : "0",
                          number[2],
                          number[3],
                          number[4],
                          number[5],
                          number[6],
                          number[7],
                          NULL};
    const char *command[SANDBOX_ARGV];
    sandbox_command(command, layers, binds, "/tmp", argv);
    struct process p = {.argv = command,
                        .pass = {scenario->fd, shared->fd, status_pipe[1], -1},
                        .wall_ms = hard_limit(q),
                        .output_limit = 4096,
                        .output_most = PRINTED_MOST};
    struct process_result r;
    struct error err;
    int code = process_run(&p, &r, &err);
    close(status_pipe[1]);
    if (code) {
        say(o, VERDICT_GRADER_FAULT, "%s", err.text);
    } else {
        struct host_status status = {0};
        bool have = read(status_pipe[0], &status, sizeof status) == (ssize_t)sizeof status;
        o->wall_ns = r.wall_ns;
        o->cpu_ns = status.cpu_ns;
        o->peak_bytes = status.peak_bytes;
        o->counted = status.counted;
        o->instructions = status.instructions;
        o->lines = status.lines;
        text_clean(o->output, sizeof o->output, r.output, r.output_size);
        judge_end(q, o, shared->at, &r, &status, have, layers);
        process_result_free(&r);
    }
    close(status_pipe[0]);
    return code;
}

int host_run(const struct host_request *q, struct host_outcome *o)
{
    const char *debug = getenv("FAULTLINE_DEBUG");
    if (debug && strcmp(debug, "1") == 0)
        return host_run_inline(q, o);
    *o = (struct host_outcome){0};
    say(o, VERDICT_GRADER_FAULT, "the run could not be started.");
    struct memory scenario = {.fd = -1, .at = MAP_FAILED}, shared = {.fd = -1, .at = MAP_FAILED};
    size_t log_size = (size_t)q->records * q->record_size;
    int code = memory_create(&scenario, "scenario", q->scenario_size + q->stretches * sizeof *q->stretch);
    if (code == 0)
        code = memory_create(&shared, "decisions", sizeof(struct host_shared) + log_size);
    if (code == 0)
        code = seal_scenario(&scenario, q);
    if (code == 0)
        code = seal_shared(&shared, q);
    if (code == 0)
        code = start_and_wait(q, o, &scenario, &shared);
    if (code == 0) {
        /* A copy, so that the judge reads the same bytes twice even if something of the run were still alive. */
        o->records = malloc(log_size + 1);
        if (o->records)
            memcpy(o->records, log_records(&((struct host_shared *)shared.at)->log), log_size);
        else
            code = -ENOMEM;
    }
    if (code && o->verdict != VERDICT_GRADER_FAULT)
        say(o, VERDICT_GRADER_FAULT, "the run could not be started: %s.", strerror(-code));
    memory_destroy(&scenario);
    memory_destroy(&shared);
    return o->verdict == VERDICT_GRADER_FAULT ? (code ? code : -EIO) : 0;
}

void host_outcome_free(struct host_outcome *o)
{
    free(o->records);
    o->records = NULL;
}

int host_run_inline(const struct host_request *q, struct host_outcome *o)
{
    *o = (struct host_outcome){0};
    struct error err;
    const struct plugin *plugin = host_load_trusted(q->plugin, &err);
    size_t log_size = (size_t)q->records * q->record_size;
    struct host_shared *shared = calloc(1, sizeof *shared + log_size);
    if (!plugin || !shared) {
        say(o, VERDICT_NO_ENTRY, "%s", plugin ? "out of memory" : err.text);
        free(shared);
        return 0;
    }
    shared->log.record_size = q->record_size;
    shared->log.capacity = q->records;
    shared->note.run_code = plugin->world->run(plugin, q->entry, q->scenario, q->scenario_size, &shared->log, &err);
    snprintf(shared->note.message, sizeof shared->note.message, "%.500s", shared->note.run_code ? err.text : "");
    shared->note.stage = STAGE_RETURNED;
    o->count = shared->log.count < q->records ? shared->log.count : q->records;
    judge_exit(q, o, shared, 0);
    o->records = malloc(log_size + 1);
    if (o->records)
        memcpy(o->records, log_records(&shared->log), log_size);
    free(shared);
    return o->records ? 0 : -ENOMEM;
}

const struct plugin *host_load_trusted(const char *path, struct error *err)
{
    char absolute[PATH_MAX];
    if (!realpath(path, absolute)) {
        error_set(err, -errno, "%s: %s", path, strerror(errno));
        return NULL;
    }
    void *handle = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
    const struct plugin_entries *entries = handle ? dlsym(handle, "faultline_entries") : NULL;
    const struct plugin_world *world =
        handle ? dlsym(handle, "faultline_world") : NULL; /* the plugin is linked with it */
    if (!entries || !world || entries->abi != PLUGIN_ABI || world->abi != PLUGIN_ABI) {
        error_set(err, -EINVAL, "%s: %s", path, handle ? "is no plugin of this version: build it again" : dlerror());
        return NULL;
    }
    /* For good, as what it shows; the same for the same file. */
    static struct plugin loaded[64];
    size_t n = 0;
    while (n < COUNT(loaded) && loaded[n].world && loaded[n].first != entries->first)
        n++;
    if (n == COUNT(loaded)) {
        error_set(err, -ENOMEM, "%s: more than %zu plugins in one process", path, n);
        return NULL;
    }
    loaded[n] = (struct plugin){world->lab, entries->first, entries->last, world};
    return &loaded[n];
}
