/* Linked into every Criterion program of `make test`: writes how many tests passed and failed where FAULTLINE_COUNTS
 * says.
 *
 * The count is of tests that were seen to end; a test that was skipped, or ended without a single assertion (exit(0) in
 * the middle of it), counts as failed. harness/test.sh compares it with the number of Test() lines in the sources. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned passed, failed;

ReportHook(POST_TEST)(struct criterion_test_stats *stats)
{
    bool good =
        stats->test_status == CR_STATUS_PASSED && stats->passed_asserts > 0 && !stats->crashed && !stats->timed_out;
    if (good)
        passed++;
    else
        failed++;
    if (!good)
        fprintf(stderr, "  not passed: %s/%s%s%s%s\n", stats->test->category, stats->test->name,
                stats->crashed ? " (crashed)" : "", stats->timed_out ? " (timed out)" : "",
                stats->passed_asserts ? "" : " (no assertion was made)");
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    const char *path = getenv("FAULTLINE_COUNTS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%u %u\n", passed, failed);
        fclose(file);
    }
}
