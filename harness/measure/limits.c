/* Idea: a table says what is measured and in which unit; limits_*.c say how; this file goes through the table three
 * times, so that a neighbour who is busy for a second spoils a third of a limit's chunks and not all of them, and makes
 * rows of the chunks.
 *
 * Measured once, then kept beside the machine's fingerprint: benchmarks want a bar to stand beside, not to wait. What
 * is kept is used only when fingerprint and format are those of now.
 *
 * What it leaves out: limits of more than two threads, of GPUs, of the network.
 */
#include "measure/limits.h"

#include "base/json_file.h"
#include "base/memory.h"
#include "base/terminal.h"
#include "measure/clock.h"
#include "measure/limits_bench.h"
#include "measure/machine.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT  2 /* of the file and of what is measured: kept figures of another are measured anew */
#define ROUNDS  3
#define SECONDS 5.0
#define LEAST   8 /* chunks that make a row */
#define KEPT    ((size_t)1 << 20)

/* ---- what is measured ---- */

static const struct limit {
    const char *id, *what, *unit;
    double scale; /* value = scale x ns per operation; below 0: value = -scale / ns, a rate */
    void (*measure)(struct limits_bench *bench, struct limits_series *series,
                    unsigned which); /* NULL: as the one above */
    unsigned which;
    bool median;
} limits[] = {
    {"cycle", "clock of one core under light load", "GHz", -1, limits_cycle, 0, false},
    {"branch-miss", "price of a branch that was guessed wrong", "ns", 1, limits_branch, 0, false},
    {"clock", "one reading of the clock", "ns", 1, limits_clock, 0, false},
    {"cas", "compare-and-swap until it succeeds, one word, one thread", "ns", 1, limits_atomic_alone, LIMITS_CAS,
     false},
    {"cas-contended", "the same, two threads, one word; time per success of either", "ns", 1, limits_atomic_together,
     LIMITS_CAS, true},
    {"fetch-add", "atomic addition, one word, one thread", "ns", 1, limits_atomic_alone, LIMITS_FETCH_ADD, false},
    {"fetch-add-contended", "the same, two threads, one word; time per addition of either", "ns", 1,
     limits_atomic_together, LIMITS_FETCH_ADD, true},
    {"fetch-add-same-line", "two threads, each its own word, both in one cache line (false sharing)", "ns", 1,
     limits_atomic_together, LIMITS_SAME_LINE, true},
    {"fetch-add-own-line", "two threads, each its own word in its own line", "ns", 1, limits_atomic_together,
     LIMITS_OWN_LINE, false},
    {"mutex", "pthread_mutex lock and unlock, one thread", "ns", 1, limits_atomic_alone, LIMITS_MUTEX, false},
    {"mutex-contended", "the same, two threads, one mutex; time per lock and unlock of either", "ns", 1,
     limits_atomic_together, LIMITS_MUTEX, true},
    {"line-round-trip", "one cache line handed to the other core and back", "ns", 1, limits_line_round_trip, 0, true},
    {"line-one-way", "half of it", "ns", 0.5, NULL, 0, true},
    {"load-dependent-L1", "a load that needs the last one's result, L1", "ns", 1, limits_load_dependent, 1, false},
    {"load-dependent-L2", "the same, L2", "ns", 1, limits_load_dependent, 2, false},
    {"load-dependent-L3", "the same, L3", "ns", 1, limits_load_dependent, 3, false},
    {"load-dependent-memory", "the same, memory", "ns", 1, limits_load_dependent, LIMITS_MEMORY, false},
    {"load-independent-L1", "random loads, many under way, L1", "ns", 1, limits_load_independent, 1, false},
    {"load-independent-L2", "the same, L2", "ns", 1, limits_load_independent, 2, false},
    {"load-independent-L3", "the same, L3", "ns", 1, limits_load_independent, 3, false},
    {"load-independent-memory", "the same, memory", "ns", 1, limits_load_independent, LIMITS_MEMORY, false},
    {"read", "reading memory in order, one thread", "GB/s", -1, limits_read, 1, false},
    {"read-2", "the same, two threads together", "GB/s", -1, limits_read, 2, false},
    {"copy", "copying memory in order, one thread", "GB/s", -1, limits_copy, 1, false},
    {"copy-2", "the same, two threads together", "GB/s", -1, limits_copy, 2, false},
    {"flops-portable", "float32 multiply-adds, 128-bit vectors, one core", "GFLOP/s", -1, limits_flops, LIMITS_PORTABLE,
     false},
    {"flops-avx2", "the same, AVX2 with FMA", "GFLOP/s", -1, limits_flops, LIMITS_AVX2, false},
    {"flops-avx512", "the same, AVX-512", "GFLOP/s", -1, limits_flops, LIMITS_AVX512, false},
    {"flops-avx512-2", "the same, two threads together", "GFLOP/s", -1, limits_flops, LIMITS_AVX512 | LIMITS_BOTH,
     false},
    {"flops-amx", "products of bfloat16 tiles, AMX, one core", "GFLOP/s", -1, limits_flops, LIMITS_AMX, false},
    {"flops-amx-2", "the same, two threads together", "GFLOP/s", -1, limits_flops, LIMITS_AMX | LIMITS_BOTH, false},
    {"flush", "an append of 128 bytes, until fdatasync is back", "us", 1e-3, limits_flush, 0, false},
};
#define LIMITS COUNT(limits)

/* ---- rows ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of sorted chunks. */
static double quantile(const struct limits_series *s, double q)
{
    return s->ns[(size_t)(q * (double)(s->chunks - 1) + 0.5)];
}

static double in_unit(const struct limit *l, double ns)
{
    return l->scale > 0 ? l->scale * ns : -l->scale / ns;
}

static json_t *row(const struct limit *l, struct limits_series *s)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "id", l->id, "what", l->what, "unit", l->unit, "source",
                          "measured", "statistic", l->median ? "p50" : "p10", "chunks", (int)s->chunks);
    json_object_set_new(o, "place", *s->place ? json_string(s->place) : json_null());
    json_object_set_new(o, "how", *s->how ? json_string(s->how) : json_null());
    if (!*s->reason && s->chunks < LEAST)
        limits_refuse(s, "only %zu chunks could be timed: the machine was too busy", s->chunks);
    if (!*s->reason) {
        qsort(s->ns, s->chunks, sizeof *s->ns, by_value);
        if (quantile(s, 0.1) <= 0)
            limits_refuse(s, "no difference was to be seen above the noise");
    }
    if (*s->reason) {
        json_object_set_new(o, "value", json_null());
        json_object_set_new(o, "low", json_null());
        json_object_set_new(o, "high", json_null());
        json_object_set_new(o, "reason", json_string(s->reason));
        return o;
    }
    double a = in_unit(l, quantile(s, 0.1)), b = in_unit(l, quantile(s, 0.9));
    json_object_set_new(o, "value", json_real(in_unit(l, quantile(s, l->median ? 0.5 : 0.1))));
    json_object_set_new(o, "low", json_real(a < b ? a : b));
    json_object_set_new(o, "high", json_real(a < b ? b : a));
    json_object_set_new(o, "reason", json_null());
    return o;
}

/* ---- measuring ---- */

static void find_places(struct limits_bench *b)
{
    struct error err;
    if (!topology_is_this_machine(b->topology)) {
        snprintf(b->one_reason, sizeof b->one_reason, "the topology is another machine's; nothing is measured by it");
        memcpy(b->two_reason, b->one_reason, sizeof b->two_reason);
        return;
    }
    if (topology_places(b->topology, 1, &b->one, b->one_words, sizeof b->one_words, &err) != 0)
        snprintf(b->one_reason, sizeof b->one_reason, "%.200s", err.text);
    if (topology_places(b->topology, 2, b->two, b->two_words, sizeof b->two_words, &err) != 0)
        snprintf(b->two_reason, sizeof b->two_reason, "%.200s", err.text);
}

static json_t *measure(struct limits_bench *b, double seconds, bool quiet)
{
    struct limits_series *series = calloc(LIMITS, sizeof *series);
    json_t *rows = json_array();
    struct progress progress;
    if (!series || !rows) {
        free(series);
        json_decref(rows);
        return NULL;
    }
    find_places(b);
    b->slice_ns = (uint64_t)(1e9 * seconds) / (ROUNDS * LIMITS);
    progress_start(&progress, "the machine's limits", ROUNDS * LIMITS, quiet);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < LIMITS; i++) {
            if (limits[i].measure && !*series[i].reason)
                (*b->one_reason ? limits_refuse(&series[i], "%s", b->one_reason)
                                : limits[i].measure(b, &series[i], limits[i].which));
            progress_set(&progress, round * LIMITS + i + 1);
        }
    progress_end(&progress);
    for (size_t i = 0; i < LIMITS; i++) {
        struct limits_series *s = limits[i].measure || i == 0 ? &series[i] : &series[i - 1];
        json_array_append_new(rows, row(&limits[i], s));
    }
    for (size_t i = 0; i < LIMITS; i++)
        free(series[i].ns);
    free(series);
    limits_memory_free(b);
    return rows;
}

/* ---- keeping ---- */

static bool complete(const json_t *rows)
{
    bool all = json_array_size(rows) == LIMITS;
    for (size_t i = 0; all && i < LIMITS; i++) {
        const json_t *o = json_array_get(rows, i), *value = json_object_get(o, "value");
        const char *id = json_string_value(json_object_get(o, "id"));
        all = id && strcmp(id, limits[i].id) == 0 &&
              (json_is_number(value) || json_is_string(json_object_get(o, "reason")));
    }
    return all;
}

/* What was kept, when it is whole and of this machine; else NULL, and note says why when there was a file. */
static json_t *kept(const char *path, const char *fingerprint, char *note, size_t size)
{
    char *data;
    size_t bytes;
    struct error err;
    json_error_t where;
    int code = file_read(path, KEPT, &data, &bytes, &err);
    if (code == -ENOENT)
        return NULL;
    if (code) {
        snprintf(note, size, "measured anew: %.300s", err.text);
        return NULL;
    }
    json_t *o = json_loadb(data, bytes, 0, &where);
    free(data);
    const char *of = json_string_value(json_object_get(o, "fingerprint"));
    if (!o)
        snprintf(note, size, "measured anew: %.200s was damaged (line %d: %.100s)", path, where.line, where.text);
    else if (!of || json_integer_value(json_object_get(o, "format")) != FORMAT)
        snprintf(note, size, "measured anew: %.200s was written by another release, or damaged", path);
    else if (strcmp(of, fingerprint) != 0)
        snprintf(note, size, "measured anew: %.200s was of another machine, or of this one before it was changed",
                 path);
    else if (!complete(json_object_get(o, "limits")))
        snprintf(note, size, "measured anew: %.200s was damaged: its limits are not those of this release", path);
    else
        return o;
    json_decref(o);
    return NULL;
}

static void keep(const char *path, json_t *o)
{
    struct error err;
    if (json_file_write(path, o, &err) != 0)
        json_object_set_new(o, "note", json_sprintf("not kept: %s", err.text));
}

static void folder_of(const char *path, char out[FILE_PATH])
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        file_path(out, ".");
    else
        file_path(out, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

int limits_get_within(const char *path, double seconds, bool anew, bool quiet, json_t **out, struct error *err)
{
    char fingerprint[MACHINE_FINGERPRINT], note[600] = "";
    struct limits_bench bench = {.slice_ns = 0};
    struct topology *topology;
    int code = topology_load(&topology, err);
    if (code)
        return code;
    machine_fingerprint(fingerprint);
    bool ours = topology_is_this_machine(topology);
    if (!anew && ours && (*out = kept(path, fingerprint, note, sizeof note))) {
        topology_destroy(topology);
        return 0;
    }
    bench.topology = topology;
    folder_of(path, bench.folder);
    file_make_dirs(bench.folder, NULL); /* where it fails, the rows and the note say so */
    uint64_t begin = clock_now_ns();
    json_t *rows = measure(&bench, seconds, quiet);
    topology_destroy(topology);
    if (!rows)
        return error_set(err, -ENOMEM, "the machine's limits: out of memory");
    *out = json_pack("{s:i, s:s, s:f, s:n, s:o}", "format", FORMAT, "fingerprint", fingerprint, "seconds",
                     1e-9 * (double)(clock_now_ns() - begin), "note", "limits", rows);
    if (!*out)
        return error_set(err, -ENOMEM, "the machine's limits: out of memory");
    if (ours)
        keep(path, *out);
    if (*note && json_is_null(json_object_get(*out, "note")))
        json_object_set_new(*out, "note", json_string(note));
    return 0;
}

int limits_get(const char *path, bool anew, bool quiet, json_t **out, struct error *err)
{
    return limits_get_within(path, SECONDS, anew, quiet, out, err);
}

/* ---- looking up ---- */

const json_t *limits_row(const json_t *all, const char *id)
{
    size_t i;
    json_t *o;
    json_array_foreach(json_object_get(all, "limits"), i, o)
    {
        const char *name = json_string_value(json_object_get(o, "id"));
        if (name && strcmp(name, id) == 0)
            return o;
    }
    return NULL;
}

double limits_value(const json_t *all, const char *id)
{
    const json_t *value = json_object_get(limits_row(all, id), "value");
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}
