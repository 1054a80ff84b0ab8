/* callgrind.c: simulated counts. */
#include "measure/callgrind.h"

#include "base/file.h"
#include "base/process.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#define MOST_ARGV 64

/* ---- in the program that is counted ---- */

bool callgrind_here(void)
{
    return RUNNING_ON_VALGRIND != 0;
}

void callgrind_start(void)
{
    CALLGRIND_START_INSTRUMENTATION;
}

void callgrind_stop(const char *tag)
{
    CALLGRIND_DUMP_STATS_AT(tag);
    CALLGRIND_STOP_INSTRUMENTATION;
}

/* ---- caches ---- */

void callgrind_geometry(const struct topology *topology, struct callgrind_caches *out)
{
    const struct topology_geometry common_first = topology_round(32 << 10, 8, 64, 1),
                                   common_last = topology_round(8 << 20, 16, 64, 3);
    *out = (struct callgrind_caches){.instruction = common_first, .data = common_first, .last = common_last};
    out->assumed = !topology || topology_geometry(topology, 1, &out->data, NULL) != 0 ||
                   topology_geometry(topology, TOPOLOGY_LAST, &out->last, NULL) != 0;
    if (out->assumed) {
        out->data = common_first;
        out->last = common_last;
    } else {
        if (topology_geometry(topology, TOPOLOGY_INSTRUCTION, &out->instruction, NULL) != 0)
            out->instruction = common_first;
        out->has_second =
            topology_data_cache(topology, 3) > 0 && topology_geometry(topology, 2, &out->second, NULL) == 0;
    }
    snprintf(out->words, sizeof out->words, "%ssize,ways,line: I1 %s; D1 %s%s; %s%s%slast %s%s",
             out->assumed ? "common sizes, since this machine's are not known; " : "", out->instruction.text,
             out->data.text, out->data.rounded ? " (rounded)" : "", out->has_second ? "L2 " : "",
             out->has_second ? out->second.text : "",
             out->has_second ? (out->second.rounded ? " (rounded); " : "; ") : "", out->last.text,
             out->last.rounded ? " (rounded to a power of two of sets)" : "");
}

bool callgrind_there(char *reason, size_t size)
{
    const char *const argv[] = {"valgrind", "--version", NULL};
    struct process p = {.argv = argv, .wall_ms = 10000, .output_limit = 200};
    struct process_result r;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    snprintf(reason, size, "valgrind cannot run what was built with a sanitizer");
    return false;
#endif
    if (callgrind_here()) {
        snprintf(reason, size, "this already runs under valgrind");
        return false;
    }
    if (process_run(&p, &r, NULL) != 0) {
        snprintf(reason, size, "valgrind is not installed");
        return false;
    }
    bool good = r.status == 0;
    if (!good)
        snprintf(reason, size, "valgrind cannot be started");
    process_result_free(&r);
    return good;
}

/* ---- reading what it left ---- */

static const char *after(const char *line, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(line, prefix, n) == 0 ? line + n : NULL;
}

/* Sums of columns by name. A column at the end that is 0 may be missing from the line of totals. */
static double column(const char *events, const char *totals, const char *name)
{
    char *end = NULL;
    for (const char *e = events + strspn(events, " "); *e && *e != '\n';) {
        size_t n = strcspn(e, " \n");
        double value = strtod(totals, &end);
        if (end == totals)
            value = 0;
        totals = end;
        if (n == strlen(name) && strncmp(e, name, n) == 0)
            return value;
        e += n;
        e += strspn(e, " ");
    }
    return NAN;
}

static void take(struct callgrind_counts *c, const char *events, const char *totals, bool second)
{
    double d1 = column(events, totals, "D1mr") + column(events, totals, "D1mw"),
           last = column(events, totals, "DLmr") + column(events, totals, "DLmw");
    if (second) {
        c->count[COUNTER_L2_MISSES] = last;
        return;
    }
    for (int id = 0; id < COUNTERS; id++)
        c->count[id] = NAN;
    c->count[COUNTER_INSTRUCTIONS] = column(events, totals, "Ir");
    c->count[COUNTER_DATA_READS] = column(events, totals, "Dr");
    c->count[COUNTER_DATA_WRITES] = column(events, totals, "Dw");
    c->count[COUNTER_BRANCHES] = column(events, totals, "Bc") + column(events, totals, "Bi");
    c->count[COUNTER_BRANCH_MISSES] = column(events, totals, "Bcm") + column(events, totals, "Bim");
    c->count[COUNTER_L1D_MISSES] = d1;
    c->count[COUNTER_LAST_MISSES] = last;
}

/* One file: "desc: Trigger: Client Request: TAG", "events: Ir Dr …", "totals: 12 3 …". The line "summary:" is wrong, even
 * negative, once instrumentation was stopped and started again (seen in 3.19); the totals are the sums of what is listed. */
static int read_dump(const char *path, struct callgrind_counts *c, bool second, struct error *err)
{
    char *data, *events = NULL, *totals = NULL, *save = NULL;
    size_t size;
    int code = file_read(path, 64u << 20, &data, &size, err);
    if (code)
        return code;
    char tag[CALLGRIND_TAG] = "";
    for (char *line = strtok_r(data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const char *t = after(line, "desc: Trigger: Client Request: ");
        if (t)
            snprintf(tag, sizeof tag, "%s", t);
        if (after(line, "events: "))
            events = line + strlen("events: ");
        if (after(line, "totals: "))
            totals = strchr(line, ' ') + 1;
    }
    if (!tag[0] || !events || !totals) {
        code = error_set(err, -EINVAL, "%s: is no dump of callgrind", path);
    } else if (second && strcmp(tag, c->tag) != 0) {
        code = error_set(err, -EINVAL, "callgrind's two runs did not mark the same regions");
    } else {
        memcpy(c->tag, tag, sizeof tag);
        take(c, events, totals, second);
    }
    free(data);
    return code;
}

/* Dumps are OUT.1, OUT.2 … in the order they were asked for; one more at the program's end has no tag. */
static int read_dumps(const char *out, struct callgrind_counts **counts, uint32_t *n, bool second, struct error *err)
{
    char path[FILE_PATH];
    uint32_t found = 0;
    while (file_exists(file_path(path, "%s.%u", out, found + 1)))
        found++;
    if (second && found < *n)
        return error_set(err, -EINVAL, "callgrind's second run marked %u regions, the first %u", found, *n);
    if (!second) {
        *n = found;
        *counts = calloc(found ? found : 1, sizeof **counts);
        if (!*counts)
            return error_set(err, -ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < *n; i++) {
        int code = read_dump(file_path(path, "%s.%u", out, i + 1), &(*counts)[i], second, err);
        if (code && i + 1 == *n && !second) { /* the dump at the end */
            (*n)--;
            return 0;
        }
        if (code)
            return code;
    }
    return 0;
}

/* ---- running ---- */

static int run_once(const char *const *argv, const struct callgrind_caches *caches, bool second, const char *out,
                    uint64_t wall_ms, struct error *err)
{
    char i1[80], d1[80], last[80], to[FILE_PATH + 40];
    snprintf(i1, sizeof i1, "--I1=%s", caches->instruction.text);
    snprintf(d1, sizeof d1, "--D1=%s", caches->data.text);
    snprintf(last, sizeof last, "--LL=%s", second ? caches->second.text : caches->last.text);
    snprintf(to, sizeof to, "--callgrind-out-file=%s", out);
    const char *command[MOST_ARGV] = {"valgrind",
                                      "-q",
                                      "--tool=callgrind",
                                      "--instr-atstart=no",
                                      "--collect-atstart=no",
                                      "--cache-sim=yes",
                                      "--branch-sim=yes",
                                      i1,
                                      d1,
                                      last,
                                      to};
    size_t n = 11;
    while (*argv && n + 1 < MOST_ARGV)
        command[n++] = *argv++;
    struct process p = {.argv = command, .wall_ms = wall_ms, .output_limit = 4096};
    struct process_result r;
    int code = process_run(&p, &r, err);
    if (code)
        return code;
    if (r.timed_out)
        code = error_set(err, -ETIMEDOUT, "callgrind was not done after %llu s", (unsigned long long)(wall_ms / 1000));
    else if (r.status != 0)
        code = error_set(err, -EIO, "the program under callgrind failed: %.600s", r.output);
    process_result_free(&r);
    return code;
}

int callgrind_run(const char *const *argv, const struct callgrind_caches *caches, uint64_t wall_ms,
                  struct callgrind_counts **out, uint32_t *n, struct error *err)
{
    char folder[FILE_PATH], first[FILE_PATH], second[FILE_PATH];
    *out = NULL;
    *n = 0;
    int code = file_temp_dir(folder, "faultline-callgrind", err);
    if (code)
        return code;
    file_path(first, "%s/first", folder);
    file_path(second, "%s/second", folder);
    code = run_once(argv, caches, false, first, wall_ms, err);
    if (code == 0)
        code = read_dumps(first, out, n, false, err);
    if (code == 0 && caches->has_second)
        code = run_once(argv, caches, true, second, wall_ms, err);
    if (code == 0 && caches->has_second)
        code = read_dumps(second, out, n, true, err);
    file_remove_tree(folder);
    if (code) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return code;
}
