/* limits_bench.h: what the measuring functions of limits_*.c stand on. For these files only.
 *
 * These files are always built with -O2 and without sanitizers, whatever the rest of the build is: a limit belongs to
 * the machine, not to the build.
 */
#ifndef MEASURE_LIMITS_BENCH_H
#define MEASURE_LIMITS_BENCH_H

#include "base/file.h"
#include "measure/topology.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITS_LINE 128 /* bytes between words that must not share a line: two lines, since some caches fetch pairs */

/* The chunks of one limit so far, over all rounds. */
struct limits_series {
    double *ns; /* per operation */
    size_t chunks, room;
    char place[TOPOLOGY_WORDS], how[200];
    char reason[256]; /* why there is nothing; "" as long as there is no reason */
};

/* Work to be timed. Exactly one of run and timed is set. */
struct limits_work {
    void (*run)(void *context, uint64_t operations);
    double (*timed)(void *context); /* one chunk that times itself: ns per operation, or NaN when it failed */
    void (*warm)(void *context);    /* on the thread that will work, before it does, in each round; may be NULL */
    void *context;
};

struct limits_memory;

/* What all measuring functions share. */
struct limits_bench {
    const struct topology *topology;
    uint64_t slice_ns; /* time that one limit has in this round */
    unsigned one, two[2];
    char one_words[TOPOLOGY_WORDS], two_words[TOPOLOGY_WORDS];
    char one_reason[256], two_reason[256]; /* why there is no such place; "" where there is */
    char folder[FILE_PATH];                /* where the file for fdatasync goes */
    struct limits_memory *memory;          /* kept from round to round; limits_memory.c */
};

/* One thread at bench->one. */
void limits_alone(const struct limits_bench *bench, struct limits_series *series, const struct limits_work *work);

/* Two threads at bench->two, each with its work (run only). An operation takes the time in which either thread finished
 * one: what both did, counted in the time in which both ran. */
void limits_together(const struct limits_bench *bench, struct limits_series *series, const struct limits_work work[2]);

void limits_add(struct limits_series *series, double ns);
void limits_refuse(struct limits_series *series, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The compiler must believe that the value is used. */
static inline void limits_keep(uint64_t value)
{
    __asm__ volatile("" : : "r"(value));
}

/* ---- the limits by subject; `which` is the subject's own ---- */

enum limits_operation { LIMITS_CAS, LIMITS_FETCH_ADD, LIMITS_MUTEX, LIMITS_SAME_LINE, LIMITS_OWN_LINE };
void limits_atomic_alone(struct limits_bench *bench, struct limits_series *series, unsigned which);
void limits_atomic_together(struct limits_bench *bench, struct limits_series *series, unsigned which);
void limits_line_round_trip(struct limits_bench *bench, struct limits_series *series, unsigned which);

#define LIMITS_MEMORY 0 /* a working set beyond the last cache; else the level of a cache */
void limits_load_dependent(struct limits_bench *bench, struct limits_series *series, unsigned which);
void limits_load_independent(struct limits_bench *bench, struct limits_series *series, unsigned which);
void limits_read(struct limits_bench *bench, struct limits_series *series, unsigned threads); /* ns per byte */
void limits_copy(struct limits_bench *bench, struct limits_series *series, unsigned threads);
void limits_memory_free(struct limits_bench *bench);

enum limits_unit { LIMITS_PORTABLE, LIMITS_AVX2, LIMITS_AVX512, LIMITS_AMX, LIMITS_UNITS };
#define LIMITS_BOTH 8u /* added to a unit: on two threads at the same time */
void limits_flops(struct limits_bench *bench, struct limits_series *series, unsigned which); /* ns per flop */
void limits_cycle(struct limits_bench *bench, struct limits_series *series, unsigned which);
void limits_branch(struct limits_bench *bench, struct limits_series *series, unsigned which);
void limits_clock(struct limits_bench *bench, struct limits_series *series, unsigned which);

void limits_flush(struct limits_bench *bench, struct limits_series *series, unsigned which);

#endif
