/* misses.c: what a last-level cache would see of an entry. */
#include "misses.h"

#include "base/file.h"
#include "measure/callgrind.h"
#include "measure/counters.h"
#include "measure/region.h"
#include "runs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define D 16u

/* In the program that is counted. */
int misses_main(int argc, char **argv)
{
    uint32_t n = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    struct region region = {0};
    if (n == 0 || n > 65536)
        error_exit(EXIT_WRONG_USE, "claims %s ENTRY N: how the program starts itself under callgrind", MISSES_OPTION);
    struct head head = head_create(n, n, D, 1);
    callgrind_start();
    region_begin(&region);
    head_forward(&head, argv[2], 0, n, head.out, head.lse);
    region_end(&region);
    callgrind_stop("forward");
    head_destroy(&head);
    return 0;
}

double misses_of(const char *entry, uint32_t n, struct error *err)
{
    char self[FILE_PATH], length[16], reason[COUNTER_REASON];
    struct callgrind_caches caches = {.instruction = topology_round(32768, 8, 64, 1),
                                      .data = topology_round(32768, 8, 64, 1),
                                      .last = topology_round(MISSES_CACHE, 16, 64, 3)};
    struct callgrind_counts *counts = NULL;
    uint32_t regions = 0;
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size < 0)
        return error_set(err, -errno, "/proc/self/exe: %s", strerror(errno)), NAN;
    self[size] = 0;
    if (!callgrind_there(reason, sizeof reason))
        return error_set(err, -ENOENT, "%s", reason), NAN;
    snprintf(length, sizeof length, "%u", n);
    const char *argv[] = {self, MISSES_OPTION, entry, length, NULL};
    int code = callgrind_run(argv, &caches, 300000, &counts, &regions, err);
    double misses = code == 0 && regions == 1 ? counts[0].count[COUNTER_LAST_MISSES] : NAN;
    if (code == 0 && isnan(misses))
        error_set(err, -EIO, "callgrind counted no misses of the last cache");
    free(counts);
    return misses / (4.0 * n * n * D / 1000);
}

/* ---- this machine's own ---- */

#define MOST_TOKENS 16384u /* a matrix of 1 GiB */

static uint32_t tokens_for(double times, struct error *err)
{
    struct topology *t;
    if (topology_load(&t, err) != 0)
        return 0;
    const uint64_t bytes = topology_data_cache(t, topology_last_level(t));
    topology_destroy(t);
    const double n = sqrt(times * (double)bytes / sizeof(float));
    if (n >= 1 && n <= MOST_TOKENS)
        return (uint32_t)n;
    error_set(err, -ENOTSUP, "the last cache has %llu MiB: a matrix that is larger takes too long",
              (unsigned long long)(bytes >> 20));
    return 0;
}

/* The second of two runs: the first one's pages are new. */
static int64_t counted(const char *entry, uint32_t n, struct counter_reader *reader, unsigned pass)
{
    struct region region = {.reader = reader, .pass = pass};
    struct head head = head_create(n, n, D, 1);
    for (int run = 0; run < 2; run++) {
        region_begin(&region);
        head_forward(&head, entry, 0, n, head.out, head.lse);
        region_end(&region);
    }
    head_destroy(&head);
    return region.count[COUNTER_LAST_MISSES];
}

double misses_here(const char *entry, double times, struct error *err)
{
    struct counters *counters;
    double misses = NAN;
    int code = counters_plan(COUNT_HARDWARE, NULL, &counters);
    if (code)
        return error_set(err, code, "out of memory"), NAN;
    const struct counter_choice *choice = counters_choice(counters, COUNTER_LAST_MISSES);
    const uint32_t n = choice->source == SOURCE_HARDWARE ? tokens_for(times, err) : 0;
    if (choice->source != SOURCE_HARDWARE)
        error_set(err, -ENOTSUP, "%s", choice->reason);
    struct counter_reader *reader = n ? counters_open(counters) : NULL;
    if (reader) {
        int64_t count = counted(entry, n, reader, choice->pass);
        misses = count < 0 ? NAN : (double)count / (4.0 * n * n * D / 1000);
        error_set(err, -EIO, "misses of the last cache could not be read");
        counters_close(reader);
    }
    counters_destroy(counters);
    return misses;
}
